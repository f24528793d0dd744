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

/* Does b have one like it? A name that b has not at all matters only if it counts. */
static bool
part_is_in(const struct part *part, struct span b, const struct parts_rules *rules)
{
    struct part other;
    bool named = false;

    while (parts_next(&b, rules->sep, &other)) {
        if (!parts_name_is(part->name, other.name))
            continue;
        if (rules->same(part->name, part->value, other.value))
            return true;
        named = true;
    }
    return !named && !rules->counts(part->name);
}

static bool
parts_are_in(struct span a, struct span b, const struct parts_rules *rules)
{
    struct part part;

    while (parts_next(&a, rules->sep, &part))
        if (!part_is_in(&part, b, rules))
            return false;
    return true;
}

bool
parts_are_many(struct span parts, char sep)
{
    unsigned count = 0;

    while (parts.len > 0 && count <= PARTS_MAX) {
        (void)span_cut(&parts, sep);
        count++;
    }
    return count > PARTS_MAX;
}

bool
parts_eq(struct span a, struct span b, const struct parts_rules *rules)
{
    if (parts_are_many(a, rules->sep) || parts_are_many(b, rules->sep))
        return span_eq(a, b);
    return parts_are_in(a, b, rules) && parts_are_in(b, a, rules);
}
