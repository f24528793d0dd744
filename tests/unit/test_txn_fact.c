/*
 * Transactions that another pool takes in by their facts, and goes on with: same timers, same last words, nothing before
 * it is woken (RFC 3261 §17, RFC 6026).
 */
#include "txn/fact.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/rand.h"
#include "unit/heap.h"
#include "unit/message.h"
#include "unit/txn_rig.h"

#define UDP    "udp:192.0.2.9:5060"
#define TCP    "tcp:192.0.2.9:5060"
#define VIA    "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa"
#define BRANCH "z9hG4bKours"

enum { HOUR_MS = 3600000, LIMIT = 100, WORLDS = 3000 };

static struct txn_rig first, second;

static void
begin(void)
{
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
}

static uint64_t
ask(const char *method, const char *to)
{
    return txn_rig_ask(&first, BRANCH, method, to);
}

static uint64_t
serve_via(const char *via, const char *method, const char *to)
{
    struct msg msg = read_text(txn_rig_request(method, via));
    struct gist gist = gist_of(&msg);
    struct hop hop = txn_rig_hop(to);
    uint64_t id = 0;

    ck_assert_int_eq(txns_serve(&first.t, &gist, NULL, &hop, 88, &id), SIPD_OK);
    return id;
}

static uint64_t
serve(const char *method, const char *to)
{
    return serve_via(VIA, method, to);
}

static void
hear(struct txn_rig *r, uint64_t id, const char *method, unsigned status)
{
    struct msg msg = read_text(txn_rig_response(status, method, BRANCH, "t1"));
    struct gist gist = gist_of(&msg);
    struct txn *txn = txns_find_client(&r->t, &gist);

    if (txn && txn->id == id)
        (void)txns_heard(&r->t, txn, status, &gist);
}

/* ms pass for both; what is dormant says nothing. */
static void
pass(uint64_t ms)
{
    txn_rig_pass(&first, ms);
    second.clock.now_ms += ms;
    txn_rig_pass(&second, 0);
    must(second.sent_len == 0 && second.told[0] == '\0');
}

/* The first one is gone, and was silent for so long; the second one goes on; time is counted from here. */
static void
take_over_after(uint64_t silent_ms)
{
    first.mirror = NULL;
    second.clock.now_ms += silent_ms;
    txn_rig_forget(&first);
    txn_rig_forget(&second);
    txns_wake(&second.t, silent_ms);
}

static void
take_over(void)
{
    take_over_after(0);
}

START_TEST(an_invite_goes_on_where_it_was)
{
    uint64_t id = ask("INVITE", UDP);

    pass(2000);
    take_over();
    txn_rig_pass(&second, HOUR_MS);
    ck_assert_str_eq(txn_rig_times(&second), "1500 5500 13500 29500");
    ck_assert_str_eq(second.told, "TIMEOUT@30000");
    ck_assert_ptr_null(txns_find(&second.t, id));
}
END_TEST

/* A was due 100 ms after the last sign of life, and is said when that is known; a second one is not. */
START_TEST(what_was_due_in_the_silence_is_said_once)
{
    uint64_t id = ask("INVITE", UDP);

    pass(1400);
    take_over_after(200);
    txn_rig_pass(&second, HOUR_MS);
    ck_assert_str_eq(txn_rig_times(&second), "0 2000 6000 14000 30000");
    ck_assert_str_eq(second.told, "TIMEOUT@30400");
    ck_assert_ptr_null(txns_find(&second.t, id));
}
END_TEST

START_TEST(one_that_only_heard_100_asks_once_more)
{
    uint64_t id = ask("INVITE", UDP);

    hear(&first, id, "INVITE", 100);
    pass(2000);
    take_over();
    txn_rig_pass(&second, HOUR_MS);
    ck_assert_str_eq(txn_rig_times(&second), "0");
    must(strncmp(second.sent[0].text, "INVITE ", 7) == 0);
}
END_TEST

START_TEST(one_that_rings_is_left_alone)
{
    uint64_t id = ask("INVITE", UDP);

    hear(&first, id, "INVITE", 180);
    take_over();
    txn_rig_pass(&second, HOUR_MS);
    ck_assert_str_eq(txn_rig_times(&second), "");
    hear(&second, id, "INVITE", 486);
    ck_assert_uint_eq(second.sent_len, 1);
    must(strncmp(second.sent[0].text, "ACK ", 4) == 0);
    txn_rig_pass(&second, HOUR_MS);
    ck_assert_uint_eq(second.t.slots.used, 0);
}
END_TEST

