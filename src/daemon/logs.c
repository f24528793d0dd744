/*
 * The logs of the floors. Secrets are out of a line before anybody sees it; the newest lines stay in a ring.
 */
#include "daemon/logs.h"

#include <stdio.h>
#include <time.h>

#include "base/mask.h"
#include "base/mem.h"
#include "daemon/ctl_cmds.h"
#include "daemon/slices.h"
#include "daemon/stderr_log.h"

enum { FLOORS = 4, LINES = 1000, SHOWN = 100, LINE_BYTES = 8192 };

struct line {
    int64_t wall_s;
    enum log_level level;
    const char *floor;
    char *text; /* owned */
};

struct door { /* where a floor's lines come in */
    struct logs *logs;
    const char *floor;
};

struct logs {
    struct log out;
    struct door doors[FLOORS];
    struct buf shown;         /* a line without its secrets */
    struct line lines[LINES]; /* the n-th is at n % LINES, from 1 */
    uint64_t next;
};

static void
keep(struct logs *logs, const char *floor, enum log_level level, struct span text)
{
    struct line *line = &logs->lines[logs->next % LINES];
    char *kept = mem_copy(text);

    if (!kept)
        return;
    mem_free(line->text);
    *line = (struct line){ .wall_s = time(NULL), .level = level, .floor = floor, .text = kept };
    logs->next++;
}

static void
take(void *self, enum log_level level, struct span text)
{
    const struct door *door = self;
    struct logs *logs = door->logs;

    buf_clear(&logs->shown);
    mask_put(&logs->shown, text);
    if (logs->shown.err != SIPD_OK)
        return; /* what cannot be masked is not shown */
    logs->out.sink(logs->out.self, level, buf_span(&logs->shown));
    keep(logs, door->floor, level, buf_span(&logs->shown));
}

/* ---- levels */

struct floor {
    const char *name;
    struct log *log;
};

static void
get_floors(struct daemon *d, struct floor floors[FLOORS])
{
    const struct floor all[FLOORS] = {
        { "core", &d->core_log },
        { "net", &d->net_log },
        { "host", &d->host_log },
        { "daemon", &d->log },
    };

    memcpy(floors, all, sizeof all);
}

bool
logs_set_level(struct daemon *d, struct span floor, enum log_level level)
{
    struct floor floors[FLOORS];
    bool known = false;

    get_floors(d, floors);
    for (size_t i = 0; i < FLOORS; i++) {
        if (floor.len > 0 && !span_eq(floor, span_of(floors[i].name)))
            continue;
        floors[i].log->level = level;
        known = true;
    }
    return known;
}

/* ---- commands */

static void
set_level(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct daemon *d = self;
    struct span floor = ask->words_len > 1 ? ask->words[1] : (struct span){ NULL, 0 };
    enum log_level level;

    if (!log_level_read(ask->words[0], &level))
        sipd_answer_refuse(answer, "\"%.*s\" is not error, warn, info or debug",
                           SPAN_ARG(ask->words[0]));
    else if (!logs_set_level(d, floor, level))
        sipd_answer_refuse(answer, "\"%.*s\" is not core, net, host or daemon", SPAN_ARG(floor));
}

static void
show_levels(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct floor floors[FLOORS];

    (void)ask;
    get_floors(self, floors);
    for (size_t i = 0; i < FLOORS; i++) {
        sipd_answer_row(answer);
        sipd_answer_field(answer, "floor", span_of(floors[i].name));
        sipd_answer_field(answer, "level", span_of(log_level_name(floors[i].log->level)));
    }
}

/* "2027-01-31T12:00:00Z" */
static void
put_time(struct sipd_answer *answer, const char *name, int64_t wall_s)
{
    time_t at = (time_t)wall_s;
    struct tm utc;
    char text[64] = "";

    if (gmtime_r(&at, &utc))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    sipd_answer_field(answer, name, span_of(text));
}

static uint64_t
oldest(const struct logs *logs)
{
    return logs->next > LINES ? logs->next - LINES : 1;
}

/* *cursor: the number of the next line. What was written over meanwhile is passed over. */
static enum slice
put_next_line(const struct daemon *d, uint64_t *cursor, struct sipd_answer *answer)
{
    const struct logs *logs = d->logs;
    const struct line *line;

    if (*cursor < oldest(logs))
        *cursor = oldest(logs);
    if (*cursor == logs->next)
        return SLICE_END;
    line = &logs->lines[(*cursor)++ % LINES];
    sipd_answer_row(answer);
    put_time(answer, "at", line->wall_s);
    sipd_answer_field(answer, "level", span_of(log_level_name(line->level)));
    sipd_answer_field(answer, "floor", span_of(line->floor));
    sipd_answer_field(answer, "line", span_of(line->text));
    return SLICE_ROW;
}

static void
show_lines(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct daemon *d = self;
    uint64_t next = d->logs->next;
    uint32_t most = SHOWN;

    if (ask->words_len > 0 && !span_u32(ask->words[0], LINES, &most))
        sipd_answer_refuse(answer, "\"%.*s\" is not a number up to %d", SPAN_ARG(ask->words[0]),
                           LINES);
    else
        slices_answer(d, answer, put_next_line, NULL, next > most ? next - most : 1, most);
}

int
logs_declare(struct daemon *d)
{
    static const struct ctl_cmd commands[] = {
        { "show log [most]", "the newest log lines, 100 or so many", false, show_lines },
        { "show log levels", "down to which level each floor writes lines", false, show_levels },
        { "log <level> [floor]",
          "writes lines down to error, warn, info or debug until the next reload, all or those of "
          "core, net, host (modules, too) or daemon",
          true, set_level },
    };

    return d->logs ? ctl_cmds_put(d, commands, countof(commands)) : SIPD_ENOMEM;
}

/* ---- a life */

void
logs_init(struct daemon *d)
{
    struct logs *logs = d->logs = mem_new(sizeof *logs);
    struct floor floors[FLOORS];

    get_floors(d, floors);
    if (!logs) { /* logs_declare() fails, then; until there it is told why */
        for (size_t i = 0; i < FLOORS; i++)
            stderr_log_init(floors[i].log, LOG_LVL_INFO);
        return;
    }
    stderr_log_init(&logs->out, LOG_LVL_INFO);
    buf_init(&logs->shown, LINE_BYTES);
    logs->next = 1;
    for (size_t i = 0; i < FLOORS; i++) {
        logs->doors[i] = (struct door){ logs, floors[i].name };
        *floors[i].log = (struct log){ LOG_LVL_INFO, take, &logs->doors[i] };
    }
}

void
logs_fini(struct daemon *d)
{
    struct logs *logs = d->logs;

    d->logs = NULL;
    if (!logs)
        return;
    for (size_t i = 0; i < LINES; i++)
        mem_free(logs->lines[i].text);
    buf_fini(&logs->shown);
    mem_free(logs);
}
