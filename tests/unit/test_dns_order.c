/*
 * What is asked, by which transport and in which order: the rules of RFC 3263 §4 and RFC 2782 as tables
 * (modules/dns/order.c).
 */
#include "dns/order.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/must.h"
#include "unit/text.h"

enum {
    UDP = ORDER_BIT(HOP_UDP),
    TCP = ORDER_BIT(HOP_TCP),
    TLS = ORDER_BIT(HOP_TLS),
    ALL = UDP | TCP | TLS
};

/* ---- the first question */

static const char *
plan_text(const struct order_plan *plan)
{
    static const char *const kinds[] = { "nowhere", "address", "host", "srv", "naptr" };
    static char text[256];

    snprintf(text, sizeof text, "%s %.*s %.*s:%u%s", kinds[plan->kind],
             SPAN_ARG(plan->hop.transport ? hop_transport_uri(plan->hop.transport) : SPAN("-")),
             SPAN_ARG(plan->target), (unsigned)plan->hop.port, plan->hop.by_rule ? " by rule" : "");
    return text;
}

START_TEST(the_first_question)
{
    static const struct {
        const char *uri, *plan;
        unsigned can; /* 0: all */
    } cases[] = {
        /* §4.1, §4.2: a numeric address */
        { "sip:bob@192.0.2.9", "address udp 192.0.2.9:5060 by rule", 0 },
        { "sip:bob@192.0.2.9:5070", "address udp 192.0.2.9:5070 by rule", 0 },
        { "sip:bob@[2001:db8::9]", "address udp [2001:db8::9]:5060 by rule", 0 },
        { "sip:bob@192.0.2.9;transport=tcp", "address tcp 192.0.2.9:5060", 0 },
        { "sip:bob@192.0.2.9;transport=udp", "address udp 192.0.2.9:5060", 0 },
        { "sip:bob@192.0.2.9;transport=tls", "address tls 192.0.2.9:5061", 0 },
        { "sips:bob@192.0.2.9", "address tls 192.0.2.9:5061", 0 },
        { "sips:bob@192.0.2.9:5080", "address tls 192.0.2.9:5080", 0 },
        /* a name with a port */
        { "sip:bob@example.com:5070", "host udp example.com:5070 by rule", 0 },
        { "sip:bob@example.com:5060", "host udp example.com:5060 by rule", 0 },
        { "sip:bob@example.com:5070;transport=tcp", "host tcp example.com:5070", 0 },
        { "sips:bob@example.com:5070", "host tls example.com:5070", 0 },
        { "sips:bob@example.com:5070;transport=tcp", "host tls example.com:5070", 0 },
        /* a name with a transport */
        { "sip:bob@example.com;transport=udp", "srv udp example.com:0", 0 },
        { "sip:bob@example.com;transport=TCP", "srv tcp example.com:0", 0 },
        { "sip:bob@example.com;transport=tls", "srv tls example.com:0", 0 },
        { "sips:bob@example.com;transport=tcp", "srv tls example.com:0", 0 },
        /* a name alone */
        { "sip:bob@example.com", "naptr - example.com:0", 0 },
        { "sips:bob@example.com", "naptr - example.com:0", 0 },
        /* TARGET is the maddr */
        { "sip:bob@example.com;maddr=192.0.2.9", "address udp 192.0.2.9:5060 by rule", 0 },
        { "sip:bob@192.0.2.9;maddr=example.org", "naptr - example.org:0", 0 },
        { "sip:bob@192.0.2.9:5071;maddr=example.org", "host udp example.org:5071 by rule", 0 },
        /* nothing that we could send by */
        { "sip:bob@example.com;transport=sctp", "nowhere - example.com:0", 0 },
        { "sip:bob@example.com;transport=tls", "nowhere tls example.com:0", UDP | TCP },
        { "sips:bob@example.com:5061", "nowhere tls example.com:5061", UDP | TCP },
        { "sip:bob@example.com:5060", "nowhere udp example.com:5060 by rule", TCP },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct order_plan plan;
        struct uri uri;

        must(uri_read(span_of(cases[i].uri), &uri) == SIPD_OK);
        order_plan(&uri, cases[i].can ? cases[i].can : ALL, &plan);
        if (strcmp(plan_text(&plan), cases[i].plan) != 0)
            ck_abort_msg("%s: %s, not %s", cases[i].uri, plan_text(&plan), cases[i].plan);
    }
}
END_TEST

