/*
 * Digest's arithmetic against the examples of its RFCs, and against forms that are not to be believed.
 */
#include "auth/digest.h"

#include "base/def.h"
#include "unit/heap.h"
#include "unit/text.h"

static struct digest_hasher hasher;

static void
begin(void)
{
    heap_watch();
    ck_assert_int_eq(digest_hasher_init(&hasher), SIPD_OK);
}

static void
end(void)
{
    digest_hasher_fini(&hasher);
    heap_compare();
}

struct example {
    enum digest_algorithm algorithm;
    const char *user, *realm, *password, *method, *uri, *nonce, *nc, *cnonce, *response;
};

static const struct example examples[] = {
    /* RFC 2617 §3.5 */
    { DIGEST_MD5, "Mufasa", "testrealm@host.com", "Circle Of Life", "GET", "/dir/index.html",
      "dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b",
      "6629fae49393a05397450978507c4ef1" },
    /* RFC 7616 §3.9.1 */
    { DIGEST_MD5, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html",
      "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
      "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "8ca523f5e9506fed4657c9700eebdbec" },
    { DIGEST_SHA256, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html",
      "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
      "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
      "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
    /* RFC 7616 §3.9.2 by its erratum 4897: the printed response is of SHA-512 cut short */
    { DIGEST_SHA512_256, "J\xc3\xa4s\xc3\xb8n Doe", "api@example.org", "Secret, or not?", "GET",
      "/doe.json", "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "00000001",
      "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
      "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5" },
    /* SIP's own, hashed by another implementation */
    { DIGEST_MD5, "alice", "example.com", "s3cret pass", "REGISTER", "sip:example.com", "0123abcd",
      "0000002a", "xyz", "ff240fb58c01085cde7e546f603a3fbc" },
    { DIGEST_SHA256, "alice", "example.com", "s3cret pass", "REGISTER", "sip:example.com",
      "0123abcd", "0000002a", "xyz",
      "aa5bf682393f3bdc8e27926c3b9e2f89ed7cedce8288a38f6c50475217beb5e8" },
    { DIGEST_SHA512_256, "alice@example.com", "example.com", "s3cret pass", "REGISTER",
      "sip:example.com", "0123abcd", "0000002a", "xyz",
      "471650366189d3363638a9fbdf82daad52703d40603c42feab9af1ef3823ab84" },
};

static struct digest
credentials_of(const struct example *e)
{
    return (struct digest){ .username = span_of(e->user),
                            .realm = span_of(e->realm),
                            .nonce = span_of(e->nonce),
                            .uri = span_of(e->uri),
                            .response = span_of(e->response),
                            .cnonce = span_of(e->cnonce),
                            .nc = span_of(e->nc),
                            .qop = SPAN("auth") };
}

static void
ha1_of(const struct example *e, const char *password, uint8_t ha1[DIGEST_HASH_BYTES])
{
    must(digest_ha1(&hasher, e->algorithm, span_of(e->user), span_of(e->realm), span_of(password),
                    ha1) == SIPD_OK);
}

START_TEST(the_examples_of_the_rfcs)
{
    const struct example *e = &examples[_i];
    struct digest credentials = credentials_of(e);
    uint8_t ha1[DIGEST_HASH_BYTES];
    char hex[DIGEST_HEX_BYTES];

    ha1_of(e, e->password, ha1);
    must_text(digest_response(&hasher, e->algorithm, ha1, span_of(e->method), &credentials, hex),
              e->response);
    ck_assert(digest_is_right(&hasher, e->algorithm, ha1, span_of(e->method), &credentials));
}
END_TEST

START_TEST(what_is_kept_of_a_password)
{
    uint8_t ha1[DIGEST_HASH_BYTES];
    char hex[DIGEST_HEX_BYTES];

    ha1_of(&examples[0], examples[0].password, ha1);
    digest_hex_write(ha1, 16, hex);
    must_text(((struct span){ hex, 32 }), "939e7578ed9e3c518a452acee763bce9");
}
END_TEST

START_TEST(anything_else_is_wrong)
{
    const struct example *e = &examples[_i];
    const struct span method = span_of(e->method);
    struct digest right = credentials_of(e), c;
    uint8_t ha1[DIGEST_HASH_BYTES], other[DIGEST_HASH_BYTES];

    ha1_of(e, e->password, ha1);
    ha1_of(e, "circle of life", other);
    ck_assert(!digest_is_right(&hasher, e->algorithm, other, method, &right));
    ck_assert(!digest_is_right(&hasher, e->algorithm, ha1, SPAN("INVITE"), &right));
    c = right;
    c.nc = SPAN("00000002");
    ck_assert(!digest_is_right(&hasher, e->algorithm, ha1, method, &c));
    c = right;
    c.uri = SPAN("sip:mallory@example.com");
    ck_assert(!digest_is_right(&hasher, e->algorithm, ha1, method, &c));
    c = right;
    c.response.len--;
    ck_assert(!digest_is_right(&hasher, e->algorithm, ha1, method, &c));
    c.response = (struct span){ NULL, 0 };
    ck_assert(!digest_is_right(&hasher, e->algorithm, ha1, method, &c));
}
END_TEST

START_TEST(capital_digits_are_digits)
{
    struct digest credentials = credentials_of(&examples[0]);
    uint8_t ha1[DIGEST_HASH_BYTES];

    ha1_of(&examples[0], examples[0].password, ha1);
    credentials.response = SPAN("6629FAE49393A05397450978507C4EF1");
    ck_assert(digest_is_right(&hasher, DIGEST_MD5, ha1, SPAN("GET"), &credentials));
}
END_TEST

START_TEST(the_form_that_is_asked_for)
{
    struct digest credentials = credentials_of(&examples[4]);
    uint32_t nc = 0;

    ck_assert(digest_is_whole(&credentials, &nc));
    ck_assert_uint_eq(nc, 0x2a);
    credentials.nc = SPAN("FFFFFFFF");
    ck_assert(digest_is_whole(&credentials, &nc));
    ck_assert_uint_eq(nc, UINT32_MAX);
}
END_TEST

START_TEST(other_forms_are_refused)
{
    const struct digest whole = credentials_of(&examples[4]);
    static const char *const counts[] = { "",         "1",        "0000001",  "000000001",
                                          "0000000g", "00000000", "+0000001", " 0000001" };
    struct digest c = whole;
    uint32_t nc;

    c.qop = (struct span){ NULL, 0 }; /* RFC 2069 */
    ck_assert(!digest_is_whole(&c, &nc));
    c.qop = SPAN("auth-int");
    ck_assert(!digest_is_whole(&c, &nc));
    c = whole;
    c.cnonce.len = 0;
    ck_assert(!digest_is_whole(&c, &nc));
    c = whole;
    c.uri.len = 0;
    ck_assert(!digest_is_whole(&c, &nc));
    for (size_t i = 0; i < countof(counts); i++) {
        c = whole;
        c.nc = span_of(counts[i]);
        must_for(c.nc, !digest_is_whole(&c, &nc));
    }
}
END_TEST

START_TEST(algorithms_have_names)
{
    enum digest_algorithm algorithm;

    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++) {
        must(digest_algorithm_read(digest_algorithm_text((enum digest_algorithm)i), &algorithm));
        must(algorithm == i);
    }
    ck_assert(digest_algorithm_read((struct span){ NULL, 0 }, &algorithm));
    ck_assert_int_eq(algorithm, DIGEST_MD5);
    ck_assert(digest_algorithm_read(SPAN("sha-256"), &algorithm));
    ck_assert_int_eq(algorithm, DIGEST_SHA256);
    ck_assert(!digest_algorithm_read(SPAN("MD5-sess"), &algorithm));
    ck_assert(!digest_algorithm_read(SPAN("SHA-512"), &algorithm));
}
END_TEST

START_TEST(hex_is_read_as_it_is_written)
{
    static const char *const wrong[] = { "", "00", "0001020", "000102030", "0001020g", "00 10203" };
    const uint8_t bytes[4] = { 0x00, 0x9a, 0xbf, 0xff };
    uint8_t back[4];
    char hex[8];

    digest_hex_write(bytes, sizeof bytes, hex);
    must_text(((struct span){ hex, sizeof hex }), "009abfff");
    ck_assert(digest_hex_read(SPAN("009ABFFF"), back, sizeof back));
    ck_assert_mem_eq(back, bytes, sizeof back);
    for (size_t i = 0; i < countof(wrong); i++)
        must_for(span_of(wrong[i]), !digest_hex_read(span_of(wrong[i]), back, sizeof back));
}
END_TEST

Suite *
suite_auth_digest(void)
{
    Suite *suite = suite_create("auth_digest");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_add_loop_test(all, the_examples_of_the_rfcs, 0, countof(examples));
    tcase_add_test(all, what_is_kept_of_a_password);
    tcase_add_loop_test(all, anything_else_is_wrong, 0, countof(examples));
    tcase_add_test(all, capital_digits_are_digits);
    tcase_add_test(all, the_form_that_is_asked_for);
    tcase_add_test(all, other_forms_are_refused);
    tcase_add_test(all, algorithms_have_names);
    tcase_add_test(all, hex_is_read_as_it_is_written);
    suite_add_tcase(suite, all);
    return suite;
}
