/*
 * A net with ports that write down what they hear, and peers that are bare sockets of the loopback.
 */
#include "live/net_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "live/proc.h"
#include "net/sock.h"

enum { STEP_MS = 2 }; /* how often done() is asked when nothing comes */

struct rig rig;

static uint64_t heap_before;

/* ---------------------------------------------------------------- a kernel that refuses */

static int refuse_err;
static unsigned refuse_left;

void
rig_refuse_sends(int err, unsigned n)
{
    refuse_err = err;
    refuse_left = n;
}

static bool polls_refused;

void
rig_refuse_polls(bool on)
{
    polls_refused = on;
}

/* Stands before the C library's for libevent, too. */
__attribute__((visibility("default"))) int
epoll_ctl(int poll, int op, int fd, struct epoll_event *event)
{
    if (op != EPOLL_CTL_ADD || !polls_refused)
        return (int)syscall(SYS_epoll_ctl, poll, op, fd, event);
    errno = ENOSPC;
    return -1;
}

static bool
refuses(void)
{
    if (refuse_left == 0)
        return false;
    refuse_left--;
    errno = refuse_err;
    return true;
}

/* These two stand before the C library's; peers of the tests wait in their sendto, and are served. */
int
sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
    return refuses() ? -1 : (int)syscall(SYS_sendmmsg, fd, messages, n, flags);
}

ssize_t
sendto(int fd, const void *bytes, size_t len, int flags, __CONST_SOCKADDR_ARG to, socklen_t to_len)
{
    if ((flags & MSG_DONTWAIT) && refuses())
        return -1;
    return syscall(SYS_sendto, fd, bytes, len, flags, to.__sockaddr__, to_len);
}

/* ---------------------------------------------------------------- work */

static uint64_t
computed_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t busy_turn;
static unsigned busy, busiest;

void
rig_compute_each(unsigned us)
{
    uint64_t until_us = computed_us() + us;

    busy = busy_turn == rig.turns ? busy + 1 : 1;
    busy_turn = rig.turns;
    busiest = busy > busiest ? busy : busiest;
    while (computed_us() < until_us)
        ;
}

unsigned
rig_busiest(void)
{
    return busiest;
}

/* ---------------------------------------------------------------- ports */

static void
note_message(struct rig_message *to, const struct hop *from, struct span bytes, uint16_t fault)
{
    *to = (struct rig_message){ .from = *from, .len = bytes.len, .fault = fault };
    to->bytes = mem_copy(bytes);
}

static bool
port_bytes(void *io, const struct hop *from, struct span bytes, uint16_t fault, const char *reason)
{
    struct rig *r = io;

    ck_assert(fault == 0 || reason != NULL);
    ck_assert_uint_lt(r->messages_len, RIG_MESSAGES);
    note_message(&r->messages[r->messages_len++], from, bytes, fault);
    if (r->on_message)
        r->on_message(r, from, bytes);
    return !r->doubts;
}

static bool
port_doubts(void *io, const struct hop *from, struct span bytes)
{
    const struct rig *r = io;

    (void)from;
    (void)bytes;
    return r->doubts;
}

static void
port_gone(void *io, uint64_t token, int err)
{
    struct rig *r = io;

    ck_assert_uint_ne(token, 0);
    ck_assert_int_ne(err, SIPD_OK);
    ck_assert_uint_lt(r->gone_len, RIG_MESSAGES);
    r->gone[r->gone_len++] = (struct rig_gone){ token, err };
    if (r->on_gone)
        r->on_gone(r, token);
}

static void
port_bounced(void *io, const struct hop *to, struct span bytes)
{
    struct rig *r = io;

    ck_assert_uint_lt(r->bounced_len, RIG_MESSAGES);
    note_message(&r->bounced[r->bounced_len++], to, bytes, 0);
}

static void
port_flow_gone(void *io, uint64_t flow)
{
    struct rig *r = io;

    ck_assert(!net_flow_alive(r->net, flow));
    ck_assert_uint_lt(r->flows_gone_len, RIG_MESSAGES);
    r->flows_gone[r->flows_gone_len++] = flow;
}

