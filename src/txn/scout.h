/*
 * Brings near what will end soon.
 *
 * A finished transaction has lain for seconds in memory that left the caches long ago, and its end touches it, its bytes and its
 * bucket: three waits, and many end at once. But who waits in a lane ends in order. So while one joins it a scout looks at one that
 * is to end, a ms or so ahead of those that do: what it looks at was asked for a step before, and it asks for the next.
 */
#ifndef TXN_SCOUT_H
#define TXN_SCOUT_H

#include "txn/txns.h"

/* One has joined the lane. */
void scout_joined(struct txns *t, unsigned lane);
/* One has left its lane; harmless if it was in none. */
void scout_left(struct txns *t, const struct txn *txn);

#endif
