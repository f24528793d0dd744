/*
 * A capture of sipctl's of every way that messages take: datagrams, TCP and TLS, IPv4 and IPv6, small ones and such as are larger
 * than a packet; tshark reads them all.
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/certs.h"
#include "live/tracer.h"

Suite *suite_trace_ways(void);

static struct server server;

enum { BIG = 100000 };

static uint16_t tls_port;

static void
start(void)
{
    char settings[1500], listeners[256];
    int n;

    certs_make();
    certs_copy("server.pem", "own.pem", "644");
    certs_copy("server.key", "own.key", "600");
    tls_port = proc_port("127.0.0.1");
    n = snprintf(listeners, sizeof listeners,
                 "{ transport = \"tls\"; address = \"127.0.0.1\"; port = %u; }", tls_port);
    if (proc_has_ip("::1"))
        snprintf(listeners + n, sizeof listeners - (size_t)n,
                 ", { transport = \"tls\"; address = \"::1\"; port = %u; }", tls_port);
    server_also_listen(listeners);
    snprintf(settings, sizeof settings,
             "modules = [ \"tls\" ];\nproxy = { relay = \"any\"; };\n"
             "limits = { message_bytes = 200000; };\ndrain_s = 1;\n"
             "tls = { certificate = \"%s/own.pem\"; key = \"%s/own.key\"; };",
             proc_dir(), proc_dir());
    server_make(&server, "ways", settings);
    server_also_listen(NULL);
    server_start(&server);
}

static void
stop(void)
{
    server_stop(&server);
}

/* A connected socket; the address may be of either family. */
static int
connect_to(const char *ip, uint16_t port)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    bool six = strchr(ip, ':') != NULL;
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(
        inet_pton(six ? AF_INET6 : AF_INET, ip, six ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr),
        1);
    ck_assert_int_eq(connect(fd, six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
                             six ? sizeof v6 : sizeof v4),
                     0);
    return fd;
}

/* A request with a large body, as text; lent until the next call. */
static const char *
big_request(const char *method, const char *uri, const char *transport, const char *id)
{
    static char text[BIG + 2000];
    int n = snprintf(text, sizeof text,
                     "%s %s SIP/2.0\r\nVia: SIP/2.0/%s 127.0.0.1:5;branch=z9hG4bK%s\r\n"
                     "Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <%s>\r\n"
                     "Call-ID: %s\r\nCSeq: 1 %s\r\nContent-Type: text/plain\r\n"
                     "Content-Length: %d\r\n\r\n",
                     method, uri, transport, id, uri, id, method, BIG);

    memset(text + n, 'x', BIG);
    text[n + BIG] = '\0';
    return text;
}

static void
ask_big(const char *ip, const char *id)
{
    int fd = connect_to(ip, server.port);
    const char *text;
    char reply[4096], uri[64];

    snprintf(uri, sizeof uri, strchr(ip, ':') ? "sip:[%s]:%u" : "sip:%s:%u", ip, server.port);
    text = big_request("OPTIONS", uri, "TCP", id);
    ck_assert_int_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
    ck_assert_uint_gt(server_receive(fd, reply, sizeof reply, PROC_PATIENCE_MS), 0);
    ck_assert_msg(strncmp(reply, "SIP/2.0 200", 11) == 0, "%s", reply);
    close(fd);
}

/* To a peer that is connected to: what arrives there is taken until it is all. */
static void
forward_big(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    int listening = socket(AF_INET, SOCK_STREAM, 0), from, to;
    char uri[64], bytes[4096];
    const char *text;
    size_t taken = 0;
    ssize_t n;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    getsockname(listening, (struct sockaddr *)&at, &len);
    snprintf(uri, sizeof uri, "sip:x@127.0.0.1:%u;transport=tcp", ntohs(at.sin_port));
    text = big_request("MESSAGE", uri, "TCP", "forwarded");
    from = connect_to("127.0.0.1", server.port);
    ck_assert_int_eq(send(from, text, strlen(text), 0), (ssize_t)strlen(text));
    to = accept(listening, NULL, NULL);
    while (taken < BIG && (n = recv(to, bytes, sizeof bytes, 0)) > 0)
        taken += (size_t)n;
    close(to);
    close(from);
    close(listening);
}

static void
ask_over_tls(void)
{
    struct tls_wish wish = { .cert = NULL };
    struct tls_peer p;
    char uri[64], reply[4096];
    const char *text;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    snprintf(uri, sizeof uri, "sip:127.0.0.1:%u", tls_port);
    text = big_request("OPTIONS", uri, "TLS", "over-tls");
    ck_assert_int_eq(SSL_write(p.ssl, text, (int)strlen(text)), (int)strlen(text));
    ck_assert_uint_gt(tls_peer_receive(&p, reply, sizeof reply), 0);
    ck_assert_msg(strncmp(reply, "SIP/2.0 200", 11) == 0, "%s", reply);
    tls_peer_close(&p);
}

