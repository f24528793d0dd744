/*
 * Max-Breadth: how many branches a request may have at once, all proxies together (RFC 5393 §5).
 */
#ifndef CORE_BREADTH_H
#define CORE_BREADTH_H

#include "core/trip.h"

/* The Incoming Max-Breadth: what the request brings, at most what we allow; that too if it brings none (§5.3.3). */
uint32_t breadth_read(const struct trip *trip);
/* What the n-th of `of` branches at once may have; 0: there is not enough for so many. */
uint32_t breadth_share(const struct trip *trip, uint32_t n, uint32_t of);
/* One Max-Breadth, of the branch's share, in what is forwarded. */
void breadth_write(const struct branch *branch, struct draft *draft);

#endif
