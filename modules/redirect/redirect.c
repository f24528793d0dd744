/*
 * The redirect module: tells the caller where to try instead of going there for it (RFC 3261 §8.3, §21.3.3).
 *
 * It speaks twice about targets: first by the written rules, and last, when all others have added theirs, by what is
 * registered. A request within a dialog goes where its dialog leads (§12.2), and a registration is not to be sent away.
 */
#include <sipd/module.h>

#include "contact.h"
#include "rules.h"

enum { RULES_ORDER = 100, REGISTERED_ORDER = 900, RULES_MAX = 10000, CONTACTS_MAX = 100 };

struct redirect_conf {
    bool registered;
    struct sipd_groups rules;
};

struct redirect {
    struct sipd_host *host;
    const struct redirect_conf *conf; /* the host's, until the next reload or unload */
    struct redirect_rules *rules;     /* owned */
    uint64_t *by_rule, *to_registered;
};

static const struct sipd_conf_item rule_items[] = {
    SIPD_STR_REQUIRED(redirect_rule_conf, from,
                      "address of ours; its port and parameters do not matter"),
    SIPD_STRS(redirect_rule_conf, to, "", 1, CONTACTS_MAX,
              "where to try instead, of any scheme; \"<uri>;q=0.5\" if they differ in rank"),
    SIPD_CONF_END
};

static const struct sipd_conf_item redirect_items[] = {
    SIPD_BOOL(redirect_conf, registered, true,
              "answer with a user's registered contacts instead of forwarding to them"),
    SIPD_GROUPS(redirect_conf, rules, redirect_rule_conf, rule_items, 0, RULES_MAX,
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

static enum sipd_verdict
by_rules(struct sipd_req *req, void *self)
{
    struct redirect *r = self;
    const struct redirect_rule *rule;
    struct sipd_reply *reply;
    struct uri uri;

    if (!may_redirect(req) || !sipd_req_uri(req, &uri))
        return SIPD_PASS;
    rule = redirect_rules_find(r->rules, &uri);
    if (!rule)
        return SIPD_PASS;
    ++*r->by_rule;
    reply = sipd_reply(req, 302);
    for (size_t i = 0; i < rule->to_len; i++)
        sipd_reply_header(reply, SPAN("Contact"), redirect_text_span(&rule->to[i]));
    return (enum sipd_verdict)sipd_reply_send(reply);
}

static enum sipd_verdict
to_registered(struct sipd_req *req, void *self)
{
    struct redirect *r = self;
    const struct sipd_target *target;
    struct sipd_reply *reply;

    if (!r->conf->registered || !may_redirect(req) || !sipd_req_target_at(req, 0))
        return SIPD_PASS;
    ++*r->to_registered;
    reply = sipd_reply(req, 302);
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
        sipd_complain(host, "rules: %s", why);
    return rules;
}

static int
redirect_reload(void *self, const void *conf)
{
    struct redirect *r = self;
    int err;
    struct redirect_rules *rules = read_rules(r->host, conf, &err);

    if (err != SIPD_OK)
        return err;
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
    if (err != SIPD_OK) {
        redirect_rules_free(&r->rules);
        return err;
    }
    *self = r;
    return SIPD_OK;
}

SIPD_MODULE(.name = "redirect", .conf = redirect_items, .conf_bytes = sizeof(struct redirect_conf),
            .load = redirect_load, .reload = redirect_reload, .unload = redirect_unload);
