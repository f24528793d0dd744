/*
 * Server transactions: the times of G, H, I, J and L over both kinds of transport, and what is said again (RFC 3261 §17.2, RFC 6026 §7.1).
 */
#include "txn/answered.h"
#include "unit/txn_cast.h"

Suite *suite_txns_servers(void);

/* ---------------------------------------------------------------- INVITE server: G, H, I, L */

START_TEST(nothing_is_sent_until_the_user_answers)
{
    struct txn *txn = server("INVITE", UDP);

    ck_assert_uint_eq(txn->kind, TXN_IST);
    ck_assert_uint_eq(txn->owner, 88);
    ck_assert_int_eq(txns_heard_again(&r.t, txn, false), TXN_UNHEARD);
    ck_assert_int_eq(txns_heard_again(&r.t, txn, true), TXN_QUIET);
    txn_rig_pass(&r, HOUR_MS);
    ck_assert_str_eq(txn_rig_times(&r), "");
    ck_assert_int_eq(txn->state, TXN_PROCEEDING);
}
END_TEST

START_TEST(a_repeated_invite_gets_the_last_provisional_response)
{
    struct txn *txn = server("INVITE", UDP);

    answer(txn, 100, "trying");
    ck_assert_int_eq(txns_heard_again(&r.t, txn, false), TXN_QUIET);
    ck_assert_str_eq(last_sent(), "trying");
    answer(txn, 180, "ringing");
    answer(txn, 183, "progress");
    ck_assert_int_eq(txns_heard_again(&r.t, txn, false), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 5);
    ck_assert_str_eq(last_sent(), "progress");
    ck_assert(hop_eq(&r.sent[4].to, &txn->hop));
    ck_assert_uint_eq(txn->status, 183);
    ck_assert_uint_eq(r.t.repeats, 2);
    txn_rig_pass(&r, HOUR_MS);
    ck_assert_uint_eq(r.sent_len, 5);
}
END_TEST

START_TEST(g_doubles_up_to_t2_until_h)
{
    answer(server("INVITE", UDP), 486, "busy");
    txn_rig_pass(&r, HOUR_MS);
    ended("0 500 1500 3500 7500 11500 15500 19500 23500 27500 31500", "TIMEOUT@32000");
    ck_assert_str_eq(last_sent(), "busy");
}
END_TEST

START_TEST(g_is_not_for_reliable_transports_but_h_is)
{
    answer(server("INVITE", TCP), 486, "busy");
    txn_rig_pass(&r, HOUR_MS);
    ended("0", "TIMEOUT@32000");
}
END_TEST

START_TEST(a_repeated_invite_gets_the_failure_without_touching_g)
{
    struct txn *txn = server("INVITE", UDP);

    answer(txn, 486, "busy");
    txn_rig_pass(&r, 700);
    ck_assert_int_eq(txns_heard_again(&r.t, txn, false), TXN_QUIET);
    txn_rig_pass(&r, 900);
    ck_assert_str_eq(txn_rig_times(&r), "0 500 700 1500");
    ck_assert_int_eq(txns_answer(&r.t, txn->id, 200, SPAN("ok")), SIPD_ENOENT);
    ck_assert_int_eq(txns_answer(&r.t, txn->id, 180, SPAN("ringing")), SIPD_ENOENT);
    ck_assert_int_eq(txns_answer(&r.t, txn->id, 603, SPAN("no")), SIPD_ENOENT);
    ck_assert_uint_eq(txn->status, 486);
}
END_TEST

static void
acknowledge(const char *to, uint64_t i_ms)
{
    struct txn *txn = server("INVITE", to);
    uint64_t id = txn->id;

    answer(txn, 486, "busy");
    txn_rig_pass(&r, 100);
    txn_rig_forget(&r);
    ck_assert_int_eq(txns_heard_again(&r.t, txn, true), TXN_QUIET);
    ck_assert_int_eq(txn->state, TXN_CONFIRMED);
    ck_assert_ptr_null(txn->bytes);
    ck_assert_int_eq(txns_heard_again(&r.t, txn, true), TXN_QUIET);
    ck_assert_int_eq(txns_heard_again(&r.t, txn, false), TXN_QUIET);
    if (i_ms > 0) {
        txn_rig_pass(&r, i_ms - 1);
        ck_assert_ptr_nonnull(txns_find(&r.t, id));
        txn_rig_pass(&r, 1);
    }
    txn_rig_pass(&r, 0);
    ck_assert_ptr_null(txns_find(&r.t, id));
}

START_TEST(an_ack_stops_g_and_h_and_is_absorbed_until_i)
{
    acknowledge(UDP, 5000);
    ended("", "ENDED@5000");
    acknowledge(TCP, 0);
    ended("", "ENDED@0");
}
END_TEST

