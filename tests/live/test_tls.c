/*
 * TLS in real connections: who is let in and who is not and why, names, versions, tickets, reloads (RFC 5922, RFC 9325).
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live/certs.h"
#include "live/phone.h"
#include "live/server.h"

Suite *suite_tls(void);

enum { MESSAGE_BYTES = 65536 };

static struct server server;
static uint16_t tls_port;
static char reply[MESSAGE_BYTES];

#define OPTIONS                                                                           \
    "OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK%u\n" \
    "Max-Forwards: 70\nFrom: <sip:test@192.0.2.1>;tag=1\nTo: <sip:example.com>\n"         \
    "Call-ID: tls%u\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"

/* A file of this test alone. Lent until the 8th next call. */
static const char *
own(const char *name)
{
    static char paths[8][300];
    static unsigned next;
    char *to = paths[next++ % 8];

    snprintf(to, sizeof paths[0], "%s/%s", proc_dir(), name);
    return to;
}

static void
start_with(const char *tls)
{
    char settings[3000], listeners[256];

    certs_copy("server.pem", "own.pem", "644");
    certs_copy("server.key", "own.key", "600");
    certs_copy("ca.pem", "trusted.pem", "644");
    certs_copy("ca.crl", "own.crl", "644");
    tls_port = proc_port("127.0.0.1");
    snprintf(listeners, sizeof listeners,
             "{ transport = \"tls\"; address = \"127.0.0.1\"; port = %u; }%s", tls_port,
             proc_has_ip("::1") ? ", { transport = \"tls\"; address = \"::1\"; port = 0; }" : "");
    server_also_listen(listeners);
    snprintf(settings, sizeof settings,
             "modules = [ \"tls\" ];\nproxy = { relay = \"any\"; };\n"
             "tls = { certificates = ( { certificate = \"%s\"; key = \"%s\"; },\n"
             "  { certificate = \"%s\"; key = \"%s\"; } );\n ca = \"%s\"; crl = \"%s\"; %s };",
             own("own.pem"), own("own.key"), certs_path("two.pem"), certs_path("two.key"),
             own("trusted.pem"), own("own.crl"), tls);
    server_make(&server, "sipd", settings);
    server_also_listen(NULL);
    server_start(&server);
}

static void
stop(void)
{
    server_stop(&server);
}

static void
start_optional(void)
{
    start_with("verify_client = \"optional\";");
}

static void
start_require(void)
{
    start_with("verify_client = \"require\";");
}

/* An OPTIONS goes and its 200 comes. */
static bool
is_served(struct tls_peer *p)
{
    static unsigned serial;

    serial++;
    tls_peer_send(p, OPTIONS, serial, serial);
    return tls_peer_receive(p, reply, sizeof reply) > 0 && strstr(reply, "SIP/2.0 200") == reply;
}

static bool
connects(const struct tls_wish *wish)
{
    struct tls_peer p;
    bool served = tls_peer_connect(&p, "127.0.0.1", tls_port, wish) && is_served(&p);

    tls_peer_close(&p);
    return served;
}

static void
must_log(const char *text)
{
    ck_assert_msg(proc_says(&server.proc, text, PROC_PATIENCE_MS), "no \"%s\" in:\n%s", text,
                  proc_output(&server.proc));
}

static uint64_t
counter(const char *name)
{
    char words[64];
    struct proc out;
    const char *at;
    unsigned long long value = 0;

    snprintf(words, sizeof words, "--json show counters %s", name);
    ck_assert_int_eq(server_ctl(&server, &out, words, NULL), 0);
    at = strstr(proc_output(&out), "\"value\"");
    if (at)
        sscanf(at, "\"value\"%*[^0-9]%llu", &value);
    return value;
}

/* ---- in */

