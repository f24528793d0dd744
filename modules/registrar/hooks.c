/*
 * The registrar's hooks: REGISTER (RFC 3261 §10.3) and where a user of ours is (§16.5; RFC 5630 §5.2, §5.3).
 */
#include <stdio.h>

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

struct span
registrar_q_write(uint16_t q, char text[8])
{
    size_t len = 5;

    if (q == STORE_NO_Q)
        return SPAN("");
    if (q == 0 || q >= 1000)
        return q == 0 ? SPAN("0") : SPAN("1");
    snprintf(text, 8, "0.%03u", q % 1000u);
    while (text[len - 1] == '0')
        len--;
    return (struct span){ text, len };
}

static void
reply_contact(struct sipd_reply *reply, const struct binding *b, uint64_t now_ms)
{
    char value[STORE_CONTACT_BYTES + 64], text[8];
    struct span q = registrar_q_write(b->q, text);
    int len;

    len = snprintf(value, sizeof value, "<%.*s>%s%.*s;expires=%llu", SPAN_ARG(binding_contact(b)),
                   q.len > 0 ? ";q=" : "", SPAN_ARG(q),
                   (unsigned long long)registrar_left_s(b, now_ms));
    sipd_reply_header(reply, SPAN("Contact"), (struct span){ value, (size_t)len });
}

/* RFC 3261 §10.3 step 8. */
static enum sipd_verdict
reply_bindings(struct registrar *r, struct sipd_req *req, struct span aor)
{
    const struct aor *found = bindings_find(r->index, aor);
    struct sipd_reply *reply = sipd_reply(req, 200);
    uint64_t now_ms = sipd_now_ms(r->host);

    for (const struct binding *b = found ? found->first : NULL; b; b = b->next)
        if (b->deadline_ms > now_ms)
            reply_contact(reply, b, now_ms);
    sipd_reply_date(reply);
    return (enum sipd_verdict)sipd_reply_send(reply);
}

/* again: it is our misfortune; come back, but not all at once. */
static enum sipd_verdict
refuse(struct registrar *r, struct sipd_req *req, struct rules_answer answer, bool again)
{
    struct sipd_reply *reply = sipd_reply(req, answer.status);

    ++*r->refused;
    if (answer.phrase.len > 0)
        sipd_reply_phrase(reply, answer.phrase);
    if (answer.min_expires_s > 0)
        sipd_reply_number(reply, SPAN("Min-Expires"), answer.min_expires_s);
    if (again)
        sipd_reply_number(reply, SPAN("Retry-After"), 2 + sipd_random(r->host) % 8);
    return (enum sipd_verdict)sipd_reply_send(reply);
}

static enum sipd_verdict
refuse_with(struct registrar *r, struct sipd_req *req, unsigned status, struct span phrase)
{
    return refuse(r, req, (struct rules_answer){ .status = status, .phrase = phrase },
                  status == 503);
}

static enum sipd_verdict
reply_job(struct registrar *r, struct sipd_req *req, struct job *job)
{
    struct rules_answer answer = job->answer;
    char text[STORE_AOR_BYTES];
    struct span aor = { text, job->ask.aor.len };
    bool again = job->again;

    memcpy(text, job->ask.aor.at, aor.len);
    if (answer.status == 200)
        ++*(job->changed > 0 ? r->updated : r->fetched);
    jobs_take(&r->jobs, &job);
    return answer.status == 200 ? reply_bindings(r, req, aor) : refuse(r, req, answer, again);
}

/* ---------------------------------------------------------------- REGISTER */

/* We have no extension, so each option is one too many (§8.2.2.3). */
static enum sipd_verdict
refuse_options(struct registrar *r, struct sipd_req *req)
{
    struct sipd_reply *reply = sipd_reply(req, 420);
    struct span options;

    ++*r->refused;
    for (unsigned n = 0; sipd_req_header(req, SPAN("Require"), n, &options); n++)
        sipd_reply_header(reply, SPAN("Unsupported"), options);
    return (enum sipd_verdict)sipd_reply_send(reply);
}

