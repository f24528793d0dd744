/*
 * Public GRUUs, written and recognized (RFC 5627 §5.4).
 */
#include "gruu.h"

bool
gruu_read(const struct uri *uri, struct span *gr)
{
    return (uri->scheme == URI_SIP || uri->scheme == URI_SIPS) && uri_param(uri, SPAN("gr"), gr);
}

static int
hex_value(char c)
{
    c = span_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next character of an escaped text, in lower case. */
static char
unescape(struct span *rest)
{
    struct span s = *rest;

    if (s.len >= 3 && s.at[0] == '%' && hex_value(s.at[1]) >= 0 && hex_value(s.at[2]) >= 0) {
        *rest = span_skip(s, 3);
        return span_lower((char)(hex_value(s.at[1]) << 4 | hex_value(s.at[2])));
    }
    *rest = span_skip(s, 1);
    return span_lower(s.at[0]);
}

bool
gruu_is(struct span gr, struct span instance)
{
    while (gr.len > 0 && instance.len > 0) {
        char c = unescape(&gr);

        if (c != span_lower(instance.at[0]))
            return false;
        instance = span_skip(instance, 1);
    }
    return gr.len == 0 && instance.len == 0;
}

/* paramchar (RFC 3261 §25.1) */
static bool
is_plain(char c)
{
    char low = span_lower(c);

    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("[]/:&+$-_.!~*'()", c));
}

struct span
gruu_write(struct span aor, bool sips, struct span instance, char to[GRUU_BYTES])
{
    static const char digits[] = "0123456789ABCDEF";
    char *end = to;

    if (sips) {
        end = span_write(end, SPAN("sips:"));
        aor = span_skip(aor, sizeof "sip:" - 1);
    }
    end = span_write(span_write(end, aor), SPAN(";gr="));
    for (size_t i = 0; i < instance.len; i++) {
        unsigned char c = (unsigned char)instance.at[i];

        if (is_plain((char)c)) {
            *end++ = (char)c;
        } else {
            *end++ = '%';
            *end++ = digits[c >> 4];
            *end++ = digits[c & 15];
        }
    }
    return span_between(to, end);
}
