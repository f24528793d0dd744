/*
 * Splices: what named edits are made of, kept in their order, never one over another (RFC 3261 §16.6).
 */
#include "sip/splice.h"

#include "base/err.h"

void
splice_fail(struct draft *d, int err)
{
    if (!d->err)
        d->err = err;
}

static bool
make_room(struct draft *d)
{
    uint32_t cap = d->cap ? d->cap * 2 : 8;
    struct draft_splice *splices;

    if (d->len < d->cap)
        return true;
    splices = arena_alloc(d->arena, cap * sizeof *splices);
    if (!splices) {
        splice_fail(d, SIPD_ENOMEM);
        return false;
    }
    if (d->len > 0)
        memcpy(splices, d->splices, d->len * sizeof *splices);
    d->splices = splices;
    d->cap = cap;
    return true;
}

/* Does `one` belong behind `other`? At one place insertions stand before the cut that begins there. */
static bool
is_behind(const struct draft_splice *one, const struct draft_splice *other, enum splice_side side)
{
    if (one->at != other->at)
        return one->at > other->at;
    return other->cut == 0 && (one->cut > 0 || side == SPLICE_BACK);
}

void
splice_make(struct draft *d, struct draft_splice one, enum splice_side side)
{
    uint32_t i = d->len;

    if (d->err || !make_room(d))
        return;
    while (i > 0 && !is_behind(&one, &d->splices[i - 1], side))
        i--;
    if ((i > 0 && d->splices[i - 1].at + d->splices[i - 1].cut > one.at) ||
        (i < d->len && one.at + one.cut > d->splices[i].at)) {
        splice_fail(d, SIPD_ECLASH);
        return;
    }
    memmove(&d->splices[i + 1], &d->splices[i], (d->len - i) * sizeof one);
    d->splices[i] = one;
    d->len++;
}

void
splice_forget(struct draft *d, enum draft_kind kind)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < d->len; i++)
        if (d->splices[i].kind != kind)
            d->splices[kept++] = d->splices[i];
    d->len = kept;
}

char *
splice_text(struct draft *d, size_t bytes)
{
    char *text = arena_alloc(d->arena, bytes);

    if (!text)
        splice_fail(d, SIPD_ENOMEM);
    return text;
}

struct span
splice_number(struct draft *d, uint64_t n)
{
    enum { DIGITS = 20 };
    char *text = splice_text(d, DIGITS), *at;

    if (!text)
        return (struct span){ NULL, 0 };
    at = text + DIGITS;
    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return span_between(at, text + DIGITS);
}
