/*
 * Two sipds and a Kamailio between them: a call through all three, forked at the end, with Record-Route; and the same when
 * the one between is a strict router, or only says that it is one (RFC 3261 §12.2.1.1, §16.4, §16.6, §16.12).
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/def.h"
#include "live/hand.h"

Suite *suite_row(void);

enum { ROUTES_BYTES = 4096, PHONES = 2 };

/* How the one between routes within dialogs. */
enum manner {
    LOOSE,       /* as RFC 3261 wants it */
    SAYS_STRICT, /* its Record-Route has no lr: whoever sends to it must put it into the Request-URI; it undoes that */
    STRICT,      /* … and what its next Route says becomes the Request-URI, as in RFC 2543 */
    MANNERS
};

static struct server first, last;
static struct proc between;
static uint16_t between_port;
static struct hand alice, bob[PHONES];

/* ---------------------------------------------------------------- the one between */

static const char *const routes[MANNERS] = {
    "loose_route();",
    "loose_route();",
    "if (has_totag()) {\n"
    "    $ru = $(hdr(Route)[0]{nameaddr.uri});\n"
    "    remove_hf_idx(\"Route\", \"0\");\n"
    "  } else loose_route();",
};

static void
start_between(enum manner manner)
{
    char record[256];
    const char *conf;
    const char *argv[] = { "kamailio", "-f", NULL, "-DD",      "-E", "-m", "32",
                           "-M",       "4",  "-Y", proc_dir(), "-w", "/",  NULL };

    between_port = proc_port("127.0.0.1");
    snprintf(record, sizeof record, "record_route();");
    if (manner != LOOSE)
        snprintf(record, sizeof record,
                 "insert_hf(\"Record-Route: <sip:127.0.0.1:%u>\\r\\n\", \"Record-Route\");",
                 between_port);
    conf = proc_file("between.cfg",
                     "#!KAMAILIO\n"
                     "debug=1\nlog_stderror=yes\nchildren=1\ndisable_tcp=yes\nauto_aliases=no\n"
                     "listen=udp:127.0.0.1:%u\n"
                     "loadmodule \"tm.so\"\nloadmodule \"sl.so\"\nloadmodule \"rr.so\"\n"
                     "loadmodule \"pv.so\"\nloadmodule \"maxfwd.so\"\nloadmodule \"textops.so\"\n"
                     "loadmodule \"textopsx.so\"\nloadmodule \"siputils.so\"\n"
                     "request_route {\n"
                     "  if (is_method(\"OPTIONS\") && uri == myself) { sl_send_reply(\"200\", "
                     "\"Here\"); exit; }\n"
                     "  if (!mf_process_maxfwd_header(\"10\")) { sl_send_reply(\"483\", \"Too Many "
                     "Hops\"); exit; }\n"
                     "  if (is_method(\"CANCEL\")) { if (t_check_trans()) t_relay(); exit; }\n"
                     "  if (is_method(\"INVITE\")) { %s }\n"
                     "  %s\n"
                     "  if (!t_relay()) sl_reply_error();\n"
                     "}\n",
                     between_port, record, routes[manner]);
    argv[2] = conf;
    proc_start(&between, "kamailio", argv);
}

/* It answers an OPTIONS when its children are there. */
static void
wait_for_between(void)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
    unsigned serial = 0;

    do {
        ck_assert_msg(proc_now_ms() < until && !proc_ends(&between, 0),
                      "kamailio did not start (Debian package kamailio):\n%s",
                      proc_output(&between));
        hand_says(&alice, between_port,
                  "OPTIONS sip:127.0.0.1:%u SIP/2.0\n"
                  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKready%u\nMax-Forwards: 70\n"
                  "From: <sip:alice@127.0.0.1>;tag=r\nTo: <sip:127.0.0.1>\nCall-ID: ready\n"
                  "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
                  between_port, alice.port, ++serial);
    } while (!hand_takes(&alice, 100));
}

/* ---------------------------------------------------------------- the row */

static void
register_phone(struct hand *phone, unsigned cseq)
{
    hand_says(phone, last.port,
              "REGISTER sip:example.com SIP/2.0\n"
              "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKreg%u\nMax-Forwards: 70\n"
              "From: <sip:bob@example.com>;tag=r\nTo: <sip:bob@example.com>\n"
              "Call-ID: register-%s\nCSeq: %u REGISTER\nContact: <sip:%s@127.0.0.1:%u>\n"
              "Expires: 600\nContent-Length: 0\n\n",
              phone->port, phone->port, phone->name, cseq, phone->name, phone->port);
    hand_hears(phone, "SIP/2.0 200");
}

static void
start_row(enum manner manner)
{
    static const char *const names[PHONES] = { "bob0", "bob1" };

    hand_open(&alice, "alice");
    start_between(manner);
    server_make(&first, "first", "proxy = { relay = \"any\"; };\ndrain_s = 1;\n");
    server_make(&last, "last",
                "modules = [ \"registrar\" ];\nregistrar = { store = \"ram\"; };\n"
                "proxy = { relay = \"any\"; };\ndrain_s = 1;\n");
    server_start(&first);
    server_start(&last);
    wait_for_between();
    for (unsigned i = 0; i < PHONES; i++) {
        hand_open(&bob[i], names[i]);
        register_phone(&bob[i], 1);
    }
}

static void
stop_row(void)
{
    proc_stop(&between);
    server_stop(&first);
    server_stop(&last);
    for (unsigned i = 0; i < PHONES; i++)
        hand_close(&bob[i]);
    hand_close(&alice);
}

/* ---------------------------------------------------------------- a call */