START_TEST(a_client_is_served_and_shown)
{
    struct tls_wish wish = { .cert = "client", .alpn = "\005sip/2" };
    const unsigned char *alpn;
    struct tls_peer p;
    struct proc out;
    unsigned len;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    ck_assert_int_eq(SSL_get_verify_result(p.ssl), X509_V_OK);
    SSL_get0_alpn_selected(p.ssl, &alpn, &len);
    ck_assert_uint_eq(len, 5);
    ck_assert(is_served(&p));
    ck_assert(is_served(&p));
    ck_assert_int_eq(server_ctl(&server, &out, "show connections", NULL), 0);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "TLSv1.3"));
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "client.example.net"));
    ck_assert_int_eq(server_ctl(&server, &out, "show certificates", NULL), 0);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "two.example.com"));
    tls_peer_close(&p);
}
END_TEST

static const char *
shown_name(const struct tls_peer *p, char to[64])
{
    X509 *x509 = SSL_get0_peer_certificate(p->ssl);

    X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, to, 64);
    return to;
}

START_TEST(the_name_chooses_the_certificate)
{
    static const char *const cases[][2] = { { "two.example.com", "two" },
                                            { "TWO.example.com", "two" },
                                            { "example.com", "server" },
                                            { "nobody.example.org", "server" },
                                            { NULL, "server" } };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_wish wish = { .name = cases[i][0] };
        struct tls_peer p;
        char name[64];

        ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
        ck_assert_str_eq(shown_name(&p, name), cases[i][1]);
        tls_peer_close(&p);
    }
}
END_TEST

static const struct {
    const char *cert, *why; /* why NULL: let in */
} clients[] = {
    { "client", NULL },
    { "domain", NULL },
    { "elsewhere", NULL }, /* any name will do for a client */
    { "expired", "why=expired" },
    { "self", "why=self-signed" },
    { "unknown", "why=unknown-ca" },
    { "revoked", "why=revoked" },
    { "code", "why=wrong-usage" },
    { NULL, "why=no-certificate" },
};

START_TEST(a_client_without_a_good_certificate_is_refused)
{
    struct tls_wish wish = { .cert = clients[_i].cert };

    ck_assert_int_eq(connects(&wish), clients[_i].why == NULL);
    if (clients[_i].why)
        must_log(clients[_i].why);
    ck_assert_uint_eq(proc_said(&server.proc, "tls-refused"), clients[_i].why != NULL);
}
END_TEST

START_TEST(a_bad_certificate_is_refused_where_none_is_needed)
{
    ck_assert(connects(&(struct tls_wish){ 0 }));
    ck_assert(!connects(&(struct tls_wish){ .cert = "unknown" }));
    must_log("why=unknown-ca");
}
END_TEST

