/*
 * How hops fare, shared by all requests: one that failed or asked for peace rests for a while and comes back by itself
 * (RFC 3263 §4.3, RFC 3261 §21.5.4).
 */
#include "health.h"

#include <sipd/module.h>

enum {
    BUCKETS = 1024,
    SILENT_MS = 32000, /* 64*T1, as Timer B and F (RFC 3261 §17) */
};

int
health_init(struct health_table *h, struct sipd_host *host)
{
    *h = (struct health_table){ 0 };
    ring_init(&h->age);
    sipd_secret(host, SPAN("dns health"), h->key);
    h->buckets = sipd_alloc(BUCKETS * sizeof *h->buckets);
    if (!h->buckets)
        return SIPD_ENOMEM;
    for (size_t i = 0; i < BUCKETS; i++)
        ring_init(&h->buckets[i]);
    return SIPD_OK;
}

static void
target_free(struct health_table *h, struct health_target *target)
{
    ring_out(&target->bucket);
    ring_out(&target->age);
    sipd_free(target);
    h->used--;
}

void
health_fini(struct health_table *h)
{
    if (!h->buckets)
        return;
    while (!ring_is_empty(&h->age))
        target_free(h, RING_OF(h->age.next, struct health_target, age));
    sipd_free(h->buckets);
    h->buckets = NULL;
}

static struct ring *
bucket_of(const struct health_table *h, const struct hop *hop)
{
    char bytes[sizeof hop->ip + 3];
    uint8_t hash[16];

    memcpy(bytes, hop->ip, sizeof hop->ip);
    bytes[16] = (char)(hop->port >> 8);
    bytes[17] = (char)(hop->port & 0xff);
    bytes[18] = (char)hop->transport;
    sipd_prf(h->key, (struct span){ bytes, sizeof bytes }, hash);
    return &h->buckets[(hash[0] | (size_t)hash[1] << 8) & (BUCKETS - 1)];
}

struct health_target *
health_find(const struct health_table *h, const struct hop *hop)
{
    struct ring *bucket = bucket_of(h, hop);

    for (struct ring *at = bucket->next; at != bucket; at = at->next) {
        struct health_target *target = RING_OF(at, struct health_target, bucket);

        if (hop_eq(&target->hop, hop))
            return target;
    }
    return NULL;
}

static struct health_target *
get(struct health_table *h, const struct hop *hop, uint32_t most)
{
    struct health_target *target = health_find(h, hop);

    if (target) {
        ring_out(&target->age);
        ring_put(&h->age, &target->age);
        return target;
    }
    while (h->used >= most && !ring_is_empty(&h->age))
        target_free(h, RING_OF(h->age.next, struct health_target, age));
    target = h->used < most ? sipd_alloc(sizeof *target) : NULL;
    if (!target)
        return NULL;
    target->hop = *hop;
    ring_put(bucket_of(h, hop), &target->bucket);
    ring_put(&h->age, &target->age);
    h->used++;
    return target;
}

static bool
rest_until(struct health_target *target, enum health as, uint64_t until_ms, uint64_t now_ms)
{
    bool was_resting = now_ms < target->until_ms;

    if (was_resting && until_ms <= target->until_ms)
        return false;
    target->rests_as = as;
    target->until_ms = until_ms;
    return !was_resting;
}

static bool
failed(struct health_target *target, const struct health_rest *rest, uint64_t now_ms)
{
    bool news = !target->failing;

    target->failed++;
    target->failing = true;
    return rest_until(target, HEALTH_DOWN, now_ms + rest->failed_ms, now_ms) && news;
}

static bool
busy(struct health_target *target, uint32_t retry_after_s, const struct health_rest *rest,
     uint64_t now_ms)
{
    uint64_t ms = (uint64_t)retry_after_s * 1000;

    target->busy++;
    target->failing = false;
    return rest_until(target, HEALTH_BUSY, now_ms + (ms < rest->most_ms ? ms : rest->most_ms),
                      now_ms);
}

/* Whoever is busy goes on to be so: this was the answer to an earlier request. */
static bool
answered(struct health_target *target, uint64_t now_ms)
{
    bool news = target->failing;

    target->answered++;
    target->failing = false;
    if (target->rests_as == HEALTH_DOWN && now_ms < target->until_ms)
        target->until_ms = now_ms;
    return news;
}

/* The next one who goes there tries it for all. */
static void
doubt(struct health_target *target)
{
    target->failing = true;
    target->passed_ms = 0;
}

static void
passed(struct health_target *target, uint64_t now_ms)
{
    if (target->passed_ms == 0)
        target->passed_ms = now_ms;
    else if (now_ms - target->passed_ms >= SILENT_MS)
        doubt(target);
}

/* Anybody may have sent it: that the hop is well only its answer to who tries it for all can say. */
static void
seen(struct health_table *h, const struct hop *hop, enum sipd_tried how)
{
    struct health_target *target = h->used > 0 ? health_find(h, hop) : NULL;

    if (!target || target->passed_ms == 0)
        return;
    if (how == SIPD_TRIED_BOUNCED)
        doubt(target);
    else
        target->passed_ms = 0;
}

bool
health_tried(struct health_table *h, const struct hop *hop, enum sipd_tried how,
             uint32_t retry_after_s, const struct health_rest *rest, uint64_t now_ms, uint32_t most)
{
    struct health_target *target;

    if (how == SIPD_TRIED_SEEN || how == SIPD_TRIED_BOUNCED) {
        seen(h, hop, how);
        return false;
    }
    target = get(h, hop, most);
    if (!target)
        return false;
    if (how == SIPD_TRIED_PASSED) {
        passed(target, now_ms);
        return false;
    }
    target->passed_ms = 0;
    switch (how) {
    case SIPD_TRIED_ANSWERED: return answered(target, now_ms);
    case SIPD_TRIED_BUSY: return busy(target, retry_after_s, rest, now_ms);
    case SIPD_TRIED_SILENT:
    case SIPD_TRIED_FAILED:
    case SIPD_TRIED_PASSED:
    case SIPD_TRIED_SEEN:
    case SIPD_TRIED_BOUNCED: break;
    }
    return failed(target, rest, now_ms);
}

enum health
health_of(const struct health_table *h, const struct hop *hop, uint64_t now_ms)
{
    const struct health_target *target = h->used > 0 ? health_find(h, hop) : NULL;

    return target && now_ms < target->until_ms ? target->rests_as : HEALTH_GOOD;
}

bool
health_is_well(const struct health_table *h, const struct hop *hop, uint64_t now_ms)
{
    const struct health_target *target = h->used > 0 ? health_find(h, hop) : NULL;

    return !target || (!target->failing && now_ms >= target->until_ms);
}

void
health_go(struct health_table *h, const struct hop *hop, const struct health_rest *rest,
          uint64_t now_ms)
{
    struct health_target *target = h->used > 0 ? health_find(h, hop) : NULL;

    if (target && target->failing && now_ms >= target->until_ms)
        (void)rest_until(target, HEALTH_DOWN, now_ms + rest->failed_ms, now_ms);
}
