/*
 * Our own answers: without a transaction, and as the server that a request names (RFC 3261 §8.2.7, §11.2, §21.4).
 */
#include "core/refuse.h"

#include "unit/core_rig.h"

START_TEST(a_refusal_copies_what_it_must)
{
    const struct rig_sent *sent;

    rig_ask(&rig, ALICE, "INVITE tel:1 SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/TCP lower",
            "Via: SIP/2.0/UDP last", NULL);
    sent = rig_expect(&rig, ALICE, "SIP/2.0 416 ");
    ck_assert_str_eq(rig_value(sent, "Via", 0),
                     "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/TCP lower");
    ck_assert_str_eq(rig_value(sent, "Via", 1), "SIP/2.0/UDP last");
    ck_assert_str_eq(rig_value(sent, "From", 0), "<sip:alice@example.com>;tag=a1");
    ck_assert_str_eq(rig_value(sent, "Call-ID", 0), rig.call_id);
    ck_assert_str_eq(rig_value(sent, "CSeq", 0), "1 INVITE");
    ck_assert_str_eq(rig_value(sent, "Content-Length", 0), "0");
    ck_assert_str_ne(rig_to_tag(sent), "");
}
END_TEST

/* §8.2.7: no state, so the tag must come out the same; the ACK shows it again and is taken for what it is. */
START_TEST(a_repeat_is_refused_alike_and_the_ack_ends_here)
{
    const char *tag;

    rig_ask(&rig, ALICE, "INVITE tel:1 SIP/2.0", NULL);
    tag = rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 416 "));
    rig_ask(&rig, ALICE, "INVITE tel:1 SIP/2.0", NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 416 ")), tag);
    rig.to_tag = tag;
    rig_ask(&rig, ALICE, "ACK tel:1 SIP/2.0", NULL);
    rig_quiet(&rig);
    rig.to_tag = "";
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE tel:1 SIP/2.0", NULL);
    ck_assert_str_ne(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 416 ")), tag);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

START_TEST(a_tag_that_is_there_stays)
{
    rig.to_tag = "theirs";
    rig_ask(&rig, ALICE, "BYE tel:1 SIP/2.0", NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 416 ")), "theirs");
}
END_TEST

START_TEST(an_ack_is_never_answered)
{
    rig_ask(&rig, ALICE, "ACK tel:1 SIP/2.0", NULL);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", "Max-Forwards: 0", NULL);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", "-Call-ID", NULL);
    rig_ask(&rig, ALICE, "ACK sip:nobody@example.com SIP/2.0", NULL);
    rig_ask(&rig, ALICE, "ACK sip:example.com SIP/2.0", NULL);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.net SIP/2.0", NULL);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", "Route: <sip:forged@example.com;lr>",
            NULL);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

static char logged[512];

static void
take_line(void *self, enum log_level level, struct span line)
{
    (void)self, (void)level;
    must(line.len < sizeof logged);
    memcpy(logged, line.at, line.len);
    logged[line.len] = '\0';
}

START_TEST(a_refusal_may_be_logged)
{
    rig.log = (struct log){ .level = LOG_LVL_DEBUG, .sink = take_line };
    rig_ask(&rig, ALICE, "INVITE tel:1 SIP/2.0", NULL);
    ck_assert(strstr(logged, "refused"));
    ck_assert(strstr(logged, "method=INVITE"));
    ck_assert(strstr(logged, "status=416"));
    ck_assert(strstr(logged, "call1@192.0.2.1"));
}
END_TEST

/* ---------------------------------------------------------------- requests for the server itself */

/* A request for us, answered and over: the answer. */
static const struct rig_sent *
answered(const char *request_line, const char *status_line)
{
    const struct rig_sent *sent;

    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, request_line, NULL);
    sent = rig_expect(&rig, ALICE, status_line);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 1);
    rig.to_tag = rig_to_tag(sent);
    rig_ask(&rig, ALICE, "ACK sip:example.com SIP/2.0", NULL);
    rig.to_tag = "";
    rig_pass(&rig, 40000);
    rig_forget(&rig);
    rig_alive(&rig, 0, 0, 0);
    return sent;
}

/* §8.2.2.3: as a server we know no option. */
START_TEST(options_that_require_something_are_420)
{
    const struct rig_sent *sent;

    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "OPTIONS sip:example.com SIP/2.0", "Require: one, two", "Require: three",
            NULL);
    sent = rig_expect(&rig, ALICE, "SIP/2.0 420 Bad Extension\r\n");
    ck_assert_str_eq(rig_value(sent, "Unsupported", 0), "one, two");
    ck_assert_str_eq(rig_value(sent, "Unsupported", 1), "three");
    ck_assert_uint_eq(rig_count(sent, "Unsupported"), 2);
    rig_quiet(&rig);
}
END_TEST

