/*
 * What was acknowledged survives kill -9: a REGISTER that got its 200 is there after the next start, what it took out is not, nor
 * anything that nobody has sent.
 *
 * This shows the order of commit and answer only; what a power cut does is shown by test_powercut.
 */
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live/server.h"

Suite *suite_killed(void);

enum { ROUNDS = 20, USERS = 400, WINDOW = 128, MESSAGE_BYTES = 65536, PORTS = 20000 };
enum { TAKEN_OUT = 4 };                        /* older bindings, by each REGISTER */
enum { SOAK_ROUNDS = 200, SOAK_PER_S = 5000 }; /* from so many on, the rate must be that */

static struct server server;
static unsigned cseq[USERS];           /* of the last REGISTER sent for each */
static unsigned acked[USERS];          /* … and of the last one answered 200 */
static uint64_t answers;               /* all 200s that came */
static uint64_t load_answers, load_ms; /* of all rounds, from the first answer until the kill */

/* A binding's port tells the CSeq that made it; each REGISTER takes the few out that may stand there from before. */
static void
say_register(int fd, unsigned user)
{
    unsigned port = PORTS + ++cseq[user];

    server_send(
        fd,
        "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP "
        "127.0.0.1;branch=z9hG4bKk%u-%u-%d;rport\n"
        "Max-Forwards: 70\nFrom: <sip:u%u@example.com>;tag=k%u\nTo: <sip:u%u@example.com>\n"
        "Call-ID: killed-%u\nCSeq: %u REGISTER\nContact: <sip:u%u@127.0.0.1:%u>\nExpires: 3600\n"
        "Contact: <sip:u%u@127.0.0.1:%u>;expires=0, <sip:u%u@127.0.0.1:%u>;expires=0\n"
        "Contact: <sip:u%u@127.0.0.1:%u>;expires=0, <sip:u%u@127.0.0.1:%u>;expires=0\n"
        "Content-Length: 0\n\n",
        user, cseq[user], (int)getpid(), user, user, user, user, cseq[user], user, port, user,
        port - 1, user, port - 2, user, port - 3, user, port - 4);
}

/* Notes what a 200 acknowledges. */
static void
hear(const char *reply)
{
    const char *call_id = strstr(reply, "Call-ID: killed-");
    const char *number = strstr(reply, "CSeq: ");
    unsigned long user;

    if (strncmp(reply, "SIP/2.0 200", 11) != 0 || !call_id || !number)
        return;
    user = strtoul(call_id + 16, NULL, 10);
    if (user >= USERS)
        ck_abort_msg("an answer to nobody:\n%s", reply);
    acked[user] = (unsigned)strtoul(number + 6, NULL, 10);
    answers++;
}

/*
 * Registers as fast as answers come, WINDOW on their way at once, which is 5,000 a second when the disk takes 25 ms for a sync; and
 * kills the server a while after the first answer that chance has set.
 */
static void
load_and_kill(unsigned ms)
{
    int fd = server_socket(&server, "127.0.0.1");
    uint64_t begun_ms, begun_answers;
    char reply[MESSAGE_BYTES];
    unsigned next = (unsigned)random() % USERS;

    for (int i = 0; i < WINDOW; i++)
        say_register(fd, next++ % USERS);
    ck_assert_uint_gt(server_receive(fd, reply, sizeof reply, PROC_PATIENCE_MS), 0);
    hear(reply);
    begun_ms = proc_now_ms();
    begun_answers = answers;
    while (proc_now_ms() < begun_ms + ms)
        if (server_receive(fd, reply, sizeof reply, 20) > 0) {
            hear(reply);
            say_register(fd, next++ % USERS);
        }
    load_ms += proc_now_ms() - begun_ms;
    load_answers += answers - begun_answers;
    proc_kill(&server.proc);
    while (server_receive(fd, reply, sizeof reply, 20) > 0)
        hear(reply);
    close(fd);
}

