/*
 * The buffer: what goes in comes out, and the first failure is the one that is told.
 */
#include "base/buf.h"

#include "unit/dies.h"
#include "unit/heap.h"
#include "unit/must.h"

static bool
holds(const struct buf *b, const char *text)
{
    return span_eq(buf_span(b), span_of(text));
}

START_TEST(an_empty_buffer_has_no_memory)
{
    uint64_t live = mem_live();
    struct buf b;

    buf_init(&b, 100);
    buf_put(&b, (struct span){ NULL, 0 });
    buf_drop(&b, 0);
    ck_assert_uint_eq(mem_live(), live);
    ck_assert_uint_eq(buf_span(&b).len, 0);
    ck_assert_int_eq(b.err, SIPD_OK);
    buf_fini(&b);
}
END_TEST

START_TEST(pieces_of_every_kind_line_up)
{
    struct buf b;

    buf_init(&b, 1000);
    buf_put(&b, SPAN("ab"));
    buf_put_char(&b, '-');
    buf_put_u64(&b, 0);
    buf_put_u64(&b, 1234567890);
    buf_put_u64(&b, UINT64_MAX);
    buf_printf(&b, "[%s %d]", "x", -5);
    buf_printf(&b, "%s", "");
    ck_assert(holds(&b, "ab-0123456789018446744073709551615[x -5]"));
    ck_assert_int_eq(b.err, SIPD_OK);
    buf_fini(&b);
}
END_TEST

START_TEST(growth_keeps_the_bytes)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    for (int i = 0; i < 100000; i++)
        buf_put_char(&b, (char)i);
    must(b.len == 100000);
    for (int i = 0; i < 100000; i++)
        must(b.bytes[i] == (char)i);
    buf_fini(&b);
}
END_TEST

START_TEST(a_long_print_fits)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_printf(&b, "%070000d", 7);
    ck_assert_uint_eq(b.len, 70000);
    ck_assert_int_eq(b.bytes[69999], '7');
    buf_fini(&b);
}
END_TEST

START_TEST(the_ceiling_is_exact)
{
    struct buf b;

    buf_init(&b, 100);
    buf_printf(&b, "%0100d", 1);
    ck_assert_int_eq(b.err, SIPD_OK);
    ck_assert_uint_eq(b.len, 100);
    ck_assert_uint_le(b.cap, 101);
    buf_put_char(&b, 'x');
    ck_assert_int_eq(b.err, SIPD_ETOOBIG);
    ck_assert_uint_eq(b.len, 100);
    buf_fini(&b);
}
END_TEST

START_TEST(after_a_failure_nothing_more_goes_in)
{
    struct buf b;

    buf_init(&b, 4);
    buf_put(&b, SPAN("abc"));
    buf_put(&b, SPAN("de"));
    ck_assert_int_eq(b.err, SIPD_ETOOBIG);
    buf_put_char(&b, 'd');
    buf_put_u64(&b, 1);
    buf_printf(&b, "x");
    ck_assert_ptr_null(buf_reserve(&b, 0));
    ck_assert(holds(&b, "abc"));
    mem_fail_after(0);
    buf_put(&b, SPAN("f"));
    ck_assert_int_eq(b.err, SIPD_ETOOBIG);
    buf_fini(&b);
}
END_TEST

START_TEST(cleared_is_as_new)
{
    struct buf b;

    buf_init(&b, 4);
    buf_put(&b, SPAN("abcde"));
    buf_put(&b, SPAN("abc"));
    ck_assert_uint_eq(b.len, 0);
    buf_clear(&b);
    ck_assert_int_eq(b.err, SIPD_OK);
    buf_put(&b, SPAN("abcd"));
    ck_assert(holds(&b, "abcd"));
    buf_clear(&b);
    ck_assert(holds(&b, ""));
    buf_fini(&b);
    ck_assert_uint_eq(b.limit_bytes, 4);
    buf_put(&b, SPAN("ab"));
    ck_assert(holds(&b, "ab"));
    buf_fini(&b);
}
END_TEST

START_TEST(reserved_room_is_the_callers)
{
    struct buf b;
    char *room;

    buf_init(&b, 1000);
    buf_put(&b, SPAN("ab"));
    room = buf_reserve(&b, 900);
    ck_assert_ptr_nonnull(room);
    memset(room, 'c', 900);
    b.len += 2;
    ck_assert(holds(&b, "abcc"));
    ck_assert_ptr_eq(buf_reserve(&b, 900), room + 2);
    ck_assert_ptr_null(buf_reserve(&b, 997));
    ck_assert_int_eq(b.err, SIPD_ETOOBIG);
    buf_fini(&b);
}
END_TEST

START_TEST(no_sum_wraps_around)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    buf_put_char(&b, 'x');
    ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
    ck_assert_int_eq(b.err, SIPD_ETOOBIG);
    buf_clear(&b);
    ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
    ck_assert_int_eq(b.err, SIPD_ETOOBIG);
    buf_fini(&b);
}
END_TEST

START_TEST(the_front_drops_off)
{
    struct buf b;

    buf_init(&b, 100);
    buf_put(&b, SPAN("abcdef"));
    buf_drop(&b, 2);
    ck_assert(holds(&b, "cdef"));
    buf_drop(&b, 0);
    buf_drop(&b, 4);
    ck_assert(holds(&b, ""));
    buf_put(&b, SPAN("g"));
    ck_assert(holds(&b, "g"));
    buf_fini(&b);
}
END_TEST

static void
drop_too_much(void)
{
    struct buf b;

    buf_init(&b, 100);
    buf_drop(&b, 1);
}

START_TEST(more_than_all_cannot_drop_off)
{
    ck_assert(dies_saying(drop_too_much, "n > b->len"));
}
END_TEST

START_TEST(memory_out_is_told_once_at_the_end)
{
    for (uint64_t n = 0;; n++) {
        struct buf b;

        buf_init(&b, 100000);
        mem_fail_after(n);
        for (int i = 0; i < 1000; i++) {
            buf_put(&b, SPAN("0123456789"));
            buf_printf(&b, "%d", i);
        }
        mem_fail_never();
        ck_assert_int_eq(b.err, mem_failed() ? SIPD_ENOMEM : SIPD_OK);
        ck_assert_uint_le(b.len, 12890);
        buf_fini(&b);
        if (!mem_failed())
            break;
    }
}
END_TEST

Suite *
suite_buf(void)
{
    Suite *suite = suite_create("buf");
    TCase *all = heap_case("all");

    tcase_add_test(all, an_empty_buffer_has_no_memory);
    tcase_add_test(all, pieces_of_every_kind_line_up);
    tcase_add_test(all, growth_keeps_the_bytes);
    tcase_add_test(all, a_long_print_fits);
    tcase_add_test(all, the_ceiling_is_exact);
    tcase_add_test(all, after_a_failure_nothing_more_goes_in);
    tcase_add_test(all, cleared_is_as_new);
    tcase_add_test(all, reserved_room_is_the_callers);
    tcase_add_test(all, no_sum_wraps_around);
    tcase_add_test(all, the_front_drops_off);
    tcase_add_test(all, more_than_all_cannot_drop_off);
    tcase_add_test(all, memory_out_is_told_once_at_the_end);
    suite_add_tcase(suite, all);
    return suite;
}
