/*
 * sipctl restart: a call and a registration around it, requests that come meanwhile, and what makes it be refused.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/hand.h"

Suite *suite_restart(void);

static struct server server;
static struct proc out;
static struct hand alice, bob;

static void
end(void)
{
    proc_stop(&server.proc);
}

static int
ctl(const char *words)
{
    return server_ctl(&server, &out, words, NULL);
}

static bool
said(const char *text)
{
    return strstr(proc_output(&out), text) != NULL;
}

#define must_say(text) ck_assert_msg(said(text), "not said: %s, but:\n%s", text, proc_output(&out))
#define must_be(code, words) \
    ck_assert_msg(ctl(words) == (code), "not %d: %s:\n%s", code, words, proc_output(&out))

/* It has restarted so many times since it was started, and is the process that it was. */
static void
must_have_restarted(unsigned times)
{
    char pid[32];

    ck_assert_uint_eq(proc_said(&server.proc, " restarting"), times);
    ck_assert_uint_eq(proc_said(&server.proc, " ready "), times + 1);
    ck_assert(!proc_ends(&server.proc, 0));
    snprintf(pid, sizeof pid, "\"pid\": %d", (int)server.proc.pid);
    must_be(0, "--json status");
    must_say(pid);
}

/* ---- what survives */

static void
bob_registers(void)
{
    hand_says(&bob, server.port,
              "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP "
              "127.0.0.1:%u;branch=z9hG4bKr\nMax-Forwards: 70\n"
              "From: <sip:bob@example.com>;tag=r\nTo: <sip:bob@example.com>\nCall-ID: registered\n"
              "CSeq: 1 REGISTER\nContact: <sip:bob@127.0.0.1:%u>\nExpires: 3600\n"
              "Content-Length: 0\n\n",
              bob.port, bob.port);
    hand_hears(&bob, "SIP/2.0 200 ");
}

static void
alice_asks(const char *method, unsigned cseq, const char *uri, const char *to_tag,
           const char *routes)
{
    hand_says(&alice, server.port,
              "%s %s SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s%u\n"
              "Max-Forwards: 70\nFrom: <sip:alice@example.com>;tag=a\n"
              "To: <sip:bob@example.com>%s\nCall-ID: around\nCSeq: %u %s\n"
              "Contact: <sip:alice@127.0.0.1:%u>\n%sContent-Length: 0\n\n",
              method, uri, alice.port, method, cseq, to_tag, cseq, method, alice.port, routes);
}

START_TEST(a_call_and_a_registration_outlive_it)
{
    char routes[4096], contact[256];

    server_make(&server, "around", "modules = [ \"registrar\" ];");
    server_start(&server);
    hand_open(&alice, "alice");
    hand_open(&bob, "bob");
    bob_registers();
    alice_asks("INVITE", 1, "sip:bob@example.com", "", "");
    hand_hears(&bob, "INVITE ");
    hand_answers(&bob, server.port, 200, "");
    hand_hears(&alice, "SIP/2.0 200 ");
    hand_routes(alice.heard, true, routes, sizeof routes);
    snprintf(contact, sizeof contact, "%s", hand_contact(alice.heard));
    ck_assert_uint_gt(strlen(routes), 0);
    alice_asks("ACK", 1, contact, ";tag=bob", routes);
    hand_hears(&bob, "ACK ");

    must_be(0, "--json restart");
    must_say("\"pid\": ");
    must_have_restarted(1);
    alice_asks("BYE", 2, contact, ";tag=bob", routes);
    hand_hears(&bob, "BYE ");
    hand_answers(&bob, server.port, 200, "");
    hand_hears(&alice, "SIP/2.0 200 ");

    must_be(0, "restart");
    must_have_restarted(2);
    while (ctl("--json show counters registrar_reading") == 0 && !said("\"value\": 0"))
        proc_pause(10);
    alice_asks("MESSAGE", 3, "sip:bob@example.com", "", "");
    hand_hears(&bob, "MESSAGE ");
    hand_answers(&bob, server.port, 200, "");
    hand_hears(&alice, "SIP/2.0 200 ");
    hand_close(&alice);
    hand_close(&bob);
    server_stop(&server);
}
END_TEST

/* OPTIONS without an answer yet, and those that were refused by a port that is shut. */
struct asker {
    int fd;
    unsigned asked, answered, refused;
};

