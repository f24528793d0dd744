/*
 * TLS in real connections: who is let in and who is not and why, names, versions, tickets, ends (RFC 5922, RFC 9325).
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/tls_rig.h"

Suite *suite_tls(void);

enum { MESSAGE_BYTES = 65536 };

static char reply[MESSAGE_BYTES];

static void
start_require(void)
{
    tls_start("verify_client = \"require\";");
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
    ck_assert(tls_is_served(&p));
    ck_assert(tls_is_served(&p));
    ck_assert_int_eq(server_ctl(&tls_server, &out, "show connections", NULL), 0);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "TLSv1.3"));
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "client.example.net"));
    ck_assert_int_eq(server_ctl(&tls_server, &out, "show certificates", NULL), 0);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "two.example.com"));
    tls_peer_close(&p);
}
END_TEST

/* A program of others says what was agreed on, and hears the answer. */
START_TEST(openssl_s_client_is_served)
{
    char script[2048];
    const char *argv[] = { "sh", "-c", script, NULL };
    struct proc out;

    snprintf(script, sizeof script,
             "{ printf 'OPTIONS sip:127.0.0.1:%u SIP/2.0\\r\\nVia: SIP/2.0/TLS "
             "127.0.0.1:5;branch=z9hG4bKs\\r\\n"
             "Max-Forwards: 70\\r\\nFrom: <sip:a@127.0.0.1>;tag=1\\r\\nTo: "
             "<sip:127.0.0.1:%u>\\r\\nCall-ID: s\\r\\n"
             "CSeq: 1 OPTIONS\\r\\nContent-Length: 0\\r\\n\\r\\n'; i=0; until grep -qs 'SIP/2.0 "
             "200 OK' %s/seen || [ $i = 300 ]; do i=$((i + 1)); sleep 0.1; done; } |"
             " openssl s_client -connect 127.0.0.1:%u -CAfile %s -verify_return_error -alpn sip/2 "
             ">%s/seen 2>&1;"
             " grep -q 'ALPN protocol: sip/2' %s/seen && grep -q 'SIP/2.0 200 OK' %s/seen || { cat "
             "%s/seen; exit 1; }",
             tls_port, tls_port, proc_dir(), tls_port, certs_path("ca.pem"), proc_dir(), proc_dir(),
             proc_dir(), proc_dir());
    ck_assert_msg(proc_run(&out, "s_client", PROC_PATIENCE_MS, argv), "%s", proc_output(&out));
}
END_TEST

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
        ck_assert_str_eq(tls_shown_name(&p, name), cases[i][1]);
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

    ck_assert_int_eq(tls_connects(&wish), clients[_i].why == NULL);
    if (clients[_i].why)
        tls_must_log(clients[_i].why);
    ck_assert_uint_eq(proc_said(&tls_server.proc, "tls-refused"), clients[_i].why != NULL);
}
END_TEST

START_TEST(a_bad_certificate_is_refused_where_none_is_needed)
{
    ck_assert(tls_connects(&(struct tls_wish){ 0 }));
    ck_assert(!tls_connects(&(struct tls_wish){ .cert = "unknown" }));
    tls_must_log("why=unknown-ca");
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
    ck_assert_int_eq(tls_connects(&offers[_i].wish), offers[_i].why == NULL);
    if (offers[_i].why)
        tls_must_log(offers[_i].why);
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
    ck_assert(tls_connects(&wish));
}
END_TEST

START_TEST(what_is_not_tls_is_refused)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(tls_port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    server_send(fd, "OPTIONS sip:example.com SIP/2.0\n\n");
    tls_must_log("why=not-tls");
    close(fd);
}
END_TEST

/* ---- the end of one direction */

/* What comes until the end, which must be said and not only happen; its length. */
static size_t
hear_to_the_end(struct tls_peer *p, char *to, size_t room)
{
    size_t all = 0, len;

    while (SSL_read_ex(p->ssl, to + all, room - 1 - all, &len) == 1)
        all += len;
    ck_assert_int_eq(SSL_get_error(p->ssl, 0), SSL_ERROR_ZERO_RETURN);
    to[all] = '\0';
    return all;
}