static const struct {
    struct tls_wish wish;
    const char *why; /* NULL: let in */
} offers[] = {
    { { .version = TLS1_3_VERSION }, NULL },
    { { .version = TLS1_2_VERSION }, NULL },
    { { .version = TLS1_1_VERSION }, "why=old-version" },
    { { .version = TLS1_VERSION }, "why=old-version" },
    { { .version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES128-GCM-SHA256" }, NULL },
    { { .version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES256-GCM-SHA384" }, NULL },
    { { .version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-CHACHA20-POLY1305" }, NULL },
    { { .version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES128-SHA" }, "why=no-common-suite" },
    { { .version = TLS1_2_VERSION, .suites = "AES128-GCM-SHA256" }, "why=no-common-suite" },
    { { .version = TLS1_2_VERSION, .suites = "aNULL" }, "why=no-common-suite" },
    { { .alpn = "\010http/1.1" }, "why=other-protocol" },
    { { .alpn = "\010http/1.1\005sip/2" }, NULL },
};

START_TEST(versions_and_suites_are_good_ones)
{
    ck_assert_int_eq(connects(&offers[_i].wish), offers[_i].why == NULL);
    if (offers[_i].why)
        must_log(offers[_i].why);
}
END_TEST

START_TEST(nobody_shakes_hands_twice)
{
    struct tls_wish wish = { .version = TLS1_2_VERSION };
    struct tls_peer p;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    SSL_renegotiate(p.ssl);
    ck_assert_int_ne(SSL_do_handshake(p.ssl), 1);
    tls_peer_close(&p);
    ck_assert(connects(&wish));
}
END_TEST

START_TEST(what_is_not_tls_is_refused)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(tls_port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    server_send(fd, OPTIONS, 1, 1);
    must_log("why=not-tls");
    close(fd);
}
END_TEST

/* ---- tickets */

static SSL_SESSION *
session_of(const struct tls_wish *wish)
{
    struct tls_peer p;
    SSL_SESSION *session;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, wish));
    ck_assert(is_served(&p));
    session = SSL_get1_session(p.ssl);
    SSL_shutdown(p.ssl);
    tls_peer_close(&p);
    return session;
}

static bool
is_resumed(struct tls_wish wish, SSL_SESSION *session)
{
    struct tls_peer p;
    bool resumed;

    wish.resume = session;
    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    resumed = SSL_session_reused(p.ssl);
    ck_assert(is_served(&p));
    tls_peer_close(&p);
    return resumed;
}

START_TEST(a_session_is_resumed_until_trust_changes)
{
    struct tls_wish wish = { .version = _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION };
    SSL_SESSION *session = session_of(&wish);
    struct proc out;

    ck_assert(is_resumed(wish, session));
    ck_assert_uint_eq(counter("tls_resumed"), 1);
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 0);
    ck_assert(is_resumed(wish, session));
    proc_run(&out, "touch", PROC_PATIENCE_MS,
             (const char *[]){ "touch", "-d", "2001-01-01", own("trusted.pem"), NULL });
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 0);
    ck_assert(!is_resumed(wish, session));
    SSL_SESSION_free(session);
}
END_TEST

/* ---- reload */

static bool
shows(const char *name)
{
    struct tls_wish wish = { .cert = NULL };
    struct tls_peer p;
    char shown[64];
    bool same;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    same = strcmp(shown_name(&p, shown), name) == 0;
    tls_peer_close(&p);
    return same;
}

START_TEST(certificates_change_under_a_connection)
{
    struct tls_wish wish = { .cert = NULL };
    struct tls_peer p;
    struct proc out;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    ck_assert(is_served(&p));
    /* One without the other: refused, and all stays. */
    certs_copy("later.pem", "own.pem", "644");
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 1);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "is not the key of"));
    ck_assert(shows("server"));
    ck_assert(is_served(&p));
    /* A key for everybody to read. */
    certs_copy("later.key", "own.key", "644");
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 1);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "is open to others (mode 644)"));
    ck_assert(shows("server"));
    certs_copy("later.key", "own.key", "600");
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 0);
    ck_assert(shows("later"));
    ck_assert(is_served(&p));
    tls_peer_close(&p);
}
END_TEST

/* It is taken, for an old certificate is better than none, but not in silence. */
START_TEST(the_end_of_a_certificate_is_warned_of)
{
    struct proc out;

    ck_assert_uint_eq(counter("tls_expiring"), 0);
    certs_copy("expired.pem", "own.pem", "644");
    certs_copy("expired.key", "own.key", "600");
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 0);
    must_log("certificate-expired");
    ck_assert_uint_eq(counter("tls_expiring"), 1);
}
END_TEST

static void
use_crl(const char *file)
{
    struct proc out;

    certs_copy(file, "own.crl", "644");
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 0);
}

/* One that has ended refuses all whom its issuer certified, so it is told before. */
START_TEST(the_end_of_a_revocation_list_is_warned_of)
{
    struct tls_wish wish = { .cert = "client" };

    ck_assert(connects(&wish));
    ck_assert_uint_eq(counter("tls_crls_expiring"), 0);
    use_crl("soon.crl");
    must_log("crl-expires");
    ck_assert_uint_eq(counter("tls_crls_expiring"), 1);
    ck_assert(connects(&wish));
    use_crl("old.crl");
    must_log("crl-expired");
    ck_assert_uint_eq(counter("tls_crls_expiring"), 1);
    ck_assert(!connects(&wish));
    must_log("why=bad-crl");
    use_crl("ca.crl");
    ck_assert_uint_eq(counter("tls_crls_expiring"), 0);
    ck_assert(connects(&wish));
}
END_TEST

