/*
 * From bytes to index: start lines, fields, folding, faults that leave the rest readable (RFC 3261 §7, RFC 4475).
 */
#include "sip/msg.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/message.h"

static int
try_span(struct span text)
{
    struct msg msg;

    return msg_read(guarded(text), &arena, &msg);
}

static int
try_text(const char *text)
{
    return try_span(span_of(text));
}

START_TEST(a_request)
{
    struct msg m = read_text("INVITE sip:bob@example.com SIP/2.0\r\n"
                             "v: SIP/2.0/UDP a;branch=z9hG4bKx\r\n"
                             "X-Any : \t some thing \r\n"
                             "l:4\r\n"
                             "\r\n"
                             "v=0\n");

    ck_assert(msg_is_request(&m));
    ck_assert_uint_eq(m.fault, 0);
    ck_assert(!m.bare_lf);
    ck_assert_int_eq(m.method, METHOD_INVITE);
    must_be(msg_span(&m, m.method_text), "INVITE");
    must_be(msg_span(&m, m.uri), "sip:bob@example.com");
    must_be(msg_span(&m, m.version), "SIP/2.0");
    ck_assert_uint_eq(m.fields_len, 3);
    ck_assert_uint_eq(m.fields[0].id, HDR_VIA);
    must_be(msg_value(&m, &m.fields[0]), "SIP/2.0/UDP a;branch=z9hG4bKx");
    ck_assert_uint_eq(m.fields[1].id, HDR_OTHER);
    must_be(msg_name(&m, &m.fields[1]), "X-Any");
    must_be(msg_value(&m, &m.fields[1]), "some thing");
    ck_assert_uint_eq(m.fields[2].id, HDR_CONTENT_LENGTH);
    must_be(msg_body(&m), "v=0\n");
    ck_assert_uint_eq(m.head_end + 2, m.body_at);
}
END_TEST

START_TEST(a_response)
{
    static const struct {
        const char *line, *reason;
        unsigned status;
    } cases[] = {
        { "SIP/2.0 200 OK", "OK", 200 },
        { "SIP/2.0 100 ", "", 100 },
        { "SIP/2.0 699", "", 699 },
        { "sip/2.0 486 a b ", "a b ", 486 },
        { "SIP/2.0 404 \xc3\xa9", "\xc3\xa9", 404 },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        char text[128];
        struct msg m;

        snprintf(text, sizeof text, "%s\r\nVia: x\r\n\r\n", cases[i].line);
        m = read_text(text);
        ck_assert(!msg_is_request(&m));
        ck_assert_uint_eq(m.fault, 0);
        ck_assert_uint_eq(m.status, cases[i].status);
        must_be(msg_span(&m, m.reason), cases[i].reason);
        ck_assert_uint_eq(m.fields_len, 1);
    }
}
END_TEST

/* Read with this version, which is ours but for its case or not at all. */
static int
response_read(const char *version, const char *rest, struct msg *out)
{
    char text[64];
    int len = snprintf(text, sizeof text, "%s %s\r\nTo: a\r\n\r\n", version, rest);

    return msg_read(guarded((struct span){ text, (size_t)len }), &arena, out);
}

/* A status line as nearly all write it is read at a glance; one that has another version is not, and says the same. */
START_TEST(status_lines_both_ways)
{
    static const char *const odd[] = { "200", "200 ", "20 OK", "2000 OK", "2x0 OK", "200\tOK", "" };
    struct msg a, b;

    for (unsigned status = 0; status < 1000; status++) {
        char rest[16];
        int err;

        snprintf(rest, sizeof rest, "%03u A b", status);
        err = response_read("SIP/2.0", rest, &a);
        ck_assert_int_eq(err, status >= 100 && status < 700 ? SIPD_OK : SIPD_ESYNTAX);
        ck_assert_int_eq(response_read("sip/2.0", rest, &b), err);
        ck_assert_uint_eq(a.status, b.status);
        ck_assert(span_eq(msg_span(&a, a.reason), msg_span(&b, b.reason)));
    }
    for (size_t i = 0; i < countof(odd); i++)
        ck_assert_int_eq(response_read("SIP/2.0", odd[i], &a),
                         response_read("sip/2.0", odd[i], &b));
}
END_TEST

