/*
 * Two softphones call each other through sipd: registered with digest, over UDP, TCP and IPv6, with sound.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "live/capture.h"
#include "live/phone.h"
#include "live/server.h"

Suite *suite_phones(void);

/* The other listener of a server that a phone has two flows to. */
#define SECOND "127.0.0.2"

static uint16_t second_port;

static struct server server;
static char server_v4[32], server_v6[32];

static void
start(void)
{
    char listener[100];

    second_port = proc_port(SECOND);
    snprintf(listener, sizeof listener,
             "{ transport = \"tcp\"; address = \"" SECOND "\"; port = %u; }", second_port);
    server_also_listen(listener);
    server_make(&server, "sipd",
                "modules = [ \"auth\", \"registrar\" ];\n"
                "registrar = { store = \"sqlite\"; path = \"location.db\"; };\n"
                "auth = { path = \"users.db\"; };");
    server_also_listen(NULL);
    server_start(&server);
    server_add_user(&server, "alice", "wonderland");
    server_add_user(&server, "bob", "builder");
    snprintf(server_v4, sizeof server_v4, "127.0.0.1:%u", server.port);
    snprintf(server_v6, sizeof server_v6, "[::1]:%u", server.port);
}

static void
stop(void)
{
    server_stop(&server);
}

static struct phone_conf
account(const char *user, const char *password, const char *transport, bool v6)
{
    return (struct phone_conf){
        .user = user,
        .password = password,
        .domain = "example.com",
        .ip = v6 ? "::1" : "127.0.0.1",
        .server = v6 ? server_v6 : server_v4,
        .transport = transport,
    };
}

/* baresip refuses sound from another family than its own, so a call from IPv4 to IPv6 is sipp's (test_sipp). */
struct pair {
    const char *caller, *callee; /* transports */
    bool v6;
};

static const struct pair pairs[] = {
    { "udp", "udp", false }, { "udp", "tcp", false }, { "tcp", "udp", false },
    { "tcp", "tcp", false }, { "udp", "udp", true },  { "tcp", "tcp", true },
};

START_TEST(a_phone_registers_and_another_one_calls_it)
{
    const struct pair *pair = &pairs[_i];
    struct phone_conf a = account("alice", "wonderland", pair->caller, pair->v6);
    struct phone_conf b = account("bob", "builder", pair->callee, pair->v6);
    struct phone alice, bob;

    if (pair->v6 && !proc_has_ip("::1")) {
        proc_skip("a call between phones", "no IPv6 here");
        return;
    }
    phone_start(&alice, &a);
    phone_start(&bob, &b);
    phone_wait(&alice, "200 OK");
    phone_wait(&bob, "200 OK");
    phone_do(&alice, "dial", "sip:bob@example.com");
    phone_wait(&bob, "Incoming call from");
    phone_do(&bob, "accept", "");
    phone_wait(&alice, "Call established");
    phone_wait(&bob, "Call established");
    phone_hears(&alice);
    phone_hears(&bob);
    phone_do(&alice, "hangup", "");
    phone_wait(&bob, "session closed");
    phone_stop(&alice);
    phone_stop(&bob);
}
END_TEST

START_TEST(a_wrong_password_is_refused)
{
    struct phone_conf a = account("alice", "looking-glass", "udp", false);
    struct phone alice;

    phone_start(&alice, &a);
    phone_wait(&alice, "401 Unauthorized");
    ck_assert_uint_eq(proc_said(&alice.proc, "200 OK"), 0);
    phone_stop(&alice);
}
END_TEST

START_TEST(a_call_is_rejected)
{
    struct phone_conf a = account("alice", "wonderland", "udp", false);
    struct phone_conf b = account("bob", "builder", "udp", false);
    struct phone alice, bob;

    phone_start(&alice, &a);
    phone_start(&bob, &b);
    phone_wait(&alice, "200 OK");
    phone_wait(&bob, "200 OK");
    phone_do(&alice, "dial", "sip:bob@example.com");
    phone_wait(&bob, "Incoming call from");
    phone_do(&bob, "hangup", "");
    phone_wait(&alice, "486");
    phone_stop(&alice);
    phone_stop(&bob);
}
END_TEST

