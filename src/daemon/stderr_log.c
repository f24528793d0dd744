/*
 * Log lines on standard error. A reader that has stopped must not stop us: a line that would have to wait is left out.
 */
#include "daemon/stderr_log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* syslog's numbers (RFC 5424 §6.2.1). */
static const char *const priorities[] = {
    [LOG_LVL_ERROR] = "<3>",
    [LOG_LVL_WARN] = "<4>",
    [LOG_LVL_INFO] = "<6>",
    [LOG_LVL_DEBUG] = "<7>",
};

static struct span
write_time(char *to, size_t room, enum log_level level)
{
    time_t now = time(NULL);
    struct tm tm;
    size_t len = gmtime_r(&now, &tm) ? strftime(to, room, "%Y-%m-%dT%H:%M:%SZ ", &tm) : 0;

    return (struct span){ to, len + (size_t)snprintf(to + len, room - len, "%-5s ",
                                                     log_level_name(level)) };
}

static void
put(struct span head, struct span line)
{
    struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
    const struct iovec parts[] = {
        { (char *)(uintptr_t)head.at, head.len },
        { (char *)(uintptr_t)line.at, line.len },
        { (char *)(uintptr_t) "\n", 1 },
    };

    if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT))
        (void)!writev(STDERR_FILENO, parts, countof(parts));
}

static void
to_journal(void *self, enum log_level level, struct span line)
{
    (void)self;
    put(span_of(priorities[level]), line);
}

static void
to_people(void *self, enum log_level level, struct span line)
{
    char head[64];

    (void)self;
    put(write_time(head, sizeof head, level), line);
}

void
stderr_log_init(struct log *log, enum log_level level)
{
    *log =
        (struct log){ .level = level, .sink = getenv("JOURNAL_STREAM") ? to_journal : to_people };
}