/* Steps 6 and 7, as far as the request tells. */
static struct rules_answer
read_register(const struct registrar *r, struct sipd_req *req, struct rules_reader *reader,
              struct rules_register *out)
{
    struct span value;
    struct rules_answer answer;
    bool expires = sipd_req_header(req, SPAN("Expires"), 0, &value);

    rules_begin(reader, &r->limits, expires ? &value : NULL);
    for (unsigned n = 0; sipd_req_header(req, SPAN("Contact"), n, &value); n++) {
        answer = rules_contact_field(reader, value);
        if (answer.status != 200)
            return answer;
    }
    out->call_id = sipd_req_call_id(req);
    out->cseq = sipd_req_cseq(req);
    if (out->call_id.len > STORE_CALL_ID_BYTES)
        return (struct rules_answer){ .status = 400, .phrase = SPAN("Call-ID Too Long") };
    return rules_end(reader, out);
}

static enum sipd_verdict
begin_register(struct registrar *r, struct sipd_req *req, struct span aor)
{
    struct rules_reader reader;
    struct job_ask ask = {
        .kind = JOB_REGISTER, .asker = sipd_req_id(req), .aor = aor, .source = *sipd_req_source(req)
    };
    struct rules_answer answer = read_register(r, req, &reader, &ask.reg);
    struct job *job;
    int err;

    if (answer.status != 200)
        return refuse(r, req, answer, false);
    sipd_req_header(req, SPAN("User-Agent"), 0, &ask.user_agent);
    err = jobs_enter(&r->jobs, &ask, &job);
    if (err)
        return refuse_with(r, req, err == SIPD_EFULL ? 503 : 500, SPAN(""));
    return job->state == JOB_DONE ? reply_job(r, req, job) : SIPD_WAIT;
}

/* RFC 3261 §10.3; authentication (steps 3 and 4) has been before, by another hook. */
enum sipd_verdict
registrar_on_request(struct sipd_req *req, void *self)
{
    struct registrar *r = self;
    char text[STORE_AOR_BYTES];
    struct span aor, ignored;
    struct addr to;
    struct uri uri;
    struct job *job;

    if (!span_eq(sipd_req_method(req), SPAN("REGISTER")) || !sipd_req_for_server(req))
        return SIPD_PASS; /* step 1 */
    if (!r->ready)
        return refuse_with(r, req, 503, SPAN(""));
    registrar_keep_time(r);
    if (sipd_req_header(req, SPAN("Require"), 0, &ignored))
        return refuse_options(r, req); /* step 2 */
    if (!sipd_req_to(req, &to) || uri_read(to.uri, &uri) != SIPD_OK)
        return refuse_with(r, req, 400, SPAN("Bad To"));
    if (!registrar_aor(r, &uri, text, &aor))
        return refuse_with(r, req, 404, SPAN("")); /* step 5 */
    job = jobs_find(&r->jobs, aor, JOB_REGISTER, sipd_req_id(req));
    if (job)
        return job->state == JOB_DONE ? reply_job(r, req, job) : SIPD_WAIT;
    return begin_register(r, req, aor);
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
    };

    return sipd_req_add_target(req, &target);
}

/* RFC 3261 §16.5. Of the Contacts a sips request takes those of sips only (RFC 5630 §5.3), which is not our affair. */
enum sipd_verdict
registrar_on_targets(struct sipd_req *req, void *self)
{
    struct registrar *r = self;
    uint64_t now_ms = sipd_now_ms(r->host);
    char text[STORE_AOR_BYTES];
    const struct aor *found;
    struct span aor;
    struct uri uri;

    if (!sipd_req_uri(req, &uri) || !registrar_aor(r, &uri, text, &aor))
        return SIPD_PASS;
    if (!r->ready)
        return refuse_with(r, req, 503, SPAN(""));
    found = bindings_find(r->index, aor);
    for (const struct binding *b = found ? found->first : NULL; b; b = b->next) {
        int err;

        if (b->deadline_ms <= now_ms)
            continue;
        err = add_target(req, b, now_ms);
        if (err == SIPD_ENOMEM)
            return SIPD_FAIL;
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
