/*
 * Bodies taken apart: types, dispositions, parts within parts, delimiters that are there, missing or odd, and parts
 * that hold anything (RFC 2046 §5.1, RFC 3204, RFC 3261 §20.11, §20.15, RFC 5621).
 */
#include "sip/mime.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/def.h"
#include "unit/message.h"
#include "unit/text.h"

#define MIXED "multipart/mixed; boundary=b"

static struct mime_walk walk;

static void
begin(const char *type, struct span body)
{
    mime_walk_init(&walk, span_of(type), SPAN(""), guarded(body));
}

/* What is not text is shown as ~; line ends as N and L. */
static void
put_shown(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '\r' && i + 1 < text.len && text.at[i + 1] == '\n') {
            buf_put_char(out, 'N');
            i++;
        } else {
            buf_put_char(out, c == '\n' ? 'L' : c < ' ' || c == 0x7f ? '~' : c);
        }
    }
}

/* Every part as "level type/subtype [content]", joined by blanks. */
static struct span
tree(const char *type, struct span body)
{
    struct buf out;
    struct span kept;

    buf_init(&out, 1 << 20);
    begin(type, body);
    while (mime_walk_next(&walk)) {
        if (out.len > 0)
            buf_put_char(&out, ' ');
        buf_printf(&out, "%u %.*s/%.*s", walk.part.level, SPAN_ARG(walk.part.type.type),
                   SPAN_ARG(walk.part.type.subtype));
        if (walk.part.level == 0)
            continue;
        buf_put(&out, SPAN(" ["));
        put_shown(&out, walk.part.content);
        buf_put_char(&out, ']');
    }
    ck_assert_uint_eq(walk.depth, 0);
    ck_assert(!mime_walk_next(&walk));
    kept = arena_copy(&arena, buf_span(&out));
    buf_fini(&out);
    return kept;
}

#define must_split(type, body, want) must_text(tree(type, SPAN(body)), want)

START_TEST(types_are_read)
{
    struct mime_type type;
    struct span value;

    ck_assert_int_eq(mime_type_read(SPAN("application/ISUP; version=nxv3; base=etsi121"), &type),
                     SIPD_OK);
    must_text(type.type, "application");
    must_text(type.subtype, "ISUP");
    ck_assert(param_find(type.params, SPAN("base"), &value));
    must_text(value, "etsi121");
    ck_assert(mime_type_is(&type, SPAN("Application/isup")));
    ck_assert(!mime_type_is(&type, SPAN("application/qsig")));
    ck_assert(!mime_type_is(&type, SPAN("application")));
    ck_assert_int_eq(mime_type_read(SPAN(" text / plain "), &type), SIPD_OK);
    must_text(type.type, "text");
    must_text(type.subtype, "plain");
    ck_assert_uint_eq(type.params.len, 0);
    ck_assert_int_eq(mime_type_read(SPAN("application/vnd.3gpp.cw+xml;x=\"a;b\";y"), &type),
                     SIPD_OK);
    must_text(type.subtype, "vnd.3gpp.cw+xml");
    must_text(type.params, ";x=\"a;b\";y");
}
END_TEST

START_TEST(types_are_refused)
{
    static const char *const bad[] = {
        "",      "text", "/", "text/", "/plain", "te xt/plain", "text/pl ain", "text/plain,",
        "a/b/c", ";"
    };
    struct mime_type type;

    for (size_t i = 0; i < countof(bad); i++) {
        must_for(span_of(bad[i]), mime_type_read(span_of(bad[i]), &type) == SIPD_ESYNTAX);
        must_for(span_of(bad[i]),
                 type.type.len == 0 && type.subtype.len == 0 && type.params.len == 0);
    }
}
END_TEST

