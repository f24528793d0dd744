/*
 * Nonces: who may use one, until when, and each count once, whatever is forgotten.
 */
#include "auth/nonce.h"

#include "unit/heap.h"
#include "unit/text.h"

enum { LIFE_S = 300, LIMIT = 4 };

static const uint8_t key[16] = "0123456789abcde", other_key[16] = "fedcba987654321";
static const uint64_t start_ms = UINT64_C(1700000000000);
static struct nonces *nonces;

static void
begin(void)
{
    heap_watch();
    nonces = nonces_new(key, LIFE_S, LIMIT, start_ms);
    ck_assert_ptr_nonnull(nonces);
}

static void
end(void)
{
    nonces_free(&nonces);
    heap_compare();
}

static struct hop
from(const char *address, uint16_t port)
{
    struct hop hop = { .port = port, .transport = HOP_UDP };

    must(hop_ip_read(span_of(address), &hop));
    return hop;
}

/* A nonce made for 192.0.2.1 and read back at once. */
static struct nonce
made(uint64_t now_ms, uint64_t salt)
{
    struct hop source = from("192.0.2.1", 5060);
    char text[NONCE_TEXT_BYTES];
    struct nonce nonce;

    must(nonce_read(nonces, nonce_write(nonces, &source, now_ms, salt, text), &source, now_ms,
                    &nonce) == NONCE_GOOD);
    return nonce;
}

START_TEST(a_nonce_comes_back)
{
    struct hop source = from("192.0.2.1", 5060), moved = from("192.0.2.1", 40000);
    char text[NONCE_TEXT_BYTES];
    struct span sent = nonce_write(nonces, &source, start_ms, 7, text);
    struct nonce nonce;

    ck_assert_uint_eq(sent.len, NONCE_TEXT_BYTES);
    ck_assert_int_eq(nonce_read(nonces, sent, &source, start_ms, &nonce), NONCE_GOOD);
    ck_assert_uint_eq(nonce.made_ms, start_ms);
    /* A NAT gave it another port. */
    ck_assert_int_eq(nonce_read(nonces, sent, &moved, start_ms, &nonce), NONCE_GOOD);
}
END_TEST

START_TEST(another_address_or_key_makes_it_foreign)
{
    struct hop source = from("192.0.2.1", 5060), other = from("192.0.2.2", 5060);
    struct hop six = from("2001:db8::1", 5060);
    struct nonces *others = nonces_new(other_key, LIFE_S, LIMIT, start_ms);
    char text[NONCE_TEXT_BYTES];
    struct span sent = nonce_write(nonces, &source, start_ms, 7, text);
    struct nonce nonce;

    ck_assert_int_eq(nonce_read(nonces, sent, &other, start_ms, &nonce), NONCE_FOREIGN);
    ck_assert_int_eq(nonce_read(nonces, sent, &six, start_ms, &nonce), NONCE_FOREIGN);
    ck_assert_int_eq(nonce_read(others, sent, &source, start_ms, &nonce), NONCE_FOREIGN);
    nonces_free(&others);
}
END_TEST

START_TEST(no_byte_may_change)
{
    struct hop source = from("2001:db8::1", 5060);
    char text[NONCE_TEXT_BYTES];
    struct span sent = nonce_write(nonces, &source, start_ms, 7, text);
    struct nonce nonce;

    for (size_t i = 0; i < sizeof text; i++) {
        char was = text[i];

        text[i] = was == '0' ? '1' : '0';
        must(nonce_read(nonces, sent, &source, start_ms, &nonce) == NONCE_FOREIGN);
        text[i] = was;
    }
    must(nonce_read(nonces, sent, &source, start_ms, &nonce) == NONCE_GOOD);
    must(nonce_read(nonces, span_head(sent, 46), &source, start_ms, &nonce) == NONCE_FOREIGN);
    must(nonce_read(nonces, (struct span){ NULL, 0 }, &source, start_ms, &nonce) == NONCE_FOREIGN);
    must(nonce_read(nonces, SPAN("\"; drop"), &source, start_ms, &nonce) == NONCE_FOREIGN);
}
END_TEST

START_TEST(it_lives_as_long_as_the_setting_says)
{
    struct hop source = from("192.0.2.1", 5060);
    const uint64_t end_ms = start_ms + LIFE_S * 1000;
    char text[NONCE_TEXT_BYTES];
    struct span sent = nonce_write(nonces, &source, start_ms, 7, text);
    struct nonce nonce;

    ck_assert_int_eq(nonce_read(nonces, sent, &source, end_ms, &nonce), NONCE_GOOD);
    ck_assert_int_eq(nonce_read(nonces, sent, &source, end_ms + 1, &nonce), NONCE_OLD);
    nonces_set_lifetime(nonces, LIFE_S + 1);
    ck_assert_int_eq(nonce_read(nonces, sent, &source, end_ms + 1, &nonce), NONCE_GOOD);
    /* Made by a node whose clock is ahead. */
    ck_assert_int_eq(nonce_read(nonces, sent, &source, start_ms - 1, &nonce), NONCE_OLD);
}
END_TEST

START_TEST(each_count_is_used_once)
{
    struct nonce nonce = made(start_ms, 7);

    for (uint32_t nc = 1; nc < 500; nc++) {
        must(nonce_use(nonces, &nonce, nc, 0, start_ms) == NONCE_GOOD);
        must(nonce_use(nonces, &nonce, nc, 0, start_ms) == NONCE_USED);
    }
    must(nonce_use(nonces, &nonce, UINT32_MAX, 0, start_ms) == NONCE_GOOD);
    must(nonce_use(nonces, &nonce, UINT32_MAX, 0, start_ms) == NONCE_USED);
    must(nonce_use(nonces, &nonce, 500, 0, start_ms) == NONCE_USED);
}
END_TEST

