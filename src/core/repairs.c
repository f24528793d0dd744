/*
 * Repairs on record: by peer, rule and verdict.
 */
#include "core/repairs.h"

#include <stdio.h>

#include "base/err.h"

enum { LINES_A_SECOND = 20, NAME_BYTES = 64 };

struct key {
    uint8_t ip[16];
    uint8_t rule, verdict;
};

struct row {
    struct table_node node;
    struct list link;
    uint64_t id;
    struct hop peer;
    struct key key;
    uint64_t count, last_ms;
};

int
repairs_init(struct repairs *r, const struct clock *clock, const struct log *log,
             struct counters *counters, struct prf_key hash_key, uint32_t limit)
{
    *r = (struct repairs){ .clock = clock, .log = log, .hash_key = hash_key };
    slots_init(&r->slots, sizeof(struct row), limit);
    list_init(&r->recent);
    r->unlogged = counters_get(counters, "repair_unlogged");
    for (int id = 0; id < DEVIATIONS; id++) {
        char name[NAME_BYTES];

        snprintf(name, sizeof name, "repair_%s", deviation_info((enum deviation)id)->name);
        r->count[id] = counters_get(counters, name);
    }
    return table_init(&r->table);
}

void
repairs_fini(struct repairs *r)
{
    table_fini(&r->table);
    slots_fini(&r->slots);
}

/* ---- rows */

static bool
row_is(const struct table_node *node, const void *key)
{
    const struct row *row = container_of_const(node, struct row, node);

    return memcmp(&row->key, key, sizeof row->key) == 0;
}

static void
row_end(struct repairs *r, struct row *row)
{
    r->others[row->key.rule][row->key.verdict] += row->count;
    table_remove(&r->table, &row->node);
    list_remove(&row->link);
    slots_free(&r->slots, row->id);
}

static struct row *
row_new(struct repairs *r, const struct hop *from, const struct key *key, uint64_t hash)
{
    struct row *row;
    uint64_t id;

    while (r->slots.used >= r->slots.limit && !list_empty(&r->recent))
        row_end(r, container_of(r->recent.next, struct row, link));
    row = slots_new(&r->slots, &id);
    if (!row)
        return NULL;
    row->id = id;
    row->peer = *from;
    row->key = *key;
    table_insert(&r->table, &row->node, hash);
    list_push(&r->recent, &row->link);
    return row;
}

static struct row *
row_get(struct repairs *r, const struct hop *from, enum deviation rule, enum repair_verdict verdict)
{
    struct key key = { .rule = (uint8_t)rule, .verdict = (uint8_t)verdict };
    struct table_node *node;
    uint64_t hash;

    memcpy(key.ip, from->ip, sizeof key.ip);
    hash = prf_hash(&r->hash_key, (struct span){ (const char *)&key, sizeof key });
    node = table_find(&r->table, hash, row_is, &key);
    return node ? container_of(node, struct row, node) : row_new(r, from, &key, hash);
}

/* ---- log lines */

static bool
may_write(struct repairs *r)
{
    uint64_t second = r->clock->now_ms / 1000;

    if (second != r->second)
        r->lines = 0;
    r->second = second;
    return r->lines++ < LINES_A_SECOND;
}

static void
tell(struct repairs *r, const struct row *row, const struct gist *gist)
{
    static const char *const events[REPAIR_VERDICTS] = { "odd", "mended", "refused-as-odd" };
    enum log_level level = row->key.verdict == REPAIR_ACCEPT ? LOG_LVL_DEBUG : LOG_LVL_INFO;
    struct span rule = span_of(deviation_info((enum deviation)row->key.rule)->name), peer, count;
    char address[HOP_TEXT_BYTES], number[24];

    if (!log_on(r->log, level) || (row->count & (row->count - 1)) != 0)
        return;
    if (!may_write(r)) {
        ++*r->unlogged;
        return;
    }
    peer = hop_ip_write(&row->peer, address);
    count = (struct span){ number, (size_t)snprintf(number, sizeof number, "%llu",
                                                    (unsigned long long)row->count) };
    log_spans(r->log, level, events[row->key.verdict], "call_id", &gist->call_id, "rule", &rule,
              "peer", &peer, "count", &count, NULL);
}

static void
add(struct repairs *r, const struct hop *from, const struct gist *gist, enum deviation rule,
    enum repair_verdict verdict)
{
    struct row *row = row_get(r, from, rule, verdict);

    ++*r->count[rule];
    if (!row) { /* memory is out */
        r->others[rule][verdict]++;
        return;
    }
    row->count++;
    row->last_ms = r->clock->now_ms;
    list_remove(&row->link);
    list_push(&r->recent, &row->link);
    tell(r, row, gist);
}

void
repairs_add(struct repairs *r, const struct hop *from, const struct gist *gist,
            const struct repair_done *done)
{
    for (int id = 0; id < DEVIATIONS; id++) {
        enum deviation rule = (enum deviation)id;

        if (done->accepted & deviation_bit(rule))
            add(r, from, gist, rule, REPAIR_ACCEPT);
        if (done->fixed & deviation_bit(rule))
            add(r, from, gist, rule, REPAIR_FIX);
        if (done->rejected & deviation_bit(rule))
            add(r, from, gist, rule, REPAIR_REJECT);
    }
}

void
repairs_each(const struct repairs *r, void (*fn)(void *arg, const struct repairs_row *row),
             void *arg)
{
    for (struct list *node = r->recent.prev; node != &r->recent; node = node->prev) {
        const struct row *row = container_of(node, struct row, link);

        fn(arg, &(struct repairs_row){ &row->peer, (enum deviation)row->key.rule,
                                       (enum repair_verdict)row->key.verdict, row->count,
                                       row->last_ms });
    }
    for (int id = 0; id < DEVIATIONS; id++)
        for (int verdict = 0; verdict < REPAIR_VERDICTS; verdict++)
            if (r->others[id][verdict] > 0)
                fn(arg,
                   &(struct repairs_row){ NULL, (enum deviation)id, (enum repair_verdict)verdict,
                                          r->others[id][verdict], 0 });
}