START_TEST(dispositions)
{
    static const struct {
        const char *value, *type, *want;
        bool optional;
    } cases[] = {
        { "session", "application/sdp", "session", false },
        { "signal; handling=optional", "application/ISUP", "signal", true },
        { "signal ;Handling=\"Optional\"", "application/ISUP", "signal", true },
        { "signal;handling=required", "application/ISUP", "signal", false },
        { "signal;handling=later", "application/ISUP", "signal", false },
        { "", "application/SDP", "session", false },
        { "", "application/ISUP;version=itu-t92+", "signal", false },
        { "", "application/QSIG;version=iso", "signal", false },
        { "", "text/plain", "render", false },
        { "", "", "render", false },
        { "two words;handling=optional", "text/plain", "render", false },
        { ";handling=optional", "application/sdp", "session", false },
        { "early-session;filename=\"a;handling=optional\"", "text/plain", "early-session", false },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct mime_disposition disposition;
        struct mime_type type;

        (void)mime_type_read(span_of(cases[i].type), &type);
        mime_disposition_read(span_of(cases[i].value), &type, &disposition);
        must_text(disposition.type, cases[i].want);
        must_for(span_of(cases[i].value), disposition.optional == cases[i].optional);
    }
}
END_TEST

START_TEST(a_plain_body_is_one_part)
{
    begin("application/sdp", SPAN("\r\nv=0\r\n\r\n"));
    ck_assert(mime_walk_next(&walk));
    ck_assert_uint_eq(walk.part.level, 0);
    must_text(walk.part.content, "\r\nv=0\r\n\r\n");
    must_text(walk.part.whole, "\r\nv=0\r\n\r\n");
    must_text(walk.part.disposition.type, "session");
    ck_assert_uint_eq(walk.part.head.len + walk.part.delimiter.len, 0);
    ck_assert(!mime_walk_next(&walk));
    ck_assert(!mime_walk_next(&walk));
    must_split("", "--b\r\n\r\nx\r\n--b--", "0 /");
    must_split("rubbish", "--b\r\n\r\nx\r\n--b--", "0 /");
    must_split("application/pidf+xml", "", "0 application/pidf+xml");
}
END_TEST

/*
 * The example of RFC 2046 §5.1.1: preamble and epilogue are nobody's, a line end before a delimiter is the
 * delimiter's.
 */
START_TEST(as_printed)
{
    must_split("multipart/mixed; boundary=\"simple boundary\"",
               "This is the preamble.  It is to be ignored, though it\r\nis a handy place.\r\n\r\n"
               "--simple boundary\r\n\r\nThis is implicitly typed.\r\nIt does NOT end with a "
               "linebreak.\r\n"
               "--simple boundary\r\nContent-type: text/plain; charset=us-ascii\r\n\r\nIt DOES end "
               "with a linebreak.\r\n\r\n"
               "--simple boundary--\r\n\r\nThis is the epilogue.  It is also to be "
               "ignored.\r\n--simple boundary\r\n\r\nnone\r\n",
               "0 multipart/mixed 1 text/plain [This is implicitly typed.NIt does NOT end with a "
               "linebreak.] "
               "1 text/plain [It DOES end with a linebreak.N]");
}
END_TEST

START_TEST(heads_and_content)
{
    struct span head, value;
    struct mime_field field;

    begin(MIXED, SPAN("--b\r\nc: a/b;x=\r\n \"y\"\r\nX-Any : one\r\nContent-Disposition: "
                      "z;handling=optional\r\nx-any:\r\n\r\n\r\nc\r\n--b--"));
    ck_assert(mime_walk_next(&walk) && mime_walk_next(&walk));
    must_text(walk.part.delimiter, "--b\r\n");
    must_text(walk.part.content, "\r\nc");
    ck_assert(mime_type_is(&walk.part.type, SPAN("a/b")));
    must_text(walk.part.type.params, ";x=\r\n \"y\"");
    must_text(walk.part.disposition.type, "z");
    ck_assert(walk.part.disposition.optional);
    head = walk.part.head;
    ck_assert(mime_field_next(&head, &field));
    must_text(field.whole, "c: a/b;x=\r\n \"y\"\r\n");
    must_text(field.name, "c");
    must_text(field.value, "a/b;x=\r\n \"y\"");
    ck_assert(mime_field_next(&head, &field));
    must_text(field.name, "X-Any");
    must_text(field.value, "one");
    ck_assert(mime_field_next(&head, &field) && mime_field_next(&head, &field));
    must_text(field.whole, "x-any:\r\n");
    must_text(field.value, "");
    ck_assert(!mime_field_next(&head, &field));
    ck_assert(mime_field_find(&walk.part, SPAN("x-ANY"), &value));
    must_text(value, "one");
    ck_assert(mime_field_find(&walk.part, SPAN("Content-Type"), &value));
    must_text(value, "a/b;x=\r\n \"y\"");
    ck_assert(!mime_field_find(&walk.part, SPAN("Content-ID"), &value));
    ck_assert_uint_eq(value.len, 0);
}
END_TEST

