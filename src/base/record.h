/*
 * A struct as a flat record and back, by a table that names each member's tag.
 *
 * Members that are 0 or empty are not written; what is not there reads as 0 or empty, and tags that are not in the table are
 * skipped. So versions that know more or fewer members read each other. A tag is never given to another member.
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include "base/tlv.h"

enum record_kind {
    RECORD_AS_NUMBER,
    RECORD_AS_BOOL,
    RECORD_AS_SPAN,
    RECORD_AS_ARRAY,
    RECORD_AS_PART
};

struct record_field {
    uint16_t tag; /* 0 ends a table */
    uint8_t kind; /* enum record_kind */
    uint16_t at, bytes;
    const struct record_field *part; /* RECORD_AS_PART: the table of a struct within */
};

/* An unsigned integer of any size, a bool, a span, an array of char or uint8_t, a struct with a table of its own. */
#define RECORD_FIELD(tag, kind, type, member, part)                                \
    {                                                                              \
        (tag), (kind), offsetof(type, member), sizeof(((type *)0)->member), (part) \
    }
#define RECORD_NUMBER(tag, type, member)     RECORD_FIELD(tag, RECORD_AS_NUMBER, type, member, NULL)
#define RECORD_BOOL(tag, type, member)       RECORD_FIELD(tag, RECORD_AS_BOOL, type, member, NULL)
#define RECORD_SPAN(tag, type, member)       RECORD_FIELD(tag, RECORD_AS_SPAN, type, member, NULL)
#define RECORD_ARRAY(tag, type, member)      RECORD_FIELD(tag, RECORD_AS_ARRAY, type, member, NULL)
#define RECORD_PART(tag, type, member, part) RECORD_FIELD(tag, RECORD_AS_PART, type, member, part)
#define RECORD_END       \
    {                    \
        0, 0, 0, 0, NULL \
    }

/* Appends the members of a struct. What fails is told by the buffer. */
void record_write(struct buf *b, const struct record_field *fields, const void *from);
/* As one value of this tag: for what there is any number of. */
void record_put(struct buf *b, uint16_t tag, const struct record_field *fields, const void *from);
/*
 * Fills the members of a struct whose other bytes are left alone. Spans are lent from bytes. SIPD_ESYNTAX: cut short;
 * SIPD_EINVAL: a value that its member cannot hold, or a critical tag that is not in the table.
 */
int record_read(struct span bytes, const struct record_field *fields, void *to) MUST_USE;

#endif
