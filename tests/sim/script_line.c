/*
 * The lines of a scenario.
 */
#include "sim/script_line.h"

#include <stdarg.h>
#include <stdio.h>

void
script_blame(struct script *s, const char *format, ...)
{
    char text[4000];
    va_list args;

    if (s->outage)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    world_fail(&s->world, "%s", text);
}

static void
split(struct line *line)
{
    struct span rest = line->text;

    line->words_len = 0;
    while (line->words_len < SCRIPT_WORDS && (rest = span_trim(rest)).len > 0)
        line->words[line->words_len++] = span_cut(&rest, ' ');
}

/* The next line that says something; false at the end. Comments begin with # at the start of a line. */
static bool
peek(const struct script *s, struct line *line, struct span *after, unsigned *number)
{
    struct span rest = s->text;

    *number = s->number;
    while (rest.len > 0) {
        struct span raw = span_cut(&rest, '\n');
        struct span text = span_trim(raw);

        ++*number;
        if (text.len == 0 || text.at[0] == '#')
            continue;
        line->number = *number;
        line->indented = raw.at[0] == ' ' || raw.at[0] == '\t';
        line->text = text;
        split(line);
        *after = rest;
        return true;
    }
    return false;
}

bool
script_next(struct script *s, struct line *line)
{
    return peek(s, line, &s->text, &s->number);
}

/* As next, but only an indented line. */
bool
script_next_indented(struct script *s, struct line *line)
{
    struct span after;
    unsigned number;

    if (!peek(s, line, &after, &number) || !line->indented)
        return false;
    s->text = after;
    s->number = number;
    return true;
}

struct span
line_word(const struct line *line, unsigned n)
{
    return n < line->words_len ? line->words[n] : (struct span){ NULL, 0 };
}

bool
line_is(const struct line *line, unsigned n, const char *text)
{
    return span_eq(line_word(line, n), span_of(text));
}

/* The word behind a key word; empty if the key word is not there. */
struct span
line_after(const struct line *line, const char *key)
{
    for (unsigned i = 1; i + 1 < line->words_len; i++)
        if (line_is(line, i, key))
            return line->words[i + 1];
    return (struct span){ NULL, 0 };
}

/* What stands in the line from word n on. */
struct span
line_from(const struct line *line, unsigned n)
{
    return n < line->words_len ? span_between(line->words[n].at, span_end(line->text))
                               : (struct span){ NULL, 0 };
}

/* "500ms", "2s". */
bool
line_ms_read(struct span text, uint64_t *ms)
{
    uint64_t n;
    bool milli = text.len > 2 && text.at[text.len - 2] == 'm';

    if (text.len < 2 || text.at[text.len - 1] != 's' ||
        !span_u64(span_head(text, text.len - (milli ? 2 : 1)), 1000000, &n))
        return false;
    *ms = milli ? n : n * 1000;
    return true;
}
