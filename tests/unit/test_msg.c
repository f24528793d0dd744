/*
 * Asking the index, and keeping it: offsets survive a copy without repair.
 */
#include "sip/msg.h"

#include <stdio.h>

#include "unit/message.h"

static const char text[] = "OPTIONS sip:a SIP/2.0\r\n"
                           "Via: one\r\n"
                           "X-Own: 1\r\n"
                           "v: two\r\n"
                           "x-own: 2\r\n"
                           "Subject:\r\n"
                           "\r\n"
                           "body";

START_TEST(a_datagram_ends_with_its_length)
{
    static const struct {
        const char *text;
        unsigned body_len;
    } cases[] = {
        { "\r\nbody", 4 },
        { "l: 2\r\n\r\nbody", 2 },
        { "Content-Length : 0\r\n\r\nbody", 0 },
        { "l: 4\r\n\r\nbody", 4 },
        { "l: 5\r\n\r\nbody", 4 },
        { "l: -5\r\n\r\nbody", 4 },
        { "l: 1\r\nl: 2\r\n\r\nbody", 4 },
        { "l: 1\r\nContent-Length:\r\n 1\r\n\r\nbody", 1 },
        { "l: 1\r\n\r\n", 0 },
        { "l: 1\r\n", 0 },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        char whole[128];
        struct msg m;

        snprintf(whole, sizeof whole, "OPTIONS sip:a SIP/2.0\r\n%s", cases[i].text);
        m = read_text(whole);
        msg_trim(&m);
        ck_assert_uint_eq(m.body_len, cases[i].body_len);
        ck_assert_uint_eq(m.len, m.body_at + m.body_len);
    }
}
END_TEST

START_TEST(finds_by_id)
{
    struct msg m = read_text(text);
    const struct msg_field *first = msg_find(&m, HDR_VIA, NULL);
    const struct msg_field *second = msg_find(&m, HDR_VIA, first);
    struct span value;

    must_be(msg_value(&m, first), "one");
    must_be(msg_value(&m, second), "two");
    ck_assert_ptr_null(msg_find(&m, HDR_VIA, second));
    ck_assert_ptr_null(msg_find(&m, HDR_ROUTE, NULL));
    ck_assert(msg_get(&m, HDR_SUBJECT, &value));
    must_be(value, "");
    ck_assert(!msg_get(&m, HDR_ROUTE, &value));
    ck_assert_uint_eq(value.len, 0);
}
END_TEST

START_TEST(finds_by_name)
{
    struct msg m = read_text(text);

    must_be(msg_value(&m, msg_find_name(&m, SPAN("VIA"), 1)), "two");
    must_be(msg_value(&m, msg_find_name(&m, SPAN("v"), 0)), "one");
    must_be(msg_value(&m, msg_find_name(&m, SPAN("X-OWN"), 0)), "1");
    must_be(msg_value(&m, msg_find_name(&m, SPAN("X-OWN"), 1)), "2");
    ck_assert_ptr_null(msg_find_name(&m, SPAN("X-OWN"), 2));
    ck_assert_ptr_null(msg_find_name(&m, SPAN("X-Other"), 0));
    ck_assert_ptr_null(msg_find_name(&m, SPAN(""), 0));
    ck_assert_ptr_null(msg_find_name(&m, SPAN("Via"), 2));
}
END_TEST

START_TEST(is_kept)
{
    char bytes[sizeof text];
    struct arena turn;
    struct msg m, kept;

    memcpy(bytes, text, sizeof text);
    arena_init(&turn, 1 << 20);
    ck_assert_int_eq(msg_read((struct span){ bytes, sizeof text - 1 }, &turn, &m), SIPD_OK);
    ck_assert_int_eq(msg_keep(&m, &arena, &kept), SIPD_OK);
    arena_fini(&turn);
    memset(bytes, 'X', sizeof bytes);
    must_be(msg_bytes(&kept), text);
    must_be(msg_value(&kept, msg_find(&kept, HDR_VIA, NULL)), "one");
    must_be(msg_body(&kept), "body");
    ck_assert_int_eq(kept.method, METHOD_OPTIONS);
}
END_TEST

START_TEST(keeps_what_has_no_fields)
{
    struct msg m = read_text("A sip:a SIP/2.0\r\n\r\n"), kept;

    ck_assert_int_eq(msg_keep(&m, &arena, &kept), SIPD_OK);
    ck_assert_ptr_null(msg_find(&kept, HDR_VIA, NULL));
}
END_TEST

START_TEST(cannot_be_kept_without_memory)
{
    static char large[9000];
    size_t len = sizeof "A sip:a SIP/2.0\r\n" - 1;
    struct msg m, kept;
    unsigned failures = 0;

    memcpy(large, "A sip:a SIP/2.0\r\n", len);
    for (; len + 8 < sizeof large; len += 5)
        memcpy(large + len, "a:b\r\n", 6);
    memcpy(large + len, "\r\n", 3);
    m = read_text(large);
    for (uint64_t n = 0;; n++) {
        struct arena other;
        int err;

        arena_init(&other, 1 << 20);
        mem_fail_after(n);
        err = msg_keep(&m, &other, &kept);
        mem_fail_never();
        arena_fini(&other);
        if (err == SIPD_OK)
            break;
        ck_assert_int_eq(err, SIPD_ENOMEM);
        failures++;
    }
    ck_assert_uint_eq(failures, 2);
}
END_TEST

Suite *
suite_msg(void)
{
    Suite *s = suite_create("msg");
    TCase *c = message_case("msg");

    tcase_add_test(c, finds_by_id);
    tcase_add_test(c, a_datagram_ends_with_its_length);
    tcase_add_test(c, finds_by_name);
    tcase_add_test(c, is_kept);
    tcase_add_test(c, keeps_what_has_no_fields);
    tcase_add_test(c, cannot_be_kept_without_memory);
    suite_add_tcase(s, c);
    return s;
}
