/*
 * Fields that modules look after, asked one by one.
 */
#include "core/fixer.h"

#include "sip/chars.h"

void
fixers_init(struct fixers *fixers)
{
    list_init(&fixers->all);
    fixers->present = 0;
}

static const struct fixer *
by_name(const struct fixers *fixers, const struct fixer *wanted)
{
    for (struct list *node = fixers->all.next; node != &fixers->all; node = node->next) {
        const struct fixer *fixer = container_of(node, const struct fixer, link);

        if (fixer->id == wanted->id &&
            (wanted->id != HDR_OTHER || span_ieq(fixer->name, wanted->name)))
            return fixer;
    }
    return NULL;
}

int
fixers_add(struct fixers *fixers, struct fixer *fixer)
{
    fixer->id = names_header(fixer->name);
    if (!chars_is_token(fixer->name) || fixer->id == HDR_VIA || fixer->id == HDR_CONTENT_LENGTH)
        return SIPD_EINVAL;
    if (by_name(fixers, fixer))
        return SIPD_EEXIST;
    list_push(&fixers->all, &fixer->link);
    fixers->present |= (uint64_t)1 << msg_bit(fixer->id);
    return SIPD_OK;
}

void
fixers_remove(struct fixers *fixers, struct fixer *gone)
{
    list_remove(&gone->link);
    fixers->present = 0;
    for (struct list *node = fixers->all.next; node != &fixers->all; node = node->next)
        fixers->present |= (uint64_t)1 << msg_bit(container_of(node, const struct fixer, link)->id);
}

/* ---- asking */

struct walk {
    const struct msg *msg;
    const struct gist *gist;
    const struct hop *from;
};

static enum sipd_fix
ask(const struct fixer *fixer, const struct walk *w, const struct msg_field *field,
    struct sipd_field *asked)
{
    *asked = (struct sipd_field){
        .name = msg_name(w->msg, field),
        .value = msg_value(w->msg, field),
        .method = w->gist->method_text,
        .status = w->msg->status,
        .source = w->from,
    };
    return fixer->fn(asked, fixer->self);
}

/* The next field that this one looks after. */
static const struct msg_field *
next_field(const struct fixer *fixer, const struct msg *msg, const struct msg_field *after)
{
    while ((after = msg_find(msg, fixer->id, after)))
        if (fixer->id != HDR_OTHER || span_ieq(msg_name(msg, after), fixer->name))
            return after;
    return NULL;
}

static bool
finds_wrong(const struct fixer *fixer, const struct walk *w)
{
    const struct msg_field *field = NULL;
    struct sipd_field asked;

    while ((field = next_field(fixer, w->msg, field)))
        if (ask(fixer, w, field, &asked) != SIPD_FIX_NONE)
            return true;
    return false;
}

const struct fixer *
fixers_find_it(const struct fixers *fixers, const struct hop *from, const struct msg *msg,
               const struct gist *gist)
{
    struct walk w = { msg, gist, from };

    for (struct list *node = fixers->all.next; node != &fixers->all; node = node->next) {
        const struct fixer *fixer = container_of(node, const struct fixer, link);

        if (finds_wrong(fixer, &w))
            return fixer;
    }
    return NULL;
}

/* ---- mending */

/* False: it refuses the message. */
static bool
mend_fields(const struct fixer *fixer, const struct walk *w, struct draft *d)
{
    const struct msg_field *field = NULL;
    struct sipd_field asked;

    while ((field = next_field(fixer, w->msg, field))) {
        enum sipd_fix fix = ask(fixer, w, field, &asked);

        if (fix == SIPD_FIX_VALUE)
            draft_set_value(d, field, asked.better.len > 0 ? asked.better : SPAN(""));
        else if (fix == SIPD_FIX_DROP)
            draft_drop_field(d, field);
        else if (fix != SIPD_FIX_NONE)
            return false;
    }
    return true;
}

void
fixers_mend(struct draft *d, const struct gist *gist, void *self)
{
    const struct fixing *fixing = self;
    const struct msg *msg = d->msg;
    struct walk w = { msg, gist, fixing->from };

    for (struct list *node = fixing->fixers->all.next; node != &fixing->fixers->all;
         node = node->next)
        if (!mend_fields(container_of(node, const struct fixer, link), &w, d)) {
            d->err = SIPD_ENOENT;
            return;
        }
}

const char *
fixers_phrase(const struct fixers *fixers, const struct hop *from, const struct msg *msg,
              const struct gist *gist, struct arena *arena)
{
    const struct fixer *fixer = fixers_find(fixers, from, msg, gist);
    struct span name = fixer && fixer->id != HDR_OTHER ? names_header_text(fixer->id)
                       : fixer                         ? fixer->name
                                                       : SPAN("");
    char *text = name.len > 0 ? arena_alloc(arena, name.len + sizeof "Bad ") : NULL;

    if (!text)
        return "Bad Header Field";
    memcpy(text, "Bad ", 4);
    memcpy(text + 4, name.at, name.len);
    text[4 + name.len] = '\0';
    return text;
}
