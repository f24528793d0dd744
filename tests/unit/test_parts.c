/*
 * name=value parts behind a URI: walked, found, and held against another list of them (RFC 3261 §19.1.4).
 */
#include "sip/parts.h"

#include <stdio.h>

#include "unit/text.h"

START_TEST(are_walked)
{
    struct span rest = SPAN(";;a=b=c;=d;e;f=;");
    static const char *const want[][2] = { { "a", "b=c" }, { "", "d" }, { "e", "" }, { "f", "" } };
    struct part part;

    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        ck_assert(parts_next(&rest, ';', &part));
        must_text(part.name, want[i][0]);
        must_text(part.value, want[i][1]);
    }
    ck_assert(!parts_next(&rest, ';', &part));
}
END_TEST

START_TEST(are_found)
{
    struct part part = { .value = SPAN("left alone") };

    ck_assert(!parts_find(SPAN("a=b&c"), '&', SPAN("d"), &part));
    must_text(part.value, "left alone");
    ck_assert(parts_find(SPAN("a=b&%63=1&c=2"), '&', SPAN("C"), &part));
    must_text(part.value, "1");
}
END_TEST

/* Only names with a capital count when one list alone has them. */
static bool
is_capital(struct span name)
{
    return name.at[0] >= 'A' && name.at[0] <= 'Z';
}

static bool
same_bytes(struct span name, struct span a, struct span b)
{
    (void)name;
    return span_eq(a, b);
}

START_TEST(are_compared)
{
    static const struct parts_rules rules = { ';', false, NULL, is_capital, same_bytes };

    ck_assert(parts_eq(SPAN("a=1;b=2"), SPAN("b=2;a=1"), &rules));
    ck_assert(parts_eq(SPAN("a=1"), SPAN("b=2"), &rules));
    ck_assert(!parts_eq(SPAN("a=1"), SPAN("a=2"), &rules));
    ck_assert(!parts_eq(SPAN("B=2"), SPAN(""), &rules));
    ck_assert(!parts_eq(SPAN(""), SPAN("B=2"), &rules));
    ck_assert(!parts_eq(SPAN("a=1;a=2"), SPAN("a=1"), &rules));
    ck_assert(parts_eq(SPAN(""), (struct span){ NULL, 0 }, &rules));
}
END_TEST

/* Those that stand there more than once: as many of each, in any order; one that both have is never ignored. */
START_TEST(twins_are_counted)
{
    static const struct parts_rules rules = { ';', false, NULL, is_capital, same_bytes };

    ck_assert(parts_eq(SPAN("a=1;a=2"), SPAN("a=2;a=1"), &rules));
    ck_assert(parts_eq(SPAN("a=X;a=x;a=Y"), SPAN("a=Y;a=x;a=X"), &rules));
    ck_assert(!parts_eq(SPAN("a=1;a=1;a=2"), SPAN("a=1;a=2;a=2"), &rules));
    ck_assert(!parts_eq(SPAN("a=1;a=1"), SPAN("a=1"), &rules));
    ck_assert(!parts_eq(SPAN("a=1"), SPAN("a=1;a=1"), &rules));
    ck_assert(parts_eq(SPAN("b;a=1;a=1"), SPAN("b"), &rules));
    ck_assert(!parts_eq(SPAN("A=1;A=1"), SPAN("A=1"), &rules));
}
END_TEST

START_TEST(twins_are_forbidden)
{
    static const struct parts_rules rules = { ';', true, NULL, is_capital, same_bytes };

    ck_assert(!parts_eq(SPAN("a=1;a=2"), SPAN("a=2;a=1"), &rules));
    ck_assert(!parts_eq(SPAN("a=1;a=1;b"), SPAN("b;a=1;a=1"), &rules));
    ck_assert(parts_eq(SPAN("a=1;a=1"), SPAN("a=1;a=1"), &rules));
    ck_assert(parts_eq(SPAN("a=1;b=1"), SPAN("b=1;a=1"), &rules));
}
END_TEST

/* n parts p0000 …, forwards or backwards; returns the text. */
static struct span
many(char *to, unsigned n, bool backwards)
{
    char *at = to;

    for (unsigned i = 0; i < n; i++)
        at += sprintf(at, "p%04u;", backwards ? n - 1 - i : i);
    return span_between(to, at);
}

START_TEST(too_many_are_compared_as_bytes)
{
    static const struct parts_rules rules = { ';', false, NULL, is_capital, same_bytes };
    static char a[6 * PARTS_MAX + 8], b[sizeof a];

    ck_assert(!parts_are_many(many(a, PARTS_MAX, false), ';', PARTS_MAX));
    ck_assert(parts_eq(many(a, PARTS_MAX, false), many(b, PARTS_MAX, true), &rules));
    b[3] = '9'; /* one has a name that the other has not */
    ck_assert(parts_eq(span_of(a), span_of(b), &rules));
    b[0] = 'P'; /* … and which counts */
    ck_assert(!parts_eq(span_of(a), span_of(b), &rules));
    ck_assert(parts_are_many(many(a, PARTS_MAX + 1, false), ';', PARTS_MAX));
    ck_assert(parts_eq(span_of(a), many(b, PARTS_MAX + 1, false), &rules));
    ck_assert(!parts_eq(span_of(a), many(b, PARTS_MAX + 1, true), &rules));
    ck_assert(!parts_eq(span_of(a), SPAN(""), &rules));
}
END_TEST

Suite *
suite_parts(void)
{
    Suite *s = suite_create("parts");
    TCase *c = tcase_create("parts");

    tcase_add_test(c, are_walked);
    tcase_add_test(c, are_found);
    tcase_add_test(c, are_compared);
    tcase_add_test(c, twins_are_counted);
    tcase_add_test(c, twins_are_forbidden);
    tcase_add_test(c, too_many_are_compared_as_bytes);
    suite_add_tcase(s, c);
    return s;
}
