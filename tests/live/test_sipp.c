/*
 * Whole calls through sipd by sipp, message by message: answered, refused, given up, forked, along the Record-Route,
 * from any transport to any other, with methods and header fields that nobody knows (RFC 3261 §16,
 * RFC 3262, RFC 3311).
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/def.h"
#include "live/capture.h"
#include "live/sipp.h"

Suite *suite_sipp(void);

enum { CALLEES = 2, CALLS = 24, REPORT_BYTES = 3500 };

/* A call: one user that the server knows by the addresses of its phones, and who calls it. */
struct call {
    const char *name; /* of the user too */
    struct sipp_conf caller, callees[CALLEES];
};

static struct server server;

static void
start(const char *settings)
{
    server_make(&server, "sipd", settings);
    server_start(&server);
}

/* ---------------------------------------------------------------- calls, all at once */

static bool
has_its_addresses(const struct call *call)
{
    const struct sipp_conf *caller = &call->caller, *callee = &call->callees[0];

    return (!caller->ip || proc_has_ip(caller->ip)) && (!callee->ip || proc_has_ip(callee->ip));
}

static void
bind_phone(const struct call *call, const struct sipp *callee)
{
    const char *ip = callee->conf.ip ? callee->conf.ip : "127.0.0.1";
    bool v6 = strchr(ip, ':') != NULL;
    struct proc out;
    char words[256];

    snprintf(words, sizeof words, "add binding sip:%s@example.com 'sip:%s@%s%s%s:%u%s' q %s",
             call->name, call->name, v6 ? "[" : "", ip, v6 ? "]" : "", callee->port,
             callee->conf.bare  ? ""
             : callee->conf.tcp ? ";transport=tcp"
                                : ";transport=udp",
             callee->conf.q ? callee->conf.q : "1.0");
    ck_assert_msg(server_ctl(&server, &out, words, NULL) == 0, "no binding was added:\n%s",
                  proc_output(&out));
}

/* Appends what went wrong at one end of a call; true: nothing did. */
static bool
ends_well(struct sipp *s, char *report)
{
    size_t n = strlen(report);

    if (sipp_succeeds(s))
        return true;
    snprintf(report + n, REPORT_BYTES - n, "%s: %.500s\n", s->name, sipp_why(s));
    return false;
}

/* Every phone listens before any call begins. */
static void
run(const struct call *calls, size_t calls_len)
{
    static struct sipp callers[CALLS], callees[CALLS][CALLEES];
    char name[48], report[REPORT_BYTES] = "";
    bool well = true;

    ck_assert_uint_le(calls_len, CALLS);
    memset(callers, 0, sizeof callers);
    memset(callees, 0, sizeof callees);
    for (size_t i = 0; i < calls_len; i++)
        for (size_t k = 0;
             k < CALLEES && calls[i].callees[k].scenario && has_its_addresses(&calls[i]); k++) {
            snprintf(name, sizeof name, "%s-callee-%zu", calls[i].name, k);
            sipp_answer(&callees[i][k], name, &calls[i].callees[k], &server);
        }
    for (size_t i = 0; i < calls_len; i++)
        for (size_t k = 0; k < CALLEES && callees[i][k].conf.scenario; k++) {
            sipp_ready(&callees[i][k]);
            bind_phone(&calls[i], &callees[i][k]);
        }
    for (size_t i = 0; i < calls_len; i++) {
        snprintf(name, sizeof name, "%s-caller", calls[i].name);
        if (has_its_addresses(&calls[i]))
            sipp_call(&callers[i], name, &calls[i].caller, &server, calls[i].name);
        else
            proc_skip(calls[i].name, "no IPv6 here");
    }
    for (size_t i = 0; i < calls_len; i++) {
        well &= ends_well(&callers[i], report);
        for (size_t k = 0; k < CALLEES; k++)
            well &= ends_well(&callees[i][k], report);
    }
    ck_assert_msg(well, "%s", report);
}

/* Nothing is left behind by calls that have ended. */
static void
expect_nothing_pending(void)
{
    struct proc out;

    for (uint64_t until = proc_now_ms() + PROC_PATIENCE_MS; proc_now_ms() < until;) {
        ck_assert_int_eq(server_ctl(&server, &out, "--json status", NULL), 0);
        if (strstr(proc_output(&out), "\"pending\": 0") &&
            strstr(proc_output(&out), "\"branches\": 0"))
            return;
        proc_pause(20);
    }
    ck_abort_msg("something is still pending:\n%s", proc_output(&out));
}