START_TEST(odd_heads)
{
    must_split(MIXED, "--b\r\n\r\n--b--", "0 multipart/mixed 1 text/plain []");
    must_split(MIXED, "--b\r\n--b--", "0 multipart/mixed 1 text/plain []");
    must_split(MIXED, "--b\r\nContent-Type: a/b\r\n--b--", "0 multipart/mixed 1 a/b []");
    must_split(MIXED, "--b\r\nContent-Type: a/b\r\n\r\n--b--", "0 multipart/mixed 1 a/b []");
    must_split(MIXED, "--b\r\nContent-Type: a/b\r\n\r\n\r\n--b--", "0 multipart/mixed 1 a/b []");
    must_split(MIXED, "--b\r\nContent-Type: a/b\r\n\r\n\r\n\r\n--b--",
               "0 multipart/mixed 1 a/b [N]");
    /* nobody wrote the empty line */
    must_split(MIXED, "--b\r\nv=0\r\no=x y:z\r\n--b--",
               "0 multipart/mixed 1 text/plain [v=0No=x y:z]");
    must_split(MIXED, "--b\r\nContent-Type: a/b\r\nv=0\r\n--b--", "0 multipart/mixed 1 a/b [v=0]");
    must_split(MIXED, "--b\r\n folded: first\r\n\r\n--b--",
               "0 multipart/mixed 1 text/plain [ folded: firstN]");
    /* one that cannot be read is opaque */
    must_split(MIXED, "--b\r\nContent-Type: unheard of\r\n\r\nx\r\n--b--",
               "0 multipart/mixed 1 / [x]");
    must_split(MIXED, "--b\nContent-Type: a/b\n\nx\n\n--b--\n", "0 multipart/mixed 1 a/b [xL]");
    must_split("multipart/digest;boundary=b", "--b\r\n\r\nx\r\n--b\r\nc: a/b\r\n\r\ny\r\n--b--",
               "0 multipart/digest 1 message/rfc822 [x] 1 a/b [y]");
}
END_TEST

START_TEST(odd_delimiters)
{
    /* none closes */
    must_split(MIXED, "--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n",
               "0 multipart/mixed 1 text/plain [x] 1 text/plain [yN]");
    must_split(MIXED, "--b\r\n\r\nx", "0 multipart/mixed 1 text/plain [x]");
    must_split(MIXED, "--b\r\n", "0 multipart/mixed 1 text/plain []");
    /* the closing one was cut short */
    must_split(MIXED, "--b\r\n\r\nx\r\n--b", "0 multipart/mixed 1 text/plain [x]");
    must_split(MIXED, "--b\r\n\r\nx\r\n--b-", "0 multipart/mixed 1 text/plain [xN--b-]");
    must_split(MIXED, "--b", "0 multipart/mixed");
    /* no parts */
    must_split(MIXED, "", "0 multipart/mixed");
    must_split(MIXED, "--b--", "0 multipart/mixed");
    must_split(MIXED, "preamble\r\n--b--\r\nepilogue", "0 multipart/mixed");
    must_split(MIXED, "preamble", "0 multipart/mixed");
    must_split(MIXED, "x--b\r\n\r\nx\r\n --b\r\n", "0 multipart/mixed");
    /* blanks behind it */
    must_split(MIXED, "--b \t \r\n\r\nx\r\n--b--\t \r\n", "0 multipart/mixed 1 text/plain [x]");
    must_split(MIXED, "--b\r\n\r\nx\r\n--b -- \r\n--b--",
               "0 multipart/mixed 1 text/plain [xN--b -- ]");
    /* only whole lines */
    must_split(MIXED, "--b\r\n\r\n--bx\r\n--b--x\r\n--B\r\n--\r\n-b\r\n--b\rx\r\n--b--",
               "0 multipart/mixed 1 text/plain [--bxN--b--xN--BN--N-bN--b~x]");
    /* line ends of one character, also in part */
    must_split(MIXED, "p\n--b\n\nx\n--b\r\n\ny\r\n--b--\nq",
               "0 multipart/mixed 1 text/plain [x] 1 text/plain [y]");
}
END_TEST

