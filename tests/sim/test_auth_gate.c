/*
 * The auth module in a whole server: who is challenged, what proves a claim, and what a proof is good for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <check.h>

#include "auth/userdb.h"
#include "base/mem.h"
#include "lib/folder.h"
#include "sim/modules.h"
#include "sim/world.h"
#include "sip/auth.h"

Suite *suite_auth_gate(void);

enum { SHORT_MS = 200 };

static struct world w;
static struct sim_sipd *sipd;
static struct peer *alice, *bob;
static struct hop server;
static struct digest_hasher hasher;
static char folder[FOLDER_BYTES], path[96];
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

    ck_assert_int_eq(userdb_open(&db, path), SIPD_OK);
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

static struct peer *
add_peer(const char *name, const char *at)
{
    struct hop hop = hop_of(at);

    return world_add_peer(&w, span_of(name), &hop, SPAN("example.com"));
}

/* settings: more of the auth section, "" for none. */
static void
start(const char *settings, const char *listen, const char *realm)
{
    struct hop to_bob = { 0 };
    struct sim_where *where = mem_new(sizeof *where);
    char section[512];

    make_users(realm);
    server = hop_of(listen);
    sipd = world_add_sipd(&w, SPAN("a"));
    sim_listen(sipd, &server, 0);
    sipd->domains[sipd->domains_len++] = SPAN("example.com");
    where->aor = SPAN("sip:bob@example.com");
    where->target =
        (struct sipd_target){ .uri = SPAN("sip:bob@192.0.2.20:5060"), .hop = to_bob, .q = 1000 };
    list_init(&where->link);
    list_push(&sipd->wheres, &where->link);
    snprintf(section, sizeof section, "{ path = \"%s\"; %s }", path, settings);
    sim_host_open(sipd, SPAN("auth"), span_of(section));
    sim_start(sipd);
    if (w.fault.len > 0)
        ck_abort_msg("%.*s", SPAN_ARG(buf_span(&w.fault)));
    alice = add_peer("alice", "udp:192.0.2.10:5060");
    bob = add_peer("bob", "udp:192.0.2.20:5060");
}

static void
usual(void)
{
    start("", "udp:192.0.2.1:5060", "example.com");
}

static void
begin(void)
{
    live = mem_live();
    bug_doubt_fatal();
    ck_assert_int_eq(digest_hasher_init(&hasher), SIPD_OK);
    ck_assert(folder_make("auth", folder));
    snprintf(path, sizeof path, "%s/users.db", folder);
    world_init(&w, 1);
}

static void
end(void)
{
    world_fini(&w);
    digest_hasher_fini(&hasher);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_uint_eq(mem_live(), live);
}

/* ------------------------------------------------------------------ saying and hearing */

static const struct peer_heard *
hear(struct peer *p)
{
    world_run(&w, w.clock.now_ms + SHORT_MS, p);
    return peer_next(p);
}

static void
say(struct peer *p, const char *method, const char *uri, const char *extra)
{
    const struct peer_say what = { .what = span_of(method),
                                   .uri = span_of(uri),
                                   .extra = span_of(extra) };
    const char *why = "";
    struct span bytes = peer_write(p, &what, &why);

    ck_assert_msg(bytes.len > 0, "%s", why);
    world_say(&w, p, &server, bytes);
}

/* Says it and hears a response, whose status it returns (0: none); an INVITE's failure is acknowledged. */
static unsigned
ask(struct peer *p, const char *method, const char *uri, const char *extra,
    const struct peer_heard **out)
{
    const struct peer_heard *heard;

    say(p, method, uri, extra);
    heard = hear(p);
    if (out)
        *out = heard;
    if (!heard)
        return 0;
    ck_assert(!msg_is_request(&heard->msg));
    if (heard->gist.method == METHOD_INVITE && heard->msg.status >= 300)
        say(p, "ACK", "", "");
    return heard->msg.status;
}

/* The n-th challenge of a response. */
static struct digest
challenge_of(const struct peer_heard *heard, unsigned n)
{
    struct span name =
        heard->msg.status == 401 ? SPAN("WWW-Authenticate") : SPAN("Proxy-Authenticate");
    const struct msg_field *field = msg_find_name(&heard->msg, name, n);
    struct digest challenge = { 0 };

    if (field)
        ck_assert_int_eq(digest_read(msg_value(&heard->msg, field), &challenge), SIPD_OK);
    return challenge;
}

