/*
 * The program on paths of which the kernel knows that they are narrow, or wide: what goes by which transport (RFC 3261 §18.1.1).
 */
#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/throw.h"
#include "live/udp_rig.h"

Suite *suite_path(void);

enum { NARROW_MTU = 1000, WIDE_MTU = 65536, TEXT_BYTES = 8192 };

static struct server server;
static int caller, udp, tcp; /* tcp -1: nobody takes a connection there */
static int conn;             /* the one that was taken; -1: none yet */
static unsigned serial;      /* of the request said last */
static uint16_t port;        /* of both */
static size_t bare;          /* of a request that has no filler, as it leaves */
static char heard[TEXT_BYTES];

static bool
may_have_mtu(int mtu)
{
    bool may = udp_shorten_loopback(mtu);

    if (!may)
        proc_skip("paths of which the MTU is known", "no network of our own is allowed");
    return may;
}

static int
bound(int type)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void
say(size_t filler)
{
    static char text[TEXT_BYTES];

    memset(text, 'x', filler);
    text[filler] = '\0';
    serial++;
    server_send(caller,
                "MESSAGE sip:bob@127.0.0.1:%u SIP/2.0\nVia: SIP/2.0/UDP "
                "127.0.0.1;branch=z9hG4bKpath%u;rport\nMax-Forwards: 70\n"
                "From: <sip:a@example.com>;tag=1\nTo: <sip:bob@example.com>\nCall-ID: path%u\n"
                "CSeq: 1 MESSAGE\nSubject: %s\nContent-Length: 0\n\n",
                port, serial, serial, text);
}

static void
wait_for(int fd)
{
    struct pollfd at = { fd, POLLIN, 0 };

    ck_assert_msg(poll(&at, 1, PROC_PATIENCE_MS) == 1, "nothing came:\n%s",
                  proc_output(&server.proc));
}

/* The socket that a request comes by. One connection is used again. */
static int
socket_of(bool by_tcp)
{
    if (by_tcp && conn < 0) {
        wait_for(tcp);
        conn = accept(tcp, NULL, NULL);
    }
    return by_tcp ? conn : udp;
}

/* The 200 for what was heard. */
static size_t
write_reply(char *to, size_t room)
{
    const char *via = strstr(heard, "Via: "), *from = strstr(heard, "From: ");
    const char *forwards = strstr(heard, "Max-Forwards: "), *subject = strstr(heard, "Subject: ");

    ck_assert(via && from && forwards && subject);
    return (size_t)snprintf(to, room, "SIP/2.0 200 OK\r\n%.*s%.*sContent-Length: 0\r\n\r\n",
                            (int)(forwards - via), via, (int)(subject - from), from);
}

/* A datagram, or as much of a stream as ends with a head. */
static void
take(int fd, struct sockaddr_storage *from, socklen_t *from_len)
{
    size_t len = 0;

    do {
        ssize_t n;

        wait_for(fd);
        n = recvfrom(fd, heard + len, sizeof heard - 1 - len, 0, (struct sockaddr *)from, from_len);
        ck_assert_int_gt(n, 0);
        len += (size_t)n;
        heard[len] = '\0';
    } while (!strstr(heard, "\r\n\r\n"));
}

/* What was said comes by TCP or by UDP, and is answered; repeats of what came before are passed over. */
static void
hear(bool by_tcp)
{
    struct sockaddr_storage from;
    socklen_t from_len = sizeof from;
    char reply[TEXT_BYTES], call_id[32];
    int fd = socket_of(by_tcp);
    size_t len;

    snprintf(call_id, sizeof call_id, "\r\nCall-ID: path%u\r\n", serial);
    do
        take(fd, &from, &from_len);
    while (!strstr(heard, call_id));
    len = write_reply(reply, sizeof reply);
    if (by_tcp)
        ck_assert_int_eq(send(fd, reply, len, MSG_NOSIGNAL), (ssize_t)len);
    else
        ck_assert_int_eq(sendto(fd, reply, len, 0, (struct sockaddr *)&from, from_len),
                         (ssize_t)len);
    ck_assert_uint_gt(server_receive(caller, reply, sizeof reply, PROC_PATIENCE_MS), 0);
    ck_assert_ptr_eq(strstr(reply, "SIP/2.0 200"), reply);
}

/* A request that is to leave with so many bytes does so by this transport, and its Via says so. */
static void
goes(size_t bytes, bool by_tcp)
{
    ck_assert_uint_ge(bytes, bare);
    say(bytes - bare);
    hear(by_tcp);
    ck_assert_uint_eq(strlen(heard), bytes);
    ck_assert_ptr_nonnull(strstr(heard, by_tcp ? "\r\nVia: SIP/2.0/TCP 127.0.0.1:"
                                               : "\r\nVia: SIP/2.0/UDP 127.0.0.1:"));
}

/* A server, and somebody to send to. */
static void
start(bool takes_connections)
{
    server_make(&server, "path", "proxy = { relay = \"any\"; };");
    server_start(&server);
    caller = server_socket(&server, "127.0.0.1");
    port = proc_port("127.0.0.1");
    udp = bound(SOCK_DGRAM);
    tcp = takes_connections ? bound(SOCK_STREAM) : -1;
    conn = -1;
    serial = 1000;
    if (tcp >= 0)
        ck_assert_int_eq(listen(tcp, 5), 0);
    say(0);
    hear(false);
    bare = strlen(heard);
}

static void
stop(void)
{
    close(caller);
    close(udp);
    if (tcp >= 0)
        close(tcp);
    if (conn >= 0)
        close(conn);
    server_stop(&server);
}

START_TEST(on_a_narrow_path_what_is_within_200_bytes_goes_over_tcp)
{
    if (!may_have_mtu(NARROW_MTU))
        return;
    start(true);
    goes(NARROW_MTU - 200, false);
    goes(NARROW_MTU - 199, true);
    goes(900, true);
    goes(1301, true);
    stop();
}
END_TEST

START_TEST(and_by_udp_where_nobody_takes_a_connection)
{
    if (!may_have_mtu(NARROW_MTU))
        return;
    start(false);
    goes(900, false);
    ck_assert_uint_eq(throw_count(&server, "conns_failed"), 1);
    goes(900, false); /* at once: it is not tried again so soon */
    ck_assert_uint_eq(throw_count(&server, "conns_opened"), 1);
    goes(1400, false); /* … in fragments */
    stop();
}
END_TEST

START_TEST(on_a_wide_path_1300_bytes_are_the_bound)
{
    if (!may_have_mtu(WIDE_MTU))
        return;
    start(true);
    goes(900, false);
    goes(1300, false);
    goes(1301, true);
    stop();
}
END_TEST

Suite *
suite_path(void)
{
    Suite *suite = suite_create("path");
    TCase *tcase = tcase_create("path");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, on_a_narrow_path_what_is_within_200_bytes_goes_over_tcp);
    tcase_add_test(tcase, and_by_udp_where_nobody_takes_a_connection);
    tcase_add_test(tcase, on_a_wide_path_1300_bytes_are_the_bound);
    suite_add_tcase(suite, tcase);
    return suite;
}
