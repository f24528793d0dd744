/*
 * What the judge knows of the transactions of a sipd, both sides, by their keys on the wire.
 */
#include "sim/sides.h"

#include "lib/fnv.h"

struct wanted {
    const struct sim_sipd *sipd;
    enum method method;
    struct span branch, sent_by;
};

static bool
is_side(const struct table_node *node, const void *arg)
{
    const struct side *side = container_of_const(node, struct side, node);
    const struct wanted *wanted = arg;

    return side->sipd == wanted->sipd && side->method == wanted->method &&
           span_eq(side->branch, wanted->branch) && span_ieq(side->sent_by, wanted->sent_by);
}

struct side *
side_find(const struct sides *sides, const struct sim_sipd *s, const struct via *via,
          enum method method)
{
    struct wanted wanted = { s, method, via->branch, via->sent_by };
    struct table_node *node = table_find(&sides->servers, fnv(via->branch), is_side, &wanted);

    return node ? container_of(node, struct side, node) : NULL;
}

static bool
is_branch(const struct table_node *node, const void *arg)
{
    const struct branch_side *branch = container_of_const(node, struct branch_side, node);
    const struct wanted *wanted = arg;

    return branch->server->sipd == wanted->sipd && branch->server->method == wanted->method &&
           span_eq(branch->branch, wanted->branch);
}

struct branch_side *
branch_find(const struct sides *sides, const struct sim_sipd *s, const struct via *via,
            enum method method)
{
    struct wanted wanted = { .sipd = s, .method = method, .branch = via->branch };
    struct table_node *node = table_find(&sides->branches, fnv(via->branch), is_branch, &wanted);

    return node ? container_of(node, struct branch_side, node) : NULL;
}

bool
sides_init(struct sides *sides)
{
    return table_init(&sides->servers) == SIPD_OK && table_init(&sides->branches) == SIPD_OK;
}

void
sides_fini(struct sides *sides)
{
    table_fini(&sides->servers);
    table_fini(&sides->branches);
}

void
side_add(struct sides *sides, struct side *side)
{
    table_insert(&sides->servers, &side->node, fnv(side->branch));
}

void
branch_add(struct sides *sides, struct branch_side *branch)
{
    table_insert(&sides->branches, &branch->node, fnv(branch->branch));
}

void
side_remove(struct sides *sides, struct side *side)
{
    list_each (node, after, &side->branches)
        table_remove(&sides->branches, &container_of(node, struct branch_side, link)->node);
    table_remove(&sides->servers, &side->node);
}

uint64_t
branch_end_ms(const struct branch_side *b)
{
    bool invite = b->server->method == METHOD_INVITE;

    if (b->failed)
        return 0;
    if (b->final > 0)
        return b->final / 100 == 2 && invite ? b->final_ms + UA_GIVE_UP_MS : 0;
    if (b->cancelled)
        return b->cancel_ms + UA_GIVE_UP_MS;
    return b->provisional && invite ? UINT64_MAX : b->first_ms + UA_GIVE_UP_MS;
}
