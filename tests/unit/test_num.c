/*
 * Numbers at and past their bounds, and what only looks like one (RFC 3261 §20.14, §20.16, §20.19, §20.22).
 */
#include "sip/num.h"

#include "base/def.h"
#include "unit/text.h"

START_TEST(cseq_is_read)
{
    static const struct {
        const char *value, *method;
        uint32_t number;
    } good[] = {
        { "314159 INVITE", "INVITE", 314159 },
        { "009\r\n  INVITE", "INVITE", 9 },
        { "  1\t ACK \r\n ", "ACK", 1 },
        { "0 BYE", "BYE", 0 },
        { "2147483647 X", "X", 2147483647 },
        { "139122385 !interesting-Method0123456789_*+`.%indeed'~",
          "!interesting-Method0123456789_*+`.%indeed'~", 139122385 },
    };

    for (size_t i = 0; i < countof(good); i++) {
        struct span method;
        uint32_t number;

        must_for(span_of(good[i].value), num_cseq(span_of(good[i].value), &number, &method));
        must_for(span_of(good[i].value), number == good[i].number);
        must_text(method, good[i].method);
    }
}
END_TEST

START_TEST(cseq_is_refused)
{
    static const char *const bad[] = {
        "",
        " ",
        "1",
        "1 ",
        "INVITE",
        "1INVITE",
        "-1 INVITE",
        "+1 INVITE",
        "1 IN VITE",
        "1 INVITE;a",
        "1, INVITE",
        "2147483648 INVITE",
        "36893488147419103232 REGISTER",
        "0x1 INVITE",
        "1 INV\xc3\xa9TE",
    };
    struct span method;
    uint32_t number;

    for (size_t i = 0; i < countof(bad); i++)
        must_for(span_of(bad[i]), !num_cseq(span_of(bad[i]), &number, &method));
}
END_TEST

typedef bool num_fn(struct span value, uint32_t *out);

static void
reads(num_fn *read, const char *text, uint32_t want)
{
    uint32_t got = want + 1;

    must_for(span_of(text), read(span_of(text), &got));
    must_for(span_of(text), got == want);
}

static void
refuses(num_fn *read, const char *text)
{
    uint32_t got;

    must_for(span_of(text), !read(span_of(text), &got));
}

START_TEST(max_forwards)
{
    reads(num_max_forwards, "70", 70);
    reads(num_max_forwards, "0", 0);
    reads(num_max_forwards, "255", 255);
    reads(num_max_forwards, " 0068 ", 68);
    refuses(num_max_forwards, "256");
    refuses(num_max_forwards, "-1");
    refuses(num_max_forwards, "");
    refuses(num_max_forwards, "7 0");
}
END_TEST

START_TEST(length)
{
    reads(num_length, "0", 0);
    reads(num_length, "2147483647", 2147483647);
    reads(num_length, "0000000000000000000000000000000000000150", 150);
    refuses(num_length, "2147483648");
    refuses(num_length, "-999");
    refuses(num_length, "+5");
    refuses(num_length, "1 2");
    refuses(num_length, "5,5");
    refuses(num_length, "");
}
END_TEST

START_TEST(expires)
{
    reads(num_expires, "3600", 3600);
    reads(num_expires, "4294967295", UINT32_MAX);
    reads(num_expires, "4294967296", UINT32_MAX);
    reads(num_expires, "1000000000000000000000000000000000000", UINT32_MAX);
    refuses(num_expires, "1e3");
    refuses(num_expires, "10000000000 x");
    refuses(num_expires, "Thu, 01 Dec 1994 16:00:00 GMT");
    refuses(num_expires, "-1");
    refuses(num_expires, "");
}
END_TEST

Suite *
suite_num(void)
{
    Suite *suite = suite_create("num");
    TCase *all = tcase_create("all");

    tcase_add_test(all, cseq_is_read);
    tcase_add_test(all, cseq_is_refused);
    tcase_add_test(all, max_forwards);
    tcase_add_test(all, length);
    tcase_add_test(all, expires);
    suite_add_tcase(suite, all);
    return suite;
}