START_TEST(a_caller_hears_again_that_it_rings)
{
    uint64_t id = serve("INVITE", UDP);

    ck_assert_int_eq(txns_answer(&first.t, id, 180, SPAN("ringing")), SIPD_OK);
    take_over();
    ck_assert_uint_eq(second.sent_len, 1);
    ck_assert_str_eq(second.sent[0].text, "ringing");
    ck_assert_int_eq(txns_answer(&second.t, id, 486, SPAN("busy")), SIPD_OK);
    txn_rig_pass(&second, HOUR_MS);
    ck_assert_uint_eq(second.t.slots.used, 0);
}
END_TEST

START_TEST(a_failure_is_repeated_until_the_ack)
{
    struct msg ack = read_text(txn_rig_request("ACK", VIA));
    struct gist gist = gist_of(&ack);
    uint64_t id = serve("INVITE", UDP);

    ck_assert_int_eq(txns_answer(&first.t, id, 486, SPAN("busy")), SIPD_OK);
    pass(600);
    take_over();
    txn_rig_pass(&second, 2900);
    ck_assert_str_eq(txn_rig_times(&second), "900 2900");
    ck_assert_ptr_eq(txn_rig_server(&second.t, &gist), txns_find(&second.t, id));
    txns_heard_again(&second.t, txns_find(&second.t, id), true);
    txn_rig_pass(&second, HOUR_MS);
    ck_assert_uint_eq(second.t.slots.used, 0);
}
END_TEST

/* A response goes to the port of the Via, by a new connection, or to who comes back by one of his own (§18.2.2). */
/* They wake in the order of their ids, which is another one than that in which they were answered. */
START_TEST(who_is_finished_ends_when_its_time_is_over)
{
    enum { ALL = 3 };
    uint64_t ids[ALL];
    char via[100];

    for (unsigned i = 0; i < ALL; i++) {
        snprintf(via, sizeof via, "SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK%u", i);
        ids[i] = serve_via(via, "OPTIONS", TCP);
    }
    for (unsigned i = ALL; i-- > 0;) {
        ck_assert_int_eq(txns_answer(&first.t, ids[i], 200, SPAN("ok")), SIPD_OK);
        pass(1000);
    }
    take_over();
    txn_rig_pass(&second, 28000);
    for (unsigned i = ALL; i-- > 0;) {
        txn_rig_pass(&second, 999);
        ck_assert_ptr_nonnull(txns_find(&second.t, ids[i]));
        ck_assert_uint_eq(second.t.slots.used, i + 1);
        txn_rig_pass(&second, 1);
        ck_assert_ptr_null(txns_find(&second.t, ids[i]));
        ck_assert_uint_eq(second.t.slots.used, i);
    }
    ck_assert_uint_eq(second.t.timers.armed, 0);
}
END_TEST

START_TEST(a_flow_of_another_process_is_dead)
{
    struct msg msg = read_text(txn_rig_request("OPTIONS", VIA));
    struct gist gist = gist_of(&msg);
    struct hop hop = txn_rig_hop("tcp:192.0.2.9:40001"),
               other = txn_rig_hop("tcp:192.0.2.10:40001");
    struct txn *txn;
    uint64_t id = 0;

    hop.flow = 7;
    ck_assert_int_eq(txns_serve(&first.t, &gist, NULL, &hop, 88, &id), SIPD_OK);
    txn = txns_find(&second.t, id);
    ck_assert_uint_eq(txn->hop.flow, 0);
    ck_assert_uint_eq(txn->hop.port, 5060);
    take_over();
    hop.flow = 8;
    other.flow = 9;
    must(!txns_move(&second.t, txn, &other));
    must(txns_move(&second.t, txn, &hop));
    ck_assert_uint_eq(txn->hop.flow, 8);
    must(!txns_move(&second.t, txn, &hop));
    ck_assert_int_eq(txns_answer(&second.t, id, 200, SPAN("yes")), SIPD_OK);
    ck_assert_uint_eq(second.sent[0].to.flow, 8);
}
END_TEST

