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
    struct draft_splice *splices = arena_alloc(d->arena, d->cap * 2 * sizeof *splices);

    if (!splices) {
        splice_fail(d, SIPD_ENOMEM);
        return false;
    }
    memcpy(splices, d->splices, d->len * sizeof *splices);
    d->splices = splices;
    d->cap *= 2;
    return true;
}

/* Does one at `at` that cuts so much belong behind `other`? At one place insertions stand before the cut that begins there. */
static bool
is_behind(uint32_t at, uint32_t cut, const struct draft_splice *other, enum splice_side side)
{
    if (at != other->at)
        return at > other->at;
    return other->cut == 0 && (cut > 0 || side == SPLICE_BACK);
}

/* Does `one` touch bytes that its neighbour in front cuts? */
static bool
clash(const struct draft_splice *front, const struct draft_splice *one)
{
    return front->at + front->cut > one->at;
}

/* Its fields are written one by one: read as a whole at once after that they would have to be waited for. */
void
splice_make(struct draft *d, uint32_t at, uint32_t cut, struct span insert, enum draft_kind kind,
            enum splice_side side)
{
    struct draft_splice *place;

    if (d->err || (d->len == d->cap && !make_room(d)))
        return;
    for (place = d->splices + d->len; place > d->splices && !is_behind(at, cut, place - 1, side);
         place--)
        *place = place[-1];
    place->at = at;
    place->cut = cut;
    place->insert = insert;
    place->kind = kind;
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
