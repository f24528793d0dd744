/*
 * name=value parts behind a URI: walked, found, and held against another list of them (RFC 3261 §19.1.4).
 */
#include "sip/parts.h"

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
    static const struct parts_rules rules = { ';', is_capital, same_bytes };

    ck_assert(parts_eq(SPAN("a=1;b=2"), SPAN("b=2;a=1"), &rules));
    ck_assert(parts_eq(SPAN("a=1"), SPAN("b=2"), &rules));
    ck_assert(!parts_eq(SPAN("a=1"), SPAN("a=2"), &rules));
    ck_assert(!parts_eq(SPAN("B=2"), SPAN(""), &rules));
    ck_assert(!parts_eq(SPAN(""), SPAN("B=2"), &rules));
    ck_assert(!parts_eq(SPAN("a=1;a=2"), SPAN("a=1"), &rules));
    ck_assert(parts_eq(SPAN(""), (struct span){ NULL, 0 }, &rules));
}
END_TEST

START_TEST(many_are_compared_as_bytes)
{
    static const struct parts_rules rules = { ';', is_capital, same_bytes };
    char few[2 * PARTS_MAX + 1] = "", many[2 * PARTS_MAX + 3] = "";

    for (unsigned i = 0; i < PARTS_MAX; i++)
        memcpy(few + 2 * i, "a;", 3);
    ck_assert(!parts_are_many(span_of(few), ';'));
    ck_assert(parts_eq(span_of(few), SPAN("A"), &rules) ==
              parts_eq(SPAN("A"), span_of(few), &rules));
    ck_assert(parts_eq(span_of(few), SPAN(""), &rules));
    memcpy(many, few, sizeof few);
    memcpy(many + 2 * PARTS_MAX, "a", 2);
    ck_assert(parts_are_many(span_of(many), ';'));
    ck_assert(!parts_eq(span_of(many), SPAN(""), &rules));
    ck_assert(parts_eq(span_of(many), span_of(many), &rules));
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
    tcase_add_test(c, many_are_compared_as_bytes);
    suite_add_tcase(s, c);
    return s;
}
