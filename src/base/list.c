/*
 * Sorting by merging: runs of 1, 2, 4 … nodes, at most one of each length at a time.
 */
#include "base/list.h"

enum { RUNS = 64 };

/* Moves all nodes of two sorted lists to `into`, which is empty; of two alike the one of `first` comes first. */
static void
merge(struct list *into, struct list *first, struct list *second, list_before_fn *before)
{
    while (!list_empty(first) && !list_empty(second))
        list_push(into, list_shift(before(second->next, first->next) ? second : first));
    list_join(into, first);
    list_join(into, second);
}

/* A sorted list, which is empty then, joins the run of its length; two of one length make one of the next. */
static void
add_run(struct list runs[RUNS], struct list *run, list_before_fn *before)
{
    struct list both;
    unsigned at = 0;

    for (; !list_empty(&runs[at]); at++) {
        list_init(&both);
        merge(&both, &runs[at], run, before);
        list_join(run, &both);
    }
    list_join(&runs[at], run);
}

void
list_sort(struct list *head, list_before_fn *before)
{
    struct list runs[RUNS], one, all;

    for (unsigned at = 0; at < RUNS; at++)
        list_init(&runs[at]);
    for (struct list *node; (node = list_shift(head));) {
        list_init(&one);
        list_push(&one, node);
        add_run(runs, &one, before);
    }
    for (unsigned at = 0; at < RUNS; at++) {
        list_init(&all);
        merge(&all, &runs[at], head, before);
        list_join(head, &all);
    }
}
