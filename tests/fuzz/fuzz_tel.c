/*
 * Telephone numbers, one on each of the first two lines: parts lie in the input, equality is reflexive, symmetric and
 * that of the URIs, what is written is the same number, and a number comes back from its sip URI.
 */
#include "fuzz/input.h"
#include "sip/tel.h"
#include "sip/uri.h"

enum { GROWTH = 3, AROUND = 64 }; /* an escape for each byte, and what stands around */

int fuzz_tel(const uint8_t *data, size_t size);

static void
check_spans(struct span text, const struct tel *tel)
{
    const struct span parts[] = { tel->number, tel->context, tel->ext, tel->isub, tel->params };

    for (size_t i = 0; i < countof(parts); i++)
        BUG_ON(!input_holds(text, parts[i]));
    BUG_ON(tel->ext.len > 0 && tel->isub.len > 0);
}

/* Only here do : and @ turn into escapes, which are not what they stand for (RFC 3261 §19.1.4). */
static bool
survives_a_user_part(struct span text)
{
    return span_find(text, ':') == text.len && span_find(text, '@') == text.len;
}

/* What was written reads as the same number, and is written so again. */
static void
check_written(const struct tel *tel, struct span written, char *room)
{
    struct uri uri;
    struct tel back;
    int len;

    BUG_ON(uri_read(written, &uri) != SIPD_OK || tel_of_uri(&uri, &back) != SIPD_OK ||
           !tel_eq(tel, &back));
    len = tel_write(&back, room, written.len);
    BUG_ON(len != (int)written.len || memcmp(room, written.at, written.len) != 0);
}

static void
check_conversions(struct span text, const struct tel *tel)
{
    size_t room = text.len * GROWTH + AROUND;
    char *one = mem_new(room), *two = mem_new(room);
    struct uri uri;
    struct tel back;
    int len;

    BUG_ON(!one || !two);
    len = tel_write(tel, one, room);
    BUG_ON(len <= 0);
    check_written(tel, (struct span){ one, (size_t)len }, two);
    len = tel_sip_write(tel, false, SPAN("example.com"), one, room);
    BUG_ON(len <= 0 || uri_read((struct span){ one, (size_t)len }, &uri) != SIPD_OK);
    BUG_ON(tel_of_uri(&uri, &back) != SIPD_OK);
    BUG_ON(survives_a_user_part(text) && !tel_eq(tel, &back));
    len = tel_number_write(tel, two, text.len);
    BUG_ON(len < 0);
    mem_free(one);
    mem_free(two);
}

static bool
read_one(struct span text, struct tel *out)
{
    if (tel_read(text, out) != SIPD_OK)
        return false;
    check_spans(text, out);
    check_conversions(text, out);
    BUG_ON(!tel_eq(out, out));
    return true;
}

/* The URIs of these numbers are equal when the numbers are. */
static void
check_pair(const struct tel *a, const struct tel *b)
{
    size_t x_room = 4 + GROWTH * (a->number.len + a->params.len + AROUND);
    size_t y_room = 4 + GROWTH * (b->number.len + b->params.len + AROUND);
    char *x = mem_new(x_room), *y = mem_new(y_room);
    struct uri one, two;
    int x_len, y_len;

    BUG_ON(!x || !y);
    x_len = tel_write(a, x, x_room);
    y_len = tel_write(b, y, y_room);
    BUG_ON(uri_read((struct span){ x, (size_t)x_len }, &one) ||
           uri_read((struct span){ y, (size_t)y_len }, &two));
    BUG_ON(tel_eq(a, b) != tel_eq(b, a) || tel_eq(a, b) != uri_eq(&one, &two));
    mem_free(x);
    mem_free(y);
}

int
fuzz_tel(const uint8_t *data, size_t size)
{
    struct span input = { (const char *)data, size };
    struct span line = span_cut(&input, '\n');
    struct span first = input_copy(line.at, line.len);
    struct span second = input_copy(input.at, input.len);
    struct tel a, b;
    bool read_a = read_one(first, &a), read_b = read_one(second, &b);

    if (read_a && read_b)
        check_pair(&a, &b);
    input_free(&first);
    input_free(&second);
    return 0;
}
