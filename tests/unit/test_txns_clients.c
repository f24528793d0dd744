/*
 * Client transactions: the times of A, B, D, E, F, K and M over both kinds of transport, and what is told (RFC 3261 §17.1, RFC 6026 §7.2).
 */
#include "unit/txn_cast.h"

Suite *suite_txns_clients(void);

/* ---------------------------------------------------------------- INVITE client: A, B, D, M */

START_TEST(a_doubles_without_end_until_b)
{
    client("INVITE", UDP);
    txn_rig_pass(&r, HOUR_MS);
    ended("0 500 1500 3500 7500 15500 31500", "TIMEOUT@32000");
    for (unsigned i = 0; i < r.sent_len; i++)
        ck_assert_str_eq(r.sent[i].text, r.sent[0].text);
    ck_assert_uint_eq(r.t.repeats, 6);
}
END_TEST

START_TEST(a_is_not_for_reliable_transports_but_b_is)
{
    client("INVITE", TCP);
    txn_rig_pass(&r, HOUR_MS);
    ended("0", "TIMEOUT@32000");
}
END_TEST

START_TEST(a_provisional_response_stops_a_and_b)
{
    struct txn *txn = client("INVITE", UDP);

    txn_rig_pass(&r, 700);
    ck_assert_int_eq(hear(txn, 180), TXN_RESPONSE);
    ck_assert_int_eq(hear(txn, 100), TXN_RESPONSE);
    ck_assert_uint_eq(txn->status, 180);
    txn_rig_pass(&r, HOUR_MS);
    ck_assert_str_eq(txn_rig_times(&r), "0 500");
    ck_assert_str_eq(r.told, "");
    ck_assert_int_eq(txn->state, TXN_PROCEEDING);
    ck_assert_ptr_nonnull(txn->bytes); /* for ACK and CANCEL */
}
END_TEST

/* §17.1.1.3: one ACK, made once, repeated for each repeat; the user hears of the failure once. */
static void
fail_invite(const char *to, unsigned provisional, uint64_t d_ms)
{
    struct txn *txn = client("INVITE", to);
    uint64_t id = txn->id;

    if (provisional)
        hear(txn, provisional);
    txn_rig_pass(&r, 100);
    txn_rig_forget(&r);
    ck_assert_int_eq(hear(txn, 486), TXN_RESPONSE);
    ck_assert_uint_eq(r.sent_len, 1);
    ck_assert(hop_eq(&r.sent[0].to, &txn->hop));
    ck_assert_uint_eq(r.sent[0].id, txn->id);
    ck_assert_str_eq(r.sent[0].text,
                     "ACK sip:bob@example.com SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 198.51.100.1:5060;branch=" BRANCH "\r\nMax-Forwards: 70\r\n"
                     "From: <sip:alice@example.com>;tag=f1\r\nTo: <sip:bob@example.com>;tag=t1\r\n"
                     "Call-ID: c1\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n");
    if (d_ms > 0) {
        ck_assert_int_eq(hear(txn, 486), TXN_QUIET);
        ck_assert_int_eq(hear(txn, 487), TXN_QUIET);
        ck_assert_int_eq(hear(txn, 180), TXN_QUIET);
        ck_assert_int_eq(hear(txn, 200), TXN_QUIET);
        ck_assert_uint_eq(r.sent_len, 3);
        ck_assert_uint_eq(txn->status, 486);
        ck_assert_str_eq(r.sent[1].text, r.sent[0].text);
        ck_assert_str_eq(r.sent[2].text, r.sent[0].text);
        txn_rig_pass(&r, d_ms - 1);
        ck_assert_ptr_nonnull(txns_find(&r.t, id));
        txn_rig_pass(&r, 1);
    } else {
        txn_rig_pass(&r, 0);
    }
    ck_assert_ptr_null(txns_find(&r.t, id));
}

START_TEST(a_failure_is_acknowledged_until_d)
{
    fail_invite(UDP, 0, 32000);
    fail_invite(UDP, 180, 32000);
    ck_assert_str_eq(r.told, "ENDED@32000");
    ck_assert_uint_eq(r.t.slots.used, 0);
}
END_TEST

START_TEST(d_is_zero_on_reliable_transports)
{
    fail_invite(TCP, 0, 0);
    fail_invite(TCP, 180, 0);
    ended("0", "ENDED@0");
}
END_TEST

/* RFC 6026 §7.2: M on every transport; each 2xx is for the user, none is acknowledged here. */
static void
succeed_invite(const char *to)
{
    struct txn *txn = client("INVITE", to);

    hear(txn, 180);
    txn_rig_pass(&r, 250);
    txn_rig_forget(&r);
    ck_assert_int_eq(hear(txn, 200), TXN_RESPONSE);
    ck_assert_int_eq(txn->state, TXN_ACCEPTED);
    ck_assert_ptr_null(txn->bytes);
    txn_rig_pass(&r, 31999);
    ck_assert_int_eq(hear(txn, 200), TXN_RESPONSE);
    ck_assert_int_eq(hear(txn, 183), TXN_QUIET);
    ck_assert_int_eq(hear(txn, 486), TXN_QUIET);
    ck_assert_uint_eq(txn->status, 200);
    txn_rig_pass(&r, HOUR_MS);
    ended("", "ENDED@32000");
}

