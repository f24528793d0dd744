/*
 * An index of users in memory: a hash finds, bytes decide; what it gives back it wipes.
 */
#include "users.h"

#include <openssl/crypto.h>

#include <sipd/module.h>

struct users {
    uint8_t key[16];
    struct user **buckets; /* owned; mask + 1 of them */
    size_t mask;
    size_t len;
};

enum { FIRST_BUCKETS = 64 };

bool
user_id_write(struct span name, struct span domain, struct user_id *out)
{
    if (name.len == 0 || domain.len == 0 || name.len >= USER_ID_BYTES - 1)
        return false;
    if (domain.len >= USER_ID_BYTES - 1 - name.len)
        return false;
    memcpy(out->text, name.at, name.len);
    out->text[name.len] = '@';
    for (size_t i = 0; i < domain.len; i++)
        out->text[name.len + 1 + i] = span_lower(domain.at[i]);
    out->name_len = name.len;
    out->len = name.len + 1 + domain.len;
    out->text[out->len] = '\0';
    return true;
}

struct span
user_id_span(const struct user_id *id)
{
    return (struct span){ id->text, id->len };
}

struct user *
user_new(const struct user_id *id)
{
    struct user *user = sipd_alloc(sizeof *user + id->len);

    if (!user)
        return NULL;
    memcpy(user->id, id->text, id->len);
    user->name_len = id->name_len;
    user->id_len = id->len;
    return user;
}

struct span
user_id(const struct user *user)
{
    return (struct span){ user->id, user->id_len };
}

struct span
user_name(const struct user *user)
{
    return span_head(user_id(user), user->name_len);
}

struct span
user_domain(const struct user *user)
{
    return span_skip(user_id(user), user->name_len + 1);
}

void
user_free(struct user **user)
{
    struct user *u = *user;

    *user = NULL;
    if (!u)
        return;
    while (u->keys) {
        struct user_keys *keys = u->keys;

        u->keys = keys->next;
        OPENSSL_cleanse(keys->ha1, sizeof keys->ha1);
        sipd_free(keys);
    }
    sipd_free(u);
}

static struct user_keys *
keys_find(const struct user *user, struct span realm)
{
    for (struct user_keys *keys = user->keys; keys; keys = keys->next)
        if (span_eq((struct span){ keys->realm, keys->realm_len }, realm))
            return keys;
    return NULL;
}

struct user_keys *
user_keys_get(struct user *user, struct span realm)
{
    struct user_keys *keys = keys_find(user, realm);

    if (keys)
        return keys;
    keys = sipd_alloc(sizeof *keys + realm.len);
    if (!keys)
        return NULL;
    if (realm.len > 0)
        memcpy(keys->realm, realm.at, realm.len);
    keys->realm_len = realm.len;
    keys->next = user->keys;
    user->keys = keys;
    return keys;
}

const uint8_t *
user_ha1(const struct user *user, enum user_form form, struct span realm,
         enum digest_algorithm algorithm)
{
    const struct user_keys *keys = user ? keys_find(user, realm) : NULL;

    return keys && keys->has[form][algorithm] ? keys->ha1[form][algorithm] : NULL;
}

struct users *
users_new(const uint8_t key[16])
{
    struct users *users = sipd_alloc(sizeof *users);

    if (!users)
        return NULL;
    memcpy(users->key, key, sizeof users->key);
    users->mask = FIRST_BUCKETS - 1;
    users->buckets = sipd_alloc(FIRST_BUCKETS * sizeof *users->buckets);
    if (!users->buckets)
        users_free(&users);
    return users;
}

void
users_free(struct users **users)
{
    struct users *all = *users;

    *users = NULL;
    if (!all)
        return;
    for (size_t i = 0; all->buckets && i <= all->mask; i++)
        while (all->buckets[i]) {
            struct user *user = all->buckets[i];

            all->buckets[i] = user->next;
            user_free(&user);
        }
    sipd_free(all->buckets);
    sipd_free(all);
}

static uint64_t
id_hash(const struct users *users, struct span id)
{
    uint8_t out[16];
    uint64_t hash;

    sipd_prf(users->key, id, out);
    memcpy(&hash, out, sizeof hash);
    return hash;
}

/* The link that points to the user, or the empty one where it would stand. */
static struct user **
link_of(const struct users *users, struct span id, uint64_t hash)
{
    struct user **link = &users->buckets[hash & users->mask];

    while (*link && ((*link)->hash != hash || !span_eq(user_id(*link), id)))
        link = &(*link)->next;
    return link;
}

/* Twice the buckets; when memory is out it stays as it is, and works. */
static void
grow(struct users *users)
{
    size_t mask = users->mask * 2 + 1;
    struct user **buckets = sipd_alloc((mask + 1) * sizeof *buckets);

    if (!buckets)
        return;
    for (size_t i = 0; i <= users->mask; i++)
        while (users->buckets[i]) {
            struct user *user = users->buckets[i];

            users->buckets[i] = user->next;
            user->next = buckets[user->hash & mask];
            buckets[user->hash & mask] = user;
        }
    sipd_free(users->buckets);
    users->buckets = buckets;
    users->mask = mask;
}

void
users_put(struct users *users, struct user *user)
{
    struct user **link, *old;

    user->hash = id_hash(users, user_id(user));
    link = link_of(users, user_id(user), user->hash);
    old = *link;
    *link = user;
    if (old) {
        user->next = old->next;
        user_free(&old);
        return;
    }
    user->next = NULL;
    if (++users->len > users->mask)
        grow(users);
}

bool
users_remove(struct users *users, const struct user_id *id)
{
    struct span text = user_id_span(id);
    struct user **link = link_of(users, text, id_hash(users, text)), *user = *link;

    if (!user)
        return false;
    *link = user->next;
    user_free(&user);
    users->len--;
    return true;
}

struct user *
users_find(const struct users *users, const struct user_id *id)
{
    struct span text = user_id_span(id);

    return *link_of(users, text, id_hash(users, text));
}

size_t
users_count(const struct users *users)
{
    return users->len;
}
