/*
 * Addresses in every dress they wear, the examples of RFC 3261 §20.10 and RFC 4475, and what the field sends.
 */
#include "sip/addr.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/text.h"

/* display|uri|params of each element, then how the walk ended. */
static const char *
walk(const char *text)
{
    static char out[1024];
    struct span rest = span_of(text), before = rest;
    struct addr addr;
    size_t len = 0;
    int err;

    while ((err = addr_next(&rest, &addr)) == SIPD_OK) {
        struct addr again;
        struct span whole = addr.whole;

        len += (size_t)snprintf(out + len, sizeof out - len, "%.*s|%s%.*s|%.*s\n",
                                SPAN_ARG(addr.display),
                                addr.star       ? "STAR "
                                : addr.brackets ? ""
                                                : "bare ",
                                SPAN_ARG(addr.uri), SPAN_ARG(addr.params));
        must_for(whole, addr_next(&whole, &again) == SIPD_OK && whole.len == 0);
        must(span_eq(again.uri, addr.uri) && span_eq(again.params, addr.params));
        before = rest;
    }
    if (err == SIPD_ESYNTAX)
        must(rest.at == before.at && rest.len == before.len);
    else
        must(rest.len == 0);
    snprintf(out + len, sizeof out - len, "%s", err == SIPD_ENOENT ? "" : "ESYNTAX");
    return out;
}

START_TEST(lists_are_walked)
{
    static const struct {
        const char *text, *want;
    } walks[] = {
        { "", "" },
        { " , ,\r\n ,", "" },
        { "\"Mr. Watson\" <sip:watson@worcester.bell-telephone.com>;q=0.7; expires=3600,"
          "\"Mr. Watson\" <mailto:watson@bell-telephone.com> ;q=0.1",
          "\"Mr. Watson\"|sip:watson@worcester.bell-telephone.com|;q=0.7; expires=3600\n"
          "\"Mr. Watson\"|mailto:watson@bell-telephone.com|;q=0.1\n" },
        { "<sips:bob@192.0.2.4>;expires=60", "|sips:bob@192.0.2.4|;expires=60\n" },
        { "*", "|STAR *|\n" },
        { " * ", "|STAR *|\n" },
        { "*, <sip:a>", "|STAR *|\n|sip:a|\n" },
        { "* <sip:a>", "*|sip:a|\n" },
        { "sip:a@b", "|bare sip:a@b|\n" },
        { "sip:a@b;tag=1 , sip:c@d", "|bare sip:a@b|;tag=1\n|bare sip:c@d|\n" },
        { "sip:a@b ;tag=1", "|bare sip:a@b|;tag=1\n" },
        { "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
          "|bare sip:user@example.com?Route=%3Csip:sip.example.com%3E|\n" },
        { "caller<sip:caller@example.com>;tag=323", "caller|sip:caller@example.com|;tag=323\n" },
        { "\"x\"<sip:a>", "\"x\"|sip:a|\n" },
        { "Foo Bar Baz\r\n <sip:foo@example.com>", "Foo Bar Baz|sip:foo@example.com|\n" },
        { "T. Watson-O'Neill <sip:a>", "T. Watson-O'Neill|sip:a|\n" },
        { "J\xc3\xbcrgen <sip:a>", "J\xc3\xbcrgen|sip:a|\n" },
        { "a@b <sip:a>", "a@b|sip:a|\n" },
        { "\"quote \\\" < , > ; \\\\\" <sip:a>", "\"quote \\\" < , > ; \\\\\"|sip:a|\n" },
        { "\"\"unknown\"\" <sip:7000@example.com>", "\"\"unknown\"\"|sip:7000@example.com|\n" },
        { "\"Watson, Thomas\" < sip:t.watson@example.org >",
          "\"Watson, Thomas\"|sip:t.watson@example.org|\n" },
        { "<sip:a,b@c>,<sip:d>", "|sip:a,b@c|\n|sip:d|\n" },
        { "<sip:a;x=\"y\">", "|sip:a;x=\"y\"|\n" },
        { "<sip:a>;methods=\"INVITE, ACK\";q=1", "|sip:a|;methods=\"INVITE, ACK\";q=1\n" },
        { "sip:p@192.0.2.88:5094;+g.3gpp.accesstype=\"cellular\";+sip.instance=\"<urn:gsma:imei:3>"
          "\", <sip:b>",
          "|bare "
          "sip:p@192.0.2.88:5094|;+g.3gpp.accesstype=\"cellular\";+sip.instance=\"<urn:gsma:imei:3>"
          "\"\n|sip:b|\n" },
        { "\"Joe\" <sip:joe@example.org>;;;;", "\"Joe\"|sip:joe@example.org|;;;;\n" },
        { "<sip:a>\r\n ;\r\n lr\r\n ,\r\n <sip:b>", "|sip:a|;\r\n lr\n|sip:b|\n" },
        { "<poo>", "|poo|\n" },
        { "<http://www.example.com>;tag=3", "|http://www.example.com|;tag=3\n" },
        { "tel:+1-972-555-2222", "|bare tel:+1-972-555-2222|\n" },
        { "sip:10,sip:20", "|bare sip:10|\n|bare sip:20|\n" },
        { "<sip:a>,", "|sip:a|\n" },
    };

    for (size_t i = 0; i < countof(walks); i++)
        must_text(span_of(walk(walks[i].text)), walks[i].want);
}
END_TEST

