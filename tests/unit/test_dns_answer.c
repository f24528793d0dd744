/*
 * Raw answers of DNS: what is read of them, what is left out, what is refused (modules/dns/answer.c, modules/dns/records.c).
 */
#include "dns/answer.h"

#include "base/def.h"
#include "dns/records.h"
#include "lib/dns_wire.h"
#include "unit/must.h"
#include "unit/text.h"

#define SRV_OF   "_sip._udp.example.com"
#define SRV      SPAN(SRV_OF)
#define NAPTR_OF "example.com"

static struct wire_out w;

static struct span
wire(void)
{
    return (struct span){ (const char *)w.bytes, w.len };
}

static enum answer_kind
read_srv(struct answer *a)
{
    return answer_read(wire(), SRV, ANSWER_SRV, a);
}

START_TEST(srv_records)
{
    struct answer a;
    struct answer_srv srv;

    wire_begin(&w, 1, WIRE_ANSWER, SRV_OF, WIRE_SRV);
    wire_srv(&w, "_SIP._udp.Example.COM", 300, 10, 60, 5060, "Big.example.com.");
    wire_srv(&w, SRV_OF, 200, 0xffff, 0, 65535, "");
    wire_srv(&w, "other.example.com", 5, 1, 1, 1, "x.example.com");
    ck_assert_int_eq(read_srv(&a), ANSWER_RECORDS);
    ck_assert_uint_eq(a.ttl_s, 200);
    ck_assert(answer_next_srv(&a, &srv));
    ck_assert_uint_eq(srv.priority, 10);
    ck_assert_uint_eq(srv.weight, 60);
    ck_assert_uint_eq(srv.port, 5060);
    ck_assert_str_eq(srv.target, "big.example.com");
    ck_assert(answer_next_srv(&a, &srv));
    ck_assert_uint_eq(srv.priority, 65535);
    ck_assert_str_eq(srv.target, "");
    ck_assert(!answer_next_srv(&a, &srv));
}
END_TEST

START_TEST(naptr_records)
{
    struct answer a;
    struct answer_naptr n;

    wire_begin(&w, 1, WIRE_ANSWER, NAPTR_OF, WIRE_NAPTR);
    wire_naptr(&w, NAPTR_OF, 86400, 50, 51, "s", "SIPS+D2T", "", "_sips._tcp.example.com");
    wire_naptr(&w, NAPTR_OF, 86400, 90, 50, "u", "E2U+sip", "!^.*$!sip:info@example.com!", "");
    ck_assert_int_eq(answer_read(wire(), SPAN("EXAMPLE.com."), ANSWER_NAPTR, &a), ANSWER_RECORDS);
    ck_assert(answer_next_naptr(&a, &n));
    ck_assert_uint_eq(n.order, 50);
    ck_assert_uint_eq(n.preference, 51);
    ck_assert_str_eq(n.flags, "s");
    ck_assert_str_eq(n.service, "SIPS+D2T");
    ck_assert(!n.has_regexp);
    ck_assert_str_eq(n.replacement, "_sips._tcp.example.com");
    ck_assert(answer_next_naptr(&a, &n));
    ck_assert(n.has_regexp);
    ck_assert_str_eq(n.replacement, "");
    ck_assert(!answer_next_naptr(&a, &n));
}
END_TEST

/* Names are shared by pointers, as servers write them. */
START_TEST(compressed_names)
{
    struct answer a;
    struct answer_srv srv;
    size_t data;

    wire_begin(&w, 1, WIRE_ANSWER, SRV_OF, WIRE_SRV);
    wire_count(&w, 6);
    wire_u16(&w, 0xc00c); /* the question's name */
    wire_u16(&w, WIRE_SRV);
    wire_u16(&w, 1);
    wire_u32(&w, 60);
    wire_u16(&w, 0);
    data = w.len;
    wire_u16(&w, 1);
    wire_u16(&w, 2);
    wire_u16(&w, 3);
    wire_u8(&w, 2);
    wire_u8(&w, 'n');
    wire_u8(&w, '1');
    wire_u16(&w, 0xc000 | (12 + 10)); /* example.com within the question */
    wire_end(&w, data);
    ck_assert_int_eq(read_srv(&a), ANSWER_RECORDS);
    ck_assert(answer_next_srv(&a, &srv));
    ck_assert_str_eq(srv.target, "n1.example.com");
}
END_TEST

START_TEST(aliases_are_followed)
{
    struct answer a;
    struct answer_srv srv;

    wire_begin(&w, 1, WIRE_ANSWER, SRV_OF, WIRE_SRV);
    wire_srv(&w, "_sip.hosted.example", 300, 1, 2, 3, "n.hosted.example");
    wire_cname(&w, "two.example", 20, "_sip.hosted.example");
    wire_cname(&w, SRV_OF, 600, "two.example");
    ck_assert_int_eq(read_srv(&a), ANSWER_RECORDS);
    ck_assert_uint_eq(a.ttl_s, 20);
    ck_assert_str_eq(a.name, "_sip.hosted.example");
    ck_assert(answer_next_srv(&a, &srv));
    ck_assert_str_eq(srv.target, "n.hosted.example");
}
END_TEST

