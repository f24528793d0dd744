/*
 * Transactions on a virtual clock: the times of every timer over both kinds of transport, what is told, kept, refused
 * (RFC 3261 §17, RFC 6026 §7, §8).
 */
#include "txn/txns.h"

#include <stdio.h>

#include "base/mem.h"
#include "unit/message.h"
#include "unit/txn_rig.h"

#define UDP    "udp:192.0.2.9:5060"
#define TCP    "tcp:192.0.2.9:5060"
#define FLOW   "flow:" TCP /* over the connection that its request came by */
#define VIA    "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa"
#define BRANCH "z9hG4bKours"

enum { HOUR_MS = 3600000, LIMIT = 100 };

static struct txn_rig r;

static void
begin(void)
{
    message_begin();
    txn_rig_init(&r, LIMIT);
}

static void
end(void)
{
    mem_fail_never();
    txn_rig_fini(&r);
    message_end();
}

/* A client transaction that just sent its request. */
static struct txn *
client(const char *method, const char *to)
{
    struct hop hop = txn_rig_hop(to);
    uint64_t id = 0;

    ck_assert_int_eq(txns_request(&r.t, names_method(span_of(method)), SPAN(BRANCH), &hop,
                                  span_of(txn_rig_request(
                                      method, "SIP/2.0/UDP 198.51.100.1:5060;branch=" BRANCH)),
                                  SPAN(""), 77, &id),
                     SIPD_OK);
    ck_assert_ptr_nonnull(txns_find(&r.t, id));
    return txns_find(&r.t, id);
}

/* It gets a response. */
static enum txn_news
hear(struct txn *txn, unsigned status)
{
    struct msg msg = read_text(txn_rig_response(
        status, txn->method == METHOD_INVITE ? "INVITE" : "OPTIONS", BRANCH, "t1"));
    struct gist gist = gist_of(&msg);

    ck_assert_ptr_eq(txns_find_client(&r.t, &gist), txn);
    return txns_heard(&r.t, txn, status, &gist);
}

static struct gist
gist_text(const char *text)
{
    static struct msg msg;

    msg = read_text(text);
    return gist_of(&msg);
}

/* A server transaction of a request that just came. */
static struct txn *
server(const char *method, const char *to)
{
    struct gist gist = gist_text(txn_rig_request(method, VIA));
    struct hop hop = txn_rig_hop(to);
    uint64_t id = 0;

    ck_assert_int_eq(txns_serve(&r.t, &gist, &hop, 88, &id), SIPD_OK);
    ck_assert_ptr_eq(txns_find_server(&r.t, &gist), txns_find(&r.t, id));
    return txns_find(&r.t, id);
}

static void
answer(const struct txn *txn, unsigned status, const char *text)
{
    ck_assert_int_eq(txns_answer(&r.t, txn->id, status, span_of(text)), SIPD_OK);
}

static const char *
last_sent(void)
{
    ck_assert_uint_gt(r.sent_len, 0);
    return r.sent[r.sent_len - 1].text;
}

/* All that was sent, at these times, and told, with its times; and none is left. */
static void
ended(const char *times, const char *told)
{
    ck_assert_str_eq(txn_rig_times(&r), times);
    ck_assert_str_eq(r.told, told);
    ck_assert_uint_eq(r.t.slots.used, 0);
    ck_assert_uint_eq(r.t.timers.armed, 0);
    ck_assert_uint_eq(txns_next_ms(&r.t), UINT64_MAX);
}

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

    ck_assert_int_eq(
        txns_request(&r.t, METHOD_OTHER, SPAN(BRANCH), &hop, SPAN("DANCE"), SPAN(""), 1, &id),
        SIPD_OK);
    txn = txns_find_client(&r.t, &gist);
    ck_assert_ptr_nonnull(txn);
    ck_assert_uint_eq(txn->id, id);
    ck_assert_uint_eq(txn->kind, TXN_NICT);
    ck_assert_int_eq(txns_heard(&r.t, txn, 200, &gist), TXN_RESPONSE);
}
END_TEST

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

    if (provisional)
        answer(txn, provisional, "wait");
    txn_rig_forget(&r);
    answer(txn, status, "done");
    ck_assert_int_eq(txns_answer(&r.t, txn->id, 200, SPAN("else")), SIPD_ENOENT);
    ck_assert_int_eq(txns_answer(&r.t, txn->id, 100, SPAN("wait")), SIPD_ENOENT);
    ck_assert_int_eq(txns_answer(&r.t, txn->id, 500, SPAN("bad")), SIPD_ENOENT);
}