START_TEST(transports_without_naptr)
{
    uint8_t transports[HOP_TRANSPORTS];

    ck_assert_uint_eq(order_srv_transports(false, ALL, transports), 2);
    ck_assert_uint_eq(transports[0], HOP_UDP);
    ck_assert_uint_eq(transports[1], HOP_TCP);
    ck_assert_uint_eq(order_srv_transports(false, TCP, transports), 1);
    ck_assert_uint_eq(transports[0], HOP_TCP);
    ck_assert_uint_eq(order_srv_transports(true, ALL, transports), 1);
    ck_assert_uint_eq(transports[0], HOP_TLS);
    ck_assert_uint_eq(order_srv_transports(true, UDP | TCP, transports), 0);
    ck_assert_uint_eq(order_default_transport(false, ALL), HOP_UDP);
    ck_assert_uint_eq(order_default_transport(false, TCP | TLS), HOP_TCP);
    ck_assert_uint_eq(order_default_transport(true, ALL), HOP_TLS);
    ck_assert_uint_eq(order_default_transport(true, UDP | TCP), HOP_NONE);
    ck_assert_uint_eq(order_default_transport(false, TLS), HOP_NONE);
}
END_TEST

START_TEST(names_of_services)
{
    char name[ANSWER_NAME_BYTES], long_name[300];

    ck_assert(order_srv_name(HOP_UDP, SPAN("example.com"), name));
    ck_assert_str_eq(name, "_sip._udp.example.com");
    ck_assert(order_srv_name(HOP_TCP, SPAN("example.com."), name));
    ck_assert_str_eq(name, "_sip._tcp.example.com.");
    ck_assert(order_srv_name(HOP_TLS, SPAN("example.com"), name));
    ck_assert_str_eq(name, "_sips._tcp.example.com");
    memset(long_name, 'a', sizeof long_name);
    for (size_t i = 50; i < sizeof long_name; i += 50)
        long_name[i] = '.';
    ck_assert(!order_srv_name(HOP_TLS, (struct span){ long_name, 249 }, name));
    ck_assert(!order_srv_name(HOP_TLS, (struct span){ long_name, 299 }, name));
}
END_TEST

/* ---- NAPTR */

#define NAPTR(order, pref, flags, service, replacement) \
    {                                                   \
        order, pref, false, flags, service, replacement \
    }