#define SAYS(name)       \
    {                    \
        .scenario = name \
    }
#define BY_TCP(name)                  \
    {                                 \
        .scenario = name, .tcp = true \
    }
#define BY_V6(name)                   \
    {                                 \
        .scenario = name, .ip = "::1" \
    }
#define BY_TCP_V6(name)                            \
    {                                              \
        .scenario = name, .ip = "::1", .tcp = true \
    }
#define GETS(code)                                      \
    {                                                   \
        .scenario = "caller_is_refused", .status = code \
    }

/* clang-format off */
static const struct call calls[] = {
    { "answered", SAYS("caller"), { SAYS("callee") } },
    { "hungup", SAYS("caller_is_hung_up_on"), { SAYS("callee_hangs_up") } },
    { "busy", GETS("486"), { { .scenario = "callee_refuses", .status = "486" } } },
    { "declined", GETS("603"), { { .scenario = "callee_refuses", .status = "603" } } },
    { "cancelled", SAYS("caller_cancels"), { SAYS("callee_is_cancelled") } },
    { "nobody", GETS("404"), { { .scenario = NULL } } },
    { "forked", SAYS("caller_of_any"), { SAYS("callee_of_any"), SAYS("callee_is_cancelled") } },
    { "inturn", SAYS("caller_of_any"),
      { { .scenario = "callee_refuses", .status = "486" }, { .scenario = "callee_of_any", .q = "0.5" } } },
    { "forkedoff", SAYS("caller_cancels_many"), { SAYS("callee_is_cancelled"), BY_TCP("callee_is_cancelled") } },
    { "pracked", SAYS("caller_pracks"), { SAYS("callee_is_pracked") } },
    { "talkative", SAYS("caller_says_many_things"), { SAYS("callee_hears_many_things") } },
};
/* clang-format on */

START_TEST(calls_go_as_they_should)
{
    start("modules = [ \"registrar\" ];\nregistrar = { store = \"ram\"; };\nproxy = { fork = "
          "\"q\"; };");
    run(calls, countof(calls));
    expect_nothing_pending();
    server_stop(&server);
}
END_TEST

/* clang-format off */
static const struct call transports[] = {
    { "udptcp", SAYS("caller"), { BY_TCP("callee") } },
    { "udptcpback", SAYS("caller_is_hung_up_on"), { BY_TCP("callee_hangs_up") } },
    { "tcpudp", BY_TCP("caller"), { SAYS("callee") } },
    { "tcpudpback", BY_TCP("caller_is_hung_up_on"), { SAYS("callee_hangs_up") } },
    { "tcptcp", BY_TCP("caller"), { BY_TCP("callee") } },
    { "tcptcpback", BY_TCP("caller_is_hung_up_on"), { BY_TCP("callee_hangs_up") } },
    { "fourtosix", SAYS("caller"), { BY_V6("callee") } },
    { "fourtosixback", SAYS("caller_is_hung_up_on"), { BY_V6("callee_hangs_up") } },
    { "sixtofour", BY_V6("caller"), { SAYS("callee") } },
    { "sixtofourback", BY_V6("caller_is_hung_up_on"), { SAYS("callee_hangs_up") } },
    { "sixtcptofour", BY_TCP_V6("caller"), { SAYS("callee") } },
    { "fourtosixtcpback", SAYS("caller_is_hung_up_on"), { BY_TCP_V6("callee_hangs_up") } },
    { "tcpcancelled", BY_TCP("caller_cancels"), { SAYS("callee_is_cancelled") } },
    { "tcpbusy", { .scenario = "caller_is_refused", .status = "486", .tcp = true },
      { { .scenario = "callee_refuses", .status = "486", .tcp = true } } },
    { "tcppracked", SAYS("caller_pracks"), { BY_TCP("callee_is_pracked") } },
    /* RFC 3261 §18.1.1: too large for a datagram, so over TCP where nobody named UDP and there is somebody; answers by UDP. */
    { "largetcp", SAYS("caller_large"), { { .scenario = "callee_of_any", .tcp = true, .bare = true } } },
    { "largeudp", SAYS("caller_large"), { { .scenario = "callee_of_any", .bare = true } } },
    { "largesaidudp", SAYS("caller_large"), { SAYS("callee_of_any") } },
    { "tcptalkative", BY_TCP("caller_says_many_things"), { BY_TCP("callee_hears_many_things") } },
};
/* clang-format on */

