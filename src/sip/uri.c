/*
 * URIs read into spans and compared by their own rules (RFC 3261 §10.3, §19.1, §25.1, RFC 3966 §3, §4, RFC 5954 §4).
 */
#include "sip/uri.h"

#include "sip/escape.h"
#include "sip/hop.h"
#include "sip/num.h"
#include "sip/parts.h"
#include "sip/tel.h"
#include "sip/uri_header.h"

bool
uri_text_eq(struct span a, struct span b)
{
    return escape_eq(a, b, ESCAPE_CASE);
}

/* ---- reading */

/* Is its last label a number? A dot may end it. */
static bool
ends_in_number(struct span host)
{
    size_t end = host.len > 0 && host.at[host.len - 1] == '.' ? host.len - 1 : host.len, at = end;

    while (at > 0 && chars_is_digit(host.at[at - 1]))
        at--;
    return at < end && (at == 0 || host.at[at - 1] == '.');
}

/* Labels and dots, a dot at the end allowed. A name that ends in a number must be an IPv4 address (RFC 5954 §4.1). */
static bool
is_host_name(struct span host)
{
    struct hop hop;
    char before = '.';

    for (size_t i = 0; i < host.len; i++) {
        if (before == '.' && host.at[i] == '.')
            return false;
        before = host.at[i];
    }
    return host.len > 0 && (!ends_in_number(host) || hop_ip_read(host, &hop));
}

bool
uri_host_is_literal(struct span host)
{
    struct hop hop;
    bool colon = span_find(host, ':') < host.len;

    return colon == chars_begin(host, '[') && hop_ip_read(host, &hop);
}

/* Most are addresses, and of most names the first byte tells that they are none. */
static bool
is_ipv4(struct span host)
{
    struct hop hop;

    return host.len > 0 && chars_is_digit(host.at[0]) && hop_ip_read(host, &hop);
}

static bool
is_host(struct span host)
{
    return chars_begin(host, '[') ? uri_host_is_literal(host) : is_ipv4(host) || is_host_name(host);
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
    return escape_all(text, CHARS_USER) ? SIPD_OK : SIPD_ESYNTAX;
}

/* host [":" port], after which only parameters, headers or the end may come. */
static int
read_hostport(struct span *rest, struct uri *out)
{
    bool reference = chars_begin(*rest, '[');
    size_t len = reference ? span_find(*rest, ']') + 1 : scan_run(*rest, &chars_host);
    const char *at, *end = span_end(*rest);

    out->host = span_head(*rest, len);
    if (!is_host(out->host))
        return SIPD_ESYNTAX;
    at = span_end(out->host);
    if (at < end && *at == ':') {
        at++;
        out->port = num_take_port(&at, end);
        if (out->port == 0)
            return SIPD_ESYNTAX;
    }
    *rest = span_between(at, end);
    return at == end || *at == ';' || *at == '?' ? SIPD_OK : SIPD_ESYNTAX;
}

/*
 * The first @ ends the user part, which may hold ; and ? (§25.1 user-unreserved); an @ further on can only be one that
 * a parameter or header should have escaped. In most, nothing but letters, digits and marks stands before it.
 */
static int
take_userinfo(struct span *rest, struct uri *out)
{
    size_t at = scan_run(*rest, &chars_user);

    if (at > 0 && at < rest->len && rest->at[at] == '@') {
        out->has_user = true;
        out->user = span_head(*rest, at);
    } else if (at < rest->len) {
        at += span_find(span_skip(*rest, at), '@');
        if (at < rest->len && read_userinfo(span_head(*rest, at), out))
            return SIPD_ESYNTAX;
    }
    if (at < rest->len)
        *rest = span_skip(*rest, at + 1);
    return SIPD_OK;
}

