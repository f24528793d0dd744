/*
 * Dates: as RFC 3261 §20.17 shows them, anew for each second, and none for years that do not fit.
 */
#include "sip/date.h"
#include <check.h>

#include "unit/heap.h"
#include "unit/text.h"

Suite *suite_date(void);

START_TEST(as_the_rfc_shows_them)
{
    struct date date = { 0 };

    must_text(date_line(&date, 1289690940), "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"); /* §20.17 */
    must_text(date_line(&date, 0), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    must_text(date_line(&date, 951782400), "Date: Tue, 29 Feb 2000 00:00:00 GMT\r\n");
    must_text(date_line(&date, 253402300799), "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n");
}
END_TEST

START_TEST(made_once_a_second)
{
    struct date date = { 0 };

    must_text(date_line(&date, 59), "Date: Thu, 01 Jan 1970 00:00:59 GMT\r\n");
    date.text[6] = 'X'; /* still there: it was not made again */
    must_text(date_line(&date, 59), "Date: Xhu, 01 Jan 1970 00:00:59 GMT\r\n");
    must_text(date_line(&date, 60), "Date: Thu, 01 Jan 1970 00:01:00 GMT\r\n");
    must_text(date_line(&date, 59),
              "Date: Thu, 01 Jan 1970 00:00:59 GMT\r\n"); /* the clock was set back */
}
END_TEST

START_TEST(years_that_do_not_fit)
{
    struct date date = { 0 };

    must(date_line(&date, 253402300800).len == 0);
    must(date_line(&date, INT64_MAX).len == 0);
    must_text(date_line(&date, 0), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
}
END_TEST

Suite *
suite_date(void)
{
    Suite *suite = suite_create("date");
    TCase *all = heap_case("all");

    tcase_add_test(all, as_the_rfc_shows_them);
    tcase_add_test(all, made_once_a_second);
    tcase_add_test(all, years_that_do_not_fit);
    suite_add_tcase(suite, all);
    return suite;
}
