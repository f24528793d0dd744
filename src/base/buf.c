/*
 * Room is made by doubling, and one byte more than promised is kept for the NUL of vsnprintf.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

enum { FIRST_BYTES = 64 };

void
buf_init(struct buf *b, size_t limit_bytes)
{
    *b = (struct buf){ .limit_bytes = limit_bytes };
}

void
buf_fini(struct buf *b)
{
    mem_free(b->bytes);
    buf_init(b, b->limit_bytes);
}

void
buf_clear(struct buf *b)
{
    b->len = 0;
    b->err = SIPD_OK;
}

/* Twice as much until `need` fits, but nothing the ceiling would leave unused. */
static size_t
roomier(const struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : FIRST_BYTES;

    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    return cap - 1 > b->limit_bytes ? b->limit_bytes + 1 : cap;
}

char *
buf_reserve(struct buf *b, size_t n)
{
    size_t cap;
    char *bytes;

    if (b->err)
        return NULL;
    if (n < b->cap - b->len)
        return b->bytes + b->len;
    if (n > b->limit_bytes - b->len || b->len + n == SIZE_MAX) {
        b->err = SIPD_ETOOBIG;
        return NULL;
    }
    cap = roomier(b, b->len + n + 1);
    bytes = mem_grow(b->bytes, cap);
    if (!bytes) {
        b->err = SIPD_ENOMEM;
        return NULL;
    }
    b->bytes = bytes;
    b->cap = cap;
    return bytes + b->len;
}

void
buf_put(struct buf *b, struct span s)
{
    char *to = s.len > 0 ? buf_reserve(b, s.len) : NULL;

    if (!to)
        return;
    memcpy(to, s.at, s.len);
    b->len += s.len;
}

void
buf_put_char(struct buf *b, char c)
{
    char *to = buf_reserve(b, 1);

    if (!to)
        return;
    *to = c;
    b->len++;
}

void
buf_put_u64(struct buf *b, uint64_t n)
{
    char digits[20];
    char *end = digits + sizeof digits, *at = end;

    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    buf_put(b, span_between(at, end));
}

void
buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    char *to;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    BUG_ON(len < 0);
    to = buf_reserve(b, (size_t)len);
    if (to)
        b->len += (size_t)vsnprintf(to, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
}

void
buf_drop(struct buf *b, size_t n)
{
    BUG_ON(n > b->len);
    if (n == 0)
        return;
    b->len -= n;
    memmove(b->bytes, b->bytes + n, b->len);
}
