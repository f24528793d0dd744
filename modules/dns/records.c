/*
 * What DNS said to one question, kept in one block of memory: the struct, its array, then the texts.
 */
#include "records.h"

#include <sipd/module.h>

const char *
dns_what_name(enum dns_what what)
{
    static const char *const names[] = { "address", "SRV", "NAPTR" };

    return names[what];
}

static struct dns_records *
records_new(enum dns_what what, enum dns_verdict verdict, uint32_t ttl_s, size_t more)
{
    struct dns_records *records = sipd_alloc(sizeof *records + more);

    if (!records)
        return NULL;
    records->what = what;
    records->verdict = verdict;
    records->ttl_s = ttl_s;
    return records;
}

struct dns_records *
dns_records_none(enum dns_what what, enum dns_verdict verdict, uint32_t ttl_s)
{
    return records_new(what, verdict, ttl_s, 0);
}

struct dns_records *
dns_records_addresses(const struct dns_address *addresses, size_t len, uint32_t ttl_s)
{
    struct dns_records *records;

    if (len > DNS_RECORDS_MAX)
        len = DNS_RECORDS_MAX;
    records =
        records_new(DNS_ADDRESS, len > 0 ? DNS_FOUND : DNS_NONE, ttl_s, len * sizeof *addresses);
    if (!records || len == 0)
        return records;
    records->len = len;
    records->addresses = (struct dns_address *)(records + 1);
    memcpy(records->addresses, addresses, len * sizeof *addresses);
    return records;
}

void
dns_records_free(struct dns_records **records)
{
    sipd_free(*records);
    *records = NULL;
}

/* ---- raw answers, walked twice: once to measure, once to keep */

struct keeper {
    size_t len, text; /* so many records, so many bytes of text */
    char *to;         /* where the next text goes; NULL: it is measured */
};

static const char *
keep(struct keeper *k, const char *text)
{
    size_t len = strlen(text) + 1;
    char *at = k->to;

    k->text += len;
    if (!at)
        return NULL;
    memcpy(at, text, len);
    k->to += len;
    return at;
}

static void
walk_srv(struct answer answer, struct keeper *k, struct dns_srv *to)
{
    struct answer_srv srv;

    for (k->len = 0; k->len < DNS_RECORDS_MAX && answer_next_srv(&answer, &srv); k->len++) {
        const char *target = keep(k, srv.target);

        if (to)
            to[k->len] = (struct dns_srv){ srv.priority, srv.weight, srv.port, target };
    }
}

static void
walk_naptr(struct answer answer, struct keeper *k, struct dns_naptr *to)
{
    struct answer_naptr naptr;

    for (k->len = 0; k->len < DNS_RECORDS_MAX && answer_next_naptr(&answer, &naptr); k->len++) {
        struct dns_naptr one = { .order = naptr.order,
                                 .preference = naptr.preference,
                                 .has_regexp = naptr.has_regexp,
                                 .flags = keep(k, naptr.flags),
                                 .service = keep(k, naptr.service),
                                 .replacement = keep(k, naptr.replacement) };

        if (to)
            to[k->len] = one;
    }
}

static struct dns_records *
keep_srv(const struct answer *answer)
{
    struct keeper measure = { 0 }, k = { 0 };
    struct dns_records *records;

    walk_srv(*answer, &measure, NULL);
    records = records_new(DNS_SRV, measure.len > 0 ? DNS_FOUND : DNS_NONE, answer->ttl_s,
                          measure.len * sizeof *records->srvs + measure.text);
    if (!records)
        return NULL;
    records->srvs = (struct dns_srv *)(records + 1);
    records->len = measure.len;
    k.to = (char *)(records->srvs + measure.len);
    walk_srv(*answer, &k, records->srvs);
    return records;
}

static struct dns_records *
keep_naptr(const struct answer *answer)
{
    struct keeper measure = { 0 }, k = { 0 };
    struct dns_records *records;

    walk_naptr(*answer, &measure, NULL);
    records = records_new(DNS_NAPTR, measure.len > 0 ? DNS_FOUND : DNS_NONE, answer->ttl_s,
                          measure.len * sizeof *records->naptrs + measure.text);
    if (!records)
        return NULL;
    records->naptrs = (struct dns_naptr *)(records + 1);
    records->len = measure.len;
    k.to = (char *)(records->naptrs + measure.len);
    walk_naptr(*answer, &k, records->naptrs);
    return records;
}

struct dns_records *
dns_records_read(struct span bytes, struct span name, enum dns_what what)
{
    struct answer answer;

    switch (answer_read(bytes, name, what == DNS_SRV ? ANSWER_SRV : ANSWER_NAPTR, &answer)) {
    case ANSWER_RECORDS: return what == DNS_SRV ? keep_srv(&answer) : keep_naptr(&answer);
    case ANSWER_NONE: return dns_records_none(what, DNS_NONE, answer.ttl_s);
    case ANSWER_BAD: break;
    }
    return dns_records_none(what, DNS_FAILED, 0);
}
