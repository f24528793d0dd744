/*
 * Timers of trips, branches and transactions after the death of their node: seeded random calls are noted to a second core, which
 * is woken at a random moment, after a random silence, while the first one lives on to show what would have been. Each timer
 * fires once, when its time is over, to the millisecond: that for 100, no-answer, silence, Timer C, A to K (RFC 3261 §16.8,
 * §17; RFC 6026 §7).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "core/fact.h"
#include "unit/core_rig.h"

#define CALLER "udp:192.0.2.10:5060"

enum { WORLDS = 400, SAID = 1024, LIFE_MS = 500000 };

struct said {
    uint64_t at_ms;
    char what[80]; /* to whom, and the start of it */
};

struct story {
    struct said said[SAID];
    unsigned len;
};

static struct story first, second;
static struct core *other;
static uint64_t base_ms;
static bool woken;

static void
write_said(struct story *story, uint64_t at_ms, const struct hop *to, struct span bytes)
{
    struct said *said = &story->said[story->len++];
    char text[HOP_TEXT_BYTES];

    ck_assert_uint_lt(story->len, SAID);
    said->at_ms = at_ms;
    snprintf(said->what, sizeof said->what, "%.*s %.16s", SPAN_ARG(hop_write(to, text)), bytes.at);
    for (char *c = said->what; *c; c++)
        if (*c == '\r' || *c == '\n')
            *c = '\0';
}

static void
other_sends(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need)
{
    (void)io;
    (void)token;
    (void)need;
    ck_assert_msg(woken, "what is dormant sends");
    write_said(&second, rig.clock.now_ms - base_ms, to, bytes);
}

static uint64_t
tell_other(void *io, const struct fact *fact)
{
    struct rig *r = io;

    if (!woken && strcmp(fact->kind, FACT_TURN) != 0)
        ck_assert_int_eq(core_restore(other, fact), SIPD_OK);
    return ++r->notes;
}

/* ---------------------------------------------------------------- both live */

static void
pass(uint64_t ms)
{
    uint64_t end = rig.clock.now_ms + ms;

    for (;;) {
        uint64_t next = core_next_ms(rig.core), others = core_next_ms(other);

        ck_assert_msg(woken || others == UINT64_MAX, "what is dormant has a timer");
        next = others < next ? others : next;
        next = next < rig.clock.now_ms ? rig.clock.now_ms : next;
        if (next > end)
            break;
        rig_pass(&rig, next - rig.clock.now_ms);
        if (woken)
            core_tick(other);
    }
    rig_pass(&rig, end - rig.clock.now_ms);
}

static void
set_the_stage(struct rand *rand)
{
    static const uint32_t no_answers[] = { 0, 3000, 20000 }, silents[] = { 0, 1000, 4000 };
    static const char *const uris[] = { "sip:bob@192.0.2.20", "sip:bob@192.0.2.21",
                                        "sip:bob@192.0.2.22;transport=tcp" };
    struct core_ports ports;

    rig.conf.no_answer_ms = no_answers[rand_below(rand, 3)];
    rig.conf.silent_ms = silents[rand_below(rand, 3)];
    rig.conf.timer_c_ms = 10000 + (uint32_t)rand_below(rand, 30000);
    rig.conf.trying_ms = 50 + (uint32_t)rand_below(rand, 500);
    rig.conf.fork = rand_below(rand, 2) ? CORE_FORK_Q : CORE_FORK_PARALLEL;
    rig.ports.note = tell_other;
    rig_restart(&rig);
    ports = rig.ports;
    ports.send = other_sends;
    ports.note = NULL;
    ck_assert_int_eq(core_new(&other, &ports, &rig.conf), SIPD_OK);
    for (size_t i = 0; i <= rand_below(rand, 3); i++)
        rig_bind(&rig, "bob", uris[i], NULL, 1000 - 100 * (uint32_t)rand_below(rand, 3));
}

static void
anything_happens(struct rand *rand)
{
    static const unsigned statuses[] = { 100, 180, 183, 180, 486, 503, 200 };
    struct rig_sent *sent = rig.sent_len > 0 ? &rig.sent[rand_below(rand, rig.sent_len)] : NULL;

    if (sent && rand_below(rand, 2) && span_starts(sent->bytes, SPAN("INVITE ")))
        rig_reply(&rig, sent, statuses[rand_below(rand, countof(statuses))], "b1", NULL);
    else if (rand_below(rand, 12) == 0)
        rig_ask(&rig, CALLER, "CANCEL sip:bob@example.com SIP/2.0", NULL);
    else
        pass(rand_below(rand, rand_below(rand, 4) ? 900 : 9000));
}

/* ---------------------------------------------------------------- what both said */

