/*
 * Commands as they are typed: patterns declared by modules and by the server, and which of them fits some words.
 *
 * A pattern is words: literal ones, <x> for any word, and at its end any number of optional parts: [x] a word, [--flag] a
 * flag, [word <x>] a word after a literal. Flags may stand anywhere among the words typed. What stood for each <x> and [x]
 * is handed over in the pattern's order, empty for a part left out, without the empty ones at the end.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "host/state.h"

enum { PARTS_MAX = 12 };

struct part {
    struct span literal; /* that must be typed; empty: none */
    bool takes_word;     /* a word is handed over */
    bool optional, flag;
};

struct pattern {
    struct part parts[PARTS_MAX];
    size_t len;
};

struct command {
    struct list link;
    const struct sipd_host *owner; /* NULL: the server */
    char *pattern;                 /* owned */
    char *doc;                     /* owned */
    bool changes;
    sipd_command_fn *fn;
    void *self;
};

static bool
is_between(struct span word, char open, char close)
{
    return word.len > 2 && word.at[0] == open && word.at[word.len - 1] == close;
}

/* The next part of a pattern, brackets kept together, off *rest. */
static struct span
next_part(struct span *rest)
{
    *rest = span_trim(*rest);
    if (rest->len > 0 && rest->at[0] == '[') {
        size_t end = span_find(*rest, ']');
        struct span part = span_head(*rest, end + 1);

        *rest = span_skip(*rest, end + 1);
        return part;
    }
    return span_cut(rest, ' ');
}

static bool
read_part(struct span text, struct part *out)
{
    *out = (struct part){ 0 };
    if (is_between(text, '<', '>')) {
        out->takes_word = true;
        return true;
    }
    if (!is_between(text, '[', ']')) {
        out->literal = text;
        return text.len > 0 && text.at[0] != '[';
    }
    text = (struct span){ text.at + 1, text.len - 2 };
    out->optional = true;
    if (span_starts(text, SPAN("--"))) {
        out->flag = true;
        out->literal = text;
        return true;
    }
    if (span_find(text, ' ') < text.len)
        out->literal = span_cut(&text, ' ');
    out->takes_word = true;
    return out->literal.len == 0 || is_between(text, '<', '>');
}

static bool
read_pattern(struct span text, struct pattern *out)
{
    bool optional = false;

    out->len = 0;
    while ((text = span_trim(text)).len > 0) {
        struct part *part = &out->parts[out->len];

        if (out->len == PARTS_MAX || !read_part(next_part(&text), part) ||
            (optional && !part->optional))
            return false;
        optional = part->optional;
        out->len++;
    }
    return out->len > 0 && out->parts[0].literal.len > 0;
}

/* Would the same words fit both? */
static bool
pattern_eq(const struct pattern *a, const struct pattern *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!span_eq(a->parts[i].literal, b->parts[i].literal) ||
            a->parts[i].takes_word != b->parts[i].takes_word)
            return false;
    return true;
}

static bool
is_flag_of(const struct pattern *pattern, struct span word)
{
    for (size_t i = 0; i < pattern->len; i++)
        if (pattern->parts[i].flag && span_eq(pattern->parts[i].literal, word))
            return true;
    return false;
}

/* The words typed without the flags that the pattern knows. */
static size_t
drop_flags(const struct pattern *pattern, const struct host_ask *ask,
           struct span words[PARTS_MAX * 2])
{
    size_t len = 0;

    for (size_t i = 0; i < ask->len; i++) {
        if (is_flag_of(pattern, ask->words[i]))
            continue;
        if (len == PARTS_MAX * 2)
            return SIZE_MAX;
        words[len++] = ask->words[i];
    }
    return len;
}

/* One part against the words from *at on. False: it does not fit, which an optional part may. */
static bool
fit_part(const struct part *part, const struct span *words, size_t len, size_t *at,
         struct span *taken)
{
    size_t next = *at;

    *taken = (struct span){ NULL, 0 };
    if (part->literal.len > 0 && (next == len || !span_eq(words[next++], part->literal)))
        return false;
    if (part->takes_word) {
        if (next == len)
            return false;
        *taken = words[next++];
    }
    *at = next;
    return true;
}

/* Does it fit? How well: literal words typed, plus 1; 0: not at all. */
static size_t
fit(const struct pattern *pattern, const struct host_ask *ask, struct span taken[PARTS_MAX],
    size_t *taken_len)
{
    struct span words[PARTS_MAX * 2];
    size_t len = drop_flags(pattern, ask, words), at = 0, literals = 0, taken_all = 0;

    if (len == SIZE_MAX)
        return 0;
    *taken_len = 0;
    for (size_t i = 0; i < pattern->len; i++) {
        const struct part *part = &pattern->parts[i];
        struct span word;
        bool fits;

        if (part->flag)
            continue;
        fits = fit_part(part, words, len, &at, &word);
        if (!fits && !part->optional)
            return 0;
        literals += fits && part->literal.len > 0;
        if (!part->takes_word)
            continue;
        taken[taken_all++] = word;
        if (word.at)
            *taken_len = taken_all;
    }
    return at == len ? literals + 1 : 0;
}

/* A command that has [--password-stdin] is one that wants input. */
static bool
wants_input(const struct pattern *pattern)
{
    return is_flag_of(pattern, SPAN("--password-stdin"));
}

static void
command_free(struct command *command)
{
    list_remove(&command->link);
    mem_free(command->pattern);
    mem_free(command->doc);
    mem_free(command);
}

