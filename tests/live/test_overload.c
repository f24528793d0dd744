/*
 * A flood of requests, more than the server can serve: it says 503 to more and more of them and tells so, a dialog that
 * was there goes on, and when the flood is over all is as before (RFC 3261 §21.5.4). The flood comes to an address of
 * its own: what the kernel drops of a socket's full queue is anybody's, and no decision of the server.
 */
#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/poison.h"
#include "live/hand.h"
#include "live/throw.h"

Suite *suite_overload(void);

enum {
    FLOODERS = 2,
    BATCH = 64,
    ROUTES_BYTES = 4096,
    REPEAT_MS = 200,
    DIGITS = 10,
    PAUSE_US = 4000, /* between two batches at first, and … */
    FASTER_MS = 200, /* … half as long after each of these, until the server is overloaded */
};

#define FLOODED "127.0.0.2"

static struct server server;
static pid_t flooders[FLOODERS];
static atomic_uint *pause_us; /* the flooders read it */

/* ---------------------------------------------------------------- the flood */

struct shot {
    char text[512];
    size_t len;
    char *serial[2]; /* of its branch and its Call-ID */
};

/* Each is a request of its own: the serial number stands twice in it. */
static void
shot_init(struct shot *shot, unsigned flooder)
{
    static const char mark[] = "##########";

    shot->len = (size_t)snprintf(
        shot->text, sizeof shot->text,
        "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
        "127.0.0.2;branch=z9hG4bKf%u-%s;rport\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:f@example.com>;tag=1\r\nTo: <sip:example.com>\r\n"
        "Call-ID: flood-%u-%s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        flooder, mark, flooder, mark);
    shot->serial[0] = strstr(shot->text, mark);
    shot->serial[1] = strstr(shot->serial[0] + 1, mark);
}

static void
shot_number(struct shot *shot, unsigned serial)
{
    char digits[DIGITS + 1];

    snprintf(digits, sizeof digits, "%0*u", DIGITS, serial);
    memcpy(shot->serial[0], digits, DIGITS);
    memcpy(shot->serial[1], digits, DIGITS);
}

/* In a process of its own, that says nothing to Check: parent and child share the place in its file. */
static _Noreturn void
flood(unsigned flooder, int fd)
{
    static struct shot shots[BATCH];
    struct mmsghdr out[BATCH];
    struct iovec parts[BATCH];

    memset(out, 0, sizeof out);
    for (unsigned i = 0; i < BATCH; i++) {
        shot_init(&shots[i], flooder);
        parts[i] = (struct iovec){ shots[i].text, shots[i].len };
        out[i].msg_hdr.msg_iov = &parts[i];
        out[i].msg_hdr.msg_iovlen = 1;
    }
    for (unsigned serial = 0;;) {
        for (unsigned i = 0; i < BATCH; i++)
            shot_number(&shots[i], serial++);
        (void)sendmmsg(fd, out, BATCH, 0);
        if (*pause_us > 0)
            usleep(*pause_us);
    }
}

/* How many there must be depends on how fast this machine, and this build, is: more and more, until they are too many. */
static void
flood_begins(void)
{
    pause_us =
        mmap(NULL, sizeof *pause_us, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(pause_us, MAP_FAILED);
    *pause_us = PAUSE_US;
    for (unsigned i = 0; i < FLOODERS; i++) {
        int fd = server_socket(&server, FLOODED);

        flooders[i] = fork();
        if (flooders[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            flood(i, fd);
        }
        close(fd);
        ck_assert_int_ge(flooders[i], 0);
    }
}

static void
flood_ends(void)
{
    for (unsigned i = 0; i < FLOODERS; i++) {
        if (flooders[i] > 0) {
            kill(flooders[i], SIGKILL);
            waitpid(flooders[i], NULL, 0);
        }
        flooders[i] = 0;
    }
}

/* ---------------------------------------------------------------- a call */

struct call {
    struct hand alice, bob;
    unsigned cseq;
    char routes[ROUTES_BYTES];
};

/* Bob says 200 to all that he hears but an ACK. */
static void
bob_answers(struct call *call)
{
    while (hand_takes(&call->bob, 0))
        if (strncmp(call->bob.heard, "ACK ", 4) != 0 && strncmp(call->bob.heard, "SIP/", 4) != 0)
            hand_answers(&call->bob, server.port, 200, "");
}

static void
say(const struct call *call, const char *method)
{
    hand_says(&call->alice, server.port,
              "%s sip:bob@127.0.0.1:%u SIP/2.0\n"
              "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKcall-%s-%u\n%s"
              "Max-Forwards: 70\nFrom: <sip:alice@127.0.0.1>;tag=a\nTo: <sip:bob@127.0.0.1>%s\n"
              "Call-ID: the-call\nCSeq: %u %s\nContact: <sip:alice@127.0.0.1:%u>\n"
              "Content-Length: 0\n\n",
              method, call->bob.port, call->alice.port, method, call->cseq, call->routes,
              call->routes[0] ? ";tag=bob" : "", call->cseq, method, call->alice.port);
}

/* Says it, again and again, until 200 is heard. */
static void
ask(struct call *call, const char *method)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS, again = 0;
    struct hand *alice = &call->alice;
    char cseq[64];

    snprintf(cseq, sizeof cseq, "CSeq: %u %s", ++call->cseq, method);
    do {
        ck_assert_msg(proc_now_ms() < until, "no 200 to %s\n%s", method, proc_output(&server.proc));
        if (proc_now_ms() >= again) {
            say(call, method);
            again = proc_now_ms() + REPEAT_MS;
        }
        bob_answers(call);
    } while (!hand_takes(alice, 10) || !strstr(alice->heard, cseq) ||
             strncmp(alice->heard, "SIP/2.0 1", 9) == 0);
    ck_assert_msg(strncmp(alice->heard, "SIP/2.0 200", 11) == 0, "%s was refused:\n%s", method,
                  alice->heard);
    if (!call->routes[0])
        hand_routes(alice->heard, true, call->routes, sizeof call->routes);
}

static void
call_begins(struct call *call)
{
    call->cseq = 0;
    call->routes[0] = '\0';
    hand_open(&call->alice, "alice");
    hand_open(&call->bob, "bob");
    ask(call, "INVITE");
    say(call, "ACK");
}

/* ---------------------------------------------------------------- what it tells */

static bool
status_has(const char *text)
{
    struct proc out;

    ck_assert_int_eq(server_ctl(&server, &out, "--json status", NULL), 0);
    return strstr(proc_output(&out), text) != NULL;
}

static void
flood_until_shedding(void)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS, faster = proc_now_ms() + FASTER_MS;

    while (!status_has("shedding")) {
        ck_assert_msg(proc_now_ms() < until, "no flood overloads it");
        if (proc_now_ms() >= faster) {
            *pause_us = *pause_us / 2;
            faster = proc_now_ms() + FASTER_MS;
        }
        proc_pause(20);
    }
}

static void
wait_for_status(const char *text)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    while (!status_has(text)) {
        ck_assert_msg(proc_now_ms() < until, "status never had %s", text);
        proc_pause(20);
    }
}

