/*
 * Bytes that no phone should send, at a running server: cut short, too long, binary, dripping, contradictory, many,
 * half closed, reset. A status where one can be given, silence where not, a counter always; and the server answers
 * the next one (RFC 3261 §7, §16.3, §18.3).
 */
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/def.h"
#include "live/throw.h"

Suite *suite_badinput(void);

enum {
    SILENCE_MS = 200, /* for what must not, once a later one was answered */
    MESSAGE_BYTES = 256 * 1024,
    LIMIT_BYTES = 8192, /* limits.message_bytes of one test */
    CONNECTIONS = 700,
};

static struct server server;
static char message[MESSAGE_BYTES];
static size_t message_len;

static void
start_with(const char *limits)
{
    char settings[256];

    snprintf(settings, sizeof settings,
             "modules = [ \"registrar\" ];\nregistrar = { store = \"ram\"; };\nlimits = { %s };\n"
             "drain_s = 1;",
             limits);
    server_make(&server, "sipd", settings);
    server_start(&server);
}

static void
start(void)
{
    start_with("first_byte_s = 0; first_message_s = 0; message_s = 600;");
}

static void
stop(void)
{
    server_stop(&server);
}

static void
write_message(bool tcp, const char *text)
{
    message_len = throw_write(message, sizeof message, tcp, text);
}

/* clang-format off */
#define VIA "Via: SIP/2.0/$T 127.0.0.1:9;branch=z9hG4bK$B;rport\n"
#define MAX_FORWARDS "Max-Forwards: 70\n"
#define FROM "From: <sip:a@example.com>;tag=1\n"
#define TO "To: <sip:example.com>\n"
#define CALL_ID "Call-ID: $B\n"
#define CSEQ "CSeq: 1 OPTIONS\n"
#define NO_BODY "Content-Length: 0\n\n"
#define START "OPTIONS sip:example.com SIP/2.0\n"
/* All that is asked of a request but the Content-Length. */
#define HEAD START VIA MAX_FORWARDS FROM TO CALL_ID CSEQ
#define GOOD HEAD NO_BODY
/* clang-format on */

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
    return throw_count(&server, "core_trips core_refused core_dropped core_stray net_dropped "
                                "conns_bad conns_cut conns_slow");
}

