/*
 * The table: what is linked is found, while it grows and when it cannot.
 */
#include "base/table.h"

#include "base/err.h"
#include "base/rand.h"
#include "unit/dies.h"
#include "unit/heap.h"
#include "unit/must.h"

enum { MANY = 5000 };

struct thing {
    struct table_node node;
    int key;
    int seen;
    bool linked;
};

static struct thing things[MANY];

static struct thing *
thing_of(struct table_node *node)
{
    return container_of(node, struct thing, node);
}

static bool
key_is(const struct table_node *node, const void *key)
{
    return container_of_const(node, struct thing, node)->key == *(const int *)key;
}

/* Spread enough for tests; two keys share each hash. */
static uint64_t
hash_of(int key)
{
    return (uint64_t)(key / 2) * UINT64_C(0x9e3779b97f4a7c15) >> 3;
}

static struct thing *
find(const struct table *t, int key)
{
    struct table_node *node = table_find(t, hash_of(key), key_is, &key);

    return node ? thing_of(node) : NULL;
}

static void
link_thing(struct table *t, int key)
{
    things[key].key = key;
    things[key].linked = true;
    table_insert(t, &things[key].node, hash_of(key));
}

static void
unlink_thing(struct table *t, int key)
{
    things[key].linked = false;
    table_remove(t, &things[key].node);
}

/* The same thing at the address of another. */
static void
replace_thing(struct table *t, int key)
{
    static struct thing elsewhere;

    elsewhere = things[key];
    elsewhere.node = (struct table_node){ .next = NULL };
    table_replace(t, &things[key].node, &elsewhere.node);
    must(find(t, key) == &elsewhere);
    things[key].node = (struct table_node){ .next = NULL };
    table_replace(t, &elsewhere.node, &things[key].node);
}

static void
see(struct table_node *node, void *arg)
{
    (void)arg;
    thing_of(node)->seen++;
}

/* Each thing is found and met once if it is linked, and only then. */
static void
check_all(struct table *t)
{
    for (int key = 0; key < MANY; key++)
        things[key].seen = 0;
    table_each(t, see, NULL);
    for (int key = 0; key < MANY; key++) {
        must(find(t, key) == (things[key].linked ? &things[key] : NULL));
        must(things[key].seen == things[key].linked);
    }
}

START_TEST(an_empty_table_finds_nothing)
{
    struct table t;

    ck_assert_int_eq(table_init(&t), SIPD_OK);
    ck_assert_ptr_null(find(&t, 1));
    ck_assert_uint_eq(t.used, 0);
    table_fini(&t);
}
END_TEST

START_TEST(all_are_there_at_each_moment_of_growth)
{
    struct table t;

    must(table_init(&t) == SIPD_OK);
    for (int key = 0; key < MANY; key++) {
        link_thing(&t, key);
        if (key < 700)
            check_all(&t);
    }
    check_all(&t);
    must(t.used == MANY);
    must((size_t)4 << t.bits >= MANY);
    table_fini(&t);
}
END_TEST

START_TEST(no_insertion_pays_for_all)
{
    struct table t;

    must(table_init(&t) == SIPD_OK);
    for (int key = 0; key < MANY; key++) {
        bool growing = t.old_buckets != NULL;
        size_t moved = growing ? t.moved : 0;

        link_thing(&t, key);
        if (t.old_buckets)
            must(t.moved - moved <= 1);
        else if (growing)
            must(moved + 1 >= (size_t)1 << t.old_bits);
    }
    table_fini(&t);
}
END_TEST

START_TEST(random_changes_match_a_plain_model)
{
    struct table t;
    struct rand r;
    size_t linked = 0;

    rand_seed(&r, 8);
    must(table_init(&t) == SIPD_OK);
    for (int step = 0; step < 100000; step++) {
        int key = (int)rand_below(&r, MANY);

        must(find(&t, key) == (things[key].linked ? &things[key] : NULL));
        if (things[key].linked && rand_below(&r, 2))
            replace_thing(&t, key);
        if (things[key].linked)
            unlink_thing(&t, key);
        else
            link_thing(&t, key);
        linked = things[key].linked ? linked + 1 : linked - 1;
        must(t.used == linked);
    }
    check_all(&t);
    table_fini(&t);
}
END_TEST

START_TEST(the_newest_of_equals_comes_first_throughout)
{
    struct thing twins[3] = { { .key = -7 }, { .key = -7 }, { .key = -7 } };
    struct table t;

    must(table_init(&t) == SIPD_OK);
    for (int i = 0; i < 3; i++)
        table_insert(&t, &twins[i].node, hash_of(-7));
    for (int key = 0; key < 1000; key++) {
        link_thing(&t, key);
        must(find(&t, -7) == &twins[2]);
    }
    table_remove(&t, &twins[2].node);
    must(find(&t, -7) == &twins[1]);
    table_insert(&t, &twins[2].node, hash_of(-7));
    must(find(&t, -7) == &twins[2]);
    table_remove(&t, &twins[1].node);
    must(find(&t, -7) == &twins[2]);
    table_remove(&t, &twins[2].node);
    must(find(&t, -7) == &twins[0]);
    table_fini(&t);
}
END_TEST

