/*
 * RFC 3261 §10.3, steps 6 and 7: which REGISTER is refused, and which bindings it adds, refreshes and removes.
 */
#include "rules.h"

#include <sipd/addr.h>
#include <sipd/param.h>

/* What a malformed interval stands for (§10.2), and below which one may be called too brief (§10.3 step 7). */
#define HOUR_S 3600u

static struct rules_answer
answer(unsigned status, struct span phrase)
{
    return (struct rules_answer){ .status = status, .phrase = phrase };
}

static struct rules_answer
accept(void)
{
    return (struct rules_answer){ .status = 200 };
}

/* ---------------------------------------------------------------- reading */

/* §10.2: malformed is an hour, and past 2^32-1 is 2^32-1. */
static uint32_t
seconds_read(struct span text)
{
    uint32_t seconds;

    text = span_trim(text);
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return HOUR_S;
    if (text.len == 0)
        return HOUR_S;
    return span_u32(text, UINT32_MAX, &seconds) ? seconds : UINT32_MAX;
}

void
rules_begin(struct rules_reader *reader, const struct rules_limits *limits,
            const struct span *expires)
{
    reader->limits = limits;
    reader->header_s = expires ? seconds_read(*expires) : limits->default_expires_s;
    reader->zero = expires && reader->header_s == 0;
    reader->brief = false;
    reader->stars = 0;
    reader->len = 0;
}

/* What is granted of what is asked for: never more than our maximum. */
static uint32_t
grant(struct rules_reader *reader, uint32_t wanted_s)
{
    const struct rules_limits *limits = reader->limits;

    if (wanted_s > 0 && wanted_s < HOUR_S && wanted_s < limits->min_expires_s)
        reader->brief = true;
    return wanted_s < limits->max_expires_s ? wanted_s : limits->max_expires_s;
}

static struct rules_answer
contact_read(struct rules_reader *reader, const struct addr *addr)
{
    struct rules_contact *contact;
    struct span value;
    struct uri uri;
    uint32_t q;

    if (uri_read(addr->uri, &uri) != SIPD_OK)
        return answer(400, SPAN("Bad Contact"));
    if (addr->uri.len > STORE_CONTACT_BYTES)
        return answer(400, SPAN("Contact Too Long"));
    if (reader->len == RULES_CONTACTS_MAX)
        return answer(403, SPAN("Too Many Contacts"));
    contact = &reader->contacts[reader->len++];
    contact->uri = addr->uri;
    contact->q = STORE_NO_Q;
    if (param_find(addr->params, SPAN("q"), &value)) {
        if (!addr_q_read(value, &q))
            return answer(400, SPAN("Bad q Value"));
        contact->q = (uint16_t)q;
    }
    contact->expires_s =
        grant(reader, param_find(addr->params, SPAN("expires"), &value) ? seconds_read(value)
                                                                        : reader->header_s);
    return accept();
}

struct rules_answer
rules_contact_field(struct rules_reader *reader, struct span value)
{
    struct rules_answer verdict = accept();
    struct addr addr;
    int err;

    while (verdict.status == 200 && (err = addr_next(&value, &addr)) != SIPD_ENOENT) {
        if (err != SIPD_OK)
            return answer(400, SPAN("Bad Contact"));
        if (addr.star)
            reader->stars++;
        else
            verdict = contact_read(reader, &addr);
    }
    return verdict;
}

struct rules_answer
rules_end(const struct rules_reader *reader, struct rules_register *out)
{
    struct rules_answer verdict = accept();

    if (reader->stars > 0 && (reader->stars > 1 || reader->len > 0 || !reader->zero))
        return answer(400, SPAN("Invalid Request")); /* §10.3 step 6 */
    if (reader->brief) {
        verdict.status = 423;
        verdict.min_expires_s = reader->limits->min_expires_s;
    }
    out->star = reader->stars > 0;
    out->contacts = reader->contacts;
    out->len = reader->len;
    return verdict;
}

/* ---------------------------------------------------------------- deciding */

/* Older than, or as old as, what the same UA said before (§10.3 steps 6 and 7). */
static bool
is_stale(const struct rules_register *reg, const struct binding *old)
{
    return old && span_eq(reg->call_id, binding_call_id(old)) && reg->cseq <= old->cseq;
}

/* As is_stale, but just what it said before: a repetition that changes nothing. */
static bool
is_repeated(const struct rules_register *reg, const struct binding *old,
            const struct rules_contact *want)
{
    return is_stale(reg, old) && reg->cseq == old->cseq && want->expires_s > 0 && want->q == old->q;
}

