/*
 * Complaints about modules: where in the file, and about which key.
 */
#include "host/complain.h"

#include <stdio.h>

enum { KEY_BYTES = 160 };

static void
say(const struct host_source *source, const config_setting_t *at, struct span key, struct buf *why,
    const char *words)
{
    struct conf_reader reader;

    conf_reader_init(&reader, NULL, why, source->file);
    conf_complain(&reader, at, key, "%s", words);
}

static const config_setting_t *
top(const struct host_source *source, const char *key)
{
    return source->root ? config_setting_get_member(source->root, key) : NULL;
}

/* Where in the list it stands; its length if it does not. */
static int
place_in(const config_setting_t *list, struct span name)
{
    int len = list && config_setting_is_aggregate(list) ? config_setting_length(list) : 0, i;

    for (i = 0; i < len; i++)
        if (span_eq(span_of(config_setting_get_string_elem(list, i)), name))
            break;
    return i;
}

void
complain_listed(const struct host_source *source, struct span name, struct buf *why,
                const char *words)
{
    const config_setting_t *list = top(source, "modules");
    int place = place_in(list, name);
    const config_setting_t *at = list ? config_setting_get_elem(list, (unsigned)place) : NULL;
    char key[KEY_BYTES], text[512];

    snprintf(key, sizeof key, at ? "modules[%d]" : "modules", place);
    snprintf(text, sizeof text, "\"%.*s\": %s", SPAN_ARG(name), words);
    say(source, at ? at : list, span_of(list ? key : ""), why, text);
}

/* ---- about a key */

/* The first step of "rules[1].from": a name, or the number in brackets; *path keeps what stands behind. */
static struct span
cut_step(struct span *path)
{
    bool number = path->len > 0 && path->at[0] == '[';
    size_t len = number ? span_find(*path, ']') : 0;
    struct span step = span_head(span_skip(*path, number), number && len > 0 ? len - 1 : 0);

    if (!number) {
        while (len < path->len && path->at[len] != '.' && path->at[len] != '[')
            len++;
        step = span_head(*path, len);
    }
    *path = span_skip(*path, len + (number || (len < path->len && path->at[len] == '.')));
    if (number && path->len > 0 && path->at[0] == '.')
        *path = span_skip(*path, 1);
    return step;
}

/* The setting there, or the last one on the way to it that is written. */
static const config_setting_t *
find_written(const config_setting_t *at, struct span path)
{
    while (at && path.len > 0) {
        struct span step = cut_step(&path);
        const config_setting_t *inner = NULL;
        char name[KEY_BYTES];
        uint32_t number;

        snprintf(name, sizeof name, "%.*s", SPAN_ARG(step));
        if (config_setting_is_group(at))
            inner = config_setting_get_member(at, name);
        else if (config_setting_is_aggregate(at) && span_u32(step, 10000, &number))
            inner = config_setting_get_elem(at, number);
        if (!inner)
            return at;
        at = inner;
    }
    return at;
}

/* What stands before ": " if it begins with a key of the schema; else empty. */
static struct span
key_in(const struct sipd_conf_item *items, struct span words)
{
    struct span key = span_head(words, span_find(words, ':')), rest = key;
    struct span first = cut_step(&rest);

    for (size_t i = 0; i < key.len; i++)
        if (key.at[i] == ' ')
            return (struct span){ NULL, 0 };
    for (const struct sipd_conf_item *item = items; item && item->kind; item++)
        if (span_eq(span_of(item->key), first))
            return key;
    return (struct span){ NULL, 0 };
}

void
complain_own(const struct host_source *source, const struct sipd_module *is, struct buf *why,
             const char *words)
{
    const config_setting_t *section = top(source, is->name), *at = section;
    struct span key = key_in(is->conf, span_of(words));
    char whole[KEY_BYTES];

    snprintf(whole, sizeof whole, "%s%s%.*s", is->name, key.len > 0 ? "." : "", SPAN_ARG(key));
    if (key.len > 0) {
        at = find_written(section, key);
        words += key.len + 1;
        words += *words == ' ';
    }
    say(source, at ? at : top(source, "modules"), span_of(whole), why, words);
}
