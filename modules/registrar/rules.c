/*
 * RFC 3261 §10.3, steps 6 and 7: which REGISTER is refused, and which bindings it adds, refreshes and removes.
 */
#include "rules.h"

#include <sipd/addr.h>
#include <sipd/param.h>

/* What a malformed interval stands for (§10.2), and below which one may be called too brief (§10.3 step 7). */
#define HOUR_S 3600u

#define KNOWN_MOST 4 /* bindings whose URI is compared with one that is to be read */

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
            const struct binding *known, const struct span *expires, const struct rules_way *way)
{
    reader->limits = limits;
    reader->known = known;
    reader->way = *way;
    reader->refusal.status = 0;
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

bool
rules_contact_uri(struct rules_contact *contact, struct span text, const struct hop *source)
{
    struct uri uri;

    if (text.len > STORE_CONTACT_BYTES || uri_read(text, &uri) != SIPD_OK)
        return false;
    contact->uri = text;
    contact->uri_hash = binding_uri_hash(&uri);
    contact->reach = source ? rules_reach(&uri, source) : HOP_NONE;
    return true;
}

/* The first refusal is the one that is told. */
static bool
refuse(struct rules_reader *reader, unsigned status, struct span phrase)
{
    reader->refusal = answer(status, phrase);
    return false;
}

/* RFC 5626 §6: a reg-id without an instance is passed over. */
static bool
reg_id_read(struct rules_reader *reader, struct rules_contact *contact, struct span value)
{
    uint32_t reg_id;

    if (contact->instance.len == 0 || reader->way.flows == RULES_FLOWS_IGNORED)
        return true;
    if (!span_u32(value, INT32_MAX, &reg_id) || reg_id == 0)
        return refuse(reader, 400, SPAN("Bad reg-id in Contact"));
    if (reader->way.flows == RULES_FLOWS_LACKING)
        return refuse(reader, 439, SPAN("First Hop Lacks Outbound Support"));
    contact->reg_id = reg_id;
    contact->reach = reader->way.source ? rules_reach_flow(reader->way.source) : HOP_NONE;
    return true;
}

/* Parameters that mean something here, as bits. */
enum meaning { NOTHING = 0, Q = 1, EXPIRES = 2, REG_ID = 4, INSTANCE = 8 };

static enum meaning
meaning_of(struct span name)
{
    if (span_ieq(name, SPAN("expires")))
        return EXPIRES;
    if (span_ieq(name, SPAN("q")))
        return Q;
    if (span_ieq(name, SPAN("reg-id")))
        return REG_ID;
    return span_ieq(name, SPAN("+sip.instance")) ? INSTANCE : NOTHING;
}

bool
rules_has_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < ' ' && !span_is_lws(text.at[i]) &&
            (i == 0 || text.at[i - 1] != '\\'))
            return true;
    return false;
}

/*
 * All parameters are kept as they came if there are others than q and expires. None stands there twice (§7.3.1): of two
 * that mean something here none can be chosen.
 */
static bool
params_read(struct rules_reader *reader, const struct addr *addr, struct rules_contact *contact)
{
    struct span rest = addr->params, reg_id = SPAN("");
    uint32_t wanted_s = reader->header_s, q;
    unsigned seen = 0;
    struct param param;
    bool others = false;

    while (param_next(&rest, &param)) {
        enum meaning meaning = meaning_of(param.name);

        if (seen & meaning)
            return refuse(reader, 400, SPAN("Bad Contact"));
        seen |= meaning;
        others = others || (meaning & (Q | EXPIRES)) == 0;
        if (meaning == EXPIRES)
            wanted_s = seconds_read(param.value);
        else if (meaning == REG_ID)
            reg_id = param.value;
        else if (meaning == Q && !addr_q_read(param.value, &q))
            return refuse(reader, 400, SPAN("Bad q in Contact"));
        else if (meaning == Q)
            contact->q = (uint16_t)q;
    }
    contact->expires_s = grant(reader, wanted_s);
    if (!others)
        return true;
    if (addr->params.len > STORE_PARAMS_BYTES)
        return refuse(reader, 400, SPAN("Contact Too Long"));
    if (rules_has_control(addr->params))
        return refuse(reader, 400, SPAN("Bad Contact"));
    contact->params = addr->params;
    if (seen & INSTANCE)
        contact->instance = binding_find_instance(addr->params);
    return seen & REG_ID ? reg_id_read(reader, contact, reg_id) : true;
}