/* Whoever merely tries a connection (§18.1.1) goes on by datagram when it takes long; so does who tries in his place. */
START_TEST(what_was_tried_is_tried)
{
    struct hop hop = txn_rig_hop(TCP);
    uint64_t id = 0;

    hop.connect_ms = 500;
    ck_assert_int_eq(txns_request(&first.t, METHOD_INVITE,
                                  txn_rig_key(&first.t, METHOD_INVITE, SPAN(BRANCH)), &hop,
                                  SPAN("INVITE"), SPAN(""), 77, &id),
                     SIPD_OK);
    pass(100);
    take_over();
    ck_assert_uint_eq(second.sent_len, 1);
    ck_assert_uint_eq(second.sent[0].to.connect_ms, 500);
}
END_TEST

/* A request that came again where its client transaction is left over and its server transaction is not: it goes on as a repeat. */
START_TEST(what_is_left_over_makes_room_for_a_repeat)
{
    uint64_t id = ask("BYE", UDP), again;

    ck_assert_int_eq(txns_request(&first.t, METHOD_BYE,
                                  txn_rig_key(&first.t, METHOD_BYE, SPAN(BRANCH)),
                                  &(struct hop){ .port = 1 }, SPAN("BYE"), SPAN(""), 77, &again),
                     SIPD_EEXIST);
    hear(&first, id, "BYE", 200);
    ck_assert_int_eq(txns_request(&first.t, METHOD_BYE,
                                  txn_rig_key(&first.t, METHOD_BYE, SPAN(BRANCH)),
                                  &(struct hop){ .port = 1 }, SPAN("BYE"), SPAN(""), 77, &again),
                     SIPD_EEXIST); /* it is somebody's */
    txns_disown(&first.t, id, 0);
    again = ask("BYE", UDP);
    must(again != id && !txns_find(&first.t, id));
    ck_assert_uint_eq(first.sent_len, 2);
    ck_assert_uint_eq(second.t.slots.used, 1);
}
END_TEST

/* ---------------------------------------------------------------- anything may have happened */

static void
anything_happens(struct rand *rand, const uint64_t ids[2], const char *const methods[2],
                 uint64_t pause_ms)
{
    static const unsigned statuses[] = { 100, 180, 183, 200, 302, 486, 603 };
    unsigned status = statuses[rand_below(rand, countof(statuses))];

    switch (rand_below(rand, 6)) {
    case 0: hear(&first, ids[0], methods[0], status); break;
    case 1: (void)!txns_answer(&first.t, ids[1], status, SPAN("answer")); break;
    case 2: {
        struct txn *txn = txns_find(&first.t, ids[1]);

        if (txn)
            (void)txns_heard_again(&first.t, txn, txn->kind == TXN_IST && rand_below(rand, 2));
        break;
    }
    case 3: txns_disown(&first.t, ids[0], 5); break;
    default: pass(rand_below(rand, pause_ms));
    }
}

/* What the second one says by itself at once is more than the first one would have said. */
static void
forget_first_words(void)
{
    unsigned n = second.sent_len;

    must(n <= 2);
    second.sent_len = 0;
}

/* Repeats that the first one sent are no facts, but follow from the time. */
static void
must_agree(uint64_t seed)
{
    const char *one = txn_rig_times(&first), *two = txn_rig_times(&second);
    bool differ =
        strcmp(first.told, second.told) != 0 || txns_held(&first.t) != txns_held(&second.t);

    if (differ || strcmp(one, two) != 0)
        ck_abort_msg("seed %llu: <%s> <%s> %u left but <%s> <%s> %u left", (unsigned long long)seed,
                     one, first.told, first.t.slots.used, two, second.told, second.t.slots.used);
    for (unsigned i = 0; i < first.sent_len; i++)
        must(strcmp(first.sent[i].text, second.sent[i].text) == 0);
}

/* Whatever happened before, from then on both do the same at the same times. */
START_TEST(both_would_go_on_alike)
{
    static const char *const names[][2] = { { "INVITE", "OPTIONS" }, { "OPTIONS", "INVITE" } };

    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        const char *const *methods = names[seed % 2];
        const char *to = seed % 3 ? UDP : TCP;
        uint64_t ids[2];
        struct rand rand;

        rand_seed(&rand, seed);
        ids[0] = ask(methods[0], to);
        ids[1] = serve(methods[1], to);
        for (uint64_t events = rand_below(&rand, 8); events > 0; events--)
            anything_happens(&rand, ids, methods, seed % 5 ? 60 : 9000);
        take_over();
        forget_first_words();
        txn_rig_pass(&first, HOUR_MS);
        txn_rig_pass(&second, HOUR_MS);
        must_agree(seed);
        end();
        begin();
    }
}
END_TEST

/* ---------------------------------------------------------------- what is no fact */

