/*
 * Splices: their order at one place, no one over another, taken back by kind; the first failure stays (RFC 3261 §16.6).
 */
#include "sip/splice.h"

#include "base/rand.h"

#include "unit/message.h"

static struct msg msg;
static struct draft draft;

static void
begin(void)
{
    msg = read_text("A sip:b SIP/2.0\r\nX: 0123456789\r\n\r\n");
    draft_init(&draft, &msg, &arena);
}

/* Counts from the first digit. */
static void
make(uint32_t at, uint32_t cut, const char *text, enum draft_kind kind, enum splice_side side)
{
    splice_make(&draft, msg.fields[0].value_at + at, cut, span_of(text), kind, side);
}

static void
must_read_at(const char *want, int line)
{
    struct span out;

    ck_assert_int_eq(draft_render(&draft, &arena, &out), SIPD_OK);
    out = span_head(span_skip(out, msg.fields[0].value_at), out.len - msg.fields[0].value_at - 4);
    must_be_at(out, span_of(want), line);
}
#define must_read(want) must_read_at(want, __LINE__)

START_TEST(stand_in_order)
{
    begin();
    make(5, 0, "b", DRAFT_PLAIN, SPLICE_BACK);
    make(0, 0, "x", DRAFT_PLAIN, SPLICE_BACK);
    make(5, 0, "c", DRAFT_PLAIN, SPLICE_BACK);
    make(5, 0, "a", DRAFT_PLAIN, SPLICE_FRONT);
    make(5, 1, "", DRAFT_PLAIN, SPLICE_BACK);
    make(5, 0, "d", DRAFT_PLAIN, SPLICE_BACK);
    make(10, 0, "z", DRAFT_PLAIN, SPLICE_BACK);
    must_read("x01234abcd6789z");
}
END_TEST

START_TEST(never_overlap)
{
    static const struct {
        uint32_t at, cut;
        bool clashes;
    } cases[] = {
        { 3, 2, true },  { 2, 2, true },  { 4, 0, true }, { 5, 0, false },
        { 3, 0, false }, { 0, 3, false }, { 0, 4, true }, { 5, 5, false },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        begin();
        make(3, 2, "", DRAFT_PLAIN, SPLICE_BACK);
        make(cases[i].at, cases[i].cut, "", DRAFT_PLAIN, SPLICE_BACK);
        ck_assert_int_eq(draft.err, cases[i].clashes ? SIPD_ECLASH : SIPD_OK);
    }
}
END_TEST

START_TEST(are_taken_back_by_kind)
{
    begin();
    make(1, 1, "", DRAFT_ROUTE, SPLICE_BACK);
    make(3, 1, "", DRAFT_PLAIN, SPLICE_BACK);
    make(5, 1, "", DRAFT_ROUTE, SPLICE_BACK);
    must_read("0246789");
    splice_forget(&draft, DRAFT_ROUTE);
    must_read("012456789");
    splice_forget(&draft, DRAFT_BODY);
    must_read("012456789");
}
END_TEST

/* What stands behind all others is put there without a look at them: as if they had been looked at. */
START_TEST(behind_others_as_between_them)
{
    struct rand r;

    rand_seed(&r, 3);
    for (unsigned i = 0; i < 20000; i++) {
        struct draft other;
        struct span out, want;
        int err;

        begin();
        other = draft;
        other.splices = other.few;
        for (unsigned n = 0; n < 6; n++) {
            uint32_t at = msg.fields[0].value_at + (uint32_t)rand_below(&r, 9);
            uint32_t cut = (uint32_t)rand_below(&r, 3) / 2;
            enum splice_side side = rand_below(&r, 2) ? SPLICE_BACK : SPLICE_FRONT;
            enum draft_kind kind = rand_below(&r, 2) ? DRAFT_PLAIN : DRAFT_BODY;
            struct span text = { &"abcdef"[n], rand_below(&r, 2) };

            splice_make(&draft, at, cut, text, kind, side);
            splice_make_between(&other, at, cut, text, kind, side);
            if (rand_below(&r, 8) == 0) {
                splice_forget(&draft, DRAFT_BODY);
                splice_forget(&other, DRAFT_BODY);
            }
        }
        err = draft_render(&other, &arena, &want);
        ck_assert_int_eq(draft_render(&draft, &arena, &out), err);
        must(span_eq(out, want));
        must(err != SIPD_OK || out.len == draft.bytes);
    }
}
END_TEST

START_TEST(keep_the_first_failure)
{
    begin();
    splice_fail(&draft, SIPD_ENOENT);
    splice_fail(&draft, SIPD_ECLASH);
    make(0, 1, "", DRAFT_PLAIN, SPLICE_BACK);
    ck_assert_int_eq(draft.err, SIPD_ENOENT);
    ck_assert_uint_eq(draft.len, 0);
}
END_TEST

/* More than a draft has room for by itself, and put in backwards. */
START_TEST(are_many)
{
    begin();
    for (unsigned i = 0; i < 3 * DRAFT_FEW; i++)
        make(3, 0, i % 2 ? "a" : "b", DRAFT_PLAIN, SPLICE_FRONT);
    must_read("012abababababababababababab3456789");
}
END_TEST

START_TEST(numbers)
{
    begin();
    must_be(splice_number(&draft, 0), "0");
    must_be(splice_number(&draft, 4294967295), "4294967295");
    must_be(splice_number(&draft, UINT64_MAX), "18446744073709551615");
}
END_TEST

START_TEST(without_memory)
{
    struct arena none;

    begin();
    arena_init(&none, 16);
    draft_init(&draft, &msg, &none);
    ck_assert_uint_eq(splice_number(&draft, 1).len, 0);
    ck_assert_int_eq(draft.err, SIPD_ENOMEM);
    draft_init(&draft, &msg, &none);
    for (unsigned i = 0; i < DRAFT_FEW; i++) /* a few it has room for */
        make(i, 0, "x", DRAFT_PLAIN, SPLICE_BACK);
    ck_assert_int_eq(draft.err, SIPD_OK);
    make(0, 0, "y", DRAFT_PLAIN, SPLICE_BACK);
    ck_assert_int_eq(draft.err, SIPD_ENOMEM);
    ck_assert_uint_eq(draft.len, DRAFT_FEW);
    arena_fini(&none);
}
END_TEST

Suite *
suite_splice(void)
{
    Suite *s = suite_create("splice");
    TCase *c = message_case("splice");

    tcase_add_test(c, stand_in_order);
    tcase_add_test(c, never_overlap);
    tcase_add_test(c, are_taken_back_by_kind);
    tcase_add_test(c, behind_others_as_between_them);
    tcase_add_test(c, keep_the_first_failure);
    tcase_add_test(c, are_many);
    tcase_add_test(c, numbers);
    tcase_add_test(c, without_memory);
    suite_add_tcase(s, c);
    return s;
}
