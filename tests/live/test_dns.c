/*
 * Names: the dns module against a real name server with a zone for each rule, and against one that is dead, slow, or lies. Calls
 * to literal addresses keep their latency all the time (RFC 3263, RFC 2782, RFC 7984).
 */
#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/dns_wire.h"
#include "live/certs.h"
#include "live/liar.h"
#include "live/nsd.h"
#include "live/throw.h"

Suite *suite_dns(void);

enum { MESSAGE_BYTES = 65536, PLACES = 8 };

static struct server server;
static struct proc nsd;
static uint16_t nsd_port;
static int caller = -1;
static unsigned serial;

/* ---------------------------------------------------------------- places where calls arrive */

struct place {
    int fd; /* UDP, or a TCP listener */
    bool tcp;
    uint16_t port;
};

static struct place places[PLACES];
static size_t places_len;

/* A socket of the loopback; returns its port. */
static uint16_t
place(bool tcp, const char *ip)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    bool is_v6 = strchr(ip, ':') != NULL;
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    struct sockaddr *at = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t len = is_v6 ? sizeof v6 : sizeof v4;

    ck_assert_uint_lt(places_len, PLACES);
    ck_assert_int_eq(inet_pton(is_v6 ? AF_INET6 : AF_INET, ip,
                               is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr),
                     1);
    ck_assert_int_eq(bind(fd, at, len), 0);
    ck_assert_int_eq(getsockname(fd, at, &len), 0);
    if (tcp)
        ck_assert_int_eq(listen(fd, 16), 0);
    places[places_len] = (struct place){ fd, tcp, ntohs(is_v6 ? v6.sin6_port : v4.sin_port) };
    return places[places_len++].port;
}

/* The status that a place answers with, and more fields; 0: it says nothing. */
static const char *says[PLACES];

/* Is it what this place heard last? A request is said again when we are slow (RFC 3261 §17.1.2.2). */
static bool
is_repeated(size_t n, const char *text)
{
    static char last[PLACES][256];
    const char *via = strstr(text, "Via: ");
    int len = via ? (int)strcspn(via, "\r") : 0;
    bool same = via && strncmp(last[n], via, (size_t)len) == 0 && last[n][len] == '\0';

    snprintf(last[n], sizeof last[n], "%.*s", len, via ? via : "");
    return same;
}

/* Takes what arrived at a place and answers it. True if it was a request, and a new one. */
static bool
serve(size_t n)
{
    char text[MESSAGE_BYTES], *via, *end, reply[MESSAGE_BYTES];
    struct sockaddr_storage from;
    socklen_t from_len = sizeof from;
    bool is_new;
    int fd = places[n].tcp ? accept(places[n].fd, NULL, NULL) : places[n].fd;
    ssize_t len;

    if (places[n].tcp) {
        struct pollfd readable = { fd, POLLIN, 0 };

        (void)poll(&readable, 1, PROC_PATIENCE_MS);
        len = recv(fd, text, sizeof text - 1, 0);
    } else {
        len = recvfrom(fd, text, sizeof text - 1, 0, (struct sockaddr *)&from, &from_len);
    }
    if (len <= 0)
        return false;
    text[len] = '\0';
    is_new = strncmp(text, "ACK ", 4) != 0 && !is_repeated(n, text);
    via = strstr(text, "Via: ");
    end = strstr(text, "Content-Length: ");
    if (strncmp(text, "ACK ", 4) == 0 || !says[n] || !via || !end)
        return is_new;
    len = snprintf(reply, sizeof reply, "SIP/2.0 %s\r\n%.*sContent-Length: 0\r\n\r\n", says[n],
                   (int)(end - via), via);
    if (places[n].tcp) {
        (void)!send(fd, reply, (size_t)len, MSG_NOSIGNAL);
        close(fd);
    } else {
        (void)!sendto(fd, reply, (size_t)len, 0, (struct sockaddr *)&from, from_len);
    }
    return is_new;
}