START_TEST(options_that_require_nothing_are_200)
{
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "OPTIONS sip:example.com SIP/2.0", "Require: ,, ", "Require:", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 OK\r\n");
    rig_quiet(&rig);
}
END_TEST

START_TEST(options_to_us_is_200)
{
    static const char *const ours[] = {
        "OPTIONS sip:example.com SIP/2.0",   "OPTIONS sip:198.51.100.1:5060 SIP/2.0",
        "OPTIONS sip:[2001:db8::5] SIP/2.0", "OPTIONS sip:EXAMPLE.com;transport=tcp SIP/2.0",
        "OPTIONS sips:example.com SIP/2.0",
    };

    for (size_t i = 0; i < countof(ours); i++) {
        const struct rig_sent *sent = answered(ours[i], "SIP/2.0 200 OK\r\n");

        ck_assert(strstr(rig_value(sent, "Allow", 0), "INVITE, ACK, BYE, CANCEL, OPTIONS"));
        ck_assert_str_eq(rig_value(sent, "Accept", 0), "*/*");
        ck_assert_uint_eq(rig_count(sent, "Supported"), 1);
        ck_assert_str_ne(rig_to_tag(sent), "");
    }
}
END_TEST

START_TEST(options_that_ends_here_is_200_whoever_it_is_for)
{
    static const char *const lines[] = { "OPTIONS sip:bob@example.com SIP/2.0",
                                         "OPTIONS sip:carol@example.net SIP/2.0" };

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (size_t i = 0; i < countof(lines); i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, lines[i], "Max-Forwards: 0", NULL);
        rig_expect(&rig, ALICE, "SIP/2.0 200 OK\r\n");
        rig_quiet(&rig);
    }
}
END_TEST

START_TEST(register_without_a_registrar_is_405)
{
    const struct rig_sent *sent =
        answered("REGISTER sip:example.com SIP/2.0", "SIP/2.0 405 Method Not Allowed\r\n");

    ck_assert(strstr(rig_value(sent, "Allow", 0), "OPTIONS"));
}
END_TEST

START_TEST(others_to_us_are_404)
{
    answered("INVITE sip:example.com SIP/2.0", "SIP/2.0 404 Not Found\r\n");
    answered("MESSAGE sip:198.51.100.1 SIP/2.0", "SIP/2.0 404 Not Found\r\n");
    answered("DANCE sip:example.com SIP/2.0", "SIP/2.0 404 Not Found\r\n");
}
END_TEST

START_TEST(a_user_without_a_target_is_404_or_480)
{
    answered("INVITE sip:nobody@example.com SIP/2.0", "SIP/2.0 404 Not Found\r\n");
    answered("INVITE sip:known@example.com SIP/2.0", "SIP/2.0 480 Temporarily Unavailable\r\n");
    answered("INVITE sip:known@EXAMPLE.COM:5060;transport=tcp SIP/2.0", "SIP/2.0 480 ");
    answered("MESSAGE sip:kno%77n@example.com SIP/2.0", "SIP/2.0 480 ");
}
END_TEST

START_TEST(our_failures_are_repeated_and_acknowledged)
{
    rig_ask(&rig, ALICE, "INVITE sip:nobody@example.com SIP/2.0", NULL);
    rig_pass(&rig, 4000);
    ck_assert_str_eq(rig_times(&rig, "SIP/2.0 404 "), "0 500 1500 3500");
    rig.to_tag = rig_to_tag(rig_last(&rig, "SIP/2.0 404 "));
    rig_ask(&rig, ALICE, "ACK sip:nobody@example.com SIP/2.0", NULL);
    rig_forget(&rig);
    rig_pass(&rig, 60000);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

Suite *
suite_refuse(void)
{
    Suite *s = suite_create("refuse");
    TCase *c = rig_case("answers");

    tcase_add_test(c, a_refusal_copies_what_it_must);
    tcase_add_test(c, a_repeat_is_refused_alike_and_the_ack_ends_here);
    tcase_add_test(c, a_tag_that_is_there_stays);
    tcase_add_test(c, an_ack_is_never_answered);
    tcase_add_test(c, a_refusal_may_be_logged);
    tcase_add_test(c, options_to_us_is_200);
    tcase_add_test(c, options_that_require_something_are_420);
    tcase_add_test(c, options_that_require_nothing_are_200);
    tcase_add_test(c, options_that_ends_here_is_200_whoever_it_is_for);
    tcase_add_test(c, register_without_a_registrar_is_405);
    tcase_add_test(c, others_to_us_are_404);
    tcase_add_test(c, a_user_without_a_target_is_404_or_480);
    tcase_add_test(c, our_failures_are_repeated_and_acknowledged);
    suite_add_tcase(s, c);
    return s;
}
