/*
 * Which of several final responses goes up (RFC 3261 §16.7 step 6). Pure.
 */
#ifndef CORE_BEST_H
#define CORE_BEST_H

#include "base/def.h"

/* Is a, 300 to 699, a better answer than b? Of two equally good ones neither is. */
bool best_is_better(unsigned a, unsigned b);
/*
 * The status that goes up for this one: 503 speaks of one branch only and becomes 500; 430 is for who chose the
 * flow, and becomes 480 unless he did by our Path (RFC 5626 §5.3.1).
 */
unsigned best_goes_up_as(unsigned status, bool by_path);

#endif