/* ---------------------------------------------------------------- calls */

struct outcome {
    char places[PLACES + 1]; /* those that it came to, in order: "01" */
    char status[4];          /* the final one */
    uint64_t ms;
};

static const char *method = "OPTIONS";

static void
ask(const char *uri)
{
    serial++;
    server_send(caller,
                "%s %s SIP/2.0\nVia: SIP/2.0/UDP "
                "127.0.0.1;branch=z9hG4bKdns%u-%d;rport\nMax-Forwards: 70\n"
                "From: <sip:alice@example.com>;tag=a\nTo: <%s>\nCall-ID: dns-%u-%d\nCSeq: 1 %s\n"
                "Contact: <sip:alice@127.0.0.1>\nContent-Length: 0\n\n",
                method, uri, serial, (int)getpid(), uri, serial, (int)getpid(), method);
}

/* Everything that happens to a request until its final response, or for so long. */
static void
watch(const char *call_id, struct outcome *o, unsigned most_ms)
{
    uint64_t began = proc_now_ms();
    char text[MESSAGE_BYTES];

    while (o->status[0] == '\0' && proc_now_ms() < began + most_ms) {
        struct pollfd fds[PLACES + 1] = { { caller, POLLIN, 0 } };

        for (size_t i = 0; i < places_len; i++)
            fds[i + 1] = (struct pollfd){ places[i].fd, POLLIN, 0 };
        (void)poll(fds, places_len + 1, 50);
        for (size_t i = 0; i < places_len; i++)
            if (fds[i + 1].revents && serve(i) && strlen(o->places) < PLACES)
                o->places[strlen(o->places)] = (char)('0' + i);
        if (fds[0].revents && server_receive(caller, text, sizeof text, 1) > 12 && text[8] != '1' &&
            (!call_id || strstr(text, call_id)))
            memcpy(o->status, text + 8, 3);
    }
    o->ms = proc_now_ms() - began;
}

__attribute__((format(printf, 1, 2))) static struct outcome
call(const char *format, ...)
{
    struct outcome o = { .ms = 0 };
    char uri[256], call_id[32];
    va_list args;

    va_start(args, format);
    vsnprintf(uri, sizeof uri, format, args);
    va_end(args);
    ask(uri);
    snprintf(call_id, sizeof call_id, "dns-%u-", serial);
    watch(call_id, &o, PROC_PATIENCE_MS);
    return o;
}

/* Until it ends so: where names are asked for in haste, an answer may come too late. */
static void
call_until(const char *uri, const char *status)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
    struct outcome o = call("%s", uri);

    for (; strcmp(o.status, status) != 0; o = call("%s", uri)) {
        ck_assert_msg(proc_now_ms() < until, "%s never got %s:\n%s", uri, status,
                      proc_output(&server.proc));
        proc_pause(200);
    }
}

#define expect(uri, at, code) expect_at(uri, at, code, __LINE__)
static void
expect_at(const char *uri, const char *at, const char *code, int line)
{
    struct outcome o = call("%s", uri);

    ck_assert_msg(strcmp(o.places, at) == 0 && strcmp(o.status, code) == 0,
                  "line %d: %s went to \"%s\" and got %s, not \"%s\" and %s\n%s", line, uri,
                  o.places, o.status, at, code, proc_output(&server.proc));
}

/* ---------------------------------------------------------------- servers */

static void
open_caller(void)
{
    caller = server_socket(&server, "127.0.0.1");
}

static void
start(const char *dns)
{
    char settings[1024];

    snprintf(settings, sizeof settings,
             "proxy = { relay = \"any\"; };\nmodules = [ \"dns\" ];\ndns = { %s };", dns);
    server_make(&server, "dns", settings);
    server_start(&server);
    open_caller();
}

static uint16_t
start_nsd(const char *const zones[][2])
{
    nsd_port = nsd_start(&nsd, zones);
    return nsd_port;
}

