/*
 * A response context and its branches as flat records, written.
 */
#include "core/fact.h"

#include "core/fact_record.h"

static void
write_others(const struct target *target, struct buf *b)
{
    while ((target = target->other))
        record_put(b, OTHER, fact_target_fields, target);
}

static void
write_targets(const struct trip *trip, struct buf *b)
{
    for (const struct list *node = trip->targets.next; node != &trip->targets; node = node->next) {
        const struct target *target = container_of_const(node, struct target, link);

        record_put(b, TARGET, fact_target_fields, target);
        write_others(target, b);
    }
}

static void
write_edits(const struct trip *trip, struct buf *b)
{
    for (const struct edit *edit = trip->edits; edit; edit = edit->next) {
        struct edit_record record = {
            .name = edit->name,
            .value = edit->value,
            .drop = edit->drop ? (uint32_t)(edit->drop - trip->msg.fields) + 1 : 0,
            .branch = edit->branch,
        };

        record_put(b, EDIT, fact_edit_fields, &record);
    }
}

void
trip_fact_write(const struct trip *trip, uint64_t now_ms, struct buf *b)
{
    struct trip_record record = {
        .state = (uint8_t)trip->state,
        .stage = (uint8_t)trip->stage,
        .hook_at = trip->hook_at,
        .rport = trip->rport,
        .final = trip->final,
        .targets_len = trip->targets_len,
        .breadth = trip->breadth,
        .age_ms = now_ms > trip->began_ms ? now_ms - trip->began_ms : 0,
        .server = trip->server,
        .request = msg_bytes(&trip->msg),
        .received = trip->received,
        .uri = trip->uri_text,
        .user = trip->user,
        .reply_fields = trip->reply_fields,
        .source = trip->source,
        .reply_to = trip->reply_to,
        .natted = trip->natted,
        .trusted = trip->trusted,
        .insecure = trip->insecure,
        .up = trip->up,
        .cancelled = trip->cancelled,
        .declined = trip->declined,
        .trying_ms = fact_left_ms(&trip->trying, now_ms),
        .no_answer_ms = fact_left_ms(&trip->no_answer, now_ms),
    };

    record_write(b, fact_trip_fields, &record);
    write_targets(trip, b);
    write_edits(trip, b);
}

void
branch_fact_write(const struct branch *branch, uint64_t now_ms, struct buf *b)
{
    struct branch_record record = {
        .state = (uint8_t)branch->state,
        .attempt = branch->attempt,
        .cancelled_as = branch->cancelled_as,
        .status = branch->status,
        .cancel_sent = branch->cancel_sent,
        .provisional = branch->provisional,
        .silent = branch->silent,
        .left = branch->left,
        .first = branch->first,
        .breadth = branch->breadth,
        .trip = branch->trip->id,
        .client = branch->client,
        .cancel_reason = branch->cancel_reason,
        .response = branch->response,
        .target = *branch->target,
        .timer_ms = fact_left_ms(&branch->timer, now_ms),
        .located = branch->located,
        .hooked = branch->hooked,
        .large = branch->large,
    };

    record_write(b, fact_branch_fields, &record);
    write_others(branch->target, b);
    for (uint32_t i = 0; i < branch->hops_len; i++)
        record_put(b, HOP, fact_hop_fields, &branch->hops[i]);
}
