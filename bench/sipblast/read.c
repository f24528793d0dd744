/*
 * Just enough of a parser to check what a server made of a message: one pass over its lines, nothing folded.
 *
 * It is not sipd's, so that a mistake there does not hide here.
 */
#include "blast.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool
text_is(struct text text, const char *word)
{
    return strlen(word) == text.len && strncasecmp(text.at, word, text.len) == 0;
}

static struct text
text_between(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
        to--;
    return (struct text){ from, (size_t)(to - from) };
}

struct text
uri_of(struct text address)
{
    const char *end = address.at + address.len;
    const char *from = memchr(address.at, '<', address.len);
    const char *to =
        from ? memchr(from, '>', (size_t)(end - from)) : memchr(address.at, ';', address.len);

    if (from && to)
        return text_between(from + 1, to);
    return text_between(address.at, to ? to : end);
}

static bool
first_line_read(const char *bytes, const char *end, struct message *out)
{
    const char *blank;

    if (end - bytes >= 12 && memcmp(bytes, "SIP/2.0 ", 8) == 0) {
        out->status = (unsigned)strtoul(bytes + 8, NULL, 10);
        return out->status >= 100 && out->status <= 699;
    }
    blank = memchr(bytes, ' ', (size_t)(end - bytes));
    if (!blank)
        return false;
    out->method = (struct text){ bytes, (size_t)(blank - bytes) };
    return end - blank > 8 && text_is(text_between(end - 8, end), "SIP/2.0");
}

static void
via_read(const char *line, const char *colon, const char *end, struct message *out)
{
    if (out->via_count == 0) {
        const char *found = memmem(colon, (size_t)(end - colon), "branch=", 7), *stop;

        if (found) {
            for (stop = found + 7; stop < end && !strchr(";,\r ", *stop); stop++)
                ;
            out->branch = (struct text){ found + 7, (size_t)(stop - found - 7) };
        }
    }
    if (out->via_count < FIELDS_MAX)
        out->vias[out->via_count] = (struct text){ line, (size_t)(end + 1 - line) };
    out->via_count++;
}

/* A comma between < and > divides nothing. */
static void
record_routes_read(struct text value, struct message *out)
{
    const char *from = value.at, *end = value.at + value.len;
    bool inside = false;

    for (const char *at = from; at <= end; at++) {
        if (at < end && (*at == '<' || *at == '>'))
            inside = *at == '<';
        if ((at == end || (*at == ',' && !inside)) && out->record_route_count < FIELDS_MAX) {
            out->record_routes[out->record_route_count++] = text_between(from, at);
            from = at + 1;
        }
    }
}

static void
field_read(struct text name, struct text value, struct message *out)
{
    if (text_is(name, "f") || text_is(name, "From")) {
        out->from = value;
    } else if (text_is(name, "t") || text_is(name, "To")) {
        out->to = value;
    } else if (text_is(name, "i") || text_is(name, "Call-ID")) {
        out->call_id = value;
    } else if (text_is(name, "m") || text_is(name, "Contact")) {
        if (!out->contact.len)
            out->contact = value;
    } else if (text_is(name, "l") || text_is(name, "Content-Length")) {
        out->content_length = (uint32_t)strtoul(value.at, NULL, 10);
        out->has_length = true;
    } else if (text_is(name, "CSeq")) {
        char *rest;

        out->cseq = (uint32_t)strtoul(value.at, &rest, 10);
        out->cseq_method = text_between(rest, value.at + value.len);
    } else if (text_is(name, "Max-Forwards")) {
        out->max_forwards = (int)strtol(value.at, NULL, 10);
    } else if (text_is(name, "Route")) {
        out->route_count++;
    } else if (text_is(name, "Record-Route")) {
        record_routes_read(value, out);
    }
}

/* Lent: bytes, which *out points into. False if it is no whole message. */
bool
message_read(const char *bytes, size_t len, struct message *out)
{
    const char *end = bytes + len, *line_end = memchr(bytes, '\n', len);

    *out = (struct message){ .max_forwards = -1 };
    if (!line_end || !first_line_read(bytes, line_end, out))
        return false;
    for (const char *line = line_end + 1; line < end; line = line_end + 1) {
        const char *colon;
        struct text name;

        line_end = memchr(line, '\n', (size_t)(end - line));
        if (!line_end)
            return false;
        if (line_end == line || (line_end == line + 1 && *line == '\r')) {
            out->head_bytes = (size_t)(line_end + 1 - bytes);
            return true;
        }
        colon = memchr(line, ':', (size_t)(line_end - line));
        if (!colon)
            return false;
        name = text_between(line, colon);
        if (text_is(name, "v") || text_is(name, "Via"))
            via_read(line, colon, line_end, out);
        else
            field_read(name, text_between(colon + 1, line_end), out);
    }
    return false;
}
