/*
 * Names: the dns module against a real name server with a zone for each rule (RFC 3263, RFC 2782, RFC 7984).
 */
#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/certs.h"
#include "live/dns_rig.h"
#include "live/throw.h"

Suite *suite_dns(void);

/* ---------------------------------------------------------------- zones for each rule */

/* Forty hosts of long names: more than a datagram holds, so the answer comes by TCP. */
static void
put_many(char *to, size_t room, uint16_t port)
{
    for (int i = 0; i < 40; i++)
        snprintf(to + strlen(to), room - strlen(to),
                 "_sip._udp.many IN SRV %d 1 %u a-rather-long-name-of-a-host-%d\n"
                 "a-rather-long-name-of-a-host-%d IN A 127.0.0.1\n",
                 i, port, i, i);
}

START_TEST(a_zone_for_each_rule)
{
    uint16_t udp = dns_place(false, "127.0.0.1"), other = dns_place(false, "127.0.0.1"),
             tcp = dns_place(true, "127.0.0.1");
    char rules[12000], uri[128];
    const char *const zones[][2] = { { "rules.test", rules },
                                     { "hosted.test", "host IN A 127.0.0.1\n" },
                                     { NULL, NULL } };

    for (int i = 0; i < DNS_PLACES; i++)
        dns_says[i] = "200 Yes";
    snprintf(
        rules, sizeof rules,
        "plain IN A 127.0.0.1\n"
        "srv IN A 127.0.0.9\n_sip._udp.srv IN SRV 1 1 %u plain\n"
        "onlytcp IN A 127.0.0.9\n_sip._tcp.onlytcp IN SRV 1 1 %u plain\n"
        "naptr IN NAPTR 10 1 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.naptr\n"
        "naptr IN NAPTR 20 1 \"s\" \"SIP+D2T\" \"\" _sip._tcp.naptr\n"
        "naptr IN NAPTR 30 1 \"s\" \"SIP+D2U\" \"\" _sip._udp.naptr\n"
        "_sip._tcp.naptr IN SRV 1 1 %u host.hosted.test.\n_sip._udp.naptr IN SRV 1 1 %u plain\n"
        "alias IN CNAME srv\n_sip._udp.alias IN CNAME _sip._udp.srv\n"
        "denied IN A 127.0.0.1\n_sip._udp.denied IN SRV 0 0 0 .\n_sip._tcp.denied IN SRV 0 0 0 .\n",
        udp, tcp, tcp, other);
    put_many(rules, sizeof rules, udp);
    dns_start_with_nsd(zones, "");
    dns_expect("sip:a@srv.rules.test", "0", "200");
    dns_expect("sip:a@srv.rules.test;transport=udp", "0", "200");
    dns_expect("sip:a@onlytcp.rules.test", "2", "200");
    dns_expect("sip:a@naptr.rules.test", "2", "200");
    dns_expect("sip:a@naptr.rules.test;transport=udp", "1", "200");
    dns_expect("sip:a@alias.rules.test;transport=udp", "0", "200");
    dns_expect("sip:a@many.rules.test", "0", "200");
    dns_expect("sip:a@denied.rules.test", "", "404");
    dns_expect("sip:a@nowhere.rules.test", "", "404");
    snprintf(uri, sizeof uri, "sip:a@plain.rules.test:%u", other);
    dns_expect(uri, "1", "200");
    snprintf(uri, sizeof uri, "sip:a@plain.rules.test:%u;transport=tcp", tcp);
    dns_expect(uri, "2", "200");
    dns_expect("sip:a@192.0.2.1;maddr=srv.rules.test;transport=udp", "0", "200");
    dns_stop();
}
END_TEST

