/*
 * A name server that does not keep to the rules.
 */
#include "live/liar.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/dns_wire.h"
#include "live/proc.h"

enum { CONNS = 16, LATER = 64, SLOW_MS = 10000, QUESTION_BYTES = 600 };

struct later { /* an answer that is put off */
    uint64_t at_ms;
    struct sockaddr_in to;
    uint8_t question[QUESTION_BYTES];
    size_t len;
};

static struct {
    int udp, tcp, stop[2];
    int conns[CONNS];
    struct later later[LATER];
    size_t later_len;
    pthread_t thread;
    atomic_uint asked;
} liar;

static struct wire_out out;

struct question {
    unsigned id, type;
    char name[256], first[64];
};

static bool
read_question(const uint8_t *bytes, size_t len, struct question *q)
{
    size_t at = 12, to = 0;

    if (len < 17)
        return false;
    q->id = (unsigned)(bytes[0] << 8 | bytes[1]);
    while (at < len && bytes[at] != 0) {
        size_t label = bytes[at++];

        if (label > 63 || at + label >= len || to + label + 2 > sizeof q->name)
            return false;
        if (to == 0)
            snprintf(q->first, sizeof q->first, "%.*s", (int)label, (const char *)bytes + at);
        else
            q->name[to++] = '.';
        memcpy(q->name + to, bytes + at, label);
        to += label;
        at += label;
    }
    q->name[to] = '\0';
    if (at + 3 > len)
        return false;
    q->type = (unsigned)(bytes[at + 1] << 8 | bytes[at + 2]);
    return true;
}

static void
write_truth(const struct question *q)
{
    static const uint8_t loopback[4] = { 127, 0, 0, 1 };

    wire_begin(&out, q->id, WIRE_ANSWER, q->name, q->type);
    if (q->type == WIRE_A)
        wire_address(&out, q->name, 60, loopback, sizeof loopback);
    else
        wire_soa(&out, "test", 60, 60);
}

static void
write_loop(const struct question *q)
{
    wire_begin(&out, q->id, WIRE_ANSWER, q->name, q->type);
    wire_cname(&out, q->name, 60, "loop.two.test");
    wire_cname(&out, "loop.two.test", 60, q->name);
}

static void
reply(const struct sockaddr_in *to, size_t len)
{
    (void)!sendto(liar.udp, out.bytes, len, 0, (const struct sockaddr *)to, sizeof *to);
}

static bool
is(const struct question *q, const char *word)
{
    return strcmp(q->first, word) == 0;
}

static void
put_off(const struct sockaddr_in *to, const uint8_t *bytes, size_t len)
{
    struct later *later = &liar.later[liar.later_len];

    if (liar.later_len == LATER || len > sizeof later->question)
        return;
    liar.later_len++;
    later->at_ms = proc_now_ms() + SLOW_MS;
    later->to = *to;
    later->len = len;
    memcpy(later->question, bytes, len);
}

static void
lie(const struct question *q, const struct sockaddr_in *to)
{
    struct question other = *q;

    other.id = q->id ^ 1;
    if (is(q, "othername")) {
        other.id = q->id;
        snprintf(other.name, sizeof other.name, "evil.test");
    }
    write_truth(&other);
    reply(to, out.len);
    if (!is(q, "bothids"))
        return;
    write_truth(q);
    reply(to, out.len);
}

static void
write_other(const struct question *q)
{
    if (is(q, "loop")) {
        write_loop(q);
    } else if (is(q, "fail")) {
        wire_begin(&out, q->id, WIRE_SERVFAIL, q->name, q->type);
    } else if (is(q, "tc") || is(q, "tcmute")) {
        wire_begin(&out, q->id, WIRE_TRUNCATED, q->name, q->type);
    } else if (is(q, "empty")) {
        wire_begin(&out, q->id, WIRE_ANSWER, q->name, q->type);
        wire_count(&out, 6);
    } else if (is(q, "nx")) {
        wire_begin(&out, q->id, WIRE_NXDOMAIN, q->name, q->type);
        wire_soa(&out, "test", 60, 60);
    } else {
        write_truth(q);
    }
}

