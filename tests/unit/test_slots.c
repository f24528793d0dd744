/*
 * Slots: ids that go stale, addresses that stay, a ceiling.
 */
#include "base/slots.h"

#include <stdalign.h>
#include <string.h>

#include "base/poison.h"
#include "base/rand.h"
#include "unit/dies.h"
#include "unit/heap.h"
#include "unit/must.h"

enum { LIMIT = 1000 };

struct item {
    uint64_t id;
    char text[20];
};

/* A new item that knows its id, or NULL. */
static struct item *
new_item(struct slots *s)
{
    uint64_t id = 0;
    struct item *item = slots_new(s, &id);

    if (item)
        item->id = id;
    return item;
}

START_TEST(an_item_is_found_by_its_id)
{
    struct slots s;
    struct item *a, *b;

    slots_init(&s, sizeof(struct item), LIMIT);
    a = new_item(&s);
    b = new_item(&s);
    ck_assert_uint_ne(a->id, 0);
    ck_assert_uint_ne(a->id, b->id);
    ck_assert_ptr_eq(slots_find(&s, a->id), a);
    ck_assert_ptr_eq(slots_find(&s, b->id), b);
    ck_assert_uint_eq(s.used, 2);
    slots_fini(&s);
    ck_assert_uint_eq(s.used, 0);
}
END_TEST

START_TEST(a_new_item_is_zeroed_or_its_head_is)
{
    struct {
        struct slots s;
        size_t zeroed;
    } tables[2];
    uint64_t id = 0;

    slots_init(&tables[0].s, sizeof(struct item), LIMIT);
    tables[0].zeroed = sizeof(struct item);
    slots_init_head(&tables[1].s, sizeof(struct item), offsetof(struct item, text), LIMIT);
    tables[1].zeroed = offsetof(struct item, text);
    for (size_t i = 0; i < countof(tables); i++) {
        static const struct item zeroes;
        struct item *item = new_item(&tables[i].s);

        memset(item->text, 'x', sizeof item->text);
        slots_free(&tables[i].s, item->id);
        ck_assert_ptr_eq(slots_new(&tables[i].s, &id), item);
        ck_assert_mem_eq(item, &zeroes, tables[i].zeroed);
        slots_fini(&tables[i].s);
    }
}
END_TEST

START_TEST(what_never_was_is_not_found)
{
    struct slots s;
    struct item *a;

    slots_init(&s, sizeof(struct item), LIMIT);
    ck_assert_ptr_null(slots_find(&s, 0));
    ck_assert_ptr_null(slots_find(&s, UINT64_C(1) << 32));
    a = new_item(&s);
    ck_assert_ptr_null(slots_find(&s, 0));
    ck_assert_ptr_null(slots_find(&s, a->id + 1));
    ck_assert_ptr_null(slots_find(&s, a->id + (UINT64_C(1) << 32)));
    ck_assert_ptr_null(slots_find(&s, UINT64_MAX));
    slots_fini(&s);
}
END_TEST

START_TEST(an_id_goes_stale_and_its_place_is_used_again)
{
    struct slots s;
    struct item *a, *again;
    uint64_t old;

    slots_init(&s, sizeof(struct item), LIMIT);
    a = new_item(&s);
    old = a->id;
    memset(a->text, 'x', sizeof a->text);
    slots_free(&s, old);
    ck_assert_ptr_null(slots_find(&s, old));
    ck_assert_ptr_null(slots_find(&s, old + (UINT64_C(1) << 32)));
    again = new_item(&s);
    ck_assert_ptr_eq(again, a);
    ck_assert_uint_ne(again->id, old);
    ck_assert_ptr_null(slots_find(&s, old));
    ck_assert_mem_eq(again->text, (char[20]){ 0 }, 20);
    slots_fini(&s);
}
END_TEST

