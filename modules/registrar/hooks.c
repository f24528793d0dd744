/*
 * The registrar's hooks: REGISTER (RFC 3261 §10.3; RFC 3327, 3608, 5626, 5627) and where a user of ours is (§16.5; RFC
 * 5630 §5.2, §5.3).
 */
#include "asks.h"
#include "caller.h"
#include "contact.h"
#include "gruu.h"
#include "refresh.h"
#include "registrar.h"

/* ---------------------------------------------------------------- addresses-of-record */

bool
registrar_aor(const struct registrar *r, const struct uri *uri, char text[STORE_AOR_BYTES],
              struct span *aor)
{
    struct uri plain = *uri;
    int len;

    if ((uri->scheme != URI_SIP && uri->scheme != URI_SIPS) || uri->user.len == 0 ||
        !sipd_is_ours(r->host, uri->host, uri->port))
        return false;
    plain.scheme = URI_SIP;
    plain.scheme_text = SPAN("sip");
    len = uri_aor_write(&plain, text, STORE_AOR_BYTES);
    *aor = (struct span){ text, len > 0 ? (size_t)len : 0 };
    return len > 0;
}

uint64_t
registrar_left_s(const struct binding *b, uint64_t now_ms)
{
    return b->deadline_ms > now_ms ? (b->deadline_ms - now_ms + 999) / 1000 : 0;
}

/* RFC 3608 §6.3: in every 200, whether it was asked for or not, in the order of the setting. */
static void
reply_routes(const struct registrar *r, struct sipd_reply *reply, const struct asks *asks)
{
    for (size_t i = 0; i < r->conf->service_route.len; i++)
        sipd_reply_header(reply, SPAN("Service-Route"), r->conf->service_route.at[i]);
    if (asks->path.len > 0)
        sipd_reply_header(reply, SPAN("Path"), asks->path); /* RFC 3327 §5.3 */
}

/* RFC 5626 §6: that flows were used, and how often we want to hear of one that nobody stands between. */
static void
reply_flows(const struct registrar *r, struct sipd_reply *reply, const struct asks *asks)
{
    sipd_reply_header(reply, SPAN("Require"), SPAN("outbound"));
    if (!asks->relayed && r->conf->flow_timer_s > 0)
        sipd_reply_number(reply, SPAN("Flow-Timer"), r->conf->flow_timer_s);
}

/* RFC 3261 §10.3 step 8. */
static enum sipd_verdict
reply_bindings(struct registrar *r, struct sipd_req *req, const struct aor *found,
               const struct asks *asks, bool flows)
{
    struct sipd_reply *reply = sipd_reply(req, 200);
    uint64_t now_ms = sipd_now_ms(r->host);
    char text[CONTACT_BYTES];

    for (const struct binding *b = found ? found->first : NULL; b; b = b->next)
        if (b->deadline_ms > now_ms)
            sipd_reply_header(reply, SPAN("Contact"),
                              contact_write(b, registrar_left_s(b, now_ms), asks->gruu, text));
    reply_routes(r, reply, asks);
    if (flows)
        reply_flows(r, reply, asks);
    sipd_reply_date(reply);
    return (enum sipd_verdict)sipd_reply_send(reply);
}

/* again: it is our misfortune; come back, but not all at once. */
static enum sipd_verdict
refuse(struct registrar *r, struct sipd_req *req, const struct rules_answer *answer, bool again)
{
    struct sipd_reply *reply = sipd_reply(req, answer->status);

    *r->refused += !sipd_req_is_dry(req);
    if (answer->phrase.len > 0)
        sipd_reply_phrase(reply, answer->phrase);
    if (answer->min_expires_s > 0)
        sipd_reply_number(reply, SPAN("Min-Expires"), answer->min_expires_s);
    if (again)
        sipd_reply_number(reply, SPAN("Retry-After"), 2 + sipd_random(r->host) % 8);
    return (enum sipd_verdict)sipd_reply_send(reply);
}

