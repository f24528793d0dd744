/*
 * Digest fields: auth-params in any order, quoted or not (RFC 3261 §20.44, §25.1, RFC 7616 §3.3, §3.4).
 */
#include "sip/auth.h"

#include "base/def.h"
#include "sip/chars.h"
#include "sip/param.h"

/* clang-format off */
#define FIELD(name) { { #name, sizeof #name - 1 }, offsetof(struct digest, name) }
/* clang-format on */

static const struct {
    struct span name;
    size_t at; /* bytes into struct digest */
} fields[] = {
    FIELD(username), FIELD(realm),  FIELD(nonce), FIELD(uri), FIELD(response), FIELD(algorithm),
    FIELD(cnonce),   FIELD(opaque), FIELD(qop),   FIELD(nc),  FIELD(domain),   FIELD(stale),
};

/* Keeps what we know; other auth-params are ignored (RFC 7616 §3.4). False if it was there before. */
static bool
keep_field(struct span name, struct span value, struct digest *out, unsigned *seen)
{
    for (unsigned i = 0; i < countof(fields); i++) {
        if (!span_ieq(fields[i].name, name))
            continue;
        if (*seen & 1u << i)
            return false;
        *seen |= 1u << i;
        memcpy((char *)out + fields[i].at, &value, sizeof value);
        return true;
    }
    return true;
}

/* A token, a URI, hex digits, base64: phones leave the quotes out anywhere, but not where a byte needs them. */
static bool
is_plain(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];

        if (c <= ' ' || c == 0x7f || c == '"' || c == '\\')
            return false;
    }
    return true;
}

/* name = value, or nothing at all between two commas (RFC 3261 §7.3.1; seen in the field). */
static bool
read_field(struct span text, struct digest *out, unsigned *seen)
{
    struct span name = span_head(text, chars_token_len(text));
    struct span value = chars_skip_lws(span_skip(text, name.len));

    if (text.len == 0)
        return true;
    if (name.len == 0 || !chars_begin(value, '='))
        return false;
    value = chars_skip_lws(span_skip(value, 1));
    if (chars_begin(value, '"') ? chars_quoted(value) != value.len : !is_plain(value))
        return false;
    return keep_field(name, param_unquote(value), out, seen);
}

int
digest_read(struct span value, struct digest *out)
{
    struct span rest = span_trim(value);
    struct span scheme = span_head(rest, chars_token_len(rest));
    unsigned seen = 0;

    *out = (struct digest){ 0 };
    rest = span_skip(rest, scheme.len);
    if (!span_ieq(scheme, SPAN("Digest")))
        return SIPD_ENOENT;
    if (rest.len == 0 || !span_is_lws(rest.at[0]))
        return SIPD_ESYNTAX;
    while (rest.len > 0) {
        size_t end = chars_find(rest, ',', ',');

        if (end == CHARS_OPEN || !read_field(span_trim(span_head(rest, end)), out, &seen))
            return SIPD_ESYNTAX;
        rest = span_skip(rest, end + 1);
    }
    return seen ? SIPD_OK : SIPD_ESYNTAX;
}