static bool
is_fine(struct proc *out)
{
    const char *dir = getenv("SIPD_BUILD");
    char sipd[256], modules[256];
    const char *argv[] = { sipd, "-f", server.conf, "-M", modules, "-t", NULL };

    snprintf(sipd, sizeof sipd, "%s/sipd", dir ? dir : "build");
    snprintf(modules, sizeof modules, "%s/modules", dir ? dir : "build");
    return proc_run(out, "check", PROC_PATIENCE_MS, argv);
}

START_TEST(a_check_finds_what_a_start_would)
{
    struct proc out;

    ck_assert(is_fine(&out));
    certs_copy("server.key", "own.key", "644");
    ck_assert(!is_fine(&out));
    ck_assert_msg(strstr(proc_output(&out), "is open to others (mode 644)") != NULL, "%s",
                  proc_output(&out));
    certs_copy("later.key", "own.key", "600");
    ck_assert(!is_fine(&out));
    ck_assert_msg(strstr(proc_output(&out), "is not the key of") != NULL, "%s", proc_output(&out));
    certs_copy("server.key", "own.pem", "600");
    ck_assert(!is_fine(&out));
    ck_assert_msg(strstr(proc_output(&out), ": tls.certificates[0].certificate: ") != NULL, "%s",
                  proc_output(&out));
}
END_TEST

/* What is spoken goes on while certificates are read anew, again and again. */
START_TEST(many_reloads_lose_no_connection)
{
    enum { PEERS = 5, RELOADS = 20 };
    struct tls_wish wish = { .cert = NULL };
    struct tls_peer peers[PEERS];
    struct proc out;

    for (int i = 0; i < PEERS; i++)
        ck_assert(tls_peer_connect(&peers[i], "127.0.0.1", tls_port, &wish));
    for (int round = 0; round < RELOADS; round++) {
        ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 0);
        for (int i = 0; i < PEERS; i++)
            ck_assert(is_served(&peers[i]));
    }
    for (int i = 0; i < PEERS; i++)
        tls_peer_close(&peers[i]);
}
END_TEST

START_TEST(a_transport_does_not_go_from_under_its_connections)
{
    struct tls_wish wish = { .cert = NULL };
    char command[1024];
    const char *argv[] = { "sh", "-c", command, NULL };
    struct tls_peer p;
    struct proc out;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    ck_assert(is_served(&p));
    snprintf(command, sizeof command,
             "sed -i -z -e 's/,[ \\n]*{ transport = \"tls\";[^}]*}//g' -e 's/modules = "
             "[^\\n]*/modules = [ ];/' "
             "-e 's/\\ntls = .*//' %s",
             server.conf);
    ck_assert(proc_run(&out, "sed", PROC_PATIENCE_MS, argv));
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 1);
    ck_assert_msg(strstr(proc_output(&out), "1 connections stand on it") != NULL, "%s",
                  proc_output(&out));
    ck_assert(is_served(&p));
    tls_peer_close(&p);
    for (uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
         server_ctl(&server, &out, "reload", NULL) != 0; proc_pause(50))
        ck_assert_msg(proc_now_ms() < until, "%s", proc_output(&out));
}
END_TEST

/* ---- out */

static const struct {
    const char *cert, *why; /* why NULL: believed */
} servers[] = {
    { "server", NULL },
    { "domain", NULL },
    { "elsewhere", "why=wrong-host" },
    { "wild", "why=wrong-host" },
    { "expired", "why=expired" },
    { "self", "why=self-signed" },
    { "unknown", "why=unknown-ca" },
    { "revoked", "why=revoked" },
    { "code", "why=wrong-usage" },
};

static int
listen_on(uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 5), 0);
    getsockname(fd, (struct sockaddr *)&at, &len);
    *port = ntohs(at.sin_port);
    return fd;
}

