/*
 * Wide registers answer as the specification does, whatever the bytes, where they begin and end, and what may be touched.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/def.h"
#include "base/rand.h"
#include "scan/scan.h"
#include "unit/must.h"

#ifdef SCAN_AVX2

/* The best first. */
static const struct scan_ops *const kinds[] = { &scan_avx2 };
static const struct scan_ops *wide; /* who is asked */

enum { TEXT_MAX = 300, LINES_MAX = 64, TEXTS = 1500 };

static char *page_end; /* behind it nothing may be read, nor before the page */

static void
pages_map(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(pages, MAP_FAILED);
    ck_assert_int_eq(mprotect(pages, page, PROT_NONE), 0);
    ck_assert_int_eq(mprotect(pages + 2 * page, page, PROT_NONE), 0);
    page_end = pages + 2 * page;
}

static void
pages_unmap(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    ck_assert_int_eq(munmap(page_end - 2 * page, 3 * page), 0);
}

static void
same_lines(struct span bytes, uint32_t from, size_t room)
{
    struct scan_line plain[LINES_MAX], other[LINES_MAX];
    bool stray = false, strays = false;
    size_t n = scan_plain.lines(bytes, from, plain, room, &stray);

    must(wide->lines(bytes, from, other, room, &strays) == n && strays == stray);
    for (size_t i = 0; i < n; i++)
        must(other[i].end == plain[i].end && other[i].colon == plain[i].colon);
}

static void
same_find(struct span bytes)
{
    must(wide->find(bytes, '\r', ':', '\x80') == scan_plain.find(bytes, '\r', ':', '\x80'));
    must(wide->find(bytes, 0, 0, 0) == scan_plain.find(bytes, 0, 0, 0));
}

/* With x and without; the bytes above ASCII that the texts have are like some in these sets. */
static void
same_run(struct span bytes)
{
    static const struct scan_set x = { { [8] = 128, [10] = 9 } },
                                 others = { { [0] = 4, [10] = 8, [13] = 1 } };

    must(wide->run(bytes, &x) == scan_plain.run(bytes, &x));
    must(wide->run(bytes, &others) == scan_plain.run(bytes, &others));
}

static void
same_answers(struct span bytes, uint32_t from)
{
    same_lines(bytes, from, LINES_MAX);
    same_lines(bytes, from, from % 4);
    must(wide->head_end(bytes, from) == scan_plain.head_end(bytes, from));
    same_find(span_skip(bytes, from));
    same_run(span_skip(bytes, from));
}

/* Few kinds of bytes, so that what matters meets often; how often each text has its own. */
static void
text_fill(struct rand *rand, char *text, size_t len)
{
    static const char bytes[] = "\r\n\r\n\n\r\n:: \t\x1f\xba\x8a\x80\0";
    uint64_t one_in = 1 + rand_below(rand, 20);

    for (size_t i = 0; i < len; i++)
        text[i] = rand_below(rand, one_in) == 0 ? bytes[rand_below(rand, sizeof bytes)] : 'x';
}

START_TEST(any_bytes_at_a_page_end)
{
    struct rand rand;

    wide = kinds[_i];
    rand_seed(&rand, 7);
    for (unsigned n = 0; n < TEXTS; n++) {
        size_t len = rand_below(&rand, TEXT_MAX + 1);
        char *text = page_end - len;

        text_fill(&rand, text, len);
        for (uint32_t from = 0; from <= len + 1; from++)
            same_answers((struct span){ text, len }, from);
    }
}
END_TEST

START_TEST(any_bytes_at_a_page_start)
{
    char *page = page_end - sysconf(_SC_PAGESIZE);
    struct rand rand;

    wide = kinds[_i];
    rand_seed(&rand, 8);
    for (unsigned n = 0; n < TEXTS; n++) {
        size_t len = rand_below(&rand, TEXT_MAX + 1);

        text_fill(&rand, page, len);
        same_answers((struct span){ page, len }, (uint32_t)rand_below(&rand, len + 1));
    }
}
END_TEST

START_TEST(nothing_at_all)
{
    wide = kinds[_i];
    same_answers((struct span){ NULL, 0 }, 0);
    same_answers(SPAN(""), 9);
}
END_TEST

START_TEST(it_can_be_chosen)
{
    ck_assert(scan_choose(span_of(kinds[_i]->name)));
    ck_assert_ptr_eq(scan_chosen, kinds[_i]);
    ck_assert(scan_choose(SPAN("plain")));
    ck_assert_ptr_eq(scan_chosen, &scan_plain);
}
END_TEST

/* On another machine there is nothing to ask. */
static bool
runs_here(const struct scan_ops *ops)
{
    bool runs = scan_choose(span_of(ops->name));

    return scan_choose(SPAN("plain")) && runs;
}

START_TEST(the_best_is_chosen)
{
    size_t best = 0;

    while (best < countof(kinds) && !runs_here(kinds[best]))
        best++;
    ck_assert(scan_choose(SPAN("")));
    ck_assert_ptr_eq(scan_chosen, best < countof(kinds) ? kinds[best] : &scan_plain);
    ck_assert(scan_choose(SPAN("plain")));
    ck_assert(!scan_choose(SPAN("other")));
}
END_TEST

static void
add_tests(Suite *s)
{
    TCase *best = tcase_create("scan_wide");

    tcase_add_test(best, the_best_is_chosen);
    suite_add_tcase(s, best);
    for (int i = 0; i < (int)countof(kinds); i++) {
        TCase *c;

        if (!runs_here(kinds[i]))
            continue;
        c = tcase_create(kinds[i]->name);
        tcase_add_checked_fixture(c, pages_map, pages_unmap);
        tcase_add_loop_test(c, any_bytes_at_a_page_end, i, i + 1);
        tcase_add_loop_test(c, any_bytes_at_a_page_start, i, i + 1);
        tcase_add_loop_test(c, nothing_at_all, i, i + 1);
        tcase_add_loop_test(c, it_can_be_chosen, i, i + 1);
        suite_add_tcase(s, c);
    }
}

#else

static void
add_tests(Suite *s)
{
    (void)s;
}

#endif

Suite *
suite_scan_wide(void)
{
    Suite *s = suite_create("scan_wide");

    add_tests(s);
    return s;
}
