/*
 * Who may pass: the sender's claim, its credentials, and the challenge if they do not prove it (RFC 3261 §22.2, §22.3, RFC 8760).
 *
 * Who claims a user of ours must prove to be that user, on every interface, loopback too. Who claims nothing of ours is a
 * stranger, and may call our users; what else a stranger may do is the core's relay rule.
 */
#include "auth.h"
#include "identity.h"

enum {
    FIELDS_MAX = 16, /* Authorization fields looked at in one request */
    /* credentials for our realm checked in one request (§22.3: there may be several) */
    TRIES_MAX = 4,
    DOMAIN_BYTES = 256,
    CHALLENGE_BYTES = 640, /* more than all parts at their longest */
    INFO_BYTES = 512, /* room for Authentication-Info; a cnonce that is too long for it gets none */
    OPAQUE_BYTES = 16,
    LOG_BYTES = 128
};

struct claim {        /* that the sender is a user of ours */
    bool is_register; /* of To (§10.2: whose registration it is), else of From */
    struct uri uri;
    char lower[DOMAIN_BYTES];
    struct span domain; /* in lower case */
    struct span realm;
    struct user_id id; /* whom the credentials proved */
    char info[INFO_BYTES];
    size_t info_len;  /* of Authentication-Info for the answer */
    uint64_t wait_ms; /* how long the guard wants to hear no more */
};

/* What credentials are worth, the better the higher. */
enum worth { ABSENT, WAITS, WRONG, STALE, ANOTHER_USER, RIGHT };

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

    out->info_len = 0;
    out->wait_ms = 0;
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

/*
 * The user of "alice", who is of the domain in question, or of "alice@example.com". *who is the same name for both forms, of users
 * that do not exist too: else who may try one form longer than the other would tell who exists.
 */
static const struct user *
login_find(const struct auth *auth, struct span login, struct span domain, enum user_form *form,
           struct user_id *id, struct span *who)
{
    size_t at = span_find(login, '@');

    *form = at < login.len ? USER_LONG : USER_SHORT;
    *who = login;
    if (!user_id_write(span_head(login, at), *form == USER_LONG ? span_skip(login, at + 1) : domain,
                       id))
        return NULL;
    *who = user_id_span(id);
    return users_find(auth->users, id);
}

/*
 * Is the user who proved to be someone the one that the request is from, or whose registration it is (§10.3 step 4)? Or one
 * who may be that, too (aliases)?
 */
static bool
is_claimed(const struct auth *auth, const struct claim *claim, const struct user *user)
{
    struct user_id alias;

    if (uri_text_eq(user_name(user), claim->uri.user) && span_eq(user_domain(user), claim->domain))
        return true;
    return user_id_write(claim->uri.user, claim->domain, &alias) &&
           names_have(&auth->aliases, user_id(user), user_id_span(&alias));
}

static void
log_wait(const struct auth *auth, const struct sipd_req *req, struct span user)
{
    char name[LOG_BYTES], source[HOP_TEXT_BYTES], text[LOG_BYTES];

    sipd_log(auth->host, 1, "auth_waits", "user", words(user, name), "source",
             words(guard_source_write(sipd_req_source(req), source), text), NULL);
}

/* A wrong answer, for the log and for the guard. */
static enum worth
wrong(struct auth *auth, const struct sipd_req *req, struct span user, struct span id)
{
    log_refusal(auth, req, "auth_wrong", user);
    if (guard_failed(auth->guard, &auth->conf->guard, sipd_req_source(req), id,
                     auth_clock_ms(auth))) {
        ++*auth->count.waits;
        log_wait(auth, req, id);
    }
    return WRONG;
}

struct line {
    char *at;
    size_t len, room;
    bool full; /* something had no room */
};

static void
line_put(struct line *line, struct span s)
{
    line->full = line->full || s.len > line->room - line->len;
    if (line->full)
        return;
    span_write(line->at + line->len, s);
    line->len += s.len;
}

/*
 * We prove that we know the password too (rspauth, with no method: RFC 7616 §3.5), and a nonce past half of its life is
 * followed by the next one, so that the phone need not be asked again.
 */