START_TEST(aliases_in_a_circle)
{
    struct answer a;

    wire_begin(&w, 1, WIRE_ANSWER, SRV_OF, WIRE_SRV);
    wire_cname(&w, SRV_OF, 600, "two.example");
    wire_cname(&w, "two.example", 600, SRV_OF);
    ck_assert_int_eq(read_srv(&a), ANSWER_BAD);
    wire_begin(&w, 1, WIRE_ANSWER, SRV_OF, WIRE_SRV);
    wire_cname(&w, SRV_OF, 600, SRV_OF);
    ck_assert_int_eq(read_srv(&a), ANSWER_BAD);
    wire_begin(&w, 1, WIRE_ANSWER, SRV_OF, WIRE_SRV);
    wire_cname(&w, SRV_OF, 600, "nowhere.example"); /* leads to nothing */
    ck_assert_int_eq(read_srv(&a), ANSWER_NONE);
}
END_TEST

/* RFC 2308 §5 */
START_TEST(what_is_not_there_and_for_how_long)
{
    static const struct {
        unsigned flags;
        uint32_t soa_ttl_s, minimum_s, ttl_s;
    } cases[] = {
        { WIRE_NXDOMAIN, 3600, 900, 900 },
        { WIRE_NXDOMAIN, 60, 900, 60 },
        { WIRE_ANSWER, 3600, 30, 30 },
        { WIRE_ANSWER, 0, 30, 0 },
    };
    struct answer a;

    for (size_t i = 0; i < countof(cases); i++) {
        wire_begin(&w, 1, cases[i].flags, SRV_OF, WIRE_SRV);
        wire_soa(&w, "example.com", cases[i].soa_ttl_s, cases[i].minimum_s);
        ck_assert_int_eq(read_srv(&a), ANSWER_NONE);
        ck_assert_uint_eq(a.ttl_s, cases[i].ttl_s);
    }
    wire_begin(&w, 1, WIRE_NXDOMAIN, SRV_OF, WIRE_SRV);
    ck_assert_int_eq(read_srv(&a), ANSWER_NONE);
    ck_assert_uint_eq(a.ttl_s, 0);
}
END_TEST

START_TEST(what_no_host_can_have_is_left_out)
{
    struct answer a;
    struct answer_srv srv;

    wire_begin(&w, 1, WIRE_ANSWER, SRV_OF, WIRE_SRV);
    wire_srv(&w, SRV_OF, 300, 1, 1, 1, "a b.example.com");
    wire_srv(&w, SRV_OF, 300, 1, 1, 2, "\r\nVia.example.com");
    wire_srv(&w, SRV_OF, 300, 1, 1, 3, "good.example.com");
    ck_assert_int_eq(read_srv(&a), ANSWER_RECORDS);
    ck_assert(answer_next_srv(&a, &srv));
    ck_assert_uint_eq(srv.port, 3);
    ck_assert(!answer_next_srv(&a, &srv));
}
END_TEST

START_TEST(who_failed)
{
    struct answer a;

    wire_begin(&w, 1, WIRE_SERVFAIL, SRV_OF, WIRE_SRV);
    ck_assert_int_eq(read_srv(&a), ANSWER_BAD);
    wire_begin(&w, 1, 0x0100, SRV_OF, WIRE_SRV); /* a question */
    ck_assert_int_eq(read_srv(&a), ANSWER_BAD);
    ck_assert_int_eq(answer_read(wire(), SPAN("not a name"), ANSWER_SRV, &a), ANSWER_BAD);
    ck_assert_int_eq(answer_read(SPAN(""), SRV, ANSWER_SRV, &a), ANSWER_BAD);
}
END_TEST

/* Every beginning of an answer, and every byte of it made another: nothing is read past the end. */
START_TEST(any_end_and_any_byte)
{
    struct wire_out whole;
    struct answer_srv srv;
    struct answer a;

    wire_begin(&w, 1, WIRE_ANSWER, SRV_OF, WIRE_SRV);
    wire_cname(&w, SRV_OF, 600, "two.example");
    wire_srv(&w, "two.example", 300, 1, 1, 3, "good.example.com");
    wire_soa(&w, "example.com", 1, 1);
    whole = w;
    for (size_t len = 0; len < whole.len; len++) {
        char *cut = malloc(len + 1);

        memcpy(cut, whole.bytes, len);
        if (answer_read((struct span){ cut, len }, SRV, ANSWER_SRV, &a) == ANSWER_RECORDS)
            while (answer_next_srv(&a, &srv))
                continue;
        free(cut);
    }
    for (size_t at = 0; at < whole.len; at++)
        for (unsigned byte = 0; byte < 256; byte++) {
            w = whole;
            w.bytes[at] = (uint8_t)byte;
            if (read_srv(&a) == ANSWER_RECORDS)
                while (answer_next_srv(&a, &srv))
                    ck_assert(strlen(srv.target) < ANSWER_NAME_BYTES);
        }
}
END_TEST

