/*
 * What follows from maps of 64 bytes, a bit for each: where lines end, and a head. How maps are made, and where a line has
 * its first colon, is the includer's affair.
 */
#ifndef SCAN_SCAN_MAPS_H
#define SCAN_SCAN_MAPS_H

#include "scan/scan.h"

enum { BLOCK = 64 };

/* So it is in nearly every line: what else there may be is not in its way. */
#define LIKELY(is_so) __builtin_expect(!!(is_so), 1)

static inline size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The lowest bit that is set; one is. */
static inline size_t
first_of(uint64_t map)
{
    return (size_t)__builtin_ctzll(map);
}

/* ---------------------------------------------------------------- lines */

struct lines {
    const char *bytes;
    size_t last;                  /* the last byte there is */
    struct scan_line *out, *full; /* the next, and one past the last there is room for */
    size_t line;                  /* where the one at hand begins */
    size_t lf;                    /* where it ends */
    size_t odd; /* the first byte that makes a line odd, or one behind it; else SIZE_MAX */
    bool empty; /* it is nothing but its line end */
};

static inline struct lines
lines_begin(struct span bytes, uint32_t from, struct scan_line *out, size_t room)
{
    return (struct lines){
        .bytes = bytes.at,
        .last = bytes.len - 1,
        .out = out,
        .full = out + room,
        .line = from,
        .odd = SIZE_MAX,
    };
}

/* How many lines were found; what is odd behind them does not count. */
static inline size_t
lines_end(const struct lines *l, const struct scan_line *out, bool *odd)
{
    if (l->out > out && l->odd < l->out[-1].end)
        *odd = true;
    return (size_t)(l->out - out);
}

/* The bytes below a blank of the block at `at`, less the LF of a line end that began in the block before. */
static inline uint64_t
lines_block(const struct lines *l, size_t at, uint64_t low)
{
    return l->line > at ? low & (low - 1) : low;
}

/* Goes on in the block at `at`, of which *low is what was not yet seen, to the end of the line at hand. False: it has none there. */
static inline bool
lines_next(struct lines *l, size_t at, uint64_t *low)
{
    while (*low) {
        size_t stop = at + first_of(*low);

        *low &= *low - 1;
        l->lf = stop;
        l->empty = stop == l->line;
        if (LIKELY(stop < l->last && memcmp(l->bytes + stop, "\r\n", 2) == 0)) {
            *low &= *low - 1;
            l->lf++;
            return true;
        }
        if (l->bytes[stop] != '\t')
            l->odd = least(l->odd, stop);
        if (l->bytes[stop] == '\n')
            return true;
    }
    return false;
}

/* The line at hand, and the first colon from where it begins, is one of those found. False: nothing more is to be. */
static inline bool
lines_put(struct lines *l, size_t colon)
{
    if (l->out == l->full)
        return false;
    l->out->end = (uint32_t)l->lf + 1;
    l->out->colon = (uint32_t)least(colon, l->lf);
    l->out++;
    l->line = l->lf + 1;
    return !l->empty;
}

/* The first colon of the line at hand from `from` on, or its LF. */
static inline size_t
far_colon(const struct lines *l, size_t from)
{
    return from < l->lf ? from + span_find(span_between(l->bytes + from, l->bytes + l->lf), ':')
                        : l->lf;
}

/* ---------------------------------------------------------------- the head's end */

/* The block before the one at hand. */
struct before {
    uint64_t ends, returns;
};

/* Line ends of empty lines: those with another one right behind them, or with a return between. */
static inline uint64_t
empty_lines(struct before *before, uint64_t ends, uint64_t returns)
{
    uint64_t one_behind = ends << 1 | before->ends >> (BLOCK - 1);
    uint64_t two_behind = ends << 2 | before->ends >> (BLOCK - 2);
    uint64_t behind_return = returns << 1 | before->returns >> (BLOCK - 1);

    *before = (struct before){ ends, returns };
    return ends & (one_behind | (two_behind & behind_return));
}

#endif