static void
info_write(struct auth *auth, const struct sipd_req *req, struct claim *claim,
           const struct digest *credentials, enum digest_algorithm algorithm, const uint8_t *ha1,
           const struct nonce *nonce)
{
    struct line line = { .at = claim->info, .room = sizeof claim->info };
    uint64_t now_ms = auth_clock_ms(auth);
    char proof[DIGEST_HEX_BYTES], next[NONCE_TEXT_BYTES];
    struct span response =
        digest_response(&auth->hasher, algorithm, ha1, SPAN(""), credentials, proof);

    line_put(&line, SPAN("qop=auth, rspauth=\""));
    line_put(&line, response);
    line_put(&line, SPAN("\", cnonce=\""));
    line_put(&line, credentials->cnonce);
    line_put(&line, SPAN("\", nc="));
    line_put(&line, credentials->nc);
    if (now_ms - nonce->made_ms > (uint64_t)auth->conf->nonce_s * 500) {
        line_put(&line, SPAN(", nextnonce=\""));
        line_put(&line, nonce_write(auth->nonces, sipd_req_source(req), now_ms,
                                    sipd_random(auth->host), next));
        line_put(&line, SPAN("\""));
    }
    claim->info_len = line.full || response.len == 0 ? 0 : line.len;
}

/*
 * One set of credentials for our realm. What answers a nonce that is no good here is not looked at: anybody can write another's
 * address, or nobody's, on a datagram, but only who is there hears the nonce that is good there. So nobody makes another wait by
 * guessing in its place. Nobody's HA1 stands in for one that we lack, so that names cannot be told by time.
 */
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
    uint64_t now_ms = auth_clock_ms(auth);
    struct span id;
    uint32_t nc;
    bool right;

    if (!digest_algorithm_read(credentials->algorithm, &algorithm) || !auth->offered[algorithm] ||
        !digest_is_whole(credentials, &nc))
        return ABSENT;
    user = login_find(auth, credentials->username, claim->domain, &form, &claim->id, &id);
    claim->wait_ms =
        guard_wait_ms(auth->guard, &auth->conf->guard, sipd_req_source(req), id, now_ms);
    if (claim->wait_ms > 0)
        return WAITS;
    if (nonce_read(auth->nonces, credentials->nonce, sipd_req_source(req), now_ms, &nonce) !=
        NONCE_GOOD)
        return STALE;
    ha1 = user_ha1(user, form, claim->realm, algorithm);
    right = digest_is_right(&auth->hasher, algorithm, ha1 ? ha1 : nobody, sipd_req_method(req),
                            credentials);
    if (!right || !ha1)
        return wrong(auth, req, credentials->username, id);
    if (!is_claimed(auth, claim, user)) {
        log_refusal(auth, req, "auth_forbidden", credentials->username);
        return ANOTHER_USER;
    }
    if (nonce_use(auth->nonces, &nonce, nc, request_mark(auth, req), now_ms) == NONCE_USED)
        return STALE;
    guard_passed(auth->guard, sipd_req_source(req), id, now_ms);
    if (claim->is_register)
        info_write(auth, req, claim, credentials, algorithm, ha1, &nonce);
    return RIGHT;
}

/* The best of what came along for our realm. */
static enum worth
weigh(struct auth *auth, const struct sipd_req *req, struct claim *claim)
{
    enum worth best = ABSENT, one;
    struct sipd_fields fields = sipd_req_fields(credentials_name(claim));
    struct digest credentials;
    struct span value;

    for (unsigned n = 0, tries = 0; n < FIELDS_MAX && tries < TRIES_MAX && best != RIGHT; n++) {
        if (!sipd_req_next_field(req, &fields, &value))
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
    struct sipd_fields fields = sipd_req_fields(SPAN("Proxy-Authorization"));
    struct digest credentials;
    struct span value;

    for (unsigned n = 0; n < FIELDS_MAX && sipd_req_next_field(req, &fields, &value); n++) {
        if (digest_read(value, &credentials) != SIPD_OK ||
            !span_eq(credentials.realm, claim->realm))
            continue;
        if (sipd_req_drop_header(req, SPAN("Proxy-Authorization"), n) == SIPD_ENOMEM)
            return SIPD_FAIL;
    }
    return SIPD_PASS;
}

/* All that comes back is in the nonce; opaque is there because phones have been seen that want one. */
static void
opaque_write(const struct auth *auth, struct span realm, char to[OPAQUE_BYTES])
{
    uint8_t sum[16];

    sipd_prf(auth->mark_key, realm, sum);
    digest_hex_write(sum, OPAQUE_BYTES / 2, to);
}

static void
challenge_write(struct line *line, struct span realm, struct span nonce, struct span opaque,
                struct span algorithm, bool stale)
{
    line->len = 0;
    line_put(line, SPAN("Digest realm=\""));
    line_put(line, realm);
    line_put(line, SPAN("\", nonce=\""));
    line_put(line, nonce);
    line_put(line, SPAN("\", opaque=\""));
    line_put(line, opaque);
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
    char text[NONCE_TEXT_BYTES], bytes[CHALLENGE_BYTES], opaque[OPAQUE_BYTES];
    struct line line = { .at = bytes, .room = sizeof bytes };

    ++*auth->count.challenged;
    opaque_write(auth, claim->realm, opaque);
    nonce = nonce_write(auth->nonces, sipd_req_source(req), auth_clock_ms(auth),
                        sipd_random(auth->host), text);
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++)
        if (auth->offered[i]) {
            challenge_write(&line, claim->realm, nonce, (struct span){ opaque, sizeof opaque },
                            digest_algorithm_text((enum digest_algorithm)i), stale);
            sipd_reply_header(reply, name, (struct span){ line.at, line.len });
        }
    return (enum sipd_verdict)sipd_reply_send(reply);
}

