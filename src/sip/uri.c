/*
 * URIs read into spans and compared by their own rules (RFC 3261 §10.3, §19.1, §25.1, RFC 3966 §3, §4, RFC 5954 §4).
 */
#include "sip/uri.h"

#include "base/def.h"
#include "sip/chars.h"
#include "sip/hop.h"

/* ---- escaped text */

struct letter {
    char byte;
    bool escaped;
    bool fixed; /* a reserved one that was escaped: not what it is unescaped (RFC 3261 §19.1.4) */
};

static unsigned
hex_value(char c)
{
    return chars_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(span_lower(c) - 'a') + 10;
}

static bool
is_escape(struct span s)
{
    return s.len >= 3 && s.at[0] == '%' && chars_all(span_head(span_skip(s, 1), 2), CHARS_HEX);
}

/* Takes the next character off a text that is not empty. */
static struct letter
next_letter(struct span *text)
{
    struct letter letter = { .byte = text->at[0], .escaped = is_escape(*text) };

    if (letter.escaped) {
        letter.byte = (char)(hex_value(text->at[1]) << 4 | hex_value(text->at[2]));
        letter.fixed = chars_is(letter.byte, CHARS_RESERVED);
    }
    *text = span_skip(*text, letter.escaped ? 3 : 1);
    return letter;
}

/* RFC 3966 §3 visual-separator: there for the eye, no part of the number. */
static bool
is_separator(char c)
{
    return c == '-' || c == '.' || c == '(' || c == ')';
}

enum text_rule { TEXT_CASE, TEXT_FOLD, TEXT_NUMBER };

/* Takes the next character that counts. False at the end. */
static bool
next_that_counts(struct span *text, enum text_rule rule, struct letter *out)
{
    do {
        if (text->len == 0)
            return false;
        *out = next_letter(text);
    } while (rule == TEXT_NUMBER && is_separator(out->byte));
    if (rule != TEXT_CASE)
        out->byte = span_lower(out->byte);
    return true;
}

static bool
text_eq(struct span a, struct span b, enum text_rule rule)
{
    struct letter x, y;

    if (span_eq(a, b))
        return true;
    for (;;) {
        bool more = next_that_counts(&a, rule, &x);

        if (more != next_that_counts(&b, rule, &y))
            return false;
        if (!more)
            return true;
        if (x.byte != y.byte || x.fixed != y.fixed)
            return false;
    }
}

bool
uri_text_eq(struct span a, struct span b)
{
    return text_eq(a, b, TEXT_CASE);
}

/* Is every byte in the class or part of an escape? */
static bool
is_text(struct span s, unsigned class)
{
    while (s.len > 0) {
        if (!chars_is(s.at[0], class) && !is_escape(s))
            return false;
        s = span_skip(s, s.at[0] == '%' ? 3 : 1);
    }
    return true;
}

/* ---- reading */

/* Labels and dots, a dot at the end allowed. A name that ends in a number must be an IPv4 address (RFC 5954 §4.1). */
static bool
is_host_name(struct span host)
{
    struct span rest = host, label = host;
    struct hop hop;
    bool number = true;

    while (rest.len > 0) {
        label = span_cut(&rest, '.');
        if (label.len == 0)
            return false;
    }
    for (size_t i = 0; i < label.len; i++)
        number = number && chars_is_digit(label.at[i]);
    return host.len > 0 && (!number || hop_ip_read(host, &hop));
}

bool
uri_host_is_literal(struct span host)
{
    struct hop hop;
    bool colon = span_find(host, ':') < host.len;

    return colon == chars_begin(host, '[') && hop_ip_read(host, &hop);
}

static bool
is_host(struct span host)
{
    return chars_begin(host, '[') ? uri_host_is_literal(host) : is_host_name(host);
}

static int
read_userinfo(struct span text, struct uri *out)
{
    size_t colon = span_find(text, ':');

    out->has_user = true;
    out->user = span_head(text, colon);
    if (colon < text.len)
        out->password = span_skip(text, colon + 1);
    if (out->user.len == 0 && text.len > 0)
        return SIPD_ESYNTAX;
    return is_text(text, CHARS_USER) ? SIPD_OK : SIPD_ESYNTAX;
}

