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

/* §19.1.5: what must stand there, what must not, and none of what is only asked for. */
START_TEST(formed_from_a_uri)
{
    expect("sip:b@h;transport=tcp;maddr=192.0.2.7;ttl=9;user=ip;lr;new=%3B", 0,
           "sip:b@h;transport=tcp;maddr=192.0.2.7;ttl=9;user=ip;lr;new=%3B");
    expect("sip:b@h;new;method=INVITE;ttl=9", 0, "sip:b@h;new;ttl=9");
    expect("sip:b@h;method=%49NVITE", 0, "sip:b@h");
    expect("sip:b@h;methods=x;amethod=y;method-x=z", 0, "sip:b@h;methods=x;amethod=y;method-x=z");
    expect("sip:b;method=BYE@h", 0, "sip:b;method=BYE@h");
    expect("sip:b@h;method=BYE;method=INVITE", 0, "sip:b@h");
    expect("sips:b@h?From=a&Call-ID=b&CSeq=c&Via=d&Record-Route=e&Route=f&body=g", 0, "sips:b@h");
    expect("sip:h?Route=%3Csip:evil%3E", 0, "sip:h");
    expect("sip:h;a=1?;method=BYE", 0, "sip:h;a=1");
    expect("mailto:b@h?subject=x", 0, "mailto:b@h?subject=x");
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
    tcase_add_test(c, formed_from_a_uri);
    tcase_add_test(c, what_led_it_here_goes);
    tcase_add_test(c, sips_becomes_sip_and_all_else_stays);
    tcase_add_test(c, without_memory_there_is_none);
    suite_add_tcase(s, c);
    return s;
}
