/*
 * The redirect module: tells the caller where to try instead of going there for it (RFC 3261 §8.3, §21.3.3).
 *
 * It speaks twice about targets: first by the written rules, and last, when all others have added theirs, by what is
 * registered. A request within a dialog goes where its dialog leads (§12.2), and a registration is not to be sent away.
 */
#include <sipd/module.h>

#include "contact.h"
#include "rules.h"

enum { RULES_ORDER = 100, REGISTERED_ORDER = 900, RULES_MAX = 10000, SCHEMES_MAX = 16 };

struct redirect_conf {
    bool registered, choose;
    struct sipd_strs domains;
    struct sipd_groups rules;
};

struct redirect {
    struct sipd_host *host;
    const struct redirect_conf *conf; /* the host's, until the next reload or unload */
    struct redirect_rules *rules;     /* owned */
    struct sipd_scheme_ops scheme_ops;
    struct span schemes
        [SCHEMES_MAX]; /* that were offered; of the rules at the start, whose texts are kept: … */
    char schemes_text[SCHEMES_MAX * 32];
    size_t schemes_len;
    uint64_t *by_rule, *to_registered;
};

static const struct sipd_conf_item redirect_items[] = {
    SIPD_BOOL(redirect_conf, registered, true,
              "answer with a user's registered contacts instead of forwarding to them"),
    SIPD_BOOL(redirect_conf, choose, false,
              "answer 300 and not 302 if a user has several registered contacts"),
    SIPD_STRS(redirect_conf, domains, "", 0, 1000,
              "domains whose registered contacts are given; none: all of ours"),
    SIPD_GROUPS(redirect_conf, rules, redirect_rule_conf, redirect_rule_items, 0, RULES_MAX,
                "addresses that are always redirected"),
    SIPD_CONF_END
};

static bool
may_redirect(const struct sipd_req *req)
{
    struct span method = sipd_req_method(req);

    return !sipd_req_in_dialog(req) && !span_eq(method, SPAN("REGISTER")) &&
           !span_eq(method, SPAN("ACK"));
}

/* A GRUU is there to reach one device, maybe through a NAT: it is not to be redirected (RFC 5627 §6.1). */
static bool
names_device(const struct uri *uri)
{
    struct span gr;

    return (uri->scheme == URI_SIP || uri->scheme == URI_SIPS) && uri_param(uri, SPAN("gr"), &gr);
}

/* Is this Contact what was asked for? Then the rule has done its work already. */
static bool
leads_back(const struct uri *uri, const struct redirect_text *contact)
{
    struct addr addr;
    struct uri to;

    return addr_read(redirect_text_span(contact), &addr) == SIPD_OK &&
           uri_read(addr.uri, &to) == SIPD_OK && uri_eq(uri, &to);
}

/* Writes the Contacts into a reply. False: one leads back; *err: no memory. */
static bool
write_contacts(struct sipd_reply *reply, const struct redirect_rule *rule, const struct uri *uri,
               struct span star, int *err)
{
    bool on = true;

    *err = SIPD_OK;
    for (size_t i = 0; i < rule->to_len && on && *err == SIPD_OK; i++) {
        struct redirect_text contact = redirect_rule_contact(rule, i, star);

        if (!contact.at)
            *err = SIPD_ENOMEM;
        else if (leads_back(uri, &contact))
            on = false;
        else
            sipd_reply_header(reply, SPAN("Contact"), redirect_text_span(&contact));
        redirect_text_free(&contact);
    }
    return on;
}

static enum sipd_verdict
by_rules(struct sipd_req *req, void *self)
{
    struct redirect *r = self;
    char aor[REDIRECT_AOR_BYTES];
    const struct redirect_rule *rule;
    struct sipd_reply *reply;
    struct span star;
    struct uri uri;
    int err;

    if (!may_redirect(req) || !sipd_req_uri(req, &uri) || names_device(&uri))
        return SIPD_PASS;
    rule = redirect_rules_find(r->rules, &uri, aor, &star);
    if (!rule)
        return SIPD_PASS;
    reply = sipd_reply(req, rule->status);
    if (!write_contacts(reply, rule, &uri, star, &err))
        return SIPD_PASS;
    if (err != SIPD_OK)
        return SIPD_FAIL;
    ++*r->by_rule;
    return (enum sipd_verdict)sipd_reply_send(reply);
}

static bool
is_wanted_domain(const struct redirect *r, const struct sipd_req *req)
{
    const struct sipd_strs *domains = &r->conf->domains;
    struct uri uri;

    if (domains->len == 0)
        return true;
    if (!sipd_req_uri(req, &uri))
        return false;
    for (size_t i = 0; i < domains->len; i++)
        if (span_ieq(domains->at[i], uri.host))
            return true;
    return false;
}

static bool
asks_for_device(const struct sipd_req *req)
{
    struct uri uri;

    return sipd_req_uri(req, &uri) && names_device(&uri);
}

