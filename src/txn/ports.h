/*
 * What a transaction asks of the world: send these bytes, note this change. What its user must hear is returned, not
 * called, so nothing comes back before a call returns.
 */
#ifndef TXN_PORTS_H
#define TXN_PORTS_H

#include <sipd/fact.h>

#include "base/span.h"
#include "sip/hop.h"

struct txn_ports {
    /* Sends by a way found before. Lent: bytes, until the end of the turn. A failure comes by txns_gone(id). */
    void (*send)(void *io, const struct hop *to, struct span bytes, uint64_t id, uint64_t need);
    /* A change of state. Returns the fact's number, 0 when nobody watches. NULL: nobody can watch. */
    uint64_t (*note)(void *io, const struct fact *fact);
    void *io;
};

#endif