static void
start_with_nsd(const char *const zones[][2], const char *settings)
{
    char dns[512];

    snprintf(dns, sizeof dns, "servers = [ \"127.0.0.1:%u\" ]; %s", start_nsd(zones), settings);
    start(dns);
}

/* A name that is waited for makes a turn sleep each time; a page of the program that is fetched from the disk does so once. */
static void
stop(void)
{
    enum { MANY = 8 };

    ck_assert_msg(serial < MANY || throw_count(&server, "turn_slept") < serial / 4, "turns sleep");
    server_stop(&server);
    if (nsd.pid)
        proc_stop(&nsd);
}

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
    uint16_t udp = place(false, "127.0.0.1"), other = place(false, "127.0.0.1"),
             tcp = place(true, "127.0.0.1");
    char rules[12000], uri[128];
    const char *const zones[][2] = { { "rules.test", rules },
                                     { "hosted.test", "host IN A 127.0.0.1\n" },
                                     { NULL, NULL } };

    for (int i = 0; i < PLACES; i++)
        says[i] = "200 Yes";
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
    start_with_nsd(zones, "");
    expect("sip:a@srv.rules.test", "0", "200");
    expect("sip:a@srv.rules.test;transport=udp", "0", "200");
    expect("sip:a@onlytcp.rules.test", "2", "200");
    expect("sip:a@naptr.rules.test", "2", "200");
    expect("sip:a@naptr.rules.test;transport=udp", "1", "200");
    expect("sip:a@alias.rules.test;transport=udp", "0", "200");
    expect("sip:a@many.rules.test", "0", "200");
    expect("sip:a@denied.rules.test", "", "404");
    expect("sip:a@nowhere.rules.test", "", "404");
    snprintf(uri, sizeof uri, "sip:a@plain.rules.test:%u", other);
    expect(uri, "1", "200");
    snprintf(uri, sizeof uri, "sip:a@plain.rules.test:%u;transport=tcp", tcp);
    expect(uri, "2", "200");
    expect("sip:a@192.0.2.1;maddr=srv.rules.test;transport=udp", "0", "200");
    stop();
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
    six = place(false, "::1");
    four = place(false, "127.0.0.1");
    says[0] = says[1] = "200 Yes";
    snprintf(zone, sizeof zone, "both IN AAAA ::1\nboth IN A 127.0.0.1\n");
    start_with_nsd(zones, "");
    snprintf(uri, sizeof uri, "sip:a@both.dual.test:%u", six);
    expect(uri, "0", "200");
    snprintf(uri, sizeof uri, "sip:a@both.dual.test:%u", four);
    expect(uri, "1", "200");
    stop();
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
    uint16_t udp = place(false, "127.0.0.1"), nobody = proc_port("127.0.0.1"), port;
    const char *const zones[][2] = { { "two.test", "h IN A 127.0.0.1\n" }, { NULL, NULL } };
    char dns[256], uri[128];

    says[0] = "200 Yes";
    port = start_nsd(zones);
    snprintf(dns, sizeof dns,
             "servers = [ \"127.0.0.1:%u\", \"127.0.0.1:%u\" ]; timeout_ms = 2000;", nobody, port);
    start(dns);
    snprintf(uri, sizeof uri, "sip:a@h.two.test:%u", udp);
    expect(uri, "0", "200");
    snprintf(uri, sizeof uri, "sip:a@localhost:%u", udp); /* DNS knows none such */
    if (hosts_know_localhost())
        expect(uri, "0", "200");
    stop();
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
             start_nsd(zones), certs_path("server.pem"), certs_path("server.key"),
             certs_path("ca.pem"));
    server_make(&server, "dns", settings);
    server_also_listen(NULL);
    server_start(&server);
    open_caller();
}

