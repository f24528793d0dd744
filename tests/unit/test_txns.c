/*
 * The pool of transactions: ids, ceilings, facts, and memory that runs out (RFC 3261 §17).
 */
#include "unit/txn_cast.h"

#include <stdio.h>

Suite *suite_txns(void);

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

    ck_assert_int_eq(txns_request(&r.t, METHOD_INVITE,
                                  txn_rig_key(&r.t, METHOD_INVITE, SPAN(BRANCH)), &hop, SPAN("x"),
                                  SPAN(""), 1, &id),
                     SIPD_EEXIST);
    ck_assert_int_eq(txns_request(&r.t, METHOD_CANCEL,
                                  txn_rig_key(&r.t, METHOD_CANCEL, SPAN(BRANCH)), &hop, SPAN("x"),
                                  SPAN(""), 1, &id),
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
        must(txns_serve(&r.t, &gist, NULL, &hop, 1, &id) == SIPD_OK);
    }
    ck_assert_int_eq(txns_serve(&r.t, &gist, NULL, &hop, 1, &id), SIPD_EFULL);
    snprintf(branch, sizeof branch, BRANCH);
    ck_assert_int_eq(txns_request(&r.t, METHOD_OPTIONS,
                                  txn_rig_key(&r.t, METHOD_OPTIONS, span_of(branch)), &hop,
                                  SPAN("x"), SPAN(""), 1, &id),
                     SIPD_EFULL);
    ck_assert_uint_eq(r.t.slots.used, LIMIT);
    ck_assert_uint_eq(r.sent_len, 0);
    txns_end(&r.t, txn_rig_server(&r.t, &gist)->id);
    ck_assert_int_eq(txns_request(&r.t, METHOD_OPTIONS,
                                  txn_rig_key(&r.t, METHOD_OPTIONS, span_of(branch)), &hop,
                                  SPAN("x"), SPAN(""), 1, &id),
                     SIPD_OK);
}
END_TEST

/* Request i of a peer. */
static struct gist
request_of(const char *peer, unsigned i)
{
    char via[64];

    snprintf(via, sizeof via, "SIP/2.0/UDP %s;branch=z9hG4bK%u", peer, i);
    return gist_text(txn_rig_request("OPTIONS", via));
}

static int
serve(const char *peer, unsigned i, const char *to, uint64_t *id)
{
    struct gist gist = request_of(peer, i);
    struct hop hop = txn_rig_hop(to);

    return txns_serve(&r.t, &gist, NULL, &hop, 1, id);
}

static bool
is_there(const char *peer, unsigned i)
{
    struct gist gist = request_of(peer, i);
    struct txn_key key = txns_key(&r.t, &gist);

    return txns_find_by(&r.t, &key) != NULL;
}

/* Request 2 is answered, a ms later request 1; then two more come, and a third finds all pending. */
static void
oldest_goes(const char *of_2, const char *of_1)
{
    uint64_t ids[LIMIT], id;

    for (unsigned i = 0; i < LIMIT; i++)
        must(serve("a", i, i == 1 ? of_1 : i == 2 ? of_2 : UDP, &ids[i]) == SIPD_OK);
    must(txns_answer(&r.t, ids[2], 200, SPAN("ok")) == SIPD_OK);
    r.clock.now_ms++;
    must(txns_answer(&r.t, ids[1], 200, SPAN("ok")) == SIPD_OK);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(txns_held(&r.t), LIMIT);
        ck_assert_int_eq(serve("b", i, UDP, &id), SIPD_OK);
        ck_assert(!is_there("a", 2));
        ck_assert_int_eq(is_there("a", 1), i == 0);
    }
    ck_assert_uint_eq(r.t.evicted, 2);
    ck_assert_int_eq(serve("c", 0, UDP, &id), SIPD_EFULL);
}

/* Be it finished, or no more than what is left of one that was answered over datagrams. */
START_TEST(at_the_ceiling_the_oldest_finished_one_goes)
{
    static const char *const ways[] = { UDP, TCP };

    for (unsigned i = 0; i < 4; i++) {
        end();
        begin();
        oldest_goes(ways[i / 2], ways[i % 2]);
    }
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

    if (txns_serve(&r.t, invite, NULL, &hop, 1, &id) == SIPD_OK) {
        (void)!txns_answer(&r.t, id, 180, SPAN("ringing"));
        txn = txn_rig_server(&r.t, invite);
        if (txn)
            (void)txns_heard_again(&r.t, txn, false);
        if (txns_answer(&r.t, id, 486, SPAN("busy")) != SIPD_OK)
            txns_end(&r.t, id);
    }
    if (txns_request(&r.t, METHOD_INVITE, txn_rig_key(&r.t, METHOD_INVITE, SPAN(BRANCH)), &hop,
                     sent, SPAN(""), 1, &id) == SIPD_OK) {
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
    ck_assert_int_eq(txns_serve(&r.t, &other, NULL, &hop, 1, &id), SIPD_ENOMEM);
    ck_assert_int_eq(txns_request(&r.t, METHOD_OPTIONS,
                                  txn_rig_key(&r.t, METHOD_OPTIONS, SPAN("z9hG4bKx")), &hop,
                                  SPAN("x"), SPAN(""), 1, &id),
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

Suite *
suite_txns(void)
{
    const TTest *const pool[] = {
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

    ADD_CASE(s, "pool", pool);
    return s;
}