START_TEST(a_success_is_accepted_until_m)
{
    succeed_invite(UDP);
    succeed_invite(TCP);
}
END_TEST

START_TEST(a_success_at_once_stops_a_and_b)
{
    hear(client("INVITE", UDP), 200);
    txn_rig_pass(&r, HOUR_MS);
    ended("0", "ENDED@32000");
}
END_TEST

/* ---------------------------------------------------------------- other clients: E, F, K */

START_TEST(e_doubles_up_to_t2_until_f)
{
    client("OPTIONS", UDP);
    txn_rig_pass(&r, HOUR_MS);
    ended("0 500 1500 3500 7500 11500 15500 19500 23500 27500 31500", "TIMEOUT@32000");
}
END_TEST

START_TEST(e_is_not_for_reliable_transports_but_f_is)
{
    client("OPTIONS", TCP);
    txn_rig_pass(&r, HOUR_MS);
    ended("0", "TIMEOUT@32000");
}
END_TEST

START_TEST(a_provisional_response_slows_e_to_t2_and_f_goes_on)
{
    struct txn *txn = client("OPTIONS", UDP);

    txn_rig_pass(&r, 700);
    ck_assert_int_eq(hear(txn, 100), TXN_RESPONSE);
    txn_rig_pass(&r, 100);
    ck_assert_int_eq(hear(txn, 100), TXN_RESPONSE);
    txn_rig_pass(&r, HOUR_MS);
    ended("0 500 1500 5500 9500 13500 17500 21500 25500 29500", "TIMEOUT@32000");
}
END_TEST

static void
answer_options(const char *to, unsigned provisional, unsigned status, uint64_t k_ms)
{
    struct txn *txn = client("OPTIONS", to);
    uint64_t id = txn->id;

    if (provisional)
        hear(txn, provisional);
    txn_rig_pass(&r, 100);
    txn_rig_forget(&r);
    ck_assert_int_eq(hear(txn, status), TXN_RESPONSE);
    ck_assert_ptr_null(txn->bytes);
    ck_assert_int_eq(hear(txn, status), TXN_QUIET);
    ck_assert_int_eq(hear(txn, 100), TXN_QUIET);
    if (k_ms > 0) {
        txn_rig_pass(&r, k_ms - 1);
        ck_assert_ptr_nonnull(txns_find(&r.t, id));
        txn_rig_pass(&r, 1);
    } else {
        txn_rig_pass(&r, 0);
    }
    ck_assert_ptr_null(txns_find(&r.t, id));
}

START_TEST(repeats_of_an_answer_are_absorbed_until_k)
{
    answer_options(UDP, 0, 200, 5000);
    answer_options(UDP, 100, 200, 5000);
    answer_options(UDP, 0, 404, 5000);
    answer_options(UDP, 100, 404, 5000);
    ended("", "ENDED@5000");
    answer_options(TCP, 0, 200, 0);
    answer_options(TCP, 100, 404, 0);
    ended("", "ENDED@0");
}
END_TEST

START_TEST(methods_that_we_do_not_know_are_clients_too)
{
    struct hop hop = txn_rig_hop(UDP);
    struct msg msg = read_text(txn_rig_response(200, "DANCE", BRANCH, "t1"));
    struct gist gist = gist_of(&msg);
    struct txn *txn;
    uint64_t id;

    ck_assert_int_eq(txns_request(&r.t, METHOD_OTHER, txn_rig_key(&r.t, METHOD_OTHER, SPAN(BRANCH)),
                                  &hop, SPAN("DANCE"), SPAN(""), 1, &id),
                     SIPD_OK);
    txn = txns_find_client(&r.t, &gist);
    ck_assert_ptr_nonnull(txn);
    ck_assert_uint_eq(txn->id, id);
    ck_assert_uint_eq(txn->kind, TXN_NICT);
    ck_assert_int_eq(txns_heard(&r.t, txn, 200, &gist), TXN_RESPONSE);
}
END_TEST

Suite *
suite_txns_clients(void)
{
    const TTest *const clients[] = {
        a_doubles_without_end_until_b,
        a_is_not_for_reliable_transports_but_b_is,
        a_provisional_response_stops_a_and_b,
        a_failure_is_acknowledged_until_d,
        d_is_zero_on_reliable_transports,
        a_success_is_accepted_until_m,
        a_success_at_once_stops_a_and_b,
        e_doubles_up_to_t2_until_f,
        e_is_not_for_reliable_transports_but_f_is,
        a_provisional_response_slows_e_to_t2_and_f_goes_on,
        repeats_of_an_answer_are_absorbed_until_k,
        methods_that_we_do_not_know_are_clients_too,
    };
    Suite *s = suite_create("txns_clients");

    ADD_CASE(s, "clients", clients);
    return s;
}