/* Pointers lead backwards only, so none can lead in a circle, nor on for ever. */
START_TEST(pointers_in_a_circle)
{
    struct answer a;
    struct answer_srv srv;

    wire_begin(&w, 1, WIRE_ANSWER, SRV_OF, WIRE_SRV);
    wire_count(&w, 6);
    wire_u16(&w, 0xc000 | (unsigned)w.len);
    wire_u16(&w, WIRE_SRV);
    ck_assert_int_eq(read_srv(&a), ANSWER_BAD);
    wire_begin(&w, 1, WIRE_ANSWER, "x", WIRE_SRV);
    for (unsigned i = 0; i < 8000; i++) /* leap upon leap */
        wire_u16(&w, 0xc000 | (unsigned)(w.len - 2));
    wire_count(&w, 6);
    ck_assert_int_eq(read_srv(&a), ANSWER_BAD);
    ck_assert(!answer_next_srv(&a, &srv));
}
END_TEST

START_TEST(names_that_may_be_asked_for)
{
    static const struct {
        const char *name;
        bool ok;
    } cases[] = {
        { "example.com", true },
        { "example.com.", true },
        { "a-b_c.1.example", true },
        { "", false },
        { ".", false },
        { "a..b", false },
        { ".a", false },
        { "a b", false },
        { "a\n.b", false },
        { "b\xc3\xbc.de", false },
    };
    char label[70];

    for (size_t i = 0; i < countof(cases); i++)
        must_for(span_of(cases[i].name), answer_name_ok(span_of(cases[i].name)) == cases[i].ok);
    memset(label, 'a', sizeof label);
    ck_assert(answer_name_ok((struct span){ label, 63 }));
    ck_assert(!answer_name_ok((struct span){ label, 64 }));
}
END_TEST

/* ---- kept */

START_TEST(records_are_kept_in_one_block)
{
    struct dns_records *r;

    wire_begin(&w, 1, WIRE_ANSWER, NAPTR_OF, WIRE_NAPTR);
    for (unsigned i = 0; i < 100; i++)
        wire_naptr(&w, NAPTR_OF, 86400, i, 0, "s", "SIP+D2U", "", "_sip._udp.example.com");
    r = dns_records_read(wire(), SPAN("example.com"), DNS_NAPTR);
    ck_assert_int_eq(r->verdict, DNS_FOUND);
    ck_assert_uint_eq(r->len, DNS_RECORDS_MAX);
    ck_assert_uint_eq(r->naptrs[63].order, 63);
    ck_assert_str_eq(r->naptrs[63].replacement, "_sip._udp.example.com");
    dns_records_free(&r);

    wire_begin(&w, 1, WIRE_ANSWER, SRV_OF, WIRE_SRV);
    wire_srv(&w, SRV_OF, 300, 1, 1, 3, "good.example.com");
    r = dns_records_read(wire(), SRV, DNS_SRV);
    ck_assert_uint_eq(r->len, 1);
    ck_assert_str_eq(r->srvs[0].target, "good.example.com");
    dns_records_free(&r);

    wire_begin(&w, 1, WIRE_NXDOMAIN, SRV_OF, WIRE_SRV);
    wire_soa(&w, "example.com", 5, 7);
    r = dns_records_read(wire(), SRV, DNS_SRV);
    ck_assert_int_eq(r->verdict, DNS_NONE);
    ck_assert_uint_eq(r->ttl_s, 5);
    dns_records_free(&r);
    r = dns_records_read(SPAN("dirt"), SRV, DNS_SRV);
    ck_assert_int_eq(r->verdict, DNS_FAILED);
    dns_records_free(&r);
}
END_TEST

Suite *
suite_dns_answer(void)
{
    Suite *s = suite_create("dns_answer");
    TCase *c = tcase_create("raw");

    tcase_add_test(c, srv_records);
    tcase_add_test(c, naptr_records);
    tcase_add_test(c, compressed_names);
    tcase_add_test(c, aliases_are_followed);
    tcase_add_test(c, aliases_in_a_circle);
    tcase_add_test(c, what_is_not_there_and_for_how_long);
    tcase_add_test(c, what_no_host_can_have_is_left_out);
    tcase_add_test(c, who_failed);
    tcase_add_test(c, any_end_and_any_byte);
    tcase_add_test(c, pointers_in_a_circle);
    tcase_add_test(c, names_that_may_be_asked_for);
    tcase_add_test(c, records_are_kept_in_one_block);
    suite_add_tcase(s, c);
    return s;
}
