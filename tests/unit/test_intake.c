/*
 * A message enters: where it came from, the stamps on its Via, the way back, repeats (RFC 3261 §17.2.3, §18.2, RFC 3581 §4).
 */
#include "core/intake.h"

#include <stdio.h>

#include "base/rand.h"
#include "unit/core_rig.h"

#define OPTIONS_NOBODY "OPTIONS sip:nobody@example.com SIP/2.0"

/* An OPTIONS with this Via comes; our 404 goes there and has this Via. */
static void
answered(const char *from, const char *via, const char *to, const char *stamped)
{
    const struct rig_sent *sent;

    rig_ask(&rig, from, OPTIONS_NOBODY, rig_line("Via", via), NULL);
    sent = rig_expect(&rig, to, "SIP/2.0 404 ");
    ck_assert_str_eq(rig_value(sent, "Via", 0), stamped);
    rig_quiet(&rig);
    rig_pass(&rig, 100000);
}

#define B ";branch=z9hG4bKv"

START_TEST(a_true_via_stays_as_it_is)
{
    answered("udp:192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1:5060" B, "udp:192.0.2.1:5060",
             "SIP/2.0/UDP 192.0.2.1:5060" B);
    answered("udp:192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1" B, "udp:192.0.2.1:5060",
             "SIP/2.0/UDP 192.0.2.1" B);
    answered("udp:[2001:db8::1]:5060", "SIP/2.0/UDP [2001:db8:0:0::1]:5060" B,
             "udp:[2001:db8::1]:5060", "SIP/2.0/UDP [2001:db8:0:0::1]:5060" B);
}
END_TEST

/* A response says "SIP/" too, and is not copied before it is read; such a request is not either. */
START_TEST(a_request_may_have_its_first_slash_where_a_response_has)
{
    const char *from = "udp:192.0.2.1:5060", *via = "SIP/2.0/UDP 192.0.2.1:5060" B;

    for (int times = 0; times < 2; times++) {
        answered(from, via, from, via);
        rig_ask(&rig, from, "AB /x SIP/2.0", rig_line("Via", via), NULL);
        rig_expect(&rig, from, "SIP/2.0 400 ");
        rig_quiet(&rig);
        rig_pass(&rig, 100000);
    }
}
END_TEST

/* What comes may be anything: whatever it is taken for, all that is read of it has its place. */
START_TEST(any_start_line_may_come)
{
    static const char *const lines[] = { OPTIONS_NOBODY,
                                         "SIP/2.0 200 OK",
                                         "SIP/2.0 180 R",
                                         "INVITE sip:bob@example.com SIP/2.0",
                                         "AB /x SIP/2.0",
                                         "A",
                                         "" };
    static const char *const rest =
        "\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKv%u\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:c@d>\r\nCall-ID: x%u\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n";
    char text[512];
    struct rand rand;

    rand_seed(&rand, 30113011);
    for (unsigned n = 0; n < 5000; n++) {
        size_t at = (size_t)snprintf(text, sizeof text, "%s", lines[n % countof(lines)]);
        size_t len = at + (size_t)snprintf(text + at, sizeof text - at, rest, n, n);

        for (uint64_t flips = rand_below(&rand, 4); flips > 0; flips--)
            text[rand_below(&rand, at + 1)] = "/ \t\r\nSIP2\0\377a"[rand_below(&rand, 12)];
        rig_bytes(&rig, "udp:192.0.2.1:5060", (struct span){ text, len }, 0, NULL);
        if (n % 20 == 0)
            rig_pass(&rig, 1000000);
        rig_clear(&rig);
    }
}
END_TEST

/* §18.2.1, §18.2.2: responses go to the source address and sent-by's port. */
START_TEST(another_source_is_received)
{
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 10.0.0.1:5062" B, "udp:192.0.2.1:5062",
             "SIP/2.0/UDP 10.0.0.1:5062" B ";received=192.0.2.1");
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP phone.example.net" B, "udp:192.0.2.1:5060",
             "SIP/2.0/UDP phone.example.net" B ";received=192.0.2.1");
    answered("udp:[2001:db8::1]:1024", "SIP/2.0/UDP [2001:db8::2]:5062" B, "udp:[2001:db8::1]:5062",
             "SIP/2.0/UDP [2001:db8::2]:5062" B ";received=2001:db8::1");
}
END_TEST

