/*
 * Whole calls through the proxy core, and what is left of them (RFC 3261 §16).
 */
#include "core/core.h"

#include "unit/core_rig.h"

START_TEST(a_call_is_set_up_and_ended)
{
    const struct rig_sent *invite, *ok, *ack, *bye;
    const char *route;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9:5060", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Contact: <sip:alice@192.0.2.1:5060>", "X-Other: one", NULL);
    invite = rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9:5060 SIP/2.0\r\n");
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_count(invite, "Via"), 2);
    ck_assert_str_eq(rig_value(invite, "Via", 1), "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1");
    ck_assert_str_eq(rig_value(invite, "Max-Forwards", 0), "69");
    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 1);

    rig_reply(&rig, invite, 180, "b1", "Contact: <sip:bob@192.0.2.9:5060>", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 Whatever\r\n");
    rig_reply(&rig, invite, 200, "b1", "Contact: <sip:bob@192.0.2.9:5060>", NULL);
    ok = rig_expect(&rig, ALICE, "SIP/2.0 200 Whatever\r\n");
    ck_assert_uint_eq(rig_count(ok, "Via"), 1);
    ck_assert_str_eq(rig_to_tag(ok), "b1");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 2);

    route = rig_line("Route", rig_value(ok, "Record-Route", 0));
    rig.to_tag = "b1";
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@192.0.2.9:5060 SIP/2.0", route, NULL);
    ack = rig_expect(&rig, BOB, "ACK sip:bob@192.0.2.9:5060 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(ack, "Route"), 0);
    ck_assert_uint_eq(rig_count(ack, "Record-Route"), 0);
    ck_assert_uint_eq(rig_count(ack, "Via"), 2);
    rig_quiet(&rig);

    rig_new_branch(&rig);
    rig.cseq++;
    rig_ask(&rig, ALICE, "BYE sip:bob@192.0.2.9:5060 SIP/2.0", route, NULL);
    bye = rig_expect(&rig, BOB, "BYE sip:bob@192.0.2.9:5060 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    rig_reply(&rig, bye, 200, "", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 Whatever\r\n");
    rig_quiet(&rig);
    rig_settled(&rig);
    rig_quiet(&rig);
}
END_TEST

/* ---------------------------------------------------------------- what is left */

START_TEST(nothing_is_due_when_nothing_is_there)
{
    ck_assert_uint_eq(core_next_ms(rig.core), UINT64_MAX);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert_uint_le(core_next_ms(rig.core), rig.clock.now_ms + 200);
    rig_settled(&rig);
    core_tick(rig.core);
    ck_assert_uint_eq(core_next_ms(rig.core), UINT64_MAX);
}
END_TEST

static unsigned
sent_so_far(void)
{
    return rig.sent_len;
}

/* Much is due at once: a turn does a part of it, and the next one comes without a wait (house rule 16). */
START_TEST(what_is_too_much_for_a_turn_waits_for_the_next)
{
    enum { CALLS = 40, A_TURN = 16 };
    unsigned before, turns = 0;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (unsigned i = 0; i < CALLS; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    }
    rig_pass(&rig, 400); /* each got its 100 */
    before = sent_so_far();
    ck_assert_uint_eq(before, 2 * CALLS);
    rig.spent = true;
    rig.clock.now_ms += 100; /* Timer A of all of them */
    for (; core_next_ms(rig.core) <= rig.clock.now_ms; turns++) {
        unsigned at = sent_so_far();

        ck_assert_uint_lt(turns, CALLS);
        core_tick(rig.core);
        ck_assert_uint_le(sent_so_far() - at, A_TURN);
        ck_assert_uint_gt(sent_so_far() - at, 0);
    }
    ck_assert_uint_eq(sent_so_far() - before, CALLS);
    ck_assert_uint_ge(turns, 3);
    rig.spent = false;
    rig_settled(&rig);
}
END_TEST