static void
throw_one(const struct bad *bad, bool tcp)
{
    static struct throw t;
    const char *wanted = tcp ? bad->tcp : bad->udp;
    bool may_be_silent = throw_fits(wanted, "none") || throw_fits(wanted, "closed");
    uint64_t before = noticed(), after;

    write_message(tcp, bad->text);
    throw_open(&t, &server, tcp);
    if (throw_bytes(&t, message, message_len))
        throw_arrived(&t);
    if (!may_be_silent)
        throw_settled(&t, PROC_PATIENCE_MS);
    throw_probe(&server);
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

#define INVITE                                                                                    \
    "INVITE sip:nobody@example.com SIP/2.0\n" VIA MAX_FORWARDS FROM                               \
    "To: \"No \\\"body\\\"\" <sip:nobody@example.com>\n"                                          \
    "Call-ID: $B@host\nCSeq: 7 INVITE\nContact: <sip:a@127.0.0.1:9;transport=$T>\nContent-Type: " \
    "application/sdp\n"                                                                           \
    "Content-Length: 4\n\nv=0\n"

/* A datagram may end anywhere; what can be answered is, and only the whole one reaches for the user. */
START_TEST(datagrams_cut_short)
{
    static struct throw t;

    write_message(false, INVITE);
    message_len -= 1; /* the LF behind the body's four bytes */
    for (size_t len = 1; len < message_len; len++) {
        throw_open(&t, &server, false);
        (void)throw_bytes(&t, message, len);
        throw_probe(&server);
        throw_settled(&t, 0);
        throw_close(&t);
        ck_assert_msg(throw_fits("none 400", t.outcome), "cut after %zu bytes: %s\n%s", len,
                      t.outcome, t.bytes);
    }
    throw_open(&t, &server, false);
    (void)throw_bytes(&t, message, message_len);
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
    static char text[MESSAGE_BYTES];
    size_t n = (size_t)snprintf(text, sizeof text, "%s", HEAD);

    for (size_t i = 0; i < times; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\n", field);
    snprintf(text + n, sizeof text - n, "%s", NO_BODY);
    write_message(tcp, text);
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
            throw_open(&t, &server, tcp == 1);
            (void)throw_bytes(&t, message, message_len);
            throw_settled(&t, PROC_PATIENCE_MS);
            throw_probe(&server);
            throw_close(&t);
            ck_assert_msg(throw_fits(many[i].wanted, t.outcome),
                          "%zu times \"%s\" over %s: got %s, wanted %s\n%.500s", many[i].times,
                          many[i].field, tcp ? "TCP" : "UDP", t.outcome, many[i].wanted, t.bytes);
        }
}
END_TEST

START_TEST(contacts_without_end)
{
    static char text[MESSAGE_BYTES];
    static struct throw t;
    size_t n = (size_t)snprintf(text, sizeof text,
                                "REGISTER sip:example.com SIP/2.0\n" VIA MAX_FORWARDS FROM
                                "To: <sip:a@example.com>\n" CALL_ID
                                "CSeq: 1 REGISTER\nContact: <sip:a@192.0.2.1>");

    for (int i = 0; i < 2000; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ", <sip:a%d@192.0.2.1>", i);
    snprintf(text + n, sizeof text - n, "\n" NO_BODY);
    write_message(true, text);
    throw_open(&t, &server, true);
    (void)throw_bytes(&t, message, message_len);
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_probe(&server);
    throw_close(&t);
    ck_assert_msg(throw_fits("4xx 5xx", t.outcome), "got %s", t.outcome);
    ck_assert_uint_eq(throw_count(&server, "registrar_bindings"), 0);
}
END_TEST

/* A message of exactly this length, by a field of filler. */
static void
write_of_length(bool tcp, size_t len)
{
    char text[2048];
    size_t least;

    write_message(tcp, HEAD "X: \n" NO_BODY);
    least = message_len;
    ck_assert_uint_gt(len, least);
    /* what is unique may be a digit longer next time */
    for (size_t fill = len - least; message_len != len; fill += len - message_len) {
        snprintf(text, sizeof text, HEAD "X: $*%zux\n" NO_BODY, fill);
        write_message(tcp, text);
    }
}

START_TEST(the_largest_message)
{
    static struct throw t;

    start_with("message_bytes = 8192;");
    for (int tcp = 0; tcp < 2; tcp++)
        for (size_t over = 0; over < 2; over++) {
            write_of_length(tcp == 1, LIMIT_BYTES + over);
            throw_open(&t, &server, tcp == 1);
            (void)throw_bytes(&t, message, message_len);
            throw_settled(&t, PROC_PATIENCE_MS);
            throw_probe(&server);
            throw_close(&t);
            ck_assert_msg(throw_fits(over == 0 ? "200"
                                     : tcp     ? "513"
                                               : "413",
                                     t.outcome),
                          "%zu bytes over %s: %s", LIMIT_BYTES + over, tcp ? "TCP" : "UDP",
                          t.outcome);
        }
    stop();
}
END_TEST

/* ---------------------------------------------------------------- streams */

/* One connection for each place to cut; all first parts are there before the first second part is sent. */
START_TEST(split_anywhere)
{
    static struct piece {
        int fd;
        size_t len;
        char text[1024];
    } pieces[CONNECTIONS];
    static struct throw t;
    size_t n = throw_write(message, sizeof message, true, INVITE) - 2;

    ck_assert_uint_lt(n, CONNECTIONS);
    for (size_t i = 0; i < n; i++) {
        pieces[i].len = throw_write(pieces[i].text, sizeof pieces[i].text, true, INVITE);
        throw_open(&t, &server, true);
        ck_assert(throw_bytes(&t, pieces[i].text, i + 1));
        throw_arrived(&t);
        pieces[i].fd = t.fd;
    }
    throw_probe(&server);
    for (size_t i = 0; i < n; i++) {
        throw_open(&t, &server, true);
        throw_close(&t);
        t.fd = pieces[i].fd;
        ck_assert(throw_bytes(&t, pieces[i].text + i + 1, pieces[i].len - i - 1));
        throw_settled(&t, PROC_PATIENCE_MS);
        throw_close(&t);
        ck_assert_msg(strcmp(t.outcome, "404") == 0, "split after %zu bytes: %s\n%s", i + 1,
                      t.outcome, t.bytes);
    }
}
END_TEST

START_TEST(byte_by_byte)
{
    static struct throw t;

    write_message(true, INVITE);
    throw_open(&t, &server, true);
    for (size_t i = 0; i < message_len; i++) {
        ck_assert(throw_bytes(&t, message + i, 1));
        throw_arrived(&t);
    }
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "404");
}
END_TEST

