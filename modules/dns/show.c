/*
 * What operators see: "show dns [name]" and "show targets".
 */
#include <stdio.h>

#include "finder.h"

enum { ROWS_MAX = 1000, TEXT_BYTES = 1024 };

/* ---- show dns */

struct text {
    char at[TEXT_BYTES];
    size_t len;
};

/* So much was written, or would have been. */
static void
grow(struct text *text, int len)
{
    if (len > 0)
        text->len += (size_t)len;
    if (text->len >= sizeof text->at)
        text->len = sizeof text->at - 1;
}

static void
put_address(struct text *text, const struct dns_address *address)
{
    struct hop hop = { .port = 0 };
    char ip[HOP_TEXT_BYTES];

    memcpy(hop.ip, address->ip, sizeof hop.ip);
    grow(text, snprintf(text->at + text->len, sizeof text->at - text->len, "%.*s",
                        SPAN_ARG(hop_ip_write(&hop, ip))));
}

static void
put_srv(struct text *text, const struct dns_srv *srv)
{
    grow(text, snprintf(text->at + text->len, sizeof text->at - text->len, "%u %u %u %s",
                        srv->priority, srv->weight, srv->port, srv->target[0] ? srv->target : "."));
}

static void
put_naptr(struct text *text, const struct dns_naptr *naptr)
{
    grow(text, snprintf(text->at + text->len, sizeof text->at - text->len, "%u %u %s %s",
                        naptr->order, naptr->preference, naptr->service, naptr->replacement));
}

static void
put_records(struct text *text, const struct dns_records *records)
{
    for (size_t i = 0; i < records->len; i++) {
        if (i > 0)
            grow(text, snprintf(text->at + text->len, sizeof text->at - text->len, ", "));
        switch (records->what) {
        case DNS_ADDRESS: put_address(text, &records->addresses[i]); break;
        case DNS_SRV: put_srv(text, &records->srvs[i]); break;
        case DNS_NAPTR: put_naptr(text, &records->naptrs[i]); break;
        }
    }
}

static const char *
state_of(const struct cache_entry *entry, uint64_t now_ms)
{
    static const char *const words[] = { "found", "none", "failed" };

    if (entry->question != 0)
        return "asked";
    if (!entry->records || now_ms >= entry->fresh_until_ms)
        return "old";
    return words[entry->records->verdict];
}

static void
show_entry(const struct cache_entry *entry, uint64_t now_ms, struct sipd_answer *answer)
{
    bool holds = entry->records && now_ms < entry->expires_ms;
    struct text text = { .len = 0 };

    if (entry->records)
        put_records(&text, entry->records);
    sipd_answer_row(answer);
    sipd_answer_field(answer, "name", span_of(entry->name));
    sipd_answer_field(answer, "type", span_of(dns_what_name(entry->what)));
    sipd_answer_field(answer, "state", span_of(state_of(entry, now_ms)));
    sipd_answer_number(answer, "ttl_s",
                       holds ? (int64_t)((entry->expires_ms - now_ms + 999) / 1000) : 0);
    sipd_answer_field(answer, "says", (struct span){ text.at, text.len });
}

/* Does the name end in the word that was given, at a dot? */
static bool
is_asked_for(const struct cache_entry *entry, const struct sipd_ask *ask)
{
    struct span name = span_of(entry->name), word;

    if (ask->words_len == 0)
        return true;
    word = ask->words[0];
    if (name.len < word.len || !span_ieq(span_skip(name, name.len - word.len), word))
        return false;
    return name.len == word.len || name.at[name.len - word.len - 1] == '.';
}

static void
show_dns(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct finder *f = self;
    uint64_t now_ms = sipd_now_ms(f->host);
    unsigned rows = 0;

    for (struct ring *at = f->cache.age.prev; at != &f->cache.age && rows < ROWS_MAX;
         at = at->prev) {
        const struct cache_entry *entry = RING_OF(at, struct cache_entry, age);

        if (!is_asked_for(entry, ask))
            continue;
        show_entry(entry, now_ms, answer);
        rows++;
    }
}

/* ---- show targets */

static void
show_target(const struct health_target *target, uint64_t now_ms, struct sipd_answer *answer)
{
    bool rests = now_ms < target->until_ms;
    const char *state = !rests                            ? target->failing ? "on trial" : "good"
                        : target->rests_as == HEALTH_BUSY ? "busy"
                                                          : "down";
    char text[HOP_TEXT_BYTES];

    sipd_answer_row(answer);
    sipd_answer_field(answer, "target", hop_write(&target->hop, text));
    sipd_answer_field(answer, "transport", hop_transport_uri(target->hop.transport));
    sipd_answer_field(answer, "state", span_of(state));
    sipd_answer_number(answer, "rests_s",
                       rests ? (int64_t)((target->until_ms - now_ms + 999) / 1000) : 0);
    sipd_answer_number(answer, "answered", (int64_t)target->answered);
    sipd_answer_number(answer, "failed", (int64_t)target->failed);
    sipd_answer_number(answer, "busy", (int64_t)target->busy);
}

static void
show_targets(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct finder *f = self;
    uint64_t now_ms = sipd_now_ms(f->host);
    unsigned rows = 0;

    (void)ask;
    for (struct ring *at = f->health.age.prev; at != &f->health.age && rows < ROWS_MAX;
         at = at->prev, rows++)
        show_target(RING_OF(at, struct health_target, age), now_ms, answer);
}

int
finder_commands(struct finder *f)
{
    int err =
        sipd_command(f->host, "show dns [name]",
                     "what DNS has said, of all names or those in a domain", false, show_dns, f);

    if (err != SIPD_OK)
        return err;
    return sipd_command(f->host, "show targets",
                        "next hops found by name, how they fare, who rests", false, show_targets,
                        f);
}
