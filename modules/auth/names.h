/*
 * Aliases: which further addresses a user may be (RFC 3261 §10.3 step 4, §22.2): "alice@example.com" as "sales@example.com".
 */
#ifndef AUTH_NAMES_H
#define AUTH_NAMES_H

#include <sipd/conf.h>
#include <sipd/err.h>
#include <sipd/span.h>

#define NAMES_MAX 10000 /* groups of the setting, and addresses in one */

struct names_conf { /* one group of the setting */
    struct span user;
    struct sipd_strs as;
};

struct names_pair {
    char *text; /* owned; alias and user, each name@domain with the domain in lower case */
    size_t alias_len, user_len;
};

struct names {
    struct names_pair *at; /* owned; sorted */
    size_t len;
};

extern const struct sipd_conf_item names_items[];

/* Reads all groups. SIPD_EINVAL: *bad is the first that is no name@domain. SIPD_ENOMEM. Owns: names_fini() ends it. */
int names_read(const struct sipd_groups *groups, struct names *out, struct span *bad);
void names_fini(struct names *names);
/* May this user be this address? Both name@domain, the domain in lower case. */
bool names_have(const struct names *names, struct span user, struct span alias);
/* One of the users who may be this address; empty: nobody may. Lent: names. */
struct span names_user(const struct names *names, struct span alias);

#endif