/* Of all turns; a machine that does another's work in our time makes one long now and then, a habit makes them all so. */
static bool
is_no_habit(const char *counter)
{
    return throw_count(&server, counter) * 100 <= throw_count(&server, "turns");
}

START_TEST(a_flood_is_shed_and_dialogs_go_on)
{
    static struct call call;
    char listener[128];
    uint16_t port = proc_server_port();

    snprintf(listener, sizeof listener,
             "{ transport = \"udp\"; address = \"" FLOODED "\"; port = %u; }", port);
    server_use_port(port);
    server_also_listen(listener);
    server_make(&server, "overload", "proxy = { relay = \"any\"; };\n");
    server_use_port(0);
    server_also_listen(NULL);
    server_start(&server);
    call_begins(&call);
    wait_for_status("normal");
    flood_begins();
    flood_until_shedding();
    ck_assert(proc_says(&server.proc, "overloaded", PROC_PATIENCE_MS));
    ask(&call, "INFO");
    ask(&call, "UPDATE");
    flood_ends();
    wait_for_status("normal");
    ask(&call, "BYE");
    ck_assert_uint_gt(throw_count(&server, "core_shed_load"), 0);
    ck_assert(is_no_habit("turn_slept"));
    ck_assert(POISON_WORKS || is_no_habit("turn_late"));
    hand_close(&call.alice);
    hand_close(&call.bob);
    server_stop(&server);
}
END_TEST

Suite *
suite_overload(void)
{
    Suite *suite = suite_create("overload");
    TCase *tcase = tcase_create("overload");

    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, NULL, flood_ends);
    tcase_add_test(tcase, a_flood_is_shed_and_dialogs_go_on);
    suite_add_tcase(suite, tcase);
    return suite;
}
