/*
 * SipHash against its authors' vectors, and against itself written down plainly, a byte at a time.
 */
#include "base/prf.h"

#include <check.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rand.h"
#include "unit/dies.h"
#include "unit/must.h"

enum { MESSAGE_MAX = 100 };

/* The key 00 01 … 0f of the vectors. */
static const struct prf_key counting_key = {
    UINT64_C(0x0706050403020100),
    UINT64_C(0x0f0e0d0c0b0a0908),
};

/* The function under test in no hurry: all bytes of the padded message are laid out first. */
struct plain {
    uint64_t v[4];
};

static uint64_t
rotated(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void
plain_round(struct plain *p)
{
    uint64_t *v = p->v;

    v[0] += v[1];
    v[1] = rotated(v[1], 13);
    v[1] ^= v[0];
    v[0] = rotated(v[0], 32);
    v[2] += v[3];
    v[3] = rotated(v[3], 16);
    v[3] ^= v[2];
    v[0] += v[3];
    v[3] = rotated(v[3], 21);
    v[3] ^= v[0];
    v[2] += v[1];
    v[1] = rotated(v[1], 17);
    v[1] ^= v[2];
    v[2] = rotated(v[2], 32);
}

static uint64_t
plain_finish(struct plain *p, int rounds, unsigned mark_at, uint64_t mark)
{
    p->v[mark_at] ^= mark;
    while (rounds-- > 0)
        plain_round(p);
    return p->v[0] ^ p->v[1] ^ p->v[2] ^ p->v[3];
}

/* SipHash-c-d of 64 bits (in lo), or of 128. */
static struct prf_out
plain_siphash(const struct prf_key *key, struct span s, int c, int d, bool wide)
{
    struct plain p = { {
        UINT64_C(0x736f6d6570736575) ^ key->k0,
        UINT64_C(0x646f72616e646f6d) ^ key->k1 ^ (wide ? 0xee : 0),
        UINT64_C(0x6c7967656e657261) ^ key->k0,
        UINT64_C(0x7465646279746573) ^ key->k1,
    } };
    unsigned char padded[MESSAGE_MAX + 8] = { 0 };
    size_t words = s.len / 8 + 1;
    struct prf_out out = { 0, 0 };

    if (s.len > 0)
        memcpy(padded, s.at, s.len);
    padded[words * 8 - 1] = (unsigned char)s.len;
    for (size_t i = 0; i < words; i++) {
        uint64_t word = 0;

        for (size_t j = 8; j-- > 0;)
            word = word << 8 | padded[i * 8 + j];
        p.v[3] ^= word;
        for (int round = 0; round < c; round++)
            plain_round(&p);
        p.v[0] ^= word;
    }
    out.lo = plain_finish(&p, d, 2, wide ? 0xee : 0xff);
    if (wide)
        out.hi = plain_finish(&p, d, 1, 0xdd);
    return out;
}

static bool
same(struct prf_out a, struct prf_out b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

/* The first bytes of 00 01 02 … */
static struct span
counting(char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)i;
    return (struct span){ bytes, len };
}

/* The word whose bytes, lowest first, are written in hex at text. */
static uint64_t
word_of(const char *text)
{
    uint64_t word = 0;

    for (int i = 7; i >= 0; i--) {
        unsigned byte;

        ck_assert_int_eq(sscanf(text + i * 2, "%2x", &byte), 1);
        word = word << 8 | byte;
    }
    return word;
}

/* The message 00 01 … of len bytes, and what the reference code makes of it. */
struct vector {
    size_t len;
    const char *hex;
};

static const struct vector vectors_128[] = {
    { 0, "a3817f04ba25a8e66df67214c7550293" },  { 1, "da87c1d86b99af44347659119b22fc45" },
    { 2, "8177228da4a45dc7fca38bdef60affe4" },  { 3, "9c70b60c5267a94e5f33b6b02985ed51" },
    { 4, "f88164c12d9c8faf7d0f6e7c7bcd5579" },  { 5, "1368875980776f8854527a07690e9627" },
    { 6, "14eeca338b208613485ea0308fd7a15e" },  { 7, "a1f1ebbed8dbc153c0b84aa61ff08239" },
    { 8, "3b62a9ba6258f5610f83e264f31497b4" },  { 9, "264499060ad9baabc47f8b02bb6d71ed" },
    { 10, "00110dc378146956c95447d3f3d0fbba" }, { 11, "0151c568386b6677a2b4dc6f81e5dc18" },
    { 12, "d626b266905ef35882634df68532c125" }, { 13, "9869e247e9c08b10d029934fc4b952f7" },
    { 14, "31fcefac66d7de9c7ec7485fe4494902" }, { 15, "5493e99933b0a8117e08ec0f97cfc3d9" },
    { 16, "6ee2a4ca67b054bbfd3315bf85230577" }, { 17, "473d06e8738db89854c066c47ae47740" },
    { 31, "2939b0183223fafc1723de4f52c43d35" }, { 32, "7c3956ca5eeafc3e363e9d556546eb68" },
    { 62, "5853542321f567a005d547a4f04759bd" }, { 63, "5150d1772f50834a503e069a973fbd7c" },
};

static const struct vector vectors_64[] = {
    { 0, "310e0edd47db6f72" },  { 1, "fd67dc93c539f874" },  { 7, "37d1018bf50002ab" },
    { 8, "6224939a79f5f593" },  { 15, "e545be4961ca29a1" }, { 16, "db9bc2577fcc2a3f" },
    { 63, "724506eb4c328a95" },
};

START_TEST(the_authors_128_bits)
{
    char bytes[MESSAGE_MAX];

    for (size_t i = 0; i < countof(vectors_128); i++) {
        const struct vector *v = &vectors_128[i];
        struct prf_out out = prf_wide(&counting_key, counting(bytes, v->len));

        ck_assert_uint_eq(out.lo, word_of(v->hex));
        ck_assert_uint_eq(out.hi, word_of(v->hex + 16));
    }
}
END_TEST

/* Only SipHash-2-4 has 64-bit vectors: with them the plain one can be trusted to judge ours. */
START_TEST(the_plain_one_is_right)
{
    char bytes[MESSAGE_MAX];

    for (size_t i = 0; i < countof(vectors_64); i++) {
        struct span s = counting(bytes, vectors_64[i].len);

        ck_assert_uint_eq(plain_siphash(&counting_key, s, 2, 4, false).lo,
                          word_of(vectors_64[i].hex));
    }
}
END_TEST

START_TEST(every_length_agrees_with_the_plain_one)
{
    char bytes[MESSAGE_MAX + 1];
    struct rand r;

    rand_seed(&r, 5);
    for (size_t len = 0; len <= MESSAGE_MAX; len++) {
        struct prf_key key = { rand_u64(&r), rand_u64(&r) };
        struct span s = { bytes + len % 2, len }; /* no alignment is needed */

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)rand_u64(&r);
        must(prf_hash(&key, s) == plain_siphash(&key, s, 1, 3, false).lo);
        must(same(prf_wide(&key, s), plain_siphash(&key, s, 2, 4, true)));
    }
}
END_TEST

