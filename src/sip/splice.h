/*
 * Splices: what named edits are made of. For the files that hold such edits (draft, draft_body), and for nobody else.
 */
#ifndef SIP_SPLICE_H
#define SIP_SPLICE_H

#include "base/err.h"
#include "sip/draft.h"

/* Where an insertion stands among others at the same place. */
enum splice_side { SPLICE_FRONT, SPLICE_BACK };

/* The first failure is kept. */
void splice_fail(struct draft *d, int err);
/* As splice_make(), wherever its place is. */
void splice_make_between(struct draft *d, uint32_t at, uint32_t cut, struct span insert,
                         enum draft_kind kind, enum splice_side side);
/* Puts the splice where it stands in a place of d->splices that is free. */
static inline void
splice_put(struct draft *d, struct draft_splice *place, uint32_t at, uint32_t cut,
           struct span insert, enum draft_kind kind)
{
    place->at = at; /* one by one: read as a whole at once they would have to be waited for */
    place->cut = cut;
    place->insert = insert;
    place->kind = kind;
    d->len++;
    d->bytes += insert.len - cut;
}
/*
 * The splice in its place, unless it would touch bytes that another one cuts (SIPD_ECLASH). Nothing after a failure. Cheapest in
 * the order of the text.
 */
static inline void
splice_make(struct draft *d, uint32_t at, uint32_t cut, struct span insert, enum draft_kind kind,
            enum splice_side side)
{
    if (d->err || at + (side == SPLICE_BACK) <= d->behind || d->len == d->cap) {
        splice_make_between(d, at, cut, insert, kind, side);
        return;
    }
    splice_put(d, &d->splices[d->len], at, cut, insert, kind);
    d->behind = at + cut;
}
/* Takes back every splice of a kind. */
void splice_forget(struct draft *d, enum draft_kind kind);
/* Memory for text to insert; NULL on failure: the draft knows, and its edits do nothing. */
static inline char *
splice_text(struct draft *d, size_t bytes)
{
    char *text = arena_alloc(d->arena, bytes);

    if (!text)
        splice_fail(d, SIPD_ENOMEM);
    return text;
}
/* A number as text to insert; empty on failure. */
struct span splice_number(struct draft *d, uint64_t n);

#endif