START_TEST(repeats_get_the_answer_again_until_j)
{
    static const unsigned provisional[] = { 0, 100 }, final[] = { 200, 404 };

    for (size_t i = 0; i < countof(provisional); i++)
        for (size_t j = 0; j < countof(final); j++) {
            struct gist gist = gist_text(txn_rig_request("OPTIONS", VIA));

            answer_server(UDP, provisional[i], final[j]);
            txn_rig_pass(&r, 31999);
            ck_assert_ptr_nonnull(txns_find_server(&r.t, &gist));
            ck_assert_int_eq(txns_heard_again(&r.t, txns_find_server(&r.t, &gist), false),
                             TXN_QUIET);
            ck_assert_str_eq(last_sent(), "done");
            txn_rig_pass(&r, HOUR_MS);
            ended("0 31999", "ENDED@32000");
            answer_server(TCP, provisional[i],
                          final[j]); /* over a new connection, which may yet fail */
            txn_rig_pass(&r, HOUR_MS);
            ended("0", "ENDED@32000");
            answer_server(FLOW, provisional[i], final[j]);
            txn_rig_pass(&r, 0);
            ck_assert_ptr_nonnull(txns_find_server(&r.t, &gist));
            txn_rig_pass(&r, HOUR_MS);
            ended("0", "ENDED@1");
        }
}
END_TEST

/* ---------------------------------------------------------------- transport failures */

static enum txn_news
gone(uint64_t id)
{
    struct txn_told told;

    txns_gone(&r.t, id, &told);
    if (told.news != TXN_QUIET)
        ck_assert_uint_eq(told.id, id);
    return told.news;
}

START_TEST(a_client_that_cannot_send_fails)
{
    struct txn *txn = client("INVITE", UDP);
    uint64_t id = txn->id;
    struct txn_told told;

    txns_gone(&r.t, id, &told);
    ck_assert_int_eq(told.news, TXN_FAILED);
    ck_assert_uint_eq(told.owner, 77);
    ck_assert_uint_eq(told.kind, TXN_ICT);
    ck_assert_uint_eq(told.method, METHOD_INVITE);
    ck_assert_ptr_null(txns_find(&r.t, id));
    ck_assert_int_eq(gone(id), TXN_QUIET);

    txn = client("INVITE", TCP);
    hear(txn, 486);
    ck_assert_int_eq(gone(txn->id), TXN_FAILED); /* its ACK */
    ck_assert_int_eq(gone(client("OPTIONS", UDP)->id), TXN_FAILED);
    txn = client("OPTIONS", UDP);
    hear(txn, 100);
    ck_assert_int_eq(gone(txn->id), TXN_FAILED);
    ck_assert_uint_eq(r.t.slots.used, 0);
}
END_TEST

START_TEST(a_client_that_sends_no_more_does_not_mind)
{
    struct txn *txn = client("INVITE", UDP);

    hear(txn, 180);
    ck_assert_int_eq(gone(txn->id), TXN_QUIET);
    ck_assert_int_eq(txn->state, TXN_PROCEEDING);
    hear(txn, 200);
    ck_assert_int_eq(gone(txn->id), TXN_QUIET);
    ck_assert_int_eq(txn->state, TXN_ACCEPTED);
    txns_end(&r.t, txn->id);
    txn = client("OPTIONS", UDP);
    hear(txn, 200);
    ck_assert_int_eq(gone(txn->id), TXN_QUIET);
    ck_assert_int_eq(txn->state, TXN_COMPLETED);
}
END_TEST

