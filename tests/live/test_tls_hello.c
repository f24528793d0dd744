/*
 * What a stranger who tries everything finds out about our TLS: every version, suite, group and signature that there is a number
 * for, and the weaknesses of old (RFC 9325 §3, §4).
 */
#include <check.h>
#include <string.h>

#include "live/hello.h"
#include "live/tls_rig.h"

Suite *suite_tls_hello(void);

enum { HANDSHAKE_FAILURE = 40, PROTOCOL_VERSION = 70, INAPPROPRIATE_FALLBACK = 86 };
enum { RENEGOTIATION_SCSV = 0x00ff, FALLBACK_SCSV = 0x5600 };

static struct hello hello; /* large */

static struct hello_answer
answer_to(const struct hello *said)
{
    struct hello_answer answer;

    hello_say(tls_port, said, &answer);
    return answer;
}

static const struct {
    const char *name;
    struct hello_ids suites; /* of TLS 1.2, in the order in which they are preferred */
} certificates[] = {
    { "example.com", { 3, { 0xc02c, 0xc02b, 0xcca9 } } }, /* ECDSA: AES-GCM, ChaCha20-Poly1305 */
    { "rsa.example.com", { 3, { 0xc030, 0xc02f, 0xcca8 } } }, /* RSA: the same */
};

START_TEST(versions_before_1_2_are_refused)
{
    static const char ssl2[] = "\x80\x2b\x01\x00\x02\x00\x12\x00\x00\x00\x10\x07\x00\xc0\x03\x00"
                               "\x80\x01\x00\x80\x06\x00\x40\x04\x00\x80\x02\x00\x80"
                               "0123456789abcdef";
    struct hello_answer answer;

    hello_init(&hello, HELLO_TLS1_2);
    hello.name = certificates[_i].name;
    for (uint16_t id = 1; id < 0x100; id++) /* the suites that there were then … */
        hello.suites.at[hello.suites.len++] = id;
    for (uint16_t id = 0xc001; id < 0xc020; id++) /* … and the first of ECDH */
        hello.suites.at[hello.suites.len++] = id;
    ck_assert(answer_to(&hello).greeted);
    for (hello.version = HELLO_SSL3; hello.version < HELLO_TLS1_2; hello.version++) {
        answer = answer_to(&hello);
        ck_assert_msg(!answer.greeted && (answer.alert == PROTOCOL_VERSION ||
                                          (hello.version == HELLO_SSL3 && answer.alert != 0)),
                      "version %04x: greeted %d, alert %u", hello.version, answer.greeted,
                      answer.alert);
    }
    hello_say_bytes(tls_port, ssl2, sizeof ssl2 - 1, &answer);
    ck_assert(!answer.greeted);
}
END_TEST

/* ---- every number that there is, some thousand at a time; what is taken is left out, until nothing is */

static void
leave_out(struct hello_ids *ids, uint16_t id)
{
    size_t i = 0;

    while (i < ids->len && ids->at[i] != id)
        i++;
    ck_assert_msg(i < ids->len, "%04x was not offered", id);
    memmove(&ids->at[i], &ids->at[i + 1], (--ids->len - i) * sizeof *ids->at);
}

/* Fills a list of the hello; which: a suite or a group of an answer, as the list is. */
static void
find_all(struct hello_ids *offered, uint16_t (*which)(const struct hello_answer *),
         struct hello_ids *found)
{
    found->len = 0;
    for (unsigned first = 0; first < 0x10000; first += HELLO_IDS - 1) {
        struct hello_answer answer;

        offered->len = 0;
        for (unsigned id = first; id < first + HELLO_IDS - 1 && id < 0x10000; id++)
            if (id != RENEGOTIATION_SCSV && id != FALLBACK_SCSV)
                offered->at[offered->len++] = (uint16_t)id;
        while ((answer = answer_to(&hello)).greeted) {
            ck_assert_uint_eq(answer.version, hello.version);
            ck_assert_uint_lt(found->len, 16);
            found->at[found->len++] = which(&answer);
            leave_out(offered, which(&answer));
        }
        ck_assert_uint_eq(answer.alert, HANDSHAKE_FAILURE);
    }
}

static uint16_t
suite_of(const struct hello_answer *answer)
{
    return answer->suite;
}

static uint16_t
group_of(const struct hello_answer *answer)
{
    return answer->group;
}

