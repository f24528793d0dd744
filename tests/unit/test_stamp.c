/*
 * The stamps as edits; what they make of a message is held in test_draft.c and test_reply.c (RFC 3261 §18.2.1, RFC 3581).
 */
#include "sip/stamp.h"

#include "unit/message.h"

static struct via via;
static struct stamp stamp;

static void
begin(struct span text, struct span received, uint16_t rport)
{
    ck_assert_int_eq(via_next(&text, &via), SIPD_OK);
    stamp_init(&stamp, &via, received, rport);
}

static void
must_edit(unsigned n, const char *cut, const char *text)
{
    ck_assert_uint_lt(n, stamp.len);
    must_be(stamp.edits[n].cut, cut);
    must_be(stamp.edits[n].text, text);
}

START_TEST(nothing_to_do)
{
    begin(SPAN("SIP/2.0/UDP a;rport"), SPAN(""), 0);
    ck_assert_uint_eq(stamp.len, 0);
}
END_TEST

/* At one place they are one edit. */
START_TEST(both_appended)
{
    begin(SPAN("SIP/2.0/UDP a ; "), SPAN("1.2.3.4"), 65535);
    ck_assert_uint_eq(stamp.len, 1);
    must_edit(0, "", ";received=1.2.3.4;rport=65535");
    ck_assert_ptr_eq(stamp.edits[0].cut.at, span_end(via.host));
}
END_TEST

START_TEST(one_appended_behind_the_other)
{
    begin(SPAN("SIP/2.0/UDP a;rport"), SPAN("1.2.3.4"), 5060);
    ck_assert_uint_eq(stamp.len, 1);
    must_edit(0, "", "=5060;received=1.2.3.4");
    begin(SPAN("SIP/2.0/UDP a;rport=7"), SPAN("1.2.3.4"), 5060);
    ck_assert_uint_eq(stamp.len, 1);
    must_edit(0, "7", "5060;received=1.2.3.4");
    begin(SPAN("SIP/2.0/UDP a;received="), SPAN("1.2.3.4"), 5060);
    ck_assert_uint_eq(stamp.len, 1);
    must_edit(0, "", "1.2.3.4;rport=5060");
}
END_TEST

/* No address is that long, and none has a line end. */
START_TEST(of_what_is_no_address_so_much)
{
    char text[HOP_TEXT_BYTES + 1], want[sizeof text];

    memset(text, 'x', sizeof text);
    memset(want, 'x', sizeof want);
    text[1] = '\n';
    want[1] = ' ';
    want[HOP_TEXT_BYTES] = '\0';
    begin(SPAN("SIP/2.0/UDP a;received=7;x"), (struct span){ text, sizeof text }, 0);
    ck_assert_uint_eq(stamp.len, 1);
    must_edit(0, "7", want);
}
END_TEST

START_TEST(both_replaced_in_the_order_of_the_text)
{
    begin(SPAN("SIP/2.0/UDP a;rport = 9 ;x;Received=4.3.2.1 "), SPAN("1.2.3.4"), 1);
    ck_assert_uint_eq(stamp.len, 2);
    must_edit(0, "9", "1");
    must_edit(1, "4.3.2.1", "1.2.3.4");
}
END_TEST

START_TEST(values_where_there_were_none)
{
    begin(SPAN("SIP/2.0/UDP a;received=;rport ;x"), SPAN("1.2.3.4"), 1);
    ck_assert_uint_eq(stamp.len, 2);
    must_edit(0, "", "1.2.3.4");
    must_edit(1, "", "=1");
    ck_assert_ptr_eq(stamp.edits[1].cut.at, span_end(via.whole) - 3);
}
END_TEST

Suite *
suite_stamp(void)
{
    Suite *s = suite_create("stamp");
    TCase *c = message_case("stamp");

    tcase_add_test(c, nothing_to_do);
    tcase_add_test(c, both_appended);
    tcase_add_test(c, one_appended_behind_the_other);
    tcase_add_test(c, of_what_is_no_address_so_much);
    tcase_add_test(c, both_replaced_in_the_order_of_the_text);
    tcase_add_test(c, values_where_there_were_none);
    suite_add_tcase(s, c);
    return s;
}
