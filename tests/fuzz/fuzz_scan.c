/*
 * Whoever answers for scan_plain answers the same, from any place and with any room.
 */
#include "scan/scan.h"

#include "fuzz/input.h"

enum { LINES_MAX = 64, ROUNDS = 8 };

static void
check_lines(struct span bytes, uint32_t from, size_t room)
{
    struct scan_line plain[LINES_MAX], other[LINES_MAX];
    bool stray = false, strays = false;
    size_t n = scan_plain.lines(bytes, from, plain, room, &stray);

    BUG_ON(scan_chosen->lines(bytes, from, other, room, &strays) != n || strays != stray);
    for (size_t i = 0; i < n; i++)
        BUG_ON(other[i].end != plain[i].end || other[i].colon != plain[i].colon);
}

/* Three bytes of the text itself, so that they are there, and one that may not be. */
static void
check_find(struct span bytes, struct rand *rand)
{
    char c[4] = { (char)rand_below(rand, 256) };

    for (unsigned i = 1; i < countof(c) && bytes.len > 0; i++)
        c[i] = bytes.at[rand_below(rand, bytes.len)];
    BUG_ON(scan_chosen->find(bytes, c[0], c[0], c[0]) != scan_plain.find(bytes, c[0], c[0], c[0]));
    BUG_ON(scan_chosen->find(bytes, c[1], c[2], c[3]) != scan_plain.find(bytes, c[1], c[2], c[3]));
}

/* A set by chance, with some bytes of the text in it. */
static void
check_run(struct span bytes, struct rand *rand)
{
    struct scan_set set;

    for (unsigned i = 0; i < sizeof set.rows; i++)
        set.rows[i] = (uint8_t)(rand_below(rand, 256) | rand_below(rand, 256));
    for (unsigned i = 0; i < 16 && bytes.len > 0; i++) {
        unsigned char c = (unsigned char)bytes.at[rand_below(rand, bytes.len)];

        set.rows[c % 16] |= (uint8_t)(1u << (c / 16 % 8));
    }
    BUG_ON(scan_chosen->run(bytes, &set) != scan_plain.run(bytes, &set));
}

static void
check_chosen(struct span bytes, struct rand *rand)
{
    uint32_t from = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        check_lines(bytes, from, LINES_MAX);
        check_lines(bytes, from, rand_below(rand, LINES_MAX));
        BUG_ON(scan_chosen->head_end(bytes, from) != scan_plain.head_end(bytes, from));
        check_find(span_skip(bytes, from), rand);
        check_run(span_skip(bytes, from), rand);
        from = (uint32_t)rand_below(rand, bytes.len + 2);
    }
}

int
fuzz_scan(const uint8_t *data, size_t size)
{
    struct rand rand = input_rand(data, size);
    struct span bytes = input_copy(data, size);

    if (scan_choose(SPAN("avx2")))
        check_chosen(bytes, &rand);
    BUG_ON(!scan_choose(SPAN("plain")));
    input_free(&bytes);
    return 0;
}
