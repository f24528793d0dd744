/*
 * Facts of the core as a tape has them: of fuzz inputs, and of earlier versions (tests/facts).
 */
#ifndef LIB_TOLD_H
#define LIB_TOLD_H

#include "base/record.h"
#include "core/fact.h"
#include "txn/answered.h"

struct told {
    uint8_t kind; /* of told_kinds[] */
    uint64_t id;
    uint32_t version;
    struct span bytes;
};

static const struct record_field told_fields[] = {
    RECORD_NUMBER(1, struct told, kind),
    RECORD_NUMBER(2, struct told, id),
    RECORD_NUMBER(3, struct told, version),
    RECORD_SPAN(4, struct told, bytes),
    RECORD_END,
};

static const char *const told_kinds[] = { TXN_FACT, TRIP_FACT, BRANCH_FACT, ANSWERED_FACT };

/* The next one of a tape; false: it is none. Lent: its bytes, by the tape. */
static inline bool
told_read(struct span record, struct fact *fact)
{
    struct told told;

    if (record_read(record, told_fields, &told) != SIPD_OK || told.kind >= countof(told_kinds))
        return false;
    *fact = (struct fact){ told_kinds[told.kind], told.version, told.id, told.bytes, false };
    return true;
}

#endif