START_TEST(what_is_alive_is_told)
{
    const struct rig_sent *invite;
    struct core_stats stats;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    core_stats(rig.core, &stats);
    ck_assert_uint_eq(stats.trips, 1);
    ck_assert_uint_eq(stats.branches, 2);
    ck_assert_uint_eq(stats.transactions, 3);
    ck_assert_uint_eq(stats.pending, 1);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 200, "t", NULL);
    core_stats(rig.core, &stats);
    ck_assert_uint_eq(stats.pending, 0);
    ck_assert_uint_eq(stats.trips, 1); /* the other branch */
    ck_assert_ptr_eq(core_txns(rig.core)->clock, &rig.clock);
}
END_TEST

START_TEST(stale_ids_are_ignored)
{
    struct hop hop = rig_hop(BOB);

    core_resume(rig.core, 0);
    core_resume(rig.core, UINT64_MAX);
    core_gone(rig.core, 0, SIPD_ECLOSED);
    core_gone(rig.core, UINT64_MAX, SIPD_ECLOSED);
    core_resolved(rig.core, 0, &hop, 1, SIPD_OK);
    core_resolved(rig.core, UINT64_MAX, NULL, 0, SIPD_ENOENT);
    rig_pass(&rig, 0);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

/* A server may be ended in the middle of everything; the fixture compares the memory. */
START_TEST(an_end_in_the_middle_leaks_nothing)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
    rig_bind(&rig, "carol", "sip:carol@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_reply(&rig, rig_expect(&rig, BOB, "INVITE "), 180, "t", NULL);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sip:carol@example.com SIP/2.0", NULL);
    rig_reply(&rig, rig_last(&rig, "INVITE "), 486, "t", NULL);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:carol@example.com SIP/2.0", NULL);
    rig_alive(&rig, 2, 3, 6);
}
END_TEST

START_TEST(the_same_input_gives_the_same_server)
{
    static char first[4096];
    const struct rig_sent *invite;

    for (int run = 0; run < 2; run++) {
        rig.binds_len = 0;
        rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
        invite = rig_last(&rig, "INVITE ");
        if (run == 0)
            memcpy(first, invite->bytes.at, invite->bytes.len);
        else
            ck_assert_mem_eq(first, invite->bytes.at, invite->bytes.len);
        rig_restart(&rig);
    }
}
END_TEST

/* ---------------------------------------------------------------- facts */

/* What leaves in a turn rests on all that was noted in it (that nothing was left out is checked in the rig). */
START_TEST(what_leaves_rests_on_what_was_noted)
{
    const struct rig_sent *invite;
    uint64_t need;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    need = invite->need;
    ck_assert_uint_eq(need, rig.notes);
    rig_reply(&rig, invite, 200, "t", NULL);
    ck_assert_uint_gt(rig_expect(&rig, ALICE, "SIP/2.0 200 ")->need, need);
    ck_assert_uint_eq(rig_last(&rig, "SIP/2.0 200 ")->need, rig.notes);
}
END_TEST

START_TEST(nobody_needs_to_watch)
{
    rig.ports.note = NULL;
    rig_restart(&rig);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert_uint_eq(rig_expect(&rig, BOB, "INVITE ")->need, 0);
    rig_settled(&rig);
}
END_TEST

/* ---------------------------------------------------------------- configuration */

START_TEST(another_ceiling_holds_for_all_that_it_limits)
{
    struct core_conf larger = rig.conf;

    rig.conf.transactions = 4;
    rig_restart(&rig);
    larger.transactions = 100;
    core_set_conf(rig.core, &larger);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (unsigned i = 0; i < 20; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
        rig_expect(&rig, BOB, "INVITE ");
    }
    rig_settled(&rig);
}
END_TEST

/* ---------------------------------------------------------------- memory */

/* Responds to the newest of such requests if there is one. */
static void
respond(const char *line, unsigned status)
{
    const struct rig_sent *sent = rig_last(&rig, line);

    if (sent)
        rig_reply(&rig, sent, status, "t", "Contact: <sip:bob@192.0.2.9>", NULL);
}

