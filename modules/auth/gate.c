/*
 * Who may pass: the sender's claim, its credentials, and the challenge if they do not prove it (RFC 3261 §22.2, §22.3, RFC 8760).
 *
 * Who claims a user of ours must prove to be that user, on every interface, loopback too. Who claims nothing of ours is a
 * stranger, and may call our users; what else a stranger may do is the core's relay rule.
 */
#include "auth.h"

enum {
    FIELDS_MAX = 16, /* Authorization fields looked at in one request */
    TRIES_MAX =
        4, /* credentials for our realm checked in one request (§22.3: there may be several) */
    DOMAIN_BYTES = 256,
    CHALLENGE_BYTES = 640, /* more than all parts at their longest */
    LOG_BYTES = 128
};

struct claim {        /* that the sender is a user of ours */
    bool is_register; /* of To (§10.2: whose registration it is), else of From */
    struct uri uri;
    char lower[DOMAIN_BYTES];
    struct span domain; /* in lower case */
    struct span realm;
    struct user_id id; /* whom the credentials proved */
};

/* What credentials are worth, the better the higher. */
enum worth { ABSENT, WRONG, STALE, ANOTHER_USER, RIGHT };

/*
 * Is this domain ours? A name of ours with any port is a claim to be us, an address with a port that we do not listen on is
 * some other program on our machine.
 */
static bool
is_our_domain(const struct auth *auth, const struct uri *uri)
{
    if (uri->scheme != URI_SIP && uri->scheme != URI_SIPS)
        return false;
    return sipd_is_ours(auth->host, uri->host, uri_host_is_literal(uri->host) ? uri->port : 0);
}

/* Reads the claim; false if the sender claims nothing of ours. */
static bool
claim_read(const struct auth *auth, const struct sipd_req *req, struct claim *out)
{
    struct addr addr;

    out->is_register = span_eq(sipd_req_method(req), SPAN("REGISTER"));
    if (!(out->is_register ? sipd_req_to(req, &addr) : sipd_req_from(req, &addr)))
        return false;
    if (uri_read(addr.uri, &out->uri) != SIPD_OK || !is_our_domain(auth, &out->uri))
        return false;
    if (out->uri.host.len > sizeof out->lower)
        return false;
    for (size_t i = 0; i < out->uri.host.len; i++)
        out->lower[i] = span_lower(out->uri.host.at[i]);
    out->domain = (struct span){ out->lower, out->uri.host.len };
    out->realm = auth->conf->realm.len ? auth->conf->realm : out->domain;
    return true;
}

static struct span
credentials_name(const struct claim *claim)
{
    return claim->is_register ? SPAN("Authorization") : SPAN("Proxy-Authorization");
}

static bool
is_challenged(const struct auth *auth, struct span method)
{
    const struct sipd_strs *methods = &auth->conf->challenge;

    for (size_t i = 0; i < methods->len; i++)
        if (span_eq(method, methods->at[i]))
            return true;
    return false;
}

static uint64_t
nonce_clock_ms(const struct auth *auth)
{
    return sipd_now_ms(auth->host) + auth->clock_ahead_ms;
}

/* A span for the log, cut if it is long. */
static const char *
words(struct span s, char to[LOG_BYTES])
{
    size_t len = s.len < LOG_BYTES ? s.len : LOG_BYTES - 1;

    if (len > 0)
        memcpy(to, s.at, len);
    to[len] = '\0';
    return to;
}

static void
log_refusal(const struct auth *auth, const struct sipd_req *req, const char *event,
            struct span user)
{
    char name[LOG_BYTES], method[LOG_BYTES], call_id[LOG_BYTES], source[LOG_BYTES],
        hop[HOP_TEXT_BYTES];

    sipd_log(auth->host, 2, event, "user", words(user, name), "method",
             words(sipd_req_method(req), method), "source",
             words(hop_write(sipd_req_source(req), hop), source), "call_id",
             words(sipd_req_call_id(req), call_id), NULL);
}

/*
 * What tells a request that is sent again from one that is made up again: all that names its transaction (§17.2.3). A server
 * that keeps transactions never shows us the same one twice, one that keeps none does.
 */
