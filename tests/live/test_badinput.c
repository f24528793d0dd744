/*
 * Bytes that no phone should send, at a running server: cut short, too long, binary, contradictory, many. A status where one can
 * be given, silence where not, a counter always; and the server answers the next one (RFC 3261 §7, §16.3, §18.3).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/def.h"
#include "live/bad_rig.h"

Suite *suite_badinput(void);

enum {
    SILENCE_MS = 200,   /* for what must not, once a later one was answered */
    LIMIT_BYTES = 8192, /* limits.message_bytes of one test */
};

/* ---------------------------------------------------------------- one message, one outcome */

struct bad {
    const char *name, *udp, *tcp; /* what is wanted; NULL: not sent there */
    const char *text;
};

/* clang-format off */
static const struct bad bads[] = {
    { "a good one", "200", "200", GOOD },
    { "no Via", "none", "none", START MAX_FORWARDS FROM TO CALL_ID CSEQ NO_BODY },
    { "no From", "400", "400", START VIA MAX_FORWARDS TO CALL_ID CSEQ NO_BODY },
    { "no To", "400", "400", START VIA MAX_FORWARDS FROM CALL_ID CSEQ NO_BODY },
    { "no Call-ID", "400", "400", START VIA MAX_FORWARDS FROM TO CSEQ NO_BODY },
    { "no CSeq", "none", "none", START VIA MAX_FORWARDS FROM TO CALL_ID NO_BODY },
    { "no Max-Forwards", "200", "200", START VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "no header field", "none", "none", START "\n" },
    { "two From", "400", "400", START VIA FROM "From: <sip:b@example.com>;tag=2\n" TO CALL_ID CSEQ NO_BODY },
    { "two To", "400", "400", START VIA FROM TO "t: <sip:b@example.com>\n" CALL_ID CSEQ NO_BODY },
    { "two Call-ID", "400", "400", START VIA FROM TO CALL_ID "i: other\n" CSEQ NO_BODY },
    { "two CSeq", "400", "400", START VIA FROM TO CALL_ID CSEQ "CSeq: 2 OPTIONS\n" NO_BODY },
    { "two lengths", "400", "400", HEAD "Content-Length: 4\nl: 0\n\nbody" },
    { "two lengths alike", "200", "200", HEAD "Content-Length: 4\nl: 4\n\nbody" },
    { "negative length", "400", "400", HEAD "Content-Length: -1\n\n" },
    { "length of 2^32", "400", "400 413", HEAD "Content-Length: 4294967296\n\n" },
    { "length of 2^64", "400", "400 413", HEAD "Content-Length: 18446744073709551616\n\n" },
    { "length of a hundred digits", "400", "400 413", HEAD "Content-Length: $*100" "9\n\n" },
    { "length in hexadecimal", "400", "400", HEAD "Content-Length: 0x10\n\n" },
    { "length with a sign", "400", "400", HEAD "Content-Length: +0\n\n" },
    { "empty length", "400", "400", HEAD "Content-Length:\n\n" },
    { "length in words", "400", "400", HEAD "Content-Length: four\n\nfour" },
    { "length beyond the datagram", "400", NULL, HEAD "Content-Length: 5\n\nbody" },
    { "length short of the datagram", "200", NULL, HEAD "Content-Length: 2\n\nbody" },
    { "length hidden behind a bare LF", "400 200", "400 200", HEAD "X: a$LContent-Length: 0\nContent-Length: 0\n\n" },
    { "CSeq too large", "400", "400", START VIA FROM TO CALL_ID "CSeq: 4294967296 OPTIONS\n" NO_BODY },
    { "CSeq of another method", "400", "400", START VIA FROM TO CALL_ID "CSeq: 1 INVITE\n" NO_BODY },
    { "CSeq without number", "400", "400", START VIA FROM TO CALL_ID "CSeq: OPTIONS\n" NO_BODY },
    { "negative Max-Forwards", "400", "400", START VIA "Max-Forwards: -1\n" FROM TO CALL_ID CSEQ NO_BODY },
    { "huge Max-Forwards", "200 400", "200 400",
      START VIA "Max-Forwards: 99999999999\n" FROM TO CALL_ID CSEQ NO_BODY },
    { "a tag that is empty", "400", "400", START VIA "From: <sip:a@example.com>;tag=\n" TO CALL_ID CSEQ NO_BODY },
    { "a quote without end", "400", "400",
      START VIA "From: \"a <sip:a@example.com>;tag=1\n" TO CALL_ID CSEQ NO_BODY },
    { "a bracket without end", "400", "400", START VIA "From: <sip:a@example.com;tag=1\n" TO CALL_ID CSEQ NO_BODY },
    { "blanks in Call-ID", "400", "400", START VIA FROM TO "Call-ID: a b\n" CSEQ NO_BODY },
    { "a line without colon", "400", "400", START VIA FROM TO CALL_ID CSEQ "nonsense\n" NO_BODY },
    { "a field without name", "400", "400", START VIA FROM TO CALL_ID CSEQ ": value\n" NO_BODY },
    { "a folded start line", "400 none", "400 none closed", START " " VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "version 1", "505", "505", "OPTIONS sip:example.com SIP/1.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "version 2.00", "505 400", "505 400", "OPTIONS sip:example.com SIP/2.00\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "no version", "400", "400", "OPTIONS sip:example.com\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "a version without a slash", "400", "400", "OPTIONS sip:example.com SIP2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "a blank before all", "400", "400", " OPTIONS sip:example.com SIP/2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "a tab behind the method", "400", "400", "OPTIONS\tsip:example.com SIP/2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "a bracket in the method", "400", "400", "OPT(IONS sip:example.com SIP/2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "no Request-URI", "400", "400", "OPTIONS SIP/2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "an unknown scheme", "416", "416", "OPTIONS gopher://example.com SIP/2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "a URI without host", "400", "400", "OPTIONS sip: SIP/2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "a URI with a huge port", "400", "400",
      "OPTIONS sip:example.com:65536 SIP/2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "an extension required of us", "420", "420", HEAD "Proxy-Require: telepathy\n" NO_BODY },
    { "NUL in the method", "400", "400",
      "OPT$NIONS sip:example.com SIP/2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "NUL in the URI", "400", "400",
      "OPTIONS sip:exam$Nple.com SIP/2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "NUL in a name", "400", "400", START VIA FROM TO CALL_ID CSEQ "X-Y$NZ: a\n" NO_BODY },
    { "NUL in a value", "400 200", "400 200", START VIA FROM TO CALL_ID CSEQ "X: a$Nb\n" NO_BODY },
    { "NUL in a Call-ID", "400", "400", START VIA FROM TO "Call-ID: a$Nb\n" CSEQ NO_BODY },
    { "NUL in a branch", "200 400 none", "200 400 none",
      START "Via: SIP/2.0/$T 127.0.0.1:9;branch=z9hG4bK$B$N;rport\n" FROM TO CALL_ID CSEQ NO_BODY },
    { "NUL behind the head", "200", NULL, GOOD "$N$N$N$N" },
    { "only NULs", "none", "closed", "$*100$N" },
    { "a bare CR in a value", "400 200", "400 200", START VIA FROM TO CALL_ID CSEQ "X: a$Rb\n" NO_BODY },
    { "only blanks", "none", NULL, "    \t  " },
    { "only line ends", "none", NULL, "\n\n\n\n\n\n" },
    { "a method of 8000 letters", "4xx 5xx", "4xx 5xx",
      "$*8000M sip:example.com SIP/2.0\n" VIA FROM TO CALL_ID "CSeq: 1 $*8000M\n" NO_BODY },
    { "a URI of 30000 bytes", "4xx 5xx", "4xx 5xx",
      "OPTIONS sip:$*30000u@example.com SIP/2.0\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "a value of 60000 bytes", "200 413 400", "200 413 400", HEAD "X: $*60000x\n" NO_BODY },
    { "a name of 60000 bytes", "200 413 400", "200 413 400", HEAD "$*60000X: x\n" NO_BODY },
    { "ten thousand commas", "400 none", "400 none", START "Via: $*10000,\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "ten thousand quotes", "400", "400",
      START VIA "From: $*10001\"<sip:a@example.com>;tag=1\n" TO CALL_ID CSEQ NO_BODY },
    { "ten thousand parameters", "200 400", "200 400",
      START VIA "From: <sip:a@example.com>;tag=1$*10000;\n" TO CALL_ID CSEQ NO_BODY },
    { "more than the largest message", NULL, "513", HEAD "X: $*70000x\n" NO_BODY },
    { "more than the largest message, Via last", NULL, "closed",
      START "X: $*70000x\n" VIA MAX_FORWARDS FROM TO CALL_ID CSEQ NO_BODY },
    { "a body beyond the largest message", NULL, "413", HEAD "Content-Length: 70000\n\n" },
    { "a head without end", NULL, "513", HEAD "X: $*70000x" },
    { "an answer to nothing", "none", "none", "SIP/2.0 200 OK\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "an answer of no class", "none", "none", "SIP/2.0 999 Beyond\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "an answer with a huge status", "none", "none closed",
      "SIP/2.0 4294967301 Big\n" VIA FROM TO CALL_ID CSEQ NO_BODY },
    { "an ACK to nothing", "none", "none",
      "ACK sip:nobody@example.com SIP/2.0\n" VIA FROM TO CALL_ID "CSeq: 1 ACK\n" NO_BODY },
    { "a CANCEL of nothing", "481", "481",
      "CANCEL sip:b@example.com SIP/2.0\n" VIA FROM TO CALL_ID "CSeq: 1 CANCEL\n" NO_BODY },
    { "HTTP", "none", "closed", "GET / HTTP/1.1\nHost: example.com\n\n" },
    { "TLS", "none", "closed", "\x16\x03\x01\x02$N\x01$N\x01\xfc\x03\x03$*32$N" },
    { "binary", "none", "closed", "\x80\x81\xfe\xff\x01\x02$N\x7f" },
};
/* clang-format on */

/* What the server noticed; a request that it can read counts as one. */
static uint64_t
noticed(void)
{
    return throw_count(&bad_server, "core_trips core_refused core_dropped core_stray net_dropped "
                                    "conns_bad conns_cut conns_slow");
}

static void
throw_one(const struct bad *bad, bool tcp)
{
    static struct throw t;
    const char *wanted = tcp ? bad->tcp : bad->udp;
    bool may_be_silent = throw_fits(wanted, "none") || throw_fits(wanted, "closed");
    uint64_t before = noticed(), after;

    bad_write(tcp, bad->text);
    throw_open(&t, &bad_server, tcp);
    if (throw_bytes(&t, bad_message, bad_message_len))
        throw_arrived(&t);
    if (!may_be_silent)
        throw_settled(&t, PROC_PATIENCE_MS);
    throw_probe(&bad_server);
    if (may_be_silent)
        throw_settled(&t, throw_fits(wanted, "none") ? SILENCE_MS : PROC_PATIENCE_MS);
    throw_close(&t);
    after = noticed();
    ck_assert_msg(throw_fits(wanted, t.outcome), "%s over %s: got %s, wanted %s:\n%.500s",
                  bad->name, tcp ? "TCP" : "UDP", t.outcome, wanted, t.bytes);
    ck_assert_msg(after - before >= 2, "%s over %s: got %s and was not counted", bad->name,
                  tcp ? "TCP" : "UDP", t.outcome);
}

START_TEST(bad_messages)
{
    for (size_t i = 0; i < countof(bads); i++) {
        if (_i == 0 && bads[i].udp)
            throw_one(&bads[i], false);
        if (_i == 1 && bads[i].tcp)
            throw_one(&bads[i], true);
    }
}
END_TEST

/* ---------------------------------------------------------------- cut short */

/* A datagram may end anywhere; what can be answered is, and only the whole one reaches for the user. */
START_TEST(datagrams_cut_short)
{
    static struct throw t;

    bad_write(false, INVITE);
    bad_message_len -= 1; /* the LF behind the body's four bytes */
    for (size_t len = 1; len < bad_message_len; len++) {
        throw_open(&t, &bad_server, false);
        (void)throw_bytes(&t, bad_message, len);
        throw_probe(&bad_server);
        throw_settled(&t, 0);
        throw_close(&t);
        ck_assert_msg(throw_fits("none 400", t.outcome), "cut after %zu bytes: %s\n%s", len,
                      t.outcome, t.bytes);
    }
    throw_open(&t, &bad_server, false);
    (void)throw_bytes(&t, bad_message, bad_message_len);
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "404");
}
END_TEST

/* ---------------------------------------------------------------- long and many */

/* A message of one field many times over. */
static void
write_many(bool tcp, const char *field, size_t times)
{
    static char text[BAD_MESSAGE_BYTES];
    size_t n = (size_t)snprintf(text, sizeof text, "%s", HEAD);

    for (size_t i = 0; i < times; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\n", field);
    snprintf(text + n, sizeof text - n, "%s", NO_BODY);
    bad_write(tcp, text);
}

static const struct {
    const char *field;
    size_t times;
    const char *wanted;
} many[] = {
    { "a: b", 9000, "200 4xx 5xx" },
    { "X-A-Name-That-Is-Not-Short: and neither is its value, quite the contrary", 800,
      "200 4xx 5xx" },
    { "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKmany", 1200, "200 4xx 5xx" },
    { "Route: <sip:192.0.2.1;lr>", 2000, "any" },
    { "Route: <sip:127.0.0.1;lr>", 2000, "any" },
    { "Record-Route: <sip:192.0.2.1;lr>", 1500, "200 4xx 5xx" },
    { "Proxy-Require: a, b, c, d, e, f, g", 1500, "420 4xx 5xx" },
    { "Authorization: Digest username=\"a\", realm=\"b\", nonce=\"c\"", 900, "200 4xx 5xx" },
    { "Max-Forwards: 70", 3000, "200 400" },
    { "Content-Length: 0", 3000, "200 400" },
    { " folded", 6000, "200 4xx 5xx" },
};

START_TEST(thousands_of_fields)
{
    static struct throw t;

    for (size_t i = 0; i < countof(many); i++)
        for (int tcp = 0; tcp < 2; tcp++) {
            write_many(tcp == 1, many[i].field, many[i].times);
            throw_open(&t, &bad_server, tcp == 1);
            (void)throw_bytes(&t, bad_message, bad_message_len);
            throw_settled(&t, PROC_PATIENCE_MS);
            throw_probe(&bad_server);
            throw_close(&t);
            ck_assert_msg(throw_fits(many[i].wanted, t.outcome),
                          "%zu times \"%s\" over %s: got %s, wanted %s\n%.500s", many[i].times,
                          many[i].field, tcp ? "TCP" : "UDP", t.outcome, many[i].wanted, t.bytes);
        }
}
END_TEST

START_TEST(contacts_without_end)
{
    static char text[BAD_MESSAGE_BYTES];
    static struct throw t;
    size_t n = (size_t)snprintf(text, sizeof text,
                                "REGISTER sip:example.com SIP/2.0\n" VIA MAX_FORWARDS FROM
                                "To: <sip:a@example.com>\n" CALL_ID
                                "CSeq: 1 REGISTER\nContact: <sip:a@192.0.2.1>");

    for (int i = 0; i < 2000; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ", <sip:a%d@192.0.2.1>", i);
    snprintf(text + n, sizeof text - n, "\n" NO_BODY);
    bad_write(true, text);
    throw_open(&t, &bad_server, true);
    (void)throw_bytes(&t, bad_message, bad_message_len);
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_probe(&bad_server);
    throw_close(&t);
    ck_assert_msg(throw_fits("4xx 5xx", t.outcome), "got %s", t.outcome);
    ck_assert_uint_eq(throw_count(&bad_server, "registrar_bindings"), 0);
}
END_TEST

/* A message of exactly this length, by a field of filler. */
static void
write_of_length(bool tcp, size_t len)
{
    char text[2048];
    size_t least;

    bad_write(tcp, HEAD "X: \n" NO_BODY);
    least = bad_message_len;
    ck_assert_uint_gt(len, least);
    /* what is unique may be a digit longer next time */
    for (size_t fill = len - least; bad_message_len != len; fill += len - bad_message_len) {
        snprintf(text, sizeof text, HEAD "X: $*%zux\n" NO_BODY, fill);
        bad_write(tcp, text);
    }
}

START_TEST(the_largest_message)
{
    static struct throw t;

    bad_start_with("message_bytes = 8192;");
    for (int tcp = 0; tcp < 2; tcp++)
        for (size_t over = 0; over < 2; over++) {
            write_of_length(tcp == 1, LIMIT_BYTES + over);
            throw_open(&t, &bad_server, tcp == 1);
            (void)throw_bytes(&t, bad_message, bad_message_len);
            throw_settled(&t, PROC_PATIENCE_MS);
            throw_probe(&bad_server);
            throw_close(&t);
            ck_assert_msg(throw_fits(over == 0 ? "200"
                                     : tcp     ? "513"
                                               : "413",
                                     t.outcome),
                          "%zu bytes over %s: %s", LIMIT_BYTES + over, tcp ? "TCP" : "UDP",
                          t.outcome);
        }
    bad_stop();
}
END_TEST

Suite *
suite_badinput(void)
{
    Suite *suite = suite_create("badinput");
    TCase *plain = tcase_create("plain"), *limited = tcase_create("limited");

    tcase_set_timeout(plain, 90);
    tcase_add_checked_fixture(plain, bad_start, bad_stop);
    tcase_add_loop_test(plain, bad_messages, 0, 2);
    tcase_add_test(plain, datagrams_cut_short);
    tcase_add_test(plain, thousands_of_fields);
    tcase_add_test(plain, contacts_without_end);
    suite_add_tcase(suite, plain);

    tcase_set_timeout(limited, 90);
    tcase_add_test(limited, the_largest_message);
    suite_add_tcase(suite, limited);
    return suite;
}