START_TEST(ids_differ_through_many_lives)
{
    struct slots s;
    uint64_t before = 0;

    slots_init(&s, 1, 1);
    for (int i = 0; i < 10000; i++) {
        uint64_t id = 0;

        must(slots_new(&s, &id));
        must(id > before);
        before = id;
        slots_free(&s, id);
    }
    must(s.made == 1);
    slots_fini(&s);
}
END_TEST

START_TEST(a_generation_wraps_past_zero)
{
    struct slots s;
    struct item *item;
    uint64_t id;

    slots_init(&s, sizeof(struct item), 1);
    item = new_item(&s);
    slots_free(&s, item->id);
    *(uint32_t *)s.chunks[0] = UINT32_MAX - 1; /* as after 2^31 lives */
    ck_assert_ptr_nonnull(item = new_item(&s));
    id = item->id;
    ck_assert_uint_eq(id, (uint64_t)UINT32_MAX << 32);
    slots_free(&s, id);
    ck_assert_ptr_nonnull(item = new_item(&s));
    ck_assert_uint_eq(item->id, UINT64_C(1) << 32);
    slots_fini(&s);
}
END_TEST

START_TEST(the_ceiling_holds)
{
    struct slots s;
    struct item *first = NULL;
    uint64_t id = 77;

    slots_init(&s, sizeof(struct item), LIMIT);
    for (int i = 0; i < LIMIT; i++) {
        struct item *item = new_item(&s);

        must(item);
        first = first ? first : item;
    }
    must(!slots_new(&s, &id));
    must(id == 77);
    slots_free(&s, first->id);
    must(new_item(&s));
    must(!new_item(&s));
    slots_fini(&s);
    slots_init(&s, 8, 0);
    must(!slots_new(&s, &id));
    slots_fini(&s);
}
END_TEST

START_TEST(addresses_stay)
{
    struct item *items[LIMIT];
    struct slots s;

    slots_init(&s, sizeof(struct item), LIMIT);
    for (int i = 0; i < LIMIT; i++)
        items[i] = new_item(&s);
    for (int i = 0; i < LIMIT; i++) {
        must((uintptr_t)items[i] % alignof(uint64_t) == 0);
        must(slots_find(&s, items[i]->id) == items[i]);
    }
    slots_fini(&s);
}
END_TEST

/* However many places are empty, a slice looks at so many, and the next goes on behind them. */
START_TEST(a_walk_in_slices)
{
    struct slots s;
    struct item *item, *last = NULL;
    uint64_t cursor = 0;
    uint32_t places, slices = 0, met = 0;

    slots_init(&s, sizeof(struct item), LIMIT);
    for (int i = 0; i < LIMIT; i++)
        last = new_item(&s);
    for (uint64_t at = 0; (item = slots_next(&s, &at));)
        if (item != last)
            slots_free(&s, item->id);
    do {
        places = 10;
        while ((item = slots_next_within(&s, &cursor, &places))) {
            must(item == last && cursor == last->id);
            met++;
        }
        slices++;
    } while (places == 0);
    must(met == 1 && slices >= LIMIT / 10 && slices <= LIMIT / 10 + 1);
    places = 10;
    must(!slots_next_within(&s, &cursor, &places) && places == 10);
    slots_fini(&s);
}
END_TEST

START_TEST(who_holds_a_place)
{
    struct slots s;
    struct item *item;
    uint64_t old;

    slots_init(&s, sizeof(struct item), LIMIT);
    must(!slots_holder(&s, (uint64_t)1 << 32));
    item = new_item(&s);
    old = item->id;
    slots_free(&s, old);
    must(!slots_holder(&s, old));
    item = new_item(&s);
    must(item->id != old && slots_holder(&s, old) == item && slots_holder(&s, item->id) == item);
    slots_fini(&s);
}
END_TEST