static void
ask(struct asker *a)
{
    char reply[4096];
    ssize_t len;

    server_send(
        a->fd,
        "OPTIONS sip:127.0.0.1:%u SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa%u;rport\n"
        "Max-Forwards: 70\nFrom: <sip:x@127.0.0.1>;tag=1\nTo: <sip:127.0.0.1>\n"
        "Call-ID: asker-%u\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n",
        server.port, a->asked, a->asked);
    a->asked++;
    while ((len = recv(a->fd, reply, sizeof reply, MSG_DONTWAIT)) != -1 || errno == ECONNREFUSED) {
        a->refused += len < 0;
        a->answered += len > 12 && strncmp(reply, "SIP/2.0 200 ", 12) == 0;
    }
}

/* Who asks meanwhile waits a moment, and is answered. */
START_TEST(no_port_is_shut_meanwhile)
{
    const char *argv[] = { NULL, "-s", server.socket, "restart", NULL };
    const char *build = getenv("SIPD_BUILD") ? getenv("SIPD_BUILD") : "build";
    struct asker asker = { .asked = 0 };
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
    char sipctl[256];

    server_make(&server, "open", "");
    server_start(&server);
    asker.fd = server_socket(&server, "127.0.0.1");
    snprintf(sipctl, sizeof sipctl, "%s/sipctl", build);
    argv[0] = sipctl;
    proc_start(&out, "restart", argv);
    while (!proc_ends(&out, 0) || proc_said(&server.proc, " ready ") < 2) {
        ask(&asker);
        proc_pause(5);
        ck_assert_uint_lt(proc_now_ms(), until);
    }
    while (asker.answered < asker.asked - 1) {
        char reply[4096];

        ck_assert_msg(server_receive(asker.fd, reply, sizeof reply, PROC_PATIENCE_MS) > 0,
                      "%u of %u were answered", asker.answered, asker.asked);
        asker.answered += strncmp(reply, "SIP/2.0 200 ", 12) == 0;
    }
    ck_assert_uint_eq(asker.refused, 0);
    must_have_restarted(1);
    close(asker.fd);
    server_stop(&server);
}
END_TEST

/* Who connects meanwhile is taken in by the new one, and other settings hold. */
START_TEST(other_settings_are_taken)
{
    uint16_t other;

    server_make(&server, "other", "");
    server_start(&server);
    other = proc_server_port();
    proc_file("other.conf",
              "domains = [ \"example.net\" ];\n"
              "listen = ( { transport = \"tcp\"; address = \"127.0.0.1\"; port = %u; },\n"
              "           { transport = \"udp\"; address = \"127.0.0.1\"; port = %u; } );\n"
              "state_dir = \"%s/other-state\"; control = { socket = \"%s/else.sock\"; };\n"
              "user = \"root\"; group = \"root\";\n",
              server.port, other, proc_dir(), proc_dir());
    must_be(0, "restart");
    snprintf(server.socket, sizeof server.socket, "%s/else.sock", proc_dir());
    must_have_restarted(1);
    must_be(0, "show config domains");
    must_say("example.net");
    ck_assert(proc_listens("127.0.0.1", true, server.port));
    ck_assert(!proc_listens("127.0.0.1", false, server.port));
    ck_assert(proc_listens("127.0.0.1", false, other));
    server_stop(&server);
}
END_TEST

/* ---- what is refused */

START_TEST(what_is_wrong_changes_nothing)
{
    struct hand other;

    server_make(&server, "wrong", "");
    server_start(&server);
    proc_file("wrong.conf", "drain = 4;\n");
    must_be(1, "restart");
    must_say("wrong.conf:1: drain: there is no such key; the nearest is drain_s");
    must_have_restarted(0);

    /* A port that another has is none that -t knows of. */
    hand_open(&other, "other");
    proc_file("wrong.conf",
              "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; port = %u; } );\n"
              "state_dir = \"%s/wrong-state\"; control = { socket = \"%s\"; };\n"
              "user = \"root\"; group = \"root\";\n",
              other.port, proc_dir(), server.socket);
    must_be(1, "restart");
    must_say("end the program that has it");
    must_have_restarted(0);
    ck_assert(proc_listens("127.0.0.1", false, server.port));
    hand_close(&other);
    ck_assert_uint_eq(proc_said(&server.proc, "not-restarted"), 2);
    server_stop(&server);
}
END_TEST

Suite *
suite_restart(void)
{
    Suite *suite = suite_create("restart");
    TCase *tcase = tcase_create("all");

    tcase_add_unchecked_fixture(tcase, proc_begin, NULL);
    tcase_add_checked_fixture(tcase, NULL, end);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_call_and_a_registration_outlive_it);
    tcase_add_test(tcase, no_port_is_shut_meanwhile);
    tcase_add_test(tcase, other_settings_are_taken);
    tcase_add_test(tcase, what_is_wrong_changes_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
