/*
 * The written rules: for an address of record the Contacts to answer with, read once and found by address (RFC 3261 §21.3).
 */
#ifndef REDIRECT_RULES_H
#define REDIRECT_RULES_H

#include <sipd/conf.h>
#include <sipd/err.h>
#include <sipd/uri.h>

#include "contact.h"

#define REDIRECT_AOR_BYTES 512 /* of the longest address that a rule may have */
#define REDIRECT_WHY_BYTES 320

struct redirect_rule_conf { /* one group of the setting */
    struct span from;
    struct sipd_strs to;
};

struct redirect_rule {
    struct redirect_text from; /* as uri_aor_write makes it */
    struct redirect_text *to;  /* owned; values of Contact fields, in the order written */
    size_t to_len;
};

struct redirect_rules;

/*
 * Reads the setting's groups (of struct redirect_rule_conf; lent until return). SIPD_EINVAL: `why` says in words which rule
 * is wrong and how. SIPD_ENOMEM. Owns: the caller.
 */
int redirect_rules_new(const struct sipd_groups *groups, struct redirect_rules **out,
                       char why[REDIRECT_WHY_BYTES]);
/* Ends them and nulls the pointer. */
void redirect_rules_free(struct redirect_rules **rules);
/* The rule for this URI, its port, parameters and headers left out; NULL if there is none. Lent with the rules. */
const struct redirect_rule *redirect_rules_find(const struct redirect_rules *rules,
                                                const struct uri *uri);

#endif
