/*
 * Telephone numbers read, compared, and written as tel and as sip URIs (RFC 3966 §3, §4, §5, RFC 3261 §19.1.6).
 */
#include "sip/tel.h"

#include "base/def.h"
#include "sip/escape.h"
#include "sip/parts.h"

/* More parameters than this are refused: nobody shall buy quadratic time with one long number. */
enum { PARAMS_MAX = 32 };

/* ---- reading */

static bool
is_local_digit(char c)
{
    return chars_is(c, CHARS_HEX) || c == '*' || c == '#';
}

bool
tel_is_number(struct span text)
{
    bool global = chars_begin(text, '+');
    bool digits = false;

    if (global)
        text = span_skip(text, 1);
    while (text.len > 0) {
        struct escape_letter letter = escape_next(&text);
        bool digit = global ? chars_is_digit(letter.byte) : is_local_digit(letter.byte);

        if (!digit && !escape_is_separator(letter.byte))
            return false;
        digits = digits || digit;
    }
    return digits;
}

/* pname: letters, digits and hyphens. */
static bool
is_name(struct span text)
{
    bool some = text.len > 0;

    while (text.len > 0) {
        struct escape_letter letter = escape_next(&text);

        if (!chars_is(letter.byte, CHARS_ALPHA) && !chars_is_digit(letter.byte) &&
            letter.byte != '-')
            return false;
    }
    return some;
}

/* extension: digits and visual separators. */
static bool
is_extension(struct span text)
{
    bool some = text.len > 0;

    while (text.len > 0) {
        struct escape_letter letter = escape_next(&text);

        if (!chars_is_digit(letter.byte) && !escape_is_separator(letter.byte))
            return false;
    }
    return some;
}

/*
 * descriptor: global digits or a domain. What is neither but looks like a name was legal once (RFC 3261 §19.1.6 has
 * "5").
 */
static bool
is_context(struct span text)
{
    return chars_begin(text, '+') ? tel_is_number(text)
                                  : text.len > 0 && chars_all(text, CHARS_HOST);
}

static bool
is_bracket(char c)
{
    return c == '[' || c == ']';
}

/* pvalue and, more generous, the uric of a subaddress; what would begin a URI's headers is escaped (§3). */
static bool
is_value(struct span text)
{
    while (text.len > 0) {
        struct escape_letter letter = escape_next(&text);
        bool raw =
            chars_is(letter.byte, CHARS_UNRESERVED | CHARS_RESERVED) || is_bracket(letter.byte);

        if (!letter.escaped && (!raw || letter.byte == '?'))
            return false;
    }
    return true;
}

static bool
is_part(const struct part *part)
{
    if (parts_name_is(part->name, SPAN("ext")))
        return is_extension(part->value);
    if (parts_name_is(part->name, SPAN("phone-context")))
        return is_context(part->value);
    if (parts_name_is(part->name, SPAN("isub")))
        return part->value.len > 0 && is_value(part->value);
    return is_name(part->name) && is_value(part->value);
}

/* Each can be read, and stands there once (§3). */
static bool
are_parts(struct span params)
{
    struct part part, again;

    if (parts_are_many(params, ';', PARAMS_MAX))
        return false;
    while (parts_next(&params, ';', &part))
        if (!is_part(&part) || parts_find(params, ';', part.name, &again))
            return false;
    return true;
}

static struct span
value_of(struct span params, struct span name)
{
    struct part part = { .value = { NULL, 0 } };

    (void)parts_find(params, ';', name, &part);
    return part.value;
}

struct tel
tel_split(struct span number, struct span params)
{
    return (struct tel){
        .number = number,
        .global = chars_begin(number, '+'),
        .context = value_of(params, SPAN("phone-context")),
        .ext = value_of(params, SPAN("ext")),
        .isub = value_of(params, SPAN("isub")),
        .params = params,
    };
}

int
tel_read(struct span text, struct tel *out)
{
    struct span number = span_cut(&text, ';');

    *out = tel_split(number, text);
    if (!tel_is_number(number) || !are_parts(text) || (out->ext.len > 0 && out->isub.len > 0))
        return SIPD_ESYNTAX;
    return SIPD_OK;
}

int
tel_of_uri(const struct uri *uri, struct tel *out)
{
    struct span user;

    *out = (struct tel){ .global = false };
    if (uri->scheme == URI_TEL)
        return tel_read(uri->rest, out);
    if (uri->scheme == URI_OTHER || !uri_param(uri, SPAN("user"), &user) ||
        !escape_eq(user, SPAN("phone"), ESCAPE_FOLD))
        return SIPD_ENOENT;
    return tel_read(uri->user, out);
}

/* ---- comparing */

/* "If one URI has a parameter name not found in the other, the two URIs are not equal." (§4) */
static bool
every_part_counts(struct span name)
{
    (void)name;
    return true;
}

