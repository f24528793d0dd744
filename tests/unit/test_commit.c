/*
 * The one writer of a transaction's state: the order of its actions, what an ignored event leaves alone.
 */
#include "txn/commit.h"

#include "base/mem.h"
#include "unit/message.h"
#include "unit/txn_rig.h"

#define BRANCH "z9hG4bKours"

static struct txn_rig r;
static struct txn *txn;

/* What was called, a letter each, and in which state the transaction was then. */
static char calls[32];
static enum txn_state states[32];

static void
take(char letter)
{
    size_t n = strlen(calls);

    must(n + 1 < sizeof calls);
    calls[n] = letter;
    states[n] = txn ? txn->state : TXN_NONE;
}

static void
take_send(void *io, const struct hop *to, struct span bytes, uint64_t id, uint64_t need)
{
    (void)io, (void)to, (void)bytes, (void)id;
    must(need == 42);
    take('s');
}

static uint64_t
take_note(void *io, const struct fact *fact)
{
    (void)io, (void)fact;
    take('n');
    return 42;
}

static void
begin(void)
{
    message_begin();
    txn_rig_init(&r, 100);
    r.t.ports.send = take_send;
    r.t.ports.note = take_note;
    memset(calls, 0, sizeof calls);
    txn = NULL;
}

static void
end(void)
{
    mem_fail_never();
    txn_rig_fini(&r);
    message_end();
}

/* What the transaction keeps to send again. */
static struct span
kept(void)
{
    return (struct span){ txn->bytes, txn->bytes_len };
}

