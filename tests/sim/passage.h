/*
 * What a sipd passes on leaves as it came: every header field that is end to end or unknown, byte for byte and in its order,
 * and the body (RFC 3261 §16.6 step 1, §16.7, §20; names.def tells which fields are hop by hop).
 *
 * A message that leaves is held to the one that it was made of, which is found by the Via beneath that of the sipd: a request
 * has ours on top of it, a response has lost ours. What a sipd says of its own accord (its answers, its CANCEL, its ACK of a
 * failure) is made of none.
 */
#ifndef SIM_PASSAGE_H
#define SIM_PASSAGE_H

#include "sim/world.h"

struct passage;

/* Owns: the caller, ends it with passage_free(). */
struct passage *passage_new(void);
/* Nulls the pointer. */
void passage_free(struct passage **passage);
/* The sipd hears a message, as it reads it: mended, if it mends it. */
void passage_heard(struct passage *passage, const struct sim_sipd *s, const struct msg *msg,
                   const struct gist *gist);
/* It sends one: what differs from what came fails the world. */
void passage_sent(struct passage *passage, const struct sim_sipd *s, const struct msg *msg,
                  const struct gist *gist);
/* How many were found to be what came. */
uint64_t passage_compared(const struct passage *passage);

#endif
