/*
 * Phrases of codes, and of codes that nobody named.
 */
#include "sip/status.h"

#include "unit/text.h"

START_TEST(known_codes)
{
    must_text(status_phrase(100), "Trying");
    must_text(status_phrase(199), "Early Dialog Terminated");
    must_text(status_phrase(200), "OK");
    must_text(status_phrase(407), "Proxy Authentication Required");
    must_text(status_phrase(440), "Max-Breadth Exceeded");
    must_text(status_phrase(481), "Call/Transaction Does Not Exist");
    must_text(status_phrase(503), "Service Unavailable");
    must_text(status_phrase(606), "Not Acceptable");
    must_text(status_phrase(608), "Rejected");
}
END_TEST

START_TEST(unknown_codes)
{
    must_text(status_phrase(170), "Provisional");
    must_text(status_phrase(299), "Successful");
    must_text(status_phrase(399), "Redirection");
    must_text(status_phrase(499), "Request Failure");
    must_text(status_phrase(599), "Server Failure");
    must_text(status_phrase(699), "Global Failure");
    must_text(status_phrase(700), "Unknown Status");
    must_text(status_phrase(99), "Unknown Status");
    must_text(status_phrase(0), "Unknown Status");
    must_text(status_phrase(4294967295u), "Unknown Status");
}
END_TEST

/* A phrase goes into a status line as it is. */
START_TEST(phrases_are_fit_for_the_wire)
{
    for (unsigned status = 100; status < 700; status++) {
        struct span phrase = status_phrase(status);

        must(phrase.len > 0);
        for (size_t i = 0; i < phrase.len; i++)
            must(phrase.at[i] >= ' ' && phrase.at[i] <= '~');
    }
}
END_TEST

Suite *
suite_status(void)
{
    Suite *suite = suite_create("status");
    TCase *all = tcase_create("all");

    tcase_add_test(all, known_codes);
    tcase_add_test(all, unknown_codes);
    tcase_add_test(all, phrases_are_fit_for_the_wire);
    suite_add_tcase(suite, all);
    return suite;
}