static void
port_tick(void *io)
{
    struct rig *r = io;

    r->turns++;
    if (r->turn_ms != 0 && r->clock.now_ms - r->turn_ms > r->longest_ms)
        r->longest_ms = r->clock.now_ms - r->turn_ms;
    r->turn_ms = r->clock.now_ms;
    if (r->done(r))
        net_stop(r->net);
    else if (r->clock.now_ms > r->until_ms)
        ck_abort_msg("what was waited for did not happen");
}

static uint64_t
port_next_ms(void *io)
{
    const struct rig *r = io;

    return r->clock.now_ms + STEP_MS;
}

/* ---------------------------------------------------------------- the fixture */

/*
 * The loopback has a queue for each processor, which is emptied at once or, when much is to be done, later: only what one of them
 * sends arrives in the order in which it was sent.
 */
static void
stay_here(void)
{
    cpu_set_t here;

    CPU_ZERO(&here);
    CPU_SET((size_t)sched_getcpu(), &here);
    (void)sched_setaffinity(0, sizeof here, &here);
}

void
rig_setup(void)
{
    stay_here();
    heap_before = mem_live();
    rig = (struct rig){
        .ports = { port_bytes, port_doubts, port_gone, port_bounced, port_flow_gone, port_tick,
                   port_next_ms, &rig },
    };
    bug_doubt_fatal();
    counters_init(&rig.counters);
    buf_init(&rig.why, 1000);
    ck_assert_int_eq(net_new(&rig.net, &rig.ports, &rig.clock, &rig.counters, &rig.log), SIPD_OK);
}

void
rig_teardown(void)
{
    for (size_t i = 0; i < rig.messages_len; i++)
        mem_free(rig.messages[i].bytes);
    for (size_t i = 0; i < rig.bounced_len; i++)
        mem_free(rig.bounced[i].bytes);
    net_free(&rig.net);
    ck_assert_ptr_null(rig.net);
    counters_fini(&rig.counters);
    buf_fini(&rig.why);
    ck_assert_uint_eq(mem_live(), heap_before);
}

TCase *
rig_case(const char *name)
{
    TCase *made = tcase_create(name);

    tcase_add_checked_fixture(made, rig_setup, rig_teardown);
    tcase_set_timeout(made, 120);
    return made;
}

bool
rig_has_ipv6(void)
{
    bool has = proc_has_ip("::1");

    if (!has)
        proc_skip("a part of the net over IPv6", "there is none");
    return has;
}

struct hop
rig_hop(uint8_t transport, const char *ip, uint16_t port)
{
    struct hop hop = { .transport = transport, .port = port };

    ck_assert(hop_ip_read(span_of(ip), &hop));
    return hop;
}

uint16_t
rig_listen(uint8_t transport, const char *ip)
{
    struct net_listen spec = { .at = rig_hop(transport, ip, 0) };
    uint16_t id = 0;

    ck_assert_int_eq(net_listen(rig.net, &spec, &id, &rig.why), SIPD_OK);
    ck_assert_uint_ne(id, 0);
    return id;
}

struct hop
rig_at(uint16_t listener)
{
    struct net_listener_info info;

    ck_assert(net_listener(rig.net, listener, &info));
    return info.at;
}

uint64_t
rig_count(const char *name)
{
    return *counters_get(&rig.counters, name);
}

void
rig_send(const struct hop *to, const char *text, uint64_t token)
{
    net_send(rig.net, to, span_of(text), token);
}

/* ---------------------------------------------------------------- running */

void
rig_run(bool (*done)(struct rig *r))
{
    rig.done = done;
    rig.until_ms = UINT64_MAX;
    net_wake(rig.net);
    rig.until_ms = rig.clock.now_ms + RIG_WAIT_MS;
    ck_assert_int_eq(net_run(rig.net), SIPD_OK);
}

static uint64_t wanted;

static bool
turns_done(struct rig *r)
{
    return r->turns >= wanted;
}

void
rig_run_turns(uint64_t turns)
{
    wanted = rig.turns + turns;
    rig_run(turns_done);
}

