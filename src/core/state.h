/*
 * What the core holds between messages.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "base/buf.h"
#include "base/slots.h"
#include "core/core.h"
#include "core/shed.h"
#include "core/trip.h"
#include "sip/date.h"

enum core_telling { TELLING_NOTHING, TELLING_TRIPS, TELLING_TXNS, TELLING_ANSWERED };

struct core {
    struct core_ports ports;
    const struct core_conf *conf; /* lent; read anew at each step */
    struct chain chain;
    struct txns txns;
    struct slots trips, branches;
    struct arena_spare spare; /* of trips' memory */
    struct timers timers;     /* of trips and branches */
    struct list resumed;      /* trips whose hook is ready */
    struct date date;         /* the last that went into a response */
    struct buf scratch; /* texts are put together here before they go to memory of their size */
    struct prf_key mark_key;  /* K1: branches and To-tags */
    struct prf_key proof_key; /* K2: proves that a branch is ours */
    struct prf_key route_key; /* Record-Route tokens */
    struct flood flood;
    struct shed shed;
    struct repairs repairs;
    struct fixers fixers;
    struct arena repair_work;  /* empty but while a message is mended */
    bool watched;              /* changes are noted … */
    struct list touched;       /* … of these trips when the turn ends … */
    struct outgoing *outgoing; /* … and this leaves after them, in order */
    struct outgoing **outgoing_end;
    uint64_t newest_fact;
    enum core_telling telling;  /* what there was when the watch began: what is told now … */
    uint64_t told;              /* … up to this id, or place in a row … */
    uint64_t told_end;          /* … of those that had been answered by then */
    uint32_t epoch;             /* watches of another node, whose facts are taken in */
    enum core_telling sweeping; /* what the last of them did not name is ended: these now … */
    uint64_t swept;             /* … up to this id */
    struct buf record;          /* a fact is written here */
    struct prf_key digest_key;
    unsigned explained; /* whoever listens to decisions: core_explain(), and dry runs; 0: nobody */
    bool recorded;      /* … core_explain() */
    const char *asked;  /* the module whose hook runs, or ran last */
    bool draining;
    uint32_t retry_after_s;
    uint32_t pending; /* trips with a server transaction and no final response */
    struct {
        uint64_t *requests, *responses, *dropped, *refused, *strays, *trips, *forged_routes,
            *unsent, *shed_full, *flood_source, *flood_user, *shed_load;
    } count;
};

/* What was put together in scratch, in the turn's memory; nowhere (at NULL) if there was none for it. */
static inline struct span
core_text(struct core *core)
{
    if (core->scratch.err != SIPD_OK)
        return (struct span){ NULL, 0 };
    return arena_copy(core->ports.turn, buf_span(&core->scratch));
}

enum core_timer { TIMER_TRYING, TIMER_NO_ANSWER, TIMER_SILENT, TIMER_BRANCH }; /* timer.kind */

#endif
