/*
 * A server with the auth module and two users, on the virtual clock.
 */
#include "sim/auth_rig.h"

#include <stdio.h>
#include <unistd.h>

#include "auth/userdb.h"
#include "base/mem.h"
#include "lib/folder.h"
#include "sim/modules.h"
#include "sip/auth.h"

enum { SHORT_MS = 200 };

struct auth_rig auth_rig;

static struct digest_hasher hasher;
static char folder[FOLDER_BYTES];
static uint64_t live;

/* ------------------------------------------------------------------ a server with two users */

static void
add_user(struct userdb *db, const char *name, const char *realm)
{
    struct user_id id;
    struct user *user;
    struct user_keys *keys;

    ck_assert(user_id_write(span_of(name), SPAN("example.com"), &id));
    user = user_new(&id);
    keys = user_keys_get(user, span_of(realm));
    for (size_t form = 0; form < USER_FORMS; form++)
        for (size_t i = 0; i < DIGEST_ALGORITHMS; i++) {
            struct span login = form == USER_LONG ? user_id(user) : user_name(user);

            keys->has[form][i] = true;
            ck_assert_int_eq(digest_ha1(&hasher, (enum digest_algorithm)i, login, span_of(realm),
                                        SPAN("secret"), keys->ha1[form][i]),
                             SIPD_OK);
        }
    ck_assert_int_eq(userdb_put(db, user), SIPD_OK);
    user_free(&user);
}

static void
make_users(const char *realm)
{
    struct userdb db;

    ck_assert_int_eq(userdb_open(&db, auth_rig.path), SIPD_OK);
    add_user(&db, "alice", realm);
    add_user(&db, "bob", realm);
    userdb_close(&db);
}

static struct hop
hop_of(const char *text)
{
    struct hop hop;

    ck_assert(world_hop_read(span_of(text), &hop));
    return hop;
}

struct peer *
auth_rig_add_peer(const char *name, const char *at)
{
    struct hop hop = hop_of(at);

    return world_add_peer(&auth_rig.world, span_of(name), &hop, SPAN("example.com"));
}

static void
add_server(const char *listen)
{
    auth_rig.server = hop_of(listen);
    auth_rig.sipd = world_add_sipd(&auth_rig.world, SPAN("a"));
    sim_listen(auth_rig.sipd, &auth_rig.server, 0);
}

static void
load(const char *settings)
{
    char section[512];

    snprintf(section, sizeof section, "{ path = \"%s\"; %s }", auth_rig.path, settings);
    sim_host_open(auth_rig.sipd, SPAN("auth"), span_of(section));
    sim_start(auth_rig.sipd);
}

void
auth_rig_try(const char *settings)
{
    add_server("udp:192.0.2.1:5060");
    load(settings);
}

void
auth_rig_start(const char *settings, const char *listen, const char *realm)
{
    struct hop to_bob = { 0 };
    struct sim_where *where = mem_new(sizeof *where);

    make_users(realm);
    add_server(listen);
    auth_rig.sipd->domains[auth_rig.sipd->domains_len++] = SPAN("example.com");
    where->aor = SPAN("sip:bob@example.com");
    where->target =
        (struct sipd_target){ .uri = SPAN("sip:bob@192.0.2.20:5060"), .hop = to_bob, .q = 1000 };
    list_init(&where->link);
    list_push(&auth_rig.sipd->wheres, &where->link);
    load(settings);
    if (auth_rig.world.fault.len > 0)
        ck_abort_msg("%.*s", SPAN_ARG(buf_span(&auth_rig.world.fault)));
    auth_rig.alice = auth_rig_add_peer("alice", "udp:192.0.2.10:5060");
    auth_rig.bob = auth_rig_add_peer("bob", "udp:192.0.2.20:5060");
}

void
auth_rig_usual(void)
{
    auth_rig_start("", "udp:192.0.2.1:5060", "example.com");
}

void
auth_rig_begin(void)
{
    live = mem_live();
    bug_doubt_fatal();
    ck_assert_int_eq(digest_hasher_init(&hasher), SIPD_OK);
    ck_assert(folder_make("auth", folder));
    snprintf(auth_rig.path, sizeof auth_rig.path, "%s/users.db", folder);
    world_init(&auth_rig.world, 1);
}

void
auth_rig_end(void)
{
    world_fini(&auth_rig.world);
    digest_hasher_fini(&hasher);
    unlink(auth_rig.path);
    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_uint_eq(mem_live(), live);
}

/* ------------------------------------------------------------------ saying and hearing */

const struct peer_heard *
auth_rig_hear(struct peer *p)
{
    world_run(&auth_rig.world, auth_rig.world.clock.now_ms + SHORT_MS, p);
    return peer_next(p);
}

