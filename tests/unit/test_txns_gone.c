/*
 * What could not leave: who fails, who stays, who takes another way (RFC 3261 §17.1.4, §17.2.4, §18.2.2, RFC 6026 §8.8).
 */
#include "unit/txn_cast.h"

Suite *suite_txns_gone(void);

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
    uint64_t id;

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
    id = txn->id;
    ck_assert_int_eq(gone(id), TXN_QUIET);
    answer(txn, 200, "ok");
    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert_uint_eq(r.t.answered.len, 1);
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
    ck_assert_int_eq(txns_serve(&r.t, &gist, NULL, &hop, 1, &id), SIPD_OK);
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
    uint64_t id = txn->id;

    answer(txn, 200, "ok");
    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 1);
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
    ck_assert_int_eq(txns_serve(&r.t, &gist, NULL, &hop, 1, &id), SIPD_OK);
    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 0);
    answer(txns_find(&r.t, id), 200, "ok");
    ck_assert_uint_eq(r.sent[0].to.flow, 0);
    ck_assert_uint_eq(r.sent[0].to.port, 5060);
    ck_assert_int_eq(gone(id), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 1);
}
END_TEST

Suite *
suite_txns_gone(void)
{
    const TTest *const gone[] = {
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
    };
    Suite *s = suite_create("txns_gone");

    ADD_CASE(s, "gone", gone);
    return s;
}
