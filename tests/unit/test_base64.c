/*
 * Base64 (RFC 4648 §4, §10).
 */
#include "sipctl/base64.h"

#include "unit/heap.h"
#include "unit/text.h"

static const struct {
    const char *text, *bytes; /* NULL: it is none */
} cases[] = {
    { "", "" },
    { "Zg==", "f" },
    { "Zm8=", "fo" },
    { "Zm9v", "foo" },
    { "Zm9vYg==", "foob" },
    { "Zm9vYmFy", "foobar" },
    { "+/+/", "\xfb\xff\xbf" },
    { "Zg", NULL },
    { "Z===", NULL },
    { "====", NULL },
    { "Zg==Zm9v", NULL },
    { "Zm9 ", NULL },
    { "Zm9\n", NULL },
    { "Zm-_", NULL },
};

START_TEST(it_is_read_or_refused)
{
    struct buf out;

    buf_init(&out, 100);
    buf_put_char(&out, '<');
    ck_assert_int_eq(base64_read(span_of(cases[_i].text), &out), cases[_i].bytes != NULL);
    must_text(span_skip(buf_span(&out), 1), cases[_i].bytes ? cases[_i].bytes : "");
    buf_fini(&out);
}
END_TEST

Suite *
suite_base64(void)
{
    Suite *suite = suite_create("base64");
    TCase *all = heap_case("all");

    tcase_add_loop_test(all, it_is_read_or_refused, 0, (int)countof(cases));
    suite_add_tcase(suite, all);
    return suite;
}
