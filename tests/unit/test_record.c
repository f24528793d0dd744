/*
 * A struct as a record and back: every kind of member, versions that know more or fewer of them, values that do not fit.
 */
#include "base/record.h"

#include "unit/heap.h"
#include "unit/text.h"

struct inner {
    uint16_t port;
    char ip[4];
};

struct outer {
    uint8_t small;
    bool yes;
    uint32_t number;
    uint64_t large;
    struct span text;
    struct inner inner;
    int untouched;
};

static const struct record_field inner_fields[] = {
    RECORD_NUMBER(1, struct inner, port),
    RECORD_ARRAY(2, struct inner, ip),
    RECORD_END,
};

static const struct record_field outer_fields[] = {
    RECORD_NUMBER(1, struct outer, small),
    RECORD_BOOL(2, struct outer, yes),
    RECORD_NUMBER(3, struct outer, number),
    RECORD_NUMBER(4, struct outer, large),
    RECORD_SPAN(5, struct outer, text),
    RECORD_PART(6, struct outer, inner, inner_fields),
    RECORD_END,
};

/* An older version: fewer members. */
static const struct record_field old_fields[] = {
    RECORD_NUMBER(3, struct outer, number),
    RECORD_END,
};

static struct outer
sample(void)
{
    return (struct outer){ .small = 255,
                           .yes = true,
                           .number = 70000,
                           .large = UINT64_MAX,
                           .text = SPAN("text"),
                           .inner = { .port = 5060, .ip = { 1, 2, 3, 4 } },
                           .untouched = 5 };
}

static void
must_be_sample(const struct outer *o)
{
    must(o->small == 255 && o->yes && o->number == 70000 && o->large == UINT64_MAX);
    must_text(o->text, "text");
    must(o->inner.port == 5060 && memcmp(o->inner.ip, "\1\2\3\4", 4) == 0);
}

START_TEST(comes_back)
{
    struct outer from = sample(), to = { .untouched = 9, .number = 1 };
    struct buf b;

    buf_init(&b, 1000);
    record_write(&b, outer_fields, &from);
    ck_assert_int_eq(record_read(buf_span(&b), outer_fields, &to), SIPD_OK);
    must_be_sample(&to);
    must(to.untouched == 9);
    buf_fini(&b);
}
END_TEST

START_TEST(nothing_takes_no_room)
{
    struct outer from = { .untouched = 1 }, to = sample();
    struct buf b;

    buf_init(&b, 1000);
    record_write(&b, outer_fields, &from);
    ck_assert_uint_eq(b.len, 0);
    ck_assert_int_eq(record_read(buf_span(&b), outer_fields, &to), SIPD_OK);
    must(to.small == 0 && !to.yes && to.number == 0 && to.large == 0 && to.text.len == 0);
    must(to.inner.port == 0 && to.inner.ip[0] == 0);
    buf_fini(&b);
}
END_TEST

START_TEST(versions_read_each_other)
{
    struct outer from = sample(), to;
    struct buf b;

    memset(&to, 0, sizeof to);
    buf_init(&b, 1000);
    record_write(&b, outer_fields, &from);
    ck_assert_int_eq(record_read(buf_span(&b), old_fields, &to), SIPD_OK);
    must(to.number == 70000 && to.small == 0);

    buf_clear(&b);
    record_write(&b, old_fields, &from);
    ck_assert_int_eq(record_read(buf_span(&b), outer_fields, &to), SIPD_OK);
    must(to.number == 70000 && to.large == 0);
    buf_fini(&b);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    struct outer to;
    struct buf b;

    memset(&to, 0, sizeof to);
    buf_init(&b, 1000);
    tlv_put_u64(&b, 1, 256);
    must(record_read(buf_span(&b), outer_fields, &to) == SIPD_EINVAL);
    buf_clear(&b);
    tlv_put_u64(&b, 2, 2);
    must(record_read(buf_span(&b), outer_fields, &to) == SIPD_EINVAL);
    buf_clear(&b);
    record_put(&b, 6, old_fields,
               &(struct outer){ .number = 1 }); /* a part with a tag that it lacks */
    must(record_read(buf_span(&b), outer_fields, &to) == SIPD_OK);
    buf_clear(&b);
    tlv_put(&b, 6, SPAN("\2\0\3\0\0\0abc"));
    must(record_read(buf_span(&b), outer_fields, &to) == SIPD_EINVAL);
    buf_clear(&b);
    tlv_put_u64(&b, TLV_CRITICAL | 1, 1);
    must(record_read(buf_span(&b), outer_fields, &to) == SIPD_EINVAL);
    buf_clear(&b);
    tlv_put_u64(&b, 1000, 1);
    must(record_read(buf_span(&b), outer_fields, &to) == SIPD_OK);
    must(record_read(span_head(buf_span(&b), b.len - 1), outer_fields, &to) == SIPD_ESYNTAX);
    buf_fini(&b);
}
END_TEST

Suite *
suite_record(void)
{
    Suite *s = suite_create("record");
    TCase *c = heap_case("record");

    tcase_add_test(c, comes_back);
    tcase_add_test(c, nothing_takes_no_room);
    tcase_add_test(c, versions_read_each_other);
    tcase_add_test(c, what_does_not_fit_is_refused);
    suite_add_tcase(s, c);
    return s;
}
