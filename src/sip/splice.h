/*
 * Splices: what named edits are made of. For the files that hold such edits (draft, draft_body), and for nobody else.
 */
#ifndef SIP_SPLICE_H
#define SIP_SPLICE_H

#include "sip/draft.h"

/* Where an insertion stands among others at the same place. */
enum splice_side { SPLICE_FRONT, SPLICE_BACK };

/* The first failure is kept. */
void splice_fail(struct draft *d, int err);
/* The splice in its place, unless it would touch bytes that another one cuts (SIPD_ECLASH). Nothing after a failure. */
void splice_make(struct draft *d, uint32_t at, uint32_t cut, struct span insert,
                 enum draft_kind kind, enum splice_side side);
/* Takes back every splice of a kind. */
void splice_forget(struct draft *d, enum draft_kind kind);
/* Memory for text to insert; NULL on failure: the draft knows, and its edits do nothing. */
char *splice_text(struct draft *d, size_t bytes);
/* A number as text to insert; empty on failure. */
struct span splice_number(struct draft *d, uint64_t n);

#endif
