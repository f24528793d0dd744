/*
 * The questions about bytes answered by the C library: the specification of all others.
 */
#include "scan/scan.h"

/* Is the line from `from` up to `end` nothing but its line end? */
static bool
is_empty(struct span bytes, uint32_t from, uint32_t end)
{
    return end - from == 1 || (end - from == 2 && bytes.at[from] == '\r');
}

/* Is one of eight bytes below a blank? */
static bool
any_below_blank(const char *at)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return ((word - ones * ' ') & ~word & ones * 0x80) != 0;
}

static bool
is_control(char c)
{
    return (unsigned char)c < ' ' && c != '\t';
}

/* Ends the line with CRLF, and is there no other control byte in it but HTAB? */
static bool
is_usual(const char *line, const char *lf)
{
    if (lf == line || lf[-1] != '\r')
        return false;
    while (line < lf - 1) {
        if (lf - line > 8 && !any_below_blank(line))
            line += 8;
        else if (is_control(*line++))
            return false;
    }
    return true;
}

static size_t
plain_lines(struct span bytes, uint32_t from, struct scan_line *out, size_t room, bool *odd)
{
    size_t n = 0;

    while (n < room && from < bytes.len) {
        const char *line = bytes.at + from;
        const char *lf = memchr(line, '\n', bytes.len - from);
        const char *colon;

        if (!lf)
            break;
        colon = memchr(line, ':', (size_t)(lf - line));
        *odd = *odd || !is_usual(line, lf);
        out[n].end = (uint32_t)(lf - bytes.at) + 1;
        out[n].colon = (uint32_t)((colon ? colon : lf) - bytes.at);
        if (is_empty(bytes, from, out[n].end))
            return n + 1;
        from = out[n++].end;
    }
    return n;
}

static size_t
plain_head_end(struct span bytes, size_t from)
{
    while (from < bytes.len) {
        const char *lf = memchr(bytes.at + from, '\n', bytes.len - from);
        struct span next;

        if (!lf)
            break;
        from = (size_t)(lf - bytes.at) + 1;
        next = span_skip(bytes, from);
        if (span_starts(next, SPAN("\n")))
            return from + 1;
        if (span_starts(next, SPAN("\r\n")))
            return from + 2;
    }
    return 0;
}

static size_t
plain_find(struct span bytes, char a, char b, char c)
{
    size_t at = 0;

    while (at < bytes.len && bytes.at[at] != a && bytes.at[at] != b && bytes.at[at] != c)
        at++;
    return at;
}

static bool
is_in(unsigned char c, const struct scan_set *set)
{
    return c < 0x80 && (set->rows[c % 16] >> c / 16 & 1);
}

static size_t
plain_run(struct span bytes, const struct scan_set *set)
{
    size_t at = 0;

    while (at < bytes.len && is_in((unsigned char)bytes.at[at], set))
        at++;
    return at;
}

const struct scan_ops scan_plain = { "plain", plain_lines, plain_head_end, plain_find, plain_run };