/* The example of §4.1, in another order than it is meant. */
static const struct dns_naptr example[] = {
    NAPTR(100, 50, "s", "SIP+D2U", "_sip._udp.example.com"),
    NAPTR(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"),
    NAPTR(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com"),
};

static const char *
naptr_text(const struct dns_naptr *records, size_t len, bool sips, unsigned can, bool *any)
{
    static char text[512];
    struct dns_naptr copy[16];
    struct order_service out[16];
    unsigned n;

    memcpy(copy, records, len * sizeof *copy);
    n = order_naptr(copy, len, sips, can, out, countof(out), any);
    text[0] = '\0';
    for (unsigned i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s %s", i ? ", " : "",
                 SPAN_ARG(hop_transport_uri(out[i].transport)), out[i].srv_name);
    return text;
}

START_TEST(the_example_of_rfc3263_4_1)
{
    bool any;

    /* "Since the client supports TCP and UDP, TCP will be used" */
    ck_assert_str_eq(naptr_text(example, 3, false, UDP | TCP, &any),
                     "tcp _sip._tcp.example.com, udp _sip._udp.example.com");
    ck_assert(any);
    ck_assert_str_eq(naptr_text(example, 3, false, ALL, &any),
                     "tls _sips._tcp.example.com, tcp _sip._tcp.example.com, udp "
                     "_sip._udp.example.com");
    ck_assert_str_eq(naptr_text(example, 3, true, ALL, &any), "tls _sips._tcp.example.com");
    ck_assert_str_eq(naptr_text(example, 3, true, UDP | TCP, &any), "");
    ck_assert(any);
}
END_TEST

START_TEST(records_that_are_not_for_us)
{
    static const struct dns_naptr records[] = {
        NAPTR(1, 1, "s", "SIP+D2S", "_sip._sctp.example.com"),
        NAPTR(2, 1, "s", "SIPS+D2U", "_sips._udp.example.com"),
        NAPTR(3, 1, "u", "E2U+sip", ""),
        { 4, 1, true, "s", "SIP+D2U", "_sip._udp.example.com" },
        NAPTR(5, 1, "a", "SIP+D2U", "host.example.com"),
        NAPTR(6, 1, "", "SIP+D2U", "more.example.com"),
        NAPTR(7, 1, "S", "sip+d2u", "_sip._udp.else.example"),
    };
    bool any;

    ck_assert_str_eq(naptr_text(records, 7, false, ALL, &any), "udp _sip._udp.else.example");
    ck_assert_str_eq(naptr_text(records, 1, false, ALL, &any), "");
    ck_assert(any);
    ck_assert_str_eq(naptr_text(records + 2, 1, false, ALL, &any), "");
    ck_assert(!any); /* another application's */
}
END_TEST

START_TEST(preference_and_bytes_decide_between_equals)
{
    static const struct dns_naptr records[] = {
        NAPTR(10, 20, "s", "SIP+D2U", "d.example"),
        NAPTR(10, 10, "s", "SIP+D2T", "c.example"),
        NAPTR(10, 10, "s", "SIP+D2U", "b.example"),
        NAPTR(9, 99, "s", "SIP+D2U", "a.example"),
    };
    bool any;

    ck_assert_str_eq(naptr_text(records, 4, false, ALL, &any),
                     "udp a.example, udp b.example, tcp c.example, udp d.example");
}
END_TEST

/* ---- SRV */

static const char *
srv_text(const struct dns_srv *records, size_t len, uint64_t seed)
{
    static char text[512];
    struct dns_srv copy[64];

    memcpy(copy, records, len * sizeof *copy);
    order_srv(copy, len, seed);
    text[0] = '\0';
    for (size_t i = 0; i < len; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                 copy[i].target);
    return text;
}

START_TEST(priorities_come_first)
{
    static const struct dns_srv records[] = { { 20, 65535, 5060, "c" },
                                              { 10, 0, 5060, "a" },
                                              { 15, 7, 5060, "b" },
                                              { 65535, 1, 5060, "d" } };

    for (uint64_t seed = 0; seed < 100; seed++)
        ck_assert_str_eq(srv_text(records, 4, seed), "a b c d");
}
END_TEST

/* A stateless proxy must find the same order in the same records (RFC 3263 §4.4), however the server turned them. */
START_TEST(the_seed_and_the_records_decide)
{
    static const struct dns_srv one[] = { { 1, 5, 1, "a" }, { 1, 5, 1, "b" }, { 1, 5, 1, "c" } };
    static const struct dns_srv other[] = { { 1, 5, 1, "c" }, { 1, 5, 1, "a" }, { 1, 5, 1, "b" } };
    unsigned differ = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        char first[64];

        snprintf(first, sizeof first, "%s", srv_text(one, 3, seed));
        ck_assert_str_eq(srv_text(other, 3, seed), first);
        differ += strcmp(first, "a b c") != 0;
    }
    ck_assert_uint_gt(differ, 100);
}
END_TEST

/* How often, of 100,000 seeds, a target comes first. */
static unsigned
share(const struct dns_srv *records, size_t len, const char *target)
{
    unsigned count = 0;

    for (uint64_t seed = 1; seed <= 100000; seed++) {
        struct dns_srv copy[16];

        memcpy(copy, records, len * sizeof *copy);
        order_srv(copy, len, seed * UINT64_C(0xd1342543de82ef95));
        count += strcmp(copy[0].target, target) == 0;
    }
    return count;
}

/* Within four standard deviations of what is expected, and the seeds are always the same ones. */
static void
expect_share(const struct dns_srv *records, size_t len, const char *target, double p)
{
    double n = 100000, seen = share(records, len, target), off = seen - n * p;

    if (off * off > 16 * n * p * (1 - p))
        ck_abort_msg("%s: %.0f of 100000, not %.0f", target, seen, n * p);
}

/* The example of §4.1: server1 with weight 1, server2 with weight 2. Chance draws 0 to 3, and 0 is for whoever stands first. */
START_TEST(weights_of_the_example_of_rfc3263)
{
    static const struct dns_srv records[] = { { 0, 1, 5060, "server1.example.com" },
                                              { 0, 2, 5060, "server2.example.com" } };

    expect_share(records, 2, "server1.example.com", 1.5 / 4);
    expect_share(records, 2, "server2.example.com", 2.5 / 4);
}
END_TEST

/* The example of RFC 2782: most goes to the new box, and to the administrator's only when both are gone. */
START_TEST(weights_of_the_example_of_rfc2782)
{
    static const struct dns_srv records[] = {
        { 0, 1, 9, "old-slow-box.example.com" },
        { 0, 3, 9, "new-fast-box.example.com" },
        { 1, 0, 9, "sysadmins-box.example.com" },
        { 1, 0, 9, "server.example.com" },
    };

    expect_share(records, 4, "old-slow-box.example.com", 1.5 / 5);
    expect_share(records, 4, "new-fast-box.example.com", 3.5 / 5);
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct dns_srv copy[4];

        memcpy(copy, records, sizeof copy);
        order_srv(copy, 4, seed);
        ck_assert_uint_eq(copy[0].priority + copy[1].priority, 0);
    }
}
END_TEST