/* The order counts where a preference is ours. */
static void
must_be(const struct hello_ids *found, const struct hello_ids *wanted, bool ordered)
{
    struct hello_ids left = *found;

    ck_assert_uint_eq(found->len, wanted->len);
    for (size_t i = 0; i < wanted->len; i++) {
        ck_assert_msg(!ordered || found->at[i] == wanted->at[i], "%zu: %04x, not %04x", i,
                      found->at[i], wanted->at[i]);
        leave_out(&left, wanted->at[i]);
    }
}

/* No NULL, export, anonymous, RC4, DES, CBC, static RSA or DH, whatever its number. */
START_TEST(all_suites_that_are_taken)
{
    static struct hello_ids found;

    hello_init(&hello, HELLO_TLS1_2);
    hello.name = certificates[_i].name;
    find_all(&hello.suites, suite_of, &found);
    must_be(&found, &certificates[_i].suites, false);
}
END_TEST

START_TEST(all_suites_of_1_3_that_are_taken)
{
    static const struct hello_ids wanted = { 3, { 0x1301, 0x1302, 0x1303 } };
    static struct hello_ids found;

    hello_init(&hello, HELLO_TLS1_3);
    find_all(&hello.suites, suite_of, &found);
    must_be(&found, &wanted, true);
}
END_TEST

/* X25519, P-256, P-384, with both versions; with 1.2 to a key of RSA, for one of ECDSA wants its own curve among them. */
START_TEST(all_groups_that_are_taken)
{
    static const struct hello_ids wanted = { 3, { 29, 23, 24 } };
    static struct hello_ids found;

    hello_init(&hello, _i == 0 ? HELLO_TLS1_2 : HELLO_TLS1_3);
    hello.name = "rsa.example.com";
    find_all(&hello.groups, group_of, &found);
    must_be(&found, &wanted, true);
}
END_TEST

/* ---- weaknesses of old */

START_TEST(nothing_is_signed_with_sha_1)
{
    struct hello_answer answer;

    hello_init(&hello, HELLO_TLS1_2);
    hello.name = certificates[_i].name;
    ck_assert(answer_to(&hello).greeted);
    hello.signatures = (struct hello_ids){ 3, { 0x0203, 0x0201, 0x0101 } };
    answer = answer_to(&hello);
    ck_assert(!answer.greeted);
    ck_assert_uint_eq(answer.alert, HANDSHAKE_FAILURE);
}
END_TEST

/* RFC 5746 §3.6, RFC 7627 §5.1; CRIME and Heartbleed */
START_TEST(what_is_said_about_extensions)
{
    struct hello_answer answer;

    hello_init(&hello, HELLO_TLS1_2);
    hello.compressions = "\x01\x40"; /* DEFLATE, LZS */
    answer = answer_to(&hello);
    ck_assert(answer.greeted);
    ck_assert_uint_eq(answer.compression, 0);
    ck_assert(answer.secure_renegotiation);
    ck_assert(answer.master_secret);
    ck_assert(!answer.heartbeat);
}
END_TEST

/* RFC 7507 §3: who was talked out of TLS 1.3 on the way is told. */
START_TEST(a_fallback_is_noticed)
{
    struct hello_answer answer;

    hello_init(&hello, HELLO_TLS1_2);
    hello.suites.at[hello.suites.len++] = FALLBACK_SCSV;
    answer = answer_to(&hello);
    ck_assert(!answer.greeted);
    ck_assert_uint_eq(answer.alert, INAPPROPRIATE_FALLBACK);
}
END_TEST

static void
start(void)
{
    tls_start("");
}

Suite *
suite_tls_hello(void)
{
    int all = (int)(sizeof certificates / sizeof *certificates);
    Suite *suite = suite_create("tls_hello");
    TCase *c = tcase_create("hello");

    tcase_set_timeout(c, 60);
    tcase_add_unchecked_fixture(c, certs_make, NULL);
    tcase_add_checked_fixture(c, start, tls_stop);
    tcase_add_loop_test(c, versions_before_1_2_are_refused, 0, all);
    tcase_add_loop_test(c, all_suites_that_are_taken, 0, all);
    tcase_add_test(c, all_suites_of_1_3_that_are_taken);
    tcase_add_loop_test(c, all_groups_that_are_taken, 0, 2);
    tcase_add_loop_test(c, nothing_is_signed_with_sha_1, 0, all);
    tcase_add_test(c, what_is_said_about_extensions);
    tcase_add_test(c, a_fallback_is_noticed);
    suite_add_tcase(suite, c);
    return suite;
}
