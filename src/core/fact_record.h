/*
 * What the records of a response context and its branches hold (fact.h).
 */
#ifndef CORE_FACT_RECORD_H
#define CORE_FACT_RECORD_H

#include "base/record.h"
#include "core/trip.h"
#include "txn/fact.h"

/* Tags of what there is any number of; another flow follows the one of the same device (RFC 5626 §7). */
enum { TARGET = 40, EDIT = 41, HOP = 42, OTHER = 43 };

struct edit_record {
    struct span name, value;
    uint32_t drop; /* the field's place in the request, plus one; 0: add */
    uint64_t branch;
};

struct trip_record {
    uint8_t state, stage;
    uint16_t hook_at, rport, final;
    uint32_t targets_len, breadth;
    uint64_t age_ms, server;
    struct span request, received, uri, user, reply_fields;
    struct hop source, reply_to;
    bool natted, trusted, insecure, up, cancelled, declined;
    uint64_t trying_ms, no_answer_ms; /* as fact_left_ms() has it */
};

struct branch_record {
    uint8_t state, attempt;
    uint16_t cancelled_as, status;
    bool cancel_sent, provisional, silent, left;
    uint32_t breadth;
    uint64_t trip, client, first;
    struct span cancel_reason, response;
    struct target target;
    uint64_t timer_ms; /* as fact_left_ms() has it */
    bool located, hooked;
    uint8_t large;
};

/* struct target, struct edit_record, struct trip_record, struct branch_record. */
extern const struct record_field fact_target_fields[];
extern const struct record_field fact_edit_fields[];
extern const struct record_field fact_trip_fields[];
extern const struct record_field fact_branch_fields[];

#endif
