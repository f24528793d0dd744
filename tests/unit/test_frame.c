/*
 * Where messages end: streams in every cut, datagrams, keep-alives, what is no SIP (RFC 3261 §7.5, §18.3, RFC 5626).
 */
#include "sip/frame.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/message.h"

#define LINE "OPTIONS sip:a SIP/2.0\r\n"

static struct frame
stream_of(struct span bytes, size_t limit)
{
    struct frame frame;
    size_t seen = 0;

    frame_stream(guarded(bytes), limit, &seen, &frame);
    return frame;
}

static struct frame
datagram_of(struct span bytes)
{
    struct frame frame;

    frame_datagram(guarded(bytes), &frame);
    return frame;
}

/* Feeds bytes up to `first` at once, then one by one: what a slow peer makes of them. */
static struct frame
dripped(struct span bytes, size_t first, size_t limit)
{
    struct frame frame = { .kind = FRAME_MORE };
    size_t seen = 0;

    for (size_t len = first; len <= bytes.len && frame.kind == FRAME_MORE; len++)
        frame_stream(span_head(bytes, len), limit, &seen, &frame);
    return frame;
}

START_TEST(lengths_in_a_stream)
{
    static const struct {
        const char *head;
        size_t body;
    } cases[] = {
        { LINE "\r\n", 0 },
        { LINE "Content-Length: 3\r\n\r\n", 3 },
        { LINE "content-LENGTH \t:\r\n 3 \r\nVia: x\r\n\r\n", 3 },
        { LINE "Via: x\r\nl:3\r\n\r\n", 3 },
        { LINE "L :\r\n\t\r\n 3\r\n\r\n", 3 },
        { LINE "l:3\r\nContent-Length: 3\r\n\r\n", 3 },
        { "OPTIONS sip:a SIP/2.0\nl: 3\n\n", 3 },
        { LINE "X-l: 3\r\nSubject: a\r\n l: 3\r\n\r\n", 0 },
        { "SIP/2.0 200 OK\r\nl: 3\r\n\r\n", 3 },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct span head = span_of(cases[i].head), all;
        char text[256];

        snprintf(text, sizeof text, "%sabcBYE sip:b SIP/2.0\r\n\r\n", cases[i].head);
        all = span_of(text);
        for (size_t first = 1; first < all.len; first++) {
            struct frame frame = dripped(all, first, 65535);

            ck_assert_int_eq(frame.kind, FRAME_MESSAGE);
            ck_assert_uint_eq(frame.skip, 0);
            ck_assert_uint_eq(frame.len, head.len + cases[i].body);
        }
    }
}
END_TEST

START_TEST(many_header_lines_in_a_stream)
{
    char text[4096] = LINE;
    struct frame frame;

    for (unsigned i = 0; i < 300; i++)
        memcpy(text + strlen(text), "a: b\r\n", 7);
    memcpy(text + strlen(text), "l: 5\r\n\r\n12345", 14);
    frame = stream_of(span_of(text), 65535);
    ck_assert_int_eq(frame.kind, FRAME_MESSAGE);
    ck_assert_uint_eq(frame.len, strlen(text));
}
END_TEST

START_TEST(bad_lengths_in_a_stream)
{
    static const char *const cases[] = {
        "l: -1\r\n",
        "l: 0x10\r\n",
        "l: 99999999999999999999\r\n",
        "l: 3\r\nContent-Length: 4\r\n",
        "l: 3 3\r\n",
        "l:\r\n",
        "X: a\nl: 4\r\nl: 0\r\n",
        /* none, but another reader may take it for one */
        "Content Length: 4\r\n",
        "content-length\x01: 4\r\nl: 0\r\n",
        "X: a\rContent-Length: 4\r\n",
        "\rl: 4\r\n",
        "L\xa0: 4\r\nl: 0\r\n",
        "X: a\013Content-Length: 4\r\n",
        "X: a\x0c\t l:4\r\nl: 0\r\n",
        " Content-Length: 4\r\n",
        " l: 4\r\n",
        "\t\r\n l : 4\r\nl: 0\r\n",
        "Content-\r\n Length: 4\r\nl: 0\r\n",
        "junk\r\n Content-Length: 4\r\n",
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct frame frame;
        char text[256];
        int len = snprintf(text, sizeof text, LINE "%s\r\n", cases[i]);

        snprintf(text + len, sizeof text - (size_t)len, "body");
        frame = stream_of(span_of(text), 65535);
        ck_assert_int_eq(frame.kind, FRAME_BAD);
        ck_assert_uint_eq(frame.fault, 400);
        ck_assert_uint_eq(frame.head_len, (size_t)len);
        frame = dripped(span_of(text), 1, 65535);
        ck_assert_int_eq(frame.kind, FRAME_BAD);
        ck_assert_uint_eq(frame.head_len, (size_t)len);
    }
}
END_TEST