START_TEST(the_source_port_alone_is_no_stamp)
{
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062" B, "udp:192.0.2.1:5062",
             "SIP/2.0/UDP 192.0.2.1:5062" B);
}
END_TEST

/* RFC 3581 §4: both stamps, even when nothing differs; the response takes the way that the request came. */
START_TEST(rport_is_filled_when_asked_for)
{
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 10.0.0.1:5062;rport" B, "udp:192.0.2.1:1024",
             "SIP/2.0/UDP 10.0.0.1:5062;rport=1024" B ";received=192.0.2.1");
    answered("udp:192.0.2.1:5062", "SIP/2.0/UDP 192.0.2.1:5062" B ";rport", "udp:192.0.2.1:5062",
             "SIP/2.0/UDP 192.0.2.1:5062" B ";rport=5062;received=192.0.2.1");
}
END_TEST

START_TEST(what_the_sender_claims_is_replaced)
{
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;received=203.0.113.66;rport=7" B,
             "udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;received=192.0.2.1;rport=1024" B);
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;received=203.0.113.66" B,
             "udp:192.0.2.1:5062", "SIP/2.0/UDP 192.0.2.1:5062;received=192.0.2.1" B);
}
END_TEST

START_TEST(a_listener_may_fill_rport_unasked_for_private_addresses)
{
    rig.rport = 1;
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 10.0.0.1:5062" B, "udp:192.0.2.1:1024",
             "SIP/2.0/UDP 10.0.0.1:5062" B ";received=192.0.2.1;rport=1024");
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 203.0.113.9:5062" B, "udp:192.0.2.1:5062",
             "SIP/2.0/UDP 203.0.113.9:5062" B ";received=192.0.2.1");
    answered("udp:10.0.0.1:1024", "SIP/2.0/UDP 10.0.0.1:5062" B, "udp:10.0.0.1:5062",
             "SIP/2.0/UDP 10.0.0.1:5062" B);
}
END_TEST

START_TEST(a_listener_may_fill_rport_always)
{
    rig.rport = 2;
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062" B, "udp:192.0.2.1:1024",
             "SIP/2.0/UDP 192.0.2.1:5062" B ";received=192.0.2.1;rport=1024");
}
END_TEST

START_TEST(a_groups_maddr_is_where_responses_go)
{
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;maddr=224.0.1.75" B,
             "udp:224.0.1.75:5062", "SIP/2.0/UDP 192.0.2.1:5062;maddr=224.0.1.75" B);
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;maddr=192.0.2.77" B,
             "udp:192.0.2.1:5062", "SIP/2.0/UDP 192.0.2.1:5062;maddr=192.0.2.77" B);
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;maddr=proxy.example.net" B,
             "udp:192.0.2.1:5062", "SIP/2.0/UDP 192.0.2.1:5062;maddr=proxy.example.net" B);
}
END_TEST

START_TEST(a_connection_is_its_own_way_back)
{
    answered("tcp:192.0.2.1:40000/7", "SIP/2.0/TCP 192.0.2.1:5060" B, "tcp:192.0.2.1:40000/7",
             "SIP/2.0/TCP 192.0.2.1:5060" B);
    answered("tcp:192.0.2.1:40000/7", "SIP/2.0/TCP 10.0.0.1;maddr=192.0.2.77;rport" B,
             "tcp:192.0.2.1:40000/7",
             "SIP/2.0/TCP 10.0.0.1;maddr=192.0.2.77;rport=40000" B ";received=192.0.2.1");
}
END_TEST

