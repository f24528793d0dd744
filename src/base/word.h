/*
 * Eight bytes as a number and back, the lowest first on every machine.
 */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stdint.h>
#include <string.h>

static inline uint64_t
word_ordered(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t
word_read(const void *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word_ordered(word);
}

static inline void
word_write(uint64_t word, void *to)
{
    word = word_ordered(word);
    memcpy(to, &word, sizeof word);
}

/* Eight bytes at once: those from A to Z get bit 0x20; no sum carries into the next byte. */
static inline uint64_t
word_lower(uint64_t word)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t low = word & each * 0x7f;
    uint64_t from_a = low + each * (0x80 - 'A');
    uint64_t past_z = low + each * (0x7f - 'Z');
    uint64_t upper = (from_a & ~past_z) & ~word & each * 0x80;

    return word | upper >> 2;
}

#endif
