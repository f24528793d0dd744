/*
 * The program as a client of OpenSSL's s_server, another's program: who is believed hears the request, who is not hears of it by
 * an alert, and our log says who it was and why (RFC 5922 §7.3).
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live/tls_rig.h"

Suite *suite_tls_s_server(void);

enum { MESSAGE_BYTES = 65536 };

static struct proc peer;
static int peer_input,
    caller;           /* what is written there the peer sends; our UDP socket to the server */
static uint16_t port; /* of the peer */

static void
start(void)
{
    tls_start("");
    caller = server_socket(&tls_server, "127.0.0.1");
    peer_input = -1;
    peer = (struct proc){ .pid = 0 };
}

static void
stop(void)
{
    if (peer.pid)
        proc_stop(&peer);
    if (peer_input >= 0)
        close(peer_input);
    close(caller);
    tls_stop();
}

/* It shows this certificate, and wants one of us that is good. */
static void
start_peer(const char *cert)
{
    char fifo[300], command[2048];
    const char *argv[] = { "/bin/sh", "-c", command, NULL };

    port = proc_port("127.0.0.1");
    snprintf(fifo, sizeof fifo, "%s/said", proc_dir());
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    peer_input = open(fifo, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(peer_input, 0);
    snprintf(command, sizeof command,
             "cd %s && exec openssl s_server -accept 127.0.0.1:%u -cert %s.pem -key %s.key -CAfile "
             "ca.pem -Verify 2 -verify_return_error -alpn sip/2 <%s",
             certs_path(""), port, cert, cert, fifo);
    proc_start(&peer, "s_server", argv);
    ck_assert_msg(proc_says(&peer, "ACCEPT", PROC_PATIENCE_MS), "%s", proc_output(&peer));
}

static void
ask(const char *method)
{
    server_send(caller,
                "%s sip:bob@127.0.0.1:%u;transport=tls SIP/2.0\n"
                "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKs_server;rport\nMax-Forwards: 70\n"
                "From: <sip:a@example.com>;tag=1\nTo: <sip:bob@127.0.0.1>\nCall-ID: s_server\n"
                "CSeq: 1 %s\nContact: <sip:a@127.0.0.1>\nContent-Length: 0\n\n",
                method, port, method);
}

static void
peer_must_say(const char *text)
{
    ck_assert_msg(proc_says(&peer, text, PROC_PATIENCE_MS), "no \"%s\" in:\n%.3000s", text,
                  proc_output(&peer));
}

/* The final answer, whose first line begins so. */
static void
caller_must_hear(const char *start_of_line)
{
    static char reply[MESSAGE_BYTES];

    do
        ck_assert_uint_gt(server_receive(caller, reply, sizeof reply, PROC_PATIENCE_MS), 0);
    while (strncmp(reply, "SIP/2.0 1", 9) == 0);
    ck_assert_msg(strncmp(reply, start_of_line, strlen(start_of_line)) == 0, "%s", reply);
}

/* Answers what the peer has heard: its head from Via on, but for what only requests have. */
static void
answer(const char *method)
{
    static char reply[MESSAGE_BYTES];
    const char *request, *line, *end;
    char first[32];
    size_t len;

    snprintf(first, sizeof first, "%s sip:", method);
    request = strstr(proc_output(&peer), first);
    ck_assert_ptr_nonnull(request);
    len = (size_t)snprintf(reply, sizeof reply, "SIP/2.0 200 OK\r\n");
    for (line = strstr(request, "\r\n") + 2; (end = strstr(line, "\r\n")) && end > line;
         line = end + 2)
        if (strncmp(line, "Max-", 4) != 0)
            len += (size_t)snprintf(reply + len, sizeof reply - len, "%.*s", (int)(end + 2 - line),
                                    line);
    len += (size_t)snprintf(reply + len, sizeof reply - len, "\r\n");
    ck_assert_int_eq(write(peer_input, reply, len), (ssize_t)len);
}

static const char *const methods[] = { "OPTIONS", "INVITE" };

START_TEST(s_server_hears_us_and_is_heard)
{
    char first[64];

    start_peer("server");
    ask(methods[_i]);
    snprintf(first, sizeof first, "%s sip:bob@127.0.0.1:%u;transport=tls SIP/2.0\r\n", methods[_i],
             port);
    peer_must_say(first);
    peer_must_say("\r\n\r\n"); /* to its end */
    peer_must_say("Via: SIP/2.0/TLS 127.0.0.1:");
    peer_must_say("ALPN protocols selected: sip/2"); /* RFC 7301 */
    peer_must_say("depth=0 CN");                     /* our certificate, which it has found good */
    answer(methods[_i]);
    caller_must_hear("SIP/2.0 200 OK\r\n");
    ck_assert_uint_eq(proc_said(&tls_server.proc, "tls-refused"), 0);
}
END_TEST

static const struct {
    const char *cert, *why, *alert;
} bad[] = {
    { "elsewhere", "why=wrong-host", "alert bad certificate" },
    { "expired", "why=expired", "alert certificate expired" },
    { "self", "why=self-signed", "alert unknown ca" },
    { "unknown", "why=unknown-ca", "alert unknown ca" },
};

START_TEST(s_server_without_a_good_certificate_hears_nothing)
{
    char at[64];

    start_peer(bad[_i].cert);
    ask("OPTIONS");
    caller_must_hear("SIP/2.0 500 ");
    tls_must_log(bad[_i].why);
    tls_must_log("name=127.0.0.1");
    snprintf(at, sizeof at, "127.0.0.1:%u", port);
    tls_must_log(at);
    ck_assert_uint_eq(proc_said(&tls_server.proc, "tls-refused"), 1);
    peer_must_say(bad[_i].alert);
    ck_assert_uint_eq(proc_said(&peer, "OPTIONS"), 0);
}
END_TEST

Suite *
suite_tls_s_server(void)
{
    Suite *suite = suite_create("tls_s_server");
    TCase *tcase = tcase_create("s_server");

    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, certs_make, NULL);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_loop_test(tcase, s_server_hears_us_and_is_heard, 0,
                        (int)(sizeof methods / sizeof *methods));
    tcase_add_loop_test(tcase, s_server_without_a_good_certificate_hears_nothing, 0,
                        (int)(sizeof bad / sizeof *bad));
    suite_add_tcase(suite, tcase);
    return suite;
}