/* host [":" port], after which only parameters, headers or the end may come. */
static int
read_hostport(struct span *rest, struct uri *out)
{
    size_t len = 0;
    uint32_t port;

    if (chars_begin(*rest, '['))
        len = span_find(*rest, ']') + 1;
    else
        while (len < rest->len && chars_is(rest->at[len], CHARS_HOST))
            len++;
    out->host = span_head(*rest, len);
    *rest = span_skip(*rest, len);
    if (!is_host(out->host))
        return SIPD_ESYNTAX;
    if (chars_begin(*rest, ':')) {
        *rest = span_skip(*rest, 1);
        for (len = 0; len < rest->len && chars_is_digit(rest->at[len]);)
            len++;
        if (!span_u32(span_head(*rest, len), UINT16_MAX, &port) || port == 0)
            return SIPD_ESYNTAX;
        out->port = (uint16_t)port;
        *rest = span_skip(*rest, len);
    }
    if (rest->len > 0 && rest->at[0] != ';' && rest->at[0] != '?')
        return SIPD_ESYNTAX;
    return SIPD_OK;
}

/*
 * The first @ ends the user part, which may hold ; and ? (§25.1 user-unreserved); an @ further on can only be one that
 * a parameter or header should have escaped.
 */
static int
read_sip(struct span rest, struct uri *out)
{
    size_t at = span_find(rest, '@'), params;

    if (at < rest.len) {
        if (read_userinfo(span_head(rest, at), out))
            return SIPD_ESYNTAX;
        rest = span_skip(rest, at + 1);
    }
    if (read_hostport(&rest, out))
        return SIPD_ESYNTAX;
    params = span_find(rest, '?');
    out->params = span_skip(span_head(rest, params), 1);
    out->headers = span_skip(rest, params + 1);
    return is_text(rest, CHARS_URI) ? SIPD_OK : SIPD_ESYNTAX;
}

static bool
is_local_digit(char c)
{
    return chars_is(c, CHARS_HEX) || c == '*' || c == '#';
}

/* RFC 3966 §3. A local number should have a phone-context; phones leave it out. */
static bool
is_number(struct span s)
{
    bool global = chars_begin(s, '+');
    bool digits = false;

    if (global)
        s = span_skip(s, 1);
    while (s.len > 0) {
        struct letter letter = next_letter(&s);
        bool digit = global ? chars_is_digit(letter.byte) : is_local_digit(letter.byte);

        if (!digit && !is_separator(letter.byte))
            return false;
        digits = digits || digit;
    }
    return digits;
}

static int
read_tel(struct span rest, struct uri *out)
{
    out->user = span_cut(&rest, ';');
    out->params = rest;
    if (!is_number(out->user) || span_find(rest, '?') < rest.len)
        return SIPD_ESYNTAX;
    return is_text(rest, CHARS_URI) ? SIPD_OK : SIPD_ESYNTAX;
}

static int
read_other(struct span rest)
{
    for (size_t i = 0; i < rest.len; i++)
        if (!chars_is(rest.at[i], CHARS_URI) && rest.at[i] != '%')
            return SIPD_ESYNTAX;
    return SIPD_OK;
}

static bool
is_scheme(struct span s)
{
    if (s.len == 0 || !chars_is(s.at[0], CHARS_ALPHA))
        return false;
    for (size_t i = 1; i < s.len; i++) {
        char c = s.at[i];

        if (!chars_is(c, CHARS_ALPHA) && !chars_is_digit(c) && c != '+' && c != '-' && c != '.')
            return false;
    }
    return true;
}

static enum uri_scheme
scheme_of(struct span text)
{
    if (span_ieq(text, SPAN("sip")))
        return URI_SIP;
    if (span_ieq(text, SPAN("sips")))
        return URI_SIPS;
    return span_ieq(text, SPAN("tel")) ? URI_TEL : URI_OTHER;
}

