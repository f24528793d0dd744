/*
 * What is left of those that were answered over datagrams: as little as there need be, for as long as there must (RFC 3261 §17.2.2),
 * here and on another node.
 */
#include "txn/answered.h"

#include <stdio.h>

#include "base/rand.h"
#include "txn/fact.h"
#include "txn/match.h"
#include "unit/heap.h"
#include "unit/message.h"
#include "unit/must.h"
#include "unit/txn_rig.h"

Suite *suite_answered(void);

#define UDP "udp:192.0.2.9:5060"
#define TCP "tcp:192.0.2.9:5060"

enum { LIMIT = 500, LONG = 70000 };

static struct txn_rig first, second;

static const struct reply_with with = {
    .phrase = { "Fine", 4 },
    .lines = { "Contact: <sip:a@b>\r\n", 20 },
    .more = { "Date: today\r\n", 13 },
    .type = { "text/plain", 10 },
    .body = { "hello", 5 },
};

static void
begin(void)
{
    heap_watch();
    message_begin();
    txn_rig_init(&first, LIMIT);
    txn_rig_init(&second, LIMIT);
    first.mirror = &second.t;
}

static void
end(void)
{
    mem_fail_never();
    txn_rig_fini(&first);
    txn_rig_fini(&second);
    message_end();
    heap_compare();
}

