/*
 * The watch over what is passed on: it finds each byte that a proxy may not touch, and lets go what it may.
 */
#include <check.h>

#include "base/mem.h"
#include "sim/passage.h"

Suite *suite_passage(void);

#define REQUEST_LINE "INVITE sip:bob@example.com SIP/2.0\r\n"
#define VIA          "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKa;rport\r\n"
#define OUR_VIA      "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKs\r\n"
#define VIA_STAMPED  "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKa;rport=5060;received=192.0.2.10\r\n"
#define MARKS                                                                                    \
    "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: c\r\nCSeq: 1 " \
    "INVITE\r\n"
#define ODD  "X-Odd:  a\r\n\t b\r\nSubject : lunch\r\n"
#define BODY "\r\nbody\r\n"

static struct world w;
static struct sim_sipd *sipd;
static uint64_t live;

static void
begin(void)
{
    live = mem_live();
    world_init(&w, 1);
    sipd = world_add_sipd(&w, SPAN("a"));
}

static void
end(void)
{
    world_fini(&w);
    ck_assert_uint_eq(mem_live(), live);
}

static void
read_text(const char *text, struct msg *msg, struct gist *gist)
{
    ck_assert_int_eq(msg_read(span_of(text), &w.turn, msg), SIPD_OK);
    gist_read(msg, gist);
    ck_assert_msg(gist->fault == 0, "%s: %s", gist->fault_reason, text);
}

/* It comes, and leaves so. Is the world content? */
static bool
passes(const char *came, const char *left)
{
    struct msg msg;
    struct gist gist;
    bool ok;

    read_text(came, &msg, &gist);
    passage_heard(w.passage, sipd, &msg, &gist);
    read_text(left, &msg, &gist);
    passage_sent(w.passage, sipd, &msg, &gist);
    ok = w.fault.len == 0;
    buf_clear(&w.fault);
    return ok;
}

#define CAME REQUEST_LINE VIA "Max-Forwards: 70\r\n" MARKS ODD "Content-Length: 6\r\n" BODY
#define HEAD "INVITE sip:bob@192.0.2.20 SIP/2.0\r\n" OUR_VIA VIA_STAMPED "Max-Forwards: 69\r\n"

START_TEST(requests)
{
    static const struct {
        const char *left;
        bool passes;
    } cases[] = {
        { HEAD MARKS ODD "Content-Length: 6\r\n" BODY, true },
        { HEAD "Record-Route: <sip:192.0.2.1;lr>\r\n" MARKS ODD BODY, true },
        { HEAD MARKS ODD
          "Content-Length: 6\r\nP-Asserted-Identity: <sip:alice@example.com>\r\n" BODY,
          true },
        { HEAD MARKS "X-Odd: a b\r\nSubject : lunch\r\n" BODY, false },
        { HEAD MARKS "X-Odd:  a\r\n\t b\r\nSubject: lunch\r\n" BODY, false },
        { HEAD MARKS "X-Odd:  a\r\n\t b\r\nsubject : lunch\r\n" BODY, false },
        { HEAD MARKS "Subject : lunch\r\nX-Odd:  a\r\n\t b\r\n" BODY, false },
        { HEAD MARKS "Subject : lunch\r\n" BODY, false },
        { HEAD MARKS ODD "X-New: 1\r\n" BODY, false },
        { HEAD MARKS ODD "Contact: <sip:alice@192.0.2.10>\r\n" BODY, false },
        { HEAD MARKS ODD "\r\nBody\r\n", false },
        { HEAD MARKS ODD "\r\nbody", false },
        { HEAD "From: <sip:alice@example.com>;tag=2\r\nTo: <sip:bob@example.com>\r\nCall-ID: "
               "c\r\nCSeq: 1 INVITE\r\n" ODD BODY,
          false },
    };

    for (size_t i = 0; i < countof(cases); i++)
        ck_assert_msg(passes(CAME, cases[i].left) == cases[i].passes, "%s", cases[i].left);
    ck_assert_uint_eq(passage_compared(w.passage), 3);
}
END_TEST

