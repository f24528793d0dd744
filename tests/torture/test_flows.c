/*
 * The flows of RFC 3665 and RFC 3666 are read without a complaint, but where what is printed is against the grammar or itself;
 * what was captured is read to its end, whatever it is (tests/torture/README).
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/def.h"
#include "lib/crowd.h"
#include "lib/second.h"
#include "sip/draft.h"
#include "sip/frame.h"
#include "sip/repair.h"
#include "unit/text.h"

Suite *suite_flows(void);

/* As printed, these are not as the same RFC or RFC 3261 would have them. */
static const struct odd_one {
    const char *rfc, *name;
    const char *fault; /* our phrase; NULL: taken nevertheless */
    const char *odd;   /* the deviation that is noted; NULL: none is looked for */
    const char *why;
} odd_ones[] = {
    { "rfc3665", "2.5-F1", NULL, "no_max_forwards",
      "a REGISTER without Max-Forwards (RFC 3261 §8.1.1.6)" },
    { "rfc3665", "3.10-F4", "Missing From", NULL,
      "From was left out, the INVITE before it has one" },
    { "rfc3666", "2.1-F10", "Body Shorter Than Content-Length", NULL,
      "the SDP is shorter than the length says" },
    { "rfc3666", "2.3-F5", "Bad To", NULL,
      "the To has two closing brackets: <sip:...>;user=phone>" },
    { "rfc3666", "2.4-F9", "Body Shorter Than Content-Length", NULL,
      "the SDP is shorter than the length says" },
    { "rfc3666", "3.3-F2", "Body Shorter Than Content-Length", NULL,
      "the SDP is shorter than the length says" },
    { "rfc3666", "3.3-F3", "Body Shorter Than Content-Length", NULL,
      "the SDP is shorter than the length says" },
    { "rfc3666", "3.3-F12", "Missing From", NULL, "From was left out, the BYE before it has one" },
    { "rfc3666", "4.2-F2", "Body Shorter Than Content-Length", NULL,
      "the SDP is shorter than the length says" },
    { "rfc3666", "4.2-F3", "Body Shorter Than Content-Length", NULL,
      "the SDP is shorter than the length says" },
    { "rfc3666", "4.2-F5", NULL, "no_max_forwards",
      "an ACK without Max-Forwards (RFC 3261 §8.1.1.6)" },
    { "rfc3666", "4.2-F6", "Body Shorter Than Content-Length", NULL,
      "the SDP is shorter than the length says" },
};

struct told {
    struct arena arena;
    unsigned odd, messages, faults;
};

static const struct odd_one *
odd_one(const char *set, const char *name)
{
    for (size_t i = 0; i < countof(odd_ones); i++)
        if (strstr(set, odd_ones[i].rfc) && strcmp(odd_ones[i].name, name) == 0)
            return &odd_ones[i];
    return NULL;
}

static uint64_t
bit_of(const char *deviation)
{
    for (int id = 0; deviation && id < DEVIATIONS; id++)
        if (strcmp(deviation_info((enum deviation)id)->name, deviation) == 0)
            return deviation_bit((enum deviation)id);
    return 0;
}

static void
check_flow(const char *set, const char *name, struct span bytes, void *self)
{
    const struct odd_one *odd = odd_one(set, name);
    struct told *told = self;
    struct frame frame;
    struct second second;
    struct msg msg;
    struct gist gist;

    arena_reset(&told->arena);
    frame_datagram(bytes, &frame);
    must_for(span_of(name), frame.kind == FRAME_MESSAGE && frame.skip == 0);
    must_for(span_of(name), msg_read(bytes, &told->arena, &msg) == SIPD_OK && msg.fault == 0);
    msg_trim(&msg);
    gist_read(&msg, &gist);
    told->messages++;
    told->odd += odd != NULL;
    if (odd && odd->fault) {
        must_for(span_of(name), gist.fault == 400);
        must_text(span_of(gist.fault_reason), odd->fault);
        return;
    }
    must_for(span_of(name), gist.fault == 0 && gist.odd == (odd ? bit_of(odd->odd) : 0));
    must_for(span_of(name), msg.len == bytes.len);
    second_read(bytes, &second);
    must_for(span_of(name), odd || second.wrong == NULL);
}

static void
told_init(struct told *told)
{
    *told = (struct told){ .messages = 0 };
    arena_init(&told->arena, 64 << 20);
}

START_TEST(flows_are_read_without_a_complaint)
{
    struct told told;

    told_init(&told);
    ck_assert_uint_eq(crowd_file("tests/torture/flows/rfc3665.msgs", check_flow, &told), 178);
    ck_assert_uint_eq(crowd_file("tests/torture/flows/rfc3666.msgs", check_flow, &told), 175);
    ck_assert_uint_eq(told.odd, countof(odd_ones));
    arena_fini(&told.arena);
}
END_TEST

/* Whatever it is: told apart to the end, unchanged without edits, mended or refused in words, and so in a stream. */
static void
check_capture(const char *set, const char *name, struct span bytes, void *self)
{
    struct told *told = self;
    struct repair_policy policy;
    struct repair_done done;
    struct arena work;
    struct frame frame;
    struct draft draft;
    struct span out;
    struct msg msg;
    struct gist gist;
    size_t seen = 0;

    (void)set;
    arena_reset(&told->arena);
    frame_stream(bytes, 65535, &seen, &frame);
    must_for(span_of(name), frame.skip + frame.len <= bytes.len);
    frame_datagram(bytes, &frame);
    if (frame.kind != FRAME_MESSAGE || msg_read(span_skip(bytes, frame.skip), &told->arena, &msg))
        return;
    msg_trim(&msg);
    gist_read(&msg, &gist);
    draft_init(&draft, &msg, &told->arena);
    must_for(span_of(name),
             draft_render(&draft, &told->arena, &out) == SIPD_OK && span_eq(out, msg_bytes(&msg)));
    repair_policy_default(&policy);
    arena_init(&work, 16 << 20);
    must_for(span_of(name),
             repair(&policy, NULL, NULL, &work, &told->arena, &msg, &gist, &done) == SIPD_OK);
    arena_fini(&work);
    must_for(span_of(name), gist.fault == 0 || (gist.fault_reason && gist.fault_reason[0]));
    told->messages++;
    told->faults += gist.fault != 0;
}

START_TEST(captures_are_read)
{
    struct told told;

    told_init(&told);
    ck_assert_uint_eq(crowd_file("tests/torture/captures/nist.msgs", check_capture, &told), 187);
    must(told.messages > 150 && told.faults < told.messages / 2);
    (void)crowd_below(getenv("SIPD_CORPORA"), check_capture, &told);
    arena_fini(&told.arena);
}
END_TEST

Suite *
suite_flows(void)
{
    Suite *suite = suite_create("flows");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 120);
    tcase_add_test(all, flows_are_read_without_a_complaint);
    tcase_add_test(all, captures_are_read);
    suite_add_tcase(suite, all);
    return suite;
}
