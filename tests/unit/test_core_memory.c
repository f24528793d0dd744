/*
 * The proxy core when memory runs out, anywhere and for a while, and under a storm of all that may happen (RFC 3261 §16).
 */
#include "core/core.h"

#include "unit/core_rig.h"

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
                          &(struct reply_with){ .phrase = { NULL, 0 } }) == SIPD_OK
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
suite_core_memory(void)
{
    Suite *s = suite_create("core_memory");
    TCase *c = rig_case("memory");

    tcase_add_test(c, memory_may_run_out_anywhere);
    tcase_add_test(c, memory_may_run_out_for_a_while);
    tcase_add_test(c, a_core_may_fail_to_begin);
    tcase_add_test(c, a_storm_leaves_nothing);
    suite_add_tcase(s, c);
    return s;
}