/* RFC 6026 §7.1: L on every transport; it repeats nothing by itself, absorbs INVITEs, passes what its user sends. */
static void
accept_invite(const char *to)
{
    struct txn *txn = server("INVITE", to);

    answer(txn, 180, "ringing");
    txn_rig_forget(&r);
    answer(txn, 200, "ok");
    ck_assert_int_eq(txn->state, TXN_ACCEPTED);
    ck_assert_ptr_null(txn->bytes);
    txn_rig_pass(&r, 31998);
    ck_assert_int_eq(txns_heard_again(&r.t, txn, false), TXN_QUIET);
    answer(txn, 200, "ok again");
    ck_assert_ptr_null(txn->bytes);
    ck_assert_str_eq(last_sent(), "ok again");
    ck_assert_int_eq(txns_answer(&r.t, txn->id, 486, SPAN("busy")), SIPD_ENOENT);
    txn_rig_pass(&r, 1);
    ck_assert_ptr_nonnull(txns_find(&r.t, txn->id));
    txn_rig_pass(&r, HOUR_MS);
    ended("0 31998", "ENDED@32000");
}

START_TEST(a_success_absorbs_repeats_until_l)
{
    accept_invite(UDP);
    accept_invite(TCP);
}
END_TEST

/* ---------------------------------------------------------------- other servers: J */

START_TEST(repeats_before_any_answer_are_dropped)
{
    struct txn *txn = server("OPTIONS", UDP);

    ck_assert_int_eq(txns_heard_again(&r.t, txn, false), TXN_UNHEARD);
    txn_rig_pass(&r, HOUR_MS);
    ck_assert_uint_eq(r.sent_len, 0);
    answer(txn, 100, "trying");
    ck_assert_int_eq(txns_heard_again(&r.t, txn, false), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 2);
    ck_assert_str_eq(last_sent(), "trying");
    answer(txn, 100, "trying still");
    ck_assert_uint_eq(r.sent_len, 3);
}
END_TEST

static void
answer_server(const char *to, unsigned provisional, unsigned status)
{
    struct txn *txn = server("OPTIONS", to);
    uint64_t id = txn->id;

    if (provisional)
        answer(txn, provisional, "wait");
    txn_rig_forget(&r);
    answer(txn, status, "done");
    ck_assert_int_eq(txns_answer(&r.t, id, 200, SPAN("else")), SIPD_ENOENT);
    ck_assert_int_eq(txns_answer(&r.t, id, 100, SPAN("wait")), SIPD_ENOENT);
    ck_assert_int_eq(txns_answer(&r.t, id, 500, SPAN("bad")), SIPD_ENOENT);
}

/* What is left of it. */
static const struct answered *
answered_by(const struct gist *gist)
{
    struct txn_key key = txns_key(&r.t, gist);
    struct txn_entry *entry = txns_find_by(&r.t, &key);

    return txn_is_answered(entry) ? container_of_const(entry, struct answered, entry) : NULL;
}

START_TEST(repeats_get_the_answer_again_until_j)
{
    static const unsigned provisional[] = { 0, 100 }, final[] = { 200, 404 };

    for (size_t i = 0; i < countof(provisional); i++)
        for (size_t j = 0; j < countof(final); j++) {
            struct gist gist = gist_text(txn_rig_request("OPTIONS", VIA));

            answer_server(UDP, provisional[i], final[j]);
            txn_rig_pass(&r, 31999);
            ck_assert_ptr_nonnull(answered_by(&gist));
            ck_assert_uint_eq(answered_by(&gist)->status, final[j]);
            ck_assert(span_eq(answered_bytes(answered_by(&gist)), SPAN("done")));
            txn_rig_pass(&r, 1);
            ck_assert_ptr_null(answered_by(&gist));
            ended("0", "");
            answer_server(TCP, provisional[i],
                          final[j]); /* over a new connection, which may yet fail */
            txn_rig_pass(&r, HOUR_MS);
            ended("0", "ENDED@32000");
            answer_server(FLOW, provisional[i], final[j]);
            txn_rig_pass(&r, 0);
            ck_assert_ptr_nonnull(txn_rig_server(&r.t, &gist));
            txn_rig_pass(&r, HOUR_MS);
            ended("0", "ENDED@1");
        }
}
END_TEST

Suite *
suite_txns_servers(void)
{
    const TTest *const servers[] = {
        nothing_is_sent_until_the_user_answers,
        a_repeated_invite_gets_the_last_provisional_response,
        g_doubles_up_to_t2_until_h,
        g_is_not_for_reliable_transports_but_h_is,
        a_repeated_invite_gets_the_failure_without_touching_g,
        an_ack_stops_g_and_h_and_is_absorbed_until_i,
        a_success_absorbs_repeats_until_l,
        repeats_before_any_answer_are_dropped,
        repeats_get_the_answer_again_until_j,
    };
    Suite *s = suite_create("txns_servers");

    ADD_CASE(s, "servers", servers);
    return s;
}