START_TEST(odd_boundaries)
{
    must_split("multipart/mixed", "--b\r\n\r\nx\r\n--b--", "0 multipart/mixed");
    must_split("multipart/mixed;boundary", "--\r\n\r\nx\r\n----", "0 multipart/mixed");
    must_split("multipart/mixed;boundary=", "--\r\n\r\nx\r\n----", "0 multipart/mixed");
    must_split("multipart/mixed;boundary=\"\"", "--\r\n\r\nx\r\n----", "0 multipart/mixed");
    must_split("multipart/mixed;boundary=\"b", "--b\r\n\r\nx\r\n--b--", "0 multipart/mixed");
    must_split("multipart/mixed;boundary=\"b\r\n c\"", "--b\r\n c\r\n\r\nx\r\n--b\r\n c--",
               "0 multipart/mixed");
    must_split("MULTIPART/x-new; a=b; Boundary = b", "--b\r\n\r\nx\r\n--b--",
               "0 MULTIPART/x-new 1 text/plain [x]");
    must_split("multipart/mixed;boundary=two words ;x", "--two words\r\n\r\nx\r\n--two words--",
               "0 multipart/mixed 1 text/plain [x]");
    must_split("multipart/mixed;boundary=\" b \"", "-- b\r\n\r\nx\r\n-- b --\r\n-- b--",
               "0 multipart/mixed 1 text/plain [xN-- b --]");
    must_split("multipart/mixed;boundary=----=_Part_1",
               "------=_Part_1\r\n\r\nx\r\n------=_Part_1--", "0 multipart/mixed 1 text/plain [x]");
    must_split("multipart/mixed;boundary=\"gc0pJq0M:08jU534c0p\"",
               "--gc0pJq0M:08jU534c0p\r\n\r\nx\r\n--gc0pJq0M:08jU534c0p--",
               "0 multipart/mixed 1 text/plain [x]");
    must_split("multipart/mixed;boundary=\"a;\\\"\\b\"", "--a;\"b\r\n\r\nx\r\n--a;\"b--",
               "0 multipart/mixed 1 text/plain [x]");
    must_split("multipart/mixed;boundary=a\\b", "--a\\b\r\n\r\nx\r\n--a\\b--",
               "0 multipart/mixed 1 text/plain [x]");
    must_split("multipart/mixed;boundary=b--", "--b--\r\n\r\nx\r\n--b----",
               "0 multipart/mixed 1 text/plain [x]");
    must_split("multipart/mixed;boundary=-", "---\r\n\r\nx\r\n-----",
               "0 multipart/mixed 1 text/plain [x]");
}
END_TEST

