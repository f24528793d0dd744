/*
 * Trips and branches that another core takes in by their facts: those that an earlier version noted, memory that runs out,
 * what is no fact.
 */
#include "core/fact.h"

#include <stdio.h>

#include "base/mem.h"
#include "core/note.h"
#include "lib/told.h"
#include "unit/core_rig.h"

#define AT_ALICES "udp:192.0.2.10:5060"
#define AT_BOBS   "udp:192.0.2.20:5060"
#define AT_DESK   "udp:192.0.2.21:5060"
#define RINGING   "tests/facts/v1-ringing"
#define ANSWERED  "tests/facts/v1-answered"

enum { TAPE_BYTES = 1 << 20, FACTS = 64 };

static char tape[TAPE_BYTES];
static struct fact facts[FACTS];
static unsigned facts_len;

static void
read_tape(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct span rest = { tape, 0 };
    struct tlv tlv;

    ck_assert_msg(file != NULL, "%s: tests run from the top of the tree", path);
    rest.len = fread(tape, 1, sizeof tape, file);
    fclose(file);
    for (facts_len = 0; tlv_next(&rest, &tlv) == SIPD_OK; facts_len++) {
        ck_assert_uint_lt(facts_len, FACTS);
        must(told_read(tlv.value, &facts[facts_len]));
    }
}

static void
restore_all(void)
{
    for (unsigned i = 0; i < facts_len; i++)
        ck_assert_int_eq(core_restore(rig.core, &facts[i]), SIPD_OK);
}

/* The request that a branch sent, as if this core had. */
static struct rig_sent
request_to(const char *hop)
{
    struct hop to = rig_hop(hop);
    uint64_t cursor = 0;
    struct txn *txn;

    while ((txn = slots_next(&rig.core->txns.slots, &cursor)))
        if (txn->kind == TXN_ICT && hop_eq(&txn->hop, &to))
            return (struct rig_sent){ .to = txn->hop,
                                      .token = txn->id,
                                      .bytes = txns_sent(&rig.core->txns, txn) };
    ck_abort_msg("nothing was sent to %s", hop);
}

/* Two phones ring; one answers, the other is told to stop. */
START_TEST(what_version_1_noted_goes_on)
{
    struct rig_sent to_bob;

    read_tape(RINGING);
    restore_all();
    rig_alive(&rig, 1, 2, 3);
    ck_assert_uint_eq(rig.sent_len, 0);
    core_wake(rig.core, 0);
    rig_pass(&rig, 0);
    rig_expect(&rig, AT_ALICES, "SIP/2.0 180 ");
    to_bob = request_to(AT_BOBS);
    rig_reply(&rig, &to_bob, 200, "bob", NULL);
    rig_expect(&rig, AT_ALICES, "SIP/2.0 200 ");
    rig_expect(&rig, AT_DESK, "CANCEL ");
    rig_settled(&rig);
}
END_TEST

/* What was answered over datagrams is answered again, with what was kept of it and what its request says. */
START_TEST(what_version_1_answered_is_answered_again)
{
    static const char ours[] = "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKours",
                      bobs[] = "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKbobs";
    const struct rig_sent *answer;

    read_tape(ANSWERED);
    restore_all();
    rig_alive(&rig, 0, 0, 2);
    core_wake(rig.core, 0);
    rig_ask(&rig, AT_ALICES, "OPTIONS sip:example.com SIP/2.0", ours, NULL);
    answer = rig_expect(&rig, AT_ALICES, "SIP/2.0 200 OK");
    ck_assert(rig_has(answer, "\r\nAllow: INVITE, ACK"));
    ck_assert_str_eq(rig_value(answer, "Via", 0), "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKours");
    rig_ask(&rig, AT_ALICES, "MESSAGE sip:bob@example.com SIP/2.0", bobs, NULL);
    answer = rig_expect(&rig, AT_ALICES, "SIP/2.0 202 ");
    ck_assert_str_eq(rig_to_tag(answer), "bob");
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_trips"), 0);
    rig_settled(&rig);
}
END_TEST

