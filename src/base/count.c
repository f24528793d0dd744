/*
 * Counters in a list sorted by name: looked up once each, read rarely.
 */
#include "base/count.h"

#include "base/mem.h"

struct counter {
    struct counter *next;
    uint64_t value;
    char name[];
};

void
counters_init(struct counters *c)
{
    *c = (struct counters){ 0 };
}

void
counters_fini(struct counters *c)
{
    for (struct counter *next; c->first; c->first = next) {
        next = c->first->next;
        mem_free(c->first);
    }
}

uint64_t *
counters_get(struct counters *c, const char *name)
{
    struct counter **link = &c->first, *made;
    size_t name_bytes = strlen(name) + 1;

    while (*link && strcmp((*link)->name, name) < 0)
        link = &(*link)->next;
    if (*link && strcmp((*link)->name, name) == 0)
        return &(*link)->value;
    made = mem_new(sizeof *made + name_bytes);
    if (!made)
        return &c->spare;
    memcpy(made->name, name, name_bytes);
    made->next = *link;
    *link = made;
    return &made->value;
}

void
counters_each(const struct counters *c, void (*fn)(const char *name, uint64_t value, void *arg),
              void *arg)
{
    for (const struct counter *counter = c->first; counter; counter = counter->next)
        fn(counter->name, counter->value, arg);
}