START_TEST(no_start_line)
{
    static const char *const cases[] = {
        "",
        "\r\n",
        "\n",
        "\r\nVia: x\r\n\r\n",
        "SIP/2.0\r\n\r\n",
        "SIP/2.0 99 x\r\n\r\n",
        "SIP/2.0 700 x\r\n\r\n",
        "SIP/2.0 2000 x\r\n\r\n",
        "SIP/2.0 4294967301 x\r\n\r\n",
        "SIP/2.0 20x x\r\n\r\n",
        "SIP/2.0\t200 OK\r\n\r\n",
        "SIP/",
        "SIP/2.0 ",
        " SIP/2.0 200 OK\r\nVia: x\r\n\r\n",
        "\t sip/2.0 200 OK\r\nVia: x\r\n\r\n",
    };

    ck_assert_int_eq(try_span((struct span){ NULL, 0 }), SIPD_ESYNTAX);
    for (size_t i = 0; i < countof(cases); i++)
        if (try_text(cases[i]) != SIPD_ESYNTAX)
            ck_abort_msg("taken for a message: %s", cases[i]);
}
END_TEST

/* Its fields may tell whom to answer. */
START_TEST(a_first_line_that_says_nothing)
{
    static const struct {
        const char *line, *method;
    } cases[] = {
        { "INVITE", "INVITE" },
        { "INVITE   ", "INVITE" },
        { "INVITE sip:a", "INVITE" },
        { " INVITE sip:a SIP/2.0", "" },
        { "GET / HTTP/1.1", "GET" },
        { "INV(TE sip:a SIP/2.0", "INV" },
        { "\x16\x03\x01\x02", "" },
        { "(", "" },
        { "INVITE sip:a SIP / 2.0", "INVITE" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        char text[128];
        struct msg m;

        snprintf(text, sizeof text, "%s\r\nVia: x\r\n\r\nbody", cases[i].line);
        m = read_text(text);
        ck_assert_uint_eq(m.fault, 400);
        ck_assert_str_eq(m.fault_reason, "Bad Request-Line");
        must_be(msg_span(&m, m.method_text), cases[i].method);
        must_be(msg_span(&m, m.uri), "");
        ck_assert_uint_eq(m.fields_len, 1);
        must_be(msg_body(&m), "body");
    }
}
END_TEST

/* The deviations of a start line with a field behind it. */
static uint64_t
odd_line(const char *line)
{
    char text[128];
    struct msg m;

    snprintf(text, sizeof text, "%s\r\nVia: x\r\n\r\n", line);
    m = read_text(text);
    ck_assert_uint_eq(m.fault, 0);
    return m.odd;
}

START_TEST(odd_start_lines)
{
    ck_assert_uint_eq(odd_line("INVITE sip:a SIP/2.0"), 0);
    ck_assert_uint_eq(odd_line("INVITE sip:a sip/2.0"), deviation_bit(DEV_VERSION_CASE));
    ck_assert_uint_eq(odd_line("INVITE  sip:a SIP/2.0"), deviation_bit(DEV_REQUEST_LINE_BLANKS));
    ck_assert_uint_eq(odd_line("INVITE sip:a  SIP/2.0"), deviation_bit(DEV_REQUEST_LINE_BLANKS));
    ck_assert_uint_eq(odd_line("INVITE sip:a SIP/2.0  "), deviation_bit(DEV_REQUEST_LINE_BLANKS));
    ck_assert_uint_eq(odd_line("INVITE\tsip:a SIP/2.0"), deviation_bit(DEV_REQUEST_LINE_BLANKS));
    ck_assert_uint_eq(odd_line("INVITE sip:a; lr SIP/2.0"), 0); /* the gist says so */
    ck_assert_uint_eq(odd_line("SIP/2.0 200 OK"), 0);
    ck_assert_uint_eq(odd_line("SIP/2.0 200 "), 0);
    ck_assert_uint_eq(odd_line("sip/2.0 200 OK"), deviation_bit(DEV_VERSION_CASE));
    ck_assert_uint_eq(odd_line("SIP/2.0  200 OK"), deviation_bit(DEV_STATUS_LINE));
    ck_assert_uint_eq(odd_line("SIP/2.0 200"), deviation_bit(DEV_STATUS_LINE));
}
END_TEST

START_TEST(start_lines_with_a_fault)
{
    static const struct {
        const char *line, *uri, *reason;
        unsigned fault;
    } cases[] = {
        { "INVITE SIP/2.0", "", "Missing Request-URI", 400 },
        { "INVITE  SIP/2.0", "", "Missing Request-URI", 400 },
        { "INVITE sip:a SIP/7.0", "sip:a", "Version Not Supported", 505 },
        { "INVITE sip:a SIP/2.00", "sip:a", "Version Not Supported", 505 },
        { "INVITE sip:a SIP/2", "sip:a", "Bad SIP-Version", 400 },
        { "INVITE sip:a SIP/2.x", "sip:a", "Bad SIP-Version", 400 },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        char text[128];
        struct msg m;

        snprintf(text, sizeof text, "%s\r\nVia: x\r\n\r\n", cases[i].line);
        m = read_text(text);
        ck_assert_uint_eq(m.fault, cases[i].fault);
        ck_assert_str_eq(m.fault_reason, cases[i].reason);
        ck_assert_int_eq(m.method, METHOD_INVITE);
        must_be(msg_span(&m, m.uri), cases[i].uri);
        ck_assert_uint_eq(m.fields_len, 1);
    }
    ck_assert_uint_eq(read_text("SIP/3.0 200 OK\r\n\r\n").fault, 505);
}
END_TEST

START_TEST(methods_know_case)
{
    struct msg m = read_text("invite sip:a SIP/2.0\r\n\r\n");

    ck_assert_int_eq(m.method, METHOD_OTHER);
    must_be(msg_span(&m, m.method_text), "invite");
    m = read_text("RE%47IST%45R sip:a sip/2.0\r\n\r\n");
    ck_assert_int_eq(m.method, METHOD_OTHER);
    ck_assert_uint_eq(m.fault, 0);
}
END_TEST

START_TEST(folded_fields)
{
    struct msg m = read_text("A sip:a SIP/2.0\r\n"
                             "Subject: one\r\n two \r\n\t three\r\n"
                             "To:\r\n sip:b\r\n"
                             "Empty:\r\n \r\n"
                             "\r\n");

    ck_assert_uint_eq(m.fault, 0);
    ck_assert_uint_eq(m.fields_len, 3);
    must_be(msg_value(&m, &m.fields[0]), "one\r\n two \r\n\t three");
    must_be(msg_value(&m, &m.fields[1]), "sip:b");
    must_be(msg_value(&m, &m.fields[2]), "");
    ck_assert_uint_eq(m.fields[2].value_at, m.fields[2].at + 6);
    ck_assert_uint_eq(m.fields[2].end, m.head_end);
}
END_TEST

START_TEST(bad_lines_are_indexed)
{
    struct msg m = read_text("A sip:a SIP/2.0\r\n"
                             "no colon here \r\n"
                             "bad name: x\r\n"
                             ": nothing\r\n"
                             "Via: y\r\n"
                             "\r\n");

    ck_assert_uint_eq(m.odd, deviation_bit(DEV_NO_FIELD));
    ck_assert_uint_eq(m.fields_len, 4);
    must_be(msg_name(&m, &m.fields[0]), "");
    must_be(msg_value(&m, &m.fields[0]), "no colon here");
    must_be(msg_name(&m, &m.fields[1]), "bad name");
    must_be(msg_value(&m, &m.fields[2]), "nothing");
    ck_assert_uint_eq(m.fields[3].id, HDR_VIA);

    m = read_text("A sip:a SIP/2.0\r\n Via: continues nothing\r\nVia: y\r\n\r\n");
    ck_assert_uint_eq(m.odd, deviation_bit(DEV_NO_FIELD));
    ck_assert_uint_eq(m.fields_len, 2);
    must_be(msg_value(&m, &m.fields[0]), "Via: continues nothing");
}
END_TEST

/* One that another could take for Via or Content-Length would be read in two ways. */
#define BIT(id) (UINT64_C(1) << (id))

START_TEST(odd_names)
{
    static const struct {
        const char *line;
        uint64_t odd;
        const char *fault;
    } cases[] = {
        { "X_Billing(ref): 17", BIT(DEV_FIELD_NAME), NULL },
        { "X\xc3\xa4: 17", BIT(DEV_FIELD_NAME), NULL },
        { "X Y: 17", BIT(DEV_NO_FIELD), NULL },
        { "X\x01: 17", BIT(DEV_NO_FIELD) | BIT(DEV_CONTROL_BYTES), NULL },
        { "Content-Length : 0", 0, NULL },
        { "Content Length: 0", BIT(DEV_NO_FIELD), "Bad Content-Length" },
        { "Content-Length\x0b: 0", BIT(DEV_NO_FIELD) | BIT(DEV_CONTROL_BYTES),
          "Bad Content-Length" },
        { "X: \x0bl: 0", BIT(DEV_CONTROL_BYTES), "Bad Content-Length" },
        { "X: \x0c"
          "Content Length: 0",
          BIT(DEV_CONTROL_BYTES), "Bad Content-Length" },
        { "X: \x0b\tVia: 0", BIT(DEV_CONTROL_BYTES), "Bad Via" },
        { "X: \"\\\x0b\t\x7f\"", 0, NULL },
        { "(l): 0", BIT(DEV_FIELD_NAME), "Bad Content-Length" },
        { "V,: x", BIT(DEV_FIELD_NAME), "Bad Via" },
        { "\xa0via: x", BIT(DEV_FIELD_NAME), "Bad Via" },
        { "Content(Lengths): 0", BIT(DEV_FIELD_NAME), NULL },
        { "Content(Lengt): 0", BIT(DEV_FIELD_NAME), NULL },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        char text[128];
        struct msg m;

        snprintf(text, sizeof text, "A sip:a SIP/2.0\r\nTo: x\r\n%s\r\n\r\n", cases[i].line);
        m = read_text(text);
        if (m.odd != cases[i].odd || (m.fault != 0) != (cases[i].fault != NULL))
            ck_abort_msg("%s: %llx %u", cases[i].line, (unsigned long long)m.odd, m.fault);
        if (cases[i].fault)
            ck_assert_str_eq(m.fault_reason, cases[i].fault);
    }
}
END_TEST

START_TEST(bare_line_feeds)
{
    struct msg m = read_text("A sip:a SIP/2.0\nVia: x\n y\nTo: z\n\nbody");

    ck_assert_uint_eq(m.fault, 0);
    ck_assert(m.bare_lf);
    ck_assert_uint_eq(m.fields_len, 2);
    must_be(msg_value(&m, &m.fields[0]), "x\n y");
    must_be(msg_body(&m), "body");
    ck_assert_uint_eq(m.odd, deviation_bit(DEV_BARE_LF));
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0\r\nVia: x\n\r\n").odd,
                      deviation_bit(DEV_MIXED_LINE_ENDS));
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0\nVia: x\n\r\n").odd,
                      deviation_bit(DEV_MIXED_LINE_ENDS));
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0\r\nVia: x\r\n\n").odd,
                      deviation_bit(DEV_MIXED_LINE_ENDS));
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0\r\nVia: x\r\n y\n\r\n").odd,
                      deviation_bit(DEV_MIXED_LINE_ENDS));
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0\r\nVia: x\r\n\r\nbody\nof\n").odd, 0);
    ck_assert(read_text("A sip:a SIP/2.0\r\nVia: x\n\r\n").bare_lf);
    ck_assert(read_text("A sip:a SIP/2.0\r\nVia: x\r\n\n").bare_lf);
    ck_assert(!read_text("A sip:a SIP/2.0\r\nVia: x\r\n\r\n\n").bare_lf);
}
END_TEST

