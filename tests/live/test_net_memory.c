/*
 * Memory that is out, at every allocation.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "live/tcp_rig.h"

Suite *suite_net_memory(void);

/* Every allocation of a birth may fail: nothing is left behind. */
START_TEST(a_birth_that_fails_leaves_nothing)
{
    struct net *net;
    uint64_t live = mem_live(), n = 0;
    int err;

    do {
        mem_fail_after(n++);
        err = net_new(&net, &rig.ports, &rig.clock, &rig.counters, &rig.log);
        mem_fail_never();
        if (err == SIPD_OK)
            net_free(&net);
        ck_assert_ptr_null(net);
        ck_assert_uint_eq(mem_live(), live);
    } while (err != SIPD_OK);
    ck_assert_uint_gt(n, 3);
}
END_TEST

/* Every allocation of a busy while may fail: messages may be lost, nothing else. */
START_TEST(memory_may_run_out_anywhere)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1")), to, dead, nowhere;
    int listening = tcp_listening(&to), fd, gone = tcp_listening(&dead);
    struct hop udp = rig_hop(HOP_UDP, "127.0.0.1", 9);

    nowhere = rig_hop(HOP_TCP, "::1", 9);
    close(gone);
    rig_listen(HOP_UDP, "127.0.0.1");
    rig.on_message = tcp_echo;
    fd = peer_connect(&at);
    mem_fail_after((uint64_t)_i);
    peer_write(fd, SPAN(TCP_REQUEST "OPTIONS sip:a SIP"));
    rig_refuse_sends(ENOBUFS, 1);
    for (uint64_t token = 1; token < 5; token++) {
        rig_send(&to, TCP_REQUEST, token);
        rig_send(&dead, TCP_REQUEST, token);
        rig_send(&nowhere, TCP_REQUEST, token);
        rig_send(&udp, TCP_REQUEST, token);
    }
    rig_run_turns(5);
    send(fd, "/2.0\r\n\r\n", 8, MSG_NOSIGNAL);
    rig_run_turns(5);
    mem_fail_never();
    close(fd);
    close(listening);
    rig_run_turns(5);
    ck_assert_uint_le(rig.messages_len, 2);
}
END_TEST

Suite *
suite_net_memory(void)
{
    Suite *suite = suite_create("net_memory");
    TCase *all = rig_case("memory");

    suite_add_tcase(suite, all);
    tcase_add_test(all, a_birth_that_fails_leaves_nothing);
    tcase_add_loop_test(all, memory_may_run_out_anywhere, 0, 60);
    return suite;
}