struct login {
    const char *user, *password, *nc;
    bool plain; /* by RFC 2069, without qop */
};

/* A header line with credentials, in a buffer that is good for one use. */
static const char *
credentials(const char *method, const struct digest *challenge, const struct login *login)
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

static const struct login right = { "alice", "secret", NULL, false };

/* Asks for a challenge with a request of this method. */
static struct digest
challenged(struct peer *p, const char *method)
{
    const struct peer_heard *heard;
    bool registers = strcmp(method, "REGISTER") == 0;
    unsigned status =
        ask(p, method, registers ? "sip:example.com" : "sip:bob@example.com", "", &heard);

    ck_assert_uint_eq(status, registers ? 401 : 407);
    return challenge_of(heard, 0);
}

static bool
is_stale(const struct peer_heard *heard)
{
    return span_ieq(challenge_of(heard, 0).stale, SPAN("true"));
}

/* Bob has it in his inbox, as a request of this method. */
static const struct peer_heard *
bob_hears(const char *method)
{
    const struct peer_heard *heard = hear(bob);

    ck_assert_ptr_nonnull(heard);
    ck_assert(msg_is_request(&heard->msg) && span_eq(heard->gist.method_text, span_of(method)));
    return heard;
}

static bool
header_of(const struct peer_heard *heard, const char *name, struct span *value)
{
    const struct msg_field *field = msg_find_name(&heard->msg, span_of(name), 0);

    if (field)
        *value = msg_value(&heard->msg, field);
    return field != NULL;
}

/* ------------------------------------------------------------------ tests */

START_TEST(a_claim_is_challenged)
{
    const struct peer_heard *heard;
    struct digest c;

    usual();
    ck_assert_uint_eq(ask(alice, "INVITE", "sip:bob@example.com", "", &heard), 407);
    c = challenge_of(heard, 0);
    ck_assert(span_eq(c.realm, SPAN("example.com")) && span_eq(c.qop, SPAN("auth")) &&
              span_eq(c.algorithm, SPAN("MD5")));
    ck_assert(c.nonce.len > 0 && c.stale.len == 0);
    ck_assert_uint_eq(challenge_of(heard, 1).nonce.len, 0);
    ck_assert_uint_eq(ask(alice, "MESSAGE", "sip:bob@example.com", "", &heard), 407);
    ck_assert(!span_eq(challenge_of(heard, 0).nonce, c.nonce));
    ck_assert_uint_eq(ask(alice, "REGISTER", "sip:example.com", "", &heard), 401);
    ck_assert_ptr_null(hear(bob));
    /* Not in `challenge`. */
    say(alice, "OPTIONS", "sip:bob@example.com", "");
    bob_hears("OPTIONS");
}
END_TEST

START_TEST(a_proof_opens_the_way)
{
    struct digest c;
    const struct peer_heard *heard;
    char extra[1200];

    usual();
    c = challenged(alice, "INVITE");
    snprintf(extra, sizeof extra,
             "Proxy-Authorization: Digest realm=\"elsewhere\", nonce=\"1\"\r\n%s",
             credentials("INVITE", &c, &right));
    say(alice, "INVITE", "sip:bob@example.com", extra);
    heard = bob_hears("INVITE");
    /* What was for us is gone, what is for another stays (§22.3). */
    ck_assert_ptr_nonnull(msg_find_name(&heard->msg, SPAN("Proxy-Authorization"), 0));
    ck_assert_ptr_null(msg_find_name(&heard->msg, SPAN("Proxy-Authorization"), 1));
    ck_assert(span_find(msg_value(&heard->msg,
                                  msg_find_name(&heard->msg, SPAN("Proxy-Authorization"), 0)),
                        'w') < 100);
    /* Here is no registrar: 405 is what comes after the gate. */
    c = challenged(alice, "REGISTER");
    ck_assert_uint_eq(
        ask(alice, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &right), NULL), 405);
}
END_TEST

