/*
 * Rules from the settings: their addresses checked, their Contacts written out, sorted to be found (RFC 3261 §20.10, §21.3).
 */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>

#include <sipd/module.h>

struct redirect_rules {
    struct redirect_rule *at; /* owned; sorted by from */
    size_t len;
};

static int
span_order(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int
rule_order(const void *a, const void *b)
{
    const struct redirect_rule *one = a, *other = b;

    return span_order(redirect_text_span(&one->from), redirect_text_span(&other->from));
}

static int
key_order(const void *key, const void *rule)
{
    return span_order(*(const struct span *)key,
                      redirect_text_span(&((const struct redirect_rule *)rule)->from));
}

static const char *
from_read(const struct redirect_rule_conf *conf, struct redirect_rule *rule, int *err)
{
    char aor[REDIRECT_AOR_BYTES];
    struct uri uri;
    int len;

    if (uri_read(conf->from, &uri) != SIPD_OK || uri.scheme == URI_OTHER)
        return "is no sip, sips or tel URI";
    len = uri_aor_write(&uri, aor, sizeof aor);
    if (len < 0)
        return "is too long";
    rule->from = redirect_text_keep((struct span){ aor, (size_t)len });
    *err = rule->from.at ? SIPD_OK : SIPD_ENOMEM;
    return NULL;
}

/* Without < and > every ; begins a parameter of the field (§20.10), which only q and expires are. */
static const char *
params_will_do(const struct addr *addr)
{
    struct span rest = addr->params;
    struct param param;
    uint32_t number;

    while (param_next(&rest, &param)) {
        bool is_q = span_ieq(param.name, SPAN("q")),
             is_expires = span_ieq(param.name, SPAN("expires"));

        if (is_q && !addr_q_read(param.value, &number))
            return "has a q that is not from 0 to 1 with at most three decimals";
        if (is_expires && !span_u32(param.value, UINT32_MAX, &number))
            return "has an expires that is no number of seconds";
        if (!is_q && !is_expires && !addr->brackets)
            return "has parameters: write <uri> if they are the URI's, <uri>;name=value if the "
                   "Contact's";
    }
    return NULL;
}

/* A Contact that is the rule's own address with nothing to tell it apart would bring the caller back for ever. */
static const char *
leads_on(const struct redirect_rule_conf *conf, const struct uri *to)
{
    struct uri from;

    return uri_read(conf->from, &from) == SIPD_OK && uri_eq(&from, to)
               ? "leads back to where it comes from"
               : NULL;
}

static bool
has_line_end(struct span s)
{
    return span_find(s, '\r') < s.len || span_find(s, '\n') < s.len;
}

/* The Contact as it will be sent: always in brackets, so that nobody can take a comma, ; or ? of the URI for the field's. */
static struct redirect_text
contact_write(const struct addr *addr)
{
    size_t uri = addr->uri.len, params = addr->params.len;
    struct redirect_text out;

    if (addr->brackets)
        return redirect_text_keep(addr->whole);
    out = (struct redirect_text){ sipd_alloc(uri + 2 + params), uri + 2 + params };
    if (!out.at)
        return out;
    out.at[0] = '<';
    memcpy(out.at + 1, addr->uri.at, uri);
    out.at[uri + 1] = '>';
    if (params > 0)
        memcpy(out.at + uri + 2, addr->params.at, params);
    return out;
}

static const char *
to_read(const struct redirect_rule_conf *conf, struct span text, struct redirect_text *contact,
        int *err)
{
    struct addr addr;
    struct uri uri;
    const char *why;

    if (has_line_end(text) || addr_read(text, &addr) != SIPD_OK ||
        uri_read(addr.uri, &uri) != SIPD_OK)
        return "is no URI, nor <URI>;q=0.5";
    why = params_will_do(&addr);
    if (!why)
        why = leads_on(conf, &uri);
    if (why)
        return why;
    *contact = contact_write(&addr);
    *err = contact->at ? SIPD_OK : SIPD_ENOMEM;
    return NULL;
}

/* Reads one rule; what it made is in *rule even when it fails. */
static int
rule_read(const struct redirect_rule_conf *conf, struct redirect_rule *rule,
          char why[REDIRECT_WHY_BYTES])
{
    int err = SIPD_OK;
    const char *wrong = from_read(conf, rule, &err);

    if (wrong) {
        snprintf(why, REDIRECT_WHY_BYTES, "from: \"%.*s\" %s", SPAN_ARG(conf->from), wrong);
        return SIPD_EINVAL;
    }
    rule->to = sipd_alloc((conf->to.len + 1) * sizeof *rule->to);
    if (!rule->to)
        return SIPD_ENOMEM;
    for (size_t i = 0; i < conf->to.len && err == SIPD_OK; i++) {
        wrong = to_read(conf, conf->to.at[i], &rule->to[rule->to_len++], &err);
        if (wrong) {
            snprintf(why, REDIRECT_WHY_BYTES, "to: \"%.*s\" %s", SPAN_ARG(conf->to.at[i]), wrong);
            return SIPD_EINVAL;
        }
    }
    return err;
}

/* Sorted, so equal ones are neighbours. */
static int
check_twins(const struct redirect_rules *rules, char why[REDIRECT_WHY_BYTES])
{
    for (size_t i = 1; i < rules->len; i++)
        if (rule_order(&rules->at[i - 1], &rules->at[i]) == 0) {
            snprintf(why, REDIRECT_WHY_BYTES, "from: two rules are for %.*s: put their to into one",
                     SPAN_ARG(redirect_text_span(&rules->at[i].from)));
            return SIPD_EINVAL;
        }
    return SIPD_OK;
}

int
redirect_rules_new(const struct sipd_groups *groups, struct redirect_rules **out,
                   char why[REDIRECT_WHY_BYTES])
{
    const struct redirect_rule_conf *confs = groups->at;
    struct redirect_rules *rules = sipd_alloc(sizeof *rules);
    int err;

    *out = rules;
    why[0] = '\0';
    if (!rules)
        return SIPD_ENOMEM;
    rules->at = sipd_alloc((groups->len + 1) * sizeof *rules->at);
    err = rules->at ? SIPD_OK : SIPD_ENOMEM;
    for (size_t i = 0; i < groups->len && err == SIPD_OK; i++)
        err = rule_read(&confs[i], &rules->at[rules->len++], why);
    if (err == SIPD_OK) {
        qsort(rules->at, rules->len, sizeof *rules->at, rule_order);
        err = check_twins(rules, why);
    }
    if (err != SIPD_OK)
        redirect_rules_free(out);
    return err;
}

void
redirect_rules_free(struct redirect_rules **rules)
{
    struct redirect_rules *all = *rules;

    *rules = NULL;
    for (size_t i = 0; all && i < all->len; i++) {
        struct redirect_rule *rule = &all->at[i];

        for (size_t n = 0; n < rule->to_len; n++)
            redirect_text_free(&rule->to[n]);
        sipd_free(rule->to);
        redirect_text_free(&rule->from);
    }
    if (all)
        sipd_free(all->at);
    sipd_free(all);
}

const struct redirect_rule *
redirect_rules_find(const struct redirect_rules *rules, const struct uri *uri)
{
    char aor[REDIRECT_AOR_BYTES];
    int len = uri_aor_write(uri, aor, sizeof aor);
    struct span key = { aor, len > 0 ? (size_t)len : 0 };

    return len > 0 ? bsearch(&key, rules->at, rules->len, sizeof *rules->at, key_order) : NULL;
}
