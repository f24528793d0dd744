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

#endif