START_TEST(bare_returns)
{
    static const struct {
        const char *line;
        unsigned fault;
    } cases[] = {
        { "X: a\rb\r\n", 0 },
        { "X: a\r\r\n", 0 },
        { "X: a\r\n b\r \r\n", 0 },
        { "X: a\rb: c\r\n", 0 },
        { "X: a\rContent-Length\r\n", 0 },
        { "X: a\rContent-Length: 5\r\n", 400 },
        { "X: a\r\rl : 5\r\n", 400 },
        { "X: a\r Via : SIP/2.0/UDP b\r\n", 400 },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        char text[200];
        struct msg m;

        snprintf(text, sizeof text, "A sip:a SIP/2.0\r\nVia: x\r\n%s\r\n", cases[i].line);
        m = read_text(text);
        ck_assert_uint_eq(m.odd, deviation_bit(DEV_BARE_CR));
        ck_assert_uint_eq(m.fault, cases[i].fault);
        ck_assert_uint_eq(m.fields_len, 2);
    }
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0\r\nVia: x\r\n\r\nb\ro\rdy").odd, 0);
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0\r\nVia: x\ry\nTo: z\r\n\r\n").odd,
                      deviation_bit(DEV_BARE_CR) | deviation_bit(DEV_MIXED_LINE_ENDS));
    /* nothing is read behind the last byte */
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0\r\nVia\r\n").fields_len, 1);
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0\r\nVia:\r\n").fields_len, 1);
    ck_assert(read_text("A sip:a SIP/2.0\r\nVia: x\r\nX: a\rb").odd & deviation_bit(DEV_BARE_CR));
}
END_TEST