START_TEST(weights_are_shares)
{
    static const struct dns_srv records[] = {
        { 1, 600, 1, "a" }, { 1, 300, 1, "b" }, { 1, 100, 1, "c" }, { 1, 0, 1, "d" }
    };

    expect_share(records, 4, "a", 600.0 / 1001);
    expect_share(records, 4, "b", 300.0 / 1001);
    expect_share(records, 4, "c", 100.0 / 1001);
    expect_share(records, 4, "d", 1.0 / 1001); /* "a very small chance" */
}
END_TEST

START_TEST(weight_0_alone_is_shared_evenly)
{
    static const struct dns_srv records[] = { { 1, 0, 1, "a" },
                                              { 1, 0, 1, "b" },
                                              { 1, 0, 1, "c" } };

    expect_share(records, 3, "a", 1.0 / 3);
    expect_share(records, 3, "c", 1.0 / 3);
}
END_TEST

/* The second is drawn among those that are left, by their own weights. */
START_TEST(the_second_is_drawn_anew)
{
    static const struct dns_srv records[] = { { 1, 90, 1, "a" },
                                              { 1, 9, 1, "b" },
                                              { 1, 1, 1, "c" } };
    unsigned second_b = 0, first_a = 0;

    for (uint64_t seed = 1; seed <= 20000; seed++) {
        const char *text = srv_text(records, 3, seed * UINT64_C(0xd1342543de82ef95));

        first_a += text[0] == 'a';
        second_b += text[0] == 'a' && text[2] == 'b';
    }
    ck_assert_uint_gt(second_b, first_a * 84 / 100); /* 9.5 of 11 */
    ck_assert_uint_lt(second_b, first_a * 89 / 100);
}
END_TEST

START_TEST(a_service_that_is_denied)
{
    static const struct dns_srv records[] = { { 0, 0, 0, "" }, { 0, 0, 5060, "a" } };

    ck_assert(order_srv_is_denied(records, 1));
    ck_assert(!order_srv_is_denied(records, 2));
    ck_assert(!order_srv_is_denied(records + 1, 1));
    ck_assert(!order_srv_is_denied(records, 0));
}
END_TEST

Suite *
suite_dns_order(void)
{
    Suite *s = suite_create("dns_order");
    TCase *c = tcase_create("rules");

    tcase_add_test(c, the_first_question);
    tcase_add_test(c, transports_without_naptr);
    tcase_add_test(c, names_of_services);
    tcase_add_test(c, the_example_of_rfc3263_4_1);
    tcase_add_test(c, records_that_are_not_for_us);
    tcase_add_test(c, preference_and_bytes_decide_between_equals);
    tcase_add_test(c, priorities_come_first);
    tcase_add_test(c, the_seed_and_the_records_decide);
    tcase_add_test(c, weights_of_the_example_of_rfc3263);
    tcase_add_test(c, weights_of_the_example_of_rfc2782);
    tcase_add_test(c, weights_are_shares);
    tcase_add_test(c, weight_0_alone_is_shared_evenly);
    tcase_add_test(c, the_second_is_drawn_anew);
    tcase_add_test(c, a_service_that_is_denied);
    suite_add_tcase(s, c);
    return s;
}
