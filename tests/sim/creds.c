/*
 * Passwords in the simulator: users of a sipd's auth module, and phones that answer its challenges (RFC 3261 §22, RFC 7616 §3.4).
 */
#include "sim/creds.h"

#include <stdio.h>

#include "auth/digest.h"
#include "auth/userdb.h"
#include "base/def.h"

enum { REALMS = 8 };

/* ------------------------------------------------------------------ users */

static int
fill_keys(struct digest_hasher *hasher, struct user *user, struct span realm, struct span password)
{
    struct user_keys *keys = user_keys_get(user, realm);
    int err = keys ? SIPD_OK : SIPD_ENOMEM;

    for (size_t form = 0; form < USER_FORMS; form++)
        for (size_t i = 0; err == SIPD_OK && i < DIGEST_ALGORITHMS; i++) {
            struct span login = form == USER_LONG ? user_id(user) : user_name(user);

            keys->has[form][i] = true;
            err = digest_ha1(hasher, (enum digest_algorithm)i, login, realm, password,
                             keys->ha1[form][i]);
        }
    return err;
}

static bool
put_user(const char *path, const struct user *user)
{
    struct userdb db;
    bool ok = userdb_open(&db, path) == SIPD_OK && userdb_put(&db, user) == SIPD_OK;

    userdb_close(&db);
    return ok;
}

bool
creds_add_user(const char *path, struct span who, struct span realm, struct span password)
{
    struct digest_hasher hasher = { .running = NULL };
    size_t at = span_find(who, '@');
    struct user_id id;
    struct user *user;
    bool ok;

    if (at == who.len || !user_id_write(span_head(who, at), span_skip(who, at + 1), &id))
        return false;
    user = user_new(&id);
    ok = user && digest_hasher_init(&hasher) == SIPD_OK &&
         fill_keys(&hasher, user, realm, password) == SIPD_OK && put_user(path, user);
    digest_hasher_fini(&hasher);
    if (user)
        user_free(&user);
    return ok;
}

/* ------------------------------------------------------------------ answers to challenges */

struct answers {
    const struct peer *peer;
    struct span method, uri, password;
    struct digest_hasher hasher;
    struct span realms[REALMS]; /* answered */
    unsigned realms_len;
    struct buf *to;
};

static bool
is_answered(const struct answers *a, struct span realm)
{
    for (unsigned i = 0; i < a->realms_len; i++)
        if (span_eq(a->realms[i], realm))
            return true;
    return a->realms_len == REALMS;
}

/* What counts the uses of a nonce need only grow: the peer's messages are numbered. */
static void
write_answer(struct answers *a, enum header name, const struct digest *challenge)
{
    uint8_t ha1[DIGEST_HASH_BYTES];
    char response[DIGEST_HEX_BYTES], nc[16];
    enum digest_algorithm algorithm;
    struct digest c = *challenge;
    struct span proof;

    snprintf(nc, sizeof nc, "%08x", a->peer->serial + 1);
    c.uri = a->uri;
    c.qop = SPAN("auth");
    c.nc = span_of(nc);
    c.cnonce = SPAN("0a4f113b");
    if (!digest_algorithm_read(c.algorithm, &algorithm) ||
        digest_ha1(&a->hasher, algorithm, a->peer->name, c.realm, a->password, ha1) != SIPD_OK)
        return;
    proof = digest_response(&a->hasher, algorithm, ha1, a->method, &c, response);
    buf_printf(a->to,
               "%s: Digest username=\"%.*s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%.*s\", "
               "algorithm=%.*s,",
               name == HDR_WWW_AUTHENTICATE ? "Authorization" : "Proxy-Authorization",
               SPAN_ARG(a->peer->name), SPAN_ARG(c.realm), SPAN_ARG(c.nonce), SPAN_ARG(c.uri),
               SPAN_ARG(digest_algorithm_text(algorithm)));
    buf_printf(a->to, " qop=auth, nc=%s, cnonce=\"%.*s\", response=\"%.*s\"\r\n", nc,
               SPAN_ARG(c.cnonce), SPAN_ARG(proof));
    a->realms[a->realms_len++] = c.realm;
}

/* §22.3: the first challenge of a realm is the strongest, and the only one that need be answered. */
static void
answer_all(struct answers *a, const struct msg *msg)
{
    static const enum header names[] = { HDR_WWW_AUTHENTICATE, HDR_PROXY_AUTHENTICATE };

    for (size_t i = 0; i < countof(names); i++) {
        const struct msg_field *field = NULL;
        struct digest challenge;

        while ((field = msg_find(msg, names[i], field)))
            if (digest_read(msg_value(msg, field), &challenge) == SIPD_OK &&
                !is_answered(a, challenge.realm))
                write_answer(a, names[i], &challenge);
    }
}

void
creds_write(const struct peer *p, struct span method, struct span uri, struct span password,
            struct buf *to)
{
    struct answers a = { .peer = p, .method = method, .uri = uri, .password = password, .to = to };

    if (digest_hasher_init(&a.hasher) == SIPD_OK)
        for (const struct list *node = p->archive.prev; node != &p->archive; node = node->prev) {
            const struct peer_heard *heard = (const struct peer_heard *)(const void *)node;

            if (heard->msg.status == 401 || heard->msg.status == 407)
                answer_all(&a, &heard->msg);
        }
    digest_hasher_fini(&a.hasher);
}