/* RFC 7984: both families of one name, each tried. The one of the two that is deaf has the network say so. */
START_TEST(both_families)
{
    char zone[256], uri[128];
    const char *const zones[][2] = { { "dual.test", zone }, { NULL, NULL } };
    uint16_t four, six;

    if (!proc_has_ip("::1")) {
        proc_skip("a name with addresses of both families", "there is no IPv6");
        return;
    }
    six = dns_place(false, "::1");
    four = dns_place(false, "127.0.0.1");
    dns_says[0] = dns_says[1] = "200 Yes";
    snprintf(zone, sizeof zone, "both IN AAAA ::1\nboth IN A 127.0.0.1\n");
    dns_start_with_nsd(zones, "");
    snprintf(uri, sizeof uri, "sip:a@both.dual.test:%u", six);
    dns_expect(uri, "0", "200");
    snprintf(uri, sizeof uri, "sip:a@both.dual.test:%u", four);
    dns_expect(uri, "1", "200");
    dns_stop();
}
END_TEST

/* A root folder that is no whole system has no such file. */
static bool
hosts_know_localhost(void)
{
    FILE *hosts = fopen("/etc/hosts", "r");
    char line[256];
    bool known = false;

    while (hosts && !known && fgets(line, sizeof line, hosts))
        known = strstr(line, "localhost") != NULL;
    if (hosts)
        fclose(hosts);
    return known;
}

START_TEST(hosts_and_several_servers)
{
    uint16_t udp = dns_place(false, "127.0.0.1"), nobody = proc_port("127.0.0.1"), port;
    const char *const zones[][2] = { { "two.test", "h IN A 127.0.0.1\n" }, { NULL, NULL } };
    char dns[256], uri[128];

    dns_says[0] = "200 Yes";
    port = dns_start_nsd(zones);
    snprintf(dns, sizeof dns,
             "servers = [ \"127.0.0.1:%u\", \"127.0.0.1:%u\" ]; timeout_ms = 2000;", nobody, port);
    dns_start(dns);
    snprintf(uri, sizeof uri, "sip:a@h.two.test:%u", udp);
    dns_expect(uri, "0", "200");
    snprintf(uri, sizeof uri, "sip:a@localhost:%u", udp); /* DNS knows none such */
    if (hosts_know_localhost())
        dns_expect(uri, "0", "200");
    dns_stop();
}
END_TEST

/* ---------------------------------------------------------------- TLS */

static void
start_with_tls(const char *const zones[][2])
{
    char settings[2048], listener[128];

    certs_make();
    snprintf(listener, sizeof listener,
             "{ transport = \"tls\"; address = \"127.0.0.1\"; port = %u; }",
             proc_port("127.0.0.1"));
    server_also_listen(listener);
    snprintf(settings, sizeof settings,
             "proxy = { relay = \"any\"; };\ndrain_s = 1;\nmodules = [ \"dns\", \"tls\" ];\n"
             "dns = { servers = [ \"127.0.0.1:%u\" ]; };\n"
             "tls = { certificate = \"%s\"; key = \"%s\"; ca = \"%s\"; };",
             dns_start_nsd(zones), certs_path("server.pem"), certs_path("server.key"),
             certs_path("ca.pem"));
    server_make(&dns_server, "dns", settings);
    server_also_listen(NULL);
    server_start(&dns_server);
    dns_open_caller();
}

/* RFC 3263 §4.1, RFC 5922 §4: NAPTR prefers TLS, and who answers proves to be the domain that was asked for, not its host. */
START_TEST(a_domain_by_tls)
{
    uint16_t port = dns_place(true, "127.0.0.1");
    char zone[512], text[DNS_MESSAGE_BYTES];
    const char *const zones[][2] = { { "example.org", zone },
                                     { "example.net", zone },
                                     { NULL, NULL } };
    struct tls_wish wish = { .cert = "elsewhere" }; /* example.org's */
    struct tls_peer peer;

    snprintf(zone, sizeof zone,
             "@ IN NAPTR 10 1 \"s\" \"SIPS+D2T\" \"\" _sips._tcp\n"
             "@ IN NAPTR 20 1 \"s\" \"SIP+D2U\" \"\" _sip._udp\n"
             "_sips._tcp IN SRV 1 1 %u host\n_sip._udp IN SRV 1 1 9 host\nhost IN A 127.0.0.1\n",
             port);
    start_with_tls(zones);
    dns_ask("sip:a@example.org");
    ck_assert(tls_peer_accept(&peer, dns_places[0].fd, &wish));
    ck_assert_uint_gt(tls_peer_receive(&peer, text, sizeof text), 0);
    ck_assert(strstr(text, "OPTIONS sip:a@example.org ") == text);
    ck_assert_ptr_nonnull(strstr(text, "Via: SIP/2.0/TLS "));
    tls_peer_close(&peer);
    dns_ask("sip:a@example.net");
    (void)tls_peer_accept(&peer, dns_places[0].fd, &wish);
    ck_assert(proc_says(&dns_server.proc, "why=wrong-host", PROC_PATIENCE_MS));
    tls_peer_close(&peer);
    dns_stop();
}
END_TEST