START_TEST(many_in_one_segment)
{
    enum { MESSAGES = 100 };
    static struct throw t;
    unsigned answered[MESSAGES] = { 0 };
    size_t n = 0;

    for (int i = 0; i < MESSAGES; i++) {
        char text[512];

        snprintf(text, sizeof text,
                 "%s" START VIA MAX_FORWARDS FROM TO "Call-ID: piped-%d\n" CSEQ NO_BODY,
                 i % 3 ? "\n" : "", i);
        n += throw_write(message + n, sizeof message - n, true, text);
    }
    throw_open(&t, &server, true);
    ck_assert(throw_bytes(&t, message, n));
    for (int i = 0; i < MESSAGES; i++) {
        const char *call_id;

        ck_assert_msg(throw_heard(&t, PROC_PATIENCE_MS), "%d answers, then %s", i, t.outcome);
        call_id = strstr(t.bytes, "Call-ID: piped-");
        ck_assert_ptr_nonnull(call_id);
        answered[strtoul(call_id + strlen("Call-ID: piped-"), NULL, 10) % MESSAGES]++;
    }
    throw_close(&t);
    for (int i = 0; i < MESSAGES; i++)
        ck_assert_uint_eq(answered[i], 1);
}
END_TEST

static const char *const doubtful[] = {
    HEAD "Content-Length: -1\n\n",
    HEAD "X: a$L" NO_BODY,
    HEAD "Content-Length: 0\n$L",
    HEAD "X: a$L\n",
    START " X: a\n" VIA FROM TO CALL_ID CSEQ NO_BODY,
    START VIA FROM TO CALL_ID CSEQ "nonsense\n" NO_BODY,
    START VIA FROM TO CALL_ID CSEQ "$R\n" NO_BODY,
    START VIA FROM TO CALL_ID "CSeq: 1 INVITE\nX: a$L" NO_BODY, /* refused for something else */
};

/* What follows a message whose end cannot be known is not read as one: that could be smuggled in (RFC 3261 §18.3). */
START_TEST(nothing_behind_a_doubtful_end)
{
    static struct throw t;
    char text[4096];

    snprintf(text, sizeof text, "%s" GOOD, doubtful[_i]);
    write_message(true, text);
    throw_open(&t, &server, true);
    ck_assert(throw_bytes(&t, message, message_len));
    throw_settled(&t, PROC_PATIENCE_MS);
    ck_assert_str_eq(t.outcome, "400");
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "closed");
}
END_TEST

/* A response without a status code is nobody's, and not answered; but its end is in doubt as a request's is. */
START_TEST(nothing_behind_a_doubtful_response)
{
    static struct throw t;

    write_message(true, "SIP/2.0 OK\n" VIA FROM TO CALL_ID CSEQ "X: a$L" NO_BODY GOOD);
    throw_open(&t, &server, true);
    ck_assert(throw_bytes(&t, message, message_len));
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "closed");
}
END_TEST

/* A message that begins must end within limits.message_s, however busily it drips; a connection at rest may rest. */
START_TEST(dripping_without_end)
{
    static struct throw dripping, resting;
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    start_with("message_s = 1;");
    write_message(true, HEAD "X: ");
    throw_open(&resting, &server, true);
    throw_open(&dripping, &server, true);
    (void)throw_bytes(&dripping, message, message_len);
    while (!throw_heard(&dripping, 50) && strcmp(dripping.outcome, "closed") != 0 &&
           proc_now_ms() < until)
        (void)throw_bytes(&dripping, "x", 1);
    throw_close(&dripping);
    ck_assert_str_eq(dripping.outcome, "closed");
    ck_assert_uint_eq(throw_count(&server, "conns_slow"), 1);
    write_message(true, GOOD);
    ck_assert(throw_bytes(&resting, message, message_len));
    throw_settled(&resting, PROC_PATIENCE_MS);
    throw_close(&resting);
    ck_assert_str_eq(resting.outcome, "200");
    stop();
}
END_TEST

