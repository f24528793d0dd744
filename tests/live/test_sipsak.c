/*
 * sipsak as a second opinion about OPTIONS, REGISTER and digest: its exit code says whether it was content.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/def.h"
#include "live/server.h"

Suite *suite_sipsak(void);

enum { ARGS = 24 };

static struct server server;
static struct proc sipsak; /* the last one that was run */

static void
start(void)
{
    server_make(&server, "sipd",
                "modules = [ \"auth\", \"registrar\" ];\nregistrar = { path = \"location.db\"; "
                "};\nauth = { path = \"users.db\"; };");
    server_start(&server);
    server_add_user(&server, "alice", "wonderland");
}

static void
stop(void)
{
    server_stop(&server);
}

/*
 * Runs it at our server with more arguments, ended by NULL; its exit code. The proxy must stand before the domain. A machine
 * need not know its own name, which sipsak would look up.
 */
static int
run(const char *const args[])
{
    char proxy[32];
    const char *argv[ARGS] = { "sipsak", "-vvv", "-H", "127.0.0.1", "-p", proxy };
    size_t n = 6;

    snprintf(proxy, sizeof proxy, "127.0.0.1:%u", server.port);
    for (; *args; args++) {
        ck_assert_uint_lt(n, ARGS - 1);
        argv[n++] = *args;
    }
    argv[n] = NULL;
    (void)proc_run(&sipsak, "sipsak", PROC_PATIENCE_MS, argv);
    return WIFEXITED(sipsak.status) ? WEXITSTATUS(sipsak.status) : -1;
}

#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

static void
expect(int got, int wanted, const char *words)
{
    ck_assert_msg(got == wanted && strstr(proc_output(&sipsak), words),
                  "sipsak ended with %d, not %d and \"%s\":\n%s", got, wanted, words,
                  proc_output(&sipsak));
}

/* Are there bindings of alice's with this in them? */
static bool
is_bound(const char *contact)
{
    struct proc out;
    int code = server_ctl(&server, &out, "--json show bindings sip:alice@example.com", NULL);

    return code == 0 && strstr(proc_output(&out), contact);
}

static const char *const transports[] = { "udp", "tcp" };

START_TEST(options)
{
    const char *transport = transports[_i];
    char us[64];

    snprintf(us, sizeof us, "sip:127.0.0.1:%u", server.port);
    expect(RUN("-E", transport, "-s", us), 0, "SIP/2.0 200");
    expect(RUN("-E", transport, "-s", "sip:example.com"), 0, "SIP/2.0 200");
    expect(RUN("-E", transport, "-s", "sip:nobody@example.com"), 1, "SIP/2.0 404");
    expect(RUN("-E", transport, "-s", "sip:alice@example.com"), 1, "SIP/2.0 480");
    /* a Max-Forwards of 0 ends here, and an OPTIONS is then answered as if it were for us (RFC 3261 §11) */
    expect(RUN("-E", transport, "-m", "0", "-s", "sip:somebody@192.0.2.1"), 0, "SIP/2.0 200");
}
END_TEST

#define REGISTER "-i", "-U", "-s", "sip:alice@example.com", "-u", "alice"

START_TEST(registration)
{
    const char *transport = transports[_i];

    expect(RUN("-E", transport, REGISTER, "-a", "wonderland", "-C", "sip:alice@127.0.0.1:9", "-x",
               "60"),
           0, "200 OK");
    ck_assert(is_bound("sip:alice@127.0.0.1:9"));
    expect(RUN("-E", transport, REGISTER, "-a", "wonderland", "-C", "empty", "-x", "60"), 0,
           "sip:alice@127.0.0.1:9");
    expect(RUN("-E", transport, REGISTER, "-a", "wonderland", "-C", "*", "-x", "0"), 0, "200 OK");
    ck_assert(!is_bound("sip:"));
}
END_TEST

START_TEST(a_wrong_password)
{
    int code = RUN("-E", transports[_i], REGISTER, "-a", "looking-glass", "-C",
                   "sip:alice@127.0.0.1:9", "-x", "60");

    ck_assert_msg(code > 0 && strstr(proc_output(&sipsak), "401"), "sipsak ended with %d:\n%s",
                  code, proc_output(&sipsak));
    ck_assert(!is_bound("sip:"));
}
END_TEST

Suite *
suite_sipsak(void)
{
    Suite *suite = suite_create("sipsak");
    TCase *tcase = tcase_create("sipsak");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_loop_test(tcase, options, 0, (int)countof(transports));
    tcase_add_loop_test(tcase, registration, 0, (int)countof(transports));
    tcase_add_loop_test(tcase, a_wrong_password, 0, (int)countof(transports));
    suite_add_tcase(suite, tcase);
    return suite;
}