/* … and where one takes another's place, it is that one's in this order. */
START_TEST(who_takes_a_place_takes_its_turn)
{
    struct thing all[9], other = { .key = -7 };
    struct table t;

    for (unsigned i = 0; i < countof(all); i++) {
        must(table_init(&t) == SIPD_OK);
        for (unsigned n = 0; n < countof(all); n++) {
            all[n] = (struct thing){ .key = -7 };
            table_insert(&t, &all[n].node, hash_of(-7));
        }
        table_replace(&t, &all[i].node, &other.node);
        for (unsigned n = countof(all); n-- > 0;) {
            struct thing *newest = n == i ? &other : &all[n];

            must(find(&t, -7) == newest);
            table_remove(&t, &newest->node);
        }
        must(t.used == 0);
        table_fini(&t);
    }
}
END_TEST

static void
replace_stranger(void)
{
    struct thing stranger = { .key = 1 }, other = { .key = 1 };
    struct table t;

    must(table_init(&t) == SIPD_OK);
    table_replace(&t, &stranger.node, &other.node);
}

START_TEST(replacing_a_stranger_is_a_bug)
{
    ck_assert(dies_saying(replace_stranger, "!*link"));
}
END_TEST

START_TEST(another_hash_is_another_node)
{
    const uint64_t other = UINT64_C(1) << 40; /* the same bucket */
    struct thing one = { .key = 1 }, two = { .key = 1 };
    struct table t;
    int key = 1;

    ck_assert_int_eq(table_init(&t), SIPD_OK);
    table_insert(&t, &one.node, 0);
    table_insert(&t, &two.node, other);
    ck_assert_ptr_eq(table_find(&t, 0, key_is, &key), &one.node);
    ck_assert_ptr_eq(table_find(&t, other, key_is, &key), &two.node);
    ck_assert_ptr_null(table_find(&t, 2 * other, key_is, &key));
    table_fini(&t);
}
END_TEST

START_TEST(one_hash_for_all_is_slow_not_wrong)
{
    struct table t;

    must(table_init(&t) == SIPD_OK);
    for (int i = 0; i < 300; i++) {
        things[i].key = i;
        table_insert(&t, &things[i].node, UINT64_MAX);
    }
    for (int i = 0; i < 300; i++)
        must(table_find(&t, UINT64_MAX, key_is, &i) == &things[i].node);
    for (int i = 0; i < 300; i += 2)
        table_remove(&t, &things[i].node);
    for (int i = 0; i < 300; i++)
        must((table_find(&t, UINT64_MAX, key_is, &i) != NULL) == (i % 2 == 1));
    table_fini(&t);
}
END_TEST

static void
see_and_unlink(struct table_node *node, void *arg)
{
    struct thing *thing = thing_of(node);

    thing->seen++;
    if (thing->key % 2)
        unlink_thing(arg, thing->key);
}

START_TEST(the_node_at_hand_may_leave_the_walk)
{
    struct table t;

    ck_assert_int_eq(table_init(&t), SIPD_OK);
    for (int key = 0; key < 210; key++)
        link_thing(&t, key);
    ck_assert_ptr_nonnull(t.old_buckets);
    table_each(&t, see_and_unlink, &t);
    for (int key = 0; key < 210; key++)
        ck_assert_int_eq(things[key].seen, 1);
    ck_assert_uint_eq(t.used, 105);
    check_all(&t);
    table_fini(&t);
}
END_TEST

static void
remove_a_stranger(void)
{
    struct thing stranger = { .key = 1 };
    struct table t;

    if (table_init(&t) == SIPD_OK)
        table_remove(&t, &stranger.node);
}

START_TEST(removing_a_stranger_is_a_bug)
{
    ck_assert(dies_saying(remove_a_stranger, "!*link"));
}
END_TEST

START_TEST(without_first_buckets_there_is_no_table)
{
    struct table t;

    mem_fail_after(0);
    ck_assert_int_eq(table_init(&t), SIPD_ENOMEM);
    table_fini(&t);
}
END_TEST

START_TEST(when_memory_is_out_it_grows_no_further)
{
    for (uint64_t n = 0; n < 10; n++) {
        struct table t;
        uint32_t bits;

        ck_assert_int_eq(table_init(&t), SIPD_OK);
        mem_fail_after(n);
        for (int key = 0; key < MANY; key++)
            link_thing(&t, key);
        check_all(&t);
        bits = t.bits;
        mem_fail_never();
        for (int key = 0; key < MANY; key += 2)
            unlink_thing(&t, key);
        for (int key = 0; key < MANY; key += 2)
            link_thing(&t, key);
        check_all(&t);
        ck_assert(t.bits > bits || !mem_failed());
        table_fini(&t);
    }
}
END_TEST

static void
forget_things(void)
{
    memset(things, 0, sizeof things);
}

Suite *
suite_table(void)
{
    Suite *suite = suite_create("table");
    TCase *all = heap_case("all");

    tcase_add_checked_fixture(all, forget_things, NULL);
    tcase_add_test(all, an_empty_table_finds_nothing);
    tcase_add_test(all, all_are_there_at_each_moment_of_growth);
    tcase_add_test(all, no_insertion_pays_for_all);
    tcase_add_test(all, random_changes_match_a_plain_model);
    tcase_add_test(all, the_newest_of_equals_comes_first_throughout);
    tcase_add_test(all, who_takes_a_place_takes_its_turn);
    tcase_add_test(all, replacing_a_stranger_is_a_bug);
    tcase_add_test(all, another_hash_is_another_node);
    tcase_add_test(all, one_hash_for_all_is_slow_not_wrong);
    tcase_add_test(all, the_node_at_hand_may_leave_the_walk);
    tcase_add_test(all, removing_a_stranger_is_a_bug);
    tcase_add_test(all, without_first_buckets_there_is_no_table);
    tcase_add_test(all, when_memory_is_out_it_grows_no_further);
    suite_add_tcase(suite, all);
    return suite;
}
