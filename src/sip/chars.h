/*
 * What a byte may be in SIP's grammar: tokens, hosts, URIs, quoted strings (RFC 3261 §25.1).
 */
#ifndef SIP_CHARS_H
#define SIP_CHARS_H

#include "base/span.h"
#include "scan/scan.h"

enum chars_class {
    CHARS_ALPHA = 1,
    CHARS_HEX = 2,
    CHARS_TOKEN = 4,       /* token: methods, field names, parameter names */
    CHARS_HOST = 8,        /* a host name; _ included, as names in the field have it */
    CHARS_UNRESERVED = 16, /* unreserved: the same thing whether escaped or not */
    CHARS_RESERVED = 32,   /* reserved: another thing when escaped */
    CHARS_USER = 64,       /* in a user part or password unescaped, by the RFC or in the field */
    CHARS_URI = 128,       /* in any part of a URI unescaped: printable, not < > nor % */
};

extern const uint8_t chars_classes[256];

/*
 * For what may be long: the bytes of CHARS_TOKEN and CHARS_HOST, those of a Call-ID (word and @), and those that may stand
 * in a URI by the grammar, % and brackets included, as sets; those of them but ; and ?, which begin more than an address;
 * and those of CHARS_USER but the : that begins a password.
 */
extern const struct scan_set chars_token, chars_host, chars_call_id, chars_uri, chars_simple_uri,
    chars_user;
/* What an address-of-record may have as it stands: in its user part, and in its host, whose letters are small. */
extern const struct scan_set chars_plain_user, chars_plain_host;

/* Is c in one of these classes (an OR of enum chars_class)? */
static inline bool
chars_is(char c, unsigned classes)
{
    return chars_classes[(unsigned char)c] & classes;
}

static inline bool
chars_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The value of a digit; more than 9: it is none. */
static inline unsigned
chars_digit(char c)
{
    return (unsigned)(unsigned char)c - '0';
}

/* How many bytes s begins with that are in one of these classes. */
static inline size_t
chars_len(struct span s, unsigned classes)
{
    size_t n = 0;

    while (n < s.len && chars_is(s.at[n], classes))
        n++;
    return n;
}

/* Is every byte in one of these classes? True for an empty span. */
static inline bool
chars_all(struct span s, unsigned classes)
{
    return chars_len(s, classes) == s.len;
}

/* Does s begin with c? */
static inline bool
chars_begin(struct span s, char c)
{
    return s.len > 0 && s.at[0] == c;
}

/* A control byte that has no place in a head, unless an LF follows a CR (§25.1). */
static inline bool
chars_is_stray(char c)
{
    return (unsigned char)c < ' ' && c != '\t' && c != '\n';
}

/* How many bytes s begins with before a control byte other than HTAB. */
static inline size_t
chars_line_len(struct span s)
{
    size_t n = 0;

    while (n < s.len && ((unsigned char)s.at[n] >= ' ' || s.at[n] == '\t'))
        n++;
    return n;
}

/* How many token characters s begins with. */
static inline size_t
chars_token_len(struct span s)
{
    return chars_len(s, CHARS_TOKEN);
}

/* Is s a token? An empty one is none. */
static inline bool
chars_is_token(struct span s)
{
    return s.len > 0 && chars_token_len(s) == s.len;
}

/* Bytes of the quoted-string that s begins with, both quotes included; 0 if it never ends. s.at[0] is the quote. */
size_t chars_quoted(struct span s);

#define CHARS_OPEN SIZE_MAX /* a quoted string does not end */

/* Position of the first a or b outside of quoted strings; s.len if there is none, CHARS_OPEN if a quote is open. */
size_t chars_find(struct span s, char a, char b);

/* s without the white space it begins with. */
static inline struct span
chars_skip_lws(struct span s)
{
    while (s.len > 0 && span_is_lws(s.at[0]))
        s = (struct span){ s.at + 1, s.len - 1 };
    return s;
}

#endif