/* RFC 3263 §4.1, RFC 5922 §4: NAPTR prefers TLS, and who answers proves to be the domain that was asked for, not its host. */
START_TEST(a_domain_by_tls)
{
    uint16_t port = place(true, "127.0.0.1");
    char zone[512], text[MESSAGE_BYTES];
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
    ask("sip:a@example.org");
    ck_assert(tls_peer_accept(&peer, places[0].fd, &wish));
    ck_assert_uint_gt(tls_peer_receive(&peer, text, sizeof text), 0);
    ck_assert(strstr(text, "OPTIONS sip:a@example.org ") == text);
    ck_assert_ptr_nonnull(strstr(text, "Via: SIP/2.0/TLS "));
    tls_peer_close(&peer);
    ask("sip:a@example.net");
    (void)tls_peer_accept(&peer, places[0].fd, &wish);
    ck_assert(proc_says(&server.proc, "why=wrong-host", PROC_PATIENCE_MS));
    tls_peer_close(&peer);
    stop();
}
END_TEST

/* ---------------------------------------------------------------- failover */

static bool
targets_say(const char *text)
{
    struct proc out;

    ck_assert_int_eq(server_ctl(&server, &out, "show targets", NULL), 0);
    return strstr(proc_output(&out), text) != NULL;
}

/* The first is dead, the second says 503, the third answers; then only the third is asked, until the others' rest is over. */
START_TEST(three_servers_of_which_one_lives)
{
    uint16_t dead = proc_port("127.0.0.1"), busy = place(false, "127.0.0.1"),
             good = place(false, "127.0.0.1");
    char zone[512];
    const char *const zones[][2] = { { "farm.test", zone }, { NULL, NULL } };
    struct outcome o, again;
    uint64_t until;

    says[0] = "503 Later\r\nRetry-After: 3600";
    says[1] = "200 Yes";
    snprintf(zone, sizeof zone,
             "_sip._udp IN SRV 1 1 %u h\n_sip._udp IN SRV 2 1 %u h\n_sip._udp IN SRV 3 1 %u h\nh "
             "IN A 127.0.0.1\n",
             dead, busy, good);
    start_with_nsd(zones, "rest_s = 4; max_rest_s = 5;");
    until = proc_now_ms() + 3500; /* they rest for longer */
    o = call("sip:a@farm.test");
    ck_assert_str_eq(o.status, "200");
    ck_assert_str_eq(o.places, "01");
    printf("dns: past a dead server and a 503 to the third in %u ms\n", (unsigned)o.ms);
    again = call("sip:a@farm.test");
    ck_assert_str_eq(again.status, "200");
    ck_assert(targets_say("down") && targets_say("busy") && targets_say("good"));
    if (proc_now_ms() < until)
        ck_assert_str_eq(again.places, "1");
    for (until += PROC_PATIENCE_MS; strcmp(again.places, "01") != 0;
         again = call("sip:a@farm.test")) {
        ck_assert_msg(proc_now_ms() < until, "it is never asked again");
        proc_pause(200);
    }
    ck_assert_str_eq(again.status, "200");
    ck_assert(proc_said(&server.proc, "target-failed") > 0);
    stop();
}
END_TEST

/* The first takes what comes and says nothing: the second is asked after proxy.silent_ms, and the first one rests. */
START_TEST(a_silent_server_is_left_for_the_next)
{
    enum { SILENT_MS = 4000 }; /* as it is by itself */
    uint16_t silent = place(false, "127.0.0.1"), good = place(false, "127.0.0.1");
    char zone[256];
    const char *const zones[][2] = { { "still.test", zone }, { NULL, NULL } };
    struct outcome o;

    says[1] = "200 Yes";
    method = "INVITE";
    snprintf(zone, sizeof zone,
             "_sip._udp IN SRV 1 1 %u h\n_sip._udp IN SRV 2 1 %u h\nh IN A 127.0.0.1\n", silent,
             good);
    start_with_nsd(zones, "rest_s = 600;");
    o = call("sip:a@still.test");
    ck_assert_str_eq(o.places, "01");
    ck_assert_str_eq(o.status, "200");
    ck_assert_uint_ge(o.ms, SILENT_MS - 100);
    printf("dns: past a silent server to the second in %u ms\n", (unsigned)o.ms);
    ck_assert(targets_say("down"));
    expect("sip:a@still.test", "1", "200");
    stop();
}
END_TEST