START_TEST(every_transport_family_and_size_is_captured)
{
    bool six = proc_has_ip("::1");
    char words[512], file[300];
    struct proc trace, out;

    snprintf(file, sizeof file, "%s/ways.pcap", proc_dir());
    snprintf(words, sizeof words, "trace all --pcap - >%s", file);
    tracer_start(&trace, &server, "ways", words);
    tracer_knock(&server);
    ask_big("127.0.0.1", "four");
    if (six)
        ask_big("::1", "six");
    forward_big();
    ask_over_tls();
    while (tracer_count(tracer_judge(file, "sip.Call-ID == \"over-tls\"", &out), "SIP/2.0") < 2)
        proc_pause(50);
    tracer_end(&trace);
    ck_assert_ptr_nonnull(strstr(tracer_output(&trace), "holds secrets"));
    tracer_judge_all(file);
    snprintf(words, sizeof words, "sip.Content-Length == %d", BIG);
    tracer_judge(file, words, &out);
    ck_assert_msg(tracer_count(tracer_output(&out), "SIP/2.0") == (six ? 5 : 4), "%s",
                  tracer_output(&out));
    ck_assert_ptr_nonnull(strstr(tracer_output(&out), "MESSAGE sip:x@127.0.0.1"));
    tracer_judge(file, "sip.Status-Code == 200 && ipv6", &out);
    ck_assert_uint_ge(tracer_count(tracer_output(&out), "SIP/2.0 200"), six);
}
END_TEST

/* ---------------------------------------------------------------- a call from one to the other */

static uint16_t
port_of(int fd)
{
    struct sockaddr_in6 at;
    socklen_t len = sizeof at;

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    return ntohs(at.sin6_port);
}

/* The answer to a request: what §8.2.6.2 copies. */
static void
answer(int fd, char *request)
{
    static const char *const copied[] = { "Via:", "Record-Route:", "From:",
                                          "To:",  "Call-ID:",      "CSeq:" };
    char lines[4096] = "";

    for (char *line = strtok(request, "\r\n"); line; line = strtok(NULL, "\r\n"))
        for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
            if (strncmp(line, copied[i], strlen(copied[i])) == 0)
                snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s%s\n", line,
                         i == 3 ? ";tag=six" : "");
    server_send(fd, "SIP/2.0 200 OK\n%sContact: <sip:six@[::1]>\nContent-Length: 0\n\n", lines);
}

/* A caller over TLS and IPv4, a callee over UDP and IPv6. */
static void
call_from_tls_to_six(struct tls_peer *caller, int callee)
{
    char text[4096] = "";

    tls_peer_send(
        caller,
        "INVITE sip:six@[::1]:%u SIP/2.0\nVia: SIP/2.0/TLS 127.0.0.1:5;branch=z9hG4bKsix\n"
        "Max-Forwards: 70\nFrom: <sip:tls@127.0.0.1>;tag=1\nTo: <sip:six@[::1]>\n"
        "Call-ID: from-tls-to-six\nCSeq: 1 INVITE\nContact: <sip:tls@127.0.0.1:5;transport=tls>\n"
        "Content-Length: 0\n\n",
        port_of(callee));
    ck_assert_uint_gt(server_receive(callee, text, sizeof text, PROC_PATIENCE_MS), 0);
    ck_assert_msg(strncmp(text, "INVITE ", 7) == 0, "%s", text);
    answer(callee, text);
    while (!strstr(text, "SIP/2.0 200"))
        ck_assert_uint_gt(tls_peer_receive(caller, text, sizeof text), 0);
}

START_TEST(a_call_from_tls_to_ipv6_is_explained)
{
    char lane[32], to[64];
    const char *const ways[] = { "127.0.0.1:",  lane,     "tls",        "udp",    "INVITE six",
                                 "goes to",     to,       "INVITE six", "200 OK", "ends with 200",
                                 "200 goes up", "200 OK", NULL };
    struct tls_wish wish = { .cert = NULL };
    struct tls_peer caller;
    struct proc trace, out;
    int callee;

    if (!proc_has_ip("::1"))
        return;
    callee = server_socket(&server, "::1");
    snprintf(lane, sizeof lane, "[::1]:%u\n", port_of(callee));
    snprintf(to, sizeof to, "udp:[::1]:%u,", port_of(callee));
    ck_assert(tls_peer_connect(&caller, "127.0.0.1", tls_port, &wish));
    tracer_start(&trace, &server, "tls-six", "trace all");
    call_from_tls_to_six(&caller, callee);
    tracer_says(&trace, "200");
    tracer_end(&trace);
    tracer_has(&trace, ways);
    ck_assert_int_eq(server_ctl(&server, &out, "explain from-tls-to-six", NULL), 0);
    tracer_has(&out, ways);
    tls_peer_close(&caller);
    close(callee);
}
END_TEST

START_TEST(what_would_happen_is_told_of_tls_and_ipv6)
{
    static const char *const ways[] = { "branch 1: goes to tls:[::1]:5077",
                                        "So: it goes to 1 place", NULL };
    struct proc out;

    if (!proc_has_ip("::1"))
        return;
    ck_assert_int_eq(server_ctl(&server, &out,
                                "explain INVITE 'sip:x@[::1]:5077;transport=tls' from [::1]:5070",
                                NULL),
                     0);
    tracer_has(&out, ways);
}
END_TEST

Suite *
suite_trace_ways(void)
{
    Suite *suite = suite_create("trace_ways");
    TCase *tcase = tcase_create("trace_ways");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_test(tcase, every_transport_family_and_size_is_captured);
    tcase_add_test(tcase, a_call_from_tls_to_ipv6_is_explained);
    tcase_add_test(tcase, what_would_happen_is_told_of_tls_and_ipv6);
    suite_add_tcase(suite, tcase);
    return suite;
}
