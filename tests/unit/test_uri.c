/*
 * URIs that are read, refused and written: the examples of the RFCs and what the field sends
 * (RFC 3261 §10.3, §19.1, RFC 3966, RFC 4475, RFC 5118, RFC 5954).
 */
#include "sip/uri.h"

#include <stdio.h>

#include "base/def.h"
#include "base/rand.h"
#include "unit/uri_text.h"

/* All parts as one text: scheme|user|password|host|port|params|headers, with @ before a user part. */
static const char *
parts(const struct uri *u)
{
    static char out[512];

    snprintf(out, sizeof out, "%.*s|%s%.*s|%.*s|%.*s|%u|%.*s|%.*s", SPAN_ARG(u->scheme_text),
             u->has_user ? "@" : "", SPAN_ARG(u->user), SPAN_ARG(u->password), SPAN_ARG(u->host),
             u->port, SPAN_ARG(u->params), SPAN_ARG(u->headers));
    return out;
}

START_TEST(sip_is_read)
{
    static const struct {
        const char *text, *want;
    } good[] = {
        { "sip:atlanta.com", "sip|||atlanta.com|0||" },
        { "SIPS:alice:secretword@atlanta.com;transport=tcp",
          "SIPS|@alice|secretword|atlanta.com|0|transport=tcp|" },
        { "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
          "sips|@alice||atlanta.com|0||subject=project%20x&priority=urgent" },
        { "sip:+1-212-555-1212:1234@gateway.com;user=phone",
          "sip|@+1-212-555-1212|1234|gateway.com|0|user=phone|" },
        { "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
          "sip|||atlanta.com|0|method=REGISTER|to=alice%40atlanta.com" },
        { "sip:alice;day=tuesday@atlanta.com", "sip|@alice;day=tuesday||atlanta.com|0||" },
        { "sip:a?b=c;d@h:5060;lr?x=y?z", "sip|@a?b=c;d||h|5060|lr|x=y?z" },
        { "sip:user;par=u%40example.net@example.com",
          "sip|@user;par=u%40example.net||example.com|0||" },
        { "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com",
          "sip|@1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*||example.com|0||" },
        { "sip:sips%3Auser%40example.com@example.net",
          "sip|@sips%3Auser%40example.com||example.net|0||" },
        { "sip:null-%00-null@example.com", "sip|@null-%00-null||example.com|0||" },
        { "sip:2723;phone-context=ims.mnc001.mcc001.3gppnetwork.org@example.com;user=phone",
          "sip|@2723;phone-context=ims.mnc001.mcc001.3gppnetwork.org||example.com|0|user=phone|" },
        { "sip:PBX#1000#905448737777@192.0.2.20", "sip|@PBX#1000#905448737777||192.0.2.20|0||" },
        { "sip:10,20@example.com", "sip|@10,20||example.com|0||" },
        { "sip:**@backup01.sipphone.com", "sip|@**||backup01.sipphone.com|0||" },
        { "sip:a@my_pbx_01.example.com", "sip|@a||my_pbx_01.example.com|0||" },
        { "sip:@example.com", "sip|@||example.com|0||" },
        { "sip:a:@h", "sip|@a||h|0||" },
        { "sip:00:11:22@h", "sip|@00|11:22|h|0||" },
        { "sip:sip:bob@example.com", "sip|@sip|bob|example.com|0||" },
        { "sip:h:1", "sip|||h|1||" },
        { "sip:h:65535", "sip|||h|65535||" },
        { "sip:h:05060", "sip|||h|5060||" },
        { "sip:host.", "sip|||host.|0||" },
        { "sip:3com.example", "sip|||3com.example|0||" },
        { "sip:h;", "sip|||h|0||" },
        { "sip:h?", "sip|||h|0||" },
        { "sip:h;;a=;b", "sip|||h|0|;a=;b|" },
        { "sip:h?to=a%40b", "sip|||h|0||to=a%40b" },
        { "sip:u@h?to=a@b", "sip|@u||h|0||to=a@b" },
        { "sip:u@h;aor=a@b?c=d@e", "sip|@u||h|0|aor=a@b|c=d@e" },
        { "sip:192.0.2.1:5060", "sip|||192.0.2.1|5060||" },
        { "sip:[2001:db8::10]", "sip|||[2001:db8::10]|0||" },
        { "sip:[2001:db8::10:5070]", "sip|||[2001:db8::10:5070]|0||" },
        { "sip:[2001:db8::10]:5070", "sip|||[2001:db8::10]|5070||" },
        { "sip:test@[2001:db8::5]:5060;alias=2001:db8::99~5060~1",
          "sip|@test||[2001:db8::5]|5060|alias=2001:db8::99~5060~1|" },
        { "sip:user@[2001:db8::192.0.2.1]", "sip|@user||[2001:db8::192.0.2.1]|0||" },
        { "sip:ted@[::ffff:192.0.2.2]", "sip|@ted||[::ffff:192.0.2.2]|0||" },
        { "sip:127.0.0.1:443;transport=wss;thinfo=\"VG8+PoIUYHSD/sWAZZw/BCEaSdGA=\"",
          "sip|||127.0.0.1|443|transport=wss;thinfo=\"VG8+PoIUYHSD/sWAZZw/BCEaSdGA=\"|" },
        { "sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31",
          "sip|@cal%6Cer||host5.example.net|0|%6C%72;n%61me=v%61lue%25%34%31|" },
    };

    for (size_t i = 0; i < countof(good); i++) {
        struct uri uri = uri_text(good[i].text);

        must_text(uri.whole, good[i].text);
        must_text(span_of(parts(&uri)), good[i].want);
    }
}
END_TEST

