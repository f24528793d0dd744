/*
 * The list: order, and unlinking from any place at any moment.
 */
#include "base/list.h"

#include <check.h>

#include "unit/must.h"

struct thing {
    int value;
    struct list link;
};

static void
push_values(struct list *head, struct thing *things, int first, int count)
{
    for (int i = 0; i < count; i++) {
        things[i].value = first + i;
        list_push(head, &things[i].link);
    }
}

/* The values in order as one decimal number: 1, 2, 3 is 123. */
static int
digits(struct list *head)
{
    int number = 0;

    list_each (link, after, head)
        number = number * 10 + container_of(link, struct thing, link)->value;
    return number;
}

START_TEST(what_is_pushed_first_comes_first)
{
    struct list head;
    struct thing things[3];

    list_init(&head);
    ck_assert(list_empty(&head));
    ck_assert_ptr_null(list_shift(&head));
    push_values(&head, things, 1, 3);
    ck_assert(!list_empty(&head));
    ck_assert_int_eq(digits(&head), 123);
    ck_assert_ptr_eq(list_shift(&head), &things[0].link);
    ck_assert(list_empty(&things[0].link));
    ck_assert_int_eq(digits(&head), 23);
}
END_TEST

START_TEST(any_node_can_go_and_twice_is_harmless)
{
    for (int gone = 0; gone < 3; gone++) {
        const int left[] = { 23, 13, 12 };
        struct list head;
        struct thing things[3];

        list_init(&head);
        push_values(&head, things, 1, 3);
        list_remove(&things[gone].link);
        list_remove(&things[gone].link);
        ck_assert_int_eq(digits(&head), left[gone]);
    }
}
END_TEST

START_TEST(the_node_at_hand_may_leave_the_walk)
{
    struct list head;
    struct thing things[4];

    list_init(&head);
    push_values(&head, things, 1, 4);
    list_each (link, after, &head)
        if (container_of(link, struct thing, link)->value % 2 == 0)
            list_remove(link);
    ck_assert_int_eq(digits(&head), 13);
    list_each (link, after, &head)
        list_remove(link);
    ck_assert(list_empty(&head));
}
END_TEST

START_TEST(lists_join_in_order)
{
    struct list one, two;
    struct thing first[2], second[3];

    list_init(&one);
    list_init(&two);
    list_join(&one, &two);
    ck_assert(list_empty(&one));
    push_values(&two, second, 3, 3);
    list_join(&one, &two);
    ck_assert_int_eq(digits(&one), 345);
    ck_assert(list_empty(&two));
    push_values(&two, first, 1, 2);
    list_join(&two, &one);
    ck_assert_int_eq(digits(&two), 12345);
    ck_assert(list_empty(&one));
    list_remove(&second[2].link);
    list_join(&two, &one);
    ck_assert_int_eq(digits(&two), 1234);
}
END_TEST

static bool
is_less(const struct list *link, const struct list *other)
{
    return container_of_const(link, struct thing, link)->value / 1000 <
           container_of_const(other, struct thing, link)->value / 1000;
}

/* By their thousands alone; the rest tells the order that there was. */
START_TEST(sorting_keeps_the_order_of_those_alike)
{
    enum { THINGS = 200 };
    static struct thing things[THINGS];

    for (unsigned len = 0; len <= THINGS; len++) {
        struct list head;
        int last = -1;
        unsigned seen = 0;

        list_init(&head);
        for (unsigned i = 0; i < len; i++) {
            things[i].value = (int)(i * 7 % 13 * 1000 + i);
            list_push(&head, &things[i].link);
        }
        list_sort(&head, is_less);
        list_each (link, after, &head) {
            must(container_of(link, struct thing, link)->value > last);
            must(link->next->prev == link);
            last = container_of(link, struct thing, link)->value;
            seen++;
        }
        ck_assert_uint_eq(seen, len);
    }
}
END_TEST

Suite *
suite_list(void)
{
    Suite *suite = suite_create("list");
    TCase *all = tcase_create("all");

    tcase_add_test(all, what_is_pushed_first_comes_first);
    tcase_add_test(all, any_node_can_go_and_twice_is_harmless);
    tcase_add_test(all, the_node_at_hand_may_leave_the_walk);
    tcase_add_test(all, lists_join_in_order);
    tcase_add_test(all, sorting_keeps_the_order_of_those_alike);
    suite_add_tcase(suite, all);
    return suite;
}