static bool
contact_read(struct rules_reader *reader, const struct addr *addr)
{
    struct rules_contact *contact;

    if (reader->len == RULES_CONTACTS_MAX)
        return refuse(reader, 403, SPAN("Too Many Contacts"));
    contact = &reader->contacts[reader->len];
    *contact = (struct rules_contact){ .q = STORE_NO_Q };
    if (addr->uri.len > STORE_CONTACT_BYTES)
        return refuse(reader, 400, SPAN("Contact Too Long"));
    if (!addr->brackets && span_find(addr->uri, '?') < addr->uri.len) /* §20.10 */
        return refuse(reader, 400, SPAN("Bad Contact"));
    if (!rules_contact_uri(contact, addr->uri, reader->way.source))
        return refuse(reader, 400, SPAN("Bad Contact"));
    reader->len++;
    return params_read(reader, addr, contact);
}

/* "<", a URI, ">": what stands behind it, else false. */
static bool
is_in_brackets(struct span value, struct span uri, struct span *behind)
{
    if (value.len < uri.len + 2 || value.at[0] != '<' || value.at[uri.len + 1] != '>' ||
        memcmp(value.at + 1, uri.at, uri.len) != 0)
        return false;
    *behind = span_skip(value, uri.len + 2);
    return true;
}

/* Nothing, or ";expires=" and a number. */
static bool
expires_alone(struct span params, uint32_t *wanted_s)
{
    const struct span name = SPAN(";expires=");

    return params.len == 0 || (span_starts(params, name) &&
                               span_u32(span_skip(params, name.len), UINT32_MAX, wanted_s));
}

/* The first few: a phone's own was refreshed last, or nearly so. */
static const struct binding *
known_field(const struct rules_reader *reader, struct span value, struct span *params)
{
    const struct binding *b = reader->known;

    for (unsigned n = 0; b && n < KNOWN_MOST; b = b->next, n++)
        if (is_in_brackets(value, binding_contact(b), params))
            return b;
    return NULL;
}

static uint8_t
new_reach(const struct binding *b, const struct hop *source)
{
    struct uri uri;

    return uri_read(binding_contact(b), &uri) == SIPD_OK ? rules_reach(&uri, source) : HOP_NONE;
}

/* The same Contact from the same place, with nobody between then and now, is reached as before. */
static uint8_t
known_reach(const struct rules_reader *reader, const struct binding *b)
{
    const struct hop *source = reader->way.source;

    if (!source)
        return HOP_NONE;
    if (b->reach != HOP_NONE && b->path_len == 0 && b->reg_id == 0 && hop_eq(&b->source, source))
        return b->reach;
    return new_reach(b, source);
}

/*
 * One Contact and no more, of a URI that is known, with parameters that are nearly none, or the very ones that were read when
 * it came before: then nothing is to be read but these. False: it is another.
 */
static bool
read_known(struct rules_reader *reader, struct span value, bool *good)
{
    struct addr addr = { .brackets = true };
    const struct binding *b = known_field(reader, value, &addr.params);
    uint32_t wanted_s = reader->header_s;
    struct rules_contact *contact;
    bool plain;

    if (!b || reader->len == RULES_CONTACTS_MAX)
        return false;
    plain = expires_alone(addr.params, &wanted_s);
    if (!plain && !span_eq(addr.params, binding_params(b)))
        return false;
    contact = &reader->contacts[reader->len++];
    *contact = (struct rules_contact){ .uri = { value.at + 1, b->contact_len },
                                       .uri_hash = b->uri_hash,
                                       .expires_s = plain ? grant(reader, wanted_s) : 0,
                                       .q = STORE_NO_Q,
                                       .reach = known_reach(reader, b) };
    *good = plain || params_read(reader, &addr, contact);
    return true;
}

bool
rules_contact_field(struct rules_reader *reader, struct span value)
{
    bool good = true;
    struct addr addr;
    int err;

    if (read_known(reader, value, &good))
        return good;
    while (good && (err = addr_next(&value, &addr)) != SIPD_ENOENT) {
        if (err != SIPD_OK)
            return refuse(reader, 400, SPAN("Bad Contact"));
        if (addr.star)
            reader->stars++;
        else
            good = contact_read(reader, &addr);
    }
    return good;
}

static bool
is_sips(struct span uri)
{
    return uri.len > 4 && uri.at[4] == ':' && span_ieq(span_head(uri, 4), SPAN("sips"));
}

/* May those that come stand side by side, and come this way? */
static bool
fit_together(struct rules_reader *reader, bool *flows)
{
    unsigned come = 0, flows_come = 0, sips_come = 0;

    *flows = false;
    for (size_t i = 0; i < reader->len; i++) {
        const struct rules_contact *contact = &reader->contacts[i];

        *flows |= contact->reg_id > 0;
        if (contact->expires_s == 0)
            continue;
        come++;
        flows_come += contact->reg_id > 0;
        sips_come += is_sips(contact->uri);
    }
    if (flows_come > 0 && come > 1) /* RFC 5626 §6: it may remove others */
        return refuse(reader, 400, SPAN("More Than One Flow"));
    /* RFC 5630 §5.2: who wants a sips Contact says sips everywhere, or something could be thought secure that is not. */
    if (sips_come > 0 && (!reader->way.secure || sips_come < come))
        return refuse(reader, 400, SPAN("SIPS Contact Not Secure All The Way"));
    return true;
}

