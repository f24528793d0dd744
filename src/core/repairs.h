/*
 * What was wrong with messages, by peer and rule: counted, told in the log, and shown (sipctl show repairs).
 *
 * A row for each peer, rule and verdict. There is a ceiling: the row that has not been added to for the longest time goes,
 * and what it counted is kept in a row for all others.
 */
#ifndef CORE_REPAIRS_H
#define CORE_REPAIRS_H

#include "base/clock.h"
#include "base/count.h"
#include "base/list.h"
#include "base/log.h"
#include "base/prf.h"
#include "base/slots.h"
#include "base/table.h"
#include "sip/hop.h"
#include "sip/repair.h"

enum { REPAIR_VERDICTS = 3 };

struct repairs {
    const struct clock *clock;
    const struct log *log;
    struct prf_key hash_key;
    struct slots slots;
    struct table table;
    struct list recent; /* rows, the last added to at the end */
    uint64_t others[DEVIATIONS][REPAIR_VERDICTS];
    uint64_t *count[DEVIATIONS];
    uint64_t *unlogged;
    uint64_t second; /* in which `lines` lines were written */
    unsigned lines;
};

/* Lent: clock, log and counters, for its life. limit: most rows. SIPD_ENOMEM. */
int repairs_init(struct repairs *r, const struct clock *clock, const struct log *log,
                 struct counters *counters, struct prf_key hash_key, uint32_t limit) MUST_USE;
void repairs_fini(struct repairs *r);

/*
 * Counts what was done about a message from this peer. What was mended or refused is a log line when its count reaches 1, 2,
 * 4, 8 and so on, as long as there are not too many in a second; what was accepted is one for debugging.
 */
void repairs_add(struct repairs *r, const struct hop *from, const struct gist *gist,
                 const struct repair_done *done);

struct repairs_row {
    const struct hop *peer; /* address alone; NULL: all others */
    enum deviation rule;
    enum repair_verdict verdict;
    uint64_t count;
    uint64_t last_ms; /* of others: 0 */
};
/* The rows, the last added to first, then those of all others. Lent until return. */
void repairs_each(const struct repairs *r, void (*fn)(void *arg, const struct repairs_row *row),
                  void *arg);

#endif