START_TEST(a_server_must_prove_who_it_is)
{
    struct tls_wish wish = { .cert = servers[_i].cert };
    int udp = server_socket(&server, "127.0.0.1"), listening;
    struct tls_peer p;
    uint16_t port;
    char *end;

    listening = listen_on(&port);
    server_send(udp,
                "MESSAGE sip:bob@127.0.0.1:%u;transport=tls SIP/2.0\n"
                "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKout%d;rport\nMax-Forwards: 70\n"
                "From: <sip:a@example.com>;tag=1\nTo: <sip:bob@127.0.0.1>\nCall-ID: out%d\n"
                "CSeq: 1 MESSAGE\nContent-Length: 0\n\n",
                port, _i, _i);
    if (!servers[_i].why) {
        ck_assert(tls_peer_accept(&p, listening, &wish));
        ck_assert_uint_gt(tls_peer_receive(&p, reply, sizeof reply), 0);
        ck_assert_ptr_nonnull(strstr(reply, "Via: SIP/2.0/TLS 127.0.0.1"));
        ck_assert_ptr_nonnull(strstr(reply, ";alias;branch=")); /* RFC 5923 §4 */
        ck_assert_ptr_eq(strstr(reply, "MESSAGE sip:bob@127.0.0.1"), reply);
        memcpy(reply, "SIP/2.0 200 OK\r\nX-Was: ", 23);
        end = strstr(reply, "Max-Forwards");
        ck_assert_ptr_nonnull(end);
        ck_assert_int_gt(SSL_write(p.ssl, reply, (int)strlen(reply)), 0);
        ck_assert_uint_gt(server_receive(udp, reply, sizeof reply, PROC_PATIENCE_MS), 0);
        ck_assert_ptr_eq(strstr(reply, "SIP/2.0 200"), reply);
        ck_assert(is_served(&p)); /* … and he may ask us by it */
    } else {
        (void)tls_peer_accept(&p, listening, &wish); /* with TLS 1.3 it hears so later */
        ck_assert_uint_gt(server_receive(udp, reply, sizeof reply, PROC_PATIENCE_MS), 0);
        ck_assert_ptr_eq(strstr(reply, "SIP/2.0 500"), reply);
        must_log(servers[_i].why);
        must_log("name=127.0.0.1");
    }
    tls_peer_close(&p);
    close(listening);
    close(udp);
}
END_TEST

/* ---- phones */

static uint16_t tls_port6;

static void
start_for_phones(void)
{
    char settings[2000], listeners[256];

    tls_port = proc_port("127.0.0.1");
    tls_port6 = proc_has_ip("::1") ? proc_port("::1") : 0;
    snprintf(listeners, sizeof listeners,
             "{ transport = \"tls\"; address = \"127.0.0.1\"; port = %u; }", tls_port);
    if (tls_port6)
        snprintf(listeners + strlen(listeners), sizeof listeners - strlen(listeners),
                 ", { transport = \"tls\"; address = \"::1\"; port = %u; }", tls_port6);
    server_also_listen(listeners);
    snprintf(settings, sizeof settings,
             "modules = [ \"auth\", \"registrar\", \"tls\" ];\n"
             "registrar = { store = \"ram\"; };\nauth = { path = \"users.db\"; };\n"
             "tls = { certificate = \"%s\"; key = \"%s\"; ca = \"%s\"; "
             "verify_client = \"optional\"; };",
             certs_path("server.pem"), certs_path("server.key"), certs_path("ca.pem"));
    server_make(&server, "sipd", settings);
    server_also_listen(NULL);
    server_start(&server);
    server_add_user(&server, "alice", "wonderland");
    server_add_user(&server, "bob", "builder");
}

static void
phone(struct phone *p, const char *user, const char *transport, bool v6, const char *cert)
{
    bool tls = strcmp(transport, "tls") == 0;
    uint16_t port = !tls ? server.port : v6 ? tls_port6 : tls_port;
    char at[32];
    struct phone_conf conf = {
        .user = user,
        .password = strcmp(user, "alice") == 0 ? "wonderland" : "builder",
        .domain = "example.com",
        .ip = v6 ? "::1" : "127.0.0.1",
        .server = at,
        .transport = transport,
        .ca = tls ? certs_path("ca.pem") : NULL,
        .cert = cert ? certs_path(cert) : NULL,
    };

    snprintf(at, sizeof at, v6 ? "[::1]:%u" : "127.0.0.1:%u", port);
    phone_start(p, &conf);
    phone_wait(p, "200 OK");
}

