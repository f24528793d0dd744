/*
 * Whom we connect to, as numbers that fit into a hop.
 */
#include "net/name.h"

#include "base/mem.h"
#include "net/state.h"

enum {
    NAMES_MOST = 65536,
    NAME_MOST_BYTES = 255, /* RFC 1035 §2.3.4 */
    KEEP_MS = 600000,      /* longer than any transaction */
};

struct name {
    struct table_node by_text, by_number;
    struct list link;
    uint64_t used_ms;
    uint32_t number;
    uint32_t len;
    char text[];
};

int
names_init(struct names *names)
{
    int err = table_init(&names->by_text);

    list_init(&names->used);
    return err ? err : table_init(&names->by_number);
}

static struct name *
first(const struct names *names)
{
    return list_empty(&names->used) ? NULL : container_of(names->used.next, struct name, link);
}

static void
forget(struct names *names, struct name *name)
{
    table_remove(&names->by_text, &name->by_text);
    table_remove(&names->by_number, &name->by_number);
    list_remove(&name->link);
    names->count--;
    mem_free(name);
}

void
names_fini(struct names *names)
{
    if (!names->used.next)
        return;
    for (struct name *name; (name = first(names));)
        forget(names, name);
    table_fini(&names->by_text);
    table_fini(&names->by_number);
}

static bool
has_text(const struct table_node *node, const void *key)
{
    const struct name *name = container_of_const(node, struct name, by_text);

    return span_ieq((struct span){ name->text, name->len }, *(const struct span *)key);
}

static bool
has_number(const struct table_node *node, const void *key)
{
    return container_of_const(node, struct name, by_number)->number == *(const uint32_t *)key;
}

static uint64_t
number_hash(const struct net *net, uint32_t number)
{
    return prf_hash(&net->key, (struct span){ (const char *)&number, sizeof number });
}

static void
touch(struct net *net, struct name *name)
{
    name->used_ms = net->clock->now_ms;
    list_remove(&name->link);
    list_push(&net->names.used, &name->link);
}

/* Room for one more: the one that was not used for longest goes, if that is long ago. */
static bool
make_room(struct net *net)
{
    struct name *oldest = first(&net->names);

    if (oldest && oldest->used_ms + KEEP_MS < net->clock->now_ms)
        forget(&net->names, oldest);
    return net->names.count < NAMES_MOST;
}

static uint32_t
next_number(struct names *names)
{
    return ++names->last ? names->last : ++names->last;
}

static struct name *
add(struct net *net, struct span text, uint64_t hash)
{
    struct names *names = &net->names;
    struct name *name = make_room(net) ? mem_new(sizeof *name + text.len) : NULL;

    if (!name)
        return NULL;
    memcpy(name->text, text.at, text.len);
    name->len = (uint32_t)text.len;
    name->number = next_number(names);
    names->count++;
    list_init(&name->link);
    table_insert(&names->by_text, &name->by_text, hash);
    table_insert(&names->by_number, &name->by_number, number_hash(net, name->number));
    return name;
}

uint32_t
net_name(struct net *net, struct span text)
{
    char lower[NAME_MOST_BYTES];
    struct table_node *node;
    struct name *name;
    uint64_t hash;

    if (text.len == 0 || text.len > sizeof lower)
        return 0;
    for (size_t i = 0; i < text.len; i++)
        lower[i] = span_lower(text.at[i]);
    text = (struct span){ lower, text.len };
    hash = prf_hash(&net->key, text);
    node = table_find(&net->names.by_text, hash, has_text, &text);
    name = node ? container_of(node, struct name, by_text) : add(net, text, hash);
    if (!name)
        return 0;
    touch(net, name);
    return name->number;
}

bool
name_text(struct net *net, uint32_t number, struct span *text)
{
    struct table_node *node =
        table_find(&net->names.by_number, number_hash(net, number), has_number, &number);
    struct name *name = node ? container_of(node, struct name, by_number) : NULL;

    if (!name)
        return false;
    touch(net, name);
    *text = (struct span){ name->text, name->len };
    return true;
}
