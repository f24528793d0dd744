/*
 * Walks over parameters: quotes, blanks, empty places, and values that look like something else (RFC 3261 §25.1).
 */
#include "sip/param.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/text.h"

/* Writes each parameter as name=value| or name| so that a walk is one text. */
static const char *
walk(const char *text)
{
    static char out[512];
    struct span rest = span_of(text);
    struct param param;
    size_t len = 0;

    out[0] = '\0';
    while (param_next(&rest, &param))
        len += (size_t)snprintf(out + len, sizeof out - len, "%.*s%s%.*s|", SPAN_ARG(param.name),
                                param.has_value ? "=" : "", SPAN_ARG(param.value));
    must(rest.len == 0);
    return out;
}

START_TEST(params_are_walked)
{
    static const struct {
        const char *text, *want;
    } walks[] = {
        { "", "" },
        { ";", "" },
        { " ; ;; ", "" },
        { ";a", "a|" },
        { "a=b;c", "a=b|c|" },
        { ";a=b;c", "a=b|c|" },
        { ";tag = 98asjd8 ;  lr", "tag=98asjd8|lr|" },
        { ";\r\n  branch  =\r\n   z9hG4bK9ikj8  ", "branch=z9hG4bK9ikj8|" },
        { ";a=\"x;y=\\\"z\\\";\";b", "a=\"x;y=\\\"z\\\";\"|b|" },
        { ";a=;b", "a=|b|" },
        { ";a=b=c==", "a=b=c==|" },
        { ";received=[2001:db8::9:255];rport", "received=[2001:db8::9:255]|rport|" },
        { ";received=2001:db8::9:255", "received=2001:db8::9:255|" },
        { ";alias=2001:db8::99~5060~1", "alias=2001:db8::99~5060~1|" },
        { ";ob='x-y'", "ob='x-y'|" },
        { ";=x", "=x|" },
        { ";a=\"open;b", "a=\"open;b|" },
        { ";;a;;b;;", "a|b|" },
    };

    for (size_t i = 0; i < countof(walks); i++)
        must_text(span_of(walk(walks[i].text)), walks[i].want);
}
END_TEST

START_TEST(finds)
{
    struct span params = SPAN(";Tag=a;lr;tag=b;empty=");
    struct span value = SPAN("untouched");

    ck_assert(!param_find(params, SPAN("ta"), &value));
    must_text(value, "untouched");
    ck_assert(param_find(params, SPAN("TAG"), &value));
    must_text(value, "a");
    ck_assert(param_find(params, SPAN("LR"), &value));
    must_text(value, "");
    ck_assert(param_find(params, SPAN("empty"), NULL));
    ck_assert(!param_find((struct span){ NULL, 0 }, SPAN("a"), NULL));
}
END_TEST

/* A name inside a quoted value is none. */
START_TEST(finds_not_in_quotes)
{
    ck_assert(!param_find(SPAN(";a=\";tag=x\""), SPAN("tag"), NULL));
}
END_TEST

START_TEST(unquotes)
{
    must_text(param_unquote(SPAN("\"a b\"")), "a b");
    must_text(param_unquote(SPAN("\"a\\\"b\"")), "a\\\"b");
    must_text(param_unquote(SPAN("\"\"")), "");
    must_text(param_unquote(SPAN("token")), "token");
    must_text(param_unquote(SPAN("\"")), "\"");
    must_text(param_unquote(SPAN("")), "");
}
END_TEST

Suite *
suite_param(void)
{
    Suite *suite = suite_create("param");
    TCase *all = tcase_create("all");

    tcase_add_test(all, params_are_walked);
    tcase_add_test(all, finds);
    tcase_add_test(all, finds_not_in_quotes);
    tcase_add_test(all, unquotes);
    suite_add_tcase(suite, all);
    return suite;
}
