/*
 * How many connections each source has made to us.
 */
#include "net/quota.h"

#include "base/mem.h"
#include "net/state.h"

enum { SITE_BYTES = 8 };

struct quota {
    struct table_node node;
    uint32_t conns;
    uint8_t ip[16]; /* of IPv6 the first half, the rest 0 */
};

int
quotas_init(struct quotas *quotas)
{
    return table_init(&quotas->table);
}

static void
free_one(struct table_node *node, void *arg)
{
    struct table *table = arg;

    table_remove(table, node);
    mem_free(container_of(node, struct quota, node));
}

void
quotas_fini(struct quotas *quotas)
{
    if (quotas->table.buckets)
        table_each(&quotas->table, free_one, &quotas->table);
    table_fini(&quotas->table);
}

static void
source_of(const struct hop *hop, uint8_t ip[16])
{
    memset(ip, 0, 16);
    memcpy(ip, hop->ip, hop_is_v4(hop) ? 16 : SITE_BYTES);
}

static bool
is_of(const struct table_node *node, const void *key)
{
    return memcmp(container_of_const(node, struct quota, node)->ip, key, 16) == 0;
}

static struct quota *
find(const struct net *net, const uint8_t ip[16], uint64_t hash)
{
    struct table_node *node = table_find(&net->quotas.table, hash, is_of, ip);

    return node ? container_of(node, struct quota, node) : NULL;
}

static uint64_t
hash_of(const struct net *net, const uint8_t ip[16])
{
    return prf_hash(&net->key, (struct span){ (const char *)ip, 16 });
}

bool
quota_take(struct net *net, const struct hop *source)
{
    uint8_t ip[16];
    struct quota *quota;
    uint64_t hash;

    source_of(source, ip);
    hash = hash_of(net, ip);
    quota = find(net, ip, hash);
    if (quota && net->conf.source_conns && quota->conns >= net->conf.source_conns)
        return false;
    if (!quota) {
        quota = mem_new(sizeof *quota);
        if (!quota)
            return false;
        memcpy(quota->ip, ip, sizeof quota->ip);
        table_insert(&net->quotas.table, &quota->node, hash);
    }
    quota->conns++;
    return true;
}

void
quota_give(struct net *net, const struct hop *source)
{
    uint8_t ip[16];
    struct quota *quota;

    source_of(source, ip);
    quota = find(net, ip, hash_of(net, ip));
    if (!quota || --quota->conns > 0)
        return;
    table_remove(&net->quotas.table, &quota->node);
    mem_free(quota);
}
