/*
 * Telephone numbers: the examples of the RFCs, what is refused, what is the same, and both ways between tel and sip
 * (RFC 3966 §3 to §6, RFC 3261 §19.1.6).
 */
#include "sip/tel.h"

#include <stdio.h>

#include "base/def.h"
#include "sip/uri.h"
#include "unit/text.h"

static struct tel
read(const char *text)
{
    struct tel tel;

    must_for(span_of(text), tel_read(span_of(text), &tel) == SIPD_OK);
    return tel;
}

/* number|context|ext|isub, with G before a global one. */
static const char *
told(const struct tel *t)
{
    static char out[512];

    snprintf(out, sizeof out, "%s%.*s|%.*s|%.*s|%.*s", t->global ? "G" : "", SPAN_ARG(t->number),
             SPAN_ARG(t->context), SPAN_ARG(t->ext), SPAN_ARG(t->isub));
    return out;
}

START_TEST(is_read)
{
    static const struct {
        const char *text, *want;
    } good[] = {
        { "+1-201-555-0123", "G+1-201-555-0123|||" },
        { "7042;phone-context=example.com", "7042|example.com||" },
        { "863-1234;phone-context=+1-914-555", "863-1234|+1-914-555||" },
        { "1234;phone-context=munich.example.com", "1234|munich.example.com||" },
        { "+358-555-1234567;postd=pp22;isub=1411", "G+358-555-1234567|||1411" },
        { "+358-555-1234567;phone-context=5;tsp=a.b", "G+358-555-1234567|5||" },
        { "911;phone-context=+1", "911|+1||" },
        { "*21%23;phone-context=example.com.", "*21%23|example.com.||" },
        { "+1(201)555.0123;EXT=1-2;Phone-Context=x", "G+1(201)555.0123|x|1-2|" },
        { "2723;phone-context=ims.mnc001.mcc001.3gppnetwork.org",
          "2723|ims.mnc001.mcc001.3gppnetwork.org||" },
        { "+1;isub=a,b/c:d@e&f+g$h=%3b", "G+1|||a,b/c:d@e&f+g$h=%3b" },
        { "+1;npdi;rn=+1-201;cic=[x]/%00", "G+1|||" },
        { "abc-DEF", "abc-DEF|||" },
        { "7042", "7042|||" },
        { "+1;;ext=2;", "G+1||2|" },
    };

    for (size_t i = 0; i < countof(good); i++) {
        struct tel tel = read(good[i].text);

        must_text(span_of(told(&tel)), good[i].want);
    }
}
END_TEST

START_TEST(is_refused)
{
    static const char *const bad[] = {
        "",
        "+",
        "-",
        "()",
        "+1a",
        "+1#",
        "+1*2",
        "%2B1",
        "x",
        "1 2",
        "+1-800-FLOWERS",
        "7042:",
        "7042@h",
        ";ext=1",
        "+1;=",
        "+1;=a",
        "+1;a b",
        "+1;a_b=c",
        "+1;a=\"b\"",
        "+1;a=b?c",
        "+1;a?b",
        "+1;a=#",
        "+1;a=%4",
        "+1;a=<",
        "+1;ext",
        "+1;ext=",
        "+1;ext=a",
        "+1;ext=+1",
        "+1;ext=%2B1",
        "7042;phone-context",
        "7042;phone-context=",
        "7042;phone-context=+",
        "7042;phone-context=+1a",
        "7042;phone-context=a/b",
        "7042;phone-context=[::1]",
        "+1;isub",
        "+1;isub=",
        "+1;isub=a\"b",
        "+1;ext=1;isub=2", /* at most one of them (§5.3) */
        "+1;ext=1;ext=1",
        "+1;a=b;A=b",
        "+1;a;%61",
        "7;phone-context=a;Phone-Context=b", /* none more than once (§3) */
    };
    struct tel tel;

    for (size_t i = 0; i < countof(bad); i++)
        must_for(span_of(bad[i]), tel_read(span_of(bad[i]), &tel) == SIPD_ESYNTAX);
    must(tel_read(SPAN("+1;a=b\0"), &tel) == SIPD_ESYNTAX);
    must(tel_read(SPAN("+1\0"), &tel) == SIPD_ESYNTAX);
}
END_TEST