int
uri_read(struct span text, struct uri *out)
{
    size_t colon = span_find(text, ':');

    *out = (struct uri){ .whole = text,
                         .scheme_text = span_head(text, colon),
                         .rest = span_skip(text, colon + 1) };
    if (out->rest.len == 0 || !is_scheme(out->scheme_text))
        return SIPD_ESYNTAX;
    out->scheme = scheme_of(out->scheme_text);
    switch (out->scheme) {
    case URI_SIP:
    case URI_SIPS: return read_sip(out->rest, out);
    case URI_TEL: return read_tel(out->rest, out);
    case URI_OTHER: break;
    }
    return read_other(out->rest);
}

/* ---- comparing */

/* Parts beyond this many are compared as they stand: nobody shall buy quadratic time with one long URI. */
enum { PARTS_MAX = 32 };

struct part {
    struct span name, value;
};

/* How the name=value parts behind a URI are compared. */
struct part_rules {
    char sep;
    bool (*counts)(struct span name); /* never ignored, even in one URI only */
    bool (*same)(struct span name, struct span a, struct span b);
};

static bool
next_part(struct span *rest, char sep, struct part *out)
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

static bool
name_is(struct span name, struct span what)
{
    return text_eq(name, what, TEXT_FOLD);
}

static bool
sip_param_counts(struct span name)
{
    return name_is(name, SPAN("transport")) || name_is(name, SPAN("user")) ||
           name_is(name, SPAN("ttl")) || name_is(name, SPAN("maddr")) ||
           name_is(name, SPAN("method"));
}

static bool
always(struct span name)
{
    (void)name;
    return true;
}

/* Values of parameters and header fields know no case unless their definition says so (RFC 3261 §7.3.1). */
static bool
same_without_case(struct span name, struct span a, struct span b)
{
    (void)name;
    return text_eq(a, b, TEXT_FOLD);
}

/* RFC 3966 §4: numbers in parameters without their visual separators; in a domain name these are none. */
static bool
same_tel_value(struct span name, struct span a, struct span b)
{
    bool numbers = chars_begin(a, '+') && chars_begin(b, '+');

    if (name_is(name, SPAN("ext")) || (name_is(name, SPAN("phone-context")) && numbers))
        return text_eq(a, b, TEXT_NUMBER);
    return text_eq(a, b, TEXT_FOLD);
}

static const struct part_rules sip_params = { ';', sip_param_counts, same_without_case };
static const struct part_rules tel_params = { ';', always, same_tel_value };
static const struct part_rules sip_headers = { '&', always, same_without_case };

/* Does b have one like it? A name that b has not at all matters only if it counts. */
static bool
part_is_in(const struct part *part, struct span b, const struct part_rules *rules)
{
    struct part other;
    bool named = false;

    while (next_part(&b, rules->sep, &other)) {
        if (!text_eq(part->name, other.name, TEXT_FOLD))
            continue;
        if (rules->same(part->name, part->value, other.value))
            return true;
        named = true;
    }
    return !named && !rules->counts(part->name);
}

static bool
parts_are_in(struct span a, struct span b, const struct part_rules *rules)
{
    struct part part;

    while (next_part(&a, rules->sep, &part))
        if (!part_is_in(&part, b, rules))
            return false;
    return true;
}

static bool
has_many(struct span parts, char sep)
{
    unsigned count = 0;

    while (parts.len > 0 && count <= PARTS_MAX) {
        (void)span_cut(&parts, sep);
        count++;
    }
    return count > PARTS_MAX;
}

static bool
parts_eq(struct span a, struct span b, const struct part_rules *rules)
{
    if (has_many(a, rules->sep) || has_many(b, rules->sep))
        return span_eq(a, b);
    return parts_are_in(a, b, rules) && parts_are_in(b, a, rules);
}

/* Names without case; IPv6 references by their address, however written (RFC 5954 §4.2). */
static bool
host_eq(struct span a, struct span b)
{
    struct hop x, y;

    if (chars_begin(a, '[') && chars_begin(b, '['))
        return hop_ip_read(a, &x) && hop_ip_read(b, &y) && memcmp(x.ip, y.ip, sizeof x.ip) == 0;
    return span_ieq(a, b);
}