START_TEST(nothing_dormant_sends)
{
    read_tape(RINGING);
    restore_all();
    rig.clock.now_ms += 3600000;
    ck_assert_uint_eq(core_next_ms(rig.core), UINT64_MAX);
    ck_assert_uint_eq(rig.sent_len, 0);
}
END_TEST

/* Each fact twice, and the old ones behind the new ones: all the same. */
START_TEST(facts_may_come_again)
{
    read_tape(RINGING);
    for (unsigned round = 0; round < 3; round++)
        restore_all();
    rig_alive(&rig, 1, 2, 3);
    core_wake(rig.core, 0);
    rig_pass(&rig, 0);
    ck_assert_uint_eq(rig.sent_len, 1);
}
END_TEST

static void
restore_kind(const char *kind)
{
    struct fact fact = { .kind = kind };

    ck_assert_int_eq(core_restore(rig.core, &fact), SIPD_OK);
}

static bool
is_of(const struct fact *fact, const char *kind)
{
    return span_eq(span_of(fact->kind), span_of(kind));
}

/* What a new watch does not name goes behind its end, in slices, and not before. */
START_TEST(what_is_not_named_goes)
{
    read_tape(RINGING);
    restore_all();
    restore_kind(FACT_BEGIN);
    for (unsigned i = 0; i < facts_len; i++)
        if (!is_of(&facts[i], TXN_FACT))
            ck_assert_int_eq(core_restore(rig.core, &facts[i]), SIPD_OK);
    ck_assert(!core_sweep(rig.core));
    rig_alive(&rig, 1, 2, 3);
    restore_kind(FACT_ALL);
    while (core_sweep(rig.core))
        continue;
    rig_alive(&rig, 1, 2, 0);
    restore_kind(FACT_BEGIN);
    restore_kind(FACT_ALL);
    core_wake(rig.core, 0); /* leaves nothing of it */
    rig_alive(&rig, 0, 0, 0);
    ck_assert_uint_eq(rig.sent_len, 0);
}
END_TEST

/* A node that began anew gives the same ids, and others in the same places, to other things, with lower versions. */
START_TEST(what_is_old_gives_way)
{
    read_tape(RINGING);
    for (unsigned i = 0; i < facts_len; i++)
        facts[i].version += 100;
    restore_all();
    restore_kind(FACT_BEGIN);
    for (unsigned i = 0; i < facts_len; i++)
        facts[i].version -= 100;
    restore_all();
    rig_alive(&rig, 1, 2, 3);
    ck_assert_uint_lt(((struct trip *)slots_next(&rig.core->trips, &(uint64_t){ 0 }))->version,
                      100);
    restore_kind(FACT_BEGIN);
    for (unsigned i = 0; i < facts_len; i++) {
        struct fact later = facts[i];

        later.id += (uint64_t)2 << 32;
        if (is_of(&later, BRANCH_FACT)) /* is of a trip that is no more */
            ck_assert_int_eq(core_restore(rig.core, &later), SIPD_EINVAL);
        else
            ck_assert_int_eq(core_restore(rig.core, &later), SIPD_OK);
    }
    rig_alive(&rig, 1, 0, 3);
}
END_TEST

/* They are counted on past their end. */
START_TEST(versions_go_round)
{
    struct trip *trip;

    read_tape(RINGING);
    for (unsigned i = 0; i < facts_len; i++)
        facts[i].version = UINT32_MAX;
    restore_all();
    for (unsigned i = 0; i < facts_len; i++)
        facts[i].version = 0;
    restore_all();
    trip = slots_next(&rig.core->trips, &(uint64_t){ 0 });
    ck_assert_uint_eq(trip->version, 0);
}
END_TEST

START_TEST(memory_is_out)
{
    read_tape(RINGING);
    for (unsigned i = 0; i < facts_len; i++)
        for (uint64_t n = 0;; n++) {
            int err;

            mem_fail_after(n);
            err = core_restore(rig.core, &facts[i]);
            mem_fail_never();
            if (!mem_failed())
                break;
            must(err == SIPD_OK || err == SIPD_ENOMEM || err == SIPD_EFULL || err == SIPD_EINVAL);
        }
    restore_all();
    core_wake(rig.core, 0);
    rig_pass(&rig, 400000);
    rig_settled(&rig);
}
END_TEST