static uint64_t
request_mark(const struct auth *auth, const struct sipd_req *req)
{
    uint8_t sums[4][16] = { 0 }, sum[16];
    uint32_t cseq = sipd_req_cseq(req);
    struct span via;
    uint64_t mark;

    if (hop_is_reliable(sipd_req_source(req)->transport) ||
        !sipd_req_header(req, SPAN("Via"), 0, &via))
        return 0;
    sipd_prf(auth->mark_key, via, sums[0]);
    sipd_prf(auth->mark_key, sipd_req_call_id(req), sums[1]);
    sipd_prf(auth->mark_key, sipd_req_method(req), sums[2]);
    memcpy(sums[3], &cseq, sizeof cseq);
    sipd_prf(auth->mark_key, (struct span){ (const char *)sums, sizeof sums }, sum);
    memcpy(&mark, sum, sizeof mark);
    return mark;
}

/* The user of "alice", who is of the domain in question, or of "alice@example.com". */
static const struct user *
login_find(const struct auth *auth, struct span login, struct span domain, enum user_form *form,
           struct user_id *id)
{
    size_t at = span_find(login, '@');

    *form = at < login.len ? USER_LONG : USER_SHORT;
    if (!user_id_write(span_head(login, at), *form == USER_LONG ? span_skip(login, at + 1) : domain,
                       id))
        return NULL;
    return users_find(auth->users, id);
}

/* Is the user who proved to be someone the one that the request is from, or whose registration it is (§10.3 step 3)? */
static bool
is_claimed(const struct claim *claim, const struct user *user)
{
    return uri_text_eq(user_name(user), claim->uri.user) &&
           span_eq(user_domain(user), claim->domain);
}

/* One set of credentials for our realm. Nobody's HA1 stands in for one that we lack, so that names cannot be told by time. */
static enum worth
weigh_one(struct auth *auth, const struct sipd_req *req, struct claim *claim,
          const struct digest *credentials)
{
    static const uint8_t nobody[DIGEST_HASH_BYTES];
    enum digest_algorithm algorithm;
    enum user_form form;
    const struct user *user;
    const uint8_t *ha1;
    struct nonce nonce;
    uint64_t now_ms = nonce_clock_ms(auth);
    uint32_t nc;
    bool right;

    if (!digest_algorithm_read(credentials->algorithm, &algorithm) || !auth->offered[algorithm] ||
        !digest_is_whole(credentials, &nc))
        return ABSENT;
    user = login_find(auth, credentials->username, claim->domain, &form, &claim->id);
    ha1 = user_ha1(user, form, claim->realm, algorithm);
    right = digest_is_right(&auth->hasher, algorithm, ha1 ? ha1 : nobody, sipd_req_method(req),
                            credentials);
    if (!right || !ha1) {
        log_refusal(auth, req, "auth_wrong", credentials->username);
        return WRONG;
    }
    if (nonce_read(auth->nonces, credentials->nonce, sipd_req_source(req), now_ms, &nonce) !=
        NONCE_GOOD)
        return STALE;
    if (!is_claimed(claim, user)) {
        log_refusal(auth, req, "auth_forbidden", credentials->username);
        return ANOTHER_USER;
    }
    return nonce_use(auth->nonces, &nonce, nc, request_mark(auth, req), now_ms) == NONCE_USED
               ? STALE
               : RIGHT;
}

/* The best of what came along for our realm. */
static enum worth
weigh(struct auth *auth, const struct sipd_req *req, struct claim *claim)
{
    enum worth best = ABSENT, one;
    struct digest credentials;
    struct span value;

    for (unsigned n = 0, tries = 0; n < FIELDS_MAX && tries < TRIES_MAX && best != RIGHT; n++) {
        if (!sipd_req_header(req, credentials_name(claim), n, &value))
            break;
        if (digest_read(value, &credentials) != SIPD_OK ||
            !span_eq(credentials.realm, claim->realm))
            continue;
        tries++;
        one = weigh_one(auth, req, claim, &credentials);
        if (one > best)
            best = one;
    }
    return best;
}

