/*
 * Via elements as RFC 3261 §20.42, RFC 4475 and RFC 5118 show them, and where their responses go (§18.2.2, RFC 3581).
 */
#include "sip/via.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/text.h"

/* transport|host|port|branch|flags of each element, then how the walk ended. */
static const char *
walk(const char *text)
{
    static char out[1024];
    struct span rest = span_of(text), before = rest;
    struct via via;
    size_t len = 0;
    int err;

    while ((err = via_next(&rest, &via)) == SIPD_OK) {
        len += (size_t)snprintf(out + len, sizeof out - len, "%.*s|%.*s|%u|%.*s|%s%s%.*s\n",
                                SPAN_ARG(via.transport_text), SPAN_ARG(via.host), via.port,
                                SPAN_ARG(via.branch), via.has_cookie ? "cookie " : "",
                                via.has_rport ? "rport " : "", SPAN_ARG(via.rport));
        before = rest;
    }
    if (err == SIPD_ESYNTAX)
        must(rest.at == before.at && rest.len == before.len);
    else
        must(rest.len == 0);
    snprintf(out + len, sizeof out - len, "%s", err == SIPD_ENOENT ? "" : "ESYNTAX");
    return out;
}

START_TEST(lists_are_walked)
{
    static const struct {
        const char *text, *want;
    } walks[] = {
        { "", "" },
        { " , ", "" },
        { "SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7",
          "UDP|erlang.bell-telephone.com|5060|z9hG4bK87asdks7|cookie \n" },
        { "SIP / 2.0 / UDP first.example.com: 4000;ttl=16\r\n  ;maddr=224.2.0.1 "
          ";branch=z9hG4bKa7c6a8dlze.1",
          "UDP|first.example.com|4000|z9hG4bKa7c6a8dlze.1|cookie \n" },
        { "SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw",
          "UDP|192.0.2.2|0|390skdjuw|\n" },
        { "SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
          " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239",
          "TCP|spindle.example.com|0|z9hG4bK9ikj8|cookie "
          "\nUDP|192.168.255.111|0|z9hG4bK30239|cookie \n" },
        { "SIP/2.0/UDP 127.0.0.1:5060 ; rport ; branch=z9hG4bK-w041x ; alias",
          "UDP|127.0.0.1|5060|z9hG4bK-w041x|cookie rport \n" },
        { "SIP/2.0/DTLS-UDP 127.0.0.1:5060;branch=z9hG4bK-w043x;rport=1",
          "DTLS-UDP|127.0.0.1|5060|z9hG4bK-w043x|cookie rport 1\n" },
        { "SIP/2.0/UDP a;branch=0", "UDP|a|0|0|\n" },
        { "SIP/2.0/UDP a;branch=Z9HG4BKx", "UDP|a|0|Z9HG4BKx|cookie \n" },
        { "SIP/2.0/UDP a;branch=z9hG4bK", "UDP|a|0|z9hG4bK|\n" },
        { "SIP/2.0/UDP a;branch", "UDP|a|0||\n" },
        { "SIP/2.0/UDP a;branch=;branch=z9hG4bKx;rport;rport=5", "UDP|a|0||rport \n" },
        { "SIP/2.0/UDP a;", "UDP|a|0||\n" },
        { "SIP/7.0/UDP c.example.com", "UDP|c.example.com|0||\n" },
        { "SIP/2.0/UDP [2001:db8::9:1]", "UDP|[2001:db8::9:1]|0||\n" },
        { "SIP/2.0/UDP [2001:db8::9:1] : 6050;branch=z9hG4bKas3",
          "UDP|[2001:db8::9:1]|6050|z9hG4bKas3|cookie \n" },
        { "SIP/2.0/UDP 2001:db8::9:1;rport", "UDP|2001:db8::9:1|0||rport \n" },
        { "SIP/2.0/TCP my_pbx.example.com", "TCP|my_pbx.example.com|0||\n" },
        { "SIP/2.0/TCP h;x=\",;branch=z9hG4bKno\";branch=z9hG4bKyes",
          "TCP|h|0|z9hG4bKyes|cookie \n" },
        { "SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~",
          "TCP|host1.example.com|0|z9hG4bK-.!%66*_+`'~|cookie \n" },
        { "SIP/2.0/UDP a,,SIP/2.0/UDP b,", "UDP|a|0||\nUDP|b|0||\n" },
    };

    for (size_t i = 0; i < countof(walks); i++)
        must_text(span_of(walk(walks[i].text)), walks[i].want);
}
END_TEST

START_TEST(others_are_refused)
{
    static const char *const bad[] = {
        "SIP/2.0/UDP 192.0.2.15;;,;,,",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0/UDP ;branch=a",
        "SIP/2.0 a",
        "SIP/2.0/ a",
        "/2.0/UDP a",
        "SIP//UDP a",
        "a",
        ";",
        "SIP/2.0/UDP a b",
        "SIP/2.0/UDP a:",
        "SIP/2.0/UDP a:0",
        "SIP/2.0/UDP a:65536",
        "SIP/2.0/UDP a:b",
        "SIP/2.0/UDP a:5060 x",
        "SIP/2.0/UDP a:50 60",
        "SIP/2.0/UDP [::1",
        "SIP/2.0/UDP []",
        "SIP/2.0/UDP [::1]5060",
        "SIP/2.0/UDP [1.2.3.4]",
        "SIP/2.0/UDP [x]",
        "SIP/2.0/UDP 2001:db8:::1",
        "SIP/2.0/UDP a@b",
        "SIP/2.0/UDP <a>",
        "SIP/2.0/UDP a;x=\"y",
        "SIP/2.0/UDP a;;b",
        "SIP/2.0/UDP a; ;b",
        "SIP/2.0/U DP a",
        "S IP/2.0/UDP a",
        "SIP/2.0/UDP[::1]",
        "SIP/2.0/UDP a (comment)",
    };
    struct via via;

    for (size_t i = 0; i < countof(bad); i++) {
        struct span rest = span_of(bad[i]);

        must_for(rest, via_next(&rest, &via) == SIPD_ESYNTAX);
        must(rest.at == bad[i] && rest.len == strlen(bad[i]));
    }
}
END_TEST

