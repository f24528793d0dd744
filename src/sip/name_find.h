/*
 * The look-up of a field's name for who reads many: a hash that the list of names has no collision in, then the bytes by
 * whole words (RFC 3261 §7.3.1).
 */
#ifndef SIP_NAME_FIND_H
#define SIP_NAME_FIND_H

#include <endian.h>

#include "names_gen.h"
#include "sip/names.h"

/* What of a line may be looked at: whole words; the longest name has 29 bytes, and most have less than half of it. */
enum { NAMES_ROOM = 32, NAMES_HALF = NAMES_ROOM / 2 };

struct names_field {
    char text[NAMES_ROOM]; /* with the colon behind it */
    char mask
        [NAMES_ROOM]; /* bits of it that count: not the case of a letter, nor what is behind the colon */
};

struct names_table {
    struct names_field fields[HEADERS];
    uint8_t slots[1 << (32 - NAMES_SHIFT)]; /* the only id that a text of this hash may have */
};

extern const struct names_table names_table;

/* Two bytes as a number that is the same on every machine. */
static inline uint32_t
names_pair(const char *at)
{
    uint16_t pair;

    memcpy(&pair, at, sizeof pair);
    return le16toh(pair);
}

/* Letters come out small; what becomes of other bytes does not matter to a hash. The text has two bytes at least. */
static inline unsigned
names_slot(const char *text, size_t len)
{
    uint32_t pairs = names_pair(text) << 16 | names_pair(text + (len - 2) * 3 / 4);

    return ((pairs | 0x20202020) + (uint32_t)len) * (uint32_t)NAMES_FACTOR >> NAMES_SHIFT;
}

static inline uint64_t
names_word(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* Bits that count in which eight bytes of a text and of a name, from byte `at` on, differ. */
static inline uint64_t
names_differ(const char *text, const char *name, size_t at)
{
    return (names_word(text + at) ^ names_word(name + at)) &
           names_word(name + offsetof(struct names_field, mask) + at);
}

/* The only id that it may have, HDR_OTHER if none. Two bytes at least. */
static inline unsigned
names_candidate(const char *text, size_t len)
{
    return names_table.slots[names_slot(text, len)];
}

/*
 * Is it the name of this id? A colon stands behind it and none in it, so that its length need not be compared. What is missing
 * to NAMES_HALF bytes, colon and all, may be read too, to NAMES_ROOM if it is longer; it changes nothing. Hardly a branch: which
 * name comes next no processor can foretell.
 */
static inline bool
names_is(const char *text, size_t len, unsigned id)
{
    const char *name = (const char *)&names_table.fields[id];
    uint64_t differ = names_differ(text, name, 0) | names_differ(text, name, 8);

    if (len >= NAMES_HALF)
        differ |= names_differ(text, name, 16) | names_differ(text, name, 24);
    return differ == 0;
}

/* As names_header(), of two bytes at least, and else as in names_is(). */
static inline enum header
names_header_in(const char *text, size_t len)
{
    unsigned id = names_candidate(text, len);

    return names_is(text, len, id) ? (enum header)id : HDR_OTHER;
}

#endif