static int
read_sip(struct span rest, struct uri *out)
{
    size_t params;

    if (take_userinfo(&rest, out) || read_hostport(&rest, out))
        return SIPD_ESYNTAX;
    params = span_find(rest, '?');
    out->params = span_skip(span_head(rest, params), 1);
    out->headers = span_skip(rest, params + 1);
    return rest.len == 0 || escape_all(rest, CHARS_URI) ? SIPD_OK : SIPD_ESYNTAX;
}

/* RFC 3966 §3. A local number should have a phone-context; phones leave it out. */
static int
read_tel(struct span rest, struct uri *out)
{
    out->user = span_cut(&rest, ';');
    out->params = rest;
    if (!tel_is_number(out->user) || span_find(rest, '?') < rest.len)
        return SIPD_ESYNTAX;
    return escape_all(rest, CHARS_URI) ? SIPD_OK : SIPD_ESYNTAX;
}

static int
read_other(struct span rest)
{
    for (size_t i = 0; i < rest.len; i++)
        if (!chars_is(rest.at[i], CHARS_URI) && rest.at[i] != '%')
            return SIPD_ESYNTAX;
    return SIPD_OK;
}

bool
uri_is_scheme(struct span s)
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
    bool sip = span_starts(text, SPAN("sip:")); /* as nearly all */
    size_t colon = sip ? 3 : span_find(text, ':');

    *out = (struct uri){ .whole = text,
                         .scheme_text = span_head(text, colon),
                         .rest = span_skip(text, colon + 1) };
    if (out->rest.len == 0 || (!sip && !uri_is_scheme(out->scheme_text)))
        return SIPD_ESYNTAX;
    out->scheme = sip ? URI_SIP : scheme_of(out->scheme_text);
    switch (out->scheme) {
    case URI_SIP:
    case URI_SIPS: return read_sip(out->rest, out);
    case URI_TEL: return read_tel(out->rest, out);
    case URI_OTHER: break;
    }
    return read_other(out->rest);
}

void
uri_move(const struct uri *uri, const char *from, const char *to, struct uri *out)
{
    struct span *const spans[] = {
        &out->whole,    &out->scheme_text, &out->rest,   &out->user,
        &out->password, &out->host,        &out->params, &out->headers,
    };

    *out = *uri;
    for (size_t i = 0; i < countof(spans); i++)
        if (spans[i]->at)
            spans[i]->at = to + (spans[i]->at - from);
}

/* ---- comparing */

static bool
sip_param_counts(struct span name)
{
    return parts_name_is(name, SPAN("transport")) || parts_name_is(name, SPAN("user")) ||
           parts_name_is(name, SPAN("ttl")) || parts_name_is(name, SPAN("maddr")) ||
           parts_name_is(name, SPAN("method"));
}