START_TEST(head_without_an_end)
{
    static const char *const cases[] = { "A sip:a SIP/2.0\r\nVia: x\r\n",
                                         "A sip:a SIP/2.0\r\nVia: x",
                                         "A sip:a SIP/2.0\r\nVia: x\r\n\r" };

    for (size_t i = 0; i < countof(cases); i++) {
        struct msg m = read_text(cases[i]);

        ck_assert_uint_eq(m.odd & deviation_bit(DEV_NO_EMPTY_LINE),
                          deviation_bit(DEV_NO_EMPTY_LINE));
        must_be(msg_value(&m, &m.fields[0]), "x");
        ck_assert_uint_eq(m.head_end, m.len);
        ck_assert_uint_eq(m.body_len, 0);
    }
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0").fields_len, 0);
    ck_assert_uint_eq(read_text("A sip:a SIP/2.0\r\n").fields_len, 0);
}
END_TEST

/* More fields than one batch of lines, than the first guess, than there may be. */
START_TEST(many_fields)
{
    static const unsigned counts[] = {
        62, 63, 64, 65, 127, 128, 129, 500, MSG_FIELDS_MAX, MSG_FIELDS_MAX + 1, 3000
    };

    for (size_t i = 0; i < countof(counts); i++) {
        static char text[32 + 3000 * 6 + 64];
        size_t len = (size_t)snprintf(text, sizeof text, "A sip:a SIP/2.0\r\n");
        unsigned kept = counts[i] < MSG_FIELDS_MAX ? counts[i] : MSG_FIELDS_MAX;
        struct msg m;

        for (unsigned n = 0; n < counts[i]; n++)
            len +=
                (size_t)snprintf(text + len, sizeof text - len, "a:%s\r\n", n % 3 ? "b" : "\r\n c");
        snprintf(text + len, sizeof text - len, "\r\nbody");
        m = read_text(text);
        ck_assert_uint_eq(m.fields_len, kept);
        ck_assert_uint_eq(m.fault, counts[i] > MSG_FIELDS_MAX ? 400 : 0);
        for (unsigned n = 0; n < kept; n++)
            must(span_eq(msg_value(&m, &m.fields[n]), n % 3 ? SPAN("b") : SPAN("c")));
        must_be(msg_body(&m), "body");
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(names_of_any_length)
{
    static char text[70100];
    size_t len = (size_t)snprintf(text, sizeof text, "A sip:a SIP/2.0\r\n");
    struct msg m;

    memset(text + len, 'x', 70000);
    snprintf(text + len + 70000, sizeof text - len - 70000, ": y\r\nVia: z\r\n\r\n");
    m = read_text(text);
    ck_assert_uint_eq(m.odd, deviation_bit(DEV_NO_FIELD));
    ck_assert_uint_eq(m.fields[0].name_len, 0);
    must_be(msg_value(&m, &m.fields[0]), "y");
    ck_assert_uint_eq(m.fields[1].id, HDR_VIA);
}
END_TEST

START_TEST(memory_runs_out)
{
    struct arena small;
    struct msg m;
    unsigned failures = 0;

    for (size_t limit = 0;; limit += 512) {
        char text[2048] = "A sip:a SIP/2.0\r\n";
        int err;

        for (unsigned n = 0; n < 200; n++)
            memcpy(text + strlen(text), "a:b\r\n", 6);
        arena_init(&small, limit);
        err = msg_read(span_of(text), &small, &m);
        arena_fini(&small);
        if (err == SIPD_OK)
            break;
        ck_assert_int_eq(err, SIPD_ENOMEM);
        failures++;
    }
    ck_assert_uint_gt(failures, 2);
    ck_assert_int_eq(msg_read((struct span){ "x", (size_t)UINT32_MAX + 1 }, &arena, &m),
                     SIPD_ETOOBIG);
}
END_TEST

Suite *
suite_parse(void)
{
    Suite *s = suite_create("parse");
    TCase *c = message_case("parse");

    tcase_add_test(c, a_request);
    tcase_add_test(c, a_response);
    tcase_add_test(c, status_lines_both_ways);
    tcase_add_test(c, no_start_line);
    tcase_add_test(c, start_lines_with_a_fault);
    tcase_add_test(c, a_first_line_that_says_nothing);
    tcase_add_test(c, odd_start_lines);
    tcase_add_test(c, odd_names);
    tcase_add_test(c, methods_know_case);
    tcase_add_test(c, folded_fields);
    tcase_add_test(c, bad_lines_are_indexed);
    tcase_add_test(c, bare_line_feeds);
    tcase_add_test(c, bare_returns);
    tcase_add_test(c, head_without_an_end);
    tcase_add_test(c, many_fields);
    tcase_add_test(c, names_of_any_length);
    tcase_add_test(c, memory_runs_out);
    suite_add_tcase(s, c);
    return s;
}