/* A request with a Via beneath ours that nobody brought; what has none is our own. */
START_TEST(requests_of_our_own)
{
    ck_assert(!passes(CAME, REQUEST_LINE OUR_VIA "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKb\r\n"
                                                 "Max-Forwards: 69\r\n" MARKS ODD BODY));
    ck_assert(passes(CAME, REQUEST_LINE OUR_VIA "Max-Forwards: 70\r\n" MARKS "\r\n"));
    ck_assert_uint_eq(passage_compared(w.passage), 0);
}
END_TEST

#define OK_LINE "SIP/2.0 200 OK\r\n"
#define TO_MARKS                                                                          \
    "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>;tag=2\r\nCall-ID: " \
    "c\r\nCSeq: 1 INVITE\r\n"
#define CONTACT "Contact: <sip:bob@192.0.2.20>\r\n"

START_TEST(responses)
{
    static const struct {
        const char *left;
        bool passes;
    } cases[] = {
        { OK_LINE VIA TO_MARKS ODD BODY, true },
        { OK_LINE VIA TO_MARKS ODD "Record-Route: <sip:192.0.2.1;lr>\r\n" BODY, true },
        { OK_LINE VIA TO_MARKS ODD CONTACT BODY, true },
        { OK_LINE VIA TO_MARKS ODD "\r\n", false },
        { OK_LINE VIA TO_MARKS ODD "Max-Forwards: 70\r\n" BODY, false },
        { "SIP/2.0 200 Fine\r\n" VIA TO_MARKS ODD BODY, false },
        { OK_LINE VIA ODD TO_MARKS BODY, false },
        /* another status, or another tag: its own answer */
        { "SIP/2.0 500 No\r\n" VIA TO_MARKS "\r\n", true },
        { OK_LINE VIA "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>;tag=3\r\n"
                      "Call-ID: c\r\nCSeq: 1 INVITE\r\n\r\n",
          true },
    };

    for (size_t i = 0; i < countof(cases); i++)
        ck_assert_msg(passes(OK_LINE OUR_VIA VIA TO_MARKS ODD BODY, cases[i].left) ==
                          cases[i].passes,
                      "%s", cases[i].left);
    ck_assert_uint_eq(passage_compared(w.passage), 3);
}
END_TEST

/* The callee's has no tag either; the one that goes up is not made of it. */
START_TEST(a_100_is_our_own)
{
    ck_assert(passes("SIP/2.0 100 Trying\r\n" OUR_VIA VIA MARKS ODD "\r\n",
                     "SIP/2.0 100 Trying\r\n" VIA MARKS "\r\n"));
    ck_assert_uint_eq(passage_compared(w.passage), 0);
}
END_TEST

/* What came long ago is forgotten, and not held against who sends it. */
START_TEST(old_ones_are_forgotten)
{
    char text[512];
    struct msg msg;
    struct gist gist;

    for (unsigned i = 0; i < 10000; i++) {
        snprintf(text, sizeof text,
                 REQUEST_LINE "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK%u\r\n" MARKS "\r\n", i);
        read_text(text, &msg, &gist);
        passage_heard(w.passage, sipd, &msg, &gist);
        arena_reset(&w.turn);
    }
    ck_assert(passes(CAME, REQUEST_LINE OUR_VIA
                     "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\r\n" MARKS "\r\n"));
    ck_assert(!passes(CAME, REQUEST_LINE OUR_VIA
                      "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK9999\r\n" MARKS ODD "\r\n"));
}
END_TEST

Suite *
suite_passage(void)
{
    Suite *suite = suite_create("passage");
    TCase *tcase = tcase_create("passage");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, requests);
    tcase_add_test(tcase, requests_of_our_own);
    tcase_add_test(tcase, responses);
    tcase_add_test(tcase, a_100_is_our_own);
    tcase_add_test(tcase, old_ones_are_forgotten);
    suite_add_tcase(suite, tcase);
    return suite;
}
