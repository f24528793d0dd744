/*
 * A strict router: a proxy of RFC 2543 in the row, without state. What its first Route says becomes the Request-URI, and
 * that is where the request goes.
 */
#ifndef SIM_STRICT_H
#define SIM_STRICT_H

#include "sim/world.h"

struct strict;

/* One at this "10.200.0.1:5060", by datagrams and connections. Lent: address, as long as it lives. */
struct strict *strict_new(struct world *w, struct span address);
/* Frees it; nulls the pointer. NULL inside is fine. The world must not run any more. */
void strict_free(struct strict **strict);
/* How many messages went by it. */
uint64_t strict_passed(const struct strict *strict);
struct span strict_address(const struct strict *strict);

#endif