static int
by_time(const void *a, const void *b)
{
    const struct said *one = a, *two = b;

    if (one->at_ms != two->at_ms)
        return one->at_ms < two->at_ms ? -1 : 1;
    return strcmp(one->what, two->what);
}

static const struct said *
find(const struct story *story, const char *what)
{
    for (unsigned i = 0; i < story->len; i++)
        if (strcmp(story->said[i].what, what) == 0)
            return &story->said[i];
    return NULL;
}

static void
complain(uint64_t seed, uint64_t woken_ms, const char *why)
{
    fprintf(stderr, "seed %llu, woken after %llu ms: %s\n", (unsigned long long)seed,
            (unsigned long long)woken_ms, why);
    for (const struct story *story = &first;; story = &second) {
        fprintf(stderr, "%s:\n", story == &first ? "what would have been" : "what came");
        for (unsigned i = 0; i < story->len; i++)
            fprintf(stderr, "  %8llu %s\n", (unsigned long long)story->said[i].at_ms,
                    story->said[i].what);
        if (story == &second)
            ck_abort_msg("%s", why);
    }
}

/* Nothing was due in the silence: then all goes on as it would have, and beside it only what is said once more at once. */
static void
must_be_alike(uint64_t seed, uint64_t woken_ms)
{
    unsigned i = 0, j = 0;

    while (j < second.len && second.said[j].at_ms <= woken_ms)
        j++;
    for (; i < first.len && j < second.len; i++, j++)
        if (by_time(&first.said[i], &second.said[j]) != 0)
            complain(seed, woken_ms, "another thing, or at another time");
    if (i < first.len || j < second.len)
        complain(seed, woken_ms, "one says more than the other");
}

/* What was due in the silence comes when that ends; what the first one would have said at any time, the second one says too. */
static void
must_have_caught_up(uint64_t seed, uint64_t woken_ms)
{
    for (unsigned i = 0; i < first.len; i++) {
        const struct said *would = &first.said[i], *came = find(&second, would->what);

        if (!came)
            complain(seed, woken_ms, "something is not said any more");
        else if (find(&first, would->what) == would && would->at_ms <= woken_ms &&
                 came->at_ms != woken_ms)
            complain(seed, woken_ms, "what was overdue did not come at once");
    }
}

/* The one for 100 has no series. */
static void
must_fire_once(uint64_t seed, uint64_t woken_ms)
{
    static const char what[] = "192.0.2.10:5060 SIP/2.0 100 Tryi";
    unsigned times = 0;

    for (unsigned i = 0; i < second.len; i++)
        times += strcmp(second.said[i].what, what) == 0;
    if (times > 1)
        complain(seed, woken_ms, "a timer fired twice");
}

static void
run(uint64_t seed)
{
    uint64_t silent_ms, woken_ms;
    struct rand rand;
    unsigned from;
    bool quiet;

    rand_seed(&rand, seed);
    set_the_stage(&rand);
    rig_ask(&rig, CALLER, "INVITE sip:bob@example.com SIP/2.0", NULL);
    for (uint64_t events = rand_below(&rand, 12); events > 0; events--)
        anything_happens(&rand);
    pass(0);
    base_ms = rig.clock.now_ms;
    from = rig.sent_len;
    rig.base_ms = base_ms;
    silent_ms = rand_below(&rand, 3) ? rand_below(&rand, 2500) : 0;
    core_watch(rig.core, false);
    pass(silent_ms);
    woken_ms = silent_ms;
    quiet = rig.sent_len == from;
    woken = true;
    core_wake(other, silent_ms);
    core_tick(other);
    pass(LIFE_MS);
    for (unsigned i = from; i < rig.sent_len; i++)
        write_said(&first, rig.sent[i].at_ms, &rig.sent[i].to, rig.sent[i].bytes);
    qsort(first.said, first.len, sizeof *first.said, by_time);
    qsort(second.said, second.len, sizeof *second.said, by_time);
    if (quiet)
        must_be_alike(seed, woken_ms);
    else
        must_have_caught_up(seed, woken_ms);
    must_fire_once(seed, woken_ms);
    ck_assert_uint_eq(other->trips.used, 0);
    ck_assert_uint_eq(other->txns.slots.used, 0);
}

START_TEST(every_timer_fires_once_and_in_time)
{
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        first.len = second.len = 0;
        woken = false;
        run(seed);
        core_free(&other);
        rig_fini(&rig);
        rig_init(&rig);
    }
}
END_TEST

Suite *
suite_woken(void)
{
    Suite *suite = suite_create("woken");
    TCase *c = rig_case("timers");

    tcase_set_timeout(c, 120);
    tcase_add_test(c, every_timer_fires_once_and_in_time);
    suite_add_tcase(suite, c);
    return suite;
}