static int
take(uint64_t id, uint32_t version, struct span bytes)
{
    struct fact fact = { .kind = TXN_FACT, .version = version, .id = id, .bytes = bytes };

    return txns_restore(&second.t, &fact);
}

START_TEST(what_is_older_is_ignored)
{
    uint64_t id = serve("INVITE", UDP);
    struct buf old;

    buf_init(&old, 10000);
    txn_fact_write(&first.t, txns_find(&first.t, id), &old);
    ck_assert_int_eq(txns_answer(&first.t, id, 180, SPAN("ringing")), SIPD_OK);
    ck_assert_int_eq(take(id, 1, buf_span(&old)), SIPD_OK);
    ck_assert_uint_eq(txns_find(&second.t, id)->status, 180);
    ck_assert_int_eq(take(id, 9, buf_span(&old)), SIPD_OK);
    ck_assert_uint_eq(txns_find(&second.t, id)->status, 0);
    buf_fini(&old);
}
END_TEST

START_TEST(an_end_ends_it_and_nothing_else)
{
    uint64_t id = serve("OPTIONS", UDP);

    ck_assert_int_eq(take(id + 1, 9, (struct span){ NULL, 0 }), SIPD_OK);
    ck_assert_ptr_nonnull(txns_find(&second.t, id));
    ck_assert_int_eq(take(id, 9, (struct span){ NULL, 0 }), SIPD_OK);
    ck_assert_ptr_null(txns_find(&second.t, id));
}
END_TEST

START_TEST(what_no_pool_can_hold_is_refused)
{
    uint64_t id = serve("OPTIONS", UDP), other = (UINT64_C(1) << 32) + 5;
    struct buf good;

    buf_init(&good, 10000);
    txn_fact_write(&first.t, txns_find(&first.t, id), &good);
    ck_assert_int_eq(take(other, 1, SPAN("?")), SIPD_ESYNTAX);
    ck_assert_int_eq(take(other, 1, SPAN("\2\0\1\0\0\0\1")), SIPD_EINVAL); /* no key */
    ck_assert_int_eq(take((UINT64_C(1) << 32) + LIMIT, 1, buf_span(&good)), SIPD_EFULL);
    tlv_put_u64(&good, 10, 1); /* a timer that repeats at once, for ever */
    ck_assert_int_eq(take(other, 1, buf_span(&good)), SIPD_EINVAL);
    tlv_put_u64(&good, 7, TXN_T1_MS);
    tlv_put_u64(&good, 2, TXN_CONFIRMED); /* no such state of a NIST */
    ck_assert_int_eq(take(other, 1, buf_span(&good)), SIPD_EINVAL);
    ck_assert_uint_eq(second.t.slots.used, 1);
    buf_fini(&good);
}
END_TEST

START_TEST(memory_is_out)
{
    uint64_t id = serve("INVITE", UDP), other = (UINT64_C(1) << 32) + 5;
    struct buf good;

    buf_init(&good, 10000);
    ck_assert_int_eq(txns_answer(&first.t, id, 180, SPAN("ringing")), SIPD_OK);
    txn_fact_write(&first.t, txns_find(&first.t, id), &good);
    for (uint64_t n = 0;; n++) {
        int err;

        mem_fail_after(n);
        err = take(other, 1, buf_span(&good));
        mem_fail_never();
        if (err == SIPD_OK)
            break;
        must(err == SIPD_ENOMEM && !txns_find(&second.t, other));
    }
    ck_assert_ptr_nonnull(txns_find(&second.t, other));
    buf_fini(&good);
}
END_TEST

Suite *
suite_txn_fact(void)
{
    const TTest *const tests[] = {
        an_invite_goes_on_where_it_was,
        what_was_due_in_the_silence_is_said_once,
        one_that_only_heard_100_asks_once_more,
        one_that_rings_is_left_alone,
        a_caller_hears_again_that_it_rings,
        a_failure_is_repeated_until_the_ack,
        who_is_finished_ends_when_its_time_is_over,
        a_flow_of_another_process_is_dead,
        what_was_tried_is_tried,
        what_is_left_over_makes_room_for_a_repeat,
        both_would_go_on_alike,
        what_is_older_is_ignored,
        an_end_ends_it_and_nothing_else,
        what_no_pool_can_hold_is_refused,
        memory_is_out,
    };
    Suite *s = suite_create("txn_fact");
    TCase *c = tcase_create("txn_fact");

    tcase_add_checked_fixture(c, begin, end);
    for (size_t i = 0; i < countof(tests); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