START_TEST(others_are_refused)
{
    static const char *const bad[] = {
        "\"Mr. J. User <sip:j.user@example.com>",
        "\"a\\\"",
        "<sip:a",
        "<sip:a;maddr=b\r\n ",
        "<>",
        "< >",
        "sip",
        "ralph@example.com",
        ":a",
        "1sip:a",
        "<\"pippo\" <sip:1060@example.com>>;tag=a",
        "<sip:a>>",
        "<sip:a>x",
        "<sip:a> <sip:b>",
        "<sip:a>;q=1 <sip:b>",
        "<sip:a>;q=<1>",
        "<sip:a>;x=\"y",
        "sip:a;x=\"y",
        "sip:a b",
        "sip:a <sip:b>",
        "a;b <sip:c>",
        "a> <sip:c>",
        "a\x01 <sip:c>",
        "a\x7f <sip:c>",
        "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
        "*;q=1",
        "**",
        ";",
        ";tag=1",
        "\"a\" sip:b",
        "\"a\"",
        "sip:\xc3\xa9@b",
        "sip:a\"b\" c",
        "si\"x\":a",
    };
    struct addr addr;

    for (size_t i = 0; i < countof(bad); i++) {
        struct span rest = span_of(bad[i]);

        must_for(rest, addr_next(&rest, &addr) == SIPD_ESYNTAX);
        must(rest.at == bad[i] && rest.len == strlen(bad[i]));
    }
}
END_TEST

START_TEST(one_is_read)
{
    struct addr addr;

    ck_assert_int_eq(addr_read(SPAN(" \"A\" <sip:a>;tag=1,2-ab "), &addr), SIPD_OK);
    must_text(addr.whole, "\"A\" <sip:a>;tag=1,2-ab");
    must_text(addr.display, "\"A\"");
    must_text(addr.params, ";tag=1,2-ab");
    ck_assert_int_eq(addr_read(SPAN("Bell, Alexander <sip:a.g.bell@example.com>;tag=43"), &addr),
                     SIPD_OK);
    must_text(addr.display, "Bell, Alexander");
    ck_assert_int_eq(addr_read(SPAN("sip:10,20@example.com;tag=1"), &addr), SIPD_OK);
    must_text(addr.uri, "sip:10,20@example.com");
    ck_assert_int_eq(addr_read(SPAN("sip:a@b;tag="), &addr), SIPD_OK);
    must_text(addr.params, ";tag=");
    ck_assert_int_eq(
        addr_read(SPAN("token1~` token2'+_ token3*%!.- <sip:mundane@example.com>"
                       ";fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\";tag=_token~1'+`*%!-."),
                  &addr),
        SIPD_OK);
    must_text(addr.display, "token1~` token2'+_ token3*%!.-");
}
END_TEST

