/*
 * A sipd with the dns module, its caller, and the places where calls arrive.
 */
#include "live/dns_rig.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/nsd.h"
#include "live/throw.h"

struct server dns_server;
struct proc dns_nsd;
uint16_t dns_nsd_port;
struct dns_place dns_places[DNS_PLACES];
const char *dns_says[DNS_PLACES];
const char *dns_method = "OPTIONS";

static size_t places_len;
static int caller = -1;
static unsigned serial;

/* ---------------------------------------------------------------- places */

uint16_t
dns_place(bool tcp, const char *ip)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    bool is_v6 = strchr(ip, ':') != NULL;
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    struct sockaddr *at = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t len = is_v6 ? sizeof v6 : sizeof v4;

    ck_assert_uint_lt(places_len, DNS_PLACES);
    ck_assert_int_eq(inet_pton(is_v6 ? AF_INET6 : AF_INET, ip,
                               is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr),
                     1);
    ck_assert_int_eq(bind(fd, at, len), 0);
    ck_assert_int_eq(getsockname(fd, at, &len), 0);
    if (tcp)
        ck_assert_int_eq(listen(fd, 16), 0);
    dns_places[places_len] =
        (struct dns_place){ fd, tcp, ntohs(is_v6 ? v6.sin6_port : v4.sin_port) };
    return dns_places[places_len++].port;
}

/* Is it what this place heard last? A request is said again when we are slow (RFC 3261 §17.1.2.2). */
static bool
is_repeated(size_t n, const char *text)
{
    static char last[DNS_PLACES][256];
    const char *via = strstr(text, "Via: ");
    int len = via ? (int)strcspn(via, "\r") : 0;
    bool same = via && strncmp(last[n], via, (size_t)len) == 0 && last[n][len] == '\0';

    snprintf(last[n], sizeof last[n], "%.*s", len, via ? via : "");
    return same;
}

bool
dns_serve(size_t n)
{
    char text[DNS_MESSAGE_BYTES], *via, *end, reply[DNS_MESSAGE_BYTES];
    struct sockaddr_storage from;
    socklen_t from_len = sizeof from;
    bool is_new;
    int fd = dns_places[n].tcp ? accept(dns_places[n].fd, NULL, NULL) : dns_places[n].fd;
    ssize_t len;

    if (dns_places[n].tcp) {
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
    if (strncmp(text, "ACK ", 4) == 0 || !dns_says[n] || !via || !end)
        return is_new;
    len = snprintf(reply, sizeof reply, "SIP/2.0 %s\r\n%.*sContent-Length: 0\r\n\r\n", dns_says[n],
                   (int)(end - via), via);
    if (dns_places[n].tcp) {
        (void)!send(fd, reply, (size_t)len, MSG_NOSIGNAL);
        close(fd);
    } else {
        (void)!sendto(fd, reply, (size_t)len, 0, (struct sockaddr *)&from, from_len);
    }
    return is_new;
}

/* ---------------------------------------------------------------- calls */

void
dns_ask(const char *uri)
{
    serial++;
    server_send(caller,
                "%s %s SIP/2.0\nVia: SIP/2.0/UDP "
                "127.0.0.1;branch=z9hG4bKdns%u-%d;rport\nMax-Forwards: 70\n"
                "From: <sip:alice@example.com>;tag=a\nTo: <%s>\nCall-ID: dns-%u-%d\nCSeq: 1 %s\n"
                "Contact: <sip:alice@127.0.0.1>\nContent-Length: 0\n\n",
                dns_method, uri, serial, (int)getpid(), uri, serial, (int)getpid(), dns_method);
}

/* Everything that happens to a request until its final response, or for so long. */
static void
watch(const char *call_id, struct dns_outcome *o, unsigned most_ms)
{
    uint64_t began = proc_now_ms();
    char text[DNS_MESSAGE_BYTES];

    while (o->status[0] == '\0' && proc_now_ms() < began + most_ms) {
        struct pollfd fds[DNS_PLACES + 1] = { { caller, POLLIN, 0 } };

        for (size_t i = 0; i < places_len; i++)
            fds[i + 1] = (struct pollfd){ dns_places[i].fd, POLLIN, 0 };
        (void)poll(fds, places_len + 1, 50);
        for (size_t i = 0; i < places_len; i++)
            if (fds[i + 1].revents && dns_serve(i) && strlen(o->places) < DNS_PLACES)
                o->places[strlen(o->places)] = (char)('0' + i);
        if (fds[0].revents && server_receive(caller, text, sizeof text, 1) > 12 && text[8] != '1' &&
            (!call_id || strstr(text, call_id)))
            memcpy(o->status, text + 8, 3);
    }
    o->ms = proc_now_ms() - began;
}

struct dns_outcome
dns_call(const char *format, ...)
{
    struct dns_outcome o = { .ms = 0 };
    char uri[256], call_id[32];
    va_list args;

    va_start(args, format);
    vsnprintf(uri, sizeof uri, format, args);
    va_end(args);
    dns_ask(uri);
    snprintf(call_id, sizeof call_id, "dns-%u-", serial);
    watch(call_id, &o, PROC_PATIENCE_MS);
    return o;
}

void
dns_call_until(const char *uri, const char *status)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
    struct dns_outcome o = dns_call("%s", uri);

    for (; strcmp(o.status, status) != 0; o = dns_call("%s", uri)) {
        ck_assert_msg(proc_now_ms() < until, "%s never got %s:\n%s", uri, status,
                      proc_output(&dns_server.proc));
        proc_pause(200);
    }
}

void
dns_expect_at(const char *uri, const char *at, const char *code, int line)
{
    struct dns_outcome o = dns_call("%s", uri);

    ck_assert_msg(strcmp(o.places, at) == 0 && strcmp(o.status, code) == 0,
                  "line %d: %s went to \"%s\" and got %s, not \"%s\" and %s\n%s", line, uri,
                  o.places, o.status, at, code, proc_output(&dns_server.proc));
}

/* ---------------------------------------------------------------- servers */

void
dns_open_caller(void)
{
    caller = server_socket(&dns_server, "127.0.0.1");
}

void
dns_start(const char *dns)
{
    char settings[1024];

    snprintf(settings, sizeof settings,
             "proxy = { relay = \"any\"; };\nmodules = [ \"dns\" ];\ndns = { %s };", dns);
    server_make(&dns_server, "dns", settings);
    server_start(&dns_server);
    dns_open_caller();
}

uint16_t
dns_start_nsd(const char *const zones[][2])
{
    dns_nsd_port = nsd_start(&dns_nsd, zones);
    return dns_nsd_port;
}

void
dns_start_with_nsd(const char *const zones[][2], const char *settings)
{
    char dns[512];

    snprintf(dns, sizeof dns, "servers = [ \"127.0.0.1:%u\" ]; %s", dns_start_nsd(zones), settings);
    dns_start(dns);
}

/* A name that is waited for makes a turn sleep each time; a page of the program that is fetched from the disk does so once. */
void
dns_stop(void)
{
    enum { MANY = 8 };

    ck_assert_msg(serial < MANY || throw_count(&dns_server, "turn_slept") < serial / 4,
                  "turns sleep");
    server_stop(&dns_server);
    if (dns_nsd.pid)
        proc_stop(&dns_nsd);
}

void
dns_clean_up(void)
{
    if (dns_nsd.pid)
        proc_stop(&dns_nsd);
}
