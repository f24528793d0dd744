/*
 * Bits as digits of base 32, [0-9a-v], eight of them in a word at once: the text of branches, To-tags and tokens.
 *
 * Five bits stand in the low end of each byte of a word, and become the character at that byte's place. What no order need
 * be kept of, as of a hash, is cut so that this costs least: 64 bits are the lowest five of each byte, then the other three.
 */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include <stdbool.h>

#include "base/word.h"

enum { DIGITS_64 = 16 }; /* of 64 bits */

#define DIGITS_EACH UINT64_C(0x0101010101010101)

/* Eight characters for the lowest five bits of each byte. */
static inline uint64_t
digits_of(uint64_t fives)
{
    uint64_t letters;

    fives &= DIGITS_EACH * 31;
    letters = (fives + DIGITS_EACH * (0x80 - 10)) >> 7 & DIGITS_EACH; /* 1 for each above 9 */
    return fives + DIGITS_EACH * '0' + letters * ('a' - '0' - 10);
}

/* The five bits of each of eight digits; something for what is none. */
static inline uint64_t
digits_value(uint64_t text)
{
    uint64_t letters = text >> 6 & DIGITS_EACH;

    return ((text & DIGITS_EACH * 15) | (text & letters << 4)) + letters * 9;
}

/* The lowest 40 bits as five in each byte, the lowest first. */
static inline uint64_t
digits_spread(uint64_t bits)
{
    bits = (bits & 0xfffff) | (bits & UINT64_C(0xfffff00000)) << 12;
    bits = (bits & UINT64_C(0x000003ff000003ff)) | (bits & UINT64_C(0x000ffc00000ffc00)) << 6;
    return (bits & UINT64_C(0x001f001f001f001f)) | (bits & UINT64_C(0x03e003e003e003e0)) << 3;
}

/* The 40 bits that digits_spread() made this of. */
static inline uint64_t
digits_gather(uint64_t fives)
{
    fives = (fives & UINT64_C(0x001f001f001f001f)) | (fives & UINT64_C(0x1f001f001f001f00)) >> 3;
    fives = (fives & UINT64_C(0x000003ff000003ff)) | (fives & UINT64_C(0x03ff000003ff0000)) >> 6;
    return (fives & 0xfffff) | (fives >> 12 & UINT64_C(0xfffff00000));
}

/* Writes 64 bits; no NUL. */
static inline void
digits_write(uint64_t n, char to[DIGITS_64])
{
    word_write(digits_of(n), to);
    word_write(digits_of(n >> 5 & DIGITS_EACH * 7), to + 8);
}

/* What digits_write() wrote. */
static inline uint64_t
digits_read(const char from[DIGITS_64])
{
    return digits_value(word_read(from)) | digits_value(word_read(from + 8)) << 5;
}

/* Are these the digits of n? In the same time wherever they differ, so that none can be found one by one. */
static inline bool
digits_are(const char at[DIGITS_64], uint64_t n)
{
    return ((word_read(at) ^ digits_of(n)) |
            (word_read(at + 8) ^ digits_of(n >> 5 & DIGITS_EACH * 7))) == 0;
}

#endif
