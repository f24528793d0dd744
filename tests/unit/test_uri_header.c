/*
 * Header fields inside of URIs: one name in all its spellings, values compared as their fields are (RFC 3261 §7.3.1,
 * §19.1.4, §20).
 */
#include "sip/uri_header.h"

#include <stdio.h>

#include "base/def.h"
#include "sip/uri.h"
#include "unit/text.h"

START_TEST(names_have_one_spelling)
{
    must_text(uri_header_name(SPAN("s")), "Subject");
    must_text(uri_header_name(SPAN("S")), "Subject");
    must_text(uri_header_name(SPAN("%73")), "Subject");
    must_text(uri_header_name(SPAN("sub%6Aect")), "Subject");
    must_text(uri_header_name(SPAN("call-id")), "Call-ID");
    must_text(uri_header_name(SPAN("i")), "Call-ID");
    must_text(uri_header_name(SPAN("x-own")), "x-own");
    must_text(uri_header_name(SPAN("q")), "q");
    must_text(uri_header_name(SPAN("body")), "body");
    must_text(uri_header_name(SPAN("")), "");
    must_text(uri_header_name(SPAN("a-name-that-is-longer-than-any-that-is-known")),
              "a-name-that-is-longer-than-any-that-is-known");
}
END_TEST

/* Are sip:h?a and sip:h?b the same? */
static bool
eq(const char *a, const char *b)
{
    char x[512], y[512];
    struct uri one, two;
    bool same;

    must(snprintf(x, sizeof x, "sip:h?%s", a) < (int)sizeof x);
    must(snprintf(y, sizeof y, "sip:h?%s", b) < (int)sizeof y);
    must_for(span_of(x), uri_read(span_of(x), &one) == SIPD_OK && uri_eq(&one, &one));
    must_for(span_of(y), uri_read(span_of(y), &two) == SIPD_OK && uri_eq(&two, &two));
    same = uri_eq(&one, &two);
    must_for(span_of(x), same == uri_eq(&two, &one));
    return same;
}

static const struct {
    const char *a, *b;
} equal[] = {
    /* names */
    { "s=x", "subject=x" },
    { "S=x&f=%3Csip:a%40b%3E", "From=%3Csip:a%40b%3E&Subject=x" },
    /* all but quoted strings knows no case (§7.3.1) */
    { "subject=Lunch", "subject=lunch" },
    { "accept-contact=*;Audio", "a=*;audio" },
    { "x=a%22B%22C", "x=A%22B%22c" },
    { "x=%22a%5C%22B%22C", "x=%22a%5C%22B%22c" },
    { "Priority=urgent", "priority=URGENT" },
    /* addresses: the display name and the brackets do not matter (§20.20) */
    { "to=sip:bob%40h", "To=%22Bob%22%20%3Csip:bob%40h%3E" },
    { "to=%3Csip:bob%40H%3E;tag=A", "t=%3csip:%62ob%40h%3E;TAG=a" },
    { "to=%3Csip:bob%40h%3E;x=1", "to=%3Csip:bob%40h%3E;y=2" },
    { "route=%3Csip:a;lr%3E,%3Csip:b;lr%3E", "Route=%3Csip:A;lr%3E%20,%20%3Csip:B;lr%3E" },
    { "contact=*", "m=*" },
    { "call-info=%3Chttp://w.example/p%3E;purpose=icon",
      "call-info=%3Chttp://w.example/p%3E;purpose=ICON" },
    { "from=sip:%5B2001:db8::1%5D", "from=sip:%5B2001:DB8:0::1%5D" },
    { "to=what%20is%20this%3F", "to=what%20is%20this%3f" },
    /* which of several comes first does not matter, nor do empty places */
    { "a=1&b=2&&", "b=2&a=1" },
    { "x=1&x=2", "x=2&x=1" },
    { "body=A%0D%0a", "BODY=A%0d%0A" },
};

static const struct {
    const char *a, *b;
} unequal[] = {
    { "s=x", "subject=y" },
    { "s=x", "x=x" },
    { "s=x", "s=x&s=x" },
    { "x=1&x=1&x=2", "x=1&x=2&x=2" },
    { "s=x", "" },
    { "s=", "" },
    { "body=A", "body=a" },
    { "call-id=Ab%40h", "i=ab%40h" },
    { "in-reply-to=Ab%40h", "in-reply-to=ab%40h" },
    { "replaces=Ab;to-tag=1;from-tag=2", "replaces=ab;to-tag=1;from-tag=2" },
    { "cseq=1%20INVITE", "cseq=1%20invite" },
    { "allow=INVITE", "allow=Invite" },
    { "date=Sat,%2013%20Nov", "date=sat,%2013%20nov" },
    { "x=%22B%22", "x=%22b%22" },
    { "x=%22a%5C%22B%22", "x=%22a%5C%22b%22" },
    { "to=sip:Bob%40h", "to=sip:bob%40h" },
    { "to=sip:bob%40h", "to=sips:bob%40h" },
    { "to=sip:bob%40h", "from=sip:bob%40h" },
    { "to=%3Csip:bob%40h%3E;tag=a", "to=%3Csip:bob%40h%3E" },
    { "to=%3Csip:bob%40h%3E;tag=a", "to=%3Csip:bob%40h%3E;tag=b" },
    { "to=%3Csip:bob%40h%3E;x=1", "to=%3Csip:bob%40h%3E;x=2" },
    { "contact=%3Csip:bob%40h%3E;q=1", "contact=%3Csip:bob%40h%3E" },
    { "contact=*", "contact=%3Csip:bob%40h%3E" },
    { "route=%3Csip:a;lr%3E,%3Csip:b;lr%3E", "route=%3Csip:b;lr%3E,%3Csip:a;lr%3E" },
    { "route=%3Csip:a;lr%3E,%3Csip:b;lr%3E", "route=%3Csip:a;lr%3E" },
    { "to=sip:h%3Fto%3Dsip:Bob", "to=sip:h%3Fto%3Dsip:bob" },
    { "to=what%20is%20this%3F", "to=What%20is%20this%3F" },
    { "x=a%3Bb", "x=a;b" },
};

START_TEST(values_are_compared_by_their_fields)
{
    for (size_t i = 0; i < countof(equal); i++)
        must_for(span_of(equal[i].a), eq(equal[i].a, equal[i].b));
    for (size_t i = 0; i < countof(unequal); i++)
        must_for(span_of(unequal[i].a), !eq(unequal[i].a, unequal[i].b));
}
END_TEST

/* Addresses that are longer than there is room for are the same only as texts. */
START_TEST(long_addresses)
{
    static char a[2000], b[sizeof a];

    memset(a, 'a', sizeof a);
    memcpy(a, "sip:", 4);
    memcpy(b, a, sizeof a);
    memcpy(b, "SIP:", 4);
    ck_assert(uri_header_eq(SPAN("To"), (struct span){ a, 1000 }, (struct span){ b, 1000 }));
    ck_assert(
        uri_header_eq(SPAN("To"), (struct span){ a, sizeof a }, (struct span){ a, sizeof a }));
    ck_assert(
        !uri_header_eq(SPAN("To"), (struct span){ a, sizeof a }, (struct span){ b, sizeof b }));
}
END_TEST

Suite *
suite_uri_header(void)
{
    Suite *suite = suite_create("uri_header");
    TCase *all = tcase_create("all");

    tcase_add_test(all, names_have_one_spelling);
    tcase_add_test(all, values_are_compared_by_their_fields);
    tcase_add_test(all, long_addresses);
    suite_add_tcase(suite, all);
    return suite;
}