/* Wherever the head ends and the tail begins. */
START_TEST(a_mac_is_of_both_its_parts)
{
    char bytes[MESSAGE_MAX];

    for (size_t len = 0; len < MESSAGE_MAX; len++) {
        struct span s = counting(bytes, len);
        uint64_t mac = plain_siphash(&counting_key, s, 2, 4, false).lo;

        for (size_t head = 0; head <= len; head += 8)
            must(prf_mac(&counting_key, span_head(s, head), span_skip(s, head)) == mac);
    }
}
END_TEST

static void
mac_of_seven(void)
{
    prf_mac(&counting_key, SPAN("seven.."), SPAN(""));
}

START_TEST(a_head_of_broken_words_is_a_bug)
{
    ck_assert(dies_saying(mac_of_seven, "head.len % 8 != 0"));
}
END_TEST

/* They outlive a program: another form would be other keys. */
START_TEST(a_derived_key_is_a_hash_of_whole_words)
{
    struct prf_key key = prf_derive(&counting_key, SPAN("branch"));
    struct prf_out out = prf_wide(&counting_key, SPAN("\13\0\0\0\0\0\0\0derived key\0\0\0\0\0"
                                                      "\6\0\0\0\0\0\0\0branch\0\0"));

    ck_assert(key.k0 == out.lo && key.k1 == out.hi);
}
END_TEST

