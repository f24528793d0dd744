/*
 * Intrusive doubly linked list: the node lies in the thing itself, so linking cannot fail.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/def.h"

struct list {
    struct list *next, *prev; /* itself when empty or unlinked */
};

/* Makes a head empty, or a node unlinked. */
static inline void
list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool
list_empty(const struct list *l)
{
    return l->next == l;
}

/* Links node, which is in no list, at the tail of head's list. */
static inline void
list_push(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Unlinks node; harmless if it is in no list. */
static inline void
list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Unlinks and returns the first node, or NULL. */
static inline struct list *
list_shift(struct list *head)
{
    struct list *node = head->next;

    if (node == head)
        return NULL;
    list_remove(node);
    return node;
}

/* Moves all nodes of another head to the tail of head's list; the other is empty then. */
static inline void
list_join(struct list *head, struct list *other)
{
    if (list_empty(other))
        return;
    head->prev->next = other->next;
    other->next->prev = head->prev;
    head->prev = other->prev;
    other->prev->next = head;
    list_init(other);
}

/* Must node come before other? */
typedef bool list_before_fn(const struct list *node, const struct list *other);

/* Brings head's list in order; who is alike stays in the order that there was. */
void list_sort(struct list *head, list_before_fn *before);

/* Walks the nodes; the one at hand may be unlinked. */
#define list_each(node, after, head)                                            \
    for (struct list *node = (head)->next, *after = node->next; node != (head); \
         node = after, after = node->next)

#endif