/* Asks for the user's bindings. */
static void
fetch(int fd, unsigned user, char reply[MESSAGE_BYTES])
{
    static unsigned serial;
    char call_id[64];
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    reply[0] = '\0';
    snprintf(call_id, sizeof call_id, "Call-ID: fetch-%u\r\n", ++serial);
    server_send(
        fd,
        "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKf%u-%d;rport\n"
        "Max-Forwards: 70\nFrom: <sip:u%u@example.com>;tag=f\nTo: <sip:u%u@example.com>\n"
        "Call-ID: fetch-%u\nCSeq: 1 REGISTER\nContent-Length: 0\n\n",
        serial, (int)getpid(), user, user, serial);
    while (!strstr(reply, call_id)) {
        ck_assert_msg(proc_now_ms() < until, "a fetch was not answered:\n%s",
                      proc_output(&server.proc));
        (void)server_receive(fd, reply, MESSAGE_BYTES, 1000);
    }
    ck_assert_msg(strncmp(reply, "SIP/2.0 200", 11) == 0, "a fetch was refused:\n%s", reply);
}

/* The CSeq that a Contact stands for, which begins here: one that was sent for this user. */
static unsigned
read_contact(const char *at, unsigned user)
{
    unsigned whose = USERS, port = 0;
    char end = '\0';

    ck_assert_msg(sscanf(at, "<sip:u%u@127.0.0.1:%u%c", &whose, &port, &end) == 3 && end == '>' &&
                      whose == user && port > PORTS && port <= PORTS + cseq[user],
                  "u%u, of whom CSeq %u was the last, has what was never sent: %.60s", user,
                  cseq[user], at);
    return port - PORTS;
}

/*
 * What was acknowledged, or something newer that was sent, is there, and what that took out is not. Others may be: a REGISTER that the
 * kill has swallowed took nothing out.
 */
static void
check_user(const char *reply, unsigned user)
{
    unsigned newest = 0;

    for (const char *line = strstr(reply, "\r\nContact: "); line;
         line = strstr(line + 2, "\r\nContact: ")) {
        const char *end = strstr(line + 2, "\r\n");

        for (const char *at = strchr(line, '<'); at && at < end; at = strchr(at + 1, '<')) {
            unsigned n = read_contact(at, user);

            newest = n > newest ? n : newest;
            ck_assert_msg(n >= acked[user] || n + TAKEN_OUT < acked[user],
                          "u%u still has CSeq %u, which the acknowledged %u took out", user, n,
                          acked[user]);
        }
    }
    ck_assert_msg(newest >= acked[user], "the binding of u%u acknowledged at CSeq %u is gone", user,
                  acked[user]);
}

static void
check_all(void)
{
    int fd = server_socket(&server, "127.0.0.1");
    char reply[MESSAGE_BYTES];

    for (unsigned user = 0; user < USERS; user++) {
        fetch(fd, user, reply);
        check_user(reply, user);
    }
    close(fd);
}

/* How often it is killed: SIPD_KILLED in the environment, or ROUNDS. */
static unsigned
rounds(void)
{
    const char *wanted = getenv("SIPD_KILLED");

    return wanted ? (unsigned)strtoul(wanted, NULL, 10) : ROUNDS;
}

static unsigned
users_acked(void)
{
    unsigned n = 0;

    for (unsigned user = 0; user < USERS; user++)
        n += acked[user] != 0;
    return n;
}

START_TEST(nothing_acknowledged_is_lost)
{
    unsigned times = rounds();
    double per_s;

    srandom(7);
    server_make(&server, "killed",
                "modules = [ \"registrar\" ];\nregistrar = { path = \"location.db\"; max_contacts "
                "= 100; };");
    for (unsigned round = 0; round < times || users_acked() <= USERS / 2; round++) {
        server_start(&server);
        check_all();
        load_and_kill(20 + (unsigned)random() % 200);
    }
    server_start(&server);
    check_all();
    per_s = (double)load_answers * 1000 / (double)load_ms;
    printf("killed: %u times, under %.0f durable REGISTERs a second that were acknowledged\n",
           times, per_s);
    server_stop(&server);
    if (times >= SOAK_ROUNDS)
        ck_assert_msg(per_s >= SOAK_PER_S, "%.0f REGISTERs a second, of at least %d", per_s,
                      SOAK_PER_S);
}
END_TEST

Suite *
suite_killed(void)
{
    Suite *suite = suite_create("killed");
    TCase *tcase = tcase_create("killed");

    tcase_set_timeout(tcase, 60 + 3 * (int)rounds());
    tcase_add_test(tcase, nothing_acknowledged_is_lost);
    suite_add_tcase(suite, tcase);
    return suite;
}
