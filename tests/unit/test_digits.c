/*
 * Digits of base 32, against the same a character at a time.
 */
#include "base/digits.h"

#include <check.h>

#include "base/rand.h"
#include "unit/must.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

START_TEST(each_five_bits_are_a_digit)
{
    char text[8];

    for (uint64_t n = 0; n < 32; n++)
        for (unsigned at = 0; at < 8; at++) {
            word_write(digits_of(n << at * 8), text);
            for (unsigned i = 0; i < 8; i++)
                must(text[i] == (i == at ? digits[n] : '0'));
            must(digits_value(word_read(text)) == n << at * 8);
        }
}
END_TEST

START_TEST(what_stands_above_five_bits_is_nothing)
{
    ck_assert_uint_eq(digits_of(UINT64_MAX), digits_of(UINT64_C(0x1f1f1f1f1f1f1f1f)));
    ck_assert_uint_eq(digits_of(UINT64_C(0xe0e0e0e0e0e0e0e0)), digits_of(0));
}
END_TEST

START_TEST(numbers_come_back)
{
    struct rand r;
    char text[DIGITS_64];

    rand_seed(&r, 1);
    for (unsigned round = 0; round < 10000; round++) {
        uint64_t n = rand_u64(&r) >> rand_below(&r, 64);

        digits_write(n, text);
        for (size_t i = 0; i < DIGITS_64; i++)
            must(memchr(digits, text[i], 32));
        must(digits_read(text) == n);
        must(digits_are(text, n));
    }
}
END_TEST

START_TEST(only_its_own_digits_are_those_of_a_number)
{
    char text[DIGITS_64];

    digits_write(UINT64_C(0x0123456789abcdef), text);
    for (size_t i = 0; i < DIGITS_64; i++)
        for (unsigned flip = 1; flip < 256; flip++) {
            text[i] ^= (char)flip;
            must(!digits_are(text, UINT64_C(0x0123456789abcdef)));
            text[i] ^= (char)flip;
        }
    ck_assert(digits_are(text, UINT64_C(0x0123456789abcdef)));
}
END_TEST

START_TEST(forty_bits_are_spread_five_by_five)
{
    struct rand r;

    rand_seed(&r, 2);
    for (unsigned round = 0; round < 10000; round++) {
        uint64_t bits = rand_u64(&r) >> 24, fives = digits_spread(bits);

        for (unsigned i = 0; i < 8; i++)
            must((fives >> i * 8 & 255) == (bits >> i * 5 & 31));
        must(digits_gather(fives) == bits);
        must(digits_spread(bits | UINT64_MAX << 40) == fives);
    }
}
END_TEST

Suite *
suite_digits(void)
{
    Suite *suite = suite_create("digits");
    TCase *all = tcase_create("all");

    tcase_add_test(all, each_five_bits_are_a_digit);
    tcase_add_test(all, what_stands_above_five_bits_is_nothing);
    tcase_add_test(all, numbers_come_back);
    tcase_add_test(all, only_its_own_digits_are_those_of_a_number);
    tcase_add_test(all, forty_bits_are_spread_five_by_five);
    suite_add_tcase(suite, all);
    return suite;
}
