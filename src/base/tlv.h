/*
 * Flat records: tag, length, value, one behind the other, so that a reader of another version skips what it does not know.
 *
 * A tag is two bytes and a length four, lowest byte first. A value is bytes, a number, or records again.
 */
#ifndef BASE_TLV_H
#define BASE_TLV_H

#include "base/buf.h"

/* A reader that does not know such a tag must not take the record. */
#define TLV_CRITICAL 0x8000u

struct tlv {
    uint16_t tag;
    struct span value; /* lent from what was read */
};

/* Appends one. What fails is told by the buffer. */
void tlv_put(struct buf *b, uint16_t tag, struct span value);
/* Appends a number, in as many bytes as it needs; none for 0. */
void tlv_put_u64(struct buf *b, uint16_t tag, uint64_t value);
/* Opens one that holds what is put until tlv_close(). Returns its place. */
size_t tlv_open(struct buf *b, uint16_t tag);
void tlv_close(struct buf *b, size_t place);

/* Takes the first one off. SIPD_ENOENT at the end; SIPD_ESYNTAX: it is cut short. */
int tlv_next(struct span *rest, struct tlv *out) MUST_USE;
/* The value as a number. SIPD_EINVAL: more than max, or no number. */
int tlv_u64(const struct tlv *tlv, uint64_t max, uint64_t *out) MUST_USE;

#endif