/* Where a CR alone is a line end the head ends earlier, and the rest of it is another message. */
START_TEST(heads_that_end_early_for_others)
{
    static const char *const cases[] = { "X: a\r\rINVITE sip:a SIP/2.0\r\n", "\rX: a\r\n",
                                         "X: a\r\r\r\n", "X: a\r\n\rb\r\n" };
    static const char *const fine[] = { "X: a\r\r\n", "X: a\rb\r\n" };

    for (size_t i = 0; i < countof(cases) + countof(fine); i++) {
        char text[256];
        struct frame frame;

        snprintf(text, sizeof text, LINE "%sl: 0\r\n\r\n",
                 i < countof(cases) ? cases[i] : fine[i - countof(cases)]);
        frame = stream_of(span_of(text), 65535);
        ck_assert_int_eq(frame.kind, i < countof(cases) ? FRAME_BAD : FRAME_MESSAGE);
        if (frame.kind == FRAME_BAD)
            ck_assert_str_eq(frame.fault_reason, "Bad Line Ends");
    }
}
END_TEST

START_TEST(names_that_nobody_takes_for_content_length)
{
    static const char *const cases[] = { "l2: 9\r\n",
                                         "Content-Lengths: 9\r\n",
                                         "Content Lengthy: 9\r\n",
                                         "X: a\r\r\nl: 0\r\n",
                                         "X: l: 9\r\n",
                                         "X: a\r l 9\r\n",
                                         "X: a\r\n Content-Length: 9\r\n",
                                         "X: a\x0b\x0c l 9\r\n",
                                         " l2: 9\r\n" };

    for (size_t i = 0; i < countof(cases); i++) {
        char text[256];
        int len = snprintf(text, sizeof text, LINE "%s\r\n", cases[i]);
        struct frame frame = stream_of(span_of(text), 65535);

        ck_assert_int_eq(frame.kind, FRAME_MESSAGE);
        ck_assert_uint_eq(frame.len, (size_t)len);
    }
}
END_TEST

START_TEST(limits_in_a_stream)
{
    struct span whole = SPAN(LINE "l: 5\r\n\r\n12345"), head = span_head(whole, whole.len - 5);
    struct frame frame = stream_of(whole, whole.len);

    ck_assert_int_eq(frame.kind, FRAME_MESSAGE);
    frame = stream_of(whole, whole.len - 1);
    ck_assert_int_eq(frame.kind, FRAME_BAD);
    ck_assert_uint_eq(frame.fault, 413);
    ck_assert_uint_eq(frame.head_len, head.len);
    frame = stream_of(head, whole.len - 1); /* told as soon as the head is here */
    ck_assert_uint_eq(frame.fault, 413);
    for (size_t first = 1; first <= whole.len; first++) {
        frame = dripped(whole, first, head.len - 1);
        ck_assert_int_eq(frame.kind, FRAME_BAD);
        ck_assert_uint_eq(frame.fault, 513);
        ck_assert_uint_eq(frame.head_len, strlen(LINE "l: 5\r\n"));
    }
    frame = stream_of(whole, 5); /* not even the first line */
    ck_assert_uint_eq(frame.fault, 513);
    ck_assert_uint_eq(frame.head_len, 0);
}
END_TEST

START_TEST(a_body_is_not_scanned)
{
    struct span whole = SPAN(LINE "l: 40\r\n\r\nabc\r\n\r\nBYE sip:b SIP/2.0\r\n\r\nxxxxxxxxxxxx");
    struct frame frame = stream_of(whole, 65535);

    ck_assert_int_eq(frame.kind, FRAME_MESSAGE);
    ck_assert_uint_eq(frame.len, whole.len);
    for (size_t first = 1; first <= whole.len; first++)
        ck_assert_uint_eq(dripped(whole, first, 65535).len, whole.len);
}
END_TEST

