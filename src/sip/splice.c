/*
 * Splices: what named edits are made of, kept in their order, never one over another (RFC 3261 §16.6).
 */
#include "sip/splice.h"

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

static uint32_t
behind_all(const struct draft *d)
{
    const struct draft_splice *end = d->splices + d->len;

    return d->len > 0 ? end[-1].at + end[-1].cut : 0;
}

void
splice_make_between(struct draft *d, uint32_t at, uint32_t cut, struct span insert,
                    enum draft_kind kind, enum splice_side side)
{
    struct draft_splice *place;

    if (d->err || (d->len == d->cap && !make_room(d)))
        return;
    for (place = d->splices + d->len; place > d->splices && !is_behind(at, cut, place - 1, side);
         place--)
        *place = place[-1];
    splice_put(d, place, at, cut, insert, kind);
    d->behind = behind_all(d);
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
        else
            d->bytes -= d->splices[i].insert.len - d->splices[i].cut;
    d->len = kept;
    d->behind = behind_all(d);
}

struct span
splice_number(struct draft *d, uint64_t n)
{
    char *text = splice_text(d, SPAN_U64_BYTES);

    return text ? span_between(text, span_write_u64(text, n)) : (struct span){ NULL, 0 };
}