static const int end_versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* RFC 8446 §6.1: who says that no more comes hears what he asked for, and the end: of TLS at once, and then of the stream. */
START_TEST(who_has_said_all_is_answered)
{
    struct tls_wish wish = { .version = end_versions[_i / 2] };
    struct tls_peer p;
    bool stream_ends = _i % 2 == 1;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    SSL_set_mode(p.ssl, SSL_MODE_AUTO_RETRY);
    tls_ask(&p);
    ck_assert_int_ge(SSL_shutdown(p.ssl), 0);
    if (stream_ends)
        shutdown(p.fd, SHUT_WR);
    ck_assert_uint_gt(hear_to_the_end(&p, reply, sizeof reply), 0);
    ck_assert_ptr_eq(strstr(reply, "SIP/2.0 200"), reply);
    ck_assert_int_eq(recv(p.fd, reply, sizeof reply, 0), 0);
    tls_peer_close(&p);
}
END_TEST

START_TEST(who_has_nothing_to_say_hears_the_end)
{
    struct tls_peer p;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &(struct tls_wish){ 0 }));
    ck_assert_int_ge(SSL_shutdown(p.ssl), 0);
    ck_assert_uint_eq(hear_to_the_end(&p, reply, sizeof reply), 0);
    tls_peer_close(&p);
}
END_TEST

/* ---- tickets */

static SSL_SESSION *
session_of(const struct tls_wish *wish)
{
    struct tls_peer p;
    SSL_SESSION *session;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, wish));
    ck_assert(tls_is_served(&p));
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
    ck_assert(tls_is_served(&p));
    tls_peer_close(&p);
    return resumed;
}

START_TEST(a_session_is_resumed_until_trust_changes)
{
    struct tls_wish wish = { .version = _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION };
    SSL_SESSION *session = session_of(&wish);
    struct proc out;

    ck_assert(is_resumed(wish, session));
    ck_assert_uint_eq(tls_counter("tls_resumed"), 1);
    ck_assert_int_eq(server_ctl(&tls_server, &out, "reload", NULL), 0);
    ck_assert(is_resumed(wish, session));
    proc_run(&out, "touch", PROC_PATIENCE_MS,
             (const char *[]){ "touch", "-d", "2001-01-01", tls_own("trusted.pem"), NULL });
    ck_assert_int_eq(server_ctl(&tls_server, &out, "reload", NULL), 0);
    ck_assert(!is_resumed(wish, session));
    SSL_SESSION_free(session);
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
    int udp = server_socket(&tls_server, "127.0.0.1"), listening;
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
        ck_assert(tls_is_served(&p)); /* … and he may ask us by it */
    } else {
        (void)tls_peer_accept(&p, listening, &wish); /* with TLS 1.3 it hears so later */
        ck_assert_uint_gt(server_receive(udp, reply, sizeof reply, PROC_PATIENCE_MS), 0);
        ck_assert_ptr_eq(strstr(reply, "SIP/2.0 500"), reply);
        tls_must_log(servers[_i].why);
        tls_must_log("name=127.0.0.1");
    }
    tls_peer_close(&p);
    close(listening);
    close(udp);
}
END_TEST

Suite *
suite_tls(void)
{
    Suite *suite = suite_create("tls");
    TCase *optional = tcase_create("optional"), *require = tcase_create("require");

    tcase_set_timeout(optional, 60);
    tcase_set_timeout(require, 60);
    tcase_add_unchecked_fixture(optional, certs_make, NULL); /* once: it takes its time */
    tcase_add_unchecked_fixture(require, certs_make, NULL);
    tcase_add_checked_fixture(optional, tls_start_optional, tls_stop);
    tcase_add_checked_fixture(require, start_require, tls_stop);
    tcase_add_test(optional, a_client_is_served_and_shown);
    tcase_add_test(optional, openssl_s_client_is_served);
    tcase_add_test(optional, the_name_chooses_the_certificate);
    tcase_add_test(optional, a_bad_certificate_is_refused_where_none_is_needed);
    tcase_add_loop_test(optional, versions_and_suites_are_good_ones, 0,
                        (int)(sizeof offers / sizeof *offers));
    tcase_add_test(optional, nobody_shakes_hands_twice);
    tcase_add_test(optional, what_is_not_tls_is_refused);
    tcase_add_loop_test(optional, who_has_said_all_is_answered, 0, 4);
    tcase_add_test(optional, who_has_nothing_to_say_hears_the_end);
    tcase_add_loop_test(optional, a_session_is_resumed_until_trust_changes, 0, 2);
    tcase_add_loop_test(optional, a_server_must_prove_who_it_is, 0,
                        (int)(sizeof servers / sizeof *servers));
    tcase_add_loop_test(require, a_client_without_a_good_certificate_is_refused, 0,
                        (int)(sizeof clients / sizeof *clients));
    suite_add_tcase(suite, optional);
    suite_add_tcase(suite, require);
    return suite;
}
