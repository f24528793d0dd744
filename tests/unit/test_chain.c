/*
 * Hooks by stage and order: linked, asked, taken out.
 */
#include "core/chain.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/state.h"
#include "unit/heap.h"

static struct chain chain;
static struct core core;

/* Who was asked, a letter each; and what the hooks say. */
static char asked[32];
static enum sipd_verdict says[128];

static void
begin(void)
{
    heap_watch();
    chain_init(&chain);
    memset(asked, 0, sizeof asked);
    memset(says, 0, sizeof says);
}

static void
end(void)
{
    mem_fail_never();
    chain_fini(&chain);
    heap_compare();
}

static enum sipd_verdict
speak(struct sipd_req *req, void *self)
{
    const char *letter = self;

    (void)req;
    strncat(asked, letter, 1);
    return says[(unsigned char)*letter];
}

static const char owners[2][4] = { "one", "two" };

static int
add(enum sipd_stage stage, int order, const char *letter, const void *owner)
{
    struct chain_hook hook = { .order = order, .fn = speak, .owner = owner, .name = "test" };
    static char letters[16];
    static size_t n;

    letters[n %= sizeof letters] = *letter;
    hook.self = &letters[n++];
    return chain_add(&chain, stage, &hook);
}

static void
add_three(void)
{
    ck_assert_int_eq(add(SIPD_ON_REQUEST, 20, "b", owners[0]), SIPD_OK);
    ck_assert_int_eq(add(SIPD_ON_REQUEST, 30, "c", owners[1]), SIPD_OK);
    ck_assert_int_eq(add(SIPD_ON_REQUEST, -10, "a", owners[0]), SIPD_OK);
}

START_TEST(low_orders_come_first)
{
    struct sipd_req req = { .core = &core };
    uint16_t at = 0;

    add_three();
    ck_assert_int_eq(add(SIPD_ON_REPLY, 1, "z", owners[0]), SIPD_OK);
    ck_assert_int_eq(chain_ask(&chain, &req, SIPD_ON_REQUEST, &at), SIPD_PASS);
    ck_assert_str_eq(asked, "abc");
    ck_assert_uint_eq(at, 3);
    ck_assert_int_eq(req.stage, SIPD_ON_REQUEST);
    ck_assert_int_eq(chain_ask(&chain, &req, SIPD_ON_REQUEST, &at), SIPD_PASS);
    ck_assert_str_eq(asked, "abc");
}
END_TEST

START_TEST(an_empty_stage_passes)
{
    struct sipd_req req = { .core = &core };
    uint16_t at = 0;

    for (enum sipd_stage stage = 0; stage < SIPD_STAGES; stage++)
        ck_assert_int_eq(chain_ask(&chain, &req, stage, &at), SIPD_PASS);
}
END_TEST

START_TEST(equal_orders_are_refused)
{
    add_three();
    ck_assert_int_eq(add(SIPD_ON_REQUEST, 20, "x", owners[1]), SIPD_EEXIST);
    ck_assert_int_eq(add(SIPD_ON_TARGETS, 20, "x", owners[1]), SIPD_OK);
    ck_assert_uint_eq(chain.len[SIPD_ON_REQUEST], 3);
}
END_TEST

START_TEST(the_one_that_speaks_is_asked_again)
{
    struct sipd_req req = { .core = &core };
    uint16_t at = 0;

    add_three();
    says['b'] = SIPD_WAIT;
    ck_assert_int_eq(chain_ask(&chain, &req, SIPD_ON_REQUEST, &at), SIPD_WAIT);
    ck_assert_str_eq(asked, "ab");
    ck_assert_uint_eq(at, 1);
    says['b'] = SIPD_PASS;
    says['c'] = SIPD_DONE;
    ck_assert_int_eq(chain_ask(&chain, &req, SIPD_ON_REQUEST, &at), SIPD_DONE);
    ck_assert_str_eq(asked, "abbc");
}
END_TEST

START_TEST(an_owner_goes_with_all_its_hooks)
{
    struct sipd_req req = { .core = &core };
    uint16_t at = 0;

    add_three();
    ck_assert_int_eq(add(SIPD_ON_REPLY, 1, "z", owners[0]), SIPD_OK);
    chain_remove(&chain, owners[0]);
    ck_assert_int_eq(chain_ask(&chain, &req, SIPD_ON_REQUEST, &at), SIPD_PASS);
    ck_assert_str_eq(asked, "c");
    ck_assert_uint_eq(chain.len[SIPD_ON_REPLY], 0);
    chain_remove(&chain, owners[0]);
    ck_assert_int_eq(add(SIPD_ON_REQUEST, 20, "d", owners[0]), SIPD_OK);
    at = 0;
    ck_assert_int_eq(chain_ask(&chain, &req, SIPD_ON_REQUEST, &at), SIPD_PASS);
    ck_assert_str_eq(asked, "cdc");
}
END_TEST

START_TEST(without_memory_the_chain_stays)
{
    add_three();
    mem_fail_after(0);
    ck_assert_int_eq(add(SIPD_ON_REQUEST, 40, "d", owners[0]), SIPD_ENOMEM);
    mem_fail_never();
    ck_assert_uint_eq(chain.len[SIPD_ON_REQUEST], 3);
    ck_assert_int_eq(add(SIPD_ON_REQUEST, 40, "d", owners[0]), SIPD_OK);
}
END_TEST

START_TEST(stages_have_names)
{
    ck_assert_str_eq(chain_stage_name(SIPD_ON_REQUEST), "ON_REQUEST");
    ck_assert_str_eq(chain_stage_name(SIPD_ON_TARGETS), "ON_TARGETS");
    ck_assert_str_eq(chain_stage_name(SIPD_ON_BRANCH), "ON_BRANCH");
    ck_assert_str_eq(chain_stage_name(SIPD_ON_RESPONSE), "ON_RESPONSE");
    ck_assert_str_eq(chain_stage_name(SIPD_ON_REPLY), "ON_REPLY");
}
END_TEST

Suite *
suite_chain(void)
{
    Suite *s = suite_create("chain");
    TCase *c = tcase_create("hooks");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, low_orders_come_first);
    tcase_add_test(c, an_empty_stage_passes);
    tcase_add_test(c, equal_orders_are_refused);
    tcase_add_test(c, the_one_that_speaks_is_asked_again);
    tcase_add_test(c, an_owner_goes_with_all_its_hooks);
    tcase_add_test(c, without_memory_the_chain_stays);
    tcase_add_test(c, stages_have_names);
    suite_add_tcase(s, c);
    return s;
}