/* §17.1.1.3: it goes to where the INVITE went, by a new connection if need be, for over a stream nobody asks for it again. */
START_TEST(an_ack_whose_connection_is_gone_takes_another)
{
    struct txn *txn = client("INVITE", FLOW);
    uint64_t id = txn->id;

    hear(txn, 180);
    txn_rig_forget(&r);
    ck_assert_int_eq(hear(txn, 486), TXN_RESPONSE);
    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 2);
    ck_assert_str_eq(r.sent[1].text, r.sent[0].text);
    ck_assert_uint_ne(r.sent[0].to.flow, 0);
    ck_assert_uint_eq(r.sent[1].to.flow, 0);
    ck_assert(hop_eq(&r.sent[1].to, &r.sent[0].to));
    ck_assert_int_eq(gone(id), TXN_FAILED); /* once */
    ck_assert_uint_eq(r.t.slots.used, 0);
    txn = client("INVITE", FLOW);
    hear(txn, 486);
    txn_rig_pass(&r, 1); /* it has left */
    ck_assert_uint_eq(r.t.slots.used, 0);
}
END_TEST

/* So does a CANCEL; other requests fail, for they may have been heard. */
START_TEST(a_cancel_whose_connection_is_gone_takes_another)
{
    struct txn *txn = client("CANCEL", FLOW);
    uint64_t id = txn->id;

    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 2);
    ck_assert_str_eq(r.sent[1].text, r.sent[0].text);
    ck_assert_uint_eq(r.sent[1].to.flow, 0);
    ck_assert_int_eq(gone(id), TXN_FAILED);
    ck_assert_int_eq(gone(client("OPTIONS", FLOW)->id), TXN_FAILED);
    ck_assert_int_eq(gone(client("INVITE", FLOW)->id), TXN_FAILED);
}
END_TEST

/* RFC 6026 §8.8: it MUST remain in its state, so that repeats are no new requests. */
START_TEST(a_server_that_cannot_send_stays)
{
    struct txn *txn = server("INVITE", UDP);

    ck_assert_int_eq(gone(txn->id), TXN_QUIET);
    ck_assert_int_eq(txn->state, TXN_PROCEEDING);
    answer(txn, 486, "busy");
    ck_assert_int_eq(gone(txn->id), TXN_QUIET);
    ck_assert_int_eq(txn->state, TXN_COMPLETED);
    txns_end(&r.t, txn->id);
    txn = server("INVITE", UDP);
    answer(txn, 200, "ok");
    ck_assert_int_eq(gone(txn->id), TXN_QUIET);
    ck_assert_int_eq(txn->state, TXN_ACCEPTED);
    txn = server("OPTIONS", UDP);
    ck_assert_int_eq(gone(txn->id), TXN_QUIET);
    answer(txn, 200, "ok");
    ck_assert_int_eq(gone(txn->id), TXN_QUIET);
    ck_assert_int_eq(txn->state, TXN_COMPLETED);
}
END_TEST

/* §18.2.2: what went by a connection that is gone goes to the port of the sent-by, once more and by a new connection. */
START_TEST(an_answer_whose_connection_is_gone_takes_another)
{
    struct gist gist =
        gist_text(txn_rig_request("INVITE", "SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bKa"));
    struct hop hop = txn_rig_hop("tcp:192.0.2.1:40000");
    struct txn *txn;
    uint64_t id;

    hop.flow = 7;
    ck_assert_int_eq(txns_serve(&r.t, &gist, &hop, 1, &id), SIPD_OK);
    txn = txns_find(&r.t, id);
    answer(txn, 486, "busy");
    ck_assert_uint_eq(r.sent[0].to.flow, 7);
    ck_assert_uint_eq(r.sent[0].to.port, 40000);
    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 2);
    ck_assert_str_eq(last_sent(), "busy");
    ck_assert_uint_eq(r.sent[1].to.flow, 0);
    ck_assert_uint_eq(r.sent[1].to.port, 5070);
    ck_assert_int_eq(gone(id), TXN_ASTRAY);
    ck_assert_int_eq(gone(id), TXN_QUIET); /* somebody is asked already */
    ck_assert_uint_eq(r.sent_len, 2);
    ck_assert_int_eq(txn->state, TXN_COMPLETED);
}
END_TEST

