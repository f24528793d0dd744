/*
 * The users as the loop sees them: an index in memory by name and domain, with HA1s and never a password (RFC 7616 §3.4.2, §5.2).
 */
#ifndef AUTH_USERS_H
#define AUTH_USERS_H

#include <sipd/span.h>

#include "digest.h"

#define USER_ID_BYTES 320 /* name@domain, with a NUL */

/* "alice@example.com": the name as it is, its case kept (RFC 3261 §19.1.4), the domain in lower case. */
struct user_id {
    char text[USER_ID_BYTES]; /* NUL-terminated */
    size_t name_len;          /* what stands before the @ */
    size_t len;
};

/* Phones log in as "alice" or as "alice@example.com"; the user name is a part of HA1, so there is one for either. */
enum user_form { USER_SHORT, USER_LONG, USER_FORMS };

/* The HA1s of one user in one realm. */
struct user_keys {
    struct user_keys *next;
    bool has[USER_FORMS][DIGEST_ALGORITHMS];
    uint8_t ha1[USER_FORMS][DIGEST_ALGORITHMS][DIGEST_HASH_BYTES];
    size_t realm_len;
    char realm[];
};

struct user {
    struct user *next; /* in its bucket */
    uint64_t hash;
    struct user_keys *keys; /* owned; one a realm */
    size_t name_len, id_len;
    char id[]; /* name@domain as in struct user_id, without the NUL */
};

struct users;

/* Joins name and domain. False if the two are too long for any user of ours. */
bool user_id_write(struct span name, struct span domain, struct user_id *out);
struct span user_id_span(const struct user_id *id);

/* A user without keys, in no index yet; NULL when memory is out. Owns: the caller. */
struct user *user_new(const struct user_id *id);
/* Wipes and ends a user that is in no index, and nulls the pointer. */
void user_free(struct user **user);
struct span user_id(const struct user *user);
struct span user_name(const struct user *user);
struct span user_domain(const struct user *user);
/* The keys for a realm, made empty if there are none; NULL when memory is out. Lent with the user. */
struct user_keys *user_keys_get(struct user *user, struct span realm);

/* An empty index, seeded with a key (copied); NULL when memory is out. Owns: the caller. */
struct users *users_new(const uint8_t key[16]);
/* Ends every user, then the index, and nulls the pointer. */
void users_free(struct users **users);
/* Takes a user into the index, in the place of the one with the same id. Takes: user. */
void users_put(struct users *users, struct user *user);
/* Ends a user. False if there is none. */
bool users_remove(struct users *users, const struct user_id *id);
/* The user, or NULL. Lent until the next change. */
struct user *users_find(const struct users *users, const struct user_id *id);
/* The HA1 of a user (who may be NULL) in a realm; NULL if there is none. Lent until the next change. */
const uint8_t *user_ha1(const struct user *user, enum user_form form, struct span realm,
                        enum digest_algorithm algorithm);
size_t users_count(const struct users *users);

#endif