void
auth_rig_say(struct peer *p, const char *method, const char *uri, const char *extra)
{
    const struct peer_say what = { .what = span_of(method),
                                   .uri = span_of(uri),
                                   .extra = span_of(extra) };
    const char *why = "";
    struct span bytes = peer_write(p, &what, &why);

    ck_assert_msg(bytes.len > 0, "%s", why);
    world_say(&auth_rig.world, p, &auth_rig.server, bytes);
}

unsigned
auth_rig_ask(struct peer *p, const char *method, const char *uri, const char *extra,
             const struct peer_heard **out)
{
    const struct peer_heard *heard;

    auth_rig_say(p, method, uri, extra);
    heard = auth_rig_hear(p);
    if (out)
        *out = heard;
    if (!heard)
        return 0;
    ck_assert(!msg_is_request(&heard->msg));
    if (heard->gist.method == METHOD_INVITE && heard->msg.status >= 300)
        auth_rig_say(p, "ACK", "", "");
    return heard->msg.status;
}

struct digest
auth_rig_challenge_of(const struct peer_heard *heard, unsigned n)
{
    struct span name =
        heard->msg.status == 401 ? SPAN("WWW-Authenticate") : SPAN("Proxy-Authenticate");
    const struct msg_field *field = msg_find_name(&heard->msg, name, n);
    struct digest challenge = { 0 };

    if (field)
        ck_assert_int_eq(digest_read(msg_value(&heard->msg, field), &challenge), SIPD_OK);
    return challenge;
}

const char *
auth_rig_credentials(const char *method, const struct digest *challenge,
                     const struct auth_login *login)
{
    static char line[1024];
    enum digest_algorithm algorithm = DIGEST_MD5;
    uint8_t ha1[DIGEST_HASH_BYTES];
    char response[DIGEST_HEX_BYTES];
    struct digest c = *challenge;
    struct span right;

    c.uri = SPAN("sip:bob@example.com");
    c.cnonce = SPAN("0a4f113b");
    c.nc = span_of(login->nc ? login->nc : "00000001");
    c.qop = SPAN("auth");
    ck_assert(digest_algorithm_read(c.algorithm, &algorithm));
    ck_assert_int_eq(digest_ha1(&hasher, algorithm, span_of(login->user), c.realm,
                                span_of(login->password), ha1),
                     SIPD_OK);
    right = digest_response(&hasher, algorithm, ha1, span_of(method), &c, response);
    snprintf(
        line, sizeof line,
        "%s: Digest username=\"%s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%.*s\", algorithm=%.*s,"
        " response=\"%.*s\"",
        strcmp(method, "REGISTER") == 0 ? "Authorization" : "Proxy-Authorization", login->user,
        SPAN_ARG(c.realm), SPAN_ARG(c.nonce), SPAN_ARG(c.uri),
        SPAN_ARG(digest_algorithm_text(algorithm)), SPAN_ARG(right));
    if (!login->plain)
        snprintf(line + strlen(line), sizeof line - strlen(line),
                 ", qop=auth, nc=%.*s, cnonce=\"%.*s\"", SPAN_ARG(c.nc), SPAN_ARG(c.cnonce));
    snprintf(line + strlen(line), sizeof line - strlen(line), "\r\n");
    return line;
}

const struct auth_login auth_right = { "alice", "secret", NULL, false };

struct digest
auth_rig_challenged(struct peer *p, const char *method)
{
    const struct peer_heard *heard;
    bool registers = strcmp(method, "REGISTER") == 0;
    unsigned status =
        auth_rig_ask(p, method, registers ? "sip:example.com" : "sip:bob@example.com", "", &heard);

    ck_assert_uint_eq(status, registers ? 401 : 407);
    return auth_rig_challenge_of(heard, 0);
}

bool
auth_rig_is_stale(const struct peer_heard *heard)
{
    return span_ieq(auth_rig_challenge_of(heard, 0).stale, SPAN("true"));
}

const struct peer_heard *
auth_rig_bob_hears(const char *method)
{
    const struct peer_heard *heard = auth_rig_hear(auth_rig.bob);

    ck_assert_ptr_nonnull(heard);
    ck_assert(msg_is_request(&heard->msg) && span_eq(heard->gist.method_text, span_of(method)));
    return heard;
}

bool
auth_rig_header(const struct peer_heard *heard, const char *name, struct span *value)
{
    const struct msg_field *field = msg_find_name(&heard->msg, span_of(name), 0);

    if (field)
        *value = msg_value(&heard->msg, field);
    return field != NULL;
}