/* One omitted differs from an empty one (RFC 3261 §19.1.4). */
static bool
password_eq(struct span a, struct span b)
{
    return (a.at != NULL) == (b.at != NULL) && text_eq(a, b, TEXT_CASE);
}

static bool
sip_eq(const struct uri *a, const struct uri *b)
{
    return a->has_user == b->has_user && text_eq(a->user, b->user, TEXT_CASE) &&
           password_eq(a->password, b->password) && host_eq(a->host, b->host) &&
           a->port == b->port && parts_eq(a->params, b->params, &sip_params) &&
           parts_eq(a->headers, b->headers, &sip_headers);
}

/* Both global or both local, and the same digits (RFC 3966 §4). */
static bool
tel_eq(const struct uri *a, const struct uri *b)
{
    return text_eq(a->user, b->user, TEXT_NUMBER) && parts_eq(a->params, b->params, &tel_params);
}

bool
uri_eq(const struct uri *a, const struct uri *b)
{
    if (a->scheme != b->scheme)
        return false;
    switch (a->scheme) {
    case URI_SIP:
    case URI_SIPS: return sip_eq(a, b);
    case URI_TEL: return tel_eq(a, b);
    case URI_OTHER: break;
    }
    return span_ieq(a->scheme_text, b->scheme_text) && span_eq(a->rest, b->rest);
}

bool
uri_param(const struct uri *uri, struct span name, struct span *value)
{
    struct span rest = uri->params;
    struct part part;

    while (next_part(&rest, ';', &part)) {
        if (!name_is(part.name, name))
            continue;
        if (value)
            *value = part.value;
        return true;
    }
    return false;
}

/* ---- the address of record */

struct writer {
    char *to;
    size_t room;
    size_t len; /* wanted so far, also beyond room */
};

static void
put(struct writer *w, char c)
{
    if (w->len < w->room)
        w->to[w->len] = c;
    w->len++;
}

static void
put_lower(struct writer *w, struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        put(w, span_lower(s.at[i]));
}

/* One spelling of a user: unescaped what may stand so in a user part, capital hex for the rest. */
static void
put_user(struct writer *w, struct span user)
{
    static const char digits[] = "0123456789ABCDEF";

    while (user.len > 0) {
        struct letter letter = next_letter(&user);
        unsigned byte = (unsigned char)letter.byte;

        if (!letter.escaped || (chars_is(letter.byte, CHARS_USER) && letter.byte != ':')) {
            put(w, letter.byte);
        } else {
            put(w, '%');
            put(w, digits[byte >> 4]);
            put(w, digits[byte & 15]);
        }
    }
}

/* A local number means nothing without its context, so that stays (RFC 3966 §5.1.4). */
static void
put_tel(struct writer *w, const struct uri *uri)
{
    struct span rest = uri->user, context;
    struct letter letter;
    bool local = !chars_begin(uri->user, '+');

    while (next_that_counts(&rest, TEXT_NUMBER, &letter))
        put(w, letter.byte);
    if (local && uri_param(uri, SPAN("phone-context"), &context) && context.len > 0) {
        put_lower(w, SPAN(";phone-context="));
        put_lower(w, context);
    }
}

int
uri_aor_write(const struct uri *uri, char *to, size_t room)
{
    struct writer w = { to, room < INT32_MAX ? room : INT32_MAX, 0 };

    put_lower(&w, uri->scheme_text);
    put(&w, ':');
    switch (uri->scheme) {
    case URI_SIP:
    case URI_SIPS:
        put_user(&w, uri->user);
        if (uri->user.len > 0)
            put(&w, '@');
        put_lower(&w, uri->host);
        break;
    case URI_TEL: put_tel(&w, uri); break;
    case URI_OTHER:
        for (size_t i = 0; i < uri->rest.len; i++)
            put(&w, uri->rest.at[i]);
        break;
    }
    return w.len <= w.room ? (int)w.len : SIPD_ETOOBIG;
}
