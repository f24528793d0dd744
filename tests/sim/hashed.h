/*
 * What this thread has OpenSSL hash and compare, counted by standing in for the functions that do it: the work that a password costs,
 * without a clock.
 */
#ifndef SIM_HASHED_H
#define SIM_HASHED_H

#include <stdint.h>

struct hashed {
    uint64_t begun, bytes, ended; /* hashes, and all that went into them */
    uint64_t compared;            /* bytes that were compared in constant time */
};

/* All since this thread began. */
struct hashed hashed_now(void);
/* What came after `since`. */
struct hashed hashed_since(const struct hashed *since);

#endif