/* What senders write around and into it. */
START_TEST(boundaries_as_sent)
{
    /* quotes that are none are part of it */
    must_split("multipart/mixed;boundary='b'", "--'b'\r\n\r\nx\r\n--b\r\n--'b'--",
               "0 multipart/mixed 1 text/plain [xN--b]");
    /* the first of two */
    must_split("multipart/mixed;boundary=b;boundary=c", "--c\r\n--b\r\n\r\nx\r\n--c\r\n--b--",
               "0 multipart/mixed 1 text/plain [xN--c]");
    must_split("multipart/mixed;x=\";boundary=c\";boundary=b", "--b\r\n\r\nx\r\n--b--",
               "0 multipart/mixed 1 text/plain [x]");
    must_split("multipart/mixed;xboundary=c;boundaryx=c;boundary=b", "--b\r\n\r\nx\r\n--b--",
               "0 multipart/mixed 1 text/plain [x]");
    /* all that RFC 2046 allows in one, and what it does not */
    must_split("multipart/mixed;boundary=\"'()+_,-./:=? z\"",
               "--'()+_,-./:=? z\r\n\r\nx\r\n--'()+_,-./:=? z--",
               "0 multipart/mixed 1 text/plain [x]");
    must_split("multipart/mixed;boundary=b=c", "--b=c\r\n\r\nx\r\n--b=c--",
               "0 multipart/mixed 1 text/plain [x]");
    must_split("multipart/mixed;boundary=\xc3\xa9@", "--\xc3\xa9@\r\n\r\nx\r\n--\xc3\xa9@--",
               "0 multipart/mixed 1 text/plain [x]");
    /* the dashes in front are no part of it, and case counts */
    must_split("multipart/mixed;boundary=--b", "----b\r\n\r\nx\r\n--b\r\n----b--",
               "0 multipart/mixed 1 text/plain [xN--b]");
    must_split("multipart/mixed;boundary=B", "--b\r\n\r\nx\r\n--b--", "0 multipart/mixed");
    /* one within one that is as the outer, or begins as it does: the outer comes first */
    must_split(MIXED,
               "--b\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--",
               "0 multipart/mixed 1 multipart/mixed [] 1 text/plain [x]");
    must_split(
        MIXED,
        "--b\r\nContent-Type: multipart/mixed;boundary=bb\r\n\r\n--bb\r\n\r\nx\r\n--bb--\r\n--b--",
        "0 multipart/mixed 1 multipart/mixed [--bbNNxN--bb--] 2 text/plain [x]");
}
END_TEST

/* Longer than RFC 2046 §5.1.1 allows. */
START_TEST(a_long_boundary)
{
    char type[1200] = "multipart/mixed;boundary=", body[2400];
    size_t len = strlen(type);
    int n;

    memset(type + len, 'x', 1000);
    n = snprintf(body, sizeof body, "--%s\r\n\r\ny\r\n--%s--", type + len, type + len);
    must_text(tree(type, (struct span){ body, (size_t)n }), "0 multipart/mixed 1 text/plain [y]");
}
END_TEST

START_TEST(parts_hold_anything)
{
    must_split(
        MIXED,
        "--b\r\nContent-Type: application/ISUP\r\n\r\n\1\0\r\n--\0\r\n\0\r\n\r\n--b\0\r\n--b--",
        "0 multipart/mixed 1 application/ISUP [~~N--~N~NN--b~]");
    must_split(MIXED, "--b\r\n\r\n\r\n\r\n--b\r\n\r\n\r\r\n\n\r\n--b--",
               "0 multipart/mixed 1 text/plain [N] 1 text/plain [~NL]");
    must_split(MIXED, "\0--b\r\n--b\r\n\r\n\0\r\n--b--\0",
               "0 multipart/mixed 1 text/plain [~N--b--~]");
}
END_TEST

#define INNER                                                                    \
    "--in\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--in\r\nContent-Type: " \
    "text/new\r\n\r\nn\r\n--in--"
#define ALTERNATIVE "Content-Type: multipart/alternative;boundary=in\r\n\r\n"

START_TEST(multiparts_stand_in_multiparts)
{
    must_split(
        "multipart/mixed;boundary=out",
        "--out\r\nContent-Type: application/pidf+xml\r\n\r\n<a/>\r\n--out\r\n" ALTERNATIVE
        "pre\r\n" INNER "\r\npost\r\n--out\r\n\r\nlast\r\n--out--",
        "0 multipart/mixed 1 application/pidf+xml [<a/>] 1 multipart/alternative "
        "[preN--inNContent-Type: application/sdpNNv=0N--inNContent-Type: text/newNNnN--in--Npost] "
        "2 application/sdp [v=0] 2 text/new [n] 1 text/plain [last]");
}
END_TEST