START_TEST(what_is_no_fact_is_refused)
{
    struct fact unknown = { .kind = "weather", .id = 1, .bytes = SPAN("?") };
    struct fact cut;

    ck_assert_int_eq(core_restore(rig.core, &unknown), SIPD_ENOENT);
    read_tape(RINGING);
    for (unsigned i = 0; i < facts_len; i++) {
        cut = facts[i];
        cut.bytes.len--;
        ck_assert_int_lt(core_restore(rig.core, &cut), SIPD_OK);
    }
    rig_alive(&rig, 0, 0, 0);
    cut = facts[4]; /* a branch whose trip nobody knows */
    ck_assert_int_eq(core_restore(rig.core, &cut), SIPD_EINVAL);
}
END_TEST

/* Whoever begins to watch hears of all that there is. */
START_TEST(a_late_watcher_hears_everything)
{
    uint64_t notes;

    core_watch(rig.core, false);
    read_tape(RINGING);
    restore_all();
    core_wake(rig.core, 0);
    rig_pass(&rig, 0);
    notes = rig.notes;
    core_watch(rig.core, true);
    rig_pass(&rig, 0);
    ck_assert_uint_eq(rig.notes - notes, 3 + 1 + 2 + 2); /* and that two turns have ended */
}
END_TEST

/* … in pieces, so that no turn is long because there is much; what is new meanwhile is not told twice. */
START_TEST(much_is_told_in_pieces)
{
    unsigned turns = 0;

    core_watch(rig.core, false);
    for (unsigned i = 0; i < 450; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, AT_ALICES, "OPTIONS sip:example.com SIP/2.0", NULL);
    }
    rig_forget(&rig);
    ck_assert_uint_eq(txns_held(&rig.core->txns), 450);
    core_watch(rig.core, true);
    for (; !core_is_told(rig.core); turns++) {
        uint64_t notes = rig.notes;

        ck_assert_uint_eq(core_next_ms(rig.core), rig.clock.now_ms);
        core_tick(rig.core);
        ck_assert_uint_le(rig.notes - notes, 201);
    }
    ck_assert_uint_eq(turns, 3);
    ck_assert_uint_ge(rig.notes, 450);
}
END_TEST

/* A failure that is told behind the tick: what it makes us say leaves before the turn's memory goes. */
START_TEST(nothing_stays_for_another_turn)
{
    struct rig_sent to_bob;

    read_tape(RINGING);
    restore_all();
    core_wake(rig.core, 0);
    rig_pass(&rig, 0);
    to_bob = request_to(AT_BOBS);
    core_gone(rig.core, to_bob.token, SIPD_ECLOSED);
    to_bob = request_to(AT_DESK);
    core_gone(rig.core, to_bob.token, SIPD_ECLOSED);
    ck_assert(!rig.core->outgoing);
}
END_TEST

Suite *
suite_fact(void)
{
    Suite *s = suite_create("fact");
    TCase *c = rig_case("fact");

    tcase_add_test(c, what_version_1_noted_goes_on);
    tcase_add_test(c, what_version_1_answered_is_answered_again);
    tcase_add_test(c, nothing_dormant_sends);
    tcase_add_test(c, facts_may_come_again);
    tcase_add_test(c, what_is_not_named_goes);
    tcase_add_test(c, what_is_old_gives_way);
    tcase_add_test(c, versions_go_round);
    tcase_add_test(c, nothing_stays_for_another_turn);
    tcase_add_test(c, memory_is_out);
    tcase_add_test(c, what_is_no_fact_is_refused);
    tcase_add_test(c, a_late_watcher_hears_everything);
    tcase_add_test(c, much_is_told_in_pieces);
    suite_add_tcase(s, c);
    return s;
}
