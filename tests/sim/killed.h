/*
 * A scenario once for each fact of each of its sipds, which is killed behind it.
 */
#ifndef SIM_KILLED_H
#define SIM_KILLED_H

#include "base/buf.h"

/* Behind the first so many facts, and ever fewer of the many that may follow. */
enum killed_often { KILLED_SELDOM = 3, KILLED_OFTEN = 10, KILLED_ALWAYS = 1 << 20 };

/* Adds to kills. True if the standby always finished the script; else `out` tells. */
bool killed_scenario(const char *path, enum killed_often often, unsigned *kills, struct buf *out);

/* Why no standby can finish this one; NULL: it must. Lent for ever. */
const char *killed_why_not(const char *path);
/* How many such there are. */
unsigned killed_exceptions(void);

/*
 * The same, but nobody is killed: a sipd and its standby are parted behind some of its facts, for some turns each. What has ended
 * meanwhile must be gone from the standby when it has been told anew, and what has come be there.
 */
bool killed_parted(const char *path, unsigned *parts, struct buf *out);

#endif
