/*
 * Max-Breadth: one in each request that leaves, shared among the branches at once (RFC 5393 §5.3.3).
 */
#include "core/breadth.h"

#include <stdio.h>

#include "unit/core_rig.h"

#define PHONES 4

static const char *const contacts[PHONES] = {
    "sip:bob@192.0.2.11",
    "sip:bob@192.0.2.12",
    "sip:bob@192.0.2.13",
    "sip:bob@192.0.2.14",
};

/* An INVITE with this field goes to n phones; "" : without one. Their shares, as "20 20 20". */
static const char *
shares(unsigned n, const char *field)
{
    static char text[128];
    size_t len = 0;

    rig.binds_len = 0;
    for (unsigned i = 0; i < n; i++)
        rig_bind(&rig, "bob", contacts[i], NULL, 1000);
    rig_new_branch(&rig);
    if (*field)
        rig_ask(&rig, ALICE, INVITE_BOB, field, NULL);
    else
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    text[0] = '\0';
    for (; rig.read < rig.sent_len; rig.read++) {
        const struct rig_sent *sent = &rig.sent[rig.read];

        ck_assert_uint_eq(rig_count(sent, "Max-Breadth"), 1);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", len ? " " : "",
                                rig_value(sent, "Max-Breadth", 0));
    }
    return text;
}

START_TEST(one_is_added_where_it_is_missing)
{
    ck_assert_str_eq(shares(1, ""), "60");
    rig.conf.max_breadth = 7;
    ck_assert_str_eq(shares(1, ""), "7");
}
END_TEST

START_TEST(one_that_is_there_is_kept)
{
    ck_assert_str_eq(shares(1, "Max-Breadth: 13"), "13");
    ck_assert_str_eq(shares(1, "Max-Breadth: 1"), "1");
}
END_TEST

START_TEST(too_large_a_one_is_cut_and_a_bad_one_replaced)
{
    ck_assert_str_eq(shares(1, "Max-Breadth: 61"), "60");
    ck_assert_str_eq(shares(1, "Max-Breadth: 99999999999999"), "60");
    ck_assert_str_eq(shares(1, "Max-Breadth: many"), "60");
    ck_assert_str_eq(shares(1, "Max-Breadth:"), "60");
}
END_TEST

/* §5.3.3: never more going out than came in. */
START_TEST(branches_at_once_share_it)
{
    ck_assert_str_eq(shares(3, ""), "20 20 20");
    ck_assert_str_eq(shares(4, "Max-Breadth: 10"), "3 3 2 2");
    ck_assert_str_eq(shares(4, "Max-Breadth: 4"), "1 1 1 1");
}
END_TEST

START_TEST(too_little_for_all_is_440)
{
    for (unsigned i = 0; i < PHONES; i++)
        rig_bind(&rig, "bob", contacts[i], NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Max-Breadth: 3", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 440 Max-Breadth Exceeded\r\n");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 1);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, "Max-Breadth: 0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 440 ");
    rig_quiet(&rig);
}
END_TEST

/* §5.3.3.1: one after the other, each may have all of it. */
START_TEST(what_is_done_gives_its_share_back)
{
    const struct rig_sent *first, *second;

    rig.conf.fork = CORE_FORK_Q;
    rig_bind(&rig, "bob", contacts[0], NULL, 1000);
    rig_bind(&rig, "bob", contacts[1], NULL, 500);
    rig_ask(&rig, ALICE, INVITE_BOB, "Max-Breadth: 1", NULL);
    first = rig_expect(&rig, "udp:192.0.2.11:5060", "INVITE ");
    ck_assert_str_eq(rig_value(first, "Max-Breadth", 0), "1");
    rig_reply(&rig, first, 486, "t", NULL);
    rig_expect(&rig, "udp:192.0.2.11:5060", "ACK ");
    second = rig_expect(&rig, "udp:192.0.2.12:5060", "INVITE ");
    ck_assert_str_eq(rig_value(second, "Max-Breadth", 0), "1");
    rig_quiet(&rig);
}
END_TEST

/* Repeated fields leave as one. */
START_TEST(there_is_never_more_than_one)
{
    const struct rig_sent *sent;

    rig_bind(&rig, "bob", contacts[0], NULL, 1000);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", "Max-Breadth: 9", "X: y",
            "max-breadth: 9", NULL);
    sent = rig_expect(&rig, "udp:192.0.2.11:5060", "MESSAGE ");
    ck_assert_uint_eq(rig_count(sent, "Max-Breadth"), 1);
    ck_assert_str_eq(rig_value(sent, "X", 0), "y");
}
END_TEST

START_TEST(every_method_has_one)
{
    const struct rig_sent *sent;

    rig_bind(&rig, "bob", contacts[0], NULL, 1000);
    rig.to_tag = "t";
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    sent = rig_expect(&rig, "udp:192.0.2.11:5060", "ACK ");
    ck_assert_str_eq(rig_value(sent, "Max-Breadth", 0), "60");
}
END_TEST

Suite *
suite_breadth(void)
{
    Suite *s = suite_create("breadth");
    TCase *c = rig_case("shares");

    tcase_add_test(c, one_is_added_where_it_is_missing);
    tcase_add_test(c, one_that_is_there_is_kept);
    tcase_add_test(c, too_large_a_one_is_cut_and_a_bad_one_replaced);
    tcase_add_test(c, branches_at_once_share_it);
    tcase_add_test(c, too_little_for_all_is_440);
    tcase_add_test(c, what_is_done_gives_its_share_back);
    tcase_add_test(c, there_is_never_more_than_one);
    tcase_add_test(c, every_method_has_one);
    suite_add_tcase(s, c);
    return s;
}