/* A call with a fork, its end, a cancelled one, a message: as far as each gets. step tells when it is asked. */
static void
whole_call(void (*step)(unsigned n))
{
    unsigned n = 0;

    rig_new_branch(&rig);
    step(n++);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    step(n++);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    step(n++);
    if (rig.asked_len > 0)
        rig_resolved(&rig, rig.asked_len - 1, SIPD_OK, "udp:192.0.2.7:5060", "tcp:192.0.2.7:5060",
                     NULL);
    step(n++);
    respond("INVITE sip:bob@192.0.2.9", 180);
    step(n++);
    respond("INVITE sip:bob@phone", 503);
    step(n++);
    respond("INVITE sip:bob@phone", 180);
    step(n++);
    respond("INVITE sip:bob@192.0.2.8", 401);
    step(n++);
    respond("INVITE sip:bob@192.0.2.9", 200);
    step(n++);
    respond("CANCEL ", 200);
    step(n++);
    respond("INVITE sip:bob@phone", 487);
    step(n++);
    respond("INVITE sip:bob@192.0.2.9", 200);
    step(n++);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    step(n++);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    step(n++);
    respond("INVITE sip:bob@192.0.2.9", 180);
    step(n++);
    rig_ask(&rig, ALICE, "CANCEL sip:bob@example.com SIP/2.0", NULL);
    step(n++);
    respond("INVITE sip:bob@192.0.2.9", 487);
    step(n++);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", "Proxy-Require: x", NULL);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    step(n++);
    respond("MESSAGE sip:bob@192.0.2.9", 407);
    step(n++);
    respond("MESSAGE sip:bob@192.0.2.8", 401);
    step(n++);
    rig_pass(&rig, 2000);
    step(n++);
}

enum { STEPS = 21 };

static void
bind_three(void)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
}

static void
no_step(unsigned n)
{
    (void)n;
}

/* With memory again, the names that were never looked up are, and then all must end by itself. */
static void
recover(void)
{
    mem_fail_never();
    for (unsigned i = 0; i < rig.asked_len; i++)
        rig_resolved(&rig, i, SIPD_ENOENT, NULL);
    rig_settled(&rig);
}

/* The n-th allocation and all after it fail, in a core that is new or that has seen a call. */
static void
climb(bool warm, enum core_mode mode)
{
    bool failed = true;
    uint64_t n;

    for (n = 0; failed; n++) {
        uint64_t before;

        must(n < 2000);
        rig_fini(&rig);
        before = mem_live();
        rig_init(&rig);
        rig.conf.mode = mode;
        rig.conf.recurse = true;
        bind_three();
        if (warm)
            whole_call(no_step);
        mem_fail_after(n);
        whole_call(no_step);
        failed = mem_failed();
        recover();
        rig_fini(&rig);
        must(mem_live() == before);
        rig_init(&rig);
    }
    ck_assert_uint_gt(n, warm ? 0 : 5); /* without state, one that is warm needs none */
}

START_TEST(memory_may_run_out_anywhere)
{
    climb(false, CORE_STATEFUL);
    climb(true, CORE_STATEFUL);
    climb(false, CORE_STATELESS);
    climb(true, CORE_STATELESS);
}
END_TEST

static unsigned bad_from, bad_to;

static void
fail_between(unsigned n)
{
    if (n == bad_from)
        mem_fail_after(0);
    if (n == bad_to)
        mem_fail_never();
}

/* Memory is out for some steps in the middle, and there again. */
START_TEST(memory_may_run_out_for_a_while)
{
    for (bad_from = 0; bad_from < STEPS; bad_from++)
        for (bad_to = bad_from + 1; bad_to <= bad_from + 2; bad_to++) {
            rig_fini(&rig);
            rig_init(&rig);
            bind_three();
            whole_call(fail_between);
            recover();
        }
}
END_TEST

/* A core that cannot be made is not there, and what was made of it is gone. */
START_TEST(a_core_may_fail_to_begin)
{
    uint64_t n = 0;
    int err;

    do {
        uint64_t before = mem_live();
        struct core *core;

        must(n < 100);
        mem_fail_after(n++);
        err = core_new(&core, &rig.ports, &rig.conf);
        mem_fail_never();
        must(err == SIPD_OK || (err == SIPD_ENOMEM && !core && mem_live() == before));
        core_free(&core);
        must(mem_live() == before);
    } while (err != SIPD_OK);
    ck_assert_uint_gt(n, 1);
}
END_TEST

