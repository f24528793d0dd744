/*
 * Flat records: tag, length, value.
 */
#include "base/tlv.h"

#include <sipd/fact.h>

enum { HEAD = 6, NUMBER = 8 };

static void
put_low_first(char *to, uint64_t n, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(unsigned char)(n >> 8 * i);
}

/* Bytes that it needs; 0 needs none. */
static size_t
number_len(uint64_t n)
{
    size_t len = 0;

    while (len < NUMBER && n >> 8 * len > 0)
        len++;
    return len;
}

static uint64_t
low_first(const char *at, size_t len)
{
    uint64_t n = 0;

    for (size_t i = len; i-- > 0;)
        n = n << 8 | (unsigned char)at[i];
    return n;
}

static void
put_head(struct buf *b, uint16_t tag, size_t len)
{
    char head[HEAD];

    put_low_first(head, tag, 2);
    put_low_first(head + 2, len, 4);
    buf_put(b, (struct span){ head, sizeof head });
}

void
tlv_put(struct buf *b, uint16_t tag, struct span value)
{
    if (value.len > UINT32_MAX && b->err == SIPD_OK)
        b->err = SIPD_ETOOBIG;
    put_head(b, tag, value.len);
    buf_put(b, value);
}

void
tlv_put_u64(struct buf *b, uint16_t tag, uint64_t value)
{
    char bytes[NUMBER];

    put_low_first(bytes, value, NUMBER);
    tlv_put(b, tag, (struct span){ bytes, number_len(value) });
}

size_t
tlv_open(struct buf *b, uint16_t tag)
{
    put_head(b, tag, 0);
    return b->len;
}

void
tlv_close(struct buf *b, size_t place)
{
    if (b->err == SIPD_OK)
        put_low_first(b->bytes + place - 4, b->len - place, 4);
}

int
tlv_next(struct span *rest, struct tlv *out)
{
    uint64_t len;

    if (rest->len == 0)
        return SIPD_ENOENT;
    if (rest->len < HEAD)
        return SIPD_ESYNTAX;
    len = low_first(rest->at + 2, 4);
    if (len > rest->len - HEAD)
        return SIPD_ESYNTAX;
    out->tag = (uint16_t)low_first(rest->at, 2);
    out->value = (struct span){ rest->at + HEAD, (size_t)len };
    *rest = span_skip(*rest, HEAD + (size_t)len);
    return SIPD_OK;
}

int
tlv_u64(const struct tlv *tlv, uint64_t max, uint64_t *out)
{
    uint64_t n;

    if (tlv->value.len > NUMBER)
        return SIPD_EINVAL;
    n = low_first(tlv->value.at, tlv->value.len);
    if (n > max)
        return SIPD_EINVAL;
    *out = n;
    return SIPD_OK;
}

/* ------------------------------------------------------------------ as modules write and read them */

void
sipd_fact_put(struct fact_out *out, uint16_t tag, struct span bytes)
{
    if (bytes.len == 0)
        return;
    if (bytes.len > UINT32_MAX || out->room - out->len < HEAD + bytes.len) {
        out->full = true;
        return;
    }
    put_low_first(out->at + out->len, tag, 2);
    put_low_first(out->at + out->len + 2, bytes.len, 4);
    memcpy(out->at + out->len + HEAD, bytes.at, bytes.len);
    out->len += HEAD + bytes.len;
}

void
sipd_fact_put_number(struct fact_out *out, uint16_t tag, uint64_t n)
{
    char bytes[NUMBER];

    put_low_first(bytes, n, NUMBER);
    sipd_fact_put(out, tag, (struct span){ bytes, number_len(n) });
}

int
sipd_fact_next(struct span *rest, struct fact_value *value)
{
    struct tlv tlv;
    int err = tlv_next(rest, &tlv);

    if (err == SIPD_OK)
        *value = (struct fact_value){ tlv.tag, tlv.value };
    return err;
}

int
sipd_fact_number(const struct fact_value *value, uint64_t max, uint64_t *n)
{
    const struct tlv tlv = { value->tag, value->bytes };

    return tlv_u64(&tlv, max, n);
}