/* Who guessed too often is not heard for a while; 503 brings a phone back by itself (§21.5.4). */
static enum sipd_verdict
put_off(struct auth *auth, struct sipd_req *req, const struct claim *claim)
{
    struct sipd_reply *reply = sipd_reply(req, 503);

    ++*auth->count.guarded;
    sipd_reply_number(reply, SPAN("Retry-After"), (claim->wait_ms + 999) / 1000);
    return (enum sipd_verdict)sipd_reply_send(reply);
}

/* What follows from a proof: the name for later hooks, our own proof, and the identity that we vouch for. */
static enum sipd_verdict
welcome(struct auth *auth, struct sipd_req *req, const struct claim *claim)
{
    struct span info = { claim->info, claim->info_len };

    ++*auth->count.passed;
    if (sipd_req_authenticate(req, user_id_span(&claim->id)) != SIPD_OK)
        return SIPD_FAIL;
    if (info.len > 0 &&
        sipd_req_add_reply_header(req, SPAN("Authentication-Info"), info) != SIPD_OK)
        return SIPD_FAIL;
    if (auth->conf->assert_identity && !claim->is_register &&
        identity_assert(req, claim->uri.user, claim->domain) != SIPD_OK)
        return SIPD_FAIL;
    return pass(req, claim);
}

/* The user whose claim it is, or one who may claim that, too. False if there is none. */
static bool
find_claimant(const struct auth *auth, struct claim *claim)
{
    struct span user;
    size_t at;

    if (!user_id_write(claim->uri.user, claim->domain, &claim->id))
        return false;
    if (users_find(auth->users, &claim->id))
        return true;
    user = names_user(&auth->aliases, user_id_span(&claim->id));
    at = span_find(user, '@');
    return user_id_write(span_head(user, at), span_skip(user, at + 1), &claim->id) &&
           users_find(auth->users, &claim->id);
}

/*
 * sipctl explain has no password. It goes on as the user whose claim it is, if there is such a user; nothing is counted, for
 * nobody has proved anything.
 */
static enum sipd_verdict
suppose(struct auth *auth, struct sipd_req *req, struct claim *claim)
{
    unsigned status = claim->is_register ? 401 : 407;

    if (!find_claimant(auth, claim)) {
        sipd_req_explain(req, SPAN("a password is asked for, and there is no such user"));
        return (enum sipd_verdict)sipd_reply_send(sipd_reply(req, status));
    }
    sipd_req_explain(req, SPAN("a password is asked for; goes on as if the right one had come"));
    if (sipd_req_authenticate(req, user_id_span(&claim->id)) != SIPD_OK)
        return SIPD_FAIL;
    if (auth->conf->assert_identity && !claim->is_register &&
        identity_assert(req, claim->uri.user, claim->domain) != SIPD_OK)
        return SIPD_FAIL;
    return pass(req, claim);
}

/* The sender must prove its claim. */
static enum sipd_verdict
demand(struct auth *auth, struct sipd_req *req, struct claim *claim)
{
    switch (weigh(auth, req, claim)) {
    case RIGHT: return welcome(auth, req, claim);
    case WAITS: return put_off(auth, req, claim);
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
    int err;

    if (trusted) {
        *auth->count.trusted += !sipd_req_is_dry(req);
        sipd_req_trust(req);
    } else if ((err = identity_strip(req)) != SIPD_OK) {
        return err == SIPD_EFULL ? (enum sipd_verdict)sipd_reply_send(sipd_reply(req, 400))
                                 : SIPD_FAIL;
    }
    if (!claims)
        return SIPD_PASS;
    /* Who was let begin a dialog may go on with it (its Route carries our token). */
    if (trusted || (sipd_req_in_dialog(req) && sipd_req_by_token(req)) ||
        !is_challenged(auth, sipd_req_method(req)))
        return pass(req, &claim);
    return sipd_req_is_dry(req) ? suppose(auth, req, &claim) : demand(auth, req, &claim);
}
