/*
 * Facts between the core, modules and the one that watches: told from the beginning, in order, and taken in for whom they are.
 */
#include <sipd/fact.h>

#include "core/fact.h"
#include "txn/fact.h"
#include "unit/host_rig.h"

enum { THINGS = 3 };

static struct buf told;
static struct sipd_host *keeper, *watcher, *other;
static unsigned told_of; /* things of the keeper */
static int says;         /* its restore() */

/* ------------------------------------------------------------------ modules */

static int
restore(void *self, const struct fact *fact)
{
    (void)self;
    buf_printf(&told, "take %s %u %.*s\n", fact->kind, (unsigned)fact->version,
               SPAN_ARG(fact->bytes));
    return says;
}

static bool busy; /* the keeper waits for its disk */

static enum sipd_left
snapshot(void *self, bool begin)
{
    (void)self;
    told_of = begin ? 0 : told_of;
    if (busy) {
        buf_printf(&told, "busy\n");
        return SIPD_LEFT_BUSY;
    }
    told_of++;
    (void)sipd_note(keeper, "thing", 1, told_of, SPAN("x"));
    return told_of < THINGS ? SIPD_LEFT_SOME : SIPD_LEFT_NONE;
}

static void
wake(void *self)
{
    (void)self;
    buf_printf(&told, "wake\n");
}

static void
epoch_begins(void *self)
{
    (void)self;
    buf_printf(&told, "begin\n");
}

static unsigned sweeps; /* how often there is more */

static enum sipd_left
sweep(void *self)
{
    (void)self;
    buf_printf(&told, busy ? "busy\n" : "sweep\n");
    if (busy)
        return SIPD_LEFT_BUSY;
    return sweeps > 0 && sweeps-- > 0 ? SIPD_LEFT_SOME : SIPD_LEFT_NONE;
}

static const struct sipd_facts_ops ops = {
    .restore = restore, .snapshot = snapshot, .wake = wake, .begin = epoch_begins, .sweep = sweep
};
static const struct sipd_facts_ops no_ops = { .restore = restore };

static int
load_keeper(struct sipd_host *host, const void *conf, void **self)
{
    (void)conf;
    (void)self;
    keeper = host;
    return sipd_offer_facts(host, "thing", &ops, NULL);
}

static void
hear(void *self, const struct fact *fact, uint64_t number)
{
    (void)self;
    buf_printf(&told, "%llu %s %llu\n", (unsigned long long)number, fact->kind,
               (unsigned long long)fact->id);
}

static int
load_watcher(struct sipd_host *host, const void *conf, void **self)
{
    (void)conf;
    (void)self;
    watcher = host;
    return sipd_watch_facts(host, hear, NULL);
}

static int
load_other(struct sipd_host *host, const void *conf, void **self)
{
    (void)conf;
    (void)self;
    other = host;
    return SIPD_OK;
}

static const struct sipd_module keeper_module = { .abi = SIPD_ABI,
                                                  .name = "keeper",
                                                  .load = load_keeper };
static const struct sipd_module watcher_module = { .abi = SIPD_ABI,
                                                   .name = "watcher",
                                                   .load = load_watcher };
static const struct sipd_module other_module = { .abi = SIPD_ABI,
                                                 .name = "other",
                                                 .load = load_other };

/* ------------------------------------------------------------------ the box */

#define must_tell(text) (must_text(buf_span(&told), text), buf_clear(&told))

static uint64_t
core_notes(void *io, const struct fact *fact)
{
    (void)io;
    return host_note(hosting.host, fact);
}

static void
begin(void)
{
    host_rig_begin();
    rig.core->ports.note = core_notes;
    buf_init(&told, 1 << 16);
    told_of = 0;
    says = SIPD_OK;
    busy = false;
}

static void
end(void)
{
    core_watch(rig.core, false);
    buf_fini(&told);
    host_rig_end();
}