START_TEST(any_transport_to_any_other)
{
    start("modules = [ \"registrar\" ];\nregistrar = { store = \"ram\"; };");
    run(transports, countof(transports));
    expect_nothing_pending();
    server_stop(&server);
}
END_TEST

/* ---------------------------------------------------------------- what other settings do */

static const struct call unanswered[] = {
    { "unanswered", GETS("408"), { SAYS("callee_is_cancelled") } },
    { "unansweredtcp",
      { .scenario = "caller_is_refused", .status = "408", .tcp = true },
      { BY_TCP("callee_is_cancelled") } },
};

START_TEST(a_phone_that_only_rings)
{
    start("modules = [ \"registrar\" ];\nregistrar = { store = \"ram\"; };\nproxy = { no_answer_s "
          "= 1; };");
    run(unanswered, countof(unanswered));
    expect_nothing_pending();
    server_stop(&server);
}
END_TEST

static const struct call redirected[] = {
    { "info", SAYS("caller_follows"), { { .scenario = NULL } } },
};

/* The redirect server that is shipped: the one who is called is alice; the caller is sent to her. */
START_TEST(a_caller_follows)
{
    static const struct sipp_conf conf = SAYS("callee_of_any");
    static const struct call alice = { .name = "alice" };
    char report[REPORT_BYTES] = "";
    struct sipp phone;

    start(server_redirects());
    sipp_answer(&phone, "alice", &conf, &server);
    sipp_ready(&phone);
    bind_phone(&alice, &phone);
    run(redirected, countof(redirected));
    ck_assert_msg(ends_well(&phone, report), "%s", report);
    server_stop(&server);
}
END_TEST

#define KNOWS(name, word)                                   \
    {                                                       \
        .scenario = name, .user = "alice", .password = word \
    }

/* Registrations are of the user that the call is named after. */
/* clang-format off */
static const struct call known[] = {
    { "bob", KNOWS("caller_is_challenged", "wonderland"), { SAYS("callee_of_any") } },
    { "carol", { .scenario = "registers", .user = "carol", .password = "carols" }, { { .scenario = NULL } } },
    { "dave", { .scenario = "registers", .user = "dave", .password = "daves", .tcp = true }, { { .scenario = NULL } } },
    { "erin", { .scenario = "registers_wrongly", .user = "erin", .password = "guess" }, { { .scenario = NULL } } },
    { "frank", { .scenario = "registers_wrongly", .user = "mallory", .password = "franks" }, { { .scenario = NULL } } },
};
/* clang-format on */

START_TEST(who_has_a_password)
{
    static const char *const users[][2] = {
        { "alice", "wonderland" }, { "carol", "carols" }, { "dave", "daves" },
        { "erin", "erins" },       { "frank", "franks" },
    };
    struct proc out;

    start("modules = [ \"registrar\", \"auth\" ];\nregistrar = { path = \"location.db\"; };\n"
          "auth = { path = \"users.db\"; challenge = [ \"REGISTER\", \"INVITE\" ]; };");
    for (size_t i = 0; i < countof(users); i++)
        server_add_user(&server, users[i][0], users[i][1]);
    run(known, countof(known));
    ck_assert_int_eq(server_ctl(&server, &out, "show bindings sip:erin@example.com", NULL), 1);
    ck_assert_int_eq(server_ctl(&server, &out, "show bindings sip:frank@example.com", NULL), 1);
    server_stop(&server);
}
END_TEST

Suite *
suite_sipp(void)
{
    Suite *suite = suite_create("sipp");
    TCase *tcase = tcase_create("sipp");

    tcase_set_timeout(tcase, 90);
    capture_before(tcase);
    tcase_add_test(tcase, calls_go_as_they_should);
    tcase_add_test(tcase, any_transport_to_any_other);
    tcase_add_test(tcase, a_phone_that_only_rings);
    tcase_add_test(tcase, a_caller_follows);
    tcase_add_test(tcase, who_has_a_password);
    capture_after(tcase);
    suite_add_tcase(suite, tcase);
    return suite;
}