START_TEST(derived_keys_differ_by_key_and_use)
{
    const struct prf_key other = { 1, 2 };
    struct prf_key a = prf_derive(&counting_key, SPAN("branch"));
    struct prf_key again = prf_derive(&counting_key, SPAN("branch"));
    struct prf_key b = prf_derive(&counting_key, SPAN("tag"));
    struct prf_key c = prf_derive(&other, SPAN("branch"));

    ck_assert(a.k0 == again.k0 && a.k1 == again.k1);
    ck_assert(a.k0 != b.k0 && a.k1 != b.k1);
    ck_assert(a.k0 != c.k0 && a.k1 != c.k1);
    ck_assert(a.k0 != counting_key.k0 && a.k1 != counting_key.k1);
}
END_TEST

/* Each length in a block without a byte to spare; each bit counts, and so does each byte, zeros at the end too. */
START_TEST(a_fold_tells_bytes_apart)
{
    for (size_t len = 0; len < MESSAGE_MAX; len++) {
        char *bytes = mem_new(len);
        struct span s = { bytes, len };
        uint64_t whole = prf_fold(&counting_key, s);

        must(whole == prf_fold(&counting_key, s));
        must(whole != prf_fold(&(struct prf_key){ 1, 2 }, s));
        must(len == 0 || whole != prf_fold(&counting_key, span_head(s, len - 1)));
        for (size_t bit = 0; bit < 8 * len; bit++) {
            bytes[bit / 8] ^= (char)(1 << bit % 8);
            must(whole != prf_fold(&counting_key, s));
            bytes[bit / 8] ^= (char)(1 << bit % 8);
        }
        mem_free(bytes);
    }
}
END_TEST

/* Nodes tell each other what they folded. */
START_TEST(a_fold_is_the_same_everywhere)
{
    ck_assert_uint_eq(prf_fold(&counting_key, SPAN("")), UINT64_C(0x1ee1c6feaca2a0ea));
    ck_assert_uint_eq(prf_fold(&counting_key, SPAN("SIP/2.0 200 OK")),
                      UINT64_C(0x6024996433bc2d10));
    ck_assert_uint_eq(prf_fold(&counting_key, SPAN("SIP/2.0 486 Busy Here, as he said\r\n")),
                      UINT64_C(0x28641efa3f03090b));
}
END_TEST

START_TEST(case_is_nothing_to_ihash)
{
    char text[MESSAGE_MAX], lower[MESSAGE_MAX];

    for (int c = 0; c < 256; c++)
        for (size_t len = 1; len < 18; len++) {
            memset(text, c, len);
            memset(lower, span_lower((char)c), len);
            must(prf_ihash(&counting_key, (struct span){ text, len }) ==
                 prf_hash(&counting_key, (struct span){ lower, len }));
        }
}
END_TEST

START_TEST(ihash_folds_each_byte_alone)
{
    char text[MESSAGE_MAX], lower[MESSAGE_MAX];
    struct rand r;

    rand_seed(&r, 7);
    for (int round = 0; round < 1000; round++) {
        size_t len = rand_below(&r, MESSAGE_MAX);

        for (size_t i = 0; i < len; i++) {
            text[i] = (char)rand_u64(&r);
            lower[i] = span_lower(text[i]);
        }
        must(prf_ihash(&counting_key, (struct span){ text, len }) ==
             prf_hash(&counting_key, (struct span){ lower, len }));
    }
}
END_TEST

Suite *
suite_prf(void)
{
    Suite *suite = suite_create("prf");
    TCase *all = tcase_create("all");

    tcase_add_test(all, the_authors_128_bits);
    tcase_add_test(all, the_plain_one_is_right);
    tcase_add_test(all, every_length_agrees_with_the_plain_one);
    tcase_add_test(all, a_mac_is_of_both_its_parts);
    tcase_add_test(all, a_head_of_broken_words_is_a_bug);
    tcase_add_test(all, a_derived_key_is_a_hash_of_whole_words);
    tcase_add_test(all, derived_keys_differ_by_key_and_use);
    tcase_add_test(all, a_fold_tells_bytes_apart);
    tcase_add_test(all, a_fold_is_the_same_everywhere);
    tcase_add_test(all, case_is_nothing_to_ihash);
    tcase_add_test(all, ihash_folds_each_byte_alone);
    suite_add_tcase(suite, all);
    return suite;
}
