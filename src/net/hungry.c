/*
 * Who still has something to read when a turn has done enough, and whose turn it is then (house rule 16).
 */
#include "net/hungry.h"

#include <event2/event.h>

void
hungries_init(struct hungries *all)
{
    list_init(&all->passed_over);
    list_init(&all->unfinished);
}

void
hungry_init(struct hungry *hungry)
{
    *hungry = (struct hungry){ .event = NULL };
    list_init(&hungry->link);
}

void
hungry_serve(struct hungry *hungry, uint64_t turn_ns)
{
    hungry->served_ns = turn_ns;
    hungry->since_ns = 0;
}

void
hungry_wait(struct hungries *all, struct hungry *hungry, struct event *event, short what,
            uint64_t turn_ns)
{
    bool served = hungry->served_ns == turn_ns;

    if (!list_empty(&hungry->link)) {
        hungry->what |= what;
        return;
    }
    hungry->event = event;
    hungry->what = what;
    if (hungry->since_ns == 0)
        hungry->since_ns = turn_ns;
    list_push(served ? &all->unfinished : &all->passed_over, &hungry->link);
}

void
hungry_end(struct hungry *hungry)
{
    list_remove(&hungry->link);
}

uint64_t
hungries_call(struct hungries *all)
{
    uint64_t since_ns = UINT64_MAX;

    list_join(&all->passed_over, &all->unfinished);
    for (struct list *node; (node = list_shift(&all->passed_over));) {
        struct hungry *hungry = container_of(node, struct hungry, link);

        if (hungry->since_ns < since_ns)
            since_ns = hungry->since_ns;
        event_active(hungry->event, hungry->what, 1);
    }
    return since_ns;
}
