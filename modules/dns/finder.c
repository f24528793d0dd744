/*
 * From URIs to hops: questions are asked once, their answers kept and handed to all who wait.
 */
#include "finder.h"

#include "locate.h"

enum { MS = 1000 };

static void
get_counters(struct finder *f)
{
    struct sipd_host *host = f->host;

    f->count.questions = sipd_counter(host, "dns_questions");
    f->count.cached = sipd_counter(host, "dns_cached");
    f->count.joined = sipd_counter(host, "dns_joined");
    f->count.failed = sipd_counter(host, "dns_failed");
    f->count.stale = sipd_counter(host, "dns_stale");
    f->count.found = sipd_counter(host, "dns_found");
    f->count.not_found = sipd_counter(host, "dns_not_found");
    f->count.refused = sipd_counter(host, "dns_refused");
    f->count.rests = sipd_counter(host, "dns_target_rests");
    f->count.downgraded = sipd_counter(host, "dns_sips_vanished");
}

int
finder_init(struct finder *f, struct sipd_host *host, const struct finder_conf *conf,
            const struct finder_ports *ports)
{
    int err;

    *f = (struct finder){ .host = host, .conf = conf, .ports = *ports };
    ring_init(&f->locates);
    ring_init(&f->due);
    get_counters(f);
    err = cache_init(&f->cache, host, conf->cache);
    if (err == SIPD_OK)
        err = health_init(&f->health, host);
    if (err != SIPD_OK)
        finder_fini(f);
    return err;
}

void
finder_fini(struct finder *f)
{
    while (!ring_is_empty(&f->locates))
        locate_free(RING_OF(f->locates.next, struct locate, link));
    cache_fini(&f->cache);
    health_fini(&f->health);
}

void
finder_set_conf(struct finder *f, const struct finder_conf *conf)
{
    f->conf = conf;
}

struct health_rest
finder_rest(const struct finder *f)
{
    return (struct health_rest){ (uint64_t)f->conf->rest_s * MS,
                                 (uint64_t)f->conf->max_rest_s * MS };
}

/* ---- questions */

/* The question cannot be asked: nobody need wait for it. */
static void
take_back(struct finder *f, struct cache_entry *entry)
{
    entry->question = 0;
    f->questions_len--;
}

static bool
ask(struct finder *f, struct cache_entry *entry)
{
    if (f->questions_len >= f->conf->questions)
        return false;
    f->questions_len++;
    ++*f->count.questions;
    entry->question = ++f->last_question;
    if (f->ports.ask(f->ports.io, entry->name, entry->what, entry->question) == SIPD_OK)
        return true;
    take_back(f, entry);
    return false;
}

enum finder_state
finder_need(struct finder *f, enum dns_what what, struct span name, uint64_t since_ms,
            struct cache_entry **entry)
{
    uint64_t now_ms = sipd_now_ms(f->host);

    *entry = cache_get(&f->cache, what, name, f->conf->cache);
    if (*entry && cache_holds(*entry, now_ms, since_ms)) {
        *f->count.cached += (*entry)->answered_ms < since_ms;
        return FINDER_KNOWN;
    }
    if (*entry && (*entry)->question != 0) {
        ++*f->count.joined;
        return FINDER_ASKED;
    }
    if (!*entry || !ask(f, *entry)) {
        ++*f->count.refused;
        return FINDER_REFUSED;
    }
    return (*entry)->question == 0 && (*entry)->records ? FINDER_KNOWN : FINDER_ASKED;
}

void
finder_ask_again(struct finder *f)
{
    f->busy = true;
    for (struct ring *at = f->cache.age.next; at != &f->cache.age; at = at->next) {
        struct cache_entry *entry = RING_OF(at, struct cache_entry, age);

        if (entry->question == 0)
            continue;
        entry->question = ++f->last_question;
        if (f->ports.ask(f->ports.io, entry->name, entry->what, entry->question) != SIPD_OK)
            finder_answered(f, entry->name, entry->what, entry->question,
                            dns_records_none(entry->what, DNS_FAILED, 0));
    }
    finder_settle(f);
}

/* ---- answers */

bool
finder_is_stale(const struct finder *f, const struct cache_entry *entry)
{
    return cache_is_stale(entry, sipd_now_ms(f->host), (uint64_t)f->conf->stale_s * MS);
}