START_TEST(keep_alives_in_a_stream)
{
    static const struct {
        const char *text;
        enum frame_kind kind;
        size_t skip, len;
    } cases[] = {
        { "", FRAME_MORE, 0, 0 },         { "\r", FRAME_MORE, 1, 0 },
        { "\r\n", FRAME_MORE, 2, 0 },     { "\r\n\r", FRAME_MORE, 3, 0 },
        { "\r\n\r\n", FRAME_PING, 0, 4 }, { "\r\n\r\n\r\n", FRAME_PING, 0, 4 },
        { "\r\nO", FRAME_BLANK, 0, 2 },   { "\r\n\rO", FRAME_BLANK, 0, 2 },
        { "\n", FRAME_BLANK, 0, 1 },      { "\r\r", FRAME_BLANK, 0, 1 },
        { "O", FRAME_MORE, 0, 0 },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct frame frame = stream_of(span_of(cases[i].text), 65535);

        ck_assert_int_eq(frame.kind, cases[i].kind);
        ck_assert_uint_eq(frame.skip, cases[i].skip);
        ck_assert_uint_eq(frame.len, cases[i].len);
    }
}
END_TEST

/* What can be no SIP is told by its first bytes or its first line, however it was cut. */
START_TEST(no_sip_in_a_stream)
{
    static const char *const cases[] = {
        "\x16\x03\x01",
        "GET / HTTP/1.1\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "OPTIONS\r\n",
        "(",
        "O\x01\xff\n",
        "\x80",
        "\x7f",
    };

    for (size_t i = 0; i < countof(cases); i++)
        for (size_t first = 1; first <= strlen(cases[i]); first++) {
            struct frame frame = dripped(span_of(cases[i]), first, 65535);

            if (frame.kind != FRAME_BAD || frame.fault != 400 || frame.head_len != 0)
                ck_abort_msg("passed as SIP: %s", cases[i]);
        }
}
END_TEST

/* Its sender shall hear what is wrong with it, and for that all of its head must be here. */
START_TEST(a_first_line_that_means_sip)
{
    static const char *const cases[] = { "OPTIONS sip:a SIP 2.0\r\n", "OPTIONS sip:SIP/2.0\r\n",
                                         "OPTIONS sip:a\r\n", "OPTIONS\tSIPS:a SIP-2.0\r\n" };

    for (size_t i = 0; i < countof(cases); i++) {
        char text[128];
        struct frame frame;

        snprintf(text, sizeof text, "%sVia: x\r\n", cases[i]);
        ck_assert_int_eq(stream_of(span_of(text), 65535).kind, FRAME_MORE);
        snprintf(text, sizeof text, "%sVia: x\r\n\r\nmore", cases[i]);
        for (size_t first = 1; first <= strlen(text); first++) {
            frame = dripped(span_of(text), first, 65535);
            ck_assert_int_eq(frame.kind, FRAME_BAD);
            ck_assert_uint_eq(frame.fault, 400);
            ck_assert_str_eq(frame.fault_reason, "Bad Request-Line");
            ck_assert_uint_eq(frame.head_len, strlen(text) - 4);
        }
    }
}
END_TEST

/* Whatever bytes are in it, it has an end, and is answered as in a datagram (RFC 4475 §3.3). */
START_TEST(a_first_line_with_odd_bytes)
{
    static const char *const cases[] = {
        " OPTIONS sip:a SIP/2.0\r\n",    "OPTIONS sip:a\x01 SIP/2.0\r\n",
        "OPT\x01IONS sip:a SIP/2.0\r\n", "\t\x80 sip:a SIP/2.0\r\n",
        "OPT\"IONS\" sip:a SIP/2.0\r\n", "SIP/2.0 200 \x1b[0m\r\n"
    };

    for (size_t i = 0; i < countof(cases); i++) {
        char text[128];
        struct frame frame;
        int len = snprintf(text, sizeof text, "%sl: 2\r\n\r\nab", cases[i]);

        snprintf(text + len, sizeof text - (size_t)len, "BYE");
        for (size_t first = 1; first <= strlen(text); first++) {
            frame = dripped(span_of(text), first, 65535);
            ck_assert_int_eq(frame.kind, FRAME_MESSAGE);
            ck_assert_uint_eq(frame.len, (size_t)len);
        }
    }
}
END_TEST