START_TEST(either_name_and_any_case_of_the_domain)
{
    const struct login whole = { "alice@example.com", "secret", NULL, false };
    struct digest c;

    usual();
    c = challenged(alice, "MESSAGE");
    say(alice, "MESSAGE", "sip:bob@example.com", credentials("MESSAGE", &c, &whole));
    bob_hears("MESSAGE");
    /* The user part may be escaped, and the domain of From in capitals: the realm is the same. */
    c = challenged(alice, "MESSAGE");
    {
        char extra[1200];

        snprintf(extra, sizeof extra, "From: <sip:%%61lice@EXAMPLE.com>;tag=1\r\n%s",
                 credentials("MESSAGE", &c, &right));
        say(alice, "MESSAGE", "sip:bob@example.com", extra);
    }
    bob_hears("MESSAGE");
}
END_TEST

START_TEST(a_wrong_proof_is_challenged_anew)
{
    static const struct login wrong[] = {
        { "alice", "Secret", NULL, false },
        { "nobody", "secret", NULL, false },
        { "alice@example.org", "secret", NULL, false },
        { "bob@example.com", "x", NULL, false },
        { "alice", "secret", NULL, true },
        { "", "secret", NULL, false },
        { "alice", "secret", "1", false },
        { "alice", "secret", "00000000", false },
    };
    const struct peer_heard *heard;
    struct digest c;

    usual();
    for (size_t i = 0; i < countof(wrong); i++) {
        c = challenged(alice, "INVITE");
        ck_assert_uint_eq(ask(alice, "INVITE", "sip:bob@example.com",
                              credentials("INVITE", &c, &wrong[i]), &heard),
                          407);
        ck_assert(!is_stale(heard));
        c = challenged(alice, "REGISTER");
        ck_assert_uint_eq(ask(alice, "REGISTER", "sip:example.com",
                              credentials("REGISTER", &c, &wrong[i]), &heard),
                          401);
        ck_assert(!is_stale(heard));
    }
    ck_assert_ptr_null(hear(bob));
    ck_assert_uint_gt(*counters_get(&w.counters, "auth_wrong"), 0);
}
END_TEST

START_TEST(loopback_is_no_exemption)
{
    const struct login wrong = { "alice", "guess", NULL, false };
    const struct peer_heard *heard;
    struct peer *local;
    struct digest c;

    start("", "udp:127.0.0.1:5060", "example.com");
    local = add_peer("alice", "udp:127.0.0.1:5062");
    c = challenged(local, "REGISTER");
    ck_assert_uint_eq(
        ask(local, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &wrong), &heard),
        401);
    c = challenged(local, "REGISTER");
    ck_assert_uint_eq(
        ask(local, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &right), NULL), 405);
}
END_TEST

START_TEST(a_count_is_good_once)
{
    const struct login second = { "alice", "secret", "00000002", false };
    const struct peer_heard *heard;
    struct digest c;

    usual();
    c = challenged(alice, "REGISTER");
    ck_assert_uint_eq(
        ask(alice, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &right), NULL), 405);
    ck_assert_uint_eq(
        ask(alice, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &right), &heard),
        401);
    ck_assert(is_stale(heard));
    ck_assert_uint_eq(
        ask(alice, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &second), NULL), 405);
}
END_TEST

START_TEST(an_old_nonce_is_stale)
{
    const struct peer_heard *heard;
    struct digest c;

    usual();
    c = challenged(alice, "REGISTER");
    world_run(&w, w.clock.now_ms + 301000, NULL);
    ck_assert_uint_eq(
        ask(alice, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &right), &heard),
        401);
    ck_assert(is_stale(heard));
    c = challenge_of(heard, 0);
    ck_assert_uint_eq(
        ask(alice, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &right), NULL), 405);
}
END_TEST

START_TEST(a_nonce_belongs_to_an_address)
{
    struct peer *thief;
    const struct peer_heard *heard;
    struct digest c;

    usual();
    thief = add_peer("alice", "udp:192.0.2.66:5060");
    c = challenged(alice, "REGISTER");
    ck_assert_uint_eq(
        ask(thief, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &right), &heard),
        401);
    ck_assert(is_stale(heard));
    /* The same address by another port is a NAT's doing. */
    thief = add_peer("alice", "udp:192.0.2.10:40000");
    ck_assert_uint_eq(
        ask(thief, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &right), NULL), 405);
}
END_TEST