static bool
always(struct span name)
{
    (void)name;
    return true;
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

/* The value of maddr with the brackets that an IPv6 address needs and not every peer writes, or nothing. */
static struct span
reference_of(struct span value, char room[HOP_TEXT_BYTES])
{
    int len = escape_undo(value, room + 1, HOP_TEXT_BYTES - 2);
    struct span bare = { room + 1, len < 0 ? 0 : (size_t)len };

    if (bare.len == 0 || span_find(bare, ':') == bare.len)
        return (struct span){ NULL, 0 };
    if (bare.at[0] == '[')
        return bare;
    room[0] = '[';
    room[1 + bare.len] = ']';
    return (struct span){ room, bare.len + 2 };
}

static bool
maddr_eq(struct span a, struct span b)
{
    char a_room[HOP_TEXT_BYTES], b_room[HOP_TEXT_BYTES];
    struct span x = reference_of(a, a_room), y = reference_of(b, b_room);

    return x.len > 0 && y.len > 0 && host_eq(x, y);
}

/* Values know no case but for the names of methods (RFC 3261 §19.1.4, §7.3.1). */
static bool
sip_param_eq(struct span name, struct span a, struct span b)
{
    bool method = parts_name_is(name, SPAN("method"));

    return escape_eq(a, b, method ? ESCAPE_CASE : ESCAPE_FOLD) ||
           (parts_name_is(name, SPAN("maddr")) && maddr_eq(a, b));
}

static const struct parts_rules sip_params = { ';', false, NULL, sip_param_counts, sip_param_eq };
static const struct parts_rules sip_headers = { '&', false, uri_header_name, always,
                                                uri_header_eq };

/* One omitted differs from an empty one (RFC 3261 §19.1.4). */
static bool
password_eq(struct span a, struct span b)
{
    return (a.at != NULL) == (b.at != NULL) && escape_eq(a, b, ESCAPE_CASE);
}

static bool
sip_eq(const struct uri *a, const struct uri *b)
{
    return a->has_user == b->has_user && escape_eq(a->user, b->user, ESCAPE_CASE) &&
           password_eq(a->password, b->password) && host_eq(a->host, b->host) &&
           a->port == b->port && parts_eq(a->params, b->params, &sip_params) &&
           parts_eq(a->headers, b->headers, &sip_headers);
}

static bool
tel_uri_eq(const struct uri *a, const struct uri *b)
{
    struct tel x = tel_split(a->user, a->params), y = tel_split(b->user, b->params);

    return tel_eq(&x, &y);
}

bool
uri_eq(const struct uri *a, const struct uri *b)
{
    if (a->scheme != b->scheme)
        return false;
    switch (a->scheme) {
    case URI_SIP:
    case URI_SIPS: return sip_eq(a, b);
    case URI_TEL: return tel_uri_eq(a, b);
    case URI_OTHER: break;
    }
    return span_ieq(a->scheme_text, b->scheme_text) && span_eq(a->rest, b->rest);
}

bool
uri_param(const struct uri *uri, struct span name, struct span *value)
{
    struct part part;

    if (uri->params.len == 0 || !parts_find(uri->params, ';', name, &part))
        return false;
    if (value)
        *value = part.value;
    return true;
}

/* ---- the address of record */

/* One spelling of a user: unescaped what may stand so in a user part, capital hex for the rest. */
static void
put_user(struct escape_out *out, struct span user)
{
    for (;;) {
        size_t plain = span_find(user, '%');
        struct escape_letter letter;

        escape_put_text(out, span_head(user, plain));
        user = span_skip(user, plain);
        if (user.len == 0)
            return;
        letter = escape_next(&user);
        if (!letter.escaped || (chars_is(letter.byte, CHARS_USER) && letter.byte != ':'))
            escape_put(out, letter.byte);
        else
            escape_put_hex(out, letter.byte);
    }
}

/* A context in one spelling: a domain, or digits without their visual separators. */
static void
put_context(struct escape_out *out, struct span context)
{
    struct escape_letter letter;
    enum escape_rule rule = chars_begin(context, '+') ? ESCAPE_NUMBER : ESCAPE_FOLD;

    while (escape_next_that_counts(&context, rule, &letter))
        if (!letter.fixed && chars_is(letter.byte, CHARS_URI))
            escape_put(out, letter.byte);
        else
            escape_put_hex(out, letter.byte);
}

/* A local number means nothing without its context, so that stays (RFC 3966 §5.1.5). */
static void
put_tel(struct escape_out *out, const struct uri *uri)
{
    struct tel tel = tel_split(uri->user, uri->params);
    struct escape_letter letter;

    while (escape_next_that_counts(&tel.number, ESCAPE_NUMBER, &letter))
        escape_put(out, letter.byte);
    if (tel.global || tel.context.len == 0)
        return;
    escape_put_lower(out, SPAN(";phone-context="));
    put_context(out, tel.context);
}

static void
put_group(struct escape_out *out, unsigned value)
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned shift = 12; shift > 0; shift -= 4)
        if (value >> shift > 0)
            escape_put(out, digits[value >> shift & 15]);
    escape_put(out, digits[value & 15]);
}

struct run {
    unsigned at, len; /* groups */
};

