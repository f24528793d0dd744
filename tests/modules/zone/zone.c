/*
 * zone: the dns module's rules, cache and health with a script for a name server, so that they run on a clock of their own.
 */
#include "dns/finder.h"
#include "lib_zone.h"

struct zone_conf {
    struct finder_conf find; /* the first member: FINDER_ITEMS fill it */
    struct sipd_strs records;
    uint32_t ttl_s, delay_ms;
};

struct zone {
    struct sipd_host *host;
    const struct zone_conf *conf;
    struct finder finder;
    struct ring questions;
};

struct question {
    struct ring link;
    struct zone *zone;
    uint64_t number;
    enum dns_what what;
    char name[ANSWER_NAME_BYTES];
};

static const struct sipd_conf_item zone_items[] = {
    SIPD_STRS(zone_conf, records, "", 0, 100, "lines of the zone (lib_zone.h)"),
    SIPD_UINT(zone_conf, ttl_s, 300, 0, 86400, "of all that is there"),
    SIPD_UINT(zone_conf, delay_ms, 20, 0, 60000, "how long an answer takes"), FINDER_ITEMS,
    SIPD_CONF_END
};

static void
answer(void *self, uint64_t arg)
{
    struct question *q = self;
    struct zone *zone = q->zone;

    (void)arg;
    ring_out(&q->link);
    finder_answered(&zone->finder, q->name, q->what, q->number,
                    zone_says(zone->conf->records.at, zone->conf->records.len, q->name, q->what,
                              zone->conf->ttl_s));
    sipd_free(q);
}

static int
ask(void *io, const char *name, enum dns_what what, uint64_t question)
{
    struct zone *zone = io;
    struct question *q = sipd_alloc(sizeof *q);
    uint32_t ms = zone_takes_ms(zone->conf->records.at, zone->conf->records.len, name);

    if (!q)
        return SIPD_ENOMEM;
    q->zone = zone;
    q->number = question;
    q->what = what;
    memcpy(q->name, name, strlen(name) + 1);
    ring_put(&zone->questions, &q->link);
    if (sipd_timer(zone->host, ms > 0 ? ms : zone->conf->delay_ms, answer, q, 0) != 0)
        return SIPD_OK;
    ring_out(&q->link);
    sipd_free(q);
    return SIPD_ENOMEM;
}

static void
zone_unload(void *self)
{
    struct zone *zone = self;

    while (!ring_is_empty(&zone->questions)) {
        struct question *q = RING_OF(zone->questions.next, struct question, link);

        ring_out(&q->link);
        sipd_free(q);
    }
    finder_fini(&zone->finder);
}

static int
zone_load(struct sipd_host *host, const void *conf, void **self)
{
    static const struct sipd_resolver_ops ops = { finder_ask, finder_tried };
    struct zone *zone = *self = sipd_new(host, sizeof *zone);
    struct finder_ports ports = { ask, zone };
    int err;

    if (!zone)
        return SIPD_ENOMEM;
    zone->host = host;
    zone->conf = conf;
    ring_init(&zone->questions);
    err = finder_init(&zone->finder, host, &zone->conf->find, &ports);
    if (err == SIPD_OK)
        err = finder_commands(&zone->finder);
    if (err == SIPD_OK)
        err = sipd_offer_resolver(host, &ops, &zone->finder);
    if (err != SIPD_OK)
        zone_unload(zone);
    return err;
}

SIPD_MODULE(.name = "zone", .conf = zone_items, .conf_bytes = sizeof(struct zone_conf),
            .load = zone_load, .unload = zone_unload);