static enum sipd_verdict
refuse_with(struct registrar *r, struct sipd_req *req, unsigned status, struct span phrase)
{
    return refuse(r, req, &(struct rules_answer){ .status = status, .phrase = phrase },
                  status == 503);
}

static enum sipd_verdict
reply_job(struct registrar *r, struct sipd_req *req, const struct asks *asks, const struct job *job)
{
    if (job->answer.status != 200)
        return refuse(r, req, &job->answer, job->again);
    ++*(job->changed > 0 ? r->updated : r->fetched);
    return reply_bindings(r, req, job->aor, asks, job->ask.reg.flows);
}

/* A job that is done is answered, and ends. */
static enum sipd_verdict
go_on(struct registrar *r, struct sipd_req *req, const struct asks *asks, struct job *job)
{
    enum sipd_verdict verdict;

    if (job->state != JOB_DONE)
        return SIPD_WAIT;
    verdict = reply_job(r, req, asks, job);
    jobs_take(&r->jobs, &job);
    return verdict;
}

/* ---------------------------------------------------------------- REGISTER */

/* §8.2.2.3: what we do not know is named. A Path that the sender does not know of is not to be taken (RFC 3327 §5.3). */
static enum sipd_verdict
refuse_options(struct registrar *r, struct sipd_req *req, bool path)
{
    struct sipd_reply *reply = sipd_reply(req, 420);

    *r->refused += !sipd_req_is_dry(req);
    if (path)
        sipd_reply_header(reply, SPAN("Unsupported"), SPAN("path"));
    asks_name_unknown(req, reply);
    return (enum sipd_verdict)sipd_reply_send(reply);
}

/*
 * RFC 5627 §5.1: a device that is reached by the address that it registers for, or by a GRUU of that, is never reached; and
 * only SIP URIs have GRUUs.
 */
static bool
device_will_do(const struct rules_contact *contact, struct span to)
{
    struct uri uri, aor;

    return uri_read(contact->uri, &uri) != SIPD_OK || uri_read(to, &aor) != SIPD_OK ||
           ((uri.scheme == URI_SIP || uri.scheme == URI_SIPS) && !binding_uri_eq(&uri, &aor));
}

static bool
devices_will_do(const struct rules_register *reg, struct span to)
{
    for (size_t i = 0; i < reg->len; i++) {
        const struct rules_contact *contact = &reg->contacts[i];

        if (contact->instance.len > 0 && contact->expires_s > 0 && !device_will_do(contact, to))
            return false;
    }
    return true;
}

static bool
refuse_to_read(struct rules_reader *reader, struct span phrase)
{
    reader->refusal = (struct rules_answer){ .status = 400, .phrase = phrase };
    return false;
}

/* Steps 6 and 7, as far as the request tells. False: reader->refusal says why. */
static bool
read_register(const struct registrar *r, struct sipd_req *req, const struct asks *asks,
              const struct aor *known, struct rules_reader *reader, struct rules_register *out)
{
    struct sipd_fields all_expires = r->fields.expires, contacts = r->fields.contact;
    const struct rules_way way = {
        .source = asks->relayed || asks->path.len > 0 ? NULL : sipd_req_source(req),
        .flows = asks_flows(asks, req),
        .secure = asks->secure,
    };
    struct span value, other;
    bool expires = sipd_req_next_field(req, &all_expires, &value);

    while (expires && sipd_req_next_field(req, &all_expires, &other))
        if (!span_eq(value, other)) /* RFC 3261 §7.3.1 */
            return refuse_to_read(reader, SPAN("Repeated Expires"));
    rules_begin(reader, &r->limits, known ? known->first : NULL, expires ? &value : NULL, &way);
    while (sipd_req_next_field(req, &contacts, &value))
        if (!rules_contact_field(reader, value))
            return false;
    out->call_id = sipd_req_call_id(req);
    out->cseq = sipd_req_cseq(req);
    out->path = asks->path;
    if (out->call_id.len > STORE_CALL_ID_BYTES)
        return refuse_to_read(reader, SPAN("Call-ID Too Long"));
    return rules_end(reader, out);
}

