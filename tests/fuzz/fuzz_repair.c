/*
 * Repair: what is passed on after it is read without complaint by another reader, and is read the same; nothing is left to
 * mend; what is refused is as it came; framing, body and the other fields are untouched.
 */
#include "sip/repair.h"

#include "base/err.h"
#include "fuzz/input.h"
#include "lib/second.h"
#include "sip/frame.h"

/* Every rule mended or refused, none left. */
static struct repair_policy
strict(void)
{
    struct repair_policy policy;

    for (int id = 0; id < DEVIATIONS; id++)
        policy.verdict[id] =
            repair_may((enum deviation)id, REPAIR_FIX) ? REPAIR_FIX : REPAIR_REJECT;
    return policy;
}

/* Any verdicts that may be. */
static struct repair_policy
some(struct rand *rand)
{
    struct repair_policy policy;

    for (int id = 0; id < DEVIATIONS; id++)
        do
            policy.verdict[id] = (uint8_t)rand_below(rand, 3);
        while (!repair_may((enum deviation)id, (enum repair_verdict)policy.verdict[id]));
    return policy;
}

/* What a proxy does to what it passes on (RFC 3261 §16.6, §16.7). */
static bool
forward(const struct msg *msg, const struct gist *gist, struct arena *arena, struct span *out)
{
    struct draft d;

    draft_init(&d, msg, arena);
    if (msg_is_request(msg)) {
        draft_stamp_via(&d, gist, SPAN("192.0.2.1"), 5060);
        draft_push_via(&d, gist, SPAN("SIP/2.0/UDP proxy.example.com;branch=z9hG4bKsecond"));
        draft_push_record_route(&d, SPAN("<sip:proxy.example.com;lr>"));
        if (gist->has_max_forwards && gist->max_forwards == 0)
            return false;
        draft_lower_max_forwards(&d, gist);
    } else {
        draft_pop_via(&d, gist);
    }
    return draft_render(&d, arena, out) == SIPD_OK;
}

/* Both read the same in it; in a response the Via that is topmost now is another. */
static void
check_same(const struct msg *msg, const struct gist *gist, struct span out)
{
    struct second second;

    second_read(out, &second);
    BUG_ON(second.status != msg->status);
    BUG_ON(!span_eq(second.body, msg_body(msg)));
    BUG_ON(!second_same(second.call_id, gist->call_id) ||
           !second_same(second.from_tag, gist->from_tag) ||
           !second_same(second.to_tag, gist->to_tag));
    BUG_ON(second.cseq_number != gist->cseq || !span_eq(second.cseq_method, gist->cseq_method));
    if (!msg_is_request(msg))
        return;
    BUG_ON(!span_eq(second.method, gist->method_text) ||
           !span_eq(second.uri, msg_span(msg, msg->uri)));
    BUG_ON(!span_eq(second.branch, SPAN("z9hG4bKsecond")));
    BUG_ON(second.wrong && strcmp(second.wrong, "a field is missing") != 0);
}

/* The same before and behind the proxy's own edits. */
static void
check_passed(const struct msg *msg, const struct gist *gist, struct arena *arena)
{
    struct second second;
    struct span out;

    second_read(msg_bytes(msg), &second);
    BUG_ON(second.wrong != NULL);
    BUG_ON(second.fields != msg->fields_len);
    BUG_ON(!second_same(second.branch, gist->via.branch));
    if (forward(msg, gist, arena, &out))
        check_same(msg, gist, out);
}

/* The fields that no rule looks at, in their order; one looks at Contact. */
static void
check_others(const struct msg *before, const struct msg *now, uint64_t fixed)
{
    const struct msg_field *a = NULL, *b = NULL;

    while (!(fixed & (deviation_bit(DEV_CONTACT_BRACKETS) | deviation_bit(DEV_CONTROL_BYTES)))) {
        a = msg_find(before, HDR_CONTACT, a);
        b = msg_find(now, HDR_CONTACT, b);
        BUG_ON(!a != !b);
        if (!a)
            break;
        BUG_ON(!second_same(msg_value(before, a), msg_value(now, b)));
    }
    for (a = b = NULL;;) {
        a = msg_find(before, HDR_VIA, a);
        b = msg_find(now, HDR_VIA, b);
        BUG_ON(!a != !b);
        if (!a)
            break;
        BUG_ON(!second_same(msg_value(before, a), msg_value(now, b)));
    }
    BUG_ON(!span_eq(msg_body(before), msg_body(now)));
}

static void
repair_once(struct span bytes, const struct repair_policy *policy, bool is_strict)
{
    struct msg before, now;
    struct gist gist;
    struct repair_done done;
    struct arena arena, work;

    arena_init(&arena, 64 << 20);
    arena_init(&work, 64 << 20);
    if (msg_read(bytes, &arena, &before) == SIPD_OK) {
        msg_trim(&before);
        now = before;
        gist_read(&before, &gist);
        if (gist.fault == 0) {
            BUG_ON(repair(policy, NULL, NULL, &work, &arena, &now, &gist, &done) != SIPD_OK);
            BUG_ON((gist.fault != 0) != (gist.fault_reason != NULL) ||
                   (done.rejected && gist.fault != 400));
            if (gist.fault)
                BUG_ON(now.bytes != before.bytes || done.fixed);
            else
                check_others(&before, &now, done.fixed);
            for (int id = 0; id < DEVIATIONS && !gist.fault; id++)
                BUG_ON(gist.odd & deviation_bit((enum deviation)id) &&
                       policy->verdict[id] != REPAIR_ACCEPT);
            if (gist.fault == 0 && is_strict)
                check_passed(&now, &gist, &arena);
        }
    }
    arena_fini(&work);
    arena_fini(&arena);
}

int
fuzz_repair(const uint8_t *data, size_t size)
{
    struct rand rand = input_rand(data, size);
    struct repair_policy policy = strict();
    struct span bytes = input_copy(data, size);
    struct frame frame;

    frame_datagram(bytes, &frame);
    if (frame.kind == FRAME_MESSAGE && frame.fault == 0) {
        struct span message = span_head(span_skip(bytes, frame.skip), frame.len);

        repair_once(message, &policy, true);
        policy = some(&rand);
        repair_once(message, &policy, false);
    }
    input_free(&bytes);
    return 0;
}
