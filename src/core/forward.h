/*
 * The request as it leaves on one branch, one function a step (RFC 3261 §16.6).
 */
#ifndef CORE_FORWARD_H
#define CORE_FORWARD_H

#include "core/trip.h"

struct forward_result { /* lent for the turn */
    struct way way;
    struct span bytes;
    struct span branch;
    struct txn_key
        key; /* what its client transaction is found by; of a trip without state there is none */
    struct span tail; /* what bytes ends with as it came; lies in the trip's memory */
};

/* Writes the request for this hop. SIPD_ECLOSED: its flow is dead; other errors: it cannot go there now. */
int forward_write(struct branch *branch, const struct hop *hop,
                  struct forward_result *out) MUST_USE;
/* A message without Content-Length gets one if it goes over a stream (§18.3). */
void forward_add_length(const struct msg *msg, uint8_t transport, struct draft *draft);

#endif
