/*
 * name=value parts behind a URI, walked and compared (RFC 3261 §19.1.4, RFC 3966 §4).
 */
#include "sip/parts.h"

#include "sip/escape.h"

bool
parts_next(struct span *rest, char sep, struct part *out)
{
    while (rest->len > 0) {
        struct span one = span_cut(rest, sep);

        if (one.len == 0)
            continue;
        out->name = span_cut(&one, '=');
        out->value = one;
        return true;
    }
    return false;
}

bool
parts_name_is(struct span name, struct span what)
{
    return escape_eq(name, what, ESCAPE_FOLD);
}

bool
parts_find(struct span parts, char sep, struct span name, struct part *out)
{
    struct part part;

    while (parts_next(&parts, sep, &part)) {
        if (!parts_name_is(part.name, name))
            continue;
        *out = part;
        return true;
    }
    return false;
}

bool
parts_are_many(struct span parts, char sep, unsigned max)
{
    unsigned count = 0;

    while (parts.len > 0 && count <= max) {
        (void)span_cut(&parts, sep);
        count++;
    }
    return count > max;
}

/* ---- comparing: both lists in one order, then side by side */

static int
name_order(const struct part *a, const struct part *b)
{
    return escape_order(a->name, b->name, ESCAPE_FOLD);
}

/* By name, then by value: first as most values are compared, then as strictly as any is. */
static int
part_order(const struct part *a, const struct part *b)
{
    int order = name_order(a, b);

    if (order == 0)
        order = escape_order(a->value, b->value, ESCAPE_FOLD);
    return order != 0 ? order : escape_order(a->value, b->value, ESCAPE_CASE);
}

/* Where among those, in order, this one belongs: behind its equals. */
static size_t
place_of(const struct part *part, const struct part *ordered, size_t len)
{
    size_t low = 0, high = len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (part_order(part, &ordered[middle]) < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static size_t
in_order(struct span parts, const struct parts_rules *rules, struct part to[PARTS_MAX])
{
    struct part part;
    size_t len = 0;

    while (parts_next(&parts, rules->sep, &part)) {
        size_t at;

        if (rules->full)
            part.name = rules->full(part.name);
        at = place_of(&part, to, len);
        memmove(&to[at + 1], &to[at], (len - at) * sizeof *to);
        to[at] = part;
        len++;
    }
    return len;
}

/* A surplus of one that both have is never ignored. */
static bool
is_ignored(const struct part *part, const struct part *last_of_both,
           const struct parts_rules *rules)
{
    return !rules->counts(part->name) && !(last_of_both && name_order(part, last_of_both) == 0);
}

static bool
ordered_eq(const struct part *a, size_t a_len, const struct part *b, size_t b_len,
           const struct parts_rules *rules)
{
    const struct part *a_end = a + a_len, *b_end = b + b_len, *both = NULL;

    while (a < a_end || b < b_end) {
        int order = a == a_end ? 1 : b == b_end ? -1 : name_order(a, b);

        if (order == 0) {
            if (!rules->same(a->name, a->value, b->value))
                return false;
            if (rules->once && both && name_order(a, both) == 0)
                return false;
            both = a++;
            b++;
        } else if (!is_ignored(order < 0 ? a++ : b++, both, rules)) {
            return false;
        }
    }
    return true;
}

bool
parts_eq(struct span a, struct span b, const struct parts_rules *rules)
{
    struct part x[PARTS_MAX], y[PARTS_MAX];

    if (span_eq(a, b))
        return true;
    if (parts_are_many(a, rules->sep, PARTS_MAX) || parts_are_many(b, rules->sep, PARTS_MAX))
        return false;
    return ordered_eq(x, in_order(a, rules, x), y, in_order(b, rules, y), rules);
}