static struct rules_answer
out_of_order(void)
{
    return answer(500, SPAN("CSeq Out Of Order"));
}

static struct rules_answer
decide_star(const struct rules_register *reg, const struct binding *first, struct rules_step *steps,
            size_t *len)
{
    for (const struct binding *b = first; b; b = b->next) {
        if (is_stale(reg, b))
            return out_of_order();
        steps[(*len)++] = (struct rules_step){ .old = b };
    }
    return accept();
}

static const struct binding *
binding_of(const struct binding *first, const struct uri *uri)
{
    struct uri other;

    for (; first; first = first->next)
        if (uri_read(binding_contact(first), &other) == SIPD_OK && uri_eq(uri, &other))
            return first;
    return NULL;
}

/* One URI twice in one REGISTER: each in turn (§10.3 step 7), so the last word counts. */
static bool
is_said_again(const struct rules_register *reg, size_t at, const struct uri *uri)
{
    struct uri other;

    for (size_t i = at + 1; i < reg->len; i++)
        if (uri_read(reg->contacts[i].uri, &other) == SIPD_OK && uri_eq(uri, &other))
            return true;
    return false;
}

/* How many more bindings there will be than there were. */
static long
gain(const struct rules_step *steps, size_t len)
{
    long more = 0;

    for (size_t i = 0; i < len; i++)
        more += (steps[i].want ? 1 : 0) - (steps[i].old ? 1 : 0);
    return more;
}

static long
count(const struct binding *first)
{
    long n = 0;

    for (; first; first = first->next)
        n++;
    return n;
}

struct rules_answer
rules_decide(const struct rules_register *reg, const struct binding *first, uint32_t max_contacts,
             struct rules_step *steps, size_t *len)
{
    size_t repeated = 0;
    long more;

    *len = 0;
    if (reg->star)
        return decide_star(reg, first, steps, len);
    for (size_t i = 0; i < reg->len; i++) {
        const struct rules_contact *want = &reg->contacts[i];
        const struct binding *old;
        struct uri uri;

        if (uri_read(want->uri, &uri) != SIPD_OK || is_said_again(reg, i, &uri))
            continue;
        old = binding_of(first, &uri);
        if (is_repeated(reg, old, want))
            repeated++;
        else if (is_stale(reg, old))
            return out_of_order();
        else if (old || want->expires_s > 0)
            steps[(*len)++] = (struct rules_step){ old, want->expires_s > 0 ? want : NULL };
    }
    if (repeated > 0 && *len > 0)
        return out_of_order();
    more = gain(steps, *len);
    if (more > 0 && count(first) + more > (long)max_contacts)
        return answer(403, SPAN("Too Many Contacts"));
    return accept();
}

/* ---------------------------------------------------------------- the way back */

static bool
is_at_source(const struct uri *contact, uint8_t transport, const struct hop *source)
{
    struct hop at = { .port = contact->port ? contact->port : hop_default_port(transport) };

    return hop_ip_read(contact->host, &at) && at.port == source->port &&
           memcmp(at.ip, source->ip, sizeof at.ip) == 0;
}

/*
 * Who registers over a connection is reached over that connection, and who registers from another address than
 * the Contact names stands behind a NAT (or knows itself by a name only) and is reached where the REGISTER came
 * from. A Contact at that very address may choose another transport. sips goes over TLS or not at all
 * (§26.2.2).
 */
uint8_t
rules_reach(const struct uri *contact, const struct hop *source)
{
    struct span name;
    uint8_t transport = HOP_UDP;

    if (source->transport == HOP_NONE ||
        (contact->scheme != URI_SIP && contact->scheme != URI_SIPS))
        return HOP_NONE;
    if (contact->scheme == URI_SIPS)
        return source->transport == HOP_TLS ? HOP_TLS : HOP_NONE;
    if (hop_is_reliable(source->transport))
        return source->transport;
    if (uri_param(contact, SPAN("transport"), &name))
        transport = hop_transport_read(name);
    return is_at_source(contact, transport, source) ? transport : source->transport;
}

struct hop
rules_hop(uint8_t reach, const struct hop *source)
{
    struct hop hop = *source;

    if (reach == HOP_NONE)
        return (struct hop){ .transport = HOP_NONE };
    if (reach != source->transport) {
        hop.transport = reach;
        hop.listener = 0;
        hop.flow = 0;
    }
    return hop;
}
