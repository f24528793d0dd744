/*
 * An administrator's bindings, by sipctl: one that is added is reached by a call and outlives a restart, one that is removed is
 * reached no more; and what is not understood is said in words.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/def.h"
#include "live/hand.h"

Suite *suite_bindings(void);

static struct server server;
static struct proc out;
static struct hand alice, bob;
static char contact[64];

static void
begin(const char *store)
{
    char settings[200];

    snprintf(settings, sizeof settings,
             "modules = [ \"registrar\" ]; registrar = { %s };\ndrain_s = 1;", store);
    server_make(&server, "bindings", settings);
    server_start(&server);
    hand_open(&alice, "alice");
    hand_open(&bob, "bob");
    snprintf(contact, sizeof contact, "sip:bob@127.0.0.1:%u", bob.port);
}

static void
end(void)
{
    hand_close(&alice);
    hand_close(&bob);
    server_stop(&server);
}

/* "$" in the words stands for bob's Contact. */
static int
ctl(const char *words)
{
    const char *at = strchr(words, '$');
    char all[800];

    if (at)
        snprintf(all, sizeof all, "%.*s%s%s", (int)(at - words), words, contact, at + 1);
    return server_ctl(&server, &out, at ? all : words, NULL);
}

static void
must(const char *words)
{
    ck_assert_msg(ctl(words) == 0, "%s:\n%s", words, proc_output(&out));
}

static void
must_refuse(const char *words, const char *why)
{
    ck_assert_msg(ctl(words) != 0 && strstr(proc_output(&out), why), "%s:\n%s", words,
                  proc_output(&out));
}

/* ---------------------------------------------------------------- a call */

static unsigned serial;

static void
invite(void)
{
    serial++;
    hand_says(&alice, server.port,
              "INVITE sip:bob@example.com SIP/2.0\n"
              "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKbind%u\nMax-Forwards: 70\n"
              "From: <sip:alice@example.com>;tag=a%u\nTo: <sip:bob@example.com>\n"
              "Call-ID: bind-%u\nCSeq: 1 INVITE\nContact: <sip:alice@127.0.0.1:%u>\n"
              "Content-Length: 0\n\n",
              alice.port, serial, serial, serial, alice.port);
}

static void
call_is_answered(void)
{
    char start[96];

    invite();
    snprintf(start, sizeof start, "INVITE %s SIP/2.0", contact);
    hand_hears(&bob, start);
    hand_answers(&bob, server.port, 200, "");
    hand_hears(&alice, "SIP/2.0 200 ");
}

/* The answer is the server's own, so nobody else heard of the call. Nothing is acknowledged, so former answers may come again. */
static void
call_finds_nobody(void)
{
    char call_id[40];

    invite();
    snprintf(call_id, sizeof call_id, "Call-ID: bind-%u\r\n", serial);
    do
        hand_hears(&alice, "SIP/2.0 404 ");
    while (!strstr(alice.heard, call_id));
}

/* ---------------------------------------------------------------- tests */

START_TEST(an_added_one_is_reached_until_it_is_removed)
{
    begin("path = \"bindings.db\";");
    must_refuse("show bindings bob@example.com", "bob@example.com: no bindings");
    call_finds_nobody();
    must("add binding bob@example.com '$' expires 600 q 0.5");
    ck_assert_ptr_nonnull(strstr(proc_output(&out), contact));
    must("show bindings bob@example.com");
    ck_assert_ptr_nonnull(strstr(proc_output(&out), contact));
    call_is_answered();
    server_stop(&server);

    server_start(&server);
    must("show bindings");
    ck_assert_ptr_nonnull(strstr(proc_output(&out), contact));
    call_is_answered();
    must("add binding bob@example.com sip:bob@127.0.0.1:9 q 0.1"); /* a second one, which stays */
    must("remove binding bob@example.com '$'");
    must("show bindings bob@example.com");
    ck_assert_ptr_null(strstr(proc_output(&out), contact));
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "sip:bob@127.0.0.1:9"));
    must("remove binding bob@example.com");
    call_finds_nobody();
    server_stop(&server);

    server_start(&server);
    must_refuse("show bindings bob@example.com", "no bindings");
    call_finds_nobody();
    end();
}
END_TEST

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

START_TEST(what_is_not_understood_is_said)
{
    static const struct {
        const char *words, *why;
    } wrong[] = {
        { "add binding bob@example.org '$'", "bob@example.org: not a user of one of our domains" },
        { "add binding bob '$'", "bob: not a user of one of our domains" },
        { "add binding sip:example.com '$'", "sip:example.com: not a user of one of our domains" },
        { "add binding " HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "@example.com '$'", /* too long */
          "9@example.com: not a user of one of our domains" },
        { "add binding bob@example.com bob", "bob: not a URI" },
        { "add binding bob@example.com '<$>'", ": not a URI" },
        { "add binding bob@example.com '$' expires 0", "0: not a number of seconds" },
        { "add binding bob@example.com '$' expires soon", "soon: not a number of seconds" },
        { "add binding bob@example.com '$' expires 4294967296",
          "4294967296: not a number of seconds" },
        { "add binding bob@example.com '$' q 1.1", "1.1: not a q between 0 and 1" },
        { "add binding bob@example.com '$' q best", "best: not a q between 0 and 1" },
        { "add binding bob@example.com", "add binding <aor> <contact>" },
        { "add binding bob@example.com '$' until 5", "add binding <aor> <contact>" },
        { "remove binding bob@example.org", "not a user of one of our domains" },
        { "remove binding bob@example.com", "bob@example.com: no such binding" },
        { "remove binding bob@example.com bob", "bob: not a URI" },
        { "remove binding bob@example.com '$'", "bob@example.com: no such binding" },
        { "remove binding", "remove binding <aor> [contact]" },
        { "show bindings bob@example.org", "not a user of one of our domains" },
        { "show bindings bob@example.com", "bob@example.com: no bindings" },
        { "show bindings bob@example.com '$'", "show bindings [aor]" },
    };

    begin("store = \"ram\";");
    for (size_t i = 0; i < countof(wrong); i++)
        must_refuse(wrong[i].words, wrong[i].why);
    call_finds_nobody(); /* none of them has done half of what it said */
    end();
}
END_TEST

Suite *
suite_bindings(void)
{
    Suite *suite = suite_create("bindings");
    TCase *tcase = tcase_create("bindings");

    tcase_set_timeout(tcase, 90);
    tcase_add_test(tcase, an_added_one_is_reached_until_it_is_removed);
    tcase_add_test(tcase, what_is_not_understood_is_said);
    suite_add_tcase(suite, tcase);
    return suite;
}
