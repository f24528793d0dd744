/*
 * A fixture: an arena that ends with the test, and messages read into it from bytes with nothing readable behind them.
 */
#ifndef UNIT_MESSAGE_H
#define UNIT_MESSAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "sip/gist.h"
#include "sip/msg.h"
#include "unit/heap.h"
#include "unit/must.h"

static struct arena arena;

static inline void
message_begin(void)
{
    heap_watch();
    arena_init(&arena, 64 << 20);
}

static inline void
message_end(void)
{
    arena_fini(&arena);
    heap_compare();
}

/* A case whose every test has the arena. */
static inline TCase *
message_case(const char *name)
{
    TCase *made = tcase_create(name);

    tcase_add_checked_fixture(made, message_begin, message_end);
    return made;
}

/* A copy that a sanitizer guards to the byte. */
static inline struct span
guarded(struct span text)
{
    char *copy = arena_alloc(&arena, text.len);

    ck_assert_ptr_nonnull(copy);
    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    return (struct span){ copy, text.len };
}

static inline struct msg
read_span(struct span text)
{
    struct msg msg;

    ck_assert_int_eq(msg_read(guarded(text), &arena, &msg), SIPD_OK);
    return msg;
}

static inline struct msg
read_text(const char *text)
{
    return read_span(span_of(text));
}

static inline struct gist
gist_of(const struct msg *msg)
{
    struct gist gist;

    gist_read(msg, &gist);
    return gist;
}

/* Same bytes, or both shown. */
#define must_be(span, text) must_be_at(span, span_of(text), __LINE__)

static inline void
must_be_at(struct span got, struct span want, int line)
{
    if (!span_eq(got, want))
        ck_abort_msg("line %d: want <%.*s>, got <%.*s>", line, SPAN_ARG(want), SPAN_ARG(got));
}

#endif
