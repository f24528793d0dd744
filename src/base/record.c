/*
 * A struct as a flat record and back.
 */
#include "base/record.h"

#include <string.h>

static uint64_t
number_at(const void *from, size_t bytes)
{
    switch (bytes) {
    case 1: return *(const uint8_t *)from;
    case 2: return *(const uint16_t *)from;
    case 4: return *(const uint32_t *)from;
    default: return *(const uint64_t *)from;
    }
}

static void
set_number(void *to, size_t bytes, uint64_t n)
{
    switch (bytes) {
    case 1: *(uint8_t *)to = (uint8_t)n; break;
    case 2: *(uint16_t *)to = (uint16_t)n; break;
    case 4: *(uint32_t *)to = (uint32_t)n; break;
    default: *(uint64_t *)to = n;
    }
}

static bool
is_zero(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] != '\0')
            return false;
    return true;
}

static void
write_field(struct buf *b, const struct record_field *field, const char *from)
{
    struct span bytes = { from, field->bytes };

    if (is_zero(bytes))
        return;
    switch ((enum record_kind)field->kind) {
    case RECORD_AS_NUMBER: tlv_put_u64(b, field->tag, number_at(from, field->bytes)); break;
    case RECORD_AS_BOOL: tlv_put_u64(b, field->tag, 1); break;
    case RECORD_AS_SPAN:
        if (((const struct span *)(const void *)from)->len > 0)
            tlv_put(b, field->tag, *(const struct span *)(const void *)from);
        break;
    case RECORD_AS_ARRAY: tlv_put(b, field->tag, bytes); break;
    case RECORD_AS_PART: record_put(b, field->tag, field->part, from); break;
    }
}

void
record_write(struct buf *b, const struct record_field *fields, const void *from)
{
    for (; fields->tag != 0; fields++)
        write_field(b, fields, (const char *)from + fields->at);
}

void
record_put(struct buf *b, uint16_t tag, const struct record_field *fields, const void *from)
{
    size_t place = tlv_open(b, tag);

    record_write(b, fields, from);
    tlv_close(b, place);
}

static int
read_number(const struct tlv *tlv, uint64_t max, size_t bytes, void *to)
{
    uint64_t n;
    int err = tlv_u64(tlv, max, &n);

    if (err == SIPD_OK)
        set_number(to, bytes, n);
    return err;
}

static int
read_field(const struct tlv *tlv, const struct record_field *field, char *to)
{
    switch ((enum record_kind)field->kind) {
    case RECORD_AS_NUMBER:
        return read_number(tlv, UINT64_MAX >> (64 - 8 * field->bytes), field->bytes, to);
    case RECORD_AS_BOOL: return read_number(tlv, 1, sizeof(bool), to);
    case RECORD_AS_SPAN: *(struct span *)(void *)to = tlv->value; return SIPD_OK;
    case RECORD_AS_ARRAY:
        if (tlv->value.len != field->bytes)
            return SIPD_EINVAL;
        memcpy(to, tlv->value.at, field->bytes);
        return SIPD_OK;
    case RECORD_AS_PART: return record_read(tlv->value, field->part, to);
    }
    return SIPD_EINVAL;
}

static const struct record_field *
find(const struct record_field *fields, uint16_t tag)
{
    for (; fields->tag != 0; fields++)
        if (fields->tag == tag)
            return fields;
    return NULL;
}

/* Members that are not there become 0. */
static void
clear(const struct record_field *fields, char *to)
{
    for (; fields->tag != 0; fields++)
        if (fields->kind == RECORD_AS_PART)
            clear(fields->part, to + fields->at);
        else
            memset(to + fields->at, 0, fields->bytes);
}

int
record_read(struct span bytes, const struct record_field *fields, void *to)
{
    struct tlv tlv;
    int err;

    clear(fields, to);
    while ((err = tlv_next(&bytes, &tlv)) == SIPD_OK) {
        const struct record_field *field = find(fields, tlv.tag);

        if (!field && tlv.tag & TLV_CRITICAL)
            return SIPD_EINVAL;
        err = field ? read_field(&tlv, field, (char *)to + field->at) : SIPD_OK;
        if (err != SIPD_OK)
            return err;
    }
    return err == SIPD_ENOENT ? SIPD_OK : err;
}
