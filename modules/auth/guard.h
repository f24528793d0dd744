/*
 * Who guesses passwords waits: failures by source and by user in tables of a fixed size, with waits that double.
 *
 * A source is an IPv4 address or the /64 of an IPv6 one. A user waits wherever the guess came from, but whoever has proved
 * to be this user from this source is a friend, whom neither the user's nor the source's wait stops, until it fails as
 * often itself. Users that do not exist are kept like others, so that nobody learns from waiting who exists. Time is a
 * clock in milliseconds that never goes back.
 */
#ifndef AUTH_GUARD_H
#define AUTH_GUARD_H

#include <sipd/hop.h>
#include <sipd/span.h>

#define GUARD_WHO_BYTES \
    80 /* of an offender's name; what is longer is cut, and told apart all the same */

struct guard_limits {
    uint32_t failures; /* so many wrong answers are free; 0: no guard */
    uint32_t window_s; /* … within this; after so long without one they are forgotten */
    uint32_t wait_s;   /* the first wait; each one doubles it */
    /* the longest; after two of these without a failure the next wait is a first one again */
    uint32_t longest_s;
};

enum guard_kind { GUARD_NOBODY, GUARD_SOURCE, GUARD_USER };

struct guard_offender {
    uint64_t id; /* a keyed hash of kind and name, 0: an empty place */
    uint64_t last_ms, until_ms;
    uint32_t failures; /* since the last wait began */
    uint16_t waits;    /* begun in a row */
    uint8_t kind;      /* enum guard_kind */
    uint8_t len;
    char who[GUARD_WHO_BYTES];
};

struct guard;

/* Room for `offenders` (a multiple of 8) and as many friends times 8; NULL when memory is out. Copied: key. Owns: the caller. */
struct guard *guard_new(const uint8_t key[16], uint32_t offenders);
/* Ends it and nulls the pointer. */
void guard_free(struct guard **guard);

/* Milliseconds that an answer for this user from this source has to wait yet; 0: look at it now. */
uint64_t guard_wait_ms(const struct guard *guard, const struct guard_limits *limits,
                       const struct hop *source, struct span user, uint64_t now_ms);
/* A wrong answer. True: a wait has begun with it. */
bool guard_failed(struct guard *guard, const struct guard_limits *limits, const struct hop *source,
                  struct span user, uint64_t now_ms);
/* A right answer: they are friends now. */
void guard_passed(struct guard *guard, const struct hop *source, struct span user, uint64_t now_ms);

/* Writes a source as it is listed: "192.0.2.7", "2001:db8:0:1::/64". Returns a span over `to`. */
struct span guard_source_write(const struct hop *source, char to[HOP_TEXT_BYTES]);
/* Forgets a source or a user, by its listed name. False if there is none. */
bool guard_pardon(struct guard *guard, struct span who);
/* The next offender behind *place (begin with 0) that has failures or waits; NULL: no more. Lent until the next change. */
const struct guard_offender *guard_next(const struct guard *guard,
                                        const struct guard_limits *limits, uint64_t now_ms,
                                        size_t *place);

#endif