/* ---------------------------------------------------------------- a storm */

enum { HELD = 64 };

static struct rand chance;
static uint64_t held[HELD]; /* trips whose hook waits, or did */
static unsigned held_len;
static bool calm; /* hooks let all pass */

static enum sipd_verdict
any_verdict(struct sipd_req *req, void *self)
{
    (void)self;
    if (calm)
        return SIPD_PASS;
    switch (rand_below(&chance, 12)) {
    case 0: held[held_len++ % HELD] = req->trip->id; return SIPD_WAIT;
    case 1: return SIPD_FAIL;
    case 2:
        return trip_reply(req->trip, 200 + 100 * (unsigned)rand_below(&chance, 5),
                          (struct span){ NULL, 0 }, (struct span){ NULL, 0 },
                          (struct span){ NULL, 0 }, (struct span){ NULL, 0 }) == SIPD_OK
                   ? SIPD_DONE
                   : SIPD_FAIL;
    default: return SIPD_PASS;
    }
}

static void
any_request(void)
{
    static const char *const lines[] = {
        INVITE_BOB,
        INVITE_BOB,
        INVITE_BOB,
        "CANCEL sip:bob@example.com SIP/2.0",
        "ACK sip:bob@example.com SIP/2.0",
        "MESSAGE sip:bob@example.com SIP/2.0",
        "BYE sip:bob@example.com SIP/2.0",
        "OPTIONS sip:example.com SIP/2.0",
        "DANCE sip:nobody@example.com SIP/2.0",
        "INVITE sip:carol@203.0.113.5 SIP/2.0",
    };
    static const char *const from[] = { ALICE, "tcp:192.0.2.1:40000/7", "udp:[2001:db8::1]:5060" };

    rig.branch = (unsigned)rand_below(&chance, 5);
    rig.to_tag = rand_below(&chance, 4) ? "" : "t";
    rig_ask(&rig, from[rand_below(&chance, countof(from))],
            lines[rand_below(&chance, countof(lines))], "Contact: <sip:alice@192.0.2.1>", NULL);
}

static const struct rig_sent *
any_sent(void)
{
    return rig.sent_len > 0 ? &rig.sent[rand_below(&chance, rig.sent_len)] : NULL;
}

static void
any_response(void)
{
    static const unsigned statuses[] = { 100, 180, 183, 200, 202, 301, 302, 401, 407,
                                         404, 408, 430, 486, 487, 500, 503, 600, 603 };
    static const char *const contacts[] = {
        "Contact: <sip:bob@192.0.2.30>, <sip:x@name.example.net>", "WWW-Authenticate: Digest x=y"
    };
    const struct rig_sent *sent = any_sent();

    if (sent && !span_starts(sent->bytes, SPAN("SIP/2.0 ")))
        rig_reply(&rig, sent, statuses[rand_below(&chance, countof(statuses))],
                  rand_below(&chance, 2) ? "t" : "u", contacts[rand_below(&chance, 2)], NULL);
}

static void
any_resolution(void)
{
    unsigned n = (unsigned)rand_below(&chance, rig.asked_len + 1u);

    if (n == rig.asked_len)
        return;
    if (rand_below(&chance, 3))
        rig_resolved(&rig, n, SIPD_OK, "udp:192.0.2.20:5060", "tcp:192.0.2.21:5060",
                     "udp:[2001:db8::22]:5060", NULL);
    else
        rig_resolved(&rig, n, rand_below(&chance, 2) ? SIPD_ENOENT : SIPD_EIO, NULL);
}