/* ---------------------------------------------------------------- failover */

static bool
targets_say(const char *text)
{
    struct proc out;

    ck_assert_int_eq(server_ctl(&dns_server, &out, "show targets", NULL), 0);
    return strstr(proc_output(&out), text) != NULL;
}

/* The first is dead, the second says 503, the third answers; then only the third is asked, until the others' rest is over. */
START_TEST(three_servers_of_which_one_lives)
{
    uint16_t dead = proc_port("127.0.0.1"), busy = dns_place(false, "127.0.0.1"),
             good = dns_place(false, "127.0.0.1");
    char zone[512];
    const char *const zones[][2] = { { "farm.test", zone }, { NULL, NULL } };
    struct dns_outcome o, again;
    uint64_t until;

    dns_says[0] = "503 Later\r\nRetry-After: 3600";
    dns_says[1] = "200 Yes";
    snprintf(zone, sizeof zone,
             "_sip._udp IN SRV 1 1 %u h\n_sip._udp IN SRV 2 1 %u h\n_sip._udp IN SRV 3 1 %u h\nh "
             "IN A 127.0.0.1\n",
             dead, busy, good);
    dns_start_with_nsd(zones, "rest_s = 4; max_rest_s = 5;");
    until = proc_now_ms() + 3500; /* they rest for longer */
    o = dns_call("sip:a@farm.test");
    ck_assert_str_eq(o.status, "200");
    ck_assert_str_eq(o.places, "01");
    printf("dns: past a dead server and a 503 to the third in %u ms\n", (unsigned)o.ms);
    again = dns_call("sip:a@farm.test");
    ck_assert_str_eq(again.status, "200");
    ck_assert(targets_say("down") && targets_say("busy") && targets_say("good"));
    if (proc_now_ms() < until)
        ck_assert_str_eq(again.places, "1");
    for (until += PROC_PATIENCE_MS; strcmp(again.places, "01") != 0;
         again = dns_call("sip:a@farm.test")) {
        ck_assert_msg(proc_now_ms() < until, "it is never asked again");
        proc_pause(200);
    }
    ck_assert_str_eq(again.status, "200");
    ck_assert(proc_said(&dns_server.proc, "target-failed") > 0);
    dns_stop();
}
END_TEST

/* The first takes what comes and says nothing: the second is asked after proxy.silent_ms, and the first one rests. */
START_TEST(a_silent_server_is_left_for_the_next)
{
    enum { SILENT_MS = 4000 }; /* as it is by itself */
    uint16_t silent = dns_place(false, "127.0.0.1"), good = dns_place(false, "127.0.0.1");
    char zone[256];
    const char *const zones[][2] = { { "still.test", zone }, { NULL, NULL } };
    struct dns_outcome o;

    dns_says[1] = "200 Yes";
    dns_method = "INVITE";
    snprintf(zone, sizeof zone,
             "_sip._udp IN SRV 1 1 %u h\n_sip._udp IN SRV 2 1 %u h\nh IN A 127.0.0.1\n", silent,
             good);
    dns_start_with_nsd(zones, "rest_s = 600;");
    o = dns_call("sip:a@still.test");
    ck_assert_str_eq(o.places, "01");
    ck_assert_str_eq(o.status, "200");
    ck_assert_uint_ge(o.ms, SILENT_MS - 100);
    printf("dns: past a silent server to the second in %u ms\n", (unsigned)o.ms);
    ck_assert(targets_say("down"));
    dns_expect("sip:a@still.test", "1", "200");
    dns_stop();
}
END_TEST