START_TEST(schemes_are_told)
{
    ck_assert_int_eq(uri_text("SiP:h").scheme, URI_SIP);
    ck_assert_int_eq(uri_text("sips:h").scheme, URI_SIPS);
    ck_assert_int_eq(uri_text("Tel:1").scheme, URI_TEL);
    ck_assert_int_eq(uri_text("http://www.example.com").scheme, URI_OTHER);
    must_text(uri_text("soap.beep://192.0.2.103:3002").scheme_text, "soap.beep");
    must_text(uri_text("urn:service:sos").rest, "service:sos");
    must_text(uri_text("name:John_Smith").rest, "John_Smith");
    must_text(uri_text("x-a+b.c:%zz").scheme_text, "x-a+b.c");
}
END_TEST

START_TEST(others_are_refused)
{
    static const char *const bad[] = {
        "",
        ":",
        "sip",
        "sip:",
        "sips:",
        "tel:",
        "1sip:h",
        "s ip:h",
        " sip:h",
        "sip:h ",
        "sip :h",
        "sip: h",
        "-a:b",
        "urn:",
        "sip:u@",
        "sip:u@:5060",
        "sip:sipp@;rinstance=1234",
        "sip::pw@h",
        "sip:a b@h",
        "sip:a\tb@h",
        "sip:a<b@h",
        "sip:a>b@h",
        "sip:\"a\"@h",
        "sip:a\x01@h",
        "sip:a\x7f@h",
        "sip:\xc3\xa9@h",
        "sip:%@h",
        "sip:%4@h",
        "sip:%4g@h",
        "sip:%g4@h",
        "sip:u%4",
        "sip:u:%zz@h",
        "sip:a@b@c",
        "sip:h:",
        "sip:h:0",
        "sip:h:65536",
        "sip:h:99999999999999999999",
        "sip:h:-1",
        "sip:h:5060x",
        "sip:h:50 60",
        "sip:h: 5060",
        "sip:u@h%41",
        "sip:h/x",
        "sip:h,i",
        "sip:.",
        "sip:.h",
        "sip:a..b",
        "sip:h..",
        "sip:100",
        "sip:a.100",
        "sip:bob@444.555.666.777",
        "sip:1.2.3",
        "sip:01.2.3.4",
        "sip:2001:db8::10",
        "sip:[",
        "sip:[]",
        "sip:[2001:db8::10",
        "sip:2001:db8::10]",
        "sip:[1.2.3.4]",
        "sip:[::1]x",
        "sip:[::1]5060",
        "sip:[fe80::1%25eth0]",
        "sip:[2001:db8:::1]",
        "sip:h;a=%",
        "sip:h;a=%4",
        "sip:h;a b",
        "sip:h;<",
        "sip:h;a=\x01",
        "sip:h?a=%x",
        "sip:h?a>",
        "sip:twolmsted@192.0.2.253, sip:5060",
        "<sip:h>",
        "<http:h>",
        "urn:a b",
        "urn:a<",
        "urn:\x01",
        "tel:+",
        "tel:-",
        "tel:+12x",
        "tel:x",
        "tel:1?a=b",
        "tel:1;a=%4",
        "tel:1@h",
        "tel:%2B1",
        "tel:1;a b",
        "\"pippo\" <sip:1060@example.com",
    };
    struct uri uri;

    for (size_t i = 0; i < countof(bad); i++)
        must_for(span_of(bad[i]), uri_read(span_of(bad[i]), &uri) == SIPD_ESYNTAX);
    must(uri_read(SPAN("sip:a\0b@h"), &uri) == SIPD_ESYNTAX);
    must(uri_read(SPAN("sip:h\0"), &uri) == SIPD_ESYNTAX);
}
END_TEST

