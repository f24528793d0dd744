/*
 * The written rules: for an address of record the Contacts to answer with, read once and found by address (RFC 3261 §21.3).
 */
#ifndef REDIRECT_RULES_H
#define REDIRECT_RULES_H

#include <sipd/conf.h>
#include <sipd/err.h>
#include <sipd/uri.h>

#include "contact.h"
#include "pattern.h"

#define REDIRECT_AOR_BYTES 512 /* of the longest address that a rule may have */
#define REDIRECT_WHY_BYTES 320

struct redirect_rule_conf { /* one group of the setting */
    struct span from;
    struct sipd_strs to;
    uint32_t status;   /* index into redirect_status_words */
    uint32_t priority; /* the highest is asked first */
};

struct redirect_rule {
    /* as uri_aor_write makes it; of another scheme than sip, sips, tel: all of it */
    struct redirect_text from;
    bool is_pattern; /* a * in it stands for anything */
    uint32_t priority;
    unsigned status;
    size_t written;           /* its place among the rules */
    struct redirect_text *to; /* owned; values of Contact fields, in the order written */
    size_t to_len;
};

/* "300" … of the setting `status`, and its schema. */
extern const char *const redirect_status_words[];
extern const struct sipd_conf_item redirect_rule_items[];

struct redirect_rules;

/*
 * Reads the setting's groups (of struct redirect_rule_conf; lent until return). SIPD_EINVAL: `why` says in words which rule
 * is wrong and how. SIPD_ENOMEM. Owns: the caller.
 */
int redirect_rules_new(const struct sipd_groups *groups, struct redirect_rules **out,
                       char why[REDIRECT_WHY_BYTES]);
/* Ends them and nulls the pointer. */
void redirect_rules_free(struct redirect_rules **rules);
/*
 * The rule for this URI, the port, parameters and headers of a SIP one left out; NULL if there is none. The highest
 * priority wins, then an address before a pattern, then the longer pattern, then the one written first. *star: what the
 * first * stood for. Lent with the rules; *star lies in aor.
 */
const struct redirect_rule *redirect_rules_find(const struct redirect_rules *rules,
                                                const struct uri *uri, char aor[REDIRECT_AOR_BYTES],
                                                struct span *star);
/* The n-th Contact of a rule, in new memory: each * of a pattern's is what the first * stood for. at NULL: no memory. */
struct redirect_text redirect_rule_contact(const struct redirect_rule *rule, size_t n,
                                           struct span star);
/* The n-th scheme other than sip and sips that rules begin with, each once; empty past the end. Lent with the rules. */
struct span redirect_rules_scheme(const struct redirect_rules *rules, size_t n);

#endif