/* … and stays for as long as its sender waits: the new connection may fail, too. */
START_TEST(an_answer_to_no_invite_whose_connection_is_gone_stays)
{
    struct txn *txn = server("OPTIONS", FLOW);
    uint64_t id = txn->id;

    answer(txn, 200, "ok");
    txn_rig_pass(&r, 0);
    ck_assert_int_eq(gone(id), TXN_QUIET); /* told at the turn's end */
    ck_assert_uint_eq(r.sent_len, 2);
    ck_assert_str_eq(last_sent(), "ok");
    ck_assert_uint_eq(r.sent[1].to.flow, 0);
    txn_rig_pass(&r, 1000);
    ck_assert_int_eq(gone(id), TXN_ASTRAY);
    txn_rig_pass(&r, HOUR_MS);
    ended("0 0", "ENDED@32000");
}
END_TEST

/* RFC 3263 §5: the backups in their order, each once. */
START_TEST(an_answer_that_went_astray_takes_the_backups)
{
    struct hop backups[] = { txn_rig_hop("tcp:192.0.2.2:5060"), txn_rig_hop("tcp:192.0.2.3:5062") };
    struct txn *txn = server("OPTIONS", TCP);
    struct txn_told told;
    uint64_t id = txn->id;
    struct hop hop;

    txns_backup(&r.t, id, backups, 2, &told); /* nobody asked */
    ck_assert_uint_eq(r.sent_len, 0);
    answer(txn, 200, "ok");
    txn->hop.flow = 0;
    ck_assert_int_eq(gone(id), TXN_ASTRAY);
    txns_backup(&r.t, id, backups, 2, &told);
    ck_assert_int_eq(told.news, TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 2);
    ck_assert_str_eq(last_sent(), "ok");
    ck_assert(hop_eq(&r.sent[1].to, &backups[0]));
    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert(hop_eq(&r.sent[2].to, &backups[1]));
    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 3);
    txns_backup(&r.t, id, backups, 2, &told);
    ck_assert_uint_eq(r.sent_len, 3);
    /* Whoever asks again from where the request came gets it there; nobody else does. */
    hop = txn_rig_hop("flow:tcp:192.0.2.2:40001");
    ck_assert(!txns_move(&r.t, txn, &hop));
    hop = txn_rig_hop("flow:tcp:192.0.2.9:40001");
    ck_assert(txns_move(&r.t, txn, &hop));
    ck_assert_int_eq(txns_heard_again(&r.t, txn, false), TXN_QUIET);
    ck_assert(hop_eq(&r.sent[3].to, &hop));
}
END_TEST

/* Anybody's ICMP would tell where answers by datagrams go. */
START_TEST(an_answer_by_datagrams_has_no_backup)
{
    struct txn *txn = server("OPTIONS", UDP);

    answer(txn, 200, "ok");
    ck_assert_int_eq(gone(txn->id), TXN_QUIET);
    ck_assert_int_eq(gone(txn->id), TXN_QUIET);
}
END_TEST

/* Nothing was said yet, or nothing is kept of it: what comes next takes the new way. */
START_TEST(a_connection_that_is_gone_before_the_answer)
{
    struct gist gist =
        gist_text(txn_rig_request("INVITE", "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKa"));
    struct hop hop = txn_rig_hop("tcp:192.0.2.1:40000");
    uint64_t id;

    hop.flow = 7;
    ck_assert_int_eq(txns_serve(&r.t, &gist, &hop, 1, &id), SIPD_OK);
    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 0);
    answer(txns_find(&r.t, id), 200, "ok");
    ck_assert_uint_eq(r.sent[0].to.flow, 0);
    ck_assert_uint_eq(r.sent[0].to.port, 5060);
    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 1);
}
END_TEST

/* ---------------------------------------------------------------- the pool */

START_TEST(ids_go_stale)
{
    struct txn *txn = server("OPTIONS", UDP);
    uint64_t id = txn->id;
    struct txn_told told;

    txns_end(&r.t, id);
    txns_end(&r.t, id);
    ck_assert_ptr_null(txns_find(&r.t, id));
    ck_assert_int_eq(txns_answer(&r.t, id, 200, SPAN("ok")), SIPD_ENOENT);
    txns_disown(&r.t, id, 5);
    txns_gone(&r.t, id, &told);
    ck_assert_int_eq(told.news, TXN_QUIET);
    ck_assert_uint_eq(r.t.by_kind[TXN_NIST], 0);
    ck_assert_uint_eq(r.sent_len, 0);
}
END_TEST

