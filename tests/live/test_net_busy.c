/*
 * Sockets to which much comes: no poll waits for them, and yet nobody else is forgotten.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "live/tcp_rig.h"
#include "live/udp_rig.h"

Suite *suite_net_busy(void);

static void
send_many(int fd, const struct hop *at, int n)
{
    for (int i = 0; i < n; i++)
        peer_send(fd, at, SPAN(UDP_REQUEST));
}

/* ---------------------------------------------------------------- and then nothing comes */

static uint64_t quiet_until_ms;

static bool
was_quiet(struct rig *r)
{
    return r->clock.now_ms >= quiet_until_ms;
}

/* Does the loop rest while nothing comes? It has some 50 ticks of its own. */
static void
expect_rest(void)
{
    enum { QUIET_MS = 100 };
    uint64_t turns = rig.turns;

    quiet_until_ms = rig.clock.now_ms + QUIET_MS;
    rig_run(was_quiet);
    ck_assert_uint_le(rig.turns - turns, QUIET_MS);
}

START_TEST(one_that_was_busy_is_waited_for_again)
{
    enum { LOAD = 100 };
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    size_t came = 0;

    for (int times = 0; times < 3; times++) {
        send_many(fd, &at, LOAD);
        rig_run_messages(came += LOAD);
        send_many(fd, &at, 2);
        rig_run_messages(came += 2);
        rig_run_turns(3);
        expect_rest();
        send_many(fd, &at, 1);
        rig_run_messages(++came);
    }
    close(fd);
}
END_TEST

/* The system has no watch left: it is asked now and then. */
START_TEST(one_that_no_poll_takes_is_heard_all_the_same)
{
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    rig_refuse_polls(true);
    send_many(fd, &at, 100);
    rig_run_messages(100);
    expect_rest();
    send_many(fd, &at, 1);
    rig_run_messages(101);
    send_many(fd, &at, 100);
    rig_run_messages(201);
    expect_rest();
    rig_refuse_polls(false);
    expect_rest();
    send_many(fd, &at, 1);
    rig_run_messages(202);
    close(fd);
}
END_TEST

/* ---------------------------------------------------------------- what is heard meanwhile */

enum { FLOOD = 3000, EARLY = 500, SOON = 1500 };

static int flooder;
static struct hop flooded[4];
static unsigned heard[4];
static size_t left; /* to be sent */

static void
feed(const struct hop *at)
{
    if (left > 0) {
        left--;
        peer_send(flooder, at, SPAN(UDP_REQUEST));
    }
}

static void
begin_flood(size_t sockets, size_t waiting)
{
    uint16_t port;

    flooder = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    memset(heard, 0, sizeof heard);
    for (size_t i = 0; i < sockets; i++)
        flooded[i] = rig_at(rig_listen(HOP_UDP, "127.0.0.1"));
    left = FLOOD;
    for (size_t n = 0; n < waiting; n++)
        feed(&flooded[n % sockets]);
}

static struct hop dead, alive;
static size_t bounced_at; /* how many had come when the bounce did */

/* Those behind it reach somebody, and the first of them takes its error. */
static void
send_to_the_dead(struct rig *r, const struct hop *from, struct span bytes)
{
    (void)from;
    (void)bytes;
    if (r->bounced_len > 0 && bounced_at == 0)
        bounced_at = r->messages_len;
    feed(&flooded[0]);
    if (r->messages_len != EARLY)
        return;
    rig_send(&dead, UDP_REQUEST, 1);
    rig_send(&alive, UDP_ANSWER, 2);
    rig_send(&alive, UDP_ANSWER, 3);
}

static void
expect_bounce(size_t waiting, bool trains)
{
    struct net_listen spec = { .at = rig_hop(HOP_UDP, "127.0.0.1", 0), .trains = trains };
    uint16_t port, id;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    bounced_at = 0;
    begin_flood(1, 0);
    ck_assert_int_eq(net_listen(rig.net, &spec, &id, &rig.why), SIPD_OK);
    flooded[0] = rig_at(id);
    dead = rig_hop(HOP_UDP, "127.0.0.1", udp_closed_port("127.0.0.1"));
    alive = rig_hop(HOP_UDP, "127.0.0.1", port);
    dead.listener = alive.listener = id;
    rig.on_message = send_to_the_dead;
    while (waiting-- > 0)
        feed(&flooded[0]);
    rig_run_messages(FLOOD);
    ck_assert_uint_gt(bounced_at, EARLY);
    ck_assert_uint_lt(bounced_at, SOON);
    close(flooder);
    close(fd);
}

START_TEST(a_bounce_is_heard_by_a_busy_one)
{
    expect_bounce(200, false);
}
END_TEST

START_TEST(a_bounce_is_heard_while_a_little_comes)
{
    expect_bounce(20, false);
}
END_TEST

START_TEST(a_bounce_is_heard_by_one_that_sends_trains)
{
    expect_bounce(200, true);
}
END_TEST

static int phone;
static size_t asked_at, answered_at; /* by how many others */

static void
count(struct rig *r, const struct hop *from, struct span bytes)
{
    (void)bytes;
    if (hop_is_reliable(from->transport)) {
        answered_at = r->messages_len;
        return;
    }
    for (size_t i = 0; i < countof(flooded); i++)
        if (flooded[i].listener == from->listener) {
            heard[i]++;
            rig_compute_each(100);
            feed(&flooded[i]);
        }
    if (r->messages_len == EARLY) {
        asked_at = r->messages_len;
        peer_write(phone, SPAN(TCP_REQUEST));
    }
}

/* Each takes longer than a turn has, and all have their turns, and a connection too. */
START_TEST(busy_ones_take_turns)
{
    struct hop tcp;

    net_set_conf(rig.net, &tcp_plain);
    tcp = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    phone = peer_connect(&tcp);
    rig_run_turns(5);
    asked_at = answered_at = 0;
    rig.on_message = count;
    begin_flood(countof(flooded), 4 * 200);
    rig_run_messages(FLOOD + 1);
    ck_assert_uint_gt(answered_at, asked_at);
    ck_assert_uint_lt(answered_at, SOON);
    for (size_t i = 0; i < countof(flooded); i++)
        ck_assert_uint_gt(heard[i], FLOOD / countof(flooded) / 2);
    close(flooder);
    close(phone);
}
END_TEST

Suite *
suite_net_busy(void)
{
    Suite *suite = suite_create("net_busy");
    TCase *all = rig_case("busy");

    suite_add_tcase(suite, all);
    tcase_add_test(all, one_that_was_busy_is_waited_for_again);
    tcase_add_test(all, one_that_no_poll_takes_is_heard_all_the_same);
    tcase_add_test(all, a_bounce_is_heard_by_a_busy_one);
    tcase_add_test(all, a_bounce_is_heard_while_a_little_comes);
    tcase_add_test(all, a_bounce_is_heard_by_one_that_sends_trains);
    tcase_add_test(all, busy_ones_take_turns);
    return suite;
}