START_TEST(the_walk_meets_the_living_and_may_free_them)
{
    struct slots s;
    struct item *item;
    uint64_t cursor = 0, last = 0;
    uint32_t met = 0;

    slots_init(&s, sizeof(struct item), LIMIT);
    must(!slots_next(&s, &cursor));
    for (int i = 0; i < 600; i++) {
        item = new_item(&s);
        last = item->id;
        if (i % 3 == 0)
            slots_free(&s, last); /* its place is taken by the next */
    }
    while ((item = slots_next(&s, &cursor))) {
        must(item->id == cursor);
        met++;
        if (met % 2)
            slots_free(&s, cursor);
    }
    must(met == 400);
    must(s.used == 200);
    cursor = 0;
    for (met = 0; (item = slots_next(&s, &cursor)); met++)
        slots_free(&s, item->id);
    must(met == 200);
    must(!slots_find(&s, last));
    slots_fini(&s);
}
END_TEST

/* Random lives beside a plain array of the ids that are alive, and one of ids that ended. */
START_TEST(random_lives_match_a_plain_model)
{
    uint64_t alive[LIMIT], ended[LIMIT] = { 0 };
    uint32_t count = 0;
    struct slots s;
    struct rand r;

    rand_seed(&r, 2);
    slots_init(&s, sizeof(struct item), LIMIT);
    for (int step = 0; step < 50000; step++) {
        uint32_t which = (uint32_t)rand_below(&r, LIMIT);
        struct item *item;

        if (which >= count) {
            must((item = new_item(&s)));
            alive[count++] = item->id;
        } else if (rand_below(&r, 2)) {
            slots_free(&s, alive[which]);
            ended[rand_below(&r, LIMIT)] = alive[which];
            alive[which] = alive[--count];
        } else {
            must((item = slots_find(&s, alive[which])));
            must(item->id == alive[which]);
        }
        must(!slots_find(&s, ended[which]));
        must(s.used == count);
    }
    slots_fini(&s);
}
END_TEST

static uint64_t
items_alive(struct slots *s)
{
    uint64_t cursor = 0, sum = 0;

    while (slots_next(s, &cursor))
        sum += cursor;
    return sum;
}

/* What lives in one table lives in its mirror, by the same ids; then the mirror goes on by itself. */
START_TEST(a_mirror_takes_over)
{
    uint64_t alive[LIMIT];
    uint32_t count = 0;
    struct slots s, mirror;
    struct rand r;

    rand_seed(&r, 3);
    slots_init(&s, sizeof(struct item), LIMIT);
    slots_init(&mirror, sizeof(struct item), LIMIT);
    for (int step = 0; step < 20000; step++) {
        uint32_t which = (uint32_t)rand_below(&r, LIMIT);

        if (which >= count) {
            struct item *item = new_item(&s);

            must(item && slots_put(&mirror, item->id));
            alive[count++] = item->id;
        } else {
            slots_free(&s, alive[which]);
            slots_free(&mirror, alive[which]);
            alive[which] = alive[--count];
        }
        must(mirror.used == count);
    }
    ck_assert_uint_eq(items_alive(&s), items_alive(&mirror));
    slots_settle(&mirror);
    while (mirror.used < LIMIT)
        must(new_item(&mirror));
    for (uint32_t i = 0; i < count; i++)
        slots_free(&mirror, alive[i]);
    ck_assert_uint_eq(mirror.used, LIMIT - count);
    slots_fini(&s);
    slots_fini(&mirror);
}
END_TEST

START_TEST(what_cannot_be_mirrored)
{
    struct slots s;

    slots_init(&s, sizeof(struct item), 10);
    ck_assert_ptr_null(slots_put(&s, 0));
    ck_assert_ptr_null(slots_put(&s, UINT64_C(2) << 32)); /* nobody lives in an even generation */
    ck_assert_ptr_null(slots_put(&s, UINT64_C(1) << 32 | 10)); /* past the ceiling */
    ck_assert_ptr_nonnull(slots_put(&s, UINT64_C(3) << 32 | 9));
    ck_assert_ptr_null(slots_put(&s, UINT64_C(3) << 32 | 9)); /* taken */
    ck_assert_ptr_null(slots_put(&s, UINT64_C(5) << 32 | 9));
    slots_fini(&s);
}
END_TEST