START_TEST(who_has_no_more_interest_is_not_named)
{
    struct txn *txn = client("INVITE", UDP);

    txns_disown(&r.t, txn->id, 1234);
    ck_assert_uint_eq(txn->owner, 0);
    ck_assert_uint_eq(txn->peer, 1234);
    ck_assert_int_eq(hear(txn, 200), TXN_RESPONSE);
    txn_rig_pass(&r, HOUR_MS);
    ended("0", "ENDED@32000");
}
END_TEST

START_TEST(two_clients_cannot_share_a_key)
{
    struct hop hop = txn_rig_hop(UDP);
    struct txn *txn = client("INVITE", UDP);
    uint64_t id;

    ck_assert_int_eq(
        txns_request(&r.t, METHOD_INVITE, SPAN(BRANCH), &hop, SPAN("x"), SPAN(""), 1, &id),
        SIPD_EEXIST);
    ck_assert_int_eq(
        txns_request(&r.t, METHOD_CANCEL, SPAN(BRANCH), &hop, SPAN("x"), SPAN(""), 1, &id),
        SIPD_OK);
    ck_assert(txns_find(&r.t, id)->cancel);
    ck_assert(!txn->cancel);
    ck_assert_uint_eq(r.sent_len, 2);
}
END_TEST

START_TEST(all_are_counted_and_walked)
{
    uint64_t ids[4], cursor = 0;
    uint32_t places = 100;
    struct txn *txn;
    unsigned n = 0;

    ids[0] = client("INVITE", UDP)->id;
    ids[1] = client("OPTIONS", UDP)->id;
    ids[2] = server("INVITE", UDP)->id;
    ids[3] = server("OPTIONS", UDP)->id;
    for (enum txn_kind kind = 0; kind < TXN_KINDS; kind++)
        ck_assert_uint_eq(r.t.by_kind[kind], 1);
    while ((txn = txns_next_within(&r.t, &cursor, &places)))
        ck_assert_uint_eq(txn->id, ids[n++]);
    ck_assert_uint_eq(n, 4);
    for (n = 0; n < 4; n++)
        txns_end(&r.t, ids[n]);
    for (enum txn_kind kind = 0; kind < TXN_KINDS; kind++)
        ck_assert_uint_eq(r.t.by_kind[kind], 0);
    ck_assert_uint_eq(r.t.timers.armed, 0);
}
END_TEST

START_TEST(the_pool_has_a_ceiling)
{
    struct hop hop = txn_rig_hop(UDP);
    char text[256], branch[32];
    struct gist gist;
    uint64_t id;

    for (unsigned i = 0; i < LIMIT; i++) {
        snprintf(text, sizeof text, "SIP/2.0/UDP a;branch=z9hG4bK%u", i);
        gist = gist_text(txn_rig_request("OPTIONS", text));
        must(txns_serve(&r.t, &gist, &hop, 1, &id) == SIPD_OK);
    }
    ck_assert_int_eq(txns_serve(&r.t, &gist, &hop, 1, &id), SIPD_EFULL);
    snprintf(branch, sizeof branch, BRANCH);
    ck_assert_int_eq(
        txns_request(&r.t, METHOD_OPTIONS, span_of(branch), &hop, SPAN("x"), SPAN(""), 1, &id),
        SIPD_EFULL);
    ck_assert_uint_eq(r.t.slots.used, LIMIT);
    ck_assert_uint_eq(r.sent_len, 0);
    txns_end(&r.t, txns_find_server(&r.t, &gist)->id);
    ck_assert_int_eq(
        txns_request(&r.t, METHOD_OPTIONS, span_of(branch), &hop, SPAN("x"), SPAN(""), 1, &id),
        SIPD_OK);
}
END_TEST

