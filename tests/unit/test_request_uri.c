/*
 * A URI as a request carries it on its first line (RFC 3261 §16.4, §16.6 step 2, §19.1.1; RFC 5630 §5.3).
 */
#include "sip/request_uri.h"

#include <check.h>

#include "base/mem.h"

Suite *suite_request_uri(void);

static struct arena arena;

static void
begin(void)
{
    arena_init(&arena, 1 << 16);
}

static void
end(void)
{
    arena_fini(&arena);
}

/* The text, read and written. */
static struct span
written(const char *text, unsigned changes)
{
    struct uri uri;

    ck_assert_int_eq(uri_read(span_of(text), &uri), SIPD_OK);
    return request_uri(&uri, changes, &arena);
}

static void
expect(const char *text, unsigned changes, const char *want)
{
    struct span got = written(text, changes);

    if (!span_eq(got, span_of(want)))
        ck_abort_msg("%s with %u became %.*s, not %s", text, changes, SPAN_ARG(got), want);
}

START_TEST(what_may_stand_there_stays)
{
    static const char *const texts[] = {
        "sip:bob@192.0.2.9",
        "sips:bob:pass@[2001:db8::9]:5071;transport=tcp;lr;maddr=192.0.2.7;;x=%41;y=",
        "SIP:+1-212@Example.COM;user=phone;ttl=1;methods=x",
        "sip:method=x;y@192.0.2.9:5060",
        "tel:+1;method=INVITE",
    };

    for (size_t i = 0; i < countof(texts); i++)
        ck_assert_ptr_eq(written(texts[i], 0).at, texts[i]);
    for (size_t i = 0; i < countof(texts); i++)
        expect(texts[i], 0, texts[i]);
}
END_TEST

START_TEST(header_fields_and_a_method_go)
{
    expect("sip:bob@192.0.2.9?Subject=x&To=y", 0, "sip:bob@192.0.2.9");
    expect("sip:bob@192.0.2.9;method=REGISTER", 0, "sip:bob@192.0.2.9");
    expect("sip:bob@192.0.2.9:05060;a;METHOD=BYE;b=c?x=y", 0, "sip:bob@192.0.2.9:05060;a;b=c");
    expect("sip:bob@192.0.2.9;m%65thod=BYE;method;x", 0, "sip:bob@192.0.2.9;x");
}
END_TEST

START_TEST(what_led_it_here_goes)
{
    unsigned nowhere = REQUEST_URI_NOWHERE;

    expect("sip:bob@example.com;maddr=192.0.2.1", nowhere, "sip:bob@example.com");
    expect("sip:bob:x@example.com:5070;transport=tcp;lr;maddr=192.0.2.1;y?a=b", nowhere,
           "sip:bob:x@example.com;lr;y");
    expect("sip:[2001:db8::9]:5070", nowhere, "sip:[2001:db8::9]");
    expect("sip:bob@example.com;user=phone", nowhere, "sip:bob@example.com;user=phone");
}
END_TEST

START_TEST(sips_becomes_sip_and_all_else_stays)
{
    expect("sips:bob@example.com:5061;transport=tcp;x", REQUEST_URI_SIP,
           "sip:bob@example.com:5061;transport=tcp;x");
    expect("SIPS:bob@example.com", REQUEST_URI_SIP, "sip:bob@example.com");
    expect("SIP:bob@example.com", REQUEST_URI_SIP, "SIP:bob@example.com");
    expect("sips:bob@example.com", 0, "sips:bob@example.com");
}
END_TEST

START_TEST(without_memory_there_is_none)
{
    mem_fail_after(0);
    ck_assert_ptr_null(written("sips:bob@example.com", REQUEST_URI_SIP).at);
    mem_fail_never();
    expect("sips:bob@example.com", REQUEST_URI_SIP, "sip:bob@example.com");
}
END_TEST

Suite *
suite_request_uri(void)
{
    Suite *s = suite_create("request_uri");
    TCase *c = tcase_create("written");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, what_may_stand_there_stays);
    tcase_add_test(c, header_fields_and_a_method_go);
    tcase_add_test(c, what_led_it_here_goes);
    tcase_add_test(c, sips_becomes_sip_and_all_else_stays);
    tcase_add_test(c, without_memory_there_is_none);
    suite_add_tcase(s, c);
    return s;
}