/* The stamps stand on the Via beneath ours too, and the response follows it. */
START_TEST(what_is_forwarded_is_stamped)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, "udp:192.0.2.1:1024", INVITE_BOB,
            "Via: SIP/2.0/UDP 10.0.0.1:5062;rport" B ", SIP/2.0/UDP below" B, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    ck_assert_str_eq(rig_value(invite, "Via", 1), "SIP/2.0/UDP 10.0.0.1:5062;rport=1024" B
                                                  ";received=192.0.2.1, SIP/2.0/UDP below" B);
    rig_reply(&rig, invite, 180, "b", NULL);
    rig_expect(&rig, "udp:192.0.2.1:1024", "SIP/2.0 180 ");
}
END_TEST

/* ---------------------------------------------------------------- what is no request that can be answered */

static void
dropped(const char *text)
{
    uint64_t before = rig_counter(&rig, "core_dropped");

    rig_bytes(&rig, ALICE, span_of(text), 0, NULL);
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_dropped"), before + 1);
    rig_alive(&rig, 0, 0, 0);
}

/* From none for its bytes, over enough for these but not for their index, to enough: it passes, or it is answered. */
START_TEST(what_has_no_room_is_refused)
{
    unsigned passed = 0, refused = 0;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (uint32_t bytes = 0; bytes <= 4096; bytes += 32) {
        unsigned before = rig.sent_len;
        struct span first;

        rig.conf.trip_bytes = bytes;
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
        ck_assert_uint_eq(rig.sent_len, before + 1);
        first = span_head(rig.sent[before].bytes, 9);
        passed += span_eq(first, SPAN("MESSAGE s"));
        refused += span_eq(first, SPAN("SIP/2.0 5"));
    }
    ck_assert_uint_gt(passed, 0);
    ck_assert_uint_gt(refused, 0);
    ck_assert_uint_eq(passed + refused, 4096 / 32 + 1);
}
END_TEST

START_TEST(what_cannot_be_answered_is_dropped)
{
    dropped("rubbish\r\n\r\n");
    dropped("");
    dropped("SIP/2.0 abc\r\n\r\n");
    dropped("OPTIONS sip:x@example.com SIP/2.0\r\nFrom: <sip:a@x>;tag=1\r\nTo: "
            "<sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n");
    dropped("OPTIONS sip:x@example.com SIP/2.0\r\nVia: rubbish\r\nCSeq: 1 OPTIONS\r\n\r\n");
    dropped("OPTIONS sip:x@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: "
            "<sip:a@x>;tag=1\r\n\r\n");
}
END_TEST

