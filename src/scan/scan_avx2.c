/*
 * The answers of scan_plain from registers of 32 bytes: of every 64 bytes a map is made with a bit for each.
 *
 * Compiled for AVX2 whatever the rest is built for; scan.c asks whether this machine has it.
 */
#include "scan/scan_maps.h"

#ifdef SCAN_AVX2

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2")))

/* ---------------------------------------------------------------- blocks and their maps */

/* `width` bytes at the low end of a register. */
AVX2 static inline __m256i
load(const char *at, size_t width)
{
    int32_t word;

    if (width == 32)
        return _mm256_loadu_si256((const __m256i *)(const void *)at);
    if (width == 16)
        return _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)at));
    if (width == 8)
        return _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)(const void *)at));
    memcpy(&word, at, sizeof word);
    return _mm256_castsi128_si256(_mm_cvtsi32_si128(word));
}

struct block {
    __m256i low, high;
    size_t drop; /* so many bytes in front are not asked about */
};

AVX2 static inline struct block
block_load(const char *at, size_t drop)
{
    const __m256i *half = (const __m256i *)(const void *)at;

    return (struct block){ _mm256_loadu_si256(half), _mm256_loadu_si256(half + 1), drop };
}

/* Fewer than a block are left from `at` on: the last ones there are, those before `at` to be dropped. */
AVX2 static struct block
block_last(struct span bytes, size_t at)
{
    size_t drop = BLOCK - (bytes.len - at);
    char copy[BLOCK] = { 0 };

    if (bytes.len >= BLOCK)
        return block_load(bytes.at + bytes.len - BLOCK, drop);
    memcpy(copy + drop, bytes.at + at, BLOCK - drop);
    return block_load(copy, drop);
}

AVX2 static inline struct block
block_at(struct span bytes, size_t at)
{
    return bytes.len - at >= BLOCK ? block_load(bytes.at + at, 0) : block_last(bytes, at);
}

/* Bit n: the n-th byte is c. */
AVX2 static inline uint64_t
map_of(const struct block *block, char c)
{
    const __m256i all = _mm256_set1_epi8(c);
    uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(block->low, all));
    uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(block->high, all));

    return ((uint64_t)high << 32 | low) >> block->drop;
}

AVX2 static inline uint32_t
below_blank(__m256i bytes)
{
    __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(31)), bytes);

    return (uint32_t)_mm256_movemask_epi8(low);
}

/* Bit n: the n-th byte is below a blank. */
AVX2 static inline uint64_t
map_of_low(const struct block *block)
{
    return ((uint64_t)below_blank(block->high) << 32 | below_blank(block->low)) >> block->drop;
}

/* ---------------------------------------------------------------- lines */

/* The colons among as many bytes as a register has, from `at` on. */
AVX2 static inline uint32_t
map_of_colons(const char *at)
{
    return (uint32_t)_mm256_movemask_epi8(
        _mm256_cmpeq_epi8(load(at, sizeof(__m256i)), _mm256_set1_epi8(':')));
}

/* The first colon from where the line at hand begins; most stand near. */
AVX2 static inline size_t
colon_of(struct span bytes, const struct lines *l)
{
    const size_t width = sizeof(__m256i);
    uint32_t map;

    if (l->line + width <= bytes.len)
        map = map_of_colons(bytes.at + l->line);
    else if (bytes.len >= width) /* the last there are, less those before the line */
        map = map_of_colons(span_end(bytes) - width) >> (l->line + width - bytes.len);
    else
        return far_colon(l, l->line);
    return map ? l->line + _tzcnt_u32(map) : far_colon(l, l->line + width);
}

AVX2 static size_t
avx2_lines(struct span bytes, uint32_t from, struct scan_line *out, size_t room, bool *odd)
{
    struct lines lines = lines_begin(bytes, from, out, room);

    for (size_t at = from; at < bytes.len; at += BLOCK) {
        struct block block = block_at(bytes, at);
        uint64_t low = lines_block(&lines, at, map_of_low(&block));

        while (lines_next(&lines, at, &low))
            if (!lines_put(&lines, colon_of(bytes, &lines)))
                return lines_end(&lines, out, odd);
    }
    return lines_end(&lines, out, odd);
}

AVX2 static size_t
avx2_head_end(struct span bytes, size_t from)
{
    struct before before = { 0, 0 };

    for (size_t at = from; at < bytes.len; at += BLOCK) {
        struct block block = block_at(bytes, at);
        uint64_t empty = empty_lines(&before, map_of(&block, '\n'), map_of(&block, '\r'));

        if (empty)
            return at + first_of(empty) + 1;
    }
    return 0;
}

/* ---------------------------------------------------------------- the first of a kind */

/* Marks the bytes of a kind, all bits of each. */
typedef __m256i mark_fn(__m256i bytes, const __m256i kind[3]);

/* By steps of `width`, for one of which there are bytes enough; the last one reaches back over what was seen. */
AVX2 static inline size_t
first_by(size_t width, struct span bytes, mark_fn *mark, const __m256i kind[3])
{
    const uint32_t all = (uint32_t)(((uint64_t)1 << width) - 1);
    size_t at = 0;

    for (;;) {
        uint32_t map = (uint32_t)_mm256_movemask_epi8(mark(load(bytes.at + at, width), kind)) & all;

        if (map)
            return at + _tzcnt_u32(map);
        if (at + width >= bytes.len)
            return bytes.len;
        at = least(at + width, bytes.len - width);
    }
}

/* Position of the first byte that is marked, bytes.len if none is. Of bytes there are four at least. */
AVX2 static inline size_t
first(struct span bytes, mark_fn *mark, const __m256i kind[3])
{
    if (bytes.len >= 32)
        return first_by(32, bytes, mark, kind);
    if (bytes.len >= 16)
        return first_by(16, bytes, mark, kind);
    return bytes.len >= 8 ? first_by(8, bytes, mark, kind) : first_by(4, bytes, mark, kind);
}

AVX2 static inline __m256i
mark_three(__m256i bytes, const __m256i three[3])
{
    __m256i a_or_b =
        _mm256_or_si256(_mm256_cmpeq_epi8(bytes, three[0]), _mm256_cmpeq_epi8(bytes, three[1]));

    return _mm256_or_si256(a_or_b, _mm256_cmpeq_epi8(bytes, three[2]));
}

AVX2 static size_t
avx2_find(struct span bytes, char a, char b, char c)
{
    const __m256i three[3] = { _mm256_set1_epi8(a), _mm256_set1_epi8(b), _mm256_set1_epi8(c) };

    return bytes.len < 4 ? scan_plain.find(bytes, a, b, c) : first(bytes, mark_three, three);
}

/* Those that are not in the set. A shuffle is a look-up of 16 bytes by the low half of each, 0 for one above ASCII. */
AVX2 static inline __m256i
mark_others(__m256i bytes, const __m256i set[3])
{
    __m256i row = _mm256_shuffle_epi8(set[0], bytes);
    __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    __m256i bit = _mm256_shuffle_epi8(set[1], high);

    return _mm256_cmpeq_epi8(_mm256_and_si256(row, bit), _mm256_setzero_si256());
}

AVX2 static size_t
avx2_run(struct span bytes, const struct scan_set *set)
{
    const __m256i rows =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)set->rows));
    const __m256i bits = _mm256_set1_epi64x((int64_t)0x8040201008040201);

    return bytes.len < 4 ? scan_plain.run(bytes, set)
                         : first(bytes, mark_others, (const __m256i[3]){ rows, bits });
}

const struct scan_ops scan_avx2 = { "avx2", avx2_lines, avx2_head_end, avx2_find, avx2_run };

#endif
