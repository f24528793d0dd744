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

AVX2 static inline __m256i
load(const char *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AVX2 static inline __m128i
load_half(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

struct block {
    __m256i low, high;
    size_t drop; /* so many bytes in front are not asked about */
};

AVX2 static inline struct block
block_load(const char *at, size_t drop)
{
    return (struct block){ load(at), load(at + BLOCK / 2), drop };
}

/* The bytes from `at` on; if fewer than a block are left, the last block there is, those before `at` to be dropped. */
AVX2 static inline struct block
block_at(struct span bytes, size_t at)
{
    if (LIKELY(bytes.len - at >= BLOCK))
        return block_load(bytes.at + at, 0);
    return block_load(bytes.at + bytes.len - BLOCK, BLOCK - (bytes.len - at));
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
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(at), _mm256_set1_epi8(':')));
}

/* The first colon from where the line at hand begins; most stand near. */
AVX2 static inline size_t
colon_of(struct span bytes, const struct lines *l)
{
    const size_t width = sizeof(__m256i);
    uint32_t map;

    if (LIKELY(l->line + width <= bytes.len))
        map = map_of_colons(bytes.at + l->line);
    else /* the last there are, less those before the line */
        map = map_of_colons(bytes.at + bytes.len - width) >> (l->line + width - bytes.len);
    return LIKELY(map != 0) ? l->line + _tzcnt_u32(map) : far_colon(l, l->line + width);
}

AVX2 static size_t
avx2_lines(struct span bytes, uint32_t from, struct scan_line *out, size_t room, bool *odd)
{
    struct lines lines = lines_begin(bytes, from, out, room);

    if (bytes.len < BLOCK)
        return scan_plain.lines(bytes, from, out, room, odd);
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

    if (bytes.len < BLOCK)
        return scan_plain.head_end(bytes, from);
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

/* Which bytes of a register are marked. */
AVX2 static inline uint32_t
map_marked(const char *at, mark_fn *mark, const __m256i kind[3])
{
    return (uint32_t)_mm256_movemask_epi8(mark(load(at), kind));
}

/* By whole registers, more than one; the last one reaches back over what was seen. None is marked in the first. */
AVX2 static inline size_t
first_behind(struct span bytes, mark_fn *mark, const __m256i kind[3])
{
    const size_t width = sizeof(__m256i);

    for (size_t at = width; at < bytes.len; at += width) {
        uint32_t map;

        at = least(at, bytes.len - width);
        map = map_marked(bytes.at + at, mark, kind);
        if (map)
            return at + _tzcnt_u32(map);
    }
    return bytes.len;
}

/* Of as many bytes as a register has, or more. */
AVX2 static inline size_t
first_of_many(struct span bytes, mark_fn *mark, const __m256i kind[3])
{
    uint32_t map = map_marked(bytes.at, mark, kind);

    return LIKELY(map != 0) ? _tzcnt_u32(map) : first_behind(bytes, mark, kind);
}

/* The first and the last `width` bytes side by side. */
AVX2 static inline __m256i
load_ends(struct span bytes, size_t width)
{
    const char *last = bytes.at + bytes.len - width;
    uint64_t front = 0, back = 0;

    if (width == sizeof(__m128i))
        return _mm256_inserti128_si256(_mm256_castsi128_si256(load_half(bytes.at)), load_half(last),
                                       1);
    memcpy(&front, bytes.at, width);
    memcpy(&back, last, width);
    return _mm256_castsi128_si256(width == sizeof front
                                      ? _mm_set_epi64x((int64_t)back, (int64_t)front)
                                      : _mm_cvtsi64_si128((int64_t)(back << 32 | front)));
}

/* Of `width` bytes at least, and no more than twice as many: at one look, in which those in the middle stand twice. */
AVX2 static inline size_t
first_of_few(size_t width, struct span bytes, mark_fn *mark, const __m256i kind[3])
{
    const uint64_t behind = (uint64_t)1 << 2 * width;
    uint32_t map = (uint32_t)_mm256_movemask_epi8(mark(load_ends(bytes, width), kind));
    size_t at = _tzcnt_u64(map | behind);

    return at < width ? at : at + bytes.len - 2 * width;
}

/* Position of the first byte that is marked, bytes.len if none is. Of bytes there are four at least. */
AVX2 static inline size_t
first(struct span bytes, mark_fn *mark, const __m256i kind[3])
{
    if (bytes.len >= 32)
        return first_of_many(bytes, mark, kind);
    if (bytes.len >= 16)
        return first_of_few(16, bytes, mark, kind);
    return bytes.len >= 8 ? first_of_few(8, bytes, mark, kind) : first_of_few(4, bytes, mark, kind);
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
    __m256i rows, bits;

    if (bytes.len < 4)
        return scan_plain.run(bytes, set);
    rows = _mm256_broadcastsi128_si256(load_half((const char *)set->rows));
    bits = _mm256_set1_epi64x((int64_t)0x8040201008040201);
    return first(bytes, mark_others, (const __m256i[3]){ rows, bits });
}

const struct scan_ops scan_avx2 = { "avx2", avx2_lines, avx2_head_end, avx2_find, avx2_run };

#endif
