/*
 * One log line is one event: a word, then key=value; quoted here, so that no value can forge a
 * line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/def.h"
#include "base/span.h"

enum log_level { LOG_LVL_ERROR, LOG_LVL_WARN, LOG_LVL_INFO, LOG_LVL_DEBUG };

/* Takes one line without a line end. Lent until return. */
typedef void log_sink_fn(void *self, enum log_level level, struct span line);

struct log {
    enum log_level level; /* lines above this are not made */
    log_sink_fn *sink;    /* NULL: nobody listens */
    void *self;
};

/* Would a line of this level be made? One compare. */
static inline bool
log_on(const struct log *log, enum log_level level)
{
    return log->sink && level <= log->level;
}

/*
 * log_event(log, LOG_LVL_INFO, "bind", "transport", "udp", "port", "5060", NULL): an event word,
 * then pairs of NUL-terminated key and value, then NULL. Values with blanks, quotes, = or bytes
 * outside printable ASCII are quoted and escaped; a NULL value is an empty one. A line is cut at 2
 * KiB.
 */
void log_event(const struct log *log, enum log_level level, const char *event, ...)
    __attribute__((sentinel));
/* As log_event, but each value is a const struct span *. */
void log_spans(const struct log *log, enum log_level level, const char *event, ...)
    __attribute__((sentinel));
/* "error", "warn", "info", "debug". */
const char *log_level_name(enum log_level level);
/* The level of a name; false if there is none such. */
bool log_level_read(struct span name, enum log_level *out);

#endif