static enum sipd_verdict
to_registered(struct sipd_req *req, void *self)
{
    struct redirect *r = self;
    const struct sipd_target *target;
    struct sipd_reply *reply;

    if (!r->conf->registered || !may_redirect(req) || !sipd_req_target_at(req, 0) ||
        !is_wanted_domain(r, req) || asks_for_device(req))
        return SIPD_PASS;
    ++*r->to_registered;
    reply = sipd_reply(req, r->conf->choose && sipd_req_target_at(req, 1) ? 300 : 302);
    for (unsigned n = 0; (target = sipd_req_target_at(req, n)); n++) {
        struct redirect_text contact = redirect_contact(target);

        if (!contact.at)
            return SIPD_FAIL;
        sipd_reply_header(reply, SPAN("Contact"), redirect_text_span(&contact));
        redirect_text_free(&contact);
    }
    return (enum sipd_verdict)sipd_reply_send(reply);
}

static struct redirect_rules *
read_rules(struct sipd_host *host, const struct redirect_conf *conf, int *err)
{
    struct redirect_rules *rules;
    char why[REDIRECT_WHY_BYTES];

    *err = redirect_rules_new(&conf->rules, &rules, why);
    if (*err == SIPD_EINVAL)
        sipd_complain(host, "%s", why);
    return rules;
}

static bool
is_offered(const struct redirect *r, struct span scheme)
{
    for (size_t i = 0; i < r->schemes_len; i++)
        if (span_eq(r->schemes[i], scheme))
            return true;
    return false;
}

/*
 * Requests for other schemes are refused before any hook is asked, unless somebody understands their scheme. If another
 * module does, it says which SIP address is meant, and rules for that hold.
 */
static int
offer_schemes(struct redirect *r)
{
    char *to = r->schemes_text;
    struct span scheme;
    int err = SIPD_OK;

    r->scheme_ops = (struct sipd_scheme_ops){ .target = by_rules };
    for (size_t n = 0; (scheme = redirect_rules_scheme(r->rules, n)).len > 0; n++) {
        if (r->schemes_len == SCHEMES_MAX || scheme.len > 32) {
            sipd_complain(r->host, "rules: more than %d schemes, or a longer one than 32 letters",
                          SCHEMES_MAX);
            return SIPD_EINVAL;
        }
        scheme = span_between(to, span_write(to, scheme));
        to += scheme.len;
        r->schemes[r->schemes_len++] = scheme;
        err = sipd_offer_scheme(r->host, scheme, &r->scheme_ops, r);
        if (err != SIPD_OK && err != SIPD_EEXIST)
            return err;
    }
    return SIPD_OK;
}

/* Offers are made at the start only. */
static int
check_schemes(struct redirect *r, const struct redirect_rules *rules)
{
    struct span scheme;

    for (size_t n = 0; (scheme = redirect_rules_scheme(rules, n)).len > 0; n++)
        if (!is_offered(r, scheme)) {
            sipd_complain(r->host, "rules: the first rule for \"%.*s\" needs a restart",
                          SPAN_ARG(scheme));
            return SIPD_ERESTART;
        }
    return SIPD_OK;
}

static int
redirect_reload(void *self, const void *conf)
{
    struct redirect *r = self;
    int err;
    struct redirect_rules *rules = read_rules(r->host, conf, &err);

    if (err == SIPD_OK)
        err = check_schemes(r, rules);
    if (err != SIPD_OK) {
        redirect_rules_free(&rules);
        return err;
    }
    redirect_rules_free(&r->rules);
    r->rules = rules;
    r->conf = conf;
    return SIPD_OK;
}

static void
redirect_unload(void *self)
{
    struct redirect *r = self;

    redirect_rules_free(&r->rules);
}

static int
redirect_load(struct sipd_host *host, const void *conf, void **self)
{
    struct redirect *r = sipd_new(host, sizeof *r);
    int err;

    if (!r)
        return SIPD_ENOMEM;
    r->host = host;
    r->conf = conf;
    r->by_rule = sipd_counter(host, "redirect_by_rule");
    r->to_registered = sipd_counter(host, "redirect_to_registered");
    r->rules = read_rules(host, conf, &err);
    if (err == SIPD_OK)
        err = sipd_hook(host, SIPD_ON_TARGETS, RULES_ORDER, by_rules, r);
    if (err == SIPD_OK)
        err = sipd_hook(host, SIPD_ON_TARGETS, REGISTERED_ORDER, to_registered, r);
    if (err == SIPD_OK)
        err = offer_schemes(r);
    if (err != SIPD_OK) {
        redirect_rules_free(&r->rules);
        return err;
    }
    *self = r;
    return SIPD_OK;
}

SIPD_MODULE(.name = "redirect", .conf = redirect_items, .conf_bytes = sizeof(struct redirect_conf),
            .load = redirect_load, .reload = redirect_reload, .unload = redirect_unload);