static uint32_t
between(uint32_t value, uint32_t low, uint32_t high)
{
    return value < low ? low : value > high ? high : value;
}

static uint64_t
holds_ms(const struct finder_conf *conf, const struct dns_records *records)
{
    uint32_t seconds = conf->failed_s;

    if (records->verdict == DNS_FOUND)
        seconds = between(records->ttl_s, conf->min_ttl_s, conf->max_ttl_s);
    else if (records->verdict == DNS_NONE)
        seconds = between(records->ttl_s, conf->min_ttl_s, conf->negative_s);
    return (uint64_t)seconds * MS;
}

static bool
has_sips(const struct dns_records *records)
{
    for (size_t i = 0; records->what == DNS_NAPTR && i < records->len; i++)
        if (span_ieq(span_of(records->naptrs[i].service), SPAN("SIPS+D2T")))
            return true;
    return false;
}

/* RFC 3263 §7: SIPS that was there and is no more may be an attack; a failure says nothing. */
static void
watch_sips(struct finder *f, struct cache_entry *entry, const struct dns_records *records)
{
    bool has = has_sips(records);

    if (entry->what != DNS_NAPTR || records->verdict == DNS_FAILED)
        return;
    if (entry->had_sips && !has) {
        ++*f->count.downgraded;
        sipd_log(f->host, 1, "sips-vanished", "name", entry->name, "rfc", "3263 7", NULL);
    }
    entry->had_sips = has;
}

/* Nobody's answer does not make untrue what was true before (RFC 8767 §4). */
static void
keep(struct finder *f, struct cache_entry *entry, struct dns_records *records)
{
    uint64_t now_ms = sipd_now_ms(f->host), until_ms = now_ms + holds_ms(f->conf, records);
    bool failed = records->verdict == DNS_FAILED;

    *f->count.failed += failed;
    if (failed && finder_is_stale(f, entry)) {
        cache_extend(entry, now_ms, until_ms);
        dns_records_free(&records);
        return;
    }
    watch_sips(f, entry, records);
    cache_answer(entry, records, now_ms, until_ms);
}

void
finder_settle(struct finder *f)
{
    f->busy = true;
    while (!ring_is_empty(&f->due)) {
        struct cache_entry *entry = RING_OF(f->due.next, struct cache_entry, due);

        if (ring_is_empty(&entry->waiters)) {
            ring_out(&entry->due);
            continue;
        }
        locate_go_on(RING_OF(entry->waiters.next, struct locate_wait, link)->locate);
    }
    f->busy = false;
}

void
finder_answered(struct finder *f, const char *name, enum dns_what what, uint64_t question,
                struct dns_records *records)
{
    struct cache_entry *entry = cache_find(&f->cache, what, span_of(name));

    if (!entry || entry->question != question || question == 0) {
        dns_records_free(&records);
        return;
    }
    take_back(f, entry);
    if (records)
        keep(f, entry, records);
    ring_out(&entry->due);
    ring_put(&f->due, &entry->due);
    if (!f->busy)
        finder_settle(f);
}

/* ---- the resolver */

int
finder_ask(void *self, const struct sipd_place *place, uint64_t id)
{
    struct finder *f = self;
    int err;

    if (f->locates_len >= f->conf->waiting) {
        ++*f->count.refused;
        return SIPD_EFULL;
    }
    f->busy = true;
    err = locate_begin(f, place, id);
    finder_settle(f);
    return err;
}

static void
log_rest(struct finder *f, const struct hop *hop, enum sipd_tried how)
{
    static const char *const words[] = { "target-back", "target-busy", "target-silent",
                                         "target-failed" };
    char text[HOP_TEXT_BYTES + 1];
    struct span at = hop_write(hop, text);

    text[at.len] = '\0';
    sipd_log(f->host, how == SIPD_TRIED_ANSWERED ? 2 : 1, words[how], "target", text, "transport",
             hop_transport_uri(hop->transport).at, NULL);
}

void
finder_tried(void *self, const struct hop *hop, enum sipd_tried how, uint32_t retry_after_s)
{
    struct finder *f = self;
    struct health_rest rest = finder_rest(f);

    if (!health_tried(&f->health, hop, how, retry_after_s, &rest, sipd_now_ms(f->host),
                      f->conf->targets))
        return;
    *f->count.rests += how != SIPD_TRIED_ANSWERED;
    log_rest(f, hop, how);
}
