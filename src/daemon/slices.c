/*
 * Long lists for sipctl, some rows in each turn: nobody's call waits until they are all written (house rule 16).
 */
#include "daemon/slices.h"

#include "base/mem.h"

enum { ROWS = 64 }; /* or so many looks for one, in each turn */

struct slices {
    struct list link; /* in daemon.slices */
    slices_fn *fn, *then;
    uint64_t answer_id;
    uint64_t cursor, left;
};

/* True: that was the last of them. */
static bool
put_rows(const struct daemon *d, struct slices *s, struct sipd_answer *answer)
{
    for (int i = 0; i < ROWS && s->left > 0; i++) {
        enum slice put = s->fn(d, &s->cursor, answer);

        if (put == SLICE_END && !s->then)
            return true;
        if (put == SLICE_END) {
            s->fn = s->then;
            s->then = NULL;
            s->cursor = 0;
        }
        s->left -= put == SLICE_ROW;
    }
    return s->left == 0;
}

void
slices_answer(struct daemon *d, struct sipd_answer *answer, slices_fn *fn, slices_fn *then,
              uint64_t from, uint64_t most)
{
    struct slices first = { .fn = fn, .then = then, .cursor = from, .left = most }, *s;

    if (put_rows(d, &first, answer))
        return;
    s = mem_new(sizeof *s);
    if (!s) {
        sipd_answer_refuse(answer, "out of memory");
        return;
    }
    *s = first;
    s->answer_id = sipd_answer_later(answer);
    list_push(&d->slices, &s->link);
}

static void
end(struct slices *s)
{
    list_remove(&s->link);
    mem_free(s);
}

void
slices_tick(struct daemon *d)
{
    list_each (node, after, &d->slices) {
        struct slices *s = container_of(node, struct slices, link);
        struct sipd_answer *answer = host_find_answer(d->host, s->answer_id);

        if (answer && !put_rows(d, s, answer))
            continue;
        end(s);
        if (answer)
            sipd_answer_send(answer); /* which may ask for the next list */
    }
}

void
slices_fini(struct daemon *d)
{
    while (!list_empty(&d->slices))
        end(container_of(d->slices.next, struct slices, link));
}