START_TEST(nobody_speaks_for_another)
{
    const struct login as_bob = { "bob", "secret", NULL, false };
    struct digest c;

    usual();
    c = challenged(alice, "INVITE");
    ck_assert_uint_eq(
        ask(alice, "INVITE", "sip:bob@example.com", credentials("INVITE", &c, &as_bob), NULL), 403);
    c = challenged(alice, "REGISTER");
    ck_assert_uint_eq(
        ask(alice, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &as_bob), NULL), 403);
    ck_assert_uint_eq(*counters_get(&w.counters, "auth_forbidden"), 2);
    ck_assert_ptr_null(hear(bob));
}
END_TEST

START_TEST(strangers_may_call_us)
{
    usual();
    say(alice, "MESSAGE", "sip:bob@example.com", "From: <sip:alice@example.org>;tag=1\r\n");
    bob_hears("MESSAGE");
    say(alice, "MESSAGE", "sip:bob@example.com", "From: <tel:+4930123456>;tag=2\r\n");
    bob_hears("MESSAGE");
    /* A program beside us at our address is not us, but our name with any port is. */
    say(alice, "MESSAGE", "sip:bob@example.com", "From: <sip:alice@192.0.2.1:5070>;tag=3\r\n");
    bob_hears("MESSAGE");
    ck_assert_uint_eq(
        ask(alice, "MESSAGE", "sip:bob@example.com", "From: <sip:alice@192.0.2.1>;tag=4\r\n", NULL),
        407);
    ck_assert_uint_eq(ask(alice, "MESSAGE", "sip:bob@example.com",
                          "From: <sip:alice@example.com:5070>;tag=5\r\n", NULL),
                      407);
    ck_assert_uint_eq(ask(alice, "MESSAGE", "sip:bob@example.com",
                          "From: <sips:alice@example.com>;tag=6\r\n", NULL),
                      407);
}
END_TEST

START_TEST(the_trusted_are_not_asked)
{
    struct peer *trunk;

    start("trusted = [ \"198.51.100.0/24\", \"2001:db8::/32\" ];", "udp:192.0.2.1:5060",
          "example.com");
    trunk = add_peer("alice", "udp:198.51.100.7:5060");
    say(trunk, "INVITE", "sip:bob@example.com", "");
    bob_hears("INVITE");
    /* Nor are they kept from calling out: the relay rule knows them. */
    say(trunk, "MESSAGE", "sip:carol@192.0.2.20:5060", "");
    bob_hears("MESSAGE");
    ck_assert_uint_eq(ask(alice, "INVITE", "sip:bob@example.com", "", NULL), 407);
}
END_TEST

START_TEST(the_authenticated_may_call_out)
{
    struct digest c;

    usual();
    ck_assert_uint_eq(ask(alice, "OPTIONS", "sip:carol@192.0.2.20:5060", "", NULL), 403);
    c = challenged(alice, "MESSAGE");
    say(alice, "MESSAGE", "sip:carol@192.0.2.20:5060", credentials("MESSAGE", &c, &right));
    bob_hears("MESSAGE");
}
END_TEST

/* The callee is one of ours and was never asked; its requests in the dialog are not either. */
START_TEST(a_dialog_goes_on)
{
    struct digest c;
    const struct peer_heard *heard;

    usual();
    c = challenged(alice, "INVITE");
    say(alice, "INVITE", "sip:bob@example.com", credentials("INVITE", &c, &right));
    bob_hears("INVITE");
    say(bob, "200", "", "");
    heard = hear(alice);
    ck_assert(heard && heard->msg.status == 200);
    say(alice, "ACK", "", "");
    bob_hears("ACK");
    say(alice, "reINVITE", "", "");
    bob_hears("INVITE");
    say(bob, "200", "", "");
    heard = hear(alice);
    ck_assert(heard && heard->msg.status == 200);
    say(alice, "ACK", "", "");
    bob_hears("ACK");
    say(bob, "MESSAGE", "", "");
    heard = hear(alice);
    ck_assert(heard && msg_is_request(&heard->msg));
}
END_TEST