/* ---------------------------------------------------------------- servers that are dead, slow, or lie */

/* The longest that a literal address took, of so many calls. */
static uint64_t
literal_ms(unsigned calls)
{
    uint64_t longest = 0;

    for (unsigned i = 0; i < calls; i++) {
        struct outcome o = call("sip:a@127.0.0.1:%u", places[0].port);

        ck_assert_str_eq(o.status, "200");
        longest = o.ms > longest ? o.ms : longest;
        proc_pause(5);
    }
    return longest;
}

/* Names are asked for whose answers never come; calls to addresses do not notice. */
static void
stay_quick(const char *const *names, size_t len)
{
    enum { ROUNDS = 10, QUICK = 3 }; /* one that blocks the loop does so each time */
    unsigned quick = 0, shortest = UINT32_MAX;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t ms;

        for (size_t i = 0; i < len; i++) {
            char uri[128];

            snprintf(uri, sizeof uri, "sip:a@%s.r%u.test", names[i], round);
            ask(uri);
        }
        ms = literal_ms(10);
        shortest = ms < shortest ? (unsigned)ms : shortest;
        quick += ms < 400; /* T1: nothing was sent twice */
    }
    ck_assert_msg(quick >= QUICK, "%u of %u rounds were quick, the best took %u ms", quick,
                  (unsigned)ROUNDS, shortest);
}

struct lie {
    const char *name, *at, *status;
};

static void
start_with_liar(const char *patience)
{
    char dns[256];

    (void)place(false, "127.0.0.1");
    says[0] = "200 Yes";
    snprintf(dns, sizeof dns, "servers = [ \"127.0.0.1:%u\" ]; %s", liar_begin(), patience);
    start(dns);
}

static void
must_end_so(const struct lie *lie)
{
    enum { LONG_MS = 9000 }; /* the slow answer comes later */
    struct outcome o = call("sip:a@%s.test:%u", lie->name, places[0].port);

    ck_assert_msg(strcmp(o.places, lie->at) == 0 && strstr(lie->status, o.status) && o.status[0],
                  "%s: \"%s\" %s", lie->name, o.places, o.status);
    ck_assert_msg(o.ms < LONG_MS, "%s took %u ms", lie->name, (unsigned)o.ms);
}

/* What is of use in its answers is used. */
START_TEST(a_server_that_lies_at_times)
{
    static const struct lie lies[] = {
        { "good", "0", "200" }, { "bothids", "0", "200" }, { "tc", "0", "200" }, { "nx", "", "404" }
    };

    start_with_liar("timeout_ms = 5000; tries = 2;");
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        must_end_so(&lies[i]);
    stop();
    liar_end();
}
END_TEST

START_TEST(a_server_that_lies)
{
    static const struct lie lies[] = {
        { "otherid", "", "500" }, { "othername", "", "500" }, { "cut", "", "500" },
        { "empty", "", "500" },   { "loop", "", "404|500" },  { "fail", "", "500" },
        { "mute", "", "500" },    { "slow", "", "500" },      { "tcmute", "", "500" },
    };
    static const char *const bad[] = { "mute",   "slow", "otherid", "loop",
                                       "tcmute", "cut",  "fail",    "empty" };

    start_with_liar("timeout_ms = 100; tries = 2; give_up_ms = 1000;");
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        must_end_so(&lies[i]);
    stay_quick(bad, sizeof bad / sizeof *bad);
    stop();
    liar_end();
}
END_TEST