START_TEST(fields_are_kept)
{
    struct span rest = SPAN(
        " SIP/2.0/TLS a.example : 5071 ;Received=192.0.2.5;MADDR=b;rport=99 ;Branch=z9hG4bKq, x");
    struct via via;

    ck_assert_int_eq(via_next(&rest, &via), SIPD_OK);
    must_text(via.whole,
              "SIP/2.0/TLS a.example : 5071 ;Received=192.0.2.5;MADDR=b;rport=99 ;Branch=z9hG4bKq");
    must_text(via.sent_by, "a.example : 5071");
    must_text(via.params, ";Received=192.0.2.5;MADDR=b;rport=99 ;Branch=z9hG4bKq");
    must_text(via.received, "192.0.2.5");
    must_text(via.maddr, "b");
    must_text(via.rport, "99");
    must_text(via.branch, "z9hG4bKq");
    must_text(rest, ", x");
}
END_TEST

/* The address that a response to this Via goes to, or "none". */
static const char *
reply_to(const char *text)
{
    static char out[HOP_TEXT_BYTES];
    struct span rest = span_of(text);
    struct hop hop = { .transport = HOP_TCP, .listener = 3, .flow = 9 };
    struct via via;

    must_for(rest, via_next(&rest, &via) == SIPD_OK);
    if (!via_reply_hop(&via, &hop))
        return "none";
    must(hop.transport == HOP_TCP && hop.listener == 3 && hop.flow == 9);
    hop_write(&hop, out);
    return out;
}

START_TEST(responses_find_their_way)
{
    static const struct {
        const char *via, *want;
    } ways[] = {
        { "SIP/2.0/UDP 192.0.2.1", "192.0.2.1:5060" },
        { "SIP/2.0/UDP 192.0.2.1:5070", "192.0.2.1:5070" },
        { "SIP/2.0/TLS 192.0.2.1", "192.0.2.1:5061" },
        { "SIP/2.0/X 192.0.2.1", "192.0.2.1:5060" },
        { "SIP/2.0/UDP a.example;received=192.0.2.9", "192.0.2.9:5060" },
        { "SIP/2.0/UDP a.example:5070;received=192.0.2.9;rport=1024", "192.0.2.9:1024" },
        { "SIP/2.0/UDP a.example:5070;received=192.0.2.9;rport", "192.0.2.9:5070" },
        { "SIP/2.0/UDP a.example:5070;received=192.0.2.9;rport=0", "192.0.2.9:5070" },
        { "SIP/2.0/UDP a.example:5070;received=192.0.2.9;rport=70000", "192.0.2.9:5070" },
        /* The first of each counts, whatever it says. */
        { "SIP/2.0/UDP 192.0.2.1;received=a;received=192.0.2.9", "192.0.2.1:5060" },
        { "SIP/2.0/UDP a;received=192.0.2.9;received=192.0.2.8;rport;rport=9", "192.0.2.9:5060" },
        { "SIP/2.0/UDP a ;rport = 7;rport=9;received = 192.0.2.9", "192.0.2.9:7" },
        /* RFC 3581 §4: rport counts beside received only. */
        { "SIP/2.0/UDP 192.0.2.1:5070;rport=1024", "192.0.2.1:5070" },
        { "SIP/2.0/UDP a.example;received=2001:db8::9:255", "[2001:db8::9:255]:5060" },
        { "SIP/2.0/UDP a.example;received=[2001:db8::9:255]", "[2001:db8::9:255]:5060" },
        { "SIP/2.0/UDP 192.0.2.1;received=a.example", "192.0.2.1:5060" },
        { "SIP/2.0/UDP [2001:db8::1]:5071", "[2001:db8::1]:5071" },
        { "SIP/2.0/UDP 2001:db8::1", "[2001:db8::1]:5060" },
        /* §18.2.2: maddr comes first, but a stream goes to its source. */
        { "SIP/2.0/UDP a.example:5070;received=192.0.2.9;rport=1024;maddr=224.2.0.1",
          "224.2.0.1:5070" },
        { "SIP/2.0/TCP a.example:5070;received=192.0.2.9;rport=1024;maddr=224.2.0.1",
          "192.0.2.9:5070" },
        { "SIP/2.0/UDP a.example;received=192.0.2.9;maddr=b.example", "192.0.2.9:5060" },
        { "SIP/2.0/UDP a.example", "none" },
        { "SIP/2.0/TCP a.example;maddr=192.0.2.1", "none" },
    };

    for (size_t i = 0; i < countof(ways); i++)
        must_text(span_of(reply_to(ways[i].via)), ways[i].want);
}
END_TEST

Suite *
suite_via(void)
{
    Suite *suite = suite_create("via");
    TCase *all = tcase_create("all");

    tcase_add_test(all, lists_are_walked);
    tcase_add_test(all, others_are_refused);
    tcase_add_test(all, fields_are_kept);
    tcase_add_test(all, responses_find_their_way);
    suite_add_tcase(suite, all);
    return suite;
}