/* What the rules allow, as far as they tell without the store; nothing is written. */
static enum sipd_verdict
reply_dry(struct registrar *r, struct sipd_req *req, const struct aor *found,
          const struct asks *asks, const struct rules_register *reg)
{
    sipd_req_explain(req, reg->len > 0 || reg->star
                              ? SPAN("bindings would be written; they are not")
                              : SPAN("bindings are asked for"));
    return reply_bindings(r, req, found, asks, reg->flows);
}

static enum sipd_verdict
refuse_for(struct registrar *r, struct sipd_req *req, int err)
{
    return refuse_with(r, req, err == SIPD_EFULL ? 503 : 500, SPAN(""));
}

/* What a store need not hear of is done before we return, and a refresh with less pains than others. */
static enum sipd_verdict
do_at_once(struct registrar *r, struct sipd_req *req, struct aor *found, const struct asks *asks,
           const struct job_ask *ask)
{
    struct job_at_once once;
    enum sipd_verdict verdict;
    int err;

    if (refresh_at_once(&r->jobs, found, ask)) {
        ++*r->updated;
        return reply_bindings(r, req, found, asks, ask->reg.flows);
    }
    err = jobs_at_once(&r->jobs, ask, &once);
    if (err != SIPD_OK)
        return refuse_for(r, req, err);
    verdict = reply_job(r, req, asks, &once.job);
    jobs_leave(&r->jobs, &once);
    return verdict;
}

static enum sipd_verdict
begin_register(struct registrar *r, struct sipd_req *req, struct span to, struct span aor,
               struct aor *found, const struct asks *asks)
{
    struct sipd_fields agent = r->fields.user_agent;
    struct rules_reader reader;
    struct job *job;
    struct job_ask ask = {
        .kind = JOB_REGISTER,
        .asker = sipd_req_id(req),
        .aor = aor,
        .source = *sipd_req_source(req),
        .relayed = asks->relayed,
    };
    int err;

    if (!read_register(r, req, asks, found, &reader, &ask.reg))
        return refuse(r, req, &reader.refusal, false);
    if (!devices_will_do(&ask.reg, to))
        return refuse_with(r, req, 403, SPAN("Contact Leads Back"));
    if (sipd_req_is_dry(req))
        return reply_dry(r, req, found, asks, &ask.reg);
    (void)sipd_req_next_field(req, &agent, &ask.user_agent);
    if (jobs_may_be_at_once(&r->jobs, found))
        return do_at_once(r, req, found, asks, &ask);
    err = jobs_enter(&r->jobs, &ask, &job);
    return err == SIPD_OK ? go_on(r, req, asks, job) : refuse_for(r, req, err);
}

/*
 * Step 5: the address-of-record that To names. 0, or the status to refuse with. Mostly it is of the domain that the request
 * was sent to. Lent: text, and with req.
 */
static unsigned
read_aor(const struct registrar *r, const struct asks *asks, struct span to,
         char text[STORE_AOR_BYTES], struct span *aor)
{
    struct span host;
    struct uri uri;
    uint16_t port;

    if (uri_aor_find(to, aor, &host, &port) && aor->len <= STORE_AOR_BYTES)
        return (span_eq(host, asks->host) && (port == 0 || port == asks->port)) ||
                       sipd_is_ours(r->host, host, port)
                   ? 0
                   : 404;
    if (uri_read(to, &uri) != SIPD_OK)
        return 400;
    return registrar_aor(r, &uri, text, aor) ? 0 : 404;
}