START_TEST(a_made_up_dialog_does_not)
{
    usual();
    ck_assert_uint_eq(
        ask(alice, "INVITE", "sip:bob@example.com", "To: <sip:bob@example.com>;tag=7\r\n", NULL),
        407);
}
END_TEST

START_TEST(several_algorithms_the_strongest_first)
{
    const struct peer_heard *heard;
    struct digest all[4];

    start("algorithms = [ \"MD5\", \"SHA-256\", \"sha-512-256\" ];", "udp:192.0.2.1:5060",
          "example.com");
    ck_assert_uint_eq(ask(alice, "REGISTER", "sip:example.com", "", &heard), 401);
    for (unsigned i = 0; i < countof(all); i++)
        all[i] = challenge_of(heard, i);
    ck_assert(span_eq(all[0].algorithm, SPAN("SHA-512-256")));
    ck_assert(span_eq(all[1].algorithm, SPAN("SHA-256")));
    ck_assert(span_eq(all[2].algorithm, SPAN("MD5")));
    ck_assert_uint_eq(all[3].nonce.len, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct login login = { "alice", "secret",
                               i == 0   ? "00000001"
                               : i == 1 ? "00000002"
                                        : "00000003",
                               false };

        ck_assert_uint_eq(ask(alice, "REGISTER", "sip:example.com",
                              credentials("REGISTER", &all[i], &login), NULL),
                          405);
    }
}
END_TEST

START_TEST(what_is_not_offered_is_not_taken)
{
    const struct peer_heard *heard;
    struct digest c;

    start("algorithms = [ \"SHA-256\" ];", "udp:192.0.2.1:5060", "example.com");
    c = challenged(alice, "REGISTER");
    c.algorithm = SPAN("MD5");
    ck_assert_uint_eq(
        ask(alice, "REGISTER", "sip:example.com", credentials("REGISTER", &c, &right), &heard),
        401);
    ck_assert(!is_stale(heard));
}
END_TEST

START_TEST(one_realm_for_all)
{
    struct digest c;

    start("realm = \"the house\"; challenge = [ \"OPTIONS\" ];", "udp:192.0.2.1:5060", "the house");
    c = challenged(alice, "OPTIONS");
    ck_assert(span_eq(c.realm, SPAN("the house")));
    say(alice, "OPTIONS", "sip:bob@example.com", credentials("OPTIONS", &c, &right));
    bob_hears("OPTIONS");
    say(alice, "INVITE", "sip:bob@example.com", "");
    bob_hears("INVITE");
}
END_TEST

START_TEST(the_right_one_among_several)
{
    const struct login wrong = { "alice", "guess", NULL, false };
    struct digest c;
    char extra[2400];

    usual();
    c = challenged(alice, "MESSAGE");
    snprintf(extra, sizeof extra, "%s", credentials("MESSAGE", &c, &wrong));
    strncat(extra, credentials("MESSAGE", &c, &right), sizeof extra - strlen(extra) - 1);
    say(alice, "MESSAGE", "sip:bob@example.com", extra);
    ck_assert_ptr_null(msg_find_name(&bob_hears("MESSAGE")->msg, SPAN("Proxy-Authorization"), 0));
}
END_TEST

START_TEST(who_is_known_and_who_is_not)
{
    usual();
    ck_assert_uint_eq(ask(alice, "OPTIONS", "sip:alice@example.com", "", NULL), 480);
    ck_assert_uint_eq(ask(alice, "OPTIONS", "sip:Alice@example.com", "", NULL), 404);
    ck_assert_uint_eq(ask(alice, "OPTIONS", "sip:carol@example.com", "", NULL), 404);
}
END_TEST