START_TEST(at_the_ceiling_the_oldest_finished_one_goes)
{
    struct hop hop = txn_rig_hop(UDP);
    uint64_t id, first = 0, second = 0;
    char text[256];
    struct gist gist;

    for (unsigned i = 0; i < LIMIT; i++) {
        snprintf(text, sizeof text, "SIP/2.0/UDP a;branch=z9hG4bK%u", i);
        gist = gist_text(txn_rig_request("OPTIONS", text));
        must(txns_serve(&r.t, &gist, &hop, 1, &id) == SIPD_OK);
        first = i == 2 ? id : first;
        second = i == 1 ? id : second;
    }
    must(txns_answer(&r.t, first, 200, SPAN("ok")) == SIPD_OK);
    must(txns_answer(&r.t, second, 200, SPAN("ok")) == SIPD_OK);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "SIP/2.0/UDP b;branch=z9hG4bK%u", i);
        gist = gist_text(txn_rig_request("OPTIONS", text));
        ck_assert_int_eq(txns_serve(&r.t, &gist, &hop, 1, &id), SIPD_OK);
        ck_assert_ptr_null(txns_find(&r.t, first));
        ck_assert_int_eq(txns_find(&r.t, second) != NULL, i == 0);
    }
    ck_assert_uint_eq(r.t.evicted, 2);
    gist = gist_text(txn_rig_request("OPTIONS", "SIP/2.0/UDP c;branch=z9hG4bK1"));
    ck_assert_int_eq(txns_serve(&r.t, &gist, &hop, 1, &id), SIPD_EFULL);
}
END_TEST

/* ---------------------------------------------------------------- facts */

START_TEST(what_is_sent_rests_on_what_was_noted)
{
    struct txn *txn = server("INVITE", UDP);

    ck_assert_uint_eq(r.notes, 1);
    answer(txn, 180, "ringing");
    ck_assert_str_eq(r.fact_kind, "txn");
    ck_assert_uint_eq(r.fact_id, txn->id);
    ck_assert_uint_eq(r.fact_version, txn->version);
    ck_assert_uint_eq(r.sent[0].need, r.notes);
    answer(txn, 486, "busy");
    ck_assert_uint_eq(r.sent[1].need, r.notes);
    ck_assert_uint_eq(r.fact_version, 3);
    txns_heard_again(&r.t, txn, true);
    ck_assert_uint_eq(r.fact_version, 4);
    txn_rig_pass(&r, HOUR_MS);
    ck_assert_uint_eq(r.fact_version, 5); /* its end is a fact too */
}
END_TEST

START_TEST(nobody_needs_to_watch)
{
    r.t.watched = false;
    answer(server("INVITE", UDP), 486, "busy");
    ck_assert_uint_eq(r.sent[0].need, 0);
    txn_rig_pass(&r, HOUR_MS);
    ck_assert_uint_eq(r.t.slots.used, 0);
}
END_TEST

/* ---------------------------------------------------------------- memory */

/* Every kind of event once, whatever fails; then time passes. */
static void
one_of_everything(const struct gist *invite, const struct gist *busy)
{
    struct span sent =
        span_of(txn_rig_request("INVITE", "SIP/2.0/UDP 198.51.100.1;branch=" BRANCH));
    struct hop hop = txn_rig_hop(UDP);
    struct txn *txn;
    uint64_t id;

    if (txns_serve(&r.t, invite, &hop, 1, &id) == SIPD_OK) {
        (void)!txns_answer(&r.t, id, 180, SPAN("ringing"));
        txn = txns_find_server(&r.t, invite);
        if (txn)
            (void)txns_heard_again(&r.t, txn, false);
        if (txns_answer(&r.t, id, 486, SPAN("busy")) != SIPD_OK)
            txns_end(&r.t, id);
    }
    if (txns_request(&r.t, METHOD_INVITE, SPAN(BRANCH), &hop, sent, SPAN(""), 1, &id) == SIPD_OK) {
        txn = txns_find(&r.t, id);
        (void)txns_heard(&r.t, txn, 486, busy);
        (void)txns_heard(&r.t, txn, 486, busy);
    }
    txn_rig_pass(&r, HOUR_MS);
}