/* RFC 2046 §5.1.2: an outer delimiter ends an inner multipart that nobody closed. */
START_TEST(outer_delimiters_end_inner_parts)
{
    must_split(
        "multipart/related;boundary=out;type=\"application/rlmi+xml\"",
        "--out\r\nContent-Type: "
        "multipart/mixed;boundary=in\r\n\r\n--in\r\n\r\nx\r\n--out\r\n\r\ny\r\n--in--\r\n--out--",
        "0 multipart/related 1 multipart/mixed [--inNNx] 2 text/plain [x] 1 text/plain [yN--in--]");
    /* the same boundary within itself: the outer one has it */
    must_split(MIXED, "--b\r\nContent-Type: " MIXED "\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--b--",
               "0 multipart/mixed 1 multipart/mixed [] 1 text/plain [x]");
    /* one that begins like another */
    must_split("multipart/mixed;boundary=out",
               "--out\r\nContent-Type: "
               "multipart/mixed;boundary=out1\r\n\r\n--out1\r\n\r\nx\r\n--out1--\r\n--out--",
               "0 multipart/mixed 1 multipart/mixed [--out1NNxN--out1--] 2 text/plain [x]");
}
END_TEST

/* A level more than are opened is a part like any other. */
START_TEST(levels_have_a_ceiling)
{
    struct buf body;
    unsigned parts = 0, deepest = 0;

    buf_init(&body, 1 << 20);
    for (char i = 'b'; i < 'b' + 2 * MIME_LEVELS; i++)
        buf_printf(&body, "--%c\r\nContent-Type: multipart/mixed;boundary=%c\r\n\r\n", i, i + 1);
    begin(MIXED, buf_span(&body));
    while (mime_walk_next(&walk)) {
        ck_assert_uint_eq(walk.part.level, parts++);
        ck_assert_uint_eq(walk.depth, walk.part.level);
        deepest = walk.part.level;
    }
    ck_assert_uint_eq(deepest, MIME_LEVELS);
    buf_fini(&body);
}
END_TEST

/* Unless the one who walks gives room for more, or for less. */
START_TEST(levels_as_many_as_are_given)
{
    enum { DEEP = 100 };
    struct mime_multi levels[DEEP];
    struct buf body;

    buf_init(&body, 1 << 20);
    for (int i = 0; i < DEEP; i++)
        buf_printf(&body, "--b%d\r\nContent-Type: multipart/mixed;boundary=b%d\r\n\r\n", i, i + 1);
    for (unsigned max = 0; max <= DEEP; max += 50) {
        unsigned deepest = 0;

        begin("multipart/mixed;boundary=b0", buf_span(&body));
        mime_walk_deeper(&walk, levels, max);
        while (mime_walk_next(&walk))
            deepest = walk.part.level;
        ck_assert_uint_eq(deepest, max);
    }
    buf_fini(&body);
}
END_TEST

/* RFC 2045 §5.1 allows comments wherever blanks may stand; SIP does not, but parts come from mail. */
START_TEST(comments_in_types)
{
    struct span body =
        SPAN("--b\r\nContent-Type: text/plain (a;b (c\\)) ); charset=x\r\n\r\nx\r\n--b--\r\n");
    static const char *const types[] = {
        "multipart/mixed (a; boundary=c); boundary=b",
        "multipart/mixed; boundary=b (c)",
        "multipart/mixed; boundary=\"b\"\t(c;d) ",
        "multipart/mixed; boundary=b(c); x=y",
    };
    struct span value;

    for (size_t i = 0; i < countof(types); i++) {
        begin(types[i], body);
        must_for(span_of(types[i]), mime_walk_next(&walk) && mime_walk_next(&walk));
        must_be(walk.part.type.subtype, "plain");
        ck_assert(param_find(walk.part.type.params, SPAN("charset"), &value));
        must_be(walk.part.content, "x");
        ck_assert(!mime_walk_next(&walk));
    }
}
END_TEST

