/*
 * Linear hashing: buckets come in segments, and two are split for each node that is put in, so that there are two for each
 * node: with a million of them each further node that a look-up has to pass is another wait for memory.
 */
#include "spread.h"

#include <sipd/module.h>

#define SEGMENT_BUCKETS 512u

/* Buckets past the half that were not split yet still live in the lower one. */
static size_t
bucket_of(const struct spread *spread, uint32_t hash)
{
    size_t at = hash & (2 * spread->half - 1);

    return at < spread->buckets ? at : hash & (spread->half - 1);
}

static struct spread_node **
bucket_at(const struct spread *spread, size_t bucket)
{
    return &spread->segments[bucket / SEGMENT_BUCKETS][bucket % SEGMENT_BUCKETS];
}

static int
add_segment(struct spread *spread)
{
    struct spread_node ***segments;

    segments = sipd_realloc(spread->segments, (spread->segments_len + 1) * sizeof *segments);
    if (!segments)
        return SIPD_ENOMEM;
    spread->segments = segments;
    segments[spread->segments_len] = sipd_alloc(SEGMENT_BUCKETS * sizeof **segments);
    if (!segments[spread->segments_len])
        return SIPD_ENOMEM;
    spread->segments_len++;
    return SIPD_OK;
}

int
spread_init(struct spread *spread)
{
    int err;

    *spread = (struct spread){ .buckets = SEGMENT_BUCKETS, .half = SEGMENT_BUCKETS };
    err = add_segment(spread);
    if (err != SIPD_OK)
        spread_fini(spread);
    return err;
}

void
spread_fini(struct spread *spread)
{
    for (size_t i = 0; i < spread->segments_len; i++)
        sipd_free(spread->segments[i]);
    sipd_free(spread->segments);
    *spread = (struct spread){ .segments = NULL };
}

struct spread_node *
spread_at(const struct spread *spread, uint32_t hash)
{
    return *bucket_at(spread, bucket_of(spread, hash));
}

static void
link_in(struct spread *spread, struct spread_node *node)
{
    struct spread_node **bucket = bucket_at(spread, bucket_of(spread, node->hash));

    node->next = *bucket;
    *bucket = node;
}

static void
grow(struct spread *spread)
{
    size_t fresh = spread->buckets;
    struct spread_node **from, *node, *after;

    if (spread->walks > 0 ||
        (fresh == spread->segments_len * SEGMENT_BUCKETS && add_segment(spread) != SIPD_OK))
        return;
    from = bucket_at(spread, fresh - spread->half);
    node = *from;
    *from = NULL;
    spread->buckets++;
    for (; node; node = after) {
        after = node->next;
        link_in(spread, node);
    }
    if (spread->buckets == 2 * spread->half)
        spread->half *= 2;
}

void
spread_put(struct spread *spread, struct spread_node *node)
{
    link_in(spread, node);
    spread->len++;
    for (int n = 0; n < 2 && spread->buckets < 2 * spread->len; n++)
        grow(spread);
}

void
spread_out(struct spread *spread, struct spread_node *node)
{
    struct spread_node **at = bucket_at(spread, bucket_of(spread, node->hash));

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    spread->len--;
}

void
spread_walk_begin(struct spread *spread)
{
    spread->walks++;
}

bool
spread_walk(const struct spread *spread, size_t *place, struct spread_node **chain)
{
    if (*place >= spread->buckets)
        return false;
    *chain = *bucket_at(spread, (*place)++);
    return true;
}

void
spread_walk_end(struct spread *spread)
{
    spread->walks--;
}