START_TEST(counts_may_overtake_each_other_by_63)
{
    struct nonce nonce = made(start_ms, 7);

    ck_assert_int_eq(nonce_use(nonces, &nonce, 100, 0, start_ms), NONCE_GOOD);
    for (uint32_t nc = 99; nc > 100 - 64; nc--)
        must(nonce_use(nonces, &nonce, nc, 0, start_ms) == NONCE_GOOD);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 100 - 64, 0, start_ms), NONCE_USED);
    for (uint32_t nc = 100 - 63; nc <= 100; nc++)
        must(nonce_use(nonces, &nonce, nc, 0, start_ms) == NONCE_USED);
    /* A step of 64 leaves nothing of the window, one of 63 its newest. */
    ck_assert_int_eq(nonce_use(nonces, &nonce, 163, 0, start_ms), NONCE_GOOD);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 100, 0, start_ms), NONCE_USED);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 227, 0, start_ms), NONCE_GOOD);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 164, 0, start_ms), NONCE_GOOD);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 163, 0, start_ms), NONCE_USED);
}
END_TEST

START_TEST(a_request_sent_again_is_no_replay)
{
    struct nonce nonce = made(start_ms, 7);

    ck_assert_int_eq(nonce_use(nonces, &nonce, 1, 11, start_ms), NONCE_GOOD);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 2, 22, start_ms), NONCE_GOOD);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 1, 11, start_ms + 500), NONCE_REPEATED);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 2, 22, start_ms + 500), NONCE_REPEATED);
    /* Another request with that count, one too late, and one that cannot be told from others. */
    ck_assert_int_eq(nonce_use(nonces, &nonce, 1, 22, start_ms + 500), NONCE_USED);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 1, 11, start_ms + 32000), NONCE_REPEATED);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 1, 11, start_ms + 32001), NONCE_USED);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 3, 0, start_ms), NONCE_GOOD);
    ck_assert_int_eq(nonce_use(nonces, &nonce, 3, 0, start_ms), NONCE_USED);
}
END_TEST

START_TEST(who_is_forgotten_is_not_believed)
{
    struct nonce old[LIMIT], unused = made(start_ms, 99), next;

    for (uint64_t i = 0; i < LIMIT; i++) {
        old[i] = made(start_ms + i * 10, i);
        must(nonce_use(nonces, &old[i], 1, 0, start_ms + 100) == NONCE_GOOD);
    }
    next = made(start_ms + 50, 50);
    must(nonce_use(nonces, &next, 1, 0, start_ms + 100) == NONCE_GOOD);
    /* The oldest had to go; those as old as it cannot be told from it. */
    must(nonce_use(nonces, &old[0], 1, 0, start_ms + 100) == NONCE_USED);
    must(nonce_use(nonces, &old[0], 2, 0, start_ms + 100) == NONCE_USED);
    must(nonce_use(nonces, &unused, 1, 0, start_ms + 100) == NONCE_USED);
    for (size_t i = 1; i < LIMIT; i++) {
        must(nonce_use(nonces, &old[i], 1, 0, start_ms + 100) == NONCE_USED);
        must(nonce_use(nonces, &old[i], 2, 0, start_ms + 100) == NONCE_GOOD);
    }
    next = made(start_ms + 1, 51);
    must(nonce_use(nonces, &next, 1, 0, start_ms + 100) == NONCE_GOOD);
}
END_TEST

START_TEST(the_memory_goes_round)
{
    for (uint64_t i = 0; i < 50 * LIMIT; i++) {
        struct nonce nonce = made(start_ms + i, i);

        must(nonce_use(nonces, &nonce, 1, 0, start_ms + i) == NONCE_GOOD);
        must(nonce_use(nonces, &nonce, 1, 0, start_ms + i) == NONCE_USED);
    }
    for (uint64_t i = 0; i < 49 * LIMIT; i++) {
        struct nonce nonce = made(start_ms + i, i);

        must(nonce_use(nonces, &nonce, 2, 0, start_ms + i) == NONCE_USED);
    }
}
END_TEST

START_TEST(what_another_process_made_is_asked_for_again)
{
    struct nonce before = made(start_ms - 1, 7), after = made(start_ms, 8);

    ck_assert_int_eq(nonce_use(nonces, &before, 1, 0, start_ms), NONCE_USED);
    ck_assert_int_eq(nonce_use(nonces, &after, 1, 0, start_ms), NONCE_GOOD);
}
END_TEST

START_TEST(without_memory_there_are_none)
{
    for (uint64_t n = 0; n < 3; n++) {
        mem_fail_after(n);
        ck_assert_ptr_null(nonces_new(key, LIFE_S, LIMIT, start_ms));
        ck_assert(mem_failed());
    }
    mem_fail_never();
}
END_TEST

Suite *
suite_auth_nonce(void)
{
    Suite *suite = suite_create("auth_nonce");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, a_nonce_comes_back);
    tcase_add_test(all, another_address_or_key_makes_it_foreign);
    tcase_add_test(all, no_byte_may_change);
    tcase_add_test(all, it_lives_as_long_as_the_setting_says);
    tcase_add_test(all, each_count_is_used_once);
    tcase_add_test(all, counts_may_overtake_each_other_by_63);
    tcase_add_test(all, a_request_sent_again_is_no_replay);
    tcase_add_test(all, who_is_forgotten_is_not_believed);
    tcase_add_test(all, the_memory_goes_round);
    tcase_add_test(all, what_another_process_made_is_asked_for_again);
    tcase_add_test(all, without_memory_there_are_none);
    suite_add_tcase(suite, all);
    return suite;
}