/* Thirty-two parameters are read and written; more are not. */
START_TEST(has_a_ceiling_on_parameters)
{
    char text[256] = "+1", out[256];
    struct tel tel;
    int len;

    for (unsigned i = 0; i < 32; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), ";p%02u", 31 - i);
    tel = read(text);
    len = tel_write(&tel, out, sizeof out);
    ck_assert_int_eq(len, 4 + 2 + 32 * 4);
    must(span_starts((struct span){ out, (size_t)len }, SPAN("tel:+1;p00;p01;p02;")));
    snprintf(text + strlen(text), sizeof text - strlen(text), ";p99");
    must(tel_read(span_of(text), &tel) == SIPD_ESYNTAX);
}
END_TEST

static bool
eq(const char *a, const char *b)
{
    struct tel x = read(a), y = read(b);

    must_for(x.number, tel_eq(&x, &x));
    must_for(x.number, tel_eq(&x, &y) == tel_eq(&y, &x));
    return tel_eq(&x, &y);
}

START_TEST(same_by_section_4)
{
    ck_assert(eq("+1-201-555-0123", "+1(201)555.01-23"));
    ck_assert(!eq("+1-201-555-0123", "1-201-555-0123;phone-context=+1"));
    ck_assert(!eq("+12015550123", "12015550123"));
    ck_assert(!eq("+1-201-555-0123", "+1-201-555-012"));
    ck_assert(!eq("+1-201-555-0123", "+1-201-555-01234"));
    ck_assert(eq("7042;phone-context=example.com", "70-42;phone-context=EXAMPLE.com"));
    ck_assert(!eq("7042;phone-context=example.com", "7042;phone-context=exam-ple.com"));
    ck_assert(!eq("7042;phone-context=example.com", "7042;phone-context=example.org"));
    ck_assert(!eq("7042;phone-context=example.com", "7042"));
    ck_assert(eq("863-1234;phone-context=+1-914-555", "8631234;phone-context=+1(914).555"));
    ck_assert(!eq("8631234;phone-context=+1914", "8631234;phone-context=+1915"));
    ck_assert(!eq("8631234;phone-context=+1914", "8631234;phone-context=1914"));
    ck_assert(eq("ab12;phone-context=x", "AB12;phone-context=X"));
    ck_assert(eq("+1;ext=12", "+1;EXT=1-2"));
    ck_assert(!eq("+1;ext=12", "+1;ext=13"));
    ck_assert(!eq("+1;ext=12", "+1"));
    ck_assert(eq("+1;isub=aB", "+1;ISUB=Ab"));
    ck_assert(!eq("+1;isub=1-2", "+1;isub=12"));
    ck_assert(eq("+358-555-1234567;postd=pp22", "+358-555-1234567;POSTD=PP22"));
    ck_assert(eq("+358-555-1234567;postd=pp22;isub=1411", "+358-555-1234567;isub=1411;postd=pp22"));
    ck_assert(
        eq("+358-555-1234567;tsp=a.b;phone-context=5", "+358-555-1234567;phone-context=5;tsp=a.b"));
    ck_assert(!eq("+1;a=b", "+1;a=c"));
    ck_assert(!eq("+1;a=b", "+1;a=b;c=d"));
    ck_assert(!eq("+1;a", "+1;b"));
    ck_assert(!eq("+1;a=1-2", "+1;a=12"));
    ck_assert(eq("+1;a=%62", "+1;a=B"));
    ck_assert(!eq("+1;a=%2B", "+1;a=+"));
    ck_assert(eq("*21%23", "*21#"));
}
END_TEST

