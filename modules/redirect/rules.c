/*
 * Rules from the settings: their addresses checked, their Contacts written out, sorted to be found (RFC 3261 §20.10, §21.3).
 */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>

#include <sipd/module.h>

struct redirect_rules {
    struct redirect_rule *at; /* owned; addresses sorted by from, then patterns as they are asked */
    size_t len;
    size_t addresses; /* of these */
};

const char *const redirect_status_words[] = { "300", "301", "302", "305", "380", NULL };
static const unsigned statuses[] = { 300, 301, 302, 305, 380 };
enum { USUAL_STATUS = 2, CONTACTS_MAX = 100, PRIORITY_MAX = 1000000 };

const struct sipd_conf_item redirect_rule_items[] = {
    SIPD_STR_REQUIRED(redirect_rule_conf, from,
                      "address; its port and parameters do not matter; * stands for anything"),
    SIPD_STRS(redirect_rule_conf, to, "", 1, CONTACTS_MAX,
              "where to try instead, of any scheme; \"<uri>;q=0.5\" if they differ in rank; * is "
              "what the first * of from stood for"),
    SIPD_CHOICE(redirect_rule_conf, status, redirect_status_words, USUAL_STATUS,
                "300 choose, 301 moved for good, 302 for now, 305 use this proxy, 380 another "
                "service"),
    SIPD_UINT(redirect_rule_conf, priority, 0, 0, PRIORITY_MAX,
              "of several rules that fit the highest is taken"),
    SIPD_CONF_END
};

/* Addresses by their bytes; patterns as they are asked, the more precise before the others. */
static int
rule_order(const void *a, const void *b)
{
    const struct redirect_rule *one = a, *other = b;

    if (one->is_pattern != other->is_pattern)
        return one->is_pattern ? 1 : -1;
    if (!one->is_pattern)
        return span_order(redirect_text_span(&one->from), redirect_text_span(&other->from));
    if (one->priority != other->priority)
        return one->priority > other->priority ? -1 : 1;
    if (one->from.len != other->from.len)
        return one->from.len > other->from.len ? -1 : 1;
    return (one->written > other->written) - (one->written < other->written);
}

static int
key_order(const void *key, const void *rule)
{
    return span_order(*(const struct span *)key,
                      redirect_text_span(&((const struct redirect_rule *)rule)->from));
}

/* A * that is not all of a pattern's user or host would make no URI; so it is read with another letter in its place. */
static int
pattern_write(struct span from, char aor[REDIRECT_AOR_BYTES])
{
    char plain[REDIRECT_AOR_BYTES];
    char letter = span_ieq(span_head(from, 4), SPAN("tel:")) ? '1' : 'x';
    struct uri uri;
    int len;

    if (from.len >= sizeof plain)
        return SIPD_ETOOBIG;
    for (size_t i = 0; i < from.len; i++)
        plain[i] = from.at[i] == '*' ? letter : from.at[i];
    if (uri_read((struct span){ plain, from.len }, &uri) != SIPD_OK)
        return SIPD_ESYNTAX;
    len = pattern_lower(from, &uri, aor);
    return len;
}

static int
address_write(const struct uri *uri, char aor[REDIRECT_AOR_BYTES])
{
    size_t scheme = uri->scheme_text.len;

    if (uri->scheme != URI_OTHER)
        return uri_aor_write(uri, aor, REDIRECT_AOR_BYTES);
    if (uri->whole.len > REDIRECT_AOR_BYTES)
        return SIPD_ETOOBIG;
    for (size_t i = 0; i < uri->whole.len; i++)
        aor[i] = i < scheme ? span_lower(uri->whole.at[i]) : uri->whole.at[i];
    return (int)uri->whole.len;
}