/* May words that fit this pattern already mean something else? */
static bool
is_taken(const struct host *host, const struct pattern *pattern)
{
    struct pattern other;

    for (const struct list *node = host->commands.next; node != &host->commands; node = node->next)
        if (read_pattern(span_of(container_of_const(node, struct command, link)->pattern),
                         &other) &&
            pattern_eq(pattern, &other))
            return true;
    return false;
}

static int
declare(struct host *host, const struct sipd_host *owner, const char *text, const char *doc,
        bool changes, sipd_command_fn *fn, void *self)
{
    struct pattern pattern;
    struct command *command;

    if (!read_pattern(span_of(text), &pattern))
        return SIPD_EINVAL;
    if (is_taken(host, &pattern))
        return SIPD_EEXIST;
    command = mem_new(sizeof *command);
    if (!command)
        return SIPD_ENOMEM;
    *command = (struct command){ .owner = owner, .changes = changes, .fn = fn, .self = self };
    command->pattern = mem_copy(span_of(text));
    command->doc = mem_copy(span_of(doc));
    list_push(&host->commands, &command->link);
    if (command->pattern && command->doc)
        return SIPD_OK;
    command_free(command);
    return SIPD_ENOMEM;
}

int
sipd_command(struct sipd_host *host, const char *pattern, const char *doc, bool changes,
             sipd_command_fn *fn, void *self)
{
    int err = declare(host->host, host, pattern, doc, changes, fn, self);

    if (err == SIPD_EEXIST)
        sipd_complain(host, "another module has the command \"%s\"", pattern);
    return err;
}

int
host_command(struct host *host, const char *pattern, const char *doc, bool changes,
             sipd_command_fn *fn, void *self)
{
    return declare(host, NULL, pattern, doc, changes, fn, self);
}

static void
log_change(const struct host *host, const struct host_ask *ask)
{
    struct buf words;
    struct span text;

    buf_init(&words, 1024);
    for (size_t i = 0; i < ask->len; i++) {
        if (i > 0)
            buf_put_char(&words, ' ');
        buf_put(&words, ask->words[i]);
    }
    text = buf_span(&words);
    log_spans(host->ports.log, LOG_LVL_INFO, "command", "by", &ask->by, "words", &text, NULL);
    buf_fini(&words);
}

/* The command that fits best: the one with most words of its own. */
static struct command *
find(const struct host *host, const struct host_ask *ask, struct pattern *pattern,
     struct span taken[PARTS_MAX], size_t *taken_len)
{
    struct command *best = NULL;
    size_t best_fit = 0;

    list_each (node, after, &host->commands) {
        struct command *command = container_of(node, struct command, link);
        struct span words[PARTS_MAX];
        struct pattern its;
        size_t len, how_well;

        if (!read_pattern(span_of(command->pattern), &its))
            continue;
        how_well = fit(&its, ask, words, &len);
        if (how_well <= best_fit)
            continue;
        best = command;
        best_fit = how_well;
        *pattern = its;
        *taken_len = len;
        memcpy(taken, words, len * sizeof *words);
    }
    return best;
}

/* How many words are those that the command begins with. */
static size_t
words_shared(const struct command *command, const struct host_ask *ask)
{
    struct pattern its;
    size_t n = 0;

    if (!read_pattern(span_of(command->pattern), &its))
        return 0;
    while (n < ask->len && n < its.len && its.parts[n].literal.len > 0 && !its.parts[n].optional &&
           span_eq(its.parts[n].literal, ask->words[n]))
        n++;
    return n;
}

bool
host_suggest(const struct host *host, const struct host_ask *ask, struct buf *out)
{
    size_t most = 1, shown = 0;

    for (const struct list *node = host->commands.next; node != &host->commands;
         node = node->next) {
        size_t n = words_shared(container_of_const(node, struct command, link), ask);

        most = n > most ? n : most;
    }
    for (const struct list *node = host->commands.next; node != &host->commands;
         node = node->next) {
        const struct command *command = container_of_const(node, struct command, link);

        if (words_shared(command, ask) < most)
            continue;
        buf_put(out, shown++ > 0 ? SPAN(", ") : SPAN("there is: "));
        buf_put(out, span_of(command->pattern));
    }
    return shown > 0;
}

enum host_ran
host_run(struct host *host, const struct host_ask *ask, struct sipd_answer **answer,
         uint64_t *later)
{
    struct span taken[PARTS_MAX];
    struct sipd_ask asked = { .words = taken, .input = ask->input, .by = ask->by };
    struct pattern pattern;
    struct command *command = find(host, ask, &pattern, taken, &asked.words_len);
    struct sipd_answer *made;

    *answer = NULL;
    *later = 0;
    if (!command)
        return HOST_UNKNOWN;
    if (wants_input(&pattern) && ask->input.len == 0)
        return HOST_WANTS;
    made = answer_new(host, command->owner);
    if (!made)
        return HOST_BROKE;
    if (command->changes)
        log_change(host, ask);
    command->fn(command->self, &asked, made);
    if (answer_is_later(made, later))
        return HOST_LATER;
    *answer = made;
    return HOST_ANSWERED;
}

void
host_each_command(const struct host *host,
                  void (*fn)(void *arg, const struct host_command_info *info), void *arg)
{
    for (const struct list *node = host->commands.next; node != &host->commands;
         node = node->next) {
        const struct command *command = container_of_const(node, struct command, link);
        struct host_command_info info = {
            .pattern = command->pattern,
            .doc = command->doc,
            .owner = command->owner ? command->owner->is->name : NULL,
            .changes = command->changes,
        };

        fn(arg, &info);
    }
}

void
commands_forget(struct host *host, const struct sipd_host *owner)
{
    list_each (node, after, &host->commands) {
        struct command *command = container_of(node, struct command, link);

        if (command->owner == owner)
            command_free(command);
    }
}