bool
rules_end(struct rules_reader *reader, struct rules_register *out)
{
    if (reader->refusal.status != 0)
        return false;
    if (reader->stars > 0 && (reader->stars > 1 || reader->len > 0 || !reader->zero))
        return refuse(reader, 400, SPAN("Invalid Request")); /* §10.3 step 6 */
    if (!fit_together(reader, &out->flows))
        return false;
    if (reader->brief) {
        reader->refusal = (struct rules_answer){
            .status = 423,
            .min_expires_s = reader->limits->min_expires_s,
        };
        return false;
    }
    out->star = reader->stars > 0;
    out->contacts = reader->contacts;
    out->len = reader->len;
    return true;
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

/* RFC 5626 §6: a flow is known by instance and reg-id, whatever its URI; others by their URI (§19.1.4). */
static bool
is_flow(const struct rules_contact *want, struct span instance, uint32_t reg_id)
{
    return want->reg_id == reg_id && span_eq(want->instance, instance);
}

/* What one REGISTER has cost, and may yet. */
struct effort {
    unsigned compared; /* URIs */
    size_t left;       /* bytes of those */
};

/* A Contact while others are held against it. */
struct compared {
    const struct rules_contact *want;
    struct uri uri; /* read when there is one with its hash and other bytes */
    bool read;
    struct effort *effort;
};

/*
 * Parameters of his own choice make URIs that differ and have one hash: who has very many of those is refused in the end, the sooner
 * the longer they are.
 */
static bool
has_uri(struct compared *c, struct span text, uint32_t hash)
{
    size_t len = text.len > c->want->uri.len ? text.len : c->want->uri.len;
    struct uri other;

    if (hash != c->want->uri_hash || c->effort->left == 0)
        return false;
    if (span_eq(text, c->want->uri))
        return true; /* as it mostly is */
    c->effort->compared++;
    c->effort->left -= len < c->effort->left ? len : c->effort->left;
    if (!c->read && uri_read(c->want->uri, &c->uri) != SIPD_OK)
        return false;
    c->read = true;
    return uri_read(text, &other) == SIPD_OK && binding_uri_eq(&c->uri, &other);
}

static bool
is_binding(struct compared *c, const struct binding *b)
{
    if (c->want->reg_id > 0)
        return is_flow(c->want, binding_instance(b), b->reg_id);
    return (b->reg_id == 0 || c->want->any_flow) && has_uri(c, binding_contact(b), b->uri_hash);
}

static const struct binding *
binding_of(const struct binding *first, struct compared *c)
{
    while (first && !is_binding(c, first))
        first = first->next;
    return first;
}

/* One URI twice in one REGISTER: each in turn (§10.3 step 7), so the last word counts. */
static bool
is_said_again(const struct rules_register *reg, struct compared *c)
{
    const struct rules_contact *later = c->want + 1, *end = reg->contacts + reg->len;

    for (; later < end; later++)
        if (c->want->reg_id > 0 || later->reg_id > 0
                ? is_flow(c->want, later->instance, later->reg_id)
                : has_uri(c, later->uri, later->uri_hash))
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
    struct rules_answer verdict = accept();
    struct effort effort = { 0, RULES_ALIKE_BYTES };
    size_t repeated = 0;
    long more;

    *len = 0;
    if (reg->star)
        return decide_star(reg, first, steps, len);
    for (size_t i = 0; i < reg->len; i++) {
        const struct rules_contact *want = &reg->contacts[i];
        struct compared compared = { .want = want, .effort = &effort };
        const struct binding *old;

        if (is_said_again(reg, &compared))
            continue;
        if (want->any_flow && want->expires_s == 0) {
            for (old = first; (old = binding_of(old, &compared)); old = old->next)
                steps[(*len)++] = (struct rules_step){ .old = old };
            continue;
        }
        old = binding_of(first, &compared);
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
    if (effort.left == 0)
        verdict = answer(403, SPAN("Too Many Contacts Alike"));
    else if (more > 0 && count(first) + more > (long)max_contacts)
        verdict = answer(403, SPAN("Too Many Contacts"));
    verdict.compared = effort.compared;
    return verdict;
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

uint8_t
rules_reach_flow(const struct hop *source)
{
    return source->transport;
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