static bool
messages_came(struct rig *r)
{
    return r->messages_len >= wanted;
}

void
rig_run_messages(size_t n)
{
    wanted = n;
    rig_run(messages_came);
    ck_assert_uint_eq(rig.messages_len, n);
}

static bool
gone_came(struct rig *r)
{
    return r->gone_len >= wanted;
}

void
rig_run_gone(size_t n)
{
    wanted = n;
    rig_run(gone_came);
    ck_assert_uint_eq(rig.gone_len, n);
}

static bool
flows_gone_came(struct rig *r)
{
    return r->flows_gone_len >= wanted;
}

void
rig_run_flows_gone(size_t n)
{
    wanted = n;
    rig_run(flows_gone_came);
    ck_assert_uint_eq(rig.flows_gone_len, n);
}

void
rig_watch(void)
{
    rig_run_turns(1);
    rig.turn_ms = rig.clock.now_ms;
    rig.longest_ms = 0;
}

bool
rig_kept_up(uint64_t ms)
{
    return rig.longest_ms < ms;
}

void
rig_expect(size_t n, struct span bytes)
{
    ck_assert_uint_lt(n, rig.messages_len);
    ck_assert(span_eq((struct span){ rig.messages[n].bytes, rig.messages[n].len }, bytes));
}

/* ---------------------------------------------------------------- peers */

int
peer_new(int type, const char *ip, uint16_t *port)
{
    struct hop at = rig_hop(HOP_NONE, ip, 0);
    union sock_addr addr;
    socklen_t len = sock_addr_write(&at, &addr);
    int fd = sock_new(sock_family(&at), type);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, &addr.any, len), 0);
    len = sizeof addr;
    ck_assert_int_eq(getsockname(fd, &addr.any, &len), 0);
    sock_addr_read(&addr, &at);
    *port = at.port;
    return fd;
}

int
peer_connect(const struct hop *to)
{
    union sock_addr addr;
    socklen_t len = sock_addr_write(to, &addr);
    int fd = socket(sock_family(to), SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, &addr.any, len), 0); /* the kernel completes it before we accept */
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

void
peer_send(int fd, const struct hop *to, struct span bytes)
{
    union sock_addr addr;
    socklen_t len = sock_addr_write(to, &addr);

    ck_assert_int_eq(sendto(fd, bytes.at, bytes.len, 0, &addr.any, len), (ssize_t)bytes.len);
}

void
peer_write(int fd, struct span bytes)
{
    ck_assert_int_eq(send(fd, bytes.at, bytes.len, MSG_NOSIGNAL), (ssize_t)bytes.len);
}

static bool
datagram_waits(struct rig *r)
{
    char byte;

    return recv(r->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
}

size_t
peer_takes(int fd, char *to, size_t room)
{
    ssize_t len;

    rig.fd = fd;
    rig_run(datagram_waits);
    len = recv(fd, to, room, MSG_DONTWAIT);
    ck_assert_int_ge(len, 0);
    return (size_t)len;
}

static char heard[1 << 20];
static size_t heard_len, heard_wanted;

static bool
all_heard(struct rig *r)
{
    ssize_t len = recv(r->fd, heard + heard_len, heard_wanted - heard_len, MSG_DONTWAIT);

    ck_assert(len > 0 || (len < 0 && errno == EAGAIN));
    heard_len += len > 0 ? (size_t)len : 0;
    return heard_len == heard_wanted;
}

void
peer_expect(int fd, struct span bytes)
{
    ck_assert_uint_le(bytes.len, sizeof heard);
    rig.fd = fd;
    heard_len = 0;
    heard_wanted = bytes.len;
    rig_run(all_heard);
    ck_assert(span_eq((struct span){ heard, heard_len }, bytes));
}

static bool
end_heard(struct rig *r)
{
    char byte;
    ssize_t len = recv(r->fd, &byte, 1, MSG_DONTWAIT);

    ck_assert_int_le(len, 0);
    return len == 0 || errno != EAGAIN;
}

void
peer_expect_end(int fd)
{
    rig.fd = fd;
    rig_run(end_heard);
}