static void
open_server(void)
{
    struct msg msg = read_text(txn_rig_request("INVITE", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa"));
    struct gist gist = gist_of(&msg);
    struct hop hop = txn_rig_hop("udp:192.0.2.1:5060");
    uint64_t id = 0;

    ck_assert_int_eq(txns_serve(&r.t, &gist, NULL, &hop, 1, &id), SIPD_OK);
    txn = txns_find(&r.t, id);
}

static void
open_client(void)
{
    struct hop hop = txn_rig_hop("udp:192.0.2.9:5060");
    uint64_t id = 0;

    ck_assert_int_eq(
        txns_request(&r.t, METHOD_INVITE, txn_rig_key(&r.t, METHOD_INVITE, SPAN(BRANCH)), &hop,
                     span_of(txn_rig_request("INVITE", "SIP/2.0/UDP 198.51.100.1;branch=" BRANCH)),
                     SPAN(""), 1, &id),
        SIPD_OK);
    txn = txns_find(&r.t, id);
    memset(calls, 0, sizeof calls);
}

START_TEST(a_change_is_noted_before_what_rests_on_it_is_sent)
{
    struct commit_input input = { .bytes = SPAN("busy") };
    struct txn_told told;

    open_server();
    ck_assert_str_eq(calls, "n");
    ck_assert_int_eq(commit(&r.t, txn, EV_SEND_3XX, &input, &told), SIPD_OK);
    ck_assert_str_eq(calls, "nns");
    ck_assert_int_eq(states[1], TXN_COMPLETED);
    ck_assert_int_eq(states[2], TXN_COMPLETED);
    ck_assert_int_eq(told.news, TXN_QUIET);
    ck_assert_uint_eq(txn->repeat_at_ms, r.clock.now_ms + TXN_T1_MS);
    ck_assert_uint_ne(txn->timeout_at_ms, TXN_NEVER);
    ck_assert_uint_eq(txn->timer.deadline_ms, txn->repeat_at_ms);
    must_be(kept(), "busy");
}
END_TEST

START_TEST(an_ignored_event_touches_nothing)
{
    struct commit_input input = { .bytes = SPAN("busy") };
    struct txn_told told;
    struct txn before;

    open_server();
    before = *txn;
    memset(calls, 0, sizeof calls);
    for (enum txn_event event = EV_RECV_1XX; event <= EV_GONE; event++) {
        ck_assert_int_eq(commit(&r.t, txn, event, &input, &told), SIPD_ENOENT);
        ck_assert_int_eq(told.news, TXN_QUIET);
        ck_assert_uint_eq(told.id, txn->id);
    }
    ck_assert_str_eq(calls, "");
    ck_assert_uint_eq(txn->version, before.version);
    ck_assert_uint_eq(txn->state, before.state);
    ck_assert_ptr_null(txn->bytes);
}
END_TEST

START_TEST(an_end_is_noted_and_told)
{
    struct txn_told told;
    uint64_t id;

    open_client();
    id = txn->id;
    ck_assert_int_eq(commit(&r.t, txn, EV_TIMEOUT, NULL, &told), SIPD_OK);
    ck_assert_str_eq(calls, "n");
    ck_assert_int_eq(states[0], TXN_GONE);
    ck_assert_int_eq(told.news, TXN_TIMEOUT);
    ck_assert_uint_eq(told.id, id);
    ck_assert_uint_eq(told.owner, 1);
    ck_assert_uint_eq(told.kind, TXN_ICT);
    ck_assert_uint_eq(told.method, METHOD_INVITE);
    ck_assert_ptr_null(txns_find(&r.t, id));
    ck_assert_uint_eq(r.t.timers.armed, 0);
    txn = NULL;
}
END_TEST

START_TEST(bytes_stay_as_long_as_they_may_be_sent_again)
{
    struct commit_input input = { .bytes = SPAN("ok") };
    struct txn_told told;

    open_server();
    input.bytes = SPAN("ringing");
    ck_assert_int_eq(commit(&r.t, txn, EV_SEND_1XX, &input, &told), SIPD_OK);
    must_be(kept(), "ringing");
    input.bytes = SPAN("ok");
    ck_assert_int_eq(commit(&r.t, txn, EV_SEND_2XX, &input, &told), SIPD_OK);
    ck_assert_ptr_null(txn->bytes);
    ck_assert_uint_eq(txn->bytes_len, 0);
    ck_assert_str_eq(calls, "nnsns");
}
END_TEST

/* The ACK takes the INVITE's place; one that cannot be made leaves all as it was, and the repeated failure tries again. */
START_TEST(an_ack_that_cannot_be_made_is_made_later)
{
    struct msg msg = read_text(txn_rig_response(486, "INVITE", BRANCH, "t1"));
    struct gist gist = gist_of(&msg);
    struct commit_input input = { .response = &gist };
    struct txn_told told;

    open_client();
    for (uint64_t n = 0; n < 2; n++) {
        mem_fail_after(n);
        ck_assert_int_eq(commit(&r.t, txn, EV_RECV_3XX, &input, &told), SIPD_ENOMEM);
        mem_fail_never();
        ck_assert_int_eq(txn->state, TXN_CALLING);
        ck_assert_int_eq(told.news, TXN_QUIET);
        must(span_starts(kept(), SPAN("INVITE ")));
    }
    ck_assert_str_eq(calls, "");
    ck_assert_int_eq(commit(&r.t, txn, EV_RECV_3XX, &input, &told), SIPD_OK);
    ck_assert_int_eq(told.news, TXN_RESPONSE);
    ck_assert_str_eq(calls, "ns");
    must(span_starts(kept(), SPAN("ACK ")));
}
END_TEST

START_TEST(an_end_without_a_rule_is_noted)
{
    open_client();
    commit_end(&r.t, txn);
    ck_assert_str_eq(calls, "n");
    ck_assert_uint_eq(r.t.slots.used, 0);
    ck_assert_uint_eq(r.t.table.used, 0);
    ck_assert_uint_eq(r.t.timers.armed, 0);
    txn = NULL;
}
END_TEST

Suite *
suite_commit(void)
{
    Suite *s = suite_create("commit");
    TCase *c = tcase_create("actions");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, a_change_is_noted_before_what_rests_on_it_is_sent);
    tcase_add_test(c, an_ignored_event_touches_nothing);
    tcase_add_test(c, an_end_is_noted_and_told);
    tcase_add_test(c, bytes_stay_as_long_as_they_may_be_sent_again);
    tcase_add_test(c, an_ack_that_cannot_be_made_is_made_later);
    tcase_add_test(c, an_end_without_a_rule_is_noted);
    suite_add_tcase(s, c);
    return s;
}