/* What is known stays known, what is not known fails in time, and when the server is back all is well without a restart. */
START_TEST(a_server_that_dies)
{
    uint16_t udp = place(false, "127.0.0.1");
    const char *const zones[][2] = { { "gone.test", "a IN A 127.0.0.1\nb IN A 127.0.0.1\n" },
                                     { NULL, NULL } };
    static const char *const names[] = { "a", "b", "c", "d" };
    const char *argv[] = { "/usr/sbin/nsd", "-d", "-c", NULL, NULL };
    char a[128], b[128], conf[300];

    says[0] = "200 Yes";
    start_with_nsd(zones, "timeout_ms = 100; tries = 2; give_up_ms = 1000; failed_s = 1;");
    snprintf(a, sizeof a, "sip:x@a.gone.test:%u", udp);
    snprintf(b, sizeof b, "sip:x@b.gone.test:%u", udp);
    call_until(a, "200");
    proc_kill(&nsd);
    while (nsd_answers(nsd_port)) /* its children have yet to notice */
        proc_pause(20);
    expect(a, "0", "200");
    expect(b, "", "500");
    stay_quick(names, 4);
    snprintf(conf, sizeof conf, "%s/nsd.conf", proc_dir());
    argv[3] = conf;
    proc_start(&nsd, "nsd-again", argv);
    call_until(b, "200");
    stop();
}
END_TEST

/* Other servers are taken by a reload; a wrong one is refused, and the old ones stay. */
START_TEST(servers_are_reloaded)
{
    uint16_t udp = place(false, "127.0.0.1"), nobody = proc_port("127.0.0.1"), port;
    const char *const zones[][2] = { { "new.test", "h IN A 127.0.0.1\n" }, { NULL, NULL } };
    char dns[256], text[MESSAGE_BYTES], uri[128];
    struct proc out;
    FILE *file;
    size_t len;
    char *at;

    says[0] = "200 Yes";
    port = start_nsd(zones);
    snprintf(dns, sizeof dns,
             "servers = [ \"127.0.0.1:%05u\" ]; timeout_ms = 100; tries = 1; give_up_ms = 500; "
             "failed_s = 1;",
             nobody);
    start(dns);
    snprintf(uri, sizeof uri, "sip:x@h.new.test:%u", udp);
    expect(uri, "", "500");
    file = fopen(server.conf, "r+");
    len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    at = strstr(text, "servers = [ \"127.0.0.1:");
    ck_assert_ptr_nonnull(at);
    at += strlen("servers = [ \"127.0.0.1:");
    memcpy(at, "x0000", 5);
    rewind(file);
    fwrite(text, 1, len, file);
    fflush(file);
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 1);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "is no address"));
    snprintf(dns, sizeof dns, "%05u", port);
    memcpy(at, dns, 5);
    rewind(file);
    fwrite(text, 1, len, file);
    fclose(file);
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 0);
    call_until(uri, "200"); /* after failed_s */
    stop();
}
END_TEST

static void
clean_up(void)
{
    if (nsd.pid)
        proc_stop(&nsd);
}

Suite *
suite_dns(void)
{
    Suite *suite = suite_create("dns");
    TCase *tcase = tcase_create("dns");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, NULL, clean_up);
    tcase_add_test(tcase, a_zone_for_each_rule);
    tcase_add_test(tcase, both_families);
    tcase_add_test(tcase, hosts_and_several_servers);
    tcase_add_test(tcase, a_domain_by_tls);
    tcase_add_test(tcase, three_servers_of_which_one_lives);
    tcase_add_test(tcase, a_silent_server_is_left_for_the_next);
    tcase_add_test(tcase, a_server_that_lies_at_times);
    tcase_add_test(tcase, a_server_that_lies);
    tcase_add_test(tcase, a_server_that_dies);
    tcase_add_test(tcase, servers_are_reloaded);
    suite_add_tcase(suite, tcase);
    return suite;
}