/* RFC 3261 §10.3; authentication (steps 3 and 4) has been before, by another hook. */
enum sipd_verdict
registrar_on_request(struct sipd_req *req, void *self)
{
    struct registrar *r = self;
    char text[STORE_AOR_BYTES];
    struct aor *found;
    struct asks asks;
    struct span aor, to, method = sipd_req_method(req);
    struct job *job;
    unsigned status;

    if (!sipd_req_for_server(req)) /* step 1 */
        return caller_borrows(r, req) ? refuse_with(r, req, 403, SPAN("Not Your GRUU")) : SIPD_PASS;
    /* What the server can do (§11.2) it can with us. */
    if (span_eq(method, SPAN("OPTIONS")) &&
        sipd_req_add_reply_header(req, SPAN("Allow"), SPAN("REGISTER")) != SIPD_OK)
        return SIPD_FAIL;
    if (!span_eq(method, SPAN("REGISTER")))
        return SIPD_PASS;
    registrar_keep_time(r);
    status = asks_read(req, &r->fields, &asks);
    if (status == 420 || asks.too_much)
        return refuse_options(r, req, status == 420); /* step 2 */
    if (status != 0)
        return refuse_with(r, req, status, SPAN("Bad Path"));
    status = sipd_req_to_uri(req, &to) ? read_aor(r, &asks, to, text, &aor) : 400;
    if (status != 0)
        return refuse_with(r, req, status, status == 400 ? SPAN("Bad To") : SPAN(""));
    if (!registrar_has_read(r, aor))
        return refuse_with(r, req, 503, SPAN(""));
    found = bindings_find(r->index, aor);
    job = jobs_find(found, JOB_REGISTER, sipd_req_id(req));
    if (job)
        return go_on(r, req, &asks, job);
    return begin_register(r, req, to, aor, found, &asks);
}

/* ---------------------------------------------------------------- where a user is */

static int
add_target(struct sipd_req *req, const struct binding *b, uint64_t now_ms)
{
    uint64_t left_s = registrar_left_s(b, now_ms);
    struct sipd_target target = {
        .uri = binding_contact(b),
        .hop = rules_hop(b->reach, &b->source),
        .q = b->q == STORE_NO_Q ? 1000 : b->q,
        .expires_s = left_s < UINT32_MAX ? (uint32_t)left_s : UINT32_MAX,
        .path = binding_path(b),
        .instance = binding_instance(b),
    };

    return sipd_req_add_target(req, &target);
}

/* Bindings that are meant: all of the AoR, or those of the device that a GRUU names (RFC 5627 §6.1). */
static bool
is_meant(const struct binding *b, const struct span *gr, uint64_t now_ms)
{
    if (b->deadline_ms <= now_ms)
        return false;
    return !gr || (b->instance_len > 0 && gruu_is(*gr, binding_instance(b)));
}

/*
 * RFC 3261 §16.5. Those refreshed last come first, and the core takes one of a device at a time (RFC 5626 §7). Of the
 * Contacts a sips request takes those of sips only (RFC 5630 §5.3), which is not our affair.
 */
enum sipd_verdict
registrar_on_targets(struct sipd_req *req, void *self)
{
    struct registrar *r = self;
    uint64_t now_ms = sipd_now_ms(r->host);
    char text[STORE_AOR_BYTES];
    const struct aor *found;
    struct span aor, gr;
    struct uri uri;
    bool device;

    if (!sipd_req_uri(req, &uri) || !registrar_aor(r, &uri, text, &aor))
        return SIPD_PASS;
    if (!registrar_has_read(r, aor))
        return refuse_with(r, req, 503, SPAN(""));
    device = gruu_read(&uri, &gr);
    found = bindings_find(r->index, aor);
    for (const struct binding *b = found ? found->first : NULL; b; b = b->next) {
        int err;

        if (!is_meant(b, device ? &gr : NULL, now_ms))
            continue;
        err = add_target(req, b, now_ms);
        if (err == SIPD_ENOMEM)
            return SIPD_FAIL;
        if (err == SIPD_EFULL)
            break;
    }
    return SIPD_PASS; /* later hooks see the set, as one that redirects does */
}

/* Users are known as long as they are somewhere; who else there is, other modules know. */
bool
registrar_is_user(void *self, struct span aor)
{
    struct registrar *r = self;
    char text[STORE_AOR_BYTES];
    const struct aor *found;
    struct uri uri;

    if (uri_read(aor, &uri) != SIPD_OK || !registrar_aor(r, &uri, text, &aor))
        return false;
    found = bindings_find(r->index, aor);
    return found && found->first;
}