/* ---------------------------------------------------------------- answers */

/* A connection from this address; nobody listens there. */
static int
connect_from(const char *ip)
{
    struct sockaddr_in from = { .sin_family = AF_INET },
                       to = { .sin_family = AF_INET, .sin_port = htons(dns_server.port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, ip, &from.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Its connection is reset, and the server has seen that. */
static void
cut(int fd)
{
    struct linger now = { .l_onoff = 1 };
    uint64_t closed = throw_count(&dns_server, "conns_closed"), until = proc_now_ms();

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    for (until += PROC_PATIENCE_MS; throw_count(&dns_server, "conns_closed") == closed;
         proc_pause(20))
        ck_assert_uint_lt(proc_now_ms(), until);
}

static void
wait_for(int fd)
{
    struct pollfd readable = { fd, POLLIN, 0 };

    ck_assert_int_eq(poll(&readable, 1, PROC_PATIENCE_MS), 1);
}

/*
 * RFC 3261 §18.2.2: the connection by which a request came is gone, and nobody takes another at the address that it came from.
 * RFC 3263 §5: the name in its Via leads on, with a port by addresses, without one by SRV.
 */
START_TEST(an_answer_finds_another_way)
{
    uint16_t callee = dns_place(false, "127.0.0.1"), back = dns_place(true, "127.0.0.2");
    char zone[256], sent_by[2][64], text[DNS_MESSAGE_BYTES];
    const char *const zones[][2] = { { "back.test", zone }, { NULL, NULL } };

    dns_says[0] = "200 Yes";
    snprintf(zone, sizeof zone,
             "host IN A 127.0.0.2\n_sip._tcp.service IN SRV 1 1 %u host\nservice IN A 127.0.0.9\n",
             back);
    snprintf(sent_by[0], sizeof sent_by[0], "host.back.test:%u", back);
    snprintf(sent_by[1], sizeof sent_by[1], "service.back.test");
    dns_start_with_nsd(zones, "");
    for (int i = 0; i < 2; i++) {
        int fd = connect_from("127.0.0.3");
        ssize_t len;

        server_send(fd,
                    "OPTIONS sip:a@127.0.0.1:%u SIP/2.0\nVia: SIP/2.0/TCP %s;branch=z9hG4bKback%d\n"
                    "Max-Forwards: 70\nFrom: <sip:a@back.test>;tag=a\nTo: <sip:a@127.0.0.1>\n"
                    "Call-ID: back%d\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n",
                    callee, sent_by[i], i, i);
        wait_for(dns_places[0].fd);
        cut(fd);
        ck_assert(dns_serve(0));
        wait_for(dns_places[1].fd);
        fd = accept(dns_places[1].fd, NULL, NULL);
        wait_for(fd);
        len = recv(fd, text, sizeof text - 1, 0);
        ck_assert_int_gt(len, 0);
        text[len] = '\0';
        ck_assert_ptr_eq(strstr(text, "SIP/2.0 200 Yes"), text);
        ck_assert_ptr_nonnull(strstr(text, sent_by[i]));
        cut(fd);
    }
    dns_stop();
}
END_TEST

Suite *
suite_dns(void)
{
    Suite *suite = suite_create("dns");
    TCase *tcase = tcase_create("dns");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, NULL, dns_clean_up);
    tcase_add_test(tcase, a_zone_for_each_rule);
    tcase_add_test(tcase, both_families);
    tcase_add_test(tcase, hosts_and_several_servers);
    tcase_add_test(tcase, a_domain_by_tls);
    tcase_add_test(tcase, three_servers_of_which_one_lives);
    tcase_add_test(tcase, a_silent_server_is_left_for_the_next);
    tcase_add_test(tcase, an_answer_finds_another_way);
    suite_add_tcase(suite, tcase);
    return suite;
}