/* What goes wrong at load is said in words. */
/* Guesses until it is told to wait; the right password is not looked at then, and is again afterwards. */
START_TEST(who_guesses_waits)
{
    static const struct login wrong = { "alice", "Secret", NULL, false };
    const struct peer_heard *heard;
    struct span seconds;
    struct digest c;

    start("guard = { failures = 3; wait_s = 30; };", "udp:192.0.2.1:5060", "example.com");
    for (unsigned i = 0; i < 3; i++) {
        c = challenged(alice, "INVITE");
        ck_assert_uint_eq(
            ask(alice, "INVITE", "sip:bob@example.com", credentials("INVITE", &c, &wrong), NULL),
            407);
    }
    c = challenged(alice, "INVITE");
    ck_assert_uint_eq(
        ask(alice, "INVITE", "sip:bob@example.com", credentials("INVITE", &c, &right), &heard),
        503);
    ck_assert(msg_get(&heard->msg, HDR_RETRY_AFTER, &seconds));
    ck_assert(span_eq(seconds, SPAN("30")) || span_eq(seconds, SPAN("29")));
    ck_assert_ptr_null(hear(bob));
    ck_assert_uint_eq(*counters_get(&w.counters, "auth_waits"), 1);
    ck_assert_uint_eq(*counters_get(&w.counters, "auth_guarded"), 1);
    world_run(&w, w.clock.now_ms + 31000, alice);
    c = challenged(alice, "INVITE");
    say(alice, "INVITE", "sip:bob@example.com", credentials("INVITE", &c, &right));
    bob_hears("INVITE");
}
END_TEST

/* An attack from elsewhere on a user's name does not keep the user out of where it is known. */
START_TEST(friends_do_not_wait)
{
    static const struct login wrong = { "alice", "Secret", NULL, false };
    struct peer *mallory;
    struct digest c;

    start("guard = { failures = 3; };", "udp:192.0.2.1:5060", "example.com");
    mallory = add_peer("alice", "udp:198.51.100.66:5060");
    c = challenged(alice, "MESSAGE");
    say(alice, "MESSAGE", "sip:bob@example.com", credentials("MESSAGE", &c, &right));
    bob_hears("MESSAGE");
    for (unsigned i = 0; i < 3; i++) {
        c = challenged(mallory, "MESSAGE");
        ck_assert_uint_eq(ask(mallory, "MESSAGE", "sip:bob@example.com",
                              credentials("MESSAGE", &c, &wrong), NULL),
                          407);
    }
    c = challenged(mallory, "MESSAGE");
    ck_assert_uint_eq(
        ask(mallory, "MESSAGE", "sip:bob@example.com", credentials("MESSAGE", &c, &right), NULL),
        503);
    c = challenged(alice, "MESSAGE");
    say(alice, "MESSAGE", "sip:bob@example.com", credentials("MESSAGE", &c, &right));
    bob_hears("MESSAGE");
}
END_TEST

START_TEST(an_alias_may_be_used)
{
    static const struct login bobs = { "bob", "secret", NULL, false };
    struct peer *sales;
    struct span asserted;
    struct digest c;

    start("aliases = ( { user = \"alice@example.com\"; as = [ \"sales@EXAMPLE.com\" ]; } );",
          "udp:192.0.2.1:5060", "example.com");
    sales = add_peer("sales", "udp:192.0.2.30:5060");
    c = challenged(sales, "INVITE");
    ck_assert_uint_eq(
        ask(sales, "INVITE", "sip:bob@example.com", credentials("INVITE", &c, &bobs), NULL), 403);
    c = challenged(sales, "INVITE");
    say(sales, "INVITE", "sip:bob@example.com", credentials("INVITE", &c, &right));
    ck_assert(header_of(bob_hears("INVITE"), "P-Asserted-Identity", &asserted));
    ck_assert(span_eq(asserted, SPAN("<sip:sales@example.com>")));
}
END_TEST

/* RFC 3325 §5, §9: ours instead of theirs, and none for whom it shall stay unknown. */
START_TEST(identities_are_asserted)
{
    char line[1600];
    struct span value;
    struct digest c;

    usual();
    c = challenged(alice, "INVITE");
    snprintf(line, sizeof line,
             "%sP-Asserted-Identity: <sip:boss@example.com>\r\nP-Asserted-Identity: <tel:+1>\r\n"
             "P-Preferred-Identity: <sip:boss@example.com>\r\n",
             credentials("INVITE", &c, &right));
    say(alice, "INVITE", "sip:bob@example.com", line);
    {
        const struct peer_heard *heard = bob_hears("INVITE");

        ck_assert(header_of(heard, "P-Asserted-Identity", &value));
        ck_assert(span_eq(value, SPAN("<sip:alice@example.com>")));
        ck_assert_ptr_null(msg_find_name(&heard->msg, SPAN("P-Asserted-Identity"), 1));
        ck_assert(!header_of(heard, "P-Preferred-Identity", &value));
    }
    c = challenged(alice, "MESSAGE");
    snprintf(line, sizeof line, "%sPrivacy: header; id\r\n", credentials("MESSAGE", &c, &right));
    say(alice, "MESSAGE", "sip:bob@example.com", line);
    ck_assert(!header_of(bob_hears("MESSAGE"), "P-Asserted-Identity", &value));
}
END_TEST

