/*
 * URIs that are equal and not: the examples of the RFCs and what the field sends (RFC 3261 §19.1.4, RFC 3966 §4).
 */
#include <stdio.h>

#include "base/def.h"
#include "unit/uri_text.h"

Suite *suite_uri_eq(void);

static bool
eq(const char *a, const char *b)
{
    struct uri x = uri_text(a), y = uri_text(b);

    must_for(x.whole, uri_eq(&x, &x));
    must_for(y.whole, uri_eq(&y, &y));
    must_for(x.whole, uri_eq(&x, &y) == uri_eq(&y, &x));
    return uri_eq(&x, &y);
}

/* The sets that RFC 3261 §19.1.4 prints. */
START_TEST(equal_as_printed)
{
    ck_assert(eq("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
    ck_assert(eq("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
    ck_assert(eq("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"));
    ck_assert(eq("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"));
    ck_assert(eq("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                 "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
    ck_assert(eq("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                 "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
}
END_TEST

START_TEST(unequal_as_printed)
{
    ck_assert(!eq("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
    ck_assert(!eq("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
    ck_assert(!eq("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
    ck_assert(!eq("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
    ck_assert(!eq("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
    ck_assert(!eq("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
    /* Equality is not transitive. */
    ck_assert(eq("sip:carol@chicago.com", "sip:carol@chicago.com;security=off"));
    ck_assert(!eq("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
    /* §19.1.6 */
    ck_assert(!eq("sip:+358-555-1234567;postd=pp22@foo.com;user=phone",
                  "sip:+358-555-1234567;POSTD=PP22@foo.com;user=phone"));
    ck_assert(!eq("sip:+358-555-1234567;postd=pp22;isub=1411@foo.com;user=phone",
                  "sip:+358-555-1234567;isub=1411;postd=pp22@foo.com;user=phone"));
}
END_TEST

START_TEST(equal_addresses)
{
    ck_assert(eq("sip:bob@[::ffff:192.0.2.128]", "sip:bob@[::ffff:c000:280]"));
    ck_assert(eq("sip:bob@[2001:db8::9:1]", "sip:bob@[2001:db8::9:01]"));
    ck_assert(eq("sip:bob@[0:0:0:0:0:FFFF:129.144.52.38]", "sip:bob@[::FFFF:129.144.52.38]"));
    ck_assert(!eq("sip:bob@[2001:db8::9:1]", "sip:bob@[2001:db8::9:2]"));
    ck_assert(!eq("sip:bob@[::ffff:192.0.2.1]", "sip:bob@192.0.2.1"));
    /* … and where a parameter names one, with brackets or, as some write it, without */
    ck_assert(eq("sip:h;maddr=[2001:DB8:0::1]", "sip:h;maddr=[2001:db8::1]"));
    ck_assert(eq("sip:h;maddr=2001:db8::1", "sip:h;maddr=[2001:db8:0:0::1]"));
    ck_assert(eq("sip:h;maddr=%5B2001:db8::1%5D", "sip:h;maddr=[2001:db8::01]"));
    ck_assert(!eq("sip:h;maddr=[2001:db8::1]", "sip:h;maddr=[2001:db8::2]"));
    ck_assert(!eq("sip:h;maddr=[::ffff:192.0.2.1]", "sip:h;maddr=192.0.2.1"));
    ck_assert(eq("sip:h;maddr=Host", "sip:h;maddr=hOST"));
    ck_assert(!eq("sip:h;maddr=10.0.0.1", "sip:h;maddr=10.0.0.2"));
    ck_assert(!eq("sip:h;maddr=:", "sip:h;maddr=[:]"));
}
END_TEST

START_TEST(parts_that_count)
{
    ck_assert(!eq("sip:a@h", "sips:a@h"));
    ck_assert(!eq("sip:a@h", "sip:h"));
    ck_assert(!eq("sip:@h", "sip:h"));
    ck_assert(!eq("sip:a:x@h", "sip:a@h"));
    ck_assert(!eq("sip:a:@h", "sip:a@h"));
    ck_assert(!eq("sip:a:x@h", "sip:a:X@h"));
    ck_assert(!eq("sip:a@h", "sip:a@i"));
    ck_assert(!eq("sip:a@h", "sip:a@hh"));
    ck_assert(!eq("sip:a@h", "sip:a@h;user=phone"));
    ck_assert(!eq("sip:a@h", "sip:a@h;ttl=1"));
    ck_assert(!eq("sip:a@h", "sip:a@h;method=INVITE"));
    ck_assert(!eq("sip:a@h;method=invite", "sip:a@h;method=INVITE"));
    ck_assert(eq("sip:a@h;METHOD=INV%49TE", "sip:a@h;method=INVITE"));
    ck_assert(!eq("sip:a@h", "sip:a@h;maddr=h"));
    ck_assert(!eq("sip:a@h", "sip:a@h;t%72ansport=udp"));
    ck_assert(eq("sip:a@h;t%72ansport=ud%70", "sip:a@h;transport=UDP"));
    ck_assert(eq("sip:a@h;lr", "sip:a@h"));
    ck_assert(!eq("sip:a@h;lr", "sip:a@h;lr=on"));
    ck_assert(eq("sip:a@h;lr", "sip:a@h;LR="));
    ck_assert(!eq("sip:a@h;x=1;x=2", "sip:a@h;x=1"));
    ck_assert(!eq("sip:a@h?x=1", "sip:a@h?x=2"));
    ck_assert(!eq("sip:a@h?x=1", "sip:a@h?x=1&y=2"));
    ck_assert(eq("sip:a@h?X=ab", "sip:a@h?x=%41B"));
    ck_assert(eq("sip:a@h;;ttl=1;", "sip:a@h;ttl=1"));
}
END_TEST

START_TEST(escapes_of_reserved_characters_count)
{
    ck_assert(eq("sip:%7eb@h", "sip:~b@h"));
    ck_assert(eq("sip:%7Eb@h", "sip:%7eb@h"));
    ck_assert(eq("sip:a%23b@h", "sip:a#b@h"));
    ck_assert(!eq("sip:%2b1@h", "sip:+1@h"));
    ck_assert(eq("sip:%2b1@h", "sip:%2B1@h"));
    ck_assert(!eq("sip:%61@h", "sip:%41@h"));
    ck_assert(!eq("sip:a%00b@h", "sip:a%00c@h"));
    ck_assert(uri_text_eq(SPAN("%61"), SPAN("a")));
    ck_assert(!uri_text_eq(SPAN("%61"), SPAN("A")));
    ck_assert(!uri_text_eq(SPAN("%40"), SPAN("@")));
    ck_assert(!uri_text_eq(SPAN("ab"), SPAN("a")));
    ck_assert(uri_text_eq(SPAN(""), (struct span){ NULL, 0 }));
    ck_assert(uri_text_eq(SPAN("%6"), SPAN("%6")));
    ck_assert(!uri_text_eq(SPAN("%25"
                                "61"),
                           SPAN("a")));
}
END_TEST

START_TEST(tel_equality)
{
    ck_assert(eq("tel:+1-201-555-0123", "TEL:+12015550123"));
    ck_assert(eq("tel:+1(201)555.0123", "tel:+12015550123"));
    ck_assert(!eq("tel:+12015550123", "tel:12015550123"));
    ck_assert(eq("tel:+358-555-1234567;postd=pp22", "tel:+358-555-1234567;POSTD=PP22"));
    ck_assert(eq("tel:+358-555-1234567;postd=pp22;isub=1411",
                 "tel:+358-555-1234567;isub=1411;postd=pp22"));
    ck_assert(!eq("tel:+1;postd=pp22", "tel:+1"));
    ck_assert(eq("tel:7042;phone-context=Example.com", "tel:7042;phone-context=example.COM"));
    ck_assert(!eq("tel:7042;phone-context=ex-ample.com", "tel:7042;phone-context=example.com"));
    ck_assert(eq("tel:7042;phone-context=+1-914", "tel:7042;phone-context=+1914"));
    ck_assert(eq("tel:+1;ext=1-2", "tel:+1;ext=12"));
    ck_assert(!eq("tel:+1;ext=12", "tel:+1;ext=13"));
    ck_assert(eq("tel:1a", "tel:1A"));
    /* The parameter that only one has matters, whichever it is (§4). */
    ck_assert(!eq("tel:+1;isub=1", "tel:+1"));
    ck_assert(!eq("tel:+1", "tel:+1;ext=1"));
    ck_assert(!eq("tel:+1", "tel:+1;m-new"));
    ck_assert(!eq("tel:7042;phone-context=example.com", "tel:7042"));
    ck_assert(!eq("tel:7042;phone-context=example.com", "tel:7042;phone-context=+1"));
    ck_assert(!eq("tel:+1;isub=1-2", "tel:+1;isub=12"));
    ck_assert(eq("tel:+1;isub=aB", "tel:+1;isub=Ab"));
    ck_assert(eq("tel:863-1234;phone-context=+1-914-555", "tel:8631234;phone-context=+1914555"));
    ck_assert(!eq("tel:863-1234;phone-context=+1-914-555", "tel:863-1234;phone-context=1914555"));
    ck_assert(!eq("tel:+1-201-555-0123", "sip:+1-201-555-0123@h;user=phone"));
}
END_TEST

START_TEST(other_equality)
{
    ck_assert(eq("URN:service:sos", "urn:service:sos"));
    ck_assert(!eq("urn:service:sos", "urn:service:SOS"));
    ck_assert(!eq("http:a", "https:a"));
    ck_assert(!eq("urn:a", "sip:a"));
}
END_TEST

/* A hundred in another order are the same. */
START_TEST(order_of_many_parts)
{
    char a[600] = "sip:h", b[600] = "sip:h";
    char *x = a + 5, *y = b + 5;

    for (unsigned i = 0; i < 100; i++) {
        x += sprintf(x, ";p%u", i);
        y += sprintf(y, ";P%u", 99 - i);
    }
    ck_assert(eq(a, b));
    y[-1] = 'x'; /* P0 has become Px, which is in one of them only */
    ck_assert(eq(a, b));
    memcpy(y, ";ttl=1", 7);
    ck_assert(!eq(a, b));
}
END_TEST

Suite *
suite_uri_eq(void)
{
    Suite *s = suite_create("uri_eq");
    TCase *c = tcase_create("all");

    tcase_add_test(c, equal_as_printed);
    tcase_add_test(c, unequal_as_printed);
    tcase_add_test(c, equal_addresses);
    tcase_add_test(c, parts_that_count);
    tcase_add_test(c, escapes_of_reserved_characters_count);
    tcase_add_test(c, tel_equality);
    tcase_add_test(c, other_equality);
    tcase_add_test(c, order_of_many_parts);
    suite_add_tcase(s, c);
    return s;
}