static void
any_change(void)
{
    static struct core_conf conf;

    conf = rig.conf;
    conf.fork = rand_below(&chance, 2) ? CORE_FORK_Q : CORE_FORK_PARALLEL;
    conf.mode = rand_below(&chance, 6) ? CORE_STATEFUL : CORE_STATELESS;
    conf.stray = rand_below(&chance, 2) ? CORE_STRAY_DROP : CORE_STRAY_VERIFIED;
    conf.recurse = rand_below(&chance, 2);
    conf.transactions = rand_below(&chance, 4) ? 1000 : 12;
    conf.no_answer_ms = rand_below(&chance, 2) ? 0 : 10000;
    core_set_conf(rig.core, &conf);
    rig.trust = rand_below(&chance, 2);
    rig_block(&rig, "udp:192.0.2.20:5060", rand_below(&chance, 2) ? SIPD_OK : SIPD_ECLOSED);
}

static void
any_step(void)
{
    static const unsigned waits_ms[] = { 1, 200, 500, 5000, 32000, 200000 };

    if (rig.sent_len > RIG_SENT / 2 || rig.store_len > RIG_STORE / 2)
        rig_clear(&rig);
    switch (rand_below(&chance, 16)) {
    case 0: rig_pass(&rig, waits_ms[rand_below(&chance, countof(waits_ms))]); break;
    case 1: any_change(); break;
    case 2:
        if (any_sent())
            rig_gone(&rig, any_sent());
        break;
    case 3:
        if (held_len > 0)
            rig_resume(&rig, held[rand_below(&chance, held_len < HELD ? held_len : HELD)]);
        break;
    case 4:
    case 5: any_resolution(); break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10: any_request(); break;
    default: any_response(); break;
    }
}

/* All that waits for somebody hears of him, and then time alone must end everything. */
static void
settle_storm(void)
{
    mem_fail_never();
    core_set_conf(rig.core, &rig.conf);
    calm = true;
    for (unsigned i = 0; i < HELD; i++)
        rig_resume(&rig, held[i]);
    for (unsigned answered = 0; answered < rig.asked_len;) {
        while (answered < rig.asked_len)
            rig_resolved(&rig, answered++, SIPD_ENOENT, NULL);
        rig_clear(&rig);
        rig_pass(&rig, 600000); /* another group may ask for another name */
    }
    rig_clear(&rig);
    rig_settled(&rig);
}

static void
storm(uint64_t seed, bool poor)
{
    struct chain_hook hook = { .order = 7, .fn = any_verdict, .name = "test" };

    rig_fini(&rig);
    rig_init(&rig);
    rand_seed(&chance, seed);
    memset(held, 0, sizeof held);
    held_len = 0;
    calm = false;
    bind_three();
    must(chain_add(core_chain(rig.core), SIPD_ON_REQUEST, &hook) == SIPD_OK);
    must(chain_add(core_chain(rig.core), SIPD_ON_TARGETS, &hook) == SIPD_OK);
    for (unsigned i = 0; i < 400 && rig.asked_len + 4 < RIG_ASKED; i++) {
        if (poor && rand_below(&chance, 8) == 0)
            mem_fail_after(rand_below(&chance, 10));
        any_step();
        mem_fail_never();
    }
    settle_storm();
}

START_TEST(a_storm_leaves_nothing)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        storm(seed, false);
        storm(seed, true);
    }
}
END_TEST

Suite *
suite_core(void)
{
    Suite *s = suite_create("core");
    TCase *c = rig_case("calls");

    tcase_add_test(c, a_call_is_set_up_and_ended);
    tcase_add_test(c, nothing_is_due_when_nothing_is_there);
    tcase_add_test(c, what_is_too_much_for_a_turn_waits_for_the_next);
    tcase_add_test(c, what_is_alive_is_told);
    tcase_add_test(c, stale_ids_are_ignored);
    tcase_add_test(c, an_end_in_the_middle_leaks_nothing);
    tcase_add_test(c, the_same_input_gives_the_same_server);
    tcase_add_test(c, what_leaves_rests_on_what_was_noted);
    tcase_add_test(c, nobody_needs_to_watch);
    tcase_add_test(c, another_ceiling_holds_for_all_that_it_limits);
    tcase_add_test(c, memory_may_run_out_anywhere);
    tcase_add_test(c, memory_may_run_out_for_a_while);
    tcase_add_test(c, a_core_may_fail_to_begin);
    tcase_add_test(c, a_storm_leaves_nothing);
    suite_add_tcase(s, c);
    return s;
}
