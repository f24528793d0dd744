/*
 * Every message of the collections, one after the other: those with a file of their own, those that share one, and those
 * below the folder that SIPD_CORPORA names, if it names one (tests/torture/README).
 */
#ifndef LIB_CROWD_H
#define LIB_CROWD_H

#include "base/span.h"

/* set: the folder or file; name: within that. Lent until it returns: a block without a byte to spare. */
typedef void crowd_fn(const char *set, const char *name, struct span bytes, void *self);

/* Each message of a file "@ NAME LENGTH", line end, bytes, line end. Returns how many. */
unsigned crowd_file(const char *path, crowd_fn *fn, void *self);
/* Each file that this pattern of the shell finds. Returns how many. */
unsigned crowd_glob(const char *pattern, crowd_fn *fn, void *self);
/* Each file below this folder whose name ends with .sip or .dat. Returns how many; 0 where there is no such folder. */
unsigned crowd_below(const char *folder, crowd_fn *fn, void *self);
/* All there are. Returns how many. */
unsigned crowd_all(crowd_fn *fn, void *self);

#endif