START_TEST(may_still_become_sip)
{
    static const char *const cases[] = { "S",
                                         "SIP/2.0",
                                         "OPTIONS",
                                         "OPTIONS sip:\xc3\xa9",
                                         "OPTIONS sip:a SIP/2.0\r",
                                         "!odd%method HTTP/1.1",
                                         "OPTIONS sip:a SIP/9.9\r\n",
                                         "OPTIONS\tsip:a SIP/2.0\r\n" };

    for (size_t i = 0; i < countof(cases); i++)
        ck_assert_int_eq(dripped(span_of(cases[i]), 1, 65535).kind, FRAME_MORE);
}
END_TEST

START_TEST(datagrams)
{
    static const struct {
        const char *text;
        enum frame_kind kind;
        size_t skip, len;
        unsigned fault;
    } cases[] = {
        { LINE "\r\n", FRAME_MESSAGE, 0, 25, 0 },
        { LINE "\r\nbody", FRAME_MESSAGE, 0, 29, 0 },
        { "\r\n\r\n\n" LINE "\r\n", FRAME_MESSAGE, 5, 25, 0 },
        { LINE "l: 2\r\n\r\nbody", FRAME_MESSAGE, 0, 35, 0 },
        { LINE "l: 1\r\n", FRAME_MESSAGE, 0, 29, 0 },
        { LINE, FRAME_MESSAGE, 0, 23, 0 },
        { "x", FRAME_MESSAGE, 0, 1, 0 },
        { "", FRAME_BLANK, 0, 0, 0 },
        { "\r\n", FRAME_BLANK, 0, 2, 0 },
        { "\r\n\r\n", FRAME_PING, 0, 4, 0 },
        { "\r\n\r\n\r\n", FRAME_BLANK, 0, 6, 0 },
        { " \t", FRAME_BLANK, 0, 2, 0 },
        { " OPTIONS", FRAME_BAD, 0, 0, 400 },
        { "\x80\x01", FRAME_BAD, 0, 0, 400 },
        { " OPTIONS\r\nVia: x\r\n\r\n", FRAME_MESSAGE, 0, 20, 0 }, /* somebody may be told */
    };
    struct frame frame = datagram_of(SPAN("\0\0\0\0"));

    ck_assert_int_eq(frame.kind, FRAME_BLANK);
    ck_assert_uint_eq(frame.len, 4);
    for (size_t i = 0; i < countof(cases); i++) {
        frame = datagram_of(span_of(cases[i].text));
        if (frame.kind != cases[i].kind || frame.skip != cases[i].skip ||
            frame.len != cases[i].len || frame.fault != cases[i].fault)
            ck_abort_msg("%s: kind %d skip %zu len %zu fault %u", cases[i].text, (int)frame.kind,
                         frame.skip, frame.len, frame.fault);
        ck_assert((frame.fault != 0) == (frame.fault_reason != NULL));
    }
}
END_TEST

Suite *
suite_frame(void)
{
    Suite *s = suite_create("frame");
    TCase *c = message_case("frame");

    tcase_add_test(c, lengths_in_a_stream);
    tcase_add_test(c, many_header_lines_in_a_stream);
    tcase_add_test(c, bad_lengths_in_a_stream);
    tcase_add_test(c, names_that_nobody_takes_for_content_length);
    tcase_add_test(c, heads_that_end_early_for_others);
    tcase_add_test(c, limits_in_a_stream);
    tcase_add_test(c, a_body_is_not_scanned);
    tcase_add_test(c, keep_alives_in_a_stream);
    tcase_add_test(c, no_sip_in_a_stream);
    tcase_add_test(c, a_first_line_that_means_sip);
    tcase_add_test(c, a_first_line_with_odd_bytes);
    tcase_add_test(c, may_still_become_sip);
    tcase_add_test(c, datagrams);
    suite_add_tcase(s, c);
    return s;
}
