/*
 * Growable bytes with a ceiling: the first failure is kept, later writes do nothing.
 *
 * So one writes on without asking, and looks at err once, at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/def.h"
#include "base/err.h"
#include "base/span.h"

struct buf {
    char *bytes;        /* owned */
    size_t len;         /* bytes in use */
    size_t cap;         /* bytes allocated */
    size_t limit_bytes; /* ceiling on len */
    int err;            /* SIPD_OK, SIPD_ENOMEM or SIPD_ETOOBIG: the first failure */
};

/* An empty buffer; takes no memory yet. */
void buf_init(struct buf *b, size_t limit_bytes);
/* Gives the memory back and makes it empty, as after buf_init(). */
void buf_fini(struct buf *b);
/* Empty again, memory kept, failure forgotten. */
void buf_clear(struct buf *b);
/* Appends bytes, which do not lie in b itself. */
void buf_put(struct buf *b, struct span s);
void buf_put_char(struct buf *b, char c);
/* Appends a number in decimal. */
void buf_put_u64(struct buf *b, uint64_t n);
/* Appends formatted text: for logs and people, never for SIP syntax. */
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* Takes the first n bytes off; there are as many. */
void buf_drop(struct buf *b, size_t n);
/* Room for n bytes after len, for the caller to write and then add to len; NULL on failure. */
char *buf_reserve(struct buf *b, size_t n) MUST_USE;
/* What is in it. Lent until the next change. */
static inline struct span
buf_span(const struct buf *b)
{
    return (struct span){ b->bytes, b->len };
}

#endif
