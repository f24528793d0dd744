/*
 * baresip over TLS: with itself, with UDP and TCP, over IPv4 and IPv6, and with a certificate of its own.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "live/certs.h"
#include "live/phone.h"
#include "live/server.h"

Suite *suite_tls_phones(void);

static struct server server;
static uint16_t tls_port, tls_port6;

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
stop(void)
{
    server_stop(&server);
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
suite_tls_phones(void)
{
    Suite *suite = suite_create("tls_phones");
    TCase *c = tcase_create("phones");

    tcase_set_timeout(c, 60);
    tcase_add_unchecked_fixture(c, certs_make, NULL);
    tcase_add_checked_fixture(c, start_for_phones, stop);
    tcase_add_loop_test(c, phones_call_each_other_over_tls, 0, (int)(sizeof pairs / sizeof *pairs));
    tcase_add_test(c, a_phone_shows_its_certificate);
    suite_add_tcase(suite, c);
    return suite;
}
