/*
 * Hooks come and go while requests wait: each goes on at the hook that it waited for, or is answered when that is gone.
 */
#include "core/rehook.h"

#include "base/err.h"
#include "unit/core_rig.h"

static char asked[64];
static bool waits;
static uint64_t waiting;

static enum sipd_verdict
speak(struct sipd_req *req, void *self)
{
    const char *letter = self;

    strncat(asked, letter, 1);
    if (*letter != 'm' || !waits)
        return SIPD_PASS;
    waiting = req->trip->id;
    return SIPD_WAIT;
}

static char letters[] = "lmn";

static void
add(unsigned which, int order)
{
    struct chain_hook hook = { .order = order,
                               .fn = speak,
                               .self = &letters[which],
                               .owner = &letters[which],
                               .name = "test" };

    ck_assert_int_eq(rehook_add(rig.core, SIPD_ON_REQUEST, &hook), SIPD_OK);
}

static void
begin(void)
{
    rig_begin();
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", BOB, 1000);
    memset(asked, 0, sizeof asked);
    waits = true;
    add(1, 2000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert_str_eq(asked, "m");
    rig_forget(&rig);
}

static void
go_on(void)
{
    waits = false;
    rig_resume(&rig, waiting);
}

START_TEST(test_added_before)
{
    add(0, 1000);
    go_on();
    ck_assert_str_eq(asked, "mm");
    rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 SIP/2.0");
}
END_TEST

START_TEST(test_added_behind)
{
    add(2, 3000);
    go_on();
    ck_assert_str_eq(asked, "mmn");
    rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 SIP/2.0");
}
END_TEST

START_TEST(test_removed_before)
{
    add(0, 1000);
    add(2, 3000);
    rehook_remove(rig.core, &letters[0]);
    go_on();
    ck_assert_str_eq(asked, "mmn");
    rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 SIP/2.0");
}
END_TEST

START_TEST(test_removed_behind)
{
    add(2, 3000);
    rehook_remove(rig.core, &letters[2]);
    go_on();
    ck_assert_str_eq(asked, "mm");
    rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 SIP/2.0");
}
END_TEST

START_TEST(test_removed)
{
    const struct rig_sent *answer;

    add(0, 1000);
    rehook_remove(rig.core, &letters[1]);
    rig_pass(&rig, 0);
    answer = rig_expect(&rig, ALICE, "SIP/2.0 503 Service Unavailable");
    ck_assert_ptr_nonnull(rig_value(answer, "Retry-After", 0));
    rig_resume(&rig, waiting); /* a stale id */
    ck_assert_str_eq(asked, "m");
    rig_alive(&rig, 0, 0, 1);
}
END_TEST

/* It was resumed in this very turn. */
START_TEST(test_removed_when_resumed)
{
    core_resume(rig.core, waiting);
    rehook_remove(rig.core, &letters[1]);
    rig_pass(&rig, 0);
    rig_expect(&rig, ALICE, "SIP/2.0 503 Service Unavailable");
    core_tick(rig.core);
    ck_assert_str_eq(asked, "m");
}
END_TEST

/* No two of one order; a refusal moves nobody. */
START_TEST(test_taken)
{
    struct chain_hook same = {
        .order = 2000, .fn = speak, .self = &letters[0], .owner = &letters[0], .name = "test"
    };

    ck_assert_int_eq(rehook_add(rig.core, SIPD_ON_REQUEST, &same), SIPD_EEXIST);
    go_on();
    ck_assert_str_eq(asked, "mm");
    rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 SIP/2.0");
}
END_TEST

Suite *
suite_rehook(void)
{
    Suite *suite = suite_create("rehook");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, rig_end);
    tcase_add_test(all, test_added_before);
    tcase_add_test(all, test_added_behind);
    tcase_add_test(all, test_removed_before);
    tcase_add_test(all, test_removed_behind);
    tcase_add_test(all, test_removed);
    tcase_add_test(all, test_removed_when_resumed);
    tcase_add_test(all, test_taken);
    suite_add_tcase(suite, all);
    return suite;
}
