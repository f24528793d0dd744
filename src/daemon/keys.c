/*
 * Settings word by word: where a key stands, for complaints that libconfig has no name for.
 */
#include "daemon/keys.h"

#include "base/mem.h"

/* ---- characters */

static void
next(struct keys *k)
{
    k->line += k->at == '\n';
    k->at = getc(k->from);
}

/* Up to this character and over it; a backslash hides one in a string. */
static void
skip_to(struct keys *k, int end)
{
    while (k->at != EOF && k->at != end) {
        if (k->at == '\\' && end == '"')
            next(k);
        next(k);
    }
    next(k);
}

static void
skip_comment(struct keys *k)
{
    int before = 0;

    next(k);
    if (k->at == '/')
        skip_to(k, '\n');
    if (k->at != '*')
        return;
    for (next(k); k->at != EOF && !(before == '*' && k->at == '/'); next(k))
        before = k->at;
    next(k);
}

static bool
is_word_char(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '*' || c == '.' || c == '+';
}

static void
read_word(struct keys *k)
{
    size_t len = 0;

    k->word_line = k->line;
    for (; is_word_char(k->at); next(k))
        if (len + 1 < sizeof k->word)
            k->word[len++] = (char)k->at;
    k->word[len] = '\0';
}

/* ---- names */

/* The innermost that is open. What lies deeper than any settings is taken to lie in that one. */
static struct keys_level *
innermost(struct keys *k)
{
    return &k->levels[k->depth < KEYS_DEPTH ? k->depth : KEYS_DEPTH - 1];
}

/* name becomes that of something in the innermost. */
static void
name_inner(struct keys *k)
{
    const struct keys_level *level = innermost(k);
    size_t room = sizeof k->name - level->name_len;

    if (level->is_group)
        snprintf(k->name + level->name_len, room, "%s%s", level->name_len > 0 ? "." : "", k->word);
    else
        snprintf(k->name + level->name_len, room, "[%u]", level->n);
}

static void
open_level(struct keys *k)
{
    bool is_group = k->at == '{';

    if (!innermost(k)->is_group)
        name_inner(k);
    k->depth++;
    if (k->depth < KEYS_DEPTH)
        *innermost(k) = (struct keys_level){ strlen(k->name), is_group, 0 };
}

static void
close_level(struct keys *k)
{
    k->name[innermost(k)->name_len] = '\0';
    if (k->depth > 0)
        k->depth--;
}

/* ---- reading */

bool
keys_open(struct keys *k, const char *file)
{
    *k = (struct keys){ .from = fopen(file, "re"), .line = 1, .levels = { { .is_group = true } } };
    if (k->from)
        next(k);
    return k->from;
}

void
keys_close(struct keys *k)
{
    fclose(k->from);
}

/* Over a text or a comment, if one begins here. */
static bool
skip_over(struct keys *k)
{
    switch (k->at) {
    case '"':
        next(k);
        skip_to(k, '"');
        return true;
    case '#': skip_to(k, '\n'); return true;
    case '/': skip_comment(k); return true;
    default: return false;
    }
}

static void
read_mark(struct keys *k)
{
    switch (k->at) {
    case '{':
    case '(':
    case '[': open_level(k); break;
    case '}':
    case ')':
    case ']': close_level(k); break;
    case ',': innermost(k)->n++; break;
    default: break;
    }
    next(k);
}

enum keys_event
keys_next(struct keys *k)
{
    while (k->at != EOF) {
        if (is_word_char(k->at)) {
            read_word(k);
            if (!innermost(k)->is_group)
                name_inner(k);
            return KEYS_WORD;
        }
        if (skip_over(k))
            continue;
        if (k->at == '=' || k->at == ':') {
            name_inner(k);
            next(k);
            return KEYS_KEY;
        }
        read_mark(k);
    }
    return KEYS_END;
}

/* ---- twice */

struct seen {
    char **names;
    unsigned *lines;
    size_t len;
};

static bool
keep(struct seen *seen, const struct keys *k)
{
    char **names = mem_grow(seen->names, (seen->len + 1) * sizeof *names);
    unsigned *lines;

    if (!names)
        return false;
    seen->names = names;
    lines = mem_grow(seen->lines, (seen->len + 1) * sizeof *lines);
    if (!lines)
        return false;
    seen->lines = lines;
    lines[seen->len] = k->word_line;
    names[seen->len] = mem_copy(span_of(k->name));
    return names[seen->len] && ++seen->len;
}

/* The line where it stood before; 0: it did not. */
static unsigned
line_of(const struct seen *seen, const char *name)
{
    for (size_t i = 0; i < seen->len; i++)
        if (strcmp(seen->names[i], name) == 0)
            return seen->lines[i];
    return 0;
}

bool
keys_find_twice(const char *file, char name[KEYS_NAME_BYTES], unsigned *line, unsigned *first)
{
    struct seen seen = { 0 };
    enum keys_event event;
    struct keys k;

    *first = 0;
    if (!keys_open(&k, file))
        return false;
    while (*first == 0 && (event = keys_next(&k)) != KEYS_END) {
        if (event != KEYS_KEY)
            continue;
        *first = line_of(&seen, k.name);
        *line = k.word_line;
        if (*first == 0 && !keep(&seen, &k))
            break;
    }
    memcpy(name, k.name, sizeof k.name);
    keys_close(&k);
    for (size_t i = 0; i < seen.len; i++)
        mem_free(seen.names[i]);
    mem_free(seen.names);
    mem_free(seen.lines);
    return *first > 0;
}

bool
keys_find_line(const char *file, unsigned line, char name[KEYS_NAME_BYTES])
{
    enum keys_event event;
    bool found = false;
    struct keys k;

    if (!keys_open(&k, file))
        return false;
    while (!found && (event = keys_next(&k)) != KEYS_END)
        found = event == KEYS_KEY && k.word_line == line;
    memcpy(name, k.name, sizeof k.name);
    keys_close(&k);
    return found;
}