/* Visual separators mean nothing in digits; in a domain name they are none. */
static bool
is_same_value(struct span name, struct span a, struct span b)
{
    bool numbers = chars_begin(a, '+') && chars_begin(b, '+');

    if (parts_name_is(name, SPAN("ext")) || (numbers && parts_name_is(name, SPAN("phone-context"))))
        return escape_eq(a, b, ESCAPE_NUMBER);
    return escape_eq(a, b, ESCAPE_FOLD);
}

bool
tel_eq(const struct tel *a, const struct tel *b)
{
    static const struct parts_rules rules = { ';', true, NULL, every_part_counts, is_same_value };

    return a->global == b->global && escape_eq(a->number, b->number, ESCAPE_NUMBER) &&
           parts_eq(a->params, b->params, &rules);
}

static bool
is_mandatory(struct span name)
{
    struct escape_letter first, second;

    return escape_next_that_counts(&name, ESCAPE_FOLD, &first) &&
           escape_next_that_counts(&name, ESCAPE_FOLD, &second) && first.byte == 'm' &&
           second.byte == '-';
}

bool
tel_is_usable(const struct tel *tel)
{
    struct span rest = tel->params;
    struct part part;

    while (parts_next(&rest, ';', &part))
        if (is_mandatory(part.name))
            return false;
    return true;
}

/* ---- writing */

/* Those that have a place of their own, in their order (§3); all others stand behind them. */
static const char *const first_names[] = { "isub", "ext", "phone-context" };

static bool
has_own_place(struct span name)
{
    for (size_t i = 0; i < countof(first_names); i++)
        if (parts_name_is(name, span_of(first_names[i])))
            return true;
    return false;
}

/* All parts in the order in which they are written. Returns how many. */
static size_t
in_order(const struct tel *tel, struct part to[PARAMS_MAX + countof(first_names)])
{
    const struct span values[] = { tel->isub, tel->ext, tel->context };
    struct span rest = tel->params;
    struct part part;
    size_t first = 0, len;

    for (size_t i = 0; i < countof(values); i++)
        if (values[i].len > 0)
            to[first++] = (struct part){ span_of(first_names[i]), values[i] };
    len = first;
    while (len < first + PARAMS_MAX && parts_next(&rest, ';', &part)) {
        size_t at = len;

        if (has_own_place(part.name))
            continue;
        for (; at > first && escape_order(part.name, to[at - 1].name, ESCAPE_FOLD) < 0; at--)
            to[at] = to[at - 1];
        to[at] = part;
        len++;
    }
    return len;
}

/*
 * Where text goes: the number of a tel URI has, against the rules of all URIs, # as itself, its parameters have
 * brackets (§3); a user part has none of them, nor : and @, which end it (RFC 3261 §25.1).
 */
enum place { IN_NUMBER, IN_PARAM, IN_USER };

static bool
may_stand(char c, enum place place)
{
    if (chars_is(c, CHARS_UNRESERVED))
        return true;
    if (chars_is(c, CHARS_RESERVED))
        return place != IN_USER || (c != ':' && c != '@');
    return (place == IN_NUMBER && c == '#') || (place == IN_PARAM && is_bracket(c));
}

/* One spelling of a text: lower case, and escaped only what must be. */
static void
put_text(struct escape_out *out, struct span text, enum place place)
{
    struct escape_letter letter;

    while (escape_next_that_counts(&text, ESCAPE_FOLD, &letter))
        if (!letter.fixed && may_stand(letter.byte, place))
            escape_put(out, letter.byte);
        else
            escape_put_hex(out, letter.byte);
}

static void
put_subscriber(struct escape_out *out, const struct tel *tel, enum place number, enum place param)
{
    struct part parts[PARAMS_MAX + countof(first_names)];
    size_t len = in_order(tel, parts);

    put_text(out, tel->number, number);
    for (size_t i = 0; i < len; i++) {
        escape_put(out, ';');
        put_text(out, parts[i].name, param);
        if (parts[i].value.len > 0) {
            escape_put(out, '=');
            put_text(out, parts[i].value, param);
        }
    }
}

int
tel_write(const struct tel *tel, char *to, size_t room)
{
    struct escape_out out = { to, room, 0 };

    escape_put_lower(&out, SPAN("tel:"));
    put_subscriber(&out, tel, IN_NUMBER, IN_PARAM);
    return escape_done(&out);
}

int
tel_sip_write(const struct tel *tel, bool sips, struct span host, char *to, size_t room)
{
    struct escape_out out = { to, room, 0 };

    escape_put_lower(&out, sips ? SPAN("sips:") : SPAN("sip:"));
    put_subscriber(&out, tel, IN_USER, IN_USER);
    escape_put(&out, '@');
    escape_put_lower(&out, host);
    escape_put_lower(&out, SPAN(";user=phone"));
    return escape_done(&out);
}

int
tel_number_write(const struct tel *tel, char *to, size_t room)
{
    struct escape_out out = { to, room, 0 };
    struct span rest = tel->number;
    struct escape_letter letter;

    while (escape_next_that_counts(&rest, ESCAPE_NUMBER, &letter))
        escape_put(&out, letter.byte);
    return escape_done(&out);
}