/* The zeros that :: stands for: those whose place it is the shortest in, which is in the middle if two are as long. */
static struct run
zeros_of(const uint8_t ip[16])
{
    struct run best = { 8, 0 };
    unsigned most = 0;

    for (unsigned at = 0, len; at < 8; at += len + 1) {
        unsigned saved;

        for (len = 0; at + len < 8 && ip[2 * (at + len)] == 0 && ip[2 * (at + len) + 1] == 0;)
            len++;
        saved = 2 * len + (len > 0 && at > 0 && at + len < 8);
        if (saved > most) {
            most = saved;
            best = (struct run){ at, len };
        }
    }
    return best;
}

/* An IPv6 address in one spelling, which no other is shorter than: all groups hexadecimal, :: for a single zero too. */
static void
put_reference(struct escape_out *out, const uint8_t ip[16])
{
    struct run zeros = zeros_of(ip);

    escape_put(out, '[');
    for (unsigned at = 0; at < 8;) {
        if (at == zeros.at) {
            escape_put(out, ':');
            escape_put(out, ':');
            at += zeros.len;
            continue;
        }
        if (at > 0 && at != zeros.at + zeros.len)
            escape_put(out, ':');
        put_group(out, (unsigned)ip[2 * at] << 8 | ip[2 * at + 1]);
        at++;
    }
    escape_put(out, ']');
}

static void
put_host(struct escape_out *out, struct span host)
{
    struct hop hop;

    if (chars_begin(host, '[') && hop_ip_read(host, &hop))
        put_reference(out, hop.ip);
    else
        escape_put_lower(out, host);
}

int
uri_aor_write(const struct uri *uri, char *to, size_t room)
{
    struct escape_out out = { to, room, 0 };

    escape_put_lower(&out, uri->scheme_text);
    escape_put(&out, ':');
    switch (uri->scheme) {
    case URI_SIP:
    case URI_SIPS:
        put_user(&out, uri->user);
        if (uri->user.len > 0)
            escape_put(&out, '@');
        put_host(&out, uri->host);
        break;
    case URI_TEL: put_tel(&out, uri); break;
    case URI_OTHER:
        for (size_t i = 0; i < uri->rest.len; i++)
            escape_put(&out, uri->rest.at[i]);
        break;
    }
    return escape_done(&out);
}

/* A host name of small letters without a dot at its end, or an IPv4 address; 0: neither, or not seen to be one. */
static size_t
plain_host_len(struct span text)
{
    size_t len = scan_run(text, &chars_plain_host), last = 0; /* where the last label begins */
    struct hop hop;

    for (size_t i = 0; i < len; i++)
        if (text.at[i] == '.') {
            if (i == last)
                return 0;
            last = i + 1;
        }
    if (last == len)
        return 0;
    for (; last < len; last++)
        if (!chars_is_digit(text.at[last]))
            return len;
    return hop_ip_read(span_head(text, len), &hop) ? len : 0;
}

static bool
plain_port_read(struct span text, uint16_t *port)
{
    uint32_t number = 0;

    if (text.len > 0 &&
        (text.at[0] != ':' || !span_u32(span_skip(text, 1), UINT16_MAX, &number) || number == 0))
        return false;
    *port = (uint16_t)number;
    return true;
}

bool
uri_aor_find(struct span text, struct span *aor, struct span *host, uint16_t *port)
{
    const struct span scheme = SPAN("sip:");
    size_t at, len;

    if (!span_starts(text, scheme))
        return false;
    at = scheme.len + scan_run(span_skip(text, scheme.len), &chars_plain_user);
    if (at == scheme.len || at == text.len || text.at[at] != '@')
        return false;
    len = plain_host_len(span_skip(text, at + 1));
    if (len == 0 || !plain_port_read(span_skip(text, at + 1 + len), port))
        return false;
    *host = span_head(span_skip(text, at + 1), len);
    *aor = span_head(text, at + 1 + len);
    return true;
}