START_TEST(half_closed)
{
    static struct throw t;

    write_message(true, GOOD);
    throw_open(&t, &server, true);
    ck_assert(throw_bytes(&t, message, message_len));
    shutdown(t.fd, SHUT_WR);
    throw_settled(&t, PROC_PATIENCE_MS);
    ck_assert_str_eq(t.outcome, "200");
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "closed");

    throw_open(&t, &server, true);
    ck_assert(throw_bytes(&t, message, message_len / 2));
    shutdown(t.fd, SHUT_WR);
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "closed");
    ck_assert_uint_eq(throw_count(&server, "conns_cut"), 1);
}
END_TEST

START_TEST(reset_anywhere)
{
    static struct throw t;
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS, cut;

    write_message(true, INVITE);
    for (size_t len = 1; len < message_len; len += 7) {
        write_message(true, INVITE);
        throw_open(&t, &server, true);
        ck_assert(throw_bytes(&t, message, len));
        throw_reset(&t);
    }
    write_message(true, GOOD);
    for (int i = 0; i < 50; i++) {
        throw_open(&t, &server, true);
        ck_assert(throw_bytes(&t, message, message_len));
        throw_reset(&t);
    }
    throw_probe(&server);
    /* a reset may overtake what was sent before it; an answer without its connection looks for another (§18.2.2) */
    do
        cut = throw_count(&server, "conns_accepted conns_opened") -
              throw_count(&server, "conns_closed");
    while (cut > 0 && proc_now_ms() < until);
    ck_assert_uint_eq(cut, 0);
}
END_TEST

/*
 * One who asks without end and never reads: what waits for it has a ceiling, and what it asks then is not heard; or,
 * earlier, the kernel takes nothing more of it. Others are served all the while.
 */
START_TEST(asking_without_reading)
{
    enum { MESSAGES = 30000 };
    static struct throw t;
    bool open = true;
    int small = 8192;

    start_with("queue_bytes = 65536;");
    throw_open(&t, &server, true);
    ck_assert_int_eq(setsockopt(t.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    for (int i = 0; i < MESSAGES && open; i++) {
        write_message(true, GOOD);
        open = throw_bytes(&t, message, message_len);
        if (i % 1000 == 0)
            throw_probe(&server);
    }
    throw_probe(&server);
    throw_reset(&t);
    ck_assert(!open || throw_count(&server, "net_dropped_full net_dropped_deaf conns_deaf") > 0);
    stop();
}
END_TEST

START_TEST(pings)
{
    static struct throw t;
    char pong[8] = "";
    size_t n = 0;

    throw_open(&t, &server, true);
    ck_assert(throw_bytes(&t, "\r\n\r\n", 4));
    for (uint64_t until = proc_now_ms() + PROC_PATIENCE_MS; n < 2 && proc_now_ms() < until;) {
        ssize_t got = recv(t.fd, pong + n, sizeof pong - 1 - n, 0);

        n += got > 0 ? (size_t)got : 0;
        proc_pause(got > 0 ? 0 : 1);
    }
    ck_assert_str_eq(pong, "\r\n");
    write_message(true, GOOD);
    ck_assert(throw_bytes(&t, message, message_len));
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "200");
}
END_TEST

Suite *
suite_badinput(void)
{
    Suite *suite = suite_create("badinput");
    TCase *plain = tcase_create("plain"), *limited = tcase_create("limited");

    tcase_set_timeout(plain, 90);
    tcase_add_checked_fixture(plain, start, stop);
    tcase_add_loop_test(plain, bad_messages, 0, 2);
    tcase_add_test(plain, datagrams_cut_short);
    tcase_add_test(plain, thousands_of_fields);
    tcase_add_test(plain, contacts_without_end);
    tcase_add_test(plain, split_anywhere);
    tcase_add_test(plain, byte_by_byte);
    tcase_add_test(plain, many_in_one_segment);
    tcase_add_loop_test(plain, nothing_behind_a_doubtful_end, 0, (int)countof(doubtful));
    tcase_add_test(plain, nothing_behind_a_doubtful_response);
    tcase_add_test(plain, half_closed);
    tcase_add_test(plain, reset_anywhere);
    tcase_add_test(plain, pings);
    suite_add_tcase(suite, plain);

    tcase_set_timeout(limited, 90);
    tcase_add_test(limited, the_largest_message);
    tcase_add_test(limited, dripping_without_end);
    tcase_add_test(limited, asking_without_reading);
    suite_add_tcase(suite, limited);
    return suite;
}
