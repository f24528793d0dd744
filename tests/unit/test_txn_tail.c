/*
 * What a client's request ends with may be lent by its owner: it is sent as if it were kept, and kept when the owner lets go.
 */
#include "txn/txns.h"

#include <stdio.h>

#include "base/mem.h"
#include "txn/fact.h"
#include "unit/message.h"
#include "unit/must.h"
#include "unit/txn_rig.h"

#define UDP    "udp:192.0.2.9:5060"
#define BRANCH "z9hG4bKb1"
#define BODY   "a body that many share"

Suite *suite_txn_tail(void);

static struct txn_rig r;
static char lent[64]; /* what the owner holds */

static void
begin(void)
{
    message_begin();
    txn_rig_init(&r, 16);
    strcpy(lent, BODY);
}

static void
end(void)
{
    mem_fail_never();
    txn_rig_fini(&r);
    message_end();
}

static struct txn *
ask(const char *method)
{
    struct hop hop = txn_rig_hop(UDP);
    uint64_t id = 0;
    char text[TXN_RIG_TEXT + sizeof lent];

    snprintf(text, sizeof text, "%s%s",
             txn_rig_request(method, "SIP/2.0/UDP 198.51.100.1:5060;branch=" BRANCH), BODY);
    must(txns_request(&r.t, names_method(span_of(method)),
                      txn_rig_key(&r.t, names_method(span_of(method)), SPAN(BRANCH)), &hop,
                      span_of(text), span_of(lent), 77, &id) == SIPD_OK);
    return txns_find(&r.t, id);
}

static bool
ends_with_body(const char *text)
{
    size_t len = strlen(text), body = strlen(BODY);

    return len > body && strcmp(text + len - body, BODY) == 0;
}

START_TEST(it_is_sent_again_and_not_kept)
{
    const struct txn *txn = ask("INVITE");
    struct span sent;

    txn_rig_pass(&r, 1500);
    ck_assert_uint_eq(r.sent_len, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(ends_with_body(r.sent[i].text));
    ck_assert_str_eq(r.sent[1].text, r.sent[0].text);
    ck_assert_str_eq(r.sent[2].text, r.sent[0].text);
    ck_assert_uint_eq(txn->bytes_len, strlen(r.sent[0].text) - strlen(BODY));
    sent = txns_sent(&r.t, txn);
    ck_assert_uint_eq(sent.len, strlen(r.sent[0].text));
    ck_assert_mem_eq(sent.at, r.sent[0].text, sent.len);
}
END_TEST

START_TEST(an_ack_takes_its_place)
{
    struct txn *txn = ask("INVITE");
    struct msg msg = read_text(txn_rig_response(486, "INVITE", BRANCH, "t1"));
    struct gist gist = gist_of(&msg);

    ck_assert_int_eq(txns_heard(&r.t, txn, 486, &gist), TXN_RESPONSE);
    ck_assert_uint_eq(txn->tail.len, 0);
    memset(lent, 'x', strlen(BODY));
    ck_assert_int_eq(txns_heard(&r.t, txn, 486, &gist), TXN_QUIET);
    ck_assert_uint_eq(r.sent_len, 3);
    ck_assert_ptr_eq(strstr(r.sent[1].text, "ACK "), r.sent[1].text);
    ck_assert_ptr_nonnull(strstr(r.sent[1].text, "Content-Length: 0\r\n\r\n"));
    ck_assert_str_eq(r.sent[2].text, r.sent[1].text);
}
END_TEST

START_TEST(who_is_left_keeps_it)
{
    const struct txn *txn = ask("OPTIONS");

    txns_disown(&r.t, txn->id, 0);
    memset(lent, 'x', strlen(BODY));
    txn_rig_pass(&r, 500);
    ck_assert_uint_eq(r.sent_len, 2);
    ck_assert_str_eq(r.sent[1].text, r.sent[0].text);
}
END_TEST

START_TEST(who_is_left_without_memory_sends_no_more)
{
    const struct txn *txn = ask("OPTIONS");

    mem_fail_after(0);
    txns_disown(&r.t, txn->id, 0);
    mem_fail_never();
    memset(lent, 'x', strlen(BODY));
    txn_rig_pass(&r, 64 * TXN_T1_MS);
    ck_assert_uint_eq(r.sent_len, 1);
    ck_assert_str_eq(r.told, "TIMEOUT@32000");
    ck_assert_uint_eq(r.t.slots.used, 0);
}
END_TEST

/* Another node has no such owner: the record has it all. */
START_TEST(a_record_has_all_of_it)
{
    const struct txn *txn = ask("INVITE");
    struct buf b;

    buf_init(&b, 4096);
    txn_fact_write(&r.t, txn, &b);
    ck_assert_int_eq(b.err, SIPD_OK);
    ck_assert_ptr_nonnull(memmem(b.bytes, b.len, r.sent[0].text, strlen(r.sent[0].text)));
    buf_clear(&b);
    mem_fail_after(0);
    arena_fini(&r.turn);
    txn_fact_write(&r.t, txn, &b);
    ck_assert_int_eq(b.err, SIPD_ENOMEM);
    mem_fail_never();
    buf_fini(&b);
}
END_TEST

Suite *
suite_txn_tail(void)
{
    Suite *s = suite_create("txn_tail");
    TCase *c = tcase_create("txn_tail");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, it_is_sent_again_and_not_kept);
    tcase_add_test(c, an_ack_takes_its_place);
    tcase_add_test(c, who_is_left_keeps_it);
    tcase_add_test(c, who_is_left_without_memory_sends_no_more);
    tcase_add_test(c, a_record_has_all_of_it);
    suite_add_tcase(s, c);
    return s;
}