static void
invite(void)
{
    hand_says(&alice, first.port,
              "INVITE sip:bob@example.com SIP/2.0\n"
              "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKrow1\n"
              "Route: <sip:127.0.0.1:%u;lr>, <sip:127.0.0.1:%u;lr>\n"
              "Route: <sip:127.0.0.1:%u;lr>\nMax-Forwards: 70\n"
              "From: <sip:alice@example.com>;tag=a\nTo: <sip:bob@example.com>\nCall-ID: row\n"
              "CSeq: 1 INVITE\nContact: <sip:alice@127.0.0.1:%u>\nContent-Length: 0\n\n",
              alice.port, first.port, between_port, last.port, alice.port);
    for (unsigned i = 0; i < PHONES; i++) {
        hand_hears(&bob[i], "INVITE sip:bob");
        ck_assert_uint_eq(hand_count(bob[i].heard, "Via:"), 4);
        /* the last one has two: it reaches the phones where their REGISTER came from (RFC 5658) */
        ck_assert_msg(hand_count(bob[i].heard, "Record-Route:") == 4, "%s", bob[i].heard);
        ck_assert_uint_eq(hand_count(bob[i].heard, "Route:"), 0);
        hand_answers(&bob[i], last.port, 180, "");
        hand_hears(&alice, "SIP/2.0 180");
    }
}

/* One phone answers, the other is told why it need not ring any more. */
static void
one_answers(char *of_alice, char *of_bob)
{
    char of_invite[HAND_BYTES];

    hand_answers(&bob[1], last.port, 200, "");
    hand_routes(bob[1].heard, false, of_bob, ROUTES_BYTES);
    snprintf(of_invite, sizeof of_invite, "%s", bob[0].heard);
    hand_hears(&bob[0], "CANCEL sip:bob0@");
    hand_answers(&bob[0], last.port, 200, "");
    snprintf(bob[0].heard, sizeof bob[0].heard, "%s", of_invite);
    hand_answers(&bob[0], last.port, 487, "");
    hand_hears(&bob[0], "ACK sip:bob0@");
    hand_hears(&alice, "SIP/2.0 200");
    ck_assert_uint_eq(hand_count(alice.heard, "Via:"), 1);
    hand_routes(alice.heard, true, of_alice, ROUTES_BYTES);
}

/* A request within the dialog by all three; who asks has this Contact for the other side. */
static void
ask_within(const struct hand *who, uint16_t server, const char *method, unsigned cseq,
           const char *route_set, const char *target, bool by_alice)
{
    hand_says(
        who, server,
        "%s %s SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKrow%s%u\n%s"
        "Max-Forwards: 70\nFrom: <sip:%s@example.com>;tag=%s\nTo: <sip:%s@example.com>;tag=%s\n"
        "Call-ID: row\nCSeq: %u %s\nContact: <sip:%s@127.0.0.1:%u>\nContent-Length: 0\n\n",
        method, target, who->port, method, cseq, route_set, by_alice ? "alice" : "bob",
        by_alice ? "a" : "bob1", by_alice ? "bob" : "alice", by_alice ? "bob1" : "a", cseq, method,
        who->name, who->port);
}

/* It came by all of the row, and nothing of a Route is left. */
static void
check_came_whole(struct hand *h, const char *start)
{
    hand_hears(h, start);
    ck_assert_uint_eq(hand_count(h->heard, "Via:"), 4);
    ck_assert_msg(hand_count(h->heard, "Route:") == 0, "a Route is left:\n%s", h->heard);
}

static void
converse(const char *of_alice, const char *of_bob)
{
    char to_bob[64], to_alice[64];

    snprintf(to_bob, sizeof to_bob, "sip:bob1@127.0.0.1:%u", bob[1].port);
    snprintf(to_alice, sizeof to_alice, "sip:alice@127.0.0.1:%u", alice.port);
    ask_within(&alice, first.port, "ACK", 1, of_alice, to_bob, true);
    check_came_whole(&bob[1], "ACK sip:bob1@");
    ask_within(&bob[1], last.port, "INVITE", 7, of_bob, to_alice, false);
    check_came_whole(&alice, "INVITE sip:alice@");
    hand_answers(&alice, first.port, 200, "");
    hand_hears(&bob[1], "SIP/2.0 200");
    ask_within(&bob[1], last.port, "ACK", 7, of_bob, to_alice, false);
    check_came_whole(&alice, "ACK sip:alice@");
    ask_within(&alice, first.port, "BYE", 2, of_alice, to_bob, true);
    check_came_whole(&bob[1], "BYE sip:bob1@");
    hand_answers(&bob[1], last.port, 200, "");
    hand_hears(&alice, "SIP/2.0 200");
}

static void
check_at_rest(const struct server *s)
{
    struct proc out;

    ck_assert_int_eq(server_ctl(s, &out, "--json status", NULL), 0);
    ck_assert_msg(strstr(proc_output(&out), "\"pending\": 0") ||
                      strstr(proc_output(&out), "\"pending\":0"),
                  "something is pending:\n%s", proc_output(&out));
}

START_TEST(a_call_goes_through_the_row)
{
    char of_alice[ROUTES_BYTES], of_bob[ROUTES_BYTES];

    start_row((enum manner)_i);
    invite();
    one_answers(of_alice, of_bob);
    converse(of_alice, of_bob);
    check_at_rest(&first);
    check_at_rest(&last);
    stop_row();
}
END_TEST

Suite *
suite_row(void)
{
    Suite *suite = suite_create("row");
    TCase *tcase = tcase_create("row");

    tcase_set_timeout(tcase, 200);
    tcase_add_loop_test(tcase, a_call_goes_through_the_row, 0, MANNERS);
    suite_add_tcase(suite, tcase);
    return suite;
}