START_TEST(a_call_is_given_up_while_it_rings)
{
    struct phone_conf a = account("alice", "wonderland", "udp", false);
    struct phone_conf b = account("bob", "builder", "tcp", false);
    struct phone alice, bob;

    phone_start(&alice, &a);
    phone_start(&bob, &b);
    phone_wait(&alice, "200 OK");
    phone_wait(&bob, "200 OK");
    phone_do(&alice, "dial", "sip:bob@example.com");
    phone_wait(&bob, "Incoming call from");
    phone_do(&alice, "hangup", "");
    phone_wait(&bob, "session closed");
    phone_stop(&alice);
    phone_stop(&bob);
}
END_TEST

START_TEST(nobody_of_that_name)
{
    struct phone_conf a = account("alice", "wonderland", "udp", false);
    struct phone alice;

    phone_start(&alice, &a);
    phone_wait(&alice, "200 OK");
    phone_do(&alice, "dial", "sip:nobody@example.com");
    phone_wait(&alice, "404");
    phone_do(&alice, "dial", "sip:bob@example.com");
    phone_wait(&alice, "480");
    phone_stop(&alice);
}
END_TEST

/*
 * kill -9 in the middle of a call: what the dialog needs is in its Route, so the next server takes the BYE to its
 * phone.
 */
START_TEST(a_call_outlives_the_server)
{
    const char *transport = _i == 0 ? "udp" : "tcp";
    struct phone_conf a = account("alice", "wonderland", transport, false);
    struct phone_conf b = account("bob", "builder", transport, false);
    struct phone alice, bob;

    phone_start(&alice, &a);
    phone_start(&bob, &b);
    phone_wait(&alice, "200 OK");
    phone_wait(&bob, "200 OK");
    phone_do(&alice, "dial", "sip:bob@example.com");
    phone_wait(&bob, "Incoming call from");
    phone_do(&bob, "accept", "");
    phone_wait(&alice, "Call established");
    phone_wait(&bob, "Call established");
    proc_kill(&server.proc);
    server_start(&server);
    /*
     * by TCP, a baresip that was called names its end of a connection as its Contact, and that is gone: so the callee
     * hangs up
     */
    phone_do(&bob, "hangup", "");
    phone_wait(&alice, "session closed");
    phone_stop(&alice);
    phone_stop(&bob);
}
END_TEST

/* They are in the store: nobody has registered anew when the next server is asked for them. */
START_TEST(registrations_outlive_the_server)
{
    struct phone_conf a = account("alice", "wonderland", "udp", false);
    struct phone_conf b = account("bob", "builder", "udp", false);
    struct phone alice, bob;

    phone_start(&alice, &a);
    phone_start(&bob, &b);
    phone_wait(&alice, "200 OK");
    phone_wait(&bob, "200 OK");
    proc_kill(&server.proc);
    server_start(&server);
    phone_do(&alice, "dial", "sip:bob@example.com");
    phone_wait(&bob, "Incoming call from");
    phone_do(&alice, "hangup", "");
    phone_wait(&bob, "session closed");
    phone_stop(&alice);
    phone_stop(&bob);
}
END_TEST

/* Both ring, one is taken, and the other hears that it need not ring on (RFC 3261 §16.7 step 10). */
START_TEST(two_devices_of_a_user)
{
    struct phone_conf a = account("alice", "wonderland", "udp", false);
    struct phone_conf desk = account("bob", "builder", "udp", false);
    struct phone_conf mobile = account("bob", "builder", "tcp", false);
    struct phone alice, one, other;

    mobile.ip = "127.0.0.2";
    phone_start(&alice, &a);
    phone_start(&one, &desk);
    phone_start(&other, &mobile);
    phone_wait(&alice, "200 OK");
    phone_wait(&one, "200 OK");
    phone_wait(&other, "200 OK");
    phone_do(&alice, "dial", "sip:bob@example.com");
    phone_wait(&one, "Incoming call from");
    phone_wait(&other, "Incoming call from");
    phone_do(&other, "accept", "");
    phone_wait(&one, "session closed");
    phone_wait(&alice, "Call established");
    phone_hears(&alice);
    phone_hears(&other);
    phone_do(&alice, "hangup", "");
    phone_wait(&other, "session closed");
    phone_stop(&alice);
    phone_stop(&one);
    phone_stop(&other);
}
END_TEST

