/*
 * URIs that are read, refused, equal and not: the examples of the RFCs and what the field sends
 * (RFC 3261 §10.3, §19.1, RFC 3966, RFC 4475, RFC 5118, RFC 5954).
 */
#include "sip/uri.h"

#include <stdio.h>

#include "base/def.h"
#include "base/rand.h"
#include "unit/text.h"

static struct uri
read(const char *text)
{
    struct uri uri;

    must_for(span_of(text), uri_read(span_of(text), &uri) == SIPD_OK);
    return uri;
}

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
        struct uri uri = read(good[i].text);

        must_text(uri.whole, good[i].text);
        must_text(span_of(parts(&uri)), good[i].want);
    }
}
END_TEST

START_TEST(schemes_are_told)
{
    ck_assert_int_eq(read("SiP:h").scheme, URI_SIP);
    ck_assert_int_eq(read("sips:h").scheme, URI_SIPS);
    ck_assert_int_eq(read("Tel:1").scheme, URI_TEL);
    ck_assert_int_eq(read("http://www.example.com").scheme, URI_OTHER);
    must_text(read("soap.beep://192.0.2.103:3002").scheme_text, "soap.beep");
    must_text(read("urn:service:sos").rest, "service:sos");
    must_text(read("name:John_Smith").rest, "John_Smith");
    must_text(read("x-a+b.c:%zz").scheme_text, "x-a+b.c");
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
        struct uri u = read(good[i].text);
        char out[256];

        snprintf(out, sizeof out, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s", SPAN_ARG(u.scheme_text),
                 SPAN_ARG(u.user), SPAN_ARG(u.password), SPAN_ARG(u.host), SPAN_ARG(u.params),
                 SPAN_ARG(u.headers));
        must_text(span_of(out), good[i].want);
        must(u.port == 0 && !u.has_user);
    }
}
END_TEST

static bool
eq(const char *a, const char *b)
{
    struct uri x = read(a), y = read(b);

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
        x = read(a);
        y = read(b);
        must(uri_eq(&x, &x));
        must(!uri_eq(&x, &y));
        must(!uri_eq(&y, &x));
    }
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

START_TEST(params_are_found)
{
    struct uri uri = read("sip:a;x=no@h;Transport=TCP;l%72;empty=;q=\"a\"?lr=1");
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
        struct uri uri = read(records[i].text);
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
    tcase_add_test(all, equal_as_printed);
    tcase_add_test(all, unequal_as_printed);
    tcase_add_test(all, equal_addresses);
    tcase_add_test(all, parts_that_count);
    tcase_add_test(all, escapes_of_reserved_characters_count);
    tcase_add_test(all, tel_equality);
    tcase_add_test(all, other_equality);
    tcase_add_test(all, many_parts);
    tcase_add_test(all, order_of_many_parts);
    tcase_add_test(all, params_are_found);
    tcase_add_test(all, records_are_written);
    tcase_add_test(all, records_are_found);
    tcase_add_test(all, many_records_are_found);
    tcase_add_test(all, literals);
    suite_add_tcase(suite, all);
    return suite;
}
