/*
 * What DNS has said, as long as it holds, and what it is being asked: one entry for each name and kind of record.
 */
#include "cache.h"

#include <sipd/module.h>

enum { BUCKETS_LEAST = 64, BUCKETS_MOST = 1 << 20 };

int
cache_init(struct cache *cache, struct sipd_host *host, uint32_t entries)
{
    size_t len = BUCKETS_LEAST;

    while (len < entries && len < BUCKETS_MOST)
        len *= 2;
    *cache = (struct cache){ .buckets_len = len };
    ring_init(&cache->age);
    sipd_secret(host, SPAN("dns cache"), cache->key);
    cache->buckets = sipd_alloc(len * sizeof *cache->buckets);
    if (!cache->buckets)
        return SIPD_ENOMEM;
    return SIPD_OK;
}

static void
entry_free(struct cache *cache, struct cache_entry *entry)
{
    ring_out(&entry->bucket);
    ring_out(&entry->age);
    ring_out(&entry->due);
    dns_records_free(&entry->records);
    sipd_free(entry);
    cache->used--;
}

void
cache_fini(struct cache *cache)
{
    if (!cache->buckets)
        return;
    while (!ring_is_empty(&cache->age))
        entry_free(cache, RING_OF(cache->age.next, struct cache_entry, age));
    sipd_free(cache->buckets);
    cache->buckets = NULL;
}

/* ---- by name */

static struct span
without_dot(struct span name)
{
    return name.len > 0 && name.at[name.len - 1] == '.' ? span_head(name, name.len - 1) : name;
}

/* It begins to be when it is asked for: a large table costs what is used of it. */
static struct ring *
bucket_of(const struct cache *cache, enum dns_what what, struct span name)
{
    char small[ANSWER_NAME_BYTES + 1];
    struct ring *bucket;
    uint8_t hash[16];
    uint64_t at;

    small[0] = (char)what;
    for (size_t i = 0; i < name.len; i++)
        small[i + 1] = span_lower(name.at[i]);
    sipd_prf(cache->key, (struct span){ small, name.len + 1 }, hash);
    memcpy(&at, hash, sizeof at);
    bucket = &cache->buckets[at & (cache->buckets_len - 1)];
    if (!bucket->next)
        ring_init(bucket);
    return bucket;
}

static struct cache_entry *
find_in(struct ring *bucket, enum dns_what what, struct span name)
{
    for (struct ring *at = bucket->next; at != bucket; at = at->next) {
        struct cache_entry *entry = RING_OF(at, struct cache_entry, bucket);

        if (entry->what == what && span_ieq(span_of(entry->name), name))
            return entry;
    }
    return NULL;
}

struct cache_entry *
cache_find(const struct cache *cache, enum dns_what what, struct span name)
{
    name = without_dot(name);
    return answer_name_ok(name) ? find_in(bucket_of(cache, what, name), what, name) : NULL;
}

static bool
is_in_use(const struct cache *cache, const struct cache_entry *entry)
{
    return entry->visit == cache->visit || entry->question != 0 ||
           !ring_is_empty(&entry->waiters) || !ring_is_empty(&entry->due);
}

/* The one that was not wanted for longest makes room. Those in use are young, so the walk is short. */
static bool
make_room(struct cache *cache, uint32_t most)
{
    struct ring *at = cache->age.next;

    while (cache->used >= most && at != &cache->age) {
        struct cache_entry *entry = RING_OF(at, struct cache_entry, age);

        at = at->next;
        if (!is_in_use(cache, entry))
            entry_free(cache, entry);
    }
    return cache->used < most;
}

static struct cache_entry *
entry_new(struct cache *cache, enum dns_what what, struct span name)
{
    struct cache_entry *entry = sipd_alloc(sizeof *entry + name.len + 1);

    if (!entry)
        return NULL;
    entry->what = what;
    entry->visit = cache->visit;
    for (size_t i = 0; i < name.len; i++)
        entry->name[i] = span_lower(name.at[i]);
    ring_init(&entry->due);
    ring_init(&entry->waiters);
    ring_put(bucket_of(cache, what, name), &entry->bucket);
    ring_put(&cache->age, &entry->age);
    cache->used++;
    return entry;
}

struct cache_entry *
cache_get(struct cache *cache, enum dns_what what, struct span name, uint32_t most)
{
    struct cache_entry *entry = cache_find(cache, what, name);

    if (entry) {
        entry->visit = cache->visit;
        ring_out(&entry->age);
        ring_put(&cache->age, &entry->age);
        return entry;
    }
    name = without_dot(name);
    if (!answer_name_ok(name) || !make_room(cache, most))
        return NULL;
    return entry_new(cache, what, name);
}

bool
cache_holds(const struct cache_entry *entry, uint64_t now_ms, uint64_t since_ms)
{
    return entry->records && (now_ms < entry->expires_ms || entry->answered_ms >= since_ms);
}

bool
cache_is_stale(const struct cache_entry *entry, uint64_t now_ms, uint64_t stale_ms)
{
    return entry->records && entry->records->verdict == DNS_FOUND &&
           now_ms < entry->fresh_until_ms + stale_ms;
}

void
cache_extend(struct cache_entry *entry, uint64_t now_ms, uint64_t expires_ms)
{
    entry->question = 0;
    entry->answered_ms = now_ms;
    entry->expires_ms = expires_ms;
}

void
cache_answer(struct cache_entry *entry, struct dns_records *records, uint64_t now_ms,
             uint64_t expires_ms)
{
    dns_records_free(&entry->records);
    entry->records = records;
    entry->question = 0;
    entry->answered_ms = now_ms;
    entry->expires_ms = entry->fresh_until_ms = expires_ms;
}