/* How often the list of bob's bindings has these words. */
static unsigned
bindings_with(const char *words)
{
    struct proc out;

    ck_assert_int_eq(server_ctl(&server, &out, "--json show bindings sip:bob@example.com", NULL),
                     0);
    return proc_said(&out, words);
}

#define UUID "67f1a5ee-0cbd-4aa0-9f4c-0b4c5dd1a2b3"

/*
 * A phone that is found at another address from one moment to the next, and has had no time to say that it leaves. One that has an
 * instance-id takes its binding with it (RFC 5626 §6); of one that has none the old one is still tried, beside the new.
 */
START_TEST(a_phone_changes_its_network)
{
    bool outbound = _i == 0;
    struct phone_conf a = account("alice", "wonderland", "udp", false);
    struct phone_conf b = account("bob", "builder", outbound ? "tcp" : "udp", false);
    struct phone alice, before, after;

    b.uuid = outbound ? UUID : NULL;
    phone_start(&alice, &a);
    phone_start(&before, &b);
    phone_wait(&alice, "200 OK");
    phone_wait(&before, "200 OK");
    ck_assert_uint_eq(bindings_with("\"contact\""), 1);
    ck_assert_uint_eq(bindings_with("urn:uuid:" UUID), outbound);
    ck_assert_uint_eq(bindings_with("\"reg_id\": 1,"), outbound);
    proc_kill(&before.proc);
    b.ip = "127.0.0.2";
    phone_start(&after, &b);
    phone_wait(&after, "200 OK");
    ck_assert_uint_eq(bindings_with("\"contact\""), outbound ? 1 : 2);
    phone_do(&alice, "dial", "sip:bob@example.com");
    phone_wait(&after, "Incoming call from");
    phone_do(&after, "accept", "");
    phone_wait(&alice, "Call established");
    phone_hears(&after);
    phone_do(&alice, "hangup", "");
    phone_wait(&after, "session closed");
    phone_stop(&before);
    phone_stop(&alice);
    phone_stop(&after);
}
END_TEST

/* A flow of bob's: the server's connection, and the phone's port at its end. */
struct flow {
    unsigned long long id;
    unsigned port;
};

static struct flow
flow_of(unsigned reg_id)
{
    struct flow flow = { 0, 0 };
    struct proc out;
    char number[32];
    const char *source, *id, *end;

    snprintf(number, sizeof number, "\"reg_id\": %u,", reg_id);
    ck_assert_int_eq(server_ctl(&server, &out, "--json show bindings sip:bob@example.com", NULL),
                     0);
    source = proc_output(&out);
    end = strstr(source, number);
    ck_assert_msg(end, "no flow %u:\n%s", reg_id, source);
    for (const char *next; (next = strstr(source + 1, "\"source\": ")) && next < end;)
        source = next;
    id = strstr(source, "\"flow\": ");
    ck_assert(id && sscanf(id, "\"flow\": \"%llu\"", &flow.id) == 1 &&
              sscanf(source, "\"source\": \"tcp:127.0.0.1:%u\"", &flow.port) == 1);
    return flow;
}

/* How many INVITEs the phone heard by this flow. */
static unsigned
calls_by(const struct phone *phone, struct flow flow)
{
    char words[64];

    snprintf(words, sizeof words, "-> 127.0.0.1:%u\nINVITE ", flow.port);
    return proc_said(&phone->proc, words);
}

static void
close_flow(struct flow flow)
{
    char words[64];
    struct proc out;

    snprintf(words, sizeof words, "close connection %llu", flow.id);
    ck_assert_int_eq(server_ctl(&server, &out, words, NULL), 0);
}

