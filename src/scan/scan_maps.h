/*
 * What follows from maps of 64 bytes, a bit for each: where lines end, and a head. How maps are made is the includer's affair.
 */
#ifndef SCAN_SCAN_MAPS_H
#define SCAN_SCAN_MAPS_H

#include "scan/scan.h"

enum { BLOCK = 64 };

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

struct lines {
    const char *bytes;
    struct scan_line *out, *full; /* the next, and one past the last there is room for */
    size_t line;                  /* where the one at hand begins */
    size_t colon;                 /* its first one, if it was in an earlier block; else SIZE_MAX */
    size_t odd; /* the first control byte that makes a line odd, or one behind it; else SIZE_MAX */
    uint64_t returned; /* 1: the last byte of the block before was a CR */
};

static inline struct lines
lines_begin(struct span bytes, uint32_t from, struct scan_line *out, size_t room)
{
    return (struct lines){ bytes.at, out, out + room, from, SIZE_MAX, SIZE_MAX, 0 };
}

/* How many lines were found; what is odd behind them does not count. */
static inline size_t
lines_end(const struct lines *l, const struct scan_line *out, bool *odd)
{
    if (l->out > out && l->odd < l->out[-1].end)
        *odd = true;
    return (size_t)(l->out - out);
}

static inline bool
is_empty(const char *bytes, size_t from, size_t end)
{
    return end - from <= 2 && (end - from == 1 || bytes[from] == '\r');
}

/* Lines that end in the block at `at`; others: control bytes but HTAB, LF and CR. False: there is no more to be found. */
static inline bool
lines_add(struct lines *l, size_t at, uint64_t ends, uint64_t colons, uint64_t returns,
          uint64_t others)
{
    uint64_t odd = (ends ^ (returns << 1 | l->returned)) | others;
    uint64_t stops = ends | colons;

    l->returned = returns >> (BLOCK - 1);
    if (odd)
        l->odd = least(l->odd, at + first_of(odd));
    for (; ends; ends &= ends - 1) {
        size_t end = at + first_of(ends) + 1;

        if (l->out == l->full)
            return false;
        l->out->end = (uint32_t)end;
        l->out->colon = (uint32_t)least(l->colon, at + first_of(stops));
        l->out++;
        if (is_empty(l->bytes, l->line, end))
            return false;
        stops &= ~(ends ^ (ends - 1));
        l->colon = SIZE_MAX;
        l->line = end;
    }
    if (stops)
        l->colon = least(l->colon, at + first_of(stops));
    return true;
}

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