/* What was for us goes no further (§22.3); what is for others stays. */
static enum sipd_verdict
pass(struct sipd_req *req, const struct claim *claim)
{
    struct digest credentials;
    struct span value;

    for (unsigned n = 0;
         n < FIELDS_MAX && sipd_req_header(req, SPAN("Proxy-Authorization"), n, &value); n++) {
        if (digest_read(value, &credentials) != SIPD_OK ||
            !span_eq(credentials.realm, claim->realm))
            continue;
        if (sipd_req_drop_header(req, SPAN("Proxy-Authorization"), n) == SIPD_ENOMEM)
            return SIPD_FAIL;
    }
    return SIPD_PASS;
}

struct line {
    char bytes[CHALLENGE_BYTES];
    size_t len;
};

static void
line_put(struct line *line, struct span s)
{
    if (s.len > sizeof line->bytes - line->len)
        return;
    memcpy(line->bytes + line->len, s.at, s.len);
    line->len += s.len;
}

static void
challenge_write(struct line *line, struct span realm, struct span nonce, struct span algorithm,
                bool stale)
{
    line->len = 0;
    line_put(line, SPAN("Digest realm=\""));
    line_put(line, realm);
    line_put(line, SPAN("\", nonce=\""));
    line_put(line, nonce);
    line_put(line, SPAN("\", algorithm="));
    line_put(line, algorithm);
    line_put(line, SPAN(", qop=\"auth\""));
    if (stale)
        line_put(line, SPAN(", stale=true"));
}

/* 401 as the one who serves the request, 407 as the one who forwards it; a field for each algorithm (RFC 8760 §2.3). */
static enum sipd_verdict
challenge(struct auth *auth, struct sipd_req *req, const struct claim *claim, bool stale)
{
    struct sipd_reply *reply = sipd_reply(req, claim->is_register ? 401 : 407);
    struct span name = claim->is_register ? SPAN("WWW-Authenticate") : SPAN("Proxy-Authenticate"),
                nonce;
    char text[NONCE_TEXT_BYTES];
    struct line line;

    ++*auth->count.challenged;
    nonce = nonce_write(auth->nonces, sipd_req_source(req), nonce_clock_ms(auth),
                        sipd_random(auth->host), text);
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++)
        if (auth->offered[i]) {
            challenge_write(&line, claim->realm, nonce,
                            digest_algorithm_text((enum digest_algorithm)i), stale);
            sipd_reply_header(reply, name, (struct span){ line.bytes, line.len });
        }
    return (enum sipd_verdict)sipd_reply_send(reply);
}

/* The sender must prove its claim. */
static enum sipd_verdict
demand(struct auth *auth, struct sipd_req *req, struct claim *claim)
{
    switch (weigh(auth, req, claim)) {
    case RIGHT:
        ++*auth->count.passed;
        if (sipd_req_authenticate(req, user_id_span(&claim->id)) != SIPD_OK)
            return SIPD_FAIL;
        return pass(req, claim);
    case ANOTHER_USER:
        ++*auth->count.forbidden;
        return (enum sipd_verdict)sipd_reply_send(sipd_reply(req, 403));
    case STALE: ++*auth->count.stale; return challenge(auth, req, claim, true);
    case WRONG: ++*auth->count.wrong; return challenge(auth, req, claim, false);
    case ABSENT: break;
    }
    return challenge(auth, req, claim, false);
}

enum sipd_verdict
gate_on_request(struct sipd_req *req, void *self)
{
    struct auth *auth = self;
    struct claim claim;
    bool claims = claim_read(auth, req, &claim),
         trusted = nets_have(&auth->trusted, sipd_req_source(req));

    if (trusted) {
        ++*auth->count.trusted;
        sipd_req_trust(req);
    }
    if (!claims)
        return SIPD_PASS;
    /* Who was let begin a dialog may go on with it (its Route carries our token). */
    if (trusted || (sipd_req_in_dialog(req) && sipd_req_by_token(req)) ||
        !is_challenged(auth, sipd_req_method(req)))
        return pass(req, &claim);
    return demand(auth, req, &claim);
}