START_TEST(tel_is_read)
{
    static const struct {
        const char *text, *want;
    } good[] = {
        { "tel:+1-201-555-0123", "tel|+1-201-555-0123||||" },
        { "tel:7042;phone-context=example.com", "tel|7042|||phone-context=example.com|" },
        { "tel:863-1234;phone-context=+1-914-555", "tel|863-1234|||phone-context=+1-914-555|" },
        { "tel:1234;phone-context=munich.example.com",
          "tel|1234|||phone-context=munich.example.com|" },
        { "tel:+1-212-555-0101", "tel|+1-212-555-0101||||" },
        { "tel:+1-201-555-0111", "tel|+1-201-555-0111||||" },
        { "tel:+1-555-438-3732", "tel|+1-555-438-3732||||" },
        { "tel:+1-900-555-0191", "tel|+1-900-555-0191||||" },
        { "tel:*21#", "tel|*21#||||" },
        { "tel:+358-555-1234567;postd=pp22", "tel|+358-555-1234567|||postd=pp22|" },
        { "tel:(020)1.2-ABC", "tel|(020)1.2-ABC||||" },
    };

    for (size_t i = 0; i < countof(good); i++) {
        struct uri u = uri_text(good[i].text);
        char out[256];

        snprintf(out, sizeof out, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s", SPAN_ARG(u.scheme_text),
                 SPAN_ARG(u.user), SPAN_ARG(u.password), SPAN_ARG(u.host), SPAN_ARG(u.params),
                 SPAN_ARG(u.headers));
        must_text(span_of(out), good[i].want);
        must(u.port == 0 && !u.has_user);
    }
}
END_TEST

/* More parts than anybody sends are compared as bytes; still equal to themselves, and quick. */
START_TEST(many_parts)
{
    static char a[40001], b[sizeof a];
    struct uri x, y;

    for (int headers = 0; headers < 2; headers++) {
        for (size_t i = 6; i + 1 < sizeof a; i += 2) {
            a[i] = (char)('a' + i / 2 % 26);
            a[i + 1] = headers ? '&' : ';';
        }
        memcpy(a, headers ? "sip:h?" : "sip:h;", 6);
        memcpy(b, a, sizeof a);
        b[6] = 'z';
        x = uri_text(a);
        y = uri_text(b);
        must(uri_eq(&x, &x));
        must(!uri_eq(&x, &y));
        must(!uri_eq(&y, &x));
    }
}
END_TEST

START_TEST(params_are_found)
{
    struct uri uri = uri_text("sip:a;x=no@h;Transport=TCP;l%72;empty=;q=\"a\"?lr=1");
    struct span value = SPAN("untouched");

    ck_assert(!uri_param(&uri, SPAN("x"), &value));
    must_text(value, "untouched");
    ck_assert(uri_param(&uri, SPAN("transport"), &value));
    must_text(value, "TCP");
    ck_assert(uri_param(&uri, SPAN("lr"), &value));
    must_text(value, "");
    ck_assert(uri_param(&uri, SPAN("EMPTY"), NULL));
    ck_assert(uri_param(&uri, SPAN("q"), &value));
    must_text(value, "\"a\"");
    ck_assert(!uri_param(&uri, SPAN("tran"), NULL));
}
END_TEST