static const struct {
    const char *caller, *callee;
    bool v6;
} pairs[] = {
    { "tls", "tls", false }, { "udp", "tls", false }, { "tls", "udp", false },
    { "tls", "tcp", false }, { "tls", "tls", true },  { "udp", "tls", true },
};

START_TEST(phones_call_each_other_over_tls)
{
    struct phone alice, bob;

    if (pairs[_i].v6 && !tls_port6) {
        proc_skip("a call between phones over TLS", "no IPv6 here");
        return;
    }
    phone(&alice, "alice", pairs[_i].caller, pairs[_i].v6, NULL);
    phone(&bob, "bob", pairs[_i].callee, pairs[_i].v6, NULL);
    phone_do(&alice, "dial", "sip:bob@example.com");
    phone_wait(&bob, "Incoming call from");
    phone_do(&bob, "accept", "");
    phone_wait(&alice, "Call established");
    phone_wait(&bob, "Call established");
    phone_hears(&alice);
    phone_hears(&bob);
    phone_do(&bob, "hangup", "");
    phone_wait(&alice, "session closed");
    phone_stop(&alice);
    phone_stop(&bob);
}
END_TEST

START_TEST(a_phone_shows_its_certificate)
{
    struct phone alice;
    struct proc out;

    phone(&alice, "alice", "tls", false, "client.both");
    ck_assert_int_eq(server_ctl(&server, &out, "show connections", NULL), 0);
    ck_assert_msg(strstr(proc_output(&out), "client.example.net") != NULL, "%s", proc_output(&out));
    phone_stop(&alice);
}
END_TEST

Suite *
suite_tls(void)
{
    Suite *suite = suite_create("tls");
    TCase *optional = tcase_create("optional"), *require = tcase_create("require");
    TCase *phones = tcase_create("phones");

    tcase_set_timeout(optional, 60);
    tcase_set_timeout(require, 60);
    tcase_add_unchecked_fixture(optional, certs_make, NULL); /* once: it takes its time */
    tcase_add_unchecked_fixture(require, certs_make, NULL);
    tcase_add_checked_fixture(optional, start_optional, stop);
    tcase_add_checked_fixture(require, start_require, stop);
    tcase_add_test(optional, a_client_is_served_and_shown);
    tcase_add_test(optional, the_name_chooses_the_certificate);
    tcase_add_test(optional, a_bad_certificate_is_refused_where_none_is_needed);
    tcase_add_loop_test(optional, versions_and_suites_are_good_ones, 0,
                        (int)(sizeof offers / sizeof *offers));
    tcase_add_test(optional, nobody_shakes_hands_twice);
    tcase_add_test(optional, what_is_not_tls_is_refused);
    tcase_add_loop_test(optional, a_session_is_resumed_until_trust_changes, 0, 2);
    tcase_add_test(optional, certificates_change_under_a_connection);
    tcase_add_test(optional, the_end_of_a_certificate_is_warned_of);
    tcase_add_test(optional, the_end_of_a_revocation_list_is_warned_of);
    tcase_add_test(optional, a_check_finds_what_a_start_would);
    tcase_add_test(optional, many_reloads_lose_no_connection);
    tcase_add_test(optional, a_transport_does_not_go_from_under_its_connections);
    tcase_add_loop_test(optional, a_server_must_prove_who_it_is, 0,
                        (int)(sizeof servers / sizeof *servers));
    tcase_add_loop_test(require, a_client_without_a_good_certificate_is_refused, 0,
                        (int)(sizeof clients / sizeof *clients));
    tcase_set_timeout(phones, 60);
    tcase_add_unchecked_fixture(phones, certs_make, NULL);
    tcase_add_checked_fixture(phones, start_for_phones, stop);
    tcase_add_loop_test(phones, phones_call_each_other_over_tls, 0,
                        (int)(sizeof pairs / sizeof *pairs));
    tcase_add_test(phones, a_phone_shows_its_certificate);
    suite_add_tcase(suite, optional);
    suite_add_tcase(suite, phones);
    suite_add_tcase(suite, require);
    return suite;
}
