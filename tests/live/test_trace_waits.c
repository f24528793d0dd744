/*
 * What is told of a request that a module lets wait: that it waits and for whom, that it goes on, and what comes of it. The
 * registrar's answer waits for the disk.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "live/hand.h"
#include "live/tracer.h"

Suite *suite_trace_waits(void);

#define WAITS "registrar at ON_REQUEST: lets it wait"

static struct server server;
static struct hand bob;

static void
start(void)
{
    server_make(
        &server, "waits",
        "modules = [ \"registrar\" ];\nregistrar = { store = \"sqlite\"; path = \"waits.db\"; };\n"
        "explain = { always = true; };\n");
    server_start(&server);
    hand_open(&bob, "bob");
}

static void
stop(void)
{
    hand_close(&bob);
    server_stop(&server);
}

static void
register_bob(const char *call_id)
{
    hand_says(&bob, server.port,
              "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s\n"
              "Max-Forwards: 70\nFrom: <sip:bob@example.com>;tag=1\nTo: "
              "<sip:bob@example.com>\nCall-ID: %s\n"
              "CSeq: 1 REGISTER\nContact: <sip:bob@127.0.0.1:%u>\nContent-Length: 0\n\n",
              bob.port, call_id, call_id, bob.port);
    hand_hears(&bob, "SIP/2.0 200 ");
}

/* Each of them stands there, in this order. */
static void
must_tell(const char *text, const char *const *words, size_t len)
{
    const char *at = text;

    for (size_t i = 0; i < len; i++) {
        at = strstr(at, words[i]);
        ck_assert_msg(at != NULL, "no \"%s\" there, or too soon:\n%s", words[i], text);
        at += strlen(words[i]);
    }
}

START_TEST(one_that_waited_is_explained_afterwards)
{
    static const char *const story[] = { "REGISTER sip:example.com", WAITS,
                                         "what it waited for is there", "200 goes up",
                                         "registrar at ON_REQUEST: has done it" };
    struct proc out;

    register_bob("waited");
    ck_assert_int_eq(server_ctl(&server, &out, "explain waited", NULL), 0);
    must_tell(tracer_output(&out), story, 5);
    ck_assert_uint_eq(tracer_count(tracer_output(&out), WAITS), 1);
}
END_TEST

Suite *
suite_trace_waits(void)
{
    Suite *suite = suite_create("trace_waits");
    TCase *tcase = tcase_create("waits");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_test(tcase, one_that_waited_is_explained_afterwards);
    suite_add_tcase(suite, tcase);
    return suite;
}
