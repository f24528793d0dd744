/*
 * How hops fare, shared by all requests: one that failed or asked for peace rests for a while and comes back by itself
 * (RFC 3263 §4.3, RFC 3261 §21.5.4).
 */
#ifndef DNS_HEALTH_H
#define DNS_HEALTH_H

#include <sipd/resolve.h>
#include <sipd/ring.h>

enum health {
    HEALTH_GOOD,
    HEALTH_DOWN, /* it was silent or could not be reached: the last resort */
    HEALTH_BUSY, /* its 503 said when to come again: not before */
};

struct health_target {
    struct ring bucket, age;
    struct hop hop;       /* transport, address, port */
    bool failing;         /* its last word was none */
    uint64_t passed_ms;   /* since then nothing was seen of it, though requests pass; 0: none did */
    enum health rests_as; /* while now is before … */
    uint64_t until_ms;
    uint64_t answered, failed, busy;
};

struct health_table {
    struct ring *buckets; /* owned */
    struct ring age;      /* all, the one heard of last at the end */
    uint32_t used;
    uint8_t key[16];
};

struct health_rest { /* how long, in ms */
    uint64_t failed_ms, most_ms;
};

/* SIPD_ENOMEM. Lent: host, for the call. */
int health_init(struct health_table *h, struct sipd_host *host);
void health_fini(struct health_table *h);
/*
 * What a hop did. Of what passes without state a silence of 64*T1, or a bounce, is a reason to have one request with state try it
 * for all; of hops to which nothing was passed it says nothing. True if its state has changed: it rests from now on, or has come back. At `most` targets the one not heard of
 * for longest is forgotten. Without memory nothing is noted.
 */
bool health_tried(struct health_table *h, const struct hop *hop, enum sipd_tried how,
                  uint32_t retry_after_s, const struct health_rest *rest, uint64_t now_ms,
                  uint32_t most);
/* May it be tried now? */
enum health health_of(const struct health_table *h, const struct hop *hop, uint64_t now_ms);
/*
 * Somebody goes there. If it failed and its rest is over, he tries it for all: the others leave it alone for another rest, or
 * until it has answered.
 */
void health_go(struct health_table *h, const struct hop *hop, const struct health_rest *rest,
               uint64_t now_ms);
/* May a request pass there without state: has it neither failed nor asked for peace? */
bool health_is_well(const struct health_table *h, const struct hop *hop, uint64_t now_ms);
/* What is known of a hop; NULL: nothing. */
struct health_target *health_find(const struct health_table *h, const struct hop *hop);

#endif
