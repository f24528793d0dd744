/*
 * The fields of the records, by tag. A tag that was given stays what it is, for ever.
 */
#include "core/fact_record.h"

static const struct record_field sipd_target_fields[] = {
    RECORD_SPAN(1, struct sipd_target, uri),
    RECORD_PART(2, struct sipd_target, hop, fact_hop_fields),
    RECORD_NUMBER(3, struct sipd_target, q),
    RECORD_NUMBER(4, struct sipd_target, tag),
    RECORD_NUMBER(5, struct sipd_target, expires_s),
    RECORD_SPAN(6, struct sipd_target, path),
    RECORD_SPAN(7, struct sipd_target, instance),
    RECORD_END,
};

const struct record_field fact_target_fields[] = {
    RECORD_PART(1, struct target, is, sipd_target_fields),
    RECORD_BOOL(2, struct target, else_by_uri),
    RECORD_END,
};

const struct record_field fact_edit_fields[] = {
    RECORD_SPAN(1, struct edit_record, name),
    RECORD_SPAN(2, struct edit_record, value),
    RECORD_NUMBER(3, struct edit_record, drop),
    RECORD_NUMBER(4, struct edit_record, branch),
    RECORD_END,
};

const struct record_field fact_trip_fields[] = {
    RECORD_NUMBER(1, struct trip_record, state),
    RECORD_NUMBER(2, struct trip_record, stage),
    RECORD_NUMBER(3, struct trip_record, hook_at),
    RECORD_NUMBER(4, struct trip_record, rport),
    RECORD_NUMBER(5, struct trip_record, final),
    RECORD_NUMBER(6, struct trip_record, targets_len),
    RECORD_NUMBER(7, struct trip_record, breadth),
    RECORD_NUMBER(8, struct trip_record, age_ms),
    RECORD_NUMBER(9, struct trip_record, server),
    RECORD_SPAN(10, struct trip_record, request),
    RECORD_SPAN(11, struct trip_record, received),
    RECORD_SPAN(12, struct trip_record, uri),
    RECORD_SPAN(13, struct trip_record, user),
    RECORD_PART(14, struct trip_record, source, fact_hop_fields),
    RECORD_PART(15, struct trip_record, reply_to, fact_hop_fields),
    RECORD_BOOL(16, struct trip_record, natted),
    RECORD_BOOL(17, struct trip_record, trusted),
    RECORD_BOOL(18, struct trip_record, insecure),
    RECORD_BOOL(19, struct trip_record, up),
    RECORD_BOOL(20, struct trip_record, cancelled),
    RECORD_BOOL(21, struct trip_record, declined),
    RECORD_NUMBER(22, struct trip_record, trying_ms),
    RECORD_NUMBER(23, struct trip_record, no_answer_ms),
    RECORD_SPAN(24, struct trip_record, reply_fields),
    RECORD_END,
};

const struct record_field fact_branch_fields[] = {
    RECORD_NUMBER(1, struct branch_record, state),
    RECORD_NUMBER(2, struct branch_record, attempt),
    RECORD_NUMBER(3, struct branch_record, cancelled_as),
    RECORD_NUMBER(4, struct branch_record, status),
    RECORD_BOOL(5, struct branch_record, cancel_sent),
    RECORD_BOOL(6, struct branch_record, provisional),
    RECORD_NUMBER(7, struct branch_record, breadth),
    RECORD_NUMBER(8, struct branch_record, trip),
    RECORD_NUMBER(9, struct branch_record, client),
    RECORD_SPAN(10, struct branch_record, cancel_reason),
    RECORD_SPAN(11, struct branch_record, response),
    RECORD_PART(12, struct branch_record, target, fact_target_fields),
    RECORD_NUMBER(13, struct branch_record, timer_ms),
    RECORD_BOOL(14, struct branch_record, silent),
    RECORD_BOOL(15, struct branch_record, left),
    RECORD_NUMBER(16, struct branch_record, first),
    RECORD_BOOL(17, struct branch_record, located),
    RECORD_BOOL(18, struct branch_record, hooked),
    RECORD_NUMBER(19, struct branch_record, large),
    RECORD_END,
};
