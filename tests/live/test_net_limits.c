/*
 * What connections may not do to others: too many of one source, silence, messages that never come whole, much that waits.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "live/net_rig.h"

Suite *suite_net_limits(void);

#define REQUEST "OPTIONS sip:example.com SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"

static const struct net_conf plain = {
    .connections = 100,
    .message_bytes = 65535,
    .idle_ms = 60000,
    .message_ms = 60000,
    .connect_ms = 60000,
    .queue_bytes = 1 << 20,
};

static struct hop
listen_with(const struct net_conf *conf)
{
    net_set_conf(rig.net, conf);
    return rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
}

START_TEST(a_source_has_so_many_connections)
{
    struct net_conf conf = plain;
    struct hop at;
    int one, two, more;

    conf.source_conns = 2;
    at = listen_with(&conf);
    one = peer_connect(&at);
    two = peer_connect(&at);
    more = peer_connect(&at);
    peer_expect_end(more);
    ck_assert_uint_eq(rig_count("conns_over_source"), 1);
    close(one);
    rig_run_flows_gone(1);
    close(more);
    more = peer_connect(&at);
    peer_write(more, SPAN(REQUEST));
    rig_run_messages(1);
    ck_assert_uint_eq(rig_count("conns_over_source"), 1);
    close(two);
    close(more);
}
END_TEST

static bool
one_flow_gone(struct rig *r)
{
    return r->flows_gone_len > 0;
}

START_TEST(who_connects_says_something)
{
    struct net_conf conf = plain;
    struct hop at;
    int silent, slow, well;

    conf.first_byte_ms = 300;
    conf.first_message_ms = 1500;
    at = listen_with(&conf);
    silent = peer_connect(&at);
    slow = peer_connect(&at);
    well = peer_connect(&at);
    peer_write(slow, SPAN("OPTIONS"));
    peer_write(well, SPAN(REQUEST));
    rig_run(one_flow_gone);
    if (rig_kept_up(1000)) {
        peer_expect_end(silent);
        ck_assert_uint_eq(rig_count("conns_silent"), 1);
    }
    rig_run_flows_gone(2);
    peer_expect_end(slow);
    ck_assert_uint_eq(rig_count("conns_silent"), 2);
    rig_run_turns(100);
    ck_assert_uint_eq(rig.flows_gone_len, 2);
    ck_assert(net_flow_alive(rig.net, rig.messages[0].from.flow));
    close(silent);
    close(slow);
    close(well);
}
END_TEST

/* A keep-alive of ours is no sign of life; its answer is. */
START_TEST(a_silent_connection_is_asked_for_a_sign_of_life)
{
    struct net_conf conf = plain;
    struct hop at;
    int fd;

    conf.keepalive_ms = 100;
    conf.idle_ms = 3000;
    at = listen_with(&conf);
    fd = peer_connect(&at);
    peer_write(fd, SPAN(REQUEST));
    rig_run_messages(1);
    for (int i = 0; i < 5; i++) {
        peer_expect(fd, SPAN("\r\n\r\n"));
        peer_write(fd, SPAN("\r\n"));
        rig_run_turns(3);
    }
    ck_assert_uint_eq(rig.flows_gone_len, 0);
    ck_assert_uint_eq(rig_count("net_sent"), 0);
    peer_expect(fd, SPAN("\r\n\r\n"));
    rig_run_flows_gone(1);
    ck_assert_uint_eq(rig_count("conns_idle"), 1);
    close(fd);
}
END_TEST

enum { PEERS = 8, PART_BYTES = 30000, HELD_BYTES = 100000 };

static bool
the_rest_was_dropped(struct rig *r)
{
    (void)r;
    return rig_count("net_dropped_memory") >= PEERS - HELD_BYTES / PART_BYTES;
}

/* All together may hold so much, whoever holds it. */
START_TEST(what_is_held_for_all_has_a_ceiling)
{
    struct net_conf conf = plain;
    char *part = mem_new(PART_BYTES);
    struct hop at;
    int fds[PEERS];

    conf.held_bytes = HELD_BYTES;
    at = listen_with(&conf);
    memset(part, 'x', PART_BYTES);
    memcpy(part, "OPTIONS sip:x SIP/2.0\r\nA: ", 26);
    for (int i = 0; i < PEERS; i++) {
        fds[i] = peer_connect(&at);
        peer_write(fds[i], (struct span){ part, PART_BYTES });
        rig_run_turns(20);
    }
    rig_run(the_rest_was_dropped);
    ck_assert_uint_lt(rig_count("net_dropped_memory"), PEERS);
    for (int i = 0; i < PEERS; i++)
        close(fds[i]);
    rig_run_flows_gone(PEERS);
    fds[0] = peer_connect(&at);
    peer_write(fds[0], SPAN(REQUEST));
    rig_run_messages(1);
    close(fds[0]);
    mem_free(part);
}
END_TEST

Suite *
suite_net_limits(void)
{
    Suite *suite = suite_create("net_limits");
    TCase *limits = rig_case("limits");

    tcase_add_test(limits, a_source_has_so_many_connections);
    tcase_add_test(limits, who_connects_says_something);
    tcase_add_test(limits, a_silent_connection_is_asked_for_a_sign_of_life);
    tcase_add_test(limits, what_is_held_for_all_has_a_ceiling);
    suite_add_tcase(suite, limits);
    return suite;
}