static struct gist
request(unsigned i)
{
    static struct msg msg;
    char via[64];

    snprintf(via, sizeof via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK%u", i);
    msg = read_text(txn_rig_request("OPTIONS", via));
    return gist_of(&msg);
}

static uint64_t
serve(unsigned i, const char *to)
{
    struct gist gist = request(i);
    struct hop hop = txn_rig_hop(to);
    uint64_t id = 0;

    hop.listener = 7;
    hop.scope_id = 3;
    must(txns_serve(&first.t, &gist, NULL, &hop, 88, &id) == SIPD_OK);
    return id;
}

static int
reply(uint64_t id, const struct reply_with *said)
{
    first.sent_len = 0;
    return txns_reply(&first.t, id, 200, SPAN("all of it"), said);
}

/* One that is answered so; nobody is told. */
static void
answer(unsigned i, const char *bytes)
{
    uint64_t id = serve(i, UDP);

    first.sent_len = 0;
    must(txns_reply(&first.t, id, 200, span_of(bytes), &with) == SIPD_OK);
}

static const struct txn_entry *
entry(const struct txn_rig *r, unsigned i)
{
    struct gist gist = request(i);
    struct txn_key key = txns_key(&r->t, &gist);

    return txns_find_by(&r->t, &key);
}

static const struct answered *
answered(const struct txn_rig *r, unsigned i)
{
    const struct txn_entry *found = entry(r, i);

    return txn_is_answered(found) ? container_of_const(found, struct answered, entry) : NULL;
}

static void
has_all_of_it(const struct answered *a)
{
    struct reply_with kept = answered_with(a);
    struct hop hop = answered_hop(a), went = txn_rig_hop(UDP);

    ck_assert_uint_eq(a->entry.form, TXN_ANSWERED_WITH);
    ck_assert_uint_eq(a->status, 200);
    ck_assert_uint_eq(a->method, METHOD_OPTIONS);
    ck_assert(span_eq(kept.phrase, with.phrase));
    ck_assert(span_eq(kept.lines, SPAN("Contact: <sip:a@b>\r\nDate: today\r\n")));
    ck_assert_uint_eq(kept.more.len, 0);
    ck_assert(span_eq(kept.type, with.type));
    ck_assert(span_eq(kept.body, with.body));
    ck_assert(hop_eq(&hop, &went));
    ck_assert_uint_eq(hop.listener, 7);
    ck_assert_uint_eq(hop.scope_id, 3);
}

START_TEST(what_its_request_does_not_say_is_kept_of_an_answer)
{
    uint64_t id = serve(0, UDP);

    ck_assert(!txn_is_answered(entry(&first, 0)));
    ck_assert_int_eq(reply(id, &with), SIPD_OK);
    ck_assert_str_eq(first.sent[0].text, "all of it");
    ck_assert_uint_eq(first.sent[0].need, first.notes - 1); /* its end was noted behind */
    has_all_of_it(answered(&first, 0));
    ck_assert(answered_is(&first.t, answered(&first, 0), SPAN("all of it")));
    ck_assert(!answered_is(&first.t, answered(&first, 0), SPAN("all of It")));
    ck_assert_ptr_null(txns_find(&first.t, id));
    ck_assert_int_eq(reply(id, &with), SIPD_ENOENT);
    ck_assert_uint_eq(txns_held(&first.t), 1);
    ck_assert_uint_eq(txns_pending(&first.t), 0);
    ck_assert_uint_eq(first.t.by_kind[TXN_NIST], 1);
    txn_rig_pass(&first, 64 * TXN_T1_MS);
    ck_assert_ptr_null(entry(&first, 0));
    ck_assert_uint_eq(first.t.by_kind[TXN_NIST], 0);
    ck_assert_uint_eq(txns_next_ms(&first.t), UINT64_MAX);
}
END_TEST

START_TEST(all_is_kept_of_another_ones)
{
    ck_assert_int_eq(reply(serve(0, UDP), NULL), SIPD_OK);
    ck_assert_uint_eq(answered(&first, 0)->entry.form, TXN_ANSWERED_WHOLE);
    ck_assert(span_eq(answered_bytes(answered(&first, 0)), SPAN("all of it")));
}
END_TEST

/* Over a stream it may yet have to take another way, an INVITE waits for its ACK, and a 100 is no end. */
START_TEST(others_stay_transactions)
{
    struct gist gist = request(1);
    struct hop hop = txn_rig_hop(UDP);
    uint64_t id = serve(0, TCP);

    ck_assert_int_eq(reply(id, &with), SIPD_OK);
    ck_assert_ptr_nonnull(txns_find(&first.t, id));
    gist.method = METHOD_INVITE;
    ck_assert_int_eq(txns_serve(&first.t, &gist, NULL, &hop, 88, &id), SIPD_OK);
    ck_assert_int_eq(txns_reply(&first.t, id, 486, SPAN("busy"), &with), SIPD_OK);
    ck_assert_ptr_nonnull(txns_find(&first.t, id));
    id = serve(2, UDP);
    ck_assert_int_eq(txns_reply(&first.t, id, 100, SPAN("trying"), &with), SIPD_OK);
    ck_assert_ptr_nonnull(txns_find(&first.t, id));
    ck_assert_uint_eq(first.t.answered.len, 0);
}
END_TEST

START_TEST(what_is_too_long_for_it_stays_a_transaction)
{
    static char text[LONG];
    struct reply_with longer = with;
    uint64_t id = serve(0, UDP);

    memset(text, 'x', sizeof text);
    longer.lines = (struct span){ text, sizeof text };
    ck_assert_int_eq(reply(id, &longer), SIPD_OK);
    ck_assert_ptr_nonnull(txns_find(&first.t, id));
    ck_assert_str_eq(first.sent[0].text, "all of it");
    ck_assert(span_eq(txns_sent(&first.t, txns_find(&first.t, id)), SPAN("all of it")));
}
END_TEST

/* Without memory for either it is not answered, and may be later. */
START_TEST(memory_is_out)
{
    uint64_t id = serve(0, UDP);

    first.mirror = NULL;
    first.t.watched = false;
    for (uint64_t n = 0;; n++) {
        int err;

        mem_fail_after(n);
        err = reply(id, &with);
        mem_fail_never();
        if (err == SIPD_OK)
            break;
        ck_assert_int_eq(err, SIPD_ENOMEM);
        ck_assert_uint_eq(first.sent_len, 0);
        ck_assert_uint_eq(txns_held(&first.t), 1);
        ck_assert(!txn_is_answered(entry(&first, 0)));
    }
    ck_assert_uint_eq(first.sent_len, 1);
    ck_assert_ptr_nonnull(entry(&first, 0));
}
END_TEST

/* Whoever comes and goes: who is not over yet is there, and nobody else. */
START_TEST(each_lasts_as_long)
{
    enum { STEPS = 3000 };
    static uint64_t over_ms[STEPS];
    struct rand rand;
    unsigned left = 0;

    rand_seed(&rand, 31);
    first.mirror = NULL;
    for (unsigned i = 0; i < STEPS; i++) {
        must(reply(serve(i, UDP), rand_below(&rand, 2) ? &with : NULL) == SIPD_OK);
        over_ms[i] = first.clock.now_ms + 64 * TXN_T1_MS;
        txn_rig_pass(&first, 70 + rand_below(&rand, 20));
        while (over_ms[left] <= first.clock.now_ms)
            must(!entry(&first, left++));
        must(first.t.answered.len == i + 1 - left);
        must(answered(&first, left + (unsigned)rand_below(&rand, i + 1 - left)) != NULL);
    }
    ck_assert_uint_gt(left, STEPS / 2);
    ck_assert_uint_eq(first.t.evicted, 0);
}
END_TEST

/* ---------------------------------------------------------------- on another node */

START_TEST(another_node_says_the_same)
{
    must(reply(serve(0, UDP), &with) == SIPD_OK);
    must(reply(serve(1, UDP), NULL) == SIPD_OK);
    has_all_of_it(answered(&second, 0));
    ck_assert(span_eq(answered_bytes(answered(&second, 1)), SPAN("all of it")));
    ck_assert_uint_eq(second.t.slots.used, 0);
    ck_assert_uint_eq(answered(&second, 0)->deadline_ms, answered(&first, 0)->deadline_ms);
    second.clock.now_ms += 20000;
    txns_wake(&second.t, 20000);
    txn_rig_pass(&second, 11999);
    ck_assert_ptr_nonnull(answered(&second, 0));
    txn_rig_pass(&second, 1);
    ck_assert_ptr_null(answered(&second, 0));
    ck_assert_uint_eq(second.sent_len, 0);
}
END_TEST

/* It is not told that they end, and does not ask for the time while it is dormant. */
START_TEST(nobody_piles_up_there)
{
    for (unsigned i = 0; i < 4000; i++) {
        must(reply(serve(i, UDP), &with) == SIPD_OK);
        txn_rig_pass(&first, 100);
        second.clock.now_ms += 100;
        must(second.t.answered.len <= first.t.answered.len + 2);
        must(answered(&second, i) != NULL);
    }
}
END_TEST

START_TEST(what_is_told_twice_is_there_once)
{
    must(reply(serve(0, UDP), &with) == SIPD_OK);
    (void)answered_note(&first.t, answered(&first, 0));
    ck_assert_uint_eq(second.t.answered.len, 1);
}
END_TEST

START_TEST(a_full_pool_forgets_the_oldest)
{
    second.t.slots.limit = 2;
    for (unsigned i = 0; i < 3; i++)
        must(reply(serve(i, UDP), &with) == SIPD_OK);
    ck_assert_ptr_null(answered(&second, 0));
    ck_assert_ptr_nonnull(answered(&second, 2));
    ck_assert_uint_eq(txns_held(&second.t), 2);
}
END_TEST

static int
take(struct span bytes)
{
    struct fact fact = { .kind = ANSWERED_FACT, .version = 1, .bytes = bytes };

    return txns_restore(&second.t, &fact);
}

/* The second one is told of it as it is now. */
static void
tell(unsigned i)
{
    (void)answered_note(&first.t, answered(&first, i));
    must(take(buf_span(&first.t.record)) == SIPD_OK);
}

static void
alone(void)
{
    first.mirror = NULL;
    first.t.watched = false;
}

static void
pass_for_both(uint64_t ms)
{
    txn_rig_pass(&first, ms);
    second.clock.now_ms += ms;
}

/* Whoever begins to watch hears of what is new before he is told of what there was: that lasts as long then, and no longer. */
START_TEST(who_is_told_late_of_one_holds_it_longer)
{
    alone();
    answer(0, "one");
    pass_for_both(31000);
    answer(1, "two");
    tell(1);
    tell(0);
    ck_assert_uint_eq(answered(&second, 0)->deadline_ms, answered(&second, 1)->deadline_ms);
    txns_wake(&second.t, 0);
    txn_rig_pass(&second, 31999);
    ck_assert_ptr_nonnull(answered(&second, 0));
    txn_rig_pass(&second, 1);
    ck_assert_uint_eq(txns_held(&second.t), 0);
}
END_TEST

/* It was never told that the first one has begun anew, and has answered another one under the same key. */
START_TEST(what_was_said_last_stands)
{
    alone();
    answer(0, "one");
    tell(0);
    txn_rig_fini(&first);
    txn_rig_init(&first, LIMIT);
    alone();
    answer(0, "another");
    tell(0);
    ck_assert(answered_is(&second.t, answered(&second, 0), SPAN("another")));
}
END_TEST

START_TEST(what_is_over_is_in_nobodys_way)
{
    alone();
    for (unsigned i = 0; i < 10; i++) {
        answer(i, "one");
        tell(i);
    }
    pass_for_both(40000);
    answer(9, "one");
    tell(9);
    txns_wake(&second.t, 0);
    txn_rig_pass(&second, 1);
    ck_assert_ptr_nonnull(answered(&second, 9));
}
END_TEST

START_TEST(what_cannot_be_one_is_refused)
{
    static char text[LONG];
    struct buf b;

    first.mirror = NULL;
    must(reply(serve(0, UDP), &with) == SIPD_OK);
    (void)answered_note(&first.t, answered(&first, 0));
    buf_init(&b, 1 << 20);
    buf_put(&b, buf_span(&first.t.record));
    ck_assert_int_eq(take((struct span){ NULL, 0 }), SIPD_EINVAL);
    ck_assert_int_eq(take(SPAN("?")), SIPD_ESYNTAX);
    tlv_put_u64(&b, 3, 180); /* no end */
    ck_assert_int_eq(take(buf_span(&b)), SIPD_EINVAL);
    tlv_put_u64(&b, 3, 200);
    tlv_put_u64(&b, 2, 1); /* whole, and yet in parts */
    ck_assert_int_eq(take(buf_span(&b)), SIPD_EINVAL);
    tlv_put_u64(&b, 2, 0);
    tlv_put_u64(&b, 4, 0); /* over */
    ck_assert_int_eq(take(buf_span(&b)), SIPD_EINVAL);
    tlv_put_u64(&b, 4, UINT64_MAX); /* … and one that no node would hold so long */
    ck_assert_int_eq(take(buf_span(&b)), SIPD_OK);
    ck_assert_uint_eq(answered(&second, 0)->deadline_ms, second.clock.now_ms + 64 * TXN_T1_MS);
    tlv_put(&b, 9, (struct span){ memset(text, 'x', sizeof text), sizeof text });
    ck_assert_int_eq(take(buf_span(&b)), SIPD_EINVAL);
    buf_fini(&b);
}
END_TEST

START_TEST(there_memory_may_be_out)
{
    struct span bytes;

    first.mirror = NULL;
    must(reply(serve(0, UDP), &with) == SIPD_OK);
    (void)answered_note(&first.t, answered(&first, 0));
    bytes = buf_span(&first.t.record);
    for (uint64_t n = 0;; n++) {
        int err;

        mem_fail_after(n);
        err = take(bytes);
        mem_fail_never();
        if (err == SIPD_OK)
            break;
        ck_assert_int_eq(err, SIPD_ENOMEM);
        ck_assert_uint_eq(txns_held(&second.t), 0);
    }
    has_all_of_it(answered(&second, 0));
}
END_TEST

Suite *
suite_answered(void)
{
    Suite *s = suite_create("answered");
    TCase *c = tcase_create("answered");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, what_its_request_does_not_say_is_kept_of_an_answer);
    tcase_add_test(c, all_is_kept_of_another_ones);
    tcase_add_test(c, others_stay_transactions);
    tcase_add_test(c, what_is_too_long_for_it_stays_a_transaction);
    tcase_add_test(c, memory_is_out);
    tcase_add_test(c, each_lasts_as_long);
    tcase_add_test(c, another_node_says_the_same);
    tcase_add_test(c, nobody_piles_up_there);
    tcase_add_test(c, what_is_told_twice_is_there_once);
    tcase_add_test(c, a_full_pool_forgets_the_oldest);
    tcase_add_test(c, who_is_told_late_of_one_holds_it_longer);
    tcase_add_test(c, what_was_said_last_stands);
    tcase_add_test(c, what_is_over_is_in_nobodys_way);
    tcase_add_test(c, what_cannot_be_one_is_refused);
    tcase_add_test(c, there_memory_may_be_out);
    suite_add_tcase(s, c);
    return s;
}