START_TEST(what_framing_found_wrong_is_refused)
{
    static const char text[] =
        "OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
        "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";

    rig_bytes(&rig, ALICE, span_of(text), 413, "Too Long");
    rig_expect(&rig, ALICE, "SIP/2.0 413 Too Long\r\n");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

#define WITH_LENGTH(line, n)                                                              \
    line " sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n" \
         "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 " line "\r\n"   \
         "Max-Forwards: 70\r\nContent-Type: text/plain\r\nContent-Length: " n "\r\n\r\n"

/* §18.3: what follows the body in a datagram is dropped. */
START_TEST(a_datagram_ends_with_its_body)
{
    const struct rig_sent *sent;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bytes(&rig, ALICE, SPAN(WITH_LENGTH("MESSAGE", "4") "bodyOPTIONS"), 0, NULL);
    sent = rig_expect(&rig, BOB, "MESSAGE ");
    ck_assert(rig_has(sent, "\r\n\r\nbody"));
    ck_assert(!rig_has(sent, "OPTIONS"));
}
END_TEST

START_TEST(a_datagram_that_ends_too_early_is_refused)
{
    rig_bytes(&rig, ALICE, SPAN(WITH_LENGTH("MESSAGE", "5") "body"), 0, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 400 Body Shorter Than Content-Length\r\n");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

/* A stream hands on the head only: that the body is missing is not what was wrong. */
START_TEST(what_framing_found_wrong_is_told_first)
{
    static const char text[] =
        "OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n"
        "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 70000\r\n\r\n";

    rig_bytes(&rig, ALICE, span_of(text), 413, "Too Long");
    rig_expect(&rig, ALICE, "SIP/2.0 413 Too Long\r\n");
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

/* A Via that is none says to whom the answer goes all the same, as it came and without a stamp; else it goes to the source. */
START_TEST(a_broken_via_is_told)
{
    static const struct {
        const char *via, *to;
    } cases[] = {
        { "SIP/2.0/UDP 192.0.2.1:5062;;branch=z9hG4bKv", "udp:192.0.2.1:5062" },
        { "SIP/2.0/UDP 192.0.2.1:5062;;branch=z9hG4bKv;rport", "udp:192.0.2.1:1024" },
        { "SIP/2.0/UDP 192.0.2.1:5062;x=\"y;branch=z9hG4bKv", "udp:192.0.2.1:5062" },
        { "SIP/2.0/UDP 192.0.2.1:0;branch=z9hG4bKv", "udp:192.0.2.1:1024" },
        { "SIP/2.0/UDP 192.0.2.1:70000;branch=z9hG4bKv", "udp:192.0.2.1:1024" },
        { "SIP/2.0/UDP 192.0.2.1:x", "udp:192.0.2.1:1024" },
        { "SIP/2.0/UDP ;branch=z9hG4bKv", "udp:192.0.2.1:1024" },
        { "SIP/2.0/UDP [::1;branch=z9hG4bKv", "udp:192.0.2.1:1024" },
        { "SIP/2.0/UDP 10.0.0.1:0;branch=z9hG4bKv, SIP/2.0/UDP b", "udp:192.0.2.1:1024" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        const struct rig_sent *sent;

        rig_ask(&rig, "udp:192.0.2.1:1024", OPTIONS_NOBODY, rig_line("Via", cases[i].via), NULL);
        sent = rig_expect(&rig, cases[i].to, "SIP/2.0 400 Bad Via\r\n");
        ck_assert_str_eq(rig_value(sent, "Via", 0), cases[i].via);
        rig_quiet(&rig);
        rig_pass(&rig, 100000);
    }
}
END_TEST

/* Where the first Via says nothing, the one below is whoever waits for the answer; it would not look for it further down. */
START_TEST(an_empty_via_is_left_out_of_the_answer)
{
    static const char text[] =
        "OPTIONS sip:bob@example.com SIP/2.0\r\nVia:\r\nv: ,\r\nVia: SIP/2.0/UDP "
        "192.0.2.1:5062;branch=z9hG4bK1\r\n"
        "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
    const struct rig_sent *sent;

    rig_bytes(&rig, "udp:192.0.2.1:1024", span_of(text), 0, NULL);
    sent = rig_expect(&rig, "udp:192.0.2.1:5062", "SIP/2.0 400 Bad Via\r\n");
    ck_assert_str_eq(rig_value(sent, "Via", 0), "SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1");
    ck_assert_ptr_null(strstr(sent->bytes.at, "Via: \r\n"));
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_faulty_response_is_a_stray)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 200, "b", "Content-Length: 500", NULL);
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_stray_responses"), 1);
    rig_reply(&rig, invite, 200, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
}
END_TEST

/* ---------------------------------------------------------------- repeats */

START_TEST(a_repeated_invite_is_no_new_one)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 100 Trying\r\n");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 100 Trying\r\n");
    rig_reply(&rig, invite, 180, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_reply(&rig, invite, 200, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_requests"), 1);
    ck_assert_uint_eq(rig_counter(&rig, "core_trips"), 1);
}
END_TEST

START_TEST(a_repeated_request_gets_its_answer_again)
{
    const struct rig_sent *message;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    message = rig_expect(&rig, BOB, "MESSAGE ");
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_quiet(&rig);
    rig_reply(&rig, message, 202, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 202 ");
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 202 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_peer_without_branches_is_served)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Via: SIP/2.0/UDP 192.0.2.1", NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_ask(&rig, ALICE, INVITE_BOB, "Via: SIP/2.0/UDP 192.0.2.1", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 100 ");
    rig_reply(&rig, invite, 486, "b", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 486 ");
    rig.to_tag = "b";
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1", NULL);
    rig_pass(&rig, 60000);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

/* ---------------------------------------------------------------- connections to be used backwards (RFC 5923 §4) */

static uint64_t alias_flow;
static unsigned alias_port;

static void
note_alias(void *io, const struct hop *from, uint16_t port)
{
    (void)io;
    alias_flow = from->flow;
    alias_port = port;
}

START_TEST(a_sender_may_ask_to_be_reached_by_its_connection)
{
    static const struct {
        const char *from, *via;
        unsigned port; /* 0: not asked for */
    } cases[] = {
        { "tls:192.0.2.1:40000/7", "Via: SIP/2.0/TLS client.example.net;branch=z9hG4bKa1;alias",
          5061 },
        { "tls:192.0.2.1:40000/7",
          "Via: SIP/2.0/TLS client.example.net:5071;Alias;branch=z9hG4bKa2", 5071 },
        { "tls:192.0.2.1:40000/7", "Via: SIP/2.0/TLS client.example.net;branch=z9hG4bKa3", 0 },
        { "udp:192.0.2.1:5060", "Via: SIP/2.0/UDP client.example.net;branch=z9hG4bKa4;alias", 0 },
    };

    rig.ports.alias = note_alias;
    rig_restart(&rig);
    for (size_t i = 0; i < countof(cases); i++) {
        alias_port = 0;
        rig_ask(&rig, cases[i].from, "OPTIONS sip:example.com SIP/2.0", cases[i].via, NULL);
        ck_assert_uint_eq(alias_port, cases[i].port);
        if (cases[i].port)
            ck_assert_uint_eq(alias_flow, 7);
        rig_forget(&rig);
    }
}
END_TEST

#define FIELDS                                                                                  \
    "Via: SIP/2.0/TCP a;branch=z9hG4bKv\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: " \
    "c\r\n"                                                                                     \
    "Max-Forwards: 70\r\n"
#define CSEQ   "CSeq: 1 OPTIONS\r\n"
#define LENGTH "Content-Length: 0\r\n"

static const struct repair_policy *
all(enum repair_verdict verdict)
{
    static struct repair_policy policy;

    for (int id = 0; id < DEVIATIONS; id++)
        policy.verdict[id] =
            repair_may((enum deviation)id, verdict) ? (uint8_t)verdict : REPAIR_REJECT;
    return &policy;
}

/* Whoever refuses a message for what leaves open where it ends must not go on reading (§18.3). */
START_TEST(ends_in_doubt)
{
    static const struct {
        const char *text;
        bool sure, sure_if_mended;
    } cases[] = {
        { FIELDS CSEQ LENGTH "\r\n", true, true },
        { FIELDS CSEQ "X: a\n" LENGTH "\r\n", false, true },
        { FIELDS CSEQ LENGTH "junk\r\n\r\n", false, true },
        { FIELDS CSEQ LENGTH "X: a\rb\r\n\r\n", false, true },
        { FIELDS CSEQ LENGTH "X: a\x01\r\n\r\n", false, true },
        { FIELDS CSEQ "\r\n", false, false },
        { FIELDS "CSeq: no\r\n" LENGTH "\r\n", true, true },
        { FIELDS "CSeq: no\r\nX: a\n" LENGTH "\r\n", false, true },
        { FIELDS "CSeq: no\r\n\r\n", false, false },
    };

    const struct hop from = rig_hop("tcp:192.0.2.1:1024");

    for (size_t i = 0; i < countof(cases); i++) {
        char text[512];

        snprintf(text, sizeof text, "OPTIONS sip:nobody@example.com SIP/2.0\r\n%s", cases[i].text);
        rig.repair = all(REPAIR_REJECT);
        ck_assert(rig_bytes(&rig, "tcp:192.0.2.1:1024", span_of(text), 0, NULL) == cases[i].sure);
        rig.repair = all(REPAIR_FIX);
        ck_assert(rig_bytes(&rig, "tcp:192.0.2.1:1024", span_of(text), 0, NULL) ==
                  cases[i].sure_if_mended);
        /* Who does not read is not heard, but judged alike. */
        ck_assert(core_doubts(rig.core, &from, span_of(text)) != cases[i].sure_if_mended);
        rig.repair = all(REPAIR_REJECT);
        ck_assert(core_doubts(rig.core, &from, span_of(text)) != cases[i].sure);
        rig_pass(&rig, 100000);
    }
}
END_TEST

/* A response whose status code cannot be read is nobody's; where it ends matters all the same. */
START_TEST(ends_in_doubt_without_a_status)
{
    static const char *const lines[] = { "SIP/2.0 99 Low", "SIP/2.0 700 High", "SIP/2.0 2000 OK",
                                         "SIP/2.0 OK", "SIP/2.0 " };
    static const struct {
        const char *fields;
        bool sure;
    } cases[] = {
        { FIELDS CSEQ LENGTH "\r\n", true },
        { FIELDS CSEQ "\r\n", false },
        { FIELDS CSEQ "X: a\n" LENGTH "\r\n", false },
        { FIELDS CSEQ LENGTH "junk\r\n\r\n", false },
    };
    const struct hop from = rig_hop("tcp:192.0.2.1:1024");
    uint64_t dropped = *counters_get(&rig.counters, "core_dropped");

    rig.repair = all(REPAIR_REJECT);
    for (size_t i = 0; i < countof(lines) * countof(cases); i++) {
        bool sure = cases[i % countof(cases)].sure;
        char text[512];

        snprintf(text, sizeof text, "%s\r\n%s", lines[i / countof(cases)],
                 cases[i % countof(cases)].fields);
        ck_assert(rig_bytes(&rig, "tcp:192.0.2.1:1024", span_of(text), 0, NULL) == sure);
        ck_assert(core_doubts(rig.core, &from, span_of(text)) != sure);
        ck_assert_uint_eq(*counters_get(&rig.counters, "core_dropped"), ++dropped);
    }
}
END_TEST

Suite *
suite_intake(void)
{
    Suite *s = suite_create("intake");
    TCase *c = rig_case("entering");

    tcase_add_test(c, a_true_via_stays_as_it_is);
    tcase_add_test(c, any_start_line_may_come);
    tcase_add_test(c, a_request_may_have_its_first_slash_where_a_response_has);
    tcase_add_test(c, another_source_is_received);
    tcase_add_test(c, the_source_port_alone_is_no_stamp);
    tcase_add_test(c, rport_is_filled_when_asked_for);
    tcase_add_test(c, what_the_sender_claims_is_replaced);
    tcase_add_test(c, a_listener_may_fill_rport_unasked_for_private_addresses);
    tcase_add_test(c, a_listener_may_fill_rport_always);
    tcase_add_test(c, a_groups_maddr_is_where_responses_go);
    tcase_add_test(c, a_connection_is_its_own_way_back);
    tcase_add_test(c, what_is_forwarded_is_stamped);
    tcase_add_test(c, what_has_no_room_is_refused);
    tcase_add_test(c, what_cannot_be_answered_is_dropped);
    tcase_add_test(c, what_framing_found_wrong_is_refused);
    tcase_add_test(c, what_framing_found_wrong_is_told_first);
    tcase_add_test(c, a_datagram_ends_with_its_body);
    tcase_add_test(c, a_datagram_that_ends_too_early_is_refused);
    tcase_add_test(c, a_broken_via_is_told);
    tcase_add_test(c, an_empty_via_is_left_out_of_the_answer);
    tcase_add_test(c, a_faulty_response_is_a_stray);
    tcase_add_test(c, a_repeated_invite_is_no_new_one);
    tcase_add_test(c, a_repeated_request_gets_its_answer_again);
    tcase_add_test(c, a_peer_without_branches_is_served);
    tcase_add_test(c, a_sender_may_ask_to_be_reached_by_its_connection);
    tcase_add_test(c, ends_in_doubt);
    tcase_add_test(c, ends_in_doubt_without_a_status);
    suite_add_tcase(s, c);
    return s;
}