/* And is rejected there, as the caller hears the n-th time. */
static void
call_bob(struct phone *alice, struct phone *bob, unsigned n)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    phone_do(alice, "dial", "sip:bob@example.com");
    for (; proc_said(&bob->proc, "Incoming call from") < n; proc_pause(10))
        ck_assert_msg(proc_now_ms() < until, "no call:\n%s", proc_output(&bob->proc));
    phone_do(bob, "hangup", "");
    for (; proc_said(&alice->proc, "session closed") < n; proc_pause(10))
        ck_assert_msg(proc_now_ms() < until, "no end:\n%s", proc_output(&alice->proc));
}

/*
 * One device, and a flow to each of two listeners (RFC 5626 §4.2): a call comes by one of them alone, and when the server has closed
 * that by the other.
 */
START_TEST(a_phone_with_two_flows)
{
    struct phone_conf a = account("alice", "wonderland", "udp", false);
    struct phone_conf b = account("bob", "builder", "tcp", false);
    struct phone alice, bob;
    char second[100];
    struct flow one, two;
    bool by_two;

    snprintf(second, sizeof second, "outbound2=\"sip:" SECOND ":%u;transport=tcp\";", second_port);
    b.uuid = UUID;
    b.extra = second;
    phone_start(&alice, &a);
    phone_start(&bob, &b);
    phone_wait(&alice, "200 OK");
    phone_wait(&bob, "{1/TCP/v4} 200 OK");
    phone_wait(&bob, "{2/TCP/v4} 200 OK");
    one = flow_of(1);
    two = flow_of(2);
    call_bob(&alice, &bob, 1);
    by_two = calls_by(&bob, two) > 0;
    ck_assert_uint_eq(calls_by(&bob, one) + calls_by(&bob, two), 1);
    close_flow(by_two ? two : one);
    call_bob(&alice, &bob, 2);
    ck_assert_uint_eq(calls_by(&bob, one), 1);
    ck_assert_uint_eq(calls_by(&bob, two), 1);
    phone_stop(&alice);
    phone_stop(&bob);
}
END_TEST

/* The redirect server that is shipped; a phone follows it to where the other one is (RFC 3261 §8.1.3.4). */
START_TEST(a_phone_follows_a_redirection)
{
    struct phone_conf a = account("alice", "wonderland", "udp", false);
    struct phone_conf b = account("bob", "builder", "udp", false);
    struct phone alice, bob;

    server_stop(&server);
    server_make(&server, "sipd", server_redirects());
    server_start(&server);
    server_add_user(&server, "alice", "wonderland");
    server_add_user(&server, "bob", "builder");
    snprintf(server_v4, sizeof server_v4, "127.0.0.1:%u", server.port);
    phone_start(&alice, &a);
    phone_start(&bob, &b);
    phone_wait(&alice, "200 OK");
    phone_wait(&bob, "200 OK");
    phone_do(&alice, "dial", "sip:bob@example.com");
    phone_wait(&bob, "Incoming call from");
    phone_do(&bob, "accept", "");
    phone_wait(&alice, "Call established");
    phone_do(&alice, "hangup", "");
    phone_stop(&alice);
    phone_stop(&bob);
}
END_TEST

Suite *
suite_phones(void)
{
    Suite *suite = suite_create("phones");
    TCase *tcase = tcase_create("phones");

    tcase_set_timeout(tcase, 60);
    capture_before(tcase);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_loop_test(tcase, a_phone_registers_and_another_one_calls_it, 0,
                        (int)(sizeof pairs / sizeof *pairs));
    tcase_add_test(tcase, a_wrong_password_is_refused);
    tcase_add_test(tcase, a_call_is_rejected);
    tcase_add_test(tcase, a_call_is_given_up_while_it_rings);
    tcase_add_test(tcase, nobody_of_that_name);
    tcase_add_loop_test(tcase, a_call_outlives_the_server, 0, 2);
    tcase_add_test(tcase, registrations_outlive_the_server);
    tcase_add_test(tcase, two_devices_of_a_user);
    tcase_add_loop_test(tcase, a_phone_changes_its_network, 0, 2);
    tcase_add_test(tcase, a_phone_with_two_flows);
    tcase_add_test(tcase, a_phone_follows_a_redirection);
    capture_after(tcase);
    suite_add_tcase(suite, tcase);
    return suite;
}