START_TEST(records_are_written)
{
    static const struct {
        const char *text, *want;
    } records[] = {
        { "SIP:Alice@Atlanta.COM", "sip:Alice@atlanta.com" },
        { "sips:%61lice:pw@atlanta.com:5061;transport=tcp?a=b", "sips:alice@atlanta.com" },
        { "sip:%40%3a%2b%23%3b@h", "sip:%40%3A+#;@h" },
        { "sip:null-%00-%c3%a9%20%3c%22%25@h", "sip:null-%00-%C3%A9%20%3C%22%25@h" },
        { "sip:user;par=u%40example.net@Example.com", "sip:user;par=u%40example.net@example.com" },
        { "sip:@Example.com", "sip:example.com" },
        { "sip:Example.com;lr", "sip:example.com" },
        { "sip:a@[2001:DB8::1]:5060", "sip:a@[2001:db8::1]" },
        { "sip:a@[2001:DB8:0::1]", "sip:a@[2001:db8::1]" },
        { "sip:a@[2001:0db8:0:0:0:0:0:0001]", "sip:a@[2001:db8::1]" },
        { "sip:a@[::ffff:192.0.2.128]", "sip:a@[::ffff:c000:280]" },
        { "sip:a@[::ffff:c000:280]", "sip:a@[::ffff:c000:280]" },
        { "sip:a@[::]", "sip:a@[::]" },
        { "sip:a@[0:0:0:0:0:0:0:0]", "sip:a@[::]" },
        { "sip:a@[1::]", "sip:a@[1::]" },
        { "sip:a@[::1.2.3.4]", "sip:a@[::102:304]" },
        { "sip:a@[1:2:3:4:5:6::8]", "sip:a@[1:2:3:4:5:6::8]" },
        { "sip:a@[1:2:3:4:5:6:0:8]", "sip:a@[1:2:3:4:5:6::8]" },
        { "sip:a@[0:2:3:4:5:6:7:8]", "sip:a@[::2:3:4:5:6:7:8]" },
        { "sip:a@[0:0:1:0:0:1:2:3]", "sip:a@[0:0:1::1:2:3]" },
        { "sip:a@[1:0:0:2:0:0:0:3]", "sip:a@[1:0:0:2::3]" },
        { "sip:a@[1:0:0:2:0:0:3:4]", "sip:a@[1::2:0:0:3:4]" },
        { "sip:a@[1:2:3:4:5:6:7:0]", "sip:a@[1:2:3:4:5:6:7::]" },
        { "sip:a@[abcd:f:10:100:1000:10a:a:0a00]", "sip:a@[abcd:f:10:100:1000:10a:a:a00]" },
        { "TEL:+1-201-555-0123;ext=5", "tel:+12015550123" },
        { "tel:(70)4-A;phone-context=Example.COM;x=y", "tel:704a;phone-context=example.com" },
        { "tel:%2A70-42;phone-context=+1-914", "tel:*7042;phone-context=+1914" },
        { "tel:7;phone-context=%65x%3bB", "tel:7;phone-context=ex%3Bb" },
        { "tel:7042;phone-context", "tel:7042" },
        { "tel:7;phone-context=%22%61%20", "tel:7;phone-context=\"a%20" },
        { "tel:7;phone-context=\"a%20", "tel:7;phone-context=\"a%20" },
        { "URN:Service:sos", "urn:Service:sos" },
    };

    for (size_t i = 0; i < countof(records); i++) {
        struct uri uri = uri_text(records[i].text);
        size_t want = strlen(records[i].want);
        char to[128];

        must(want <= uri.whole.len);
        must_for(uri.whole, uri_aor_write(&uri, to, uri.whole.len) == (int)want);
        must_text(((struct span){ to, want }), records[i].want);
        must(uri_aor_write(&uri, to, want) == (int)want);
        must(uri_aor_write(&uri, to, want - 1) == SIPD_ETOOBIG);
        must(uri_aor_write(&uri, NULL, 0) == SIPD_ETOOBIG);
    }
}
END_TEST