static void
start(bool watched)
{
    ck_assert_int_eq(host_rig_open(&keeper_module), SIPD_OK);
    if (watched)
        ck_assert_int_eq(host_rig_open(&watcher_module), SIPD_OK);
    ck_assert_int_eq(host_rig_open(&other_module), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
}

static void
turn(void)
{
    host_tick(hosting.host);
    core_tick(rig.core);
}

/* ------------------------------------------------------------------ watching */

/* A piece a turn, what changes in between, and then that this was all. */
START_TEST(told_from_the_beginning)
{
    start(true);
    ck_assert(!sipd_is_watched(keeper));
    must_tell("");
    ck_assert_uint_eq(host_next_ms(hosting.host), rig.clock.now_ms);
    turn();
    ck_assert(sipd_is_watched(keeper));
    must_tell("1 begin 0\n2 thing 1\n3 turn 0\n");
    ck_assert_uint_eq(sipd_note(keeper, "thing", 7, 77, SPAN("new")), 4);
    turn();
    must_tell("4 thing 77\n5 thing 2\n6 turn 0\n");
    turn();
    must_tell("7 thing 3\n8 turn 0\n");
    turn();
    must_tell("9 all 0\n10 turn 0\n");
    ck_assert_uint_eq(host_next_ms(hosting.host), UINT64_MAX);
    turn();
    must_tell("11 turn 0\n");
}
END_TEST

/* What a module had that is new here was not named to the other node: so all begins anew, and changes are told meanwhile. */
START_TEST(told_anew_when_facts_come)
{
    start(true);
    for (int n = 0; n < 5; n++)
        turn();
    buf_clear(&told);
    ck_assert_int_eq(sipd_offer_facts(other, "else", &no_ops, NULL), SIPD_OK);
    ck_assert_uint_gt(sipd_note(keeper, "thing", 7, 77, SPAN("new")), 0);
    turn();
    must_tell("11 thing 77\n12 begin 0\n13 thing 1\n14 turn 0\n");
    for (int n = 0; n < 3; n++)
        turn();
    must_tell("15 thing 2\n16 turn 0\n17 thing 3\n18 turn 0\n19 all 0\n20 turn 0\n");
}
END_TEST

/* A fact that memory had no room for: in a moment all is told, so that nobody is left with half of it. */
START_TEST(told_anew_when_one_is_lost)
{
    struct fact lost = { .kind = "txn", .version = 1, .id = 9, .lost = true };

    start(true);
    for (int n = 0; n < 5; n++)
        turn();
    ck_assert_uint_eq(host_next_ms(hosting.host), UINT64_MAX);
    buf_clear(&told);
    ck_assert_uint_eq(host_note(hosting.host, &lost), 11);
    turn();
    must_tell("11 txn 9\n12 turn 0\n");
    ck_assert_uint_gt(host_next_ms(hosting.host), rig.clock.now_ms);
    rig.clock.now_ms = host_next_ms(hosting.host);
    turn();
    must_tell("13 begin 0\n14 thing 1\n15 turn 0\n");
    for (int n = 0; n < 3; n++)
        turn();
    must_tell("16 thing 2\n17 turn 0\n18 thing 3\n19 turn 0\n20 all 0\n21 turn 0\n");
    ck_assert_uint_eq(host_next_ms(hosting.host), UINT64_MAX);
}
END_TEST

START_TEST(one_may_watch)
{
    start(true);
    ck_assert_int_eq(sipd_watch_facts(other, hear, NULL), SIPD_EEXIST);
    turn();
    buf_clear(&told);
    ck_assert_int_eq(sipd_watch_facts(watcher, NULL, NULL), SIPD_OK);
    ck_assert_uint_eq(sipd_note(keeper, "thing", 1, 1, SPAN("x")), 0);
    turn();
    must_tell("");
    ck_assert_int_eq(sipd_watch_facts(other, hear, NULL), SIPD_OK);
    turn();
    ck_assert_uint_gt(told.len, 0);
}
END_TEST

/* Who is taken off the list watches and takes in no more. */
START_TEST(gone_with_its_module)
{
    const struct span names[] = { SPAN("other") };
    struct fact fact = { .kind = "thing", .bytes = SPAN("x") };

    start(true);
    turn();
    ck_assert_int_eq(
        host_reload(hosting.host, &hosting.source, names, countof(names), &hosting.why), SIPD_OK);
    buf_clear(&told);
    ck_assert(!sipd_is_watched(other));
    turn();
    must_tell("");
    ck_assert_int_eq(sipd_restore_fact(other, &fact), SIPD_ENOENT);
}
END_TEST

/* ------------------------------------------------------------------ taking in */

START_TEST(taken_in_for_whom_they_are)
{
    struct fact fact = { .kind = "thing", .version = 3, .id = 1, .bytes = SPAN("x") };

    start(false);
    ck_assert_int_eq(sipd_restore_fact(other, &fact), SIPD_OK);
    must_tell("take thing 3 x\n");
    says = SIPD_EINVAL;
    ck_assert_int_eq(sipd_restore_fact(other, &fact), SIPD_EINVAL);
    buf_clear(&told);
    fact.kind = "weather";
    ck_assert_int_eq(sipd_restore_fact(other, &fact), SIPD_ENOENT);
    fact.kind = TXN_FACT;
    ck_assert_int_lt(sipd_restore_fact(other, &fact), SIPD_OK);
    fact.kind = FACT_TURN;
    ck_assert_int_eq(sipd_restore_fact(other, &fact), SIPD_OK);
    must_tell("");
    sipd_wake_facts(other, 0);
    must_tell("wake\n");
}
END_TEST

static void
restore_kind(const char *kind)
{
    struct fact fact = { .kind = kind };

    ck_assert_int_eq(sipd_restore_fact(other, &fact), SIPD_OK);
}

/* What a watch did not name goes in slices, behind its end; a new one that begins in between begins that anew as well. */
START_TEST(swept_when_all_is_told)
{
    start(false);
    ck_assert_int_eq(sipd_offer_facts(other, "else", &no_ops, NULL), SIPD_OK);
    restore_kind(FACT_BEGIN);
    must_tell("begin\n");
    host_tick(hosting.host);
    must_tell("");
    restore_kind(FACT_ALL);
    sweeps = 2;
    must_tell("");
    for (int n = 0; n < 2; n++) {
        ck_assert_uint_eq(host_next_ms(hosting.host), rig.clock.now_ms);
        host_tick(hosting.host);
        must_tell("sweep\n");
    }
    restore_kind(FACT_BEGIN);
    must_tell("begin\n");
    host_tick(hosting.host);
    must_tell("");
    restore_kind(FACT_ALL);
    sweeps = 1;
    for (int n = 0; n < 4; n++)
        host_tick(hosting.host);
    must_tell("sweep\nsweep\n");
    ck_assert_uint_eq(host_next_ms(hosting.host), UINT64_MAX);
}
END_TEST

/* While a module waits for its disk the loop sleeps, whatever else wakes it. */
static void
be_busy(unsigned asked)
{
    uint64_t next_ms = host_next_ms(hosting.host);

    ck_assert_uint_gt(next_ms, rig.clock.now_ms);
    ck_assert_uint_lt(next_ms, rig.clock.now_ms + 100);
    buf_clear(&told);
    for (unsigned n = 0; n < asked; n++) {
        host_tick(hosting.host);
        host_tick(hosting.host);
        must_tell("");
        rig.clock.now_ms = host_next_ms(hosting.host);
        host_tick(hosting.host);
        must_tell("busy\n");
    }
    ck_assert_uint_gt(host_next_ms(hosting.host), rig.clock.now_ms);
    busy = false;
    rig.clock.now_ms = host_next_ms(hosting.host);
}

START_TEST(a_busy_module_is_left_alone)
{
    start(false);
    restore_kind(FACT_BEGIN);
    restore_kind(FACT_ALL);
    busy = true;
    host_tick(hosting.host);
    be_busy(3);
    host_tick(hosting.host);
    must_tell("sweep\n");
    ck_assert_uint_eq(host_next_ms(hosting.host), UINT64_MAX);

    /* A new watch of the other node waits for nothing. */
    restore_kind(FACT_BEGIN);
    restore_kind(FACT_ALL);
    busy = true;
    host_tick(hosting.host);
    restore_kind(FACT_BEGIN);
    restore_kind(FACT_ALL);
    busy = false;
    buf_clear(&told);
    ck_assert_uint_eq(host_next_ms(hosting.host), rig.clock.now_ms);
    host_tick(hosting.host);
    must_tell("sweep\n");
}
END_TEST

START_TEST(a_telling_waits_for_a_busy_module)
{
    busy = true;
    start(true);
    host_tick(hosting.host);
    be_busy(3);
    for (int n = 0; n < THINGS; n++)
        host_tick(hosting.host);
    ck_assert_uint_eq(told_of, THINGS);
}
END_TEST

START_TEST(one_a_kind)
{
    start(false);
    ck_assert_int_eq(sipd_offer_facts(other, "thing", &ops, NULL), SIPD_EEXIST);
    mem_fail_after(0);
    ck_assert_int_eq(sipd_offer_facts(other, "else", &ops, NULL), SIPD_ENOMEM);
    mem_fail_never();
    ck_assert_int_eq(sipd_offer_facts(other, "else", &ops, NULL), SIPD_OK);
}
END_TEST

/* ------------------------------------------------------------------ records */

START_TEST(records_of_modules)
{
    char bytes[40];
    struct fact_out out = { .at = bytes, .room = sizeof bytes };
    struct fact_value value;
    struct span rest;
    uint64_t n;

    sipd_fact_put(&out, 7, SPAN("abc"));
    sipd_fact_put(&out, 8, SPAN(""));
    sipd_fact_put_number(&out, 9, 0);
    sipd_fact_put_number(&out, 10, 0x1234);
    rest = (struct span){ bytes, out.len };
    ck_assert_int_eq(sipd_fact_next(&rest, &value), SIPD_OK);
    ck_assert_uint_eq(value.tag, 7);
    must_text(value.bytes, "abc");
    ck_assert_int_eq(sipd_fact_next(&rest, &value), SIPD_OK);
    ck_assert_uint_eq(value.tag, 10);
    ck_assert_int_eq(sipd_fact_number(&value, 0x1234, &n), SIPD_OK);
    ck_assert_uint_eq(n, 0x1234);
    ck_assert_int_eq(sipd_fact_number(&value, 0x1233, &n), SIPD_EINVAL);
    ck_assert_int_eq(sipd_fact_next(&rest, &value), SIPD_ENOENT);
    rest = (struct span){ bytes, out.len - 1 };
    ck_assert_int_eq(sipd_fact_next(&rest, &value), SIPD_OK);
    ck_assert_int_eq(sipd_fact_next(&rest, &value), SIPD_ESYNTAX);
    sipd_fact_put(&out, 11, SPAN("more than the room that there is"));
    ck_assert(out.full && out.len <= sizeof bytes);
}
END_TEST

Suite *suite_facts(void);

Suite *
suite_facts(void)
{
    Suite *s = suite_create("facts");
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, told_from_the_beginning);
    tcase_add_test(c, told_anew_when_facts_come);
    tcase_add_test(c, told_anew_when_one_is_lost);
    tcase_add_test(c, swept_when_all_is_told);
    tcase_add_test(c, a_busy_module_is_left_alone);
    tcase_add_test(c, a_telling_waits_for_a_busy_module);
    tcase_add_test(c, one_may_watch);
    tcase_add_test(c, gone_with_its_module);
    tcase_add_test(c, taken_in_for_whom_they_are);
    tcase_add_test(c, one_a_kind);
    tcase_add_test(c, records_of_modules);
    suite_add_tcase(s, c);
    return s;
}