/* As many parts as a message can hold, in one pass. */
START_TEST(parts_have_no_ceiling)
{
    enum { PARTS = 100000 };
    struct buf body;
    unsigned parts = 0;

    buf_init(&body, 16 << 20);
    for (unsigned i = 0; i < PARTS; i++)
        buf_put(&body, SPAN("--b\r\n\r\nx\r\n"));
    begin(MIXED, buf_span(&body));
    while (mime_walk_next(&walk))
        parts++;
    ck_assert_uint_eq(parts, PARTS + 1);
    buf_fini(&body);
}
END_TEST

START_TEST(one_level_alone)
{
    struct mime_multi multi;
    struct mime_part part;

    begin("multipart/mixed;boundary=out", SPAN("pre\r\n--out\r\n" ALTERNATIVE INNER
                                               "\r\n--out\r\n\r\nlast\r\n--out-- \r\nepilogue"));
    ck_assert(mime_walk_next(&walk));
    ck_assert(mime_multi_open(&multi, &walk.part));
    must_text(multi.ahead, "\r\n--out\r\n");
    ck_assert(mime_multi_next(&multi, &part));
    ck_assert_uint_eq(part.level, 1);
    ck_assert(mime_type_is(&part.type, SPAN("multipart/alternative")));
    ck_assert_uint_eq(multi.close.len, 0);
    ck_assert(mime_multi_next(&multi, &part));
    must_text(part.content, "last");
    must_text(multi.close, "\r\n--out-- \r\n");
    ck_assert(!mime_multi_next(&multi, &part));
    ck_assert(!mime_multi_next(&multi, &part));
    ck_assert(mime_multi_delimits(&multi, SPAN("--out")));
    ck_assert(mime_multi_delimits(&multi, SPAN("x\r\n--out--\r\n")));
    ck_assert(!mime_multi_delimits(&multi, SPAN("x--out\r\n--ou\r\n --out")));
    ck_assert(!mime_multi_delimits(&multi, SPAN("")));
    ck_assert(!mime_multi_open(&multi, &part));
}
END_TEST

START_TEST(the_body_of_a_message)
{
    struct msg msg = read_text("INFO sip:a SIP/2.0\r\nc: application/ISUP;version=x\r\n"
                               "Content-Disposition: signal;handling=optional\r\nl: 1\r\n\r\n\1");

    mime_walk_msg(&walk, &msg);
    ck_assert(mime_walk_next(&walk));
    ck_assert(mime_type_is(&walk.part.type, SPAN("application/isup")));
    must_text(walk.part.disposition.type, "signal");
    ck_assert(walk.part.disposition.optional);
    must_text(walk.part.content, "\1");
    ck_assert(!mime_walk_next(&walk));
    msg = read_text("INFO sip:a SIP/2.0\r\n\r\n");
    mime_walk_msg(&walk, &msg);
    ck_assert(mime_walk_next(&walk));
    ck_assert_uint_eq(walk.part.content.len + walk.part.type.type.len, 0);
    ck_assert(!mime_walk_next(&walk));
}
END_TEST

Suite *
suite_mime(void)
{
    Suite *s = suite_create("mime");
    TCase *c = message_case("mime");

    tcase_add_test(c, types_are_read);
    tcase_add_test(c, types_are_refused);
    tcase_add_test(c, dispositions);
    tcase_add_test(c, a_plain_body_is_one_part);
    tcase_add_test(c, as_printed);
    tcase_add_test(c, heads_and_content);
    tcase_add_test(c, odd_heads);
    tcase_add_test(c, odd_delimiters);
    tcase_add_test(c, odd_boundaries);
    tcase_add_test(c, boundaries_as_sent);
    tcase_add_test(c, a_long_boundary);
    tcase_add_test(c, parts_hold_anything);
    tcase_add_test(c, multiparts_stand_in_multiparts);
    tcase_add_test(c, outer_delimiters_end_inner_parts);
    tcase_add_test(c, levels_have_a_ceiling);
    tcase_add_test(c, levels_as_many_as_are_given);
    tcase_add_test(c, comments_in_types);
    tcase_add_test(c, parts_have_no_ceiling);
    tcase_add_test(c, one_level_alone);
    tcase_add_test(c, the_body_of_a_message);
    suite_add_tcase(s, c);
    return s;
}