START_TEST(one_is_refused)
{
    static const char *const bad[] = {
        "",
        "  ",
        "*",
        "<sip:a>, <sip:b>",
        "<sip:a>;tag=1, <sip:b>",
        "sip:a, <sip:b>",
        "sip:a, sip:b",
        "<sip:a>,",
        "\"A\" <sip:a",
        "\"A <sip:a>",
    };
    struct addr addr;

    for (size_t i = 0; i < countof(bad); i++)
        must_for(span_of(bad[i]), addr_read(span_of(bad[i]), &addr) == SIPD_ESYNTAX);
}
END_TEST

START_TEST(preference)
{
    static const struct {
        const char *text;
        uint32_t want;
    } good[] = {
        { "0", 0 },      { "1", 1000 },     { "0.", 0 },      { "1.", 1000 },
        { "0.5", 500 },  { "0.05", 50 },    { "0.123", 123 }, { "0.999", 999 },
        { "1.0", 1000 }, { "1.000", 1000 }, { "0.000", 0 },
    };
    static const char *const bad[] = {
        "",     ".5",   "2",    "1.1",  "1.001", "0.1234", "0,5",
        "-0.5", "0.5 ", "00.5", "0.-1", "0.x",   "10",     "1.0000",
    };
    uint32_t q = 7;

    for (size_t i = 0; i < countof(good); i++) {
        must_for(span_of(good[i].text), addr_q_read(span_of(good[i].text), &q));
        must_for(span_of(good[i].text), q == good[i].want);
    }
    q = 7;
    for (size_t i = 0; i < countof(bad); i++)
        must_for(span_of(bad[i]), !addr_q_read(span_of(bad[i]), &q) && q == 7);
}
END_TEST

/* What is told apart at a glance is read as everything else is. */
START_TEST(plain_parties)
{
    static const struct {
        const char *text, *tag; /* NULL: it is not plain */
    } cases[] = {
        { "<sip:a@b>", "" },
        { "<sip:a@b>;tag=1", "1" },
        { "Bob B. <sip:a@b;x=y?z=,>;tag=a.-~%!*_+`'b", "a.-~%!*_+`'b" },
        { "<sip:a\"@b>", NULL },
        { "<sip:a @b>", NULL },
        { "<a>", NULL },
        { "\"Bob \\\" <sip:b>\" <tel:1>;tag=1", "1" },
        { "\"\"<sip:a>", "" },
        { "* <sip:a>;tag=2", "2" },
        { "<sip:a@b>;TAG=1", NULL },
        { "<sip:a@b> ;tag=1", NULL },
        { "<sip:a@b>;tag=1;x", NULL },
        { "<sip:a@b>;x;tag=1", NULL },
        { "<sip:a@b>;tag=", NULL },
        { "<sip:a@b>;tag=\"1\"", NULL },
        { "<sip:a@b>;tag=1,2", NULL },
        { "<sip:a@b>;tag", NULL },
        { "<sip:a@b> ", NULL },
        { "< sip:a@b>", NULL },
        { "<sip:a@b >", NULL },
        { "<>", NULL },
        { "<sip:a<b>", NULL },
        { "<sip:a@b", NULL },
        { "\"a\" b <sip:a@b>", NULL },
        { "\"a <sip:a@b>", NULL },
        { "a, b <sip:a@b>", NULL },
        { "sip:a@b;tag=1", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct span value = span_of(cases[i].text), tag, its = SPAN("");
        bool plain = addr_plain_read(value, &tag);
        struct addr addr;
        uint64_t odd;

        must_for(value, plain == (cases[i].tag != NULL));
        if (!plain)
            continue;
        must_for(value, addr_read_noting(value, &addr, &odd) == SIPD_OK && odd == 0);
        must_for(value, param_find(addr.params, SPAN("tag"), &its) == (addr.params.len > 0));
        must_for(value, span_eq(tag, its) && span_eq(tag, span_of(cases[i].tag)));
    }
}
END_TEST

Suite *
suite_addr(void)
{
    Suite *suite = suite_create("addr");
    TCase *all = tcase_create("all");

    tcase_add_test(all, lists_are_walked);
    tcase_add_test(all, others_are_refused);
    tcase_add_test(all, one_is_read);
    tcase_add_test(all, one_is_refused);
    tcase_add_test(all, plain_parties);
    tcase_add_test(all, preference);
    suite_add_tcase(suite, all);
    return suite;
}