static void
hear_datagram(void)
{
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    uint8_t bytes[QUESTION_BYTES];
    ssize_t len = recvfrom(liar.udp, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);
    struct question q;

    if (len <= 0 || !read_question(bytes, (size_t)len, &q))
        return;
    atomic_fetch_add(&liar.asked, 1);
    if (is(&q, "mute") || (is(&q, "half") && q.type == WIRE_AAAA))
        return;
    if (is(&q, "slow")) {
        put_off(&from, bytes, (size_t)len);
    } else if (is(&q, "otherid") || is(&q, "othername") || is(&q, "bothids")) {
        lie(&q, &from);
    } else {
        write_other(&q);
        reply(&from, is(&q, "cut") ? 7 : out.len);
    }
}

/* One question a read is what c-ares sends. */
static void
hear_stream(int *fd)
{
    uint8_t bytes[QUESTION_BYTES + 2];
    ssize_t len = read(*fd, bytes, sizeof bytes);
    struct question q;
    uint8_t head[2];

    if (len <= 2 || !read_question(bytes + 2, (size_t)len - 2, &q)) {
        close(*fd);
        *fd = -1;
        return;
    }
    if (is(&q, "tcmute"))
        return;
    write_truth(&q);
    head[0] = (uint8_t)(out.len >> 8);
    head[1] = (uint8_t)out.len;
    (void)!write(*fd, head, 2);
    (void)!write(*fd, out.bytes, out.len);
}

static void
take_conn(void)
{
    int fd = accept(liar.tcp, NULL, NULL);

    for (int i = 0; i < CONNS && fd >= 0; i++)
        if (liar.conns[i] < 0) {
            liar.conns[i] = fd;
            return;
        }
    if (fd >= 0)
        close(fd);
}

static void
send_due(void)
{
    for (size_t i = 0; i < liar.later_len;) {
        struct later *later = &liar.later[i];
        struct question q;

        if (later->at_ms > proc_now_ms()) {
            i++;
            continue;
        }
        if (read_question(later->question, later->len, &q)) {
            write_truth(&q);
            reply(&later->to, out.len);
        }
        *later = liar.later[--liar.later_len];
    }
}

static void *
run(void *arg)
{
    (void)arg;
    for (;;) {
        struct pollfd fds[3 + CONNS] = { { liar.stop[0], POLLIN, 0 },
                                         { liar.udp, POLLIN, 0 },
                                         { liar.tcp, POLLIN, 0 } };

        for (int i = 0; i < CONNS; i++)
            fds[3 + i] = (struct pollfd){ liar.conns[i], POLLIN, 0 };
        (void)poll(fds, 3 + CONNS, 50);
        if (fds[0].revents)
            return NULL;
        if (fds[1].revents)
            hear_datagram();
        if (fds[2].revents)
            take_conn();
        for (int i = 0; i < CONNS; i++)
            if (liar.conns[i] >= 0 && fds[3 + i].revents)
                hear_stream(&liar.conns[i]);
        send_due();
    }
}

static void
bind_to(int fd, uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
}

uint16_t
liar_begin(void)
{
    uint16_t port = proc_port("127.0.0.1");

    liar.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    liar.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind_to(liar.udp, port);
    bind_to(liar.tcp, port);
    ck_assert_int_eq(listen(liar.tcp, CONNS), 0);
    ck_assert_int_eq(pipe(liar.stop), 0);
    for (int i = 0; i < CONNS; i++)
        liar.conns[i] = -1;
    atomic_store(&liar.asked, 0);
    liar.later_len = 0;
    ck_assert_int_eq(pthread_create(&liar.thread, NULL, run, NULL), 0);
    return port;
}

void
liar_end(void)
{
    (void)!write(liar.stop[1], "", 1);
    pthread_join(liar.thread, NULL);
    close(liar.udp);
    close(liar.tcp);
    close(liar.stop[0]);
    close(liar.stop[1]);
    for (int i = 0; i < CONNS; i++)
        if (liar.conns[i] >= 0)
            close(liar.conns[i]);
}

unsigned
liar_asked(void)
{
    return atomic_load(&liar.asked);
}