static const char *
from_read(const struct redirect_rule_conf *conf, struct redirect_rule *rule, int *err)
{
    char aor[REDIRECT_AOR_BYTES];
    struct uri uri;
    int len;

    rule->is_pattern = span_find(conf->from, '*') < conf->from.len;
    if (rule->is_pattern)
        len = pattern_write(conf->from, aor);
    else
        len = uri_read(conf->from, &uri) == SIPD_OK ? address_write(&uri, aor) : SIPD_ESYNTAX;
    if (len == SIPD_ETOOBIG)
        return "is too long";
    if (len < 0)
        return "is no URI, nor one with * in it";
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
    size_t n = rule->written;
    int err = SIPD_OK;
    const char *wrong = from_read(conf, rule, &err);

    if (wrong) {
        snprintf(why, REDIRECT_WHY_BYTES, "rules[%zu].from: \"%.*s\" %s", n, SPAN_ARG(conf->from),
                 wrong);
        return SIPD_EINVAL;
    }
    rule->priority = conf->priority;
    rule->status = statuses[conf->status];
    rule->to = sipd_alloc((conf->to.len + 1) * sizeof *rule->to);
    if (!rule->to)
        return SIPD_ENOMEM;
    for (size_t i = 0; i < conf->to.len && err == SIPD_OK; i++) {
        wrong = to_read(conf, conf->to.at[i], &rule->to[rule->to_len++], &err);
        if (wrong) {
            snprintf(why, REDIRECT_WHY_BYTES, "rules[%zu].to[%zu]: \"%.*s\" %s", n, i,
                     SPAN_ARG(conf->to.at[i]), wrong);
            return SIPD_EINVAL;
        }
    }
    return err;
}

/* Sorted, so equal addresses are neighbours; of equal patterns one would never be asked. */
static int
check_twins(const struct redirect_rules *rules, char why[REDIRECT_WHY_BYTES])
{
    for (size_t i = 1; i < rules->len; i++)
        if (span_eq(redirect_text_span(&rules->at[i - 1].from),
                    redirect_text_span(&rules->at[i].from))) {
            snprintf(why, REDIRECT_WHY_BYTES,
                     "rules[%zu].from: two rules are for %.*s: put their to into one",
                     rules->at[i].written, SPAN_ARG(redirect_text_span(&rules->at[i].from)));
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
    for (size_t i = 0; i < groups->len && err == SIPD_OK; i++) {
        struct redirect_rule *rule = &rules->at[rules->len++];

        rule->written = i;
        err = rule_read(&confs[i], rule, why);
        rules->addresses += !rule->is_pattern;
    }
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
redirect_rules_find(const struct redirect_rules *rules, const struct uri *uri,
                    char aor[REDIRECT_AOR_BYTES], struct span *star)
{
    const struct redirect_rule *exact;
    int len = address_write(uri, aor);
    struct span key = { aor, len > 0 ? (size_t)len : 0 };

    *star = SPAN("");
    if (len <= 0)
        return NULL;
    exact = bsearch(&key, rules->at, rules->addresses, sizeof *rules->at, key_order);
    for (size_t i = rules->addresses; i < rules->len; i++) {
        const struct redirect_rule *rule = &rules->at[i];

        if (exact && exact->priority >= rule->priority)
            return exact;
        if (pattern_matches(redirect_text_span(&rule->from), key, star))
            return rule;
    }
    return exact;
}

struct redirect_text
redirect_rule_contact(const struct redirect_rule *rule, size_t n, struct span star)
{
    struct span to = redirect_text_span(&rule->to[n]);
    size_t stars = 0, len;
    struct redirect_text out;
    char *end;

    if (!rule->is_pattern)
        return redirect_text_keep(to);
    for (size_t i = 0; i < to.len; i++)
        stars += to.at[i] == '*';
    len = to.len - stars + stars * star.len;
    out = (struct redirect_text){ sipd_alloc(len + 1), len };
    if (!out.at)
        return out;
    end = out.at;
    for (size_t i = 0; i < to.len; i++) {
        if (to.at[i] != '*')
            *end++ = to.at[i];
        else
            end = span_write(end, star);
    }
    return out;
}

static struct span
scheme_of(const struct redirect_rule *rule)
{
    struct span from = redirect_text_span(&rule->from);

    return span_head(from, span_find(from, ':'));
}

/* Of the rules before the i-th none has its scheme? */
static bool
is_first(const struct redirect_rules *rules, size_t i)
{
    struct span scheme = scheme_of(&rules->at[i]);

    if (span_eq(scheme, SPAN("sip")) || span_eq(scheme, SPAN("sips")) ||
        span_find(scheme, '*') < scheme.len)
        return false;
    for (size_t n = 0; n < i; n++)
        if (span_eq(scheme_of(&rules->at[n]), scheme))
            return false;
    return true;
}

struct span
redirect_rules_scheme(const struct redirect_rules *rules, size_t n)
{
    for (size_t i = 0; i < rules->len; i++)
        if (is_first(rules, i) && n-- == 0)
            return scheme_of(&rules->at[i]);
    return SPAN("");
}
