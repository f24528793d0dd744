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

/* Does `one` touch bytes that its neighbour in front cuts? */
static bool
clash(const struct draft_splice *front, const struct draft_splice *one)
{
    return front->at + front->cut > one->at;
}

void
splice_make(struct draft *d, struct draft_splice one, enum splice_side side)
{
    struct draft_splice *place;

    if (d->err || !make_room(d))
        return;
    for (place = d->splices + d->len; place > d->splices && !is_behind(&one, place - 1, side);
         place--)
        *place = place[-1];
    *place = one;
    d->len++;
    if ((place > d->splices && clash(place - 1, place)) ||
        (place + 1 < d->splices + d->len && clash(place, place + 1)))
        splice_fail(d, SIPD_ECLASH);
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
