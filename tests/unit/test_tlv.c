/*
 * Tag, length, value: what was written is read, whatever the value; what is cut short is refused.
 */
#include "base/tlv.h"

#include "unit/heap.h"
#include "unit/text.h"

START_TEST(numbers_and_bytes)
{
    static const uint64_t numbers[] = { 0, 1, 255, 256, 65535, 65536, UINT32_MAX, UINT64_MAX };
    struct buf b;
    struct span rest;
    struct tlv tlv;
    uint64_t n;

    buf_init(&b, 1000);
    for (size_t i = 0; i < countof(numbers); i++)
        tlv_put_u64(&b, (uint16_t)(i + 1), numbers[i]);
    tlv_put(&b, 700, SPAN("text"));
    tlv_put(&b, 701, SPAN(""));
    ck_assert_int_eq(b.err, SIPD_OK);
    rest = buf_span(&b);
    for (size_t i = 0; i < countof(numbers); i++) {
        must(tlv_next(&rest, &tlv) == SIPD_OK && tlv.tag == i + 1);
        must(tlv_u64(&tlv, UINT64_MAX, &n) == SIPD_OK && n == numbers[i]);
        must(numbers[i] == 0 || tlv_u64(&tlv, numbers[i] - 1, &n) == SIPD_EINVAL);
    }
    must(tlv_next(&rest, &tlv) == SIPD_OK && tlv.tag == 700);
    must_text(tlv.value, "text");
    must(tlv_next(&rest, &tlv) == SIPD_OK && tlv.tag == 701 && tlv.value.len == 0);
    must(tlv_next(&rest, &tlv) == SIPD_ENOENT);
    buf_fini(&b);
}
END_TEST

START_TEST(the_bytes_are_these)
{
    struct buf b;

    buf_init(&b, 100);
    tlv_put_u64(&b, 0x0201, 0x0403);
    must(span_eq(buf_span(&b), SPAN("\x01\x02\x02\x00\x00\x00\x03\x04")));
    buf_fini(&b);
}
END_TEST

START_TEST(records_hold_records)
{
    struct buf b;
    struct span rest;
    struct tlv outer, inner;
    size_t place;

    buf_init(&b, 100);
    place = tlv_open(&b, 5);
    tlv_put(&b, 6, SPAN("in"));
    tlv_close(&b, place);
    tlv_put(&b, 7, SPAN("behind"));
    rest = buf_span(&b);
    must(tlv_next(&rest, &outer) == SIPD_OK && outer.tag == 5);
    must(tlv_next(&outer.value, &inner) == SIPD_OK && inner.tag == 6);
    must_text(inner.value, "in");
    must(outer.value.len == 0);
    must(tlv_next(&rest, &outer) == SIPD_OK && outer.tag == 7);
    buf_fini(&b);
}
END_TEST

START_TEST(what_is_cut_short_is_refused)
{
    struct buf b;

    buf_init(&b, 100);
    tlv_put(&b, 1, SPAN("value"));
    for (size_t len = 1; len < b.len; len++) {
        struct span rest = span_head(buf_span(&b), len);
        struct tlv tlv;

        must(tlv_next(&rest, &tlv) == SIPD_ESYNTAX);
    }
    buf_fini(&b);
}
END_TEST

START_TEST(no_number_is_longer_than_eight_bytes)
{
    struct tlv tlv = { 1, SPAN("\1\0\0\0\0\0\0\0\0") };
    uint64_t n = 7;

    must(tlv_u64(&tlv, UINT64_MAX, &n) == SIPD_EINVAL && n == 7);
}
END_TEST

START_TEST(the_ceiling_holds)
{
    struct buf b;
    size_t place;

    buf_init(&b, 10);
    place = tlv_open(&b, 1);
    tlv_put(&b, 2, SPAN("too long"));
    tlv_close(&b, place);
    ck_assert_int_eq(b.err, SIPD_ETOOBIG);
    buf_fini(&b);
}
END_TEST

Suite *
suite_tlv(void)
{
    Suite *s = suite_create("tlv");
    TCase *c = heap_case("tlv");

    tcase_add_test(c, numbers_and_bytes);
    tcase_add_test(c, the_bytes_are_these);
    tcase_add_test(c, records_hold_records);
    tcase_add_test(c, what_is_cut_short_is_refused);
    tcase_add_test(c, no_number_is_longer_than_eight_bytes);
    tcase_add_test(c, the_ceiling_holds);
    suite_add_tcase(s, c);
    return s;
}