/* uri_eq() compares by the same rule. */
START_TEST(uris_compare_so)
{
    struct uri a, b;

    must(uri_read(SPAN("tel:+1(201)555-0123;x=y;ext=1.2"), &a) == SIPD_OK);
    must(uri_read(SPAN("TEL:+12015550123;EXT=12;X=Y"), &b) == SIPD_OK);
    must(uri_eq(&a, &b));
    must(uri_read(SPAN("tel:12015550123;ext=12;x=y"), &b) == SIPD_OK);
    must(!uri_eq(&a, &b));
    /* What §3 forbids but a URI may be is equal to itself. */
    must(uri_read(SPAN("tel:7;a=1;a=2;ext;isub"), &a) == SIPD_OK);
    must(uri_eq(&a, &a));
}
END_TEST

START_TEST(mandatory_parameters_forbid_use)
{
    struct tel tel = read("+1;ext=1;mx=2;n-m");

    ck_assert(tel_is_usable(&tel));
    tel = read("+1;a=b;m-new=1");
    ck_assert(!tel_is_usable(&tel));
    tel = read("+1;M-new");
    ck_assert(!tel_is_usable(&tel));
    tel = read("+1;m");
    ck_assert(tel_is_usable(&tel));
}
END_TEST

typedef int write_fn(const struct tel *tel, char *to, size_t room);

/* Every room that is too small says so, and what lies beyond stays. */
static struct span
written(const struct tel *tel, write_fn *write)
{
    static char out[256];
    int len = write(tel, out, sizeof out);

    must(len > 0 && (size_t)len < sizeof out);
    for (size_t room = 0; room < (size_t)len; room++) {
        out[room] = '!';
        must(write(tel, out, room) == SIPD_ETOOBIG);
        must(out[room] == '!');
    }
    must(write(tel, out, (size_t)len) == len);
    return (struct span){ out, (size_t)len };
}

static int
write_sip(const struct tel *tel, char *to, size_t room)
{
    return tel_sip_write(tel, false, SPAN("Foo.com"), to, room);
}

static int
write_sips(const struct tel *tel, char *to, size_t room)
{
    return tel_sip_write(tel, true, SPAN("foo.com:5061"), to, room);
}

START_TEST(becomes_sip)
{
    static const struct {
        const char *tel, *sip;
    } cases[] = {
        /* as printed in RFC 3261 §19.1.6 */
        { "+358-555-1234567;postd=pp22", "sip:+358-555-1234567;postd=pp22@foo.com;user=phone" },
        { "+358-555-1234567;POSTD=PP22", "sip:+358-555-1234567;postd=pp22@foo.com;user=phone" },
        { "+358-555-1234567;postd=pp22;isub=1411",
          "sip:+358-555-1234567;isub=1411;postd=pp22@foo.com;user=phone" },
        { "+358-555-1234567;tsp=a.b;phone-context=5",
          "sip:+358-555-1234567;phone-context=5;tsp=a.b@foo.com;user=phone" },
        /* the order of RFC 3966 §3 */
        { "7;z;y=1;x;a-b;a;phone-context=H.example;ext=1-2",
          "sip:7;ext=1-2;phone-context=h.example;a;a-b;x;y=1;z@foo.com;user=phone" },
        { "*21#", "sip:*21%23@foo.com;user=phone" },
        { "*21%23", "sip:*21%23@foo.com;user=phone" },
        { "+1;isub=A:b@c/[d]%3B%41", "sip:+1;isub=a%3Ab%40c/%5Bd%5D%3Ba@foo.com;user=phone" },
    };
    struct tel tel;

    for (size_t i = 0; i < countof(cases); i++) {
        struct span out;
        struct uri uri;

        tel = read(cases[i].tel);
        out = written(&tel, write_sip);
        must_text(out, cases[i].sip);
        must_for(out, uri_read(out, &uri) == SIPD_OK && tel_of_uri(&uri, &tel) == SIPD_OK);
    }
    tel = read("+358-555-1234567;postd=pp22");
    must_text(written(&tel, write_sips),
              "sips:+358-555-1234567;postd=pp22@foo.com:5061;user=phone");
}
END_TEST

