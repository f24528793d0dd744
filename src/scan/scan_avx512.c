/*
 * The answers of scan_plain from registers of 64 bytes, where the machine makes the maps itself and leaves out what it is
 * told to: of short texts, which most are, there is one step and no branch. That takes a twelfth off what bench/parse's
 * INVITE costs with AVX2, from its bytes to those that leave; should it save less than a twentieth, this file may go.
 *
 * Compiled for AVX-512 whatever the rest is built for; scan.c asks whether this machine has it.
 */
#include "scan/scan_maps.h"

#ifdef SCAN_AVX512

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512bw,bmi,bmi2")))

/* Bit n: the block at `at` has an n-th byte. */
AVX512 static inline uint64_t
valid_at(struct span bytes, size_t at)
{
    return _bzhi_u64(UINT64_MAX, (unsigned)least(bytes.len - at, BLOCK));
}

/* The bytes that are valid; the others are not touched, and zeros. */
AVX512 static inline __m512i
block_at(struct span bytes, size_t at, uint64_t valid)
{
    return _mm512_maskz_loadu_epi8(valid, bytes.at + at);
}

/* Bit n: the n-th byte is c; also of zeros that are none, if c is one. */
AVX512 static inline uint64_t
map_of(__m512i block, char c)
{
    return _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(c));
}

/* The first colon from where the line at hand begins; most stand near. */
AVX512 static inline size_t
colon_of(struct span bytes, const struct lines *l)
{
    uint64_t map = map_of(block_at(bytes, l->line, valid_at(bytes, l->line)), ':');

    return map ? l->line + first_of(map) : far_colon(l, l->line + BLOCK);
}

AVX512 static size_t
avx512_lines(struct span bytes, uint32_t from, struct scan_line *out, size_t room, bool *odd)
{
    struct lines lines = lines_begin(bytes, from, out, room);

    for (size_t at = from; at < bytes.len; at += BLOCK) {
        uint64_t valid = valid_at(bytes, at);
        __m512i block = block_at(bytes, at, valid);
        uint64_t low = lines_block(
            &lines, at, _mm512_mask_cmplt_epu8_mask(valid, block, _mm512_set1_epi8(' ')));

        while (lines_next(&lines, at, &low))
            if (!lines_put(&lines, colon_of(bytes, &lines)))
                return lines_end(&lines, out, odd);
    }
    return lines_end(&lines, out, odd);
}

AVX512 static size_t
avx512_head_end(struct span bytes, size_t from)
{
    struct before before = { 0, 0 };

    for (size_t at = from; at < bytes.len; at += BLOCK) {
        __m512i block = block_at(bytes, at, valid_at(bytes, at));
        uint64_t empty = empty_lines(&before, map_of(block, '\n'), map_of(block, '\r'));

        if (empty)
            return at + first_of(empty) + 1;
    }
    return 0;
}

AVX512 static size_t
avx512_find(struct span bytes, char a, char b, char c)
{
    for (size_t at = 0; at < bytes.len; at += BLOCK) {
        uint64_t valid = valid_at(bytes, at);
        __m512i block = block_at(bytes, at, valid);
        uint64_t map = (map_of(block, a) | map_of(block, b) | map_of(block, c)) & valid;

        if (map)
            return at + first_of(map);
    }
    return bytes.len;
}

/* A shuffle is a look-up of 16 bytes by the low half of each, 0 for one above ASCII. */
AVX512 static size_t
avx512_run(struct span bytes, const struct scan_set *set)
{
    const __m512i rows =
        _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)set->rows));
    const __m512i bits = _mm512_set1_epi64((int64_t)0x8040201008040201);

    for (size_t at = 0; at < bytes.len; at += BLOCK) {
        uint64_t valid = valid_at(bytes, at);
        __m512i block = block_at(bytes, at, valid);
        __m512i row = _mm512_shuffle_epi8(rows, block);
        __m512i high = _mm512_and_si512(_mm512_srli_epi16(block, 4), _mm512_set1_epi8(15));
        uint64_t others = _mm512_testn_epi8_mask(row, _mm512_shuffle_epi8(bits, high)) & valid;

        if (others)
            return at + first_of(others);
    }
    return bytes.len;
}

const struct scan_ops scan_avx512 = { "avx512", avx512_lines, avx512_head_end, avx512_find,
                                      avx512_run };

#endif