static void
must_not_start(const char *settings, const char *words)
{
    char section[512];

    server = hop_of("udp:192.0.2.1:5060");
    sipd = world_add_sipd(&w, SPAN("a"));
    sim_listen(sipd, &server, 0);
    snprintf(section, sizeof section, "{ path = \"%s\"; %s }", path, settings);
    sim_host_open(sipd, SPAN("auth"), span_of(section));
    sim_start(sipd);
    buf_put_char(&w.fault, '\0');
    ck_assert_ptr_nonnull(w.fault.bytes);
    ck_assert_msg(strstr(w.fault.bytes, words), "want \"%s\" in \"%s\"", words, w.fault.bytes);
}

static const char *const wrong_settings[][2] = {
    { "trusted = [ \"10.0.0.0/40\" ];", "\"10.0.0.0/40\" needs a prefix length from 0 to 32" },
    { "trusted = [ \"gateway\" ];", "\"gateway\" is not an address or a network" },
    { "trusted = [ \"10.0.0.1/8\" ];", "write the network" },
    { "algorithms = [ \"SHA-1\" ];", "\"SHA-1\" is not one of" },
    { "challenge = [ \"ACK\" ];", "ACK cannot be challenged" },
    { "challenge = [ \"invite\" ];", "words in capitals" },
    { "realm = \"a\\\"b\";", "quotes" },
    { "nonce_s = 5;", "nonce_s" },
    { "aliases = ( { user = \"alice\"; as = [ \"a@b\" ]; } );", "\"alice\" is not written as" },
    { "aliases = ( { user = \"a@b\"; as = [ \"sales\" ]; } );", "\"sales\" is not written as" },
};

START_TEST(wrong_settings_are_named)
{
    must_not_start(wrong_settings[_i][0], wrong_settings[_i][1]);
}
END_TEST

Suite *
suite_auth_gate(void)
{
    Suite *suite = suite_create("auth_gate");
    TCase *all = tcase_create("all"), *settings = tcase_create("settings");

    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, a_claim_is_challenged);
    tcase_add_test(all, a_proof_opens_the_way);
    tcase_add_test(all, either_name_and_any_case_of_the_domain);
    tcase_add_test(all, a_wrong_proof_is_challenged_anew);
    tcase_add_test(all, loopback_is_no_exemption);
    tcase_add_test(all, a_count_is_good_once);
    tcase_add_test(all, an_old_nonce_is_stale);
    tcase_add_test(all, a_nonce_belongs_to_an_address);
    tcase_add_test(all, nobody_speaks_for_another);
    tcase_add_test(all, strangers_may_call_us);
    tcase_add_test(all, the_trusted_are_not_asked);
    tcase_add_test(all, the_authenticated_may_call_out);
    tcase_add_test(all, a_dialog_goes_on);
    tcase_add_test(all, a_made_up_dialog_does_not);
    tcase_add_test(all, several_algorithms_the_strongest_first);
    tcase_add_test(all, what_is_not_offered_is_not_taken);
    tcase_add_test(all, one_realm_for_all);
    tcase_add_test(all, the_right_one_among_several);
    tcase_add_test(all, who_is_known_and_who_is_not);
    tcase_add_test(all, who_guesses_waits);
    tcase_add_test(all, friends_do_not_wait);
    tcase_add_test(all, an_alias_may_be_used);
    tcase_add_test(all, identities_are_asserted);
    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(settings, begin, end);
    tcase_add_loop_test(settings, wrong_settings_are_named, 0, countof(wrong_settings));
    suite_add_tcase(suite, settings);
    return suite;
}