START_TEST(comes_from_sip)
{
    static const struct {
        const char *uri, *tel;
    } cases[] = {
        { "sip:+358-555-1234567;postd=pp22@foo.com;user=phone", "tel:+358-555-1234567;postd=pp22" },
        { "sips:+1-212-555-1212:1234@gateway.com;user=PHONE", "tel:+1-212-555-1212" },
        { "sip:*21%23;tsp=A;phone-context=Ims.example@h;user=%70hone",
          "tel:*21#;phone-context=ims.example;tsp=a" },
        { "sip:+1;isub=%5B1%3a@h;user=phone", "tel:+1;isub=[1%3A" },
        { "tel:*%2321;a=%23%5b%3f", "tel:*#21;a=%23[%3F" },
        { "TEL:+1-2;B;A=C", "tel:+1-2;a=c;b" },
    };
    struct tel tel;
    struct uri uri;

    for (size_t i = 0; i < countof(cases); i++) {
        must_for(span_of(cases[i].uri), uri_read(span_of(cases[i].uri), &uri) == SIPD_OK);
        must_for(span_of(cases[i].uri), tel_of_uri(&uri, &tel) == SIPD_OK);
        must_text(written(&tel, tel_write), cases[i].tel);
    }
}
END_TEST

START_TEST(not_every_uri_is_a_number)
{
    static const struct {
        const char *uri;
        int err;
    } cases[] = {
        { "sip:+1-212-555-1212@h", SIPD_ENOENT },
        { "sip:+1@h;user=ip", SIPD_ENOENT },
        { "sip:+1@h;user", SIPD_ENOENT },
        { "urn:service:sos", SIPD_ENOENT },
        { "sip:alice@h;user=phone", SIPD_ESYNTAX },
        { "sip:h;user=phone", SIPD_ESYNTAX },
        { "sip:+1;ext=x@h;user=phone", SIPD_ESYNTAX },
        { "tel:+1;ext=1;ext=2", SIPD_ESYNTAX },
    };
    struct tel tel;
    struct uri uri;

    for (size_t i = 0; i < countof(cases); i++) {
        must_for(span_of(cases[i].uri), uri_read(span_of(cases[i].uri), &uri) == SIPD_OK);
        must_for(span_of(cases[i].uri), tel_of_uri(&uri, &tel) == cases[i].err);
    }
}
END_TEST

/* A number that came without a context may be given one. */
START_TEST(is_given_a_context)
{
    struct tel tel = read("7042;a");

    tel.context = SPAN("Example.com");
    must_text(written(&tel, tel_write), "tel:7042;phone-context=example.com;a");
    tel = read("7042;phone-context=x");
    tel.context = (struct span){ NULL, 0 };
    must_text(written(&tel, tel_write), "tel:7042");
}
END_TEST

START_TEST(digits_alone)
{
    struct tel tel = read("+1(201)555.01-23;ext=1");

    must_text(written(&tel, tel_number_write), "+12015550123");
    tel = read("*AB-%23");
    must_text(written(&tel, tel_number_write), "*ab#");
}
END_TEST

Suite *
suite_tel(void)
{
    Suite *s = suite_create("tel");
    TCase *c = tcase_create("tel");

    tcase_add_test(c, is_read);
    tcase_add_test(c, is_refused);
    tcase_add_test(c, has_a_ceiling_on_parameters);
    tcase_add_test(c, same_by_section_4);
    tcase_add_test(c, uris_compare_so);
    tcase_add_test(c, mandatory_parameters_forbid_use);
    tcase_add_test(c, becomes_sip);
    tcase_add_test(c, comes_from_sip);
    tcase_add_test(c, not_every_uri_is_a_number);
    tcase_add_test(c, is_given_a_context);
    tcase_add_test(c, digits_alone);
    suite_add_tcase(s, c);
    return s;
}