/* What is found at sight is what reading and writing makes. */
static bool
is_found(struct span text)
{
    struct span aor, host;
    uint16_t port = 4711;
    struct uri uri;
    char to[64];
    int len;

    if (!uri_aor_find(text, &aor, &host, &port))
        return false;
    must_for(text, uri_read(text, &uri) == SIPD_OK);
    len = uri_aor_write(&uri, to, sizeof to);
    must_for(text, len > 0 && span_eq(aor, (struct span){ to, (size_t)len }));
    must_for(text, aor.at == text.at && span_eq(host, uri.host) && port == uri.port);
    return true;
}

START_TEST(records_are_found)
{
    static const char *const there[] = {
        "sip:a@b",
        "sip:Alice.B-c_d!~*'()@example.com",
        "sip:+4930123@voice.example.com:5060",
        "sip:1@192.0.2.1",
        "sip:1@192.0.2.1:65535",
        "sip:a@1.b",
        "sip:a@b-",
    };
    static const char *const elsewhere[] = {
        "",          "sip:",          "sip:a",       "sip:a@",          "sip:@b",
        "sips:a@b",  "SIP:a@b",       "sip:a@B",     "sip:a:pw@b",      "sip:%61@b",
        "sip:a;x@b", "sip:a@b;x",     "sip:a@b?x=y", "sip:a@b.",        "sip:a@b..c",
        "sip:a@.b",  "sip:a@[::1]",   "sip:a@1.2.3", "sip:a@1.2.3.256", "sip:a@b:",
        "sip:a@b:0", "sip:a@b:65536", "sip:a@b:1;x", "sip:a@b@c",       "tel:1",
    };

    for (size_t i = 0; i < countof(there); i++)
        must_for(span_of(there[i]), is_found(span_of(there[i])));
    for (size_t i = 0; i < countof(elsewhere); i++)
        must_for(span_of(elsewhere[i]), !is_found(span_of(elsewhere[i])));
}
END_TEST

START_TEST(many_records_are_found)
{
    static const char letters[] = "aaaa11..@@::-Z;%+0[";
    struct rand rand;
    char text[20] = "sip:";
    unsigned found = 0;

    rand_seed(&rand, 7);
    for (unsigned n = 0; n < 200000; n++) {
        size_t len = 4 + rand_below(&rand, sizeof text - 4);

        for (size_t i = 4; i < len; i++)
            text[i] = letters[rand_below(&rand, sizeof letters - 1)];
        found += is_found((struct span){ text, len });
    }
    must(found > 1000);
}
END_TEST

START_TEST(literals)
{
    ck_assert(uri_host_is_literal(SPAN("192.0.2.1")));
    ck_assert(uri_host_is_literal(SPAN("[::1]")));
    ck_assert(!uri_host_is_literal(SPAN("::1")));
    ck_assert(!uri_host_is_literal(SPAN("[192.0.2.1]")));
    ck_assert(!uri_host_is_literal(SPAN("192.0.2")));
    ck_assert(!uri_host_is_literal(SPAN("example.com")));
    ck_assert(!uri_host_is_literal(SPAN("")));
}
END_TEST

Suite *
suite_uri(void)
{
    Suite *suite = suite_create("uri");
    TCase *all = tcase_create("all");

    tcase_add_test(all, sip_is_read);
    tcase_add_test(all, schemes_are_told);
    tcase_add_test(all, others_are_refused);
    tcase_add_test(all, tel_is_read);
    tcase_add_test(all, many_parts);
    tcase_add_test(all, params_are_found);
    tcase_add_test(all, records_are_written);
    tcase_add_test(all, records_are_found);
    tcase_add_test(all, many_records_are_found);
    tcase_add_test(all, literals);
    suite_add_tcase(suite, all);
    return suite;
}