START_TEST(any_allocation_may_fail)
{
    struct msg invite = read_text(txn_rig_request("INVITE", VIA));
    struct msg busy = read_text(txn_rig_response(486, "INVITE", BRANCH, "t1"));
    struct gist invite_gist = gist_of(&invite), busy_gist = gist_of(&busy);
    uint64_t n = 0;

    do {
        must(n < 200);
        txn_rig_fini(&r);
        txn_rig_init(&r, LIMIT);
        mem_fail_after(n++);
        one_of_everything(&invite_gist, &busy_gist);
        must(r.t.slots.used == 0 && r.t.timers.armed == 0);
        mem_fail_never();
    } while (mem_failed());
    ck_assert_uint_gt(n, 5);
}
END_TEST

START_TEST(without_memory_nothing_is_changed)
{
    struct txn *in = server("INVITE", UDP), *out = client("INVITE", TCP);
    struct hop hop = txn_rig_hop(UDP);
    struct gist busy = gist_text(txn_rig_response(486, "INVITE", BRANCH, "t1"));
    struct gist other = gist_text(txn_rig_request("OPTIONS", VIA));
    uint64_t id;

    r.sent_len = 0;
    arena_fini(&r.turn);
    mem_fail_after(0);
    ck_assert_int_eq(txns_answer(&r.t, in->id, 486, SPAN("busy")), SIPD_ENOMEM);
    ck_assert_int_eq(in->state, TXN_PROCEEDING);
    ck_assert_uint_eq(in->status, 0);
    ck_assert_int_eq(txns_serve(&r.t, &other, &hop, 1, &id), SIPD_ENOMEM);
    ck_assert_int_eq(
        txns_request(&r.t, METHOD_OPTIONS, SPAN("z9hG4bKx"), &hop, SPAN("x"), SPAN(""), 1, &id),
        SIPD_ENOMEM);
    ck_assert_int_eq(txns_heard(&r.t, out, 486, &busy), TXN_QUIET);
    ck_assert_int_eq(out->state, TXN_CALLING);
    ck_assert_uint_eq(r.sent_len, 0);
    ck_assert_uint_eq(r.t.slots.used, 2);
    mem_fail_never();
    ck_assert_int_eq(txns_heard(&r.t, out, 486, &busy), TXN_RESPONSE);
    answer(in, 486, "busy");
    ck_assert_uint_eq(r.sent_len, 2);
}
END_TEST

START_TEST(a_pool_may_fail_to_begin)
{
    struct prf_key key = { 1, 2 };
    struct txns t;

    mem_fail_after(0);
    ck_assert_int_eq(txns_init(&t, &r.t.ports, &r.clock, &r.turn, &key, LIMIT), SIPD_ENOMEM);
    mem_fail_never();
    txns_fini(&t);
}
END_TEST

static void
add_case(Suite *s, const char *name, const TTest *const *tests, size_t n)
{
    TCase *c = tcase_create(name);

    tcase_add_checked_fixture(c, begin, end);
    for (size_t i = 0; i < n; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
}
#define ADD_CASE(s, name, tests) add_case(s, name, tests, countof(tests))

Suite *
suite_txns(void)
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
    const TTest *const pool[] = {
        a_client_that_cannot_send_fails,
        a_client_that_sends_no_more_does_not_mind,
        an_ack_whose_connection_is_gone_takes_another,
        a_cancel_whose_connection_is_gone_takes_another,
        a_server_that_cannot_send_stays,
        an_answer_whose_connection_is_gone_takes_another,
        an_answer_to_no_invite_whose_connection_is_gone_stays,
        an_answer_that_went_astray_takes_the_backups,
        an_answer_by_datagrams_has_no_backup,
        a_connection_that_is_gone_before_the_answer,
        ids_go_stale,
        who_has_no_more_interest_is_not_named,
        two_clients_cannot_share_a_key,
        all_are_counted_and_walked,
        the_pool_has_a_ceiling,
        at_the_ceiling_the_oldest_finished_one_goes,
        what_is_sent_rests_on_what_was_noted,
        nobody_needs_to_watch,
        any_allocation_may_fail,
        without_memory_nothing_is_changed,
        a_pool_may_fail_to_begin,
    };
    Suite *s = suite_create("txns");

    ADD_CASE(s, "clients", clients);
    ADD_CASE(s, "servers", servers);
    ADD_CASE(s, "pool", pool);
    return s;
}
