/*
 * Lines of key=value, made on the stack; whatever a value holds, it stays one value of one line.
 *
 * A line that is too long ends in "...", never within an escape.
 */
#include "base/log.h"

#include <stdarg.h>

enum { LINE_MAX_BYTES = 2048 };

static const struct span cut_mark = { "...", 3 };

struct line {
    char bytes[LINE_MAX_BYTES];
    size_t len;
    bool full; /* something did not fit; nothing more goes in */
};

static size_t
room_bytes(const struct line *line)
{
    return line->full ? 0 : sizeof line->bytes - cut_mark.len - line->len;
}

/* Appends all of a piece or, for lack of room, ends the line. */
static void
put(struct line *line, struct span piece)
{
    if (line->full)
        return;
    if (piece.len > room_bytes(line)) {
        line->full = true;
        piece = cut_mark;
    }
    if (piece.len > 0)
        memcpy(line->bytes + line->len, piece.at, piece.len);
    line->len += piece.len;
}

static bool
is_graphic(char c)
{
    return c > ' ' && c <= '~';
}

static bool
needs_quotes(struct span value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!is_graphic(value.at[i]) || value.at[i] == '"' || value.at[i] == '=')
            return true;
    return false;
}

/* Event words and keys are ours, but should a foreign byte slip in it must not look like syntax. */
static void
put_word(struct line *line, const char *word)
{
    for (; *word; word++) {
        bool plain = is_graphic(*word) && *word != '"' && *word != '=';

        put(line, plain ? (struct span){ word, 1 } : SPAN("_"));
    }
}

static void
put_hex(struct line *line, char c)
{
    const char digits[] = "0123456789abcdef";
    unsigned char byte = (unsigned char)c;
    char hex[] = { '\\', 'x', digits[byte >> 4], digits[byte & 15] };

    put(line, (struct span){ hex, sizeof hex });
}

static void
put_escaped(struct line *line, char c)
{
    switch (c) {
    case '"': put(line, SPAN("\\\"")); break;
    case '\\': put(line, SPAN("\\\\")); break;
    case '\n': put(line, SPAN("\\n")); break;
    case '\r': put(line, SPAN("\\r")); break;
    case '\t': put(line, SPAN("\\t")); break;
    default:
        if (is_graphic(c) || c == ' ')
            put(line, (struct span){ &c, 1 });
        else
            put_hex(line, c);
    }
}

static void
put_value(struct line *line, struct span value)
{
    if (!needs_quotes(value)) {
        size_t room = room_bytes(line);

        put(line, span_head(value, room));
        put(line, span_skip(value, room));
        return;
    }
    put(line, SPAN("\""));
    for (size_t i = 0; i < value.len && !line->full; i++)
        put_escaped(line, value.at[i]);
    put(line, SPAN("\""));
}

static void
put_pair(struct line *line, const char *key, struct span value)
{
    put(line, SPAN(" "));
    put_word(line, key);
    put(line, SPAN("="));
    put_value(line, value);
}

static void
hand_over(const struct log *log, enum log_level level, const struct line *line)
{
    log->sink(log->self, level, (struct span){ line->bytes, line->len });
}

void
log_event(const struct log *log, enum log_level level, const char *event, ...)
{
    struct line line;
    va_list args;

    if (!log_on(log, level))
        return;
    line.len = 0;
    line.full = false;
    put_word(&line, event);
    va_start(args, event);
    for (const char *key; (key = va_arg(args, const char *)) != NULL;)
        put_pair(&line, key, span_of(va_arg(args, const char *)));
    va_end(args);
    hand_over(log, level, &line);
}

void
log_spans(const struct log *log, enum log_level level, const char *event, ...)
{
    struct line line;
    va_list args;

    if (!log_on(log, level))
        return;
    line.len = 0;
    line.full = false;
    put_word(&line, event);
    va_start(args, event);
    for (const char *key; (key = va_arg(args, const char *)) != NULL;) {
        const struct span *value = va_arg(args, const struct span *);

        put_pair(&line, key, value ? *value : SPAN(""));
    }
    va_end(args);
    hand_over(log, level, &line);
}

static const char *const names[] = {
    [LOG_LVL_ERROR] = "error",
    [LOG_LVL_WARN] = "warn",
    [LOG_LVL_INFO] = "info",
    [LOG_LVL_DEBUG] = "debug",
};

const char *
log_level_name(enum log_level level)
{
    BUG_ON((size_t)level >= countof(names));
    return names[level];
}

bool
log_level_read(struct span name, enum log_level *out)
{
    for (size_t i = 0; i < countof(names); i++)
        if (span_eq(name, span_of(names[i]))) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}
