/*
 * Addresses read strictly, written one way, and told apart (RFC 3261 §19.1.2, §25.1, RFC 5954).
 */
#include "sip/hop.h"

#include "base/def.h"
#include "unit/text.h"

START_TEST(transports)
{
    must_text(hop_transport_via(HOP_TLS), "TLS");
    must_text(hop_transport_uri(HOP_UDP), "udp");
    must_text(hop_transport_via(HOP_NONE), "");
    must_text(hop_transport_via(200), "");
    ck_assert_uint_eq(hop_transport_read(SPAN("Udp")), HOP_UDP);
    ck_assert_uint_eq(hop_transport_read(SPAN("tcp")), HOP_TCP);
    ck_assert_uint_eq(hop_transport_read(SPAN("TLS-SCTP")), HOP_NONE);
    ck_assert_uint_eq(hop_transport_read(SPAN("")), HOP_NONE);
    ck_assert(!hop_is_reliable(HOP_UDP));
    ck_assert(hop_is_reliable(HOP_TCP) && hop_is_reliable(HOP_TLS));
    ck_assert(!hop_is_reliable(HOP_NONE) && !hop_is_reliable(255));
    ck_assert_uint_eq(hop_default_port(HOP_UDP), 5060);
    ck_assert_uint_eq(hop_default_port(HOP_TCP), 5060);
    ck_assert_uint_eq(hop_default_port(HOP_TLS), 5061);
    ck_assert_uint_eq(hop_default_port(HOP_NONE), 5060);
}
END_TEST

START_TEST(addresses_are_read_and_written)
{
    static const struct {
        const char *text, *ip, *host;
    } good[] = {
        { "192.0.2.1", "192.0.2.1", "192.0.2.1" },
        { "0.0.0.0", "0.0.0.0", "0.0.0.0" },
        { "255.255.255.255", "255.255.255.255", "255.255.255.255" },
        { "::1", "::1", "[::1]" },
        { "[::1]", "::1", "[::1]" },
        { "[2001:DB8:0:0::9:01]", "2001:db8::9:1", "[2001:db8::9:1]" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
          "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]" },
        { "[::ffff:192.0.2.10]", "192.0.2.10", "192.0.2.10" },
        { "[2001:db8::192.0.2.1]", "2001:db8::c000:201", "[2001:db8::c000:201]" },
        { "[2001:db8:::192.0.2.1]", "2001:db8::c000:201",
          "[2001:db8::c000:201]" }, /* RFC 5118 §4.10 */
        { ":::192.0.2.1", "::192.0.2.1", "[::192.0.2.1]" },
    };

    for (size_t i = 0; i < countof(good); i++) {
        struct hop hop = { .port = 5060 }, again = { .port = 5060 };
        char text[HOP_TEXT_BYTES];

        must_for(span_of(good[i].text), hop_ip_read(span_of(good[i].text), &hop));
        must_text(hop_host_write(&hop, text), good[i].host);
        must_text(hop_ip_write(&hop, text), good[i].ip);
        must(hop_ip_read(span_of(text), &again));
        must(hop_eq(&hop, &again));
    }
}
END_TEST

START_TEST(others_are_refused)
{
    static const char *const bad[] = {
        "",
        "localhost",
        "1.2.3",
        "1.2.3.4.5",
        "256.0.0.1",
        "01.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "[1.2.3.4]",
        "1.2.3.4:5060",
        "[::1",
        "::1]",
        "[]",
        "[[::1]]",
        ":",
        ":::",
        "fe80::1%eth0",
        "[fe80::1%25eth0]",
        "1:2:3:4:5:6:7:8:9",
        "12345::",
        "[::1]:5060",
        "2001:db8:::1",
        ":::1:192.0.2.1",
        "2001::::192.0.2.1",
        "0x7f.1",
        "2130706433",
        "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
    };
    const struct hop before = { .ip = { 1, 2, 3 } };
    struct hop hop = before;

    for (size_t i = 0; i < countof(bad); i++)
        must_for(span_of(bad[i]), !hop_ip_read(span_of(bad[i]), &hop));
    must(!hop_ip_read(SPAN("1.2.3.4\0"), &hop));
    must(!hop_ip_read((struct span){ NULL, 0 }, &hop));
    must(memcmp(hop.ip, before.ip, sizeof hop.ip) == 0);
}
END_TEST

START_TEST(ports_are_written)
{
    struct hop hop = { .port = 65535 };
    char text[HOP_TEXT_BYTES];

    must(hop_ip_read(SPAN("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), &hop));
    hop.scope_id = 3;
    must_text(hop_write(&hop, text), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    must(hop_ip_read(SPAN("192.0.2.1"), &hop));
    hop.port = 0;
    must_text(hop_write(&hop, text), "192.0.2.1:0");
    hop.port = 5060;
    must_text(hop_write(&hop, text), "192.0.2.1:5060");
    ck_assert_str_eq(text, "192.0.2.1:5060");
}
END_TEST

START_TEST(equality)
{
    struct hop a = { .transport = HOP_UDP, .port = 5060 }, b;

    must(hop_ip_read(SPAN("192.0.2.1"), &a));
    b = a;
    b.listener = 7;
    b.flow = 9;
    ck_assert(hop_eq(&a, &b));
    b.port = 5061;
    ck_assert(!hop_eq(&a, &b));
    b = a;
    b.transport = HOP_TCP;
    ck_assert(!hop_eq(&a, &b));
    b = a;
    b.ip[15] ^= 1;
    ck_assert(!hop_eq(&a, &b));
}
END_TEST

START_TEST(private_addresses)
{
    static const char *const inside[] = {
        "10.0.0.0",        "10.255.255.255",  "172.16.0.0",      "172.31.255.255",
        "192.168.0.0",     "192.168.255.255", "127.0.0.1",       "127.255.255.255",
        "169.254.1.1",     "100.64.0.0",      "100.127.255.255", "::1",
        "fe80::1",         "febf::1",         "fc00::1",         "fdff::1",
        "::ffff:10.1.1.1",
    };
    static const char *const outside[] = {
        "9.255.255.255",  "11.0.0.0",        "172.15.255.255", "172.32.0.0",  "192.167.255.255",
        "192.169.0.0",    "126.255.255.255", "128.0.0.0",      "169.253.1.1", "169.255.1.1",
        "100.63.255.255", "100.128.0.0",     "0.0.0.0",        "::",          "::2",
        "fec0::1",        "fe7f::1",         "fbff::1",        "fe00::1",     "2001:db8::1",
        "ff02::1",
    };
    struct hop hop;

    for (size_t i = 0; i < countof(inside); i++) {
        must(hop_ip_read(span_of(inside[i]), &hop));
        must_for(span_of(inside[i]), hop_is_private(&hop));
    }
    for (size_t i = 0; i < countof(outside); i++) {
        must(hop_ip_read(span_of(outside[i]), &hop));
        must_for(span_of(outside[i]), !hop_is_private(&hop));
    }
}
END_TEST

Suite *
suite_hop(void)
{
    Suite *suite = suite_create("hop");
    TCase *all = tcase_create("all");

    tcase_add_test(all, transports);
    tcase_add_test(all, addresses_are_read_and_written);
    tcase_add_test(all, others_are_refused);
    tcase_add_test(all, ports_are_written);
    tcase_add_test(all, equality);
    tcase_add_test(all, private_addresses);
    suite_add_tcase(suite, all);
    return suite;
}
