/*
 * What the core holds between messages.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "base/buf.h"
#include "base/slots.h"
#include "core/core.h"
#include "core/trip.h"

struct core {
    struct core_ports ports;
    const struct core_conf *conf; /* lent; read anew at each step */
    struct chain chain;
    struct txns txns;
    struct slots trips, branches;
    struct timers timers;      /* of trips and branches */
    struct list resumed;       /* trips whose hook is ready */
    struct buf scratch;        /* responses are written here before they go to the turn's memory */
    struct prf_key branch_key; /* K1 of computed branches */
    struct prf_key proof_key;  /* K2: proves that a branch is ours */
    struct prf_key tag_key;    /* To-tags */
    struct prf_key route_key;  /* Record-Route tokens */
    bool draining;
    uint32_t retry_after_s;
    uint32_t pending; /* trips with a server transaction and no final response */
    struct {
        uint64_t *requests, *responses, *dropped, *refused, *strays, *trips, *forged_routes,
            *unsent;
    } count;
};

enum core_timer { TIMER_TRYING, TIMER_NO_ANSWER, TIMER_SILENT, TIMER_BRANCH }; /* timer.kind */

#endif
