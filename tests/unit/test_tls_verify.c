/*
 * For which SIP domains a certificate speaks (RFC 5922 §7.1, §7.2).
 */
#include <check.h>
#include <string.h>

#include "base/def.h"
#include "tls/verify.h"

Suite *suite_tls_verify(void);

#define DNS(text)                  \
    {                              \
        SAN_DNS,                   \
        {                          \
            text, sizeof(text) - 1 \
        }                          \
    }
#define URI(text)                  \
    {                              \
        SAN_URI,                   \
        {                          \
            text, sizeof(text) - 1 \
        }                          \
    }
#define IP(text)                   \
    {                              \
        SAN_IP,                    \
        {                          \
            text, sizeof(text) - 1 \
        }                          \
    }

enum { SANS = 4 };

static const struct {
    struct san sans[SANS];
    const char *host;
    bool covers;
} cases[] = {
    /* whole names, without case */
    { { DNS("example.com") }, "example.com", true },
    { { DNS("Example.COM") }, "eXample.com", true },
    { { DNS("example.com") }, "example.com.", true },
    { { DNS("example.com.") }, "example.com", true },
    { { DNS("example.com") }, "foo.example.com", false },
    { { DNS("foo.example.com") }, "example.com", false },
    { { DNS("example.com") }, "example.co", false },
    { { DNS("example.com") }, "", false },
    { { DNS("a.example.com"), DNS("b.example.com") }, "b.example.com", true },
    /* no wildcard of any form */
    { { DNS("*.example.com") }, "foo.example.com", false },
    { { DNS("*.example.com") }, "*.example.com", true },
    { { DNS(".example.com") }, "foo.example.com", false },
    { { DNS("*") }, "com", false },
    { { URI("sip:*.example.com") }, "foo.example.com", false },
    /* URIs: sip only, without a user; parameters and ports say nothing */
    { { URI("sip:example.com") }, "example.com", true },
    { { URI("SIP:example.com") }, "example.com", true },
    { { URI("sip:example.com:5061;transport=tls") }, "example.com", true },
    { { URI("sips:example.com") }, "example.com", false },
    { { URI("https://example.com") }, "example.com", false },
    { { URI("im:example.com") }, "example.com", false },
    { { URI("sip:alice@example.com") }, "example.com", false },
    { { URI("sip:") }, "example.com", false },
    { { URI("") }, "example.com", false },
    /* DNS names count only where there is no such URI */
    { { URI("sip:example.com"), DNS("example.net") }, "example.net", false },
    { { DNS("example.net"), URI("sip:example.com") }, "example.com", true },
    { { DNS("example.net"), URI("sips:example.com") }, "example.net", true },
    { { DNS("example.net"), URI("sip:alice@example.com") }, "example.net", true },
    /* a NUL within ends nothing */
    { { DNS("example.com\0.evil.org") }, "example.com", false },
    { { URI("sip:example.com\0.evil.org") }, "example.com", false },
    /* addresses */
    { { IP("\300\000\002\001") }, "192.0.2.1", true },
    { { IP("\300\000\002\001") }, "192.0.2.2", false },
    { { IP("\040\001\015\270\0\0\0\0\0\0\0\0\0\0\0\001") }, "[2001:db8::1]", true },
    { { IP("\040\001\015\270\0\0\0\0\0\0\0\0\0\0\0\001") }, "[2001:DB8:0::1]", true },
    { { IP("\040\001\015\270\0\0\0\0\0\0\0\0\0\0\0\001") }, "[2001:db8::2]", false },
    { { IP("\300\000\002\001") }, "example.com", false },
    { { URI("sip:192.0.2.1") }, "192.0.2.1", true },
    { { URI("sip:[2001:db8::1]") }, "[2001:db8:0:0::1]", true },
    { { DNS("example.com"), IP("\300\000\002\001") }, "192.0.2.1", true },
    /* nothing speaks for nobody */
    { { { SAN_DNS, { NULL, 0 } } }, "example.com", false },
};

static size_t
count(const struct san *sans)
{
    size_t n = 0;

    while (n < SANS && sans[n].value.at)
        n++;
    return n;
}

START_TEST(a_certificate_speaks_for_whole_names)
{
    const struct san *sans = cases[_i].sans;

    ck_assert_int_eq(verify_covers(sans, count(sans), span_of(cases[_i].host)), cases[_i].covers);
}
END_TEST

START_TEST(identities_are_counted_out)
{
    const struct san both[] = { DNS("a.example"), URI("sip:b.example"), URI("sip:x@c.example"),
                                URI("sip:d.example;x=y") };
    const struct san names[] = { DNS("a.example"), IP("\1\2\3\4"), DNS("b.example") };

    ck_assert(span_eq(verify_identity(both, countof(both), 0), SPAN("b.example")));
    ck_assert(span_eq(verify_identity(both, countof(both), 1), SPAN("d.example")));
    ck_assert_uint_eq(verify_identity(both, countof(both), 2).len, 0);
    ck_assert(span_eq(verify_identity(names, countof(names), 0), SPAN("a.example")));
    ck_assert(span_eq(verify_identity(names, countof(names), 1), SPAN("b.example")));
    ck_assert_uint_eq(verify_identity(names, countof(names), 2).len, 0);
    ck_assert_uint_eq(verify_identity(NULL, 0, 0).len, 0);
}
END_TEST

Suite *
suite_tls_verify(void)
{
    Suite *suite = suite_create("tls_verify");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, a_certificate_speaks_for_whole_names, 0, countof(cases));
    tcase_add_test(all, identities_are_counted_out);
    suite_add_tcase(suite, all);
    return suite;
}
