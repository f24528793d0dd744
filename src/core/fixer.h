/*
 * Fields that modules look after: what is wrong with their values, and how they are mended (sipd_offer_fixer).
 */
#ifndef CORE_FIXER_H
#define CORE_FIXER_H

#include <sipd/module.h>

#include "base/list.h"
#include "sip/draft.h"

struct fixer {
    struct list link;
    struct span name; /* lent, as long as it is linked */
    enum header id;
    sipd_fixer_fn *fn;
    void *self;
};

struct fixers {
    struct list all;  /* in the order of offering */
    uint64_t present; /* as msg.present, of their ids: a quick no */
};

struct fixing { /* for fixers_mend() */
    const struct fixers *fixers;
    const struct hop *from;
};

void fixers_init(struct fixers *fixers);
/* Lent: fixer and its name, until it is removed. SIPD_EEXIST: the field is looked after; SIPD_EINVAL: its value says where
   messages end or answers go (Via, Content-Length), or the name is none. */
int fixers_add(struct fixers *fixers, struct fixer *fixer) MUST_USE;
void fixers_remove(struct fixers *fixers, struct fixer *fixer);

/* As fixers_find(), where a field may be there that one looks after. */
const struct fixer *fixers_find_it(const struct fixers *fixers, const struct hop *from,
                                   const struct msg *msg, const struct gist *gist);
/* The first fixer that finds something wrong; NULL: none does. */
static inline const struct fixer *
fixers_find(const struct fixers *fixers, const struct hop *from, const struct msg *msg,
            const struct gist *gist)
{
    return fixers->present & msg->present ? fixers_find_it(fixers, from, msg, gist) : NULL;
}
/* A repair_fixer_fn; self is a struct fixing. All edits that they wish; the draft fails if one of them refuses. */
void fixers_mend(struct draft *d, const struct gist *gist, void *self);
/* "Bad NAME", of the first field that one finds wrong. In the arena, or lent for ever. */
const char *fixers_phrase(const struct fixers *fixers, const struct hop *from,
                          const struct msg *msg, const struct gist *gist, struct arena *arena);

#endif