START_TEST(an_ended_item_must_not_be_touched)
{
    struct slots s;
    struct item *item;

    slots_init(&s, sizeof(struct item), LIMIT);
    item = new_item(&s);
    slots_free(&s, item->id);
#if POISON_WORKS
    ck_assert(__asan_address_is_poisoned(item));
#endif
    slots_fini(&s);
}
END_TEST

static void
free_twice(void)
{
    struct slots s;
    uint64_t id = 0;

    slots_init(&s, 8, LIMIT);
    if (!slots_new(&s, &id))
        return;
    slots_free(&s, id);
    slots_free(&s, id);
}

START_TEST(freeing_a_stale_id_is_a_bug)
{
    ck_assert(dies_saying(free_twice, "!slot"));
}
END_TEST

START_TEST(when_memory_is_out_the_living_stay)
{
    for (uint64_t n = 0;; n++) {
        struct slots s;
        struct item *item;
        uint64_t cursor = 0;
        uint32_t got = 0, met = 0;

        slots_init(&s, sizeof(struct item), LIMIT);
        mem_fail_after(n);
        while (new_item(&s))
            got++;
        mem_fail_never();
        ck_assert(mem_failed() == (got < LIMIT));
        while ((item = slots_next(&s, &cursor)))
            met += item->id == cursor;
        ck_assert_uint_eq(met, got);
        ck_assert((new_item(&s) != NULL) == mem_failed());
        slots_fini(&s);
        if (!mem_failed())
            break;
    }
}
END_TEST

START_TEST(what_will_not_be_zeroed_may_be_filled_before)
{
    struct slots s;
    uint64_t first, id;
    struct item *item, *coming;

    slots_init_head(&s, sizeof(struct item), 0, 2);
    ck_assert_ptr_null(slots_coming(&s)); /* nothing has been there before */
    ck_assert_ptr_nonnull(slots_new(&s, &first));
    ck_assert_ptr_null(slots_coming(&s));
    slots_free(&s, first);
    coming = slots_coming(&s);
    ck_assert_ptr_nonnull(coming);
    coming->id = 42;
    ck_assert_ptr_null(slots_find(&s, first));
    item = slots_new(&s, &id);
    ck_assert_ptr_eq(item, coming);
    ck_assert_uint_eq(item->id, 42);
    slots_fini(&s);
}
END_TEST

Suite *
suite_slots(void)
{
    Suite *suite = suite_create("slots");
    TCase *all = heap_case("all");

    tcase_add_test(all, an_item_is_found_by_its_id);
    tcase_add_test(all, a_new_item_is_zeroed_or_its_head_is);
    tcase_add_test(all, what_will_not_be_zeroed_may_be_filled_before);
    tcase_add_test(all, what_never_was_is_not_found);
    tcase_add_test(all, an_id_goes_stale_and_its_place_is_used_again);
    tcase_add_test(all, ids_differ_through_many_lives);
    tcase_add_test(all, a_generation_wraps_past_zero);
    tcase_add_test(all, the_ceiling_holds);
    tcase_add_test(all, addresses_stay);
    tcase_add_test(all, the_walk_meets_the_living_and_may_free_them);
    tcase_add_test(all, a_walk_in_slices);
    tcase_add_test(all, who_holds_a_place);
    tcase_add_test(all, random_lives_match_a_plain_model);
    tcase_add_test(all, a_mirror_takes_over);
    tcase_add_test(all, what_cannot_be_mirrored);
    tcase_add_test(all, an_ended_item_must_not_be_touched);
    tcase_add_test(all, freeing_a_stale_id_is_a_bug);
    tcase_add_test(all, when_memory_is_out_the_living_stay);
    suite_add_tcase(suite, all);
    return suite;
}
