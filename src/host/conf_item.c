/*
 * Settings read by their schema: kinds, bounds, defaults, and the complaint that each mistake gets.
 */
#include "host/conf_item.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"

enum { KEY_BYTES = 160 };

/* Where the reader stands: a group, its name for complaints, and what it fills. */
struct place {
    struct conf_reader *r;
    const config_setting_t *group; /* NULL: not written, defaults */
    struct span key;               /* empty at the top */
    char *into;
};

void
conf_reader_init(struct conf_reader *r, struct arena *arena, struct buf *why, const char *file)
{
    *r = (struct conf_reader){ .arena = arena, .why = why, .file = file };
}

static void
put_where(struct buf *b, const struct conf_reader *r, const config_setting_t *at, struct span key)
{
    const char *file = at ? config_setting_source_file(at) : NULL;

    buf_put(b, span_of(file ? file : r->file));
    if (at && config_setting_source_line(at) > 0) {
        buf_put_char(b, ':');
        buf_put_u64(b, config_setting_source_line(at));
    }
    if (key.len > 0)
        buf_put(b, SPAN(": "));
    buf_put(b, key);
}

void
conf_complain(struct conf_reader *r, const config_setting_t *at, struct span key,
              const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_where(r->why, r, at, key);
    buf_put(r->why, SPAN(": "));
    buf_put(r->why, span_of(text));
    buf_put_char(r->why, '\n');
    r->wrong++;
}

static int
out_of_memory(struct conf_reader *r)
{
    r->no_memory = true;
    return SIPD_ENOMEM;
}

/* "group.key" for complaints. */
static struct span
key_of(const struct place *place, struct span name, char to[KEY_BYTES])
{
    int len = place->key.len == 0
                  ? snprintf(to, KEY_BYTES, "%.*s", SPAN_ARG(name))
                  : snprintf(to, KEY_BYTES, "%.*s.%.*s", SPAN_ARG(place->key), SPAN_ARG(name));

    return span_head((struct span){ to, (size_t)len },
                     len < KEY_BYTES ? (size_t)len : KEY_BYTES - 1);
}

/* ---- what is wrong with one value, and what would be right */

static const char *
type_words(const config_setting_t *s)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_GROUP: return "is a group { … }";
    case CONFIG_TYPE_LIST: return "is a list ( … )";
    case CONFIG_TYPE_ARRAY: return "is an array [ … ]";
    case CONFIG_TYPE_STRING: return "is text";
    case CONFIG_TYPE_BOOL: return "is true or false";
    case CONFIG_TYPE_FLOAT: return "has a fraction";
    default: return "is a number";
    }
}

static void
put_choices(struct buf *b, const char *const *choices)
{
    for (size_t i = 0; choices[i]; i++)
        buf_printf(b, "%s\"%s\"", i == 0 ? "" : ", ", choices[i]);
}

/* "5060 is text; write a whole number from 0 to 65535". */
static void
complain_type(const struct place *place, const config_setting_t *s,
              const struct sipd_conf_item *item)
{
    char key[KEY_BYTES];
    struct span name = key_of(place, span_of(item->key), key);
    struct buf choices;

    switch (item->kind) {
    case SIPD_CONF_STR:
    case SIPD_CONF_READ:
    case SIPD_CONF_WRITE:
        conf_complain(place->r, s, name, "%s; write text in quotes: %s = \"…\";", type_words(s),
                      item->key);
        break;
    case SIPD_CONF_UINT:
        conf_complain(place->r, s, name, "%s; write a whole number from %lld to %lld",
                      type_words(s), (long long)item->min, (long long)item->max);
        break;
    case SIPD_CONF_BOOL:
        conf_complain(place->r, s, name, "%s; write true or false, without quotes", type_words(s));
        break;
    case SIPD_CONF_CHOICE:
        buf_init(&choices, 512);
        put_choices(&choices, item->choices);
        conf_complain(place->r, s, name, "%s; write one of %.*s", type_words(s),
                      SPAN_ARG(buf_span(&choices)));
        buf_fini(&choices);
        break;
    case SIPD_CONF_STRS:
        conf_complain(place->r, s, name, "%s; write texts in brackets: %s = [ \"…\", \"…\" ];",
                      type_words(s), item->key);
        break;
    case SIPD_CONF_GROUPS:
        conf_complain(place->r, s, name, "%s; write groups in parentheses: %s = ( { … }, { … } );",
                      type_words(s), item->key);
        break;
    case SIPD_CONF_GROUP:
        conf_complain(place->r, s, name, "%s; write a group in braces: %s = { … };", type_words(s),
                      item->key);
        break;
    case SIPD_CONF_END_KIND: break;
    }
}

/* ---- one reader a kind; each takes the setting as written, or NULL for the default */

static int
copy_text(const struct place *place, struct span text, struct span *out)
{
    *out = arena_copy(place->r->arena, text);
    return out->at ? SIPD_OK : out_of_memory(place->r);
}

static int
read_str(const struct place *place, const struct sipd_conf_item *item, const config_setting_t *s,
         void *to)
{
    if (s && config_setting_type(s) != CONFIG_TYPE_STRING) {
        complain_type(place, s, item);
        return SIPD_EINVAL;
    }
    return copy_text(place, span_of(s ? config_setting_get_string(s) : item->text), to);
}

/* As text, and kept for the one who checks that the user can open it. An empty one names no file. */
static int
read_path(const struct place *place, const struct sipd_conf_item *item, const config_setting_t *s,
          void *to)
{
    struct conf_reader *r = place->r;
    struct conf_path *path;
    char key[KEY_BYTES];
    struct buf where;
    int err = read_str(place, item, s, to);

    if (err != SIPD_OK || ((const struct span *)to)->len == 0)
        return err;
    path = arena_zalloc(r->arena, sizeof *path);
    if (!path)
        return out_of_memory(r);
    buf_init(&where, 1024);
    put_where(&where, r, s ? s : place->group, key_of(place, span_of(item->key), key));
    path->where = arena_copy(r->arena, buf_span(&where));
    buf_fini(&where);
    path->write = item->kind == SIPD_CONF_WRITE;
    path->path = *(const struct span *)to;
    path->next = r->paths;
    r->paths = path;
    return path->where.at ? SIPD_OK : out_of_memory(r);
}

/* libconfig 1.5 wraps plain numbers past 2^31 silently, which is why no bound of ours reaches that far. */
static int
read_uint(const struct place *place, const struct sipd_conf_item *item, const config_setting_t *s,
          void *to)
{
    long long number = item->number;
    char key[KEY_BYTES];

    if (s && config_setting_type(s) != CONFIG_TYPE_INT &&
        config_setting_type(s) != CONFIG_TYPE_INT64) {
        complain_type(place, s, item);
        return SIPD_EINVAL;
    }
    if (s)
        number = config_setting_get_int64(s);
    if (s && (number < item->min || number > item->max)) {
        conf_complain(place->r, s, key_of(place, span_of(item->key), key),
                      "%lld is out of bounds; write a whole number from %lld to %lld", number,
                      (long long)item->min, (long long)item->max);
        return SIPD_EINVAL;
    }
    *(uint32_t *)to = (uint32_t)number;
    return SIPD_OK;
}

static int
read_bool(const struct place *place, const struct sipd_conf_item *item, const config_setting_t *s,
          void *to)
{
    if (s && config_setting_type(s) != CONFIG_TYPE_BOOL) {
        complain_type(place, s, item);
        return SIPD_EINVAL;
    }
    *(bool *)to = s ? config_setting_get_bool(s) != 0 : item->number != 0;
    return SIPD_OK;
}

static int
read_choice(const struct place *place, const struct sipd_conf_item *item, const config_setting_t *s,
            void *to)
{
    const char *word;
    char key[KEY_BYTES];
    struct buf choices;

    *(uint32_t *)to = (uint32_t)item->number;
    if (!s)
        return SIPD_OK;
    if (config_setting_type(s) != CONFIG_TYPE_STRING) {
        complain_type(place, s, item);
        return SIPD_EINVAL;
    }
    word = config_setting_get_string(s);
    for (uint32_t i = 0; item->choices[i]; i++)
        if (strcmp(item->choices[i], word) == 0) {
            *(uint32_t *)to = i;
            return SIPD_OK;
        }
    buf_init(&choices, 512);
    put_choices(&choices, item->choices);
    conf_complain(place->r, s, key_of(place, span_of(item->key), key),
                  "\"%.100s\" is not one of its words; write %s%.*s", word,
                  item->choices[1] ? "one of " : "", SPAN_ARG(buf_span(&choices)));
    buf_fini(&choices);
    return SIPD_EINVAL;
}

/* Too few or too many, of what a list may hold? */
static int
check_count(const struct place *place, const struct sipd_conf_item *item, const config_setting_t *s,
            size_t len)
{
    char key[KEY_BYTES];

    if ((int64_t)len >= item->min && (int64_t)len <= item->max)
        return SIPD_OK;
    conf_complain(place->r, s, key_of(place, span_of(item->key), key),
                  "has %zu of them; write %lld to %lld", len, (long long)item->min,
                  (long long)item->max);
    return SIPD_EINVAL;
}

static int
default_strs(const struct place *place, const struct sipd_conf_item *item, struct sipd_strs *out)
{
    struct span rest = span_of(item->text), word;
    struct span *at;

    /* Words are at least a letter and a blank long. */
    at = arena_zalloc(place->r->arena, (rest.len / 2 + 1) * sizeof *at);
    if (!at)
        return out_of_memory(place->r);
    out->at = at;
    while (rest.len > 0) {
        word = span_cut(&rest, ' ');
        if (word.len > 0 && copy_text(place, word, &at[out->len++]) != SIPD_OK)
            return SIPD_ENOMEM;
    }
    return SIPD_OK;
}

static int
read_strs(const struct place *place, const struct sipd_conf_item *item, const config_setting_t *s,
          void *to)
{
    struct sipd_strs *out = to;
    int len = s ? config_setting_length(s) : 0;
    struct span *at;

    if (!s)
        return default_strs(place, item, out);
    if (!config_setting_is_array(s) && !config_setting_is_list(s)) {
        complain_type(place, s, item);
        return SIPD_EINVAL;
    }
    at = arena_zalloc(place->r->arena, ((size_t)len + 1) * sizeof *at);
    if (!at)
        return out_of_memory(place->r);
    out->at = at;
    out->len = (size_t)len;
    for (int i = 0; i < len; i++) {
        const config_setting_t *one = config_setting_get_elem(s, (unsigned)i);

        if (config_setting_type(one) != CONFIG_TYPE_STRING) {
            complain_type(place, one, item);
            return SIPD_EINVAL;
        }
        if (copy_text(place, span_of(config_setting_get_string(one)), &at[i]) != SIPD_OK)
            return SIPD_ENOMEM;
    }
    return check_count(place, item, s, out->len);
}

static int read_group(const struct place *place, const struct sipd_conf_item *items);

static int
read_groups(const struct place *place, const struct sipd_conf_item *item, const config_setting_t *s,
            void *to)
{
    struct sipd_groups *out = to;
    int len = s ? config_setting_length(s) : 0;
    char *at;
    int err = SIPD_OK;

    if (!s)
        return SIPD_OK;
    if (!config_setting_is_list(s)) {
        complain_type(place, s, item);
        return SIPD_EINVAL;
    }
    at = arena_zalloc(place->r->arena, (size_t)len * item->item_bytes + 1);
    if (!at)
        return out_of_memory(place->r);
    out->at = at;
    out->len = (size_t)len;
    for (int i = 0; i < len; i++) {
        char outer[KEY_BYTES], key[KEY_BYTES + 16];
        struct span name = key_of(place, span_of(item->key), outer);
        struct place one = { .r = place->r,
                             .group = config_setting_get_elem(s, (unsigned)i),
                             .into = at };
        int one_err;

        at += item->item_bytes;
        one.key =
            (struct span){ key, (size_t)snprintf(key, sizeof key, "%.*s[%d]", SPAN_ARG(name), i) };
        if (!config_setting_is_group(one.group)) {
            complain_type(place, one.group, item);
            err = SIPD_EINVAL;
            continue;
        }
        one_err = read_group(&one, item->items);
        err = err == SIPD_OK ? one_err : err;
    }
    return err == SIPD_OK ? check_count(place, item, s, out->len) : err;
}

static int
read_inner(const struct place *place, const struct sipd_conf_item *item, const config_setting_t *s,
           void *to)
{
    char key[KEY_BYTES];
    struct place inner = {
        .r = place->r, .group = s, .key = key_of(place, span_of(item->key), key), .into = to
    };

    if (s && !config_setting_is_group(s)) {
        complain_type(place, s, item);
        return SIPD_EINVAL;
    }
    return read_group(&inner, item->items);
}

static int
read_item(const struct place *place, const struct sipd_conf_item *item)
{
    const config_setting_t *s =
        place->group ? config_setting_get_member(place->group, item->key) : NULL;
    void *to = place->into + item->offset;
    char key[KEY_BYTES];

    if (!s && conf_item_required(item)) {
        conf_complain(place->r, place->group, key_of(place, span_of(item->key), key),
                      "is missing; write the %s", item->doc);
        return SIPD_EINVAL;
    }
    switch (item->kind) {
    case SIPD_CONF_STR: return read_str(place, item, s, to);
    case SIPD_CONF_READ:
    case SIPD_CONF_WRITE: return read_path(place, item, s, to);
    case SIPD_CONF_UINT: return read_uint(place, item, s, to);
    case SIPD_CONF_BOOL: return read_bool(place, item, s, to);
    case SIPD_CONF_CHOICE: return read_choice(place, item, s, to);
    case SIPD_CONF_STRS: return read_strs(place, item, s, to);
    case SIPD_CONF_GROUPS: return read_groups(place, item, s, to);
    case SIPD_CONF_GROUP: return read_inner(place, item, s, to);
    case SIPD_CONF_END_KIND: break;
    }
    return SIPD_EINVAL;
}

/* ---- keys that nobody knows */

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to change, add or leave out, or two neighbours to swap, so that one word becomes the other; long words: many. */
static size_t
distance(struct span a, struct span b)
{
    enum { LONGEST = 48 };
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2], *free_row;

    if (a.len > LONGEST || b.len > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= b.len; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = span_lower(a.at[i - 1]), y = span_lower(b.at[j - 1]);

            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x == y ? 0 : 1));
            if (i > 1 && j > 1 && x == span_lower(b.at[j - 2]) && y == span_lower(a.at[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b.len];
}

/* A word that begins another is near too: "port" for "port_s", "no_answer" for "no_answer_s". */
static size_t
strangeness(struct span word, struct span known)
{
    bool begins =
        word.len >= 3 && word.len <= known.len && span_ieq(word, span_head(known, word.len));

    return begins ? 1 : distance(word, known);
}

struct span
conf_nearest(struct span word, const struct span *words, size_t words_len)
{
    size_t best = word.len / 3 + 1; /* a third of its letters may be wrong */
    struct span nearest = { NULL, 0 };

    for (size_t i = 0; i < words_len; i++) {
        size_t far = strangeness(word, words[i]);

        if (far < best) {
            best = far;
            nearest = words[i];
        }
    }
    return nearest;
}

static bool
is_known(const struct span *known, size_t known_len, struct span key)
{
    for (size_t i = 0; i < known_len; i++)
        if (span_eq(known[i], key))
            return true;
    return false;
}

static void
complain_unknown(const struct place *place, const config_setting_t *s, const struct span *known,
                 size_t known_len)
{
    struct span name = span_of(config_setting_name(s));
    struct span nearest = conf_nearest(name, known, known_len);
    char key[KEY_BYTES];
    struct buf all;

    if (nearest.len > 0) {
        conf_complain(place->r, s, key_of(place, name, key),
                      "there is no such key; the nearest is %.*s", SPAN_ARG(nearest));
        return;
    }
    buf_init(&all, 400);
    for (size_t i = 0; i < known_len; i++)
        buf_printf(&all, "%s%.*s", i == 0 ? "" : ", ", SPAN_ARG(known[i]));
    conf_complain(place->r, s, key_of(place, name, key), "there is no such key; there are %.*s",
                  SPAN_ARG(buf_span(&all)));
    buf_fini(&all);
}

static int
refuse_unknown(const struct place *place, const struct sipd_conf_item *items)
{
    struct conf_reader *r = place->r;
    size_t others = place->key.len == 0 ? r->others_len : 0, len = 0;
    struct span *known;
    unsigned wrong = r->wrong;

    for (const struct sipd_conf_item *item = items; item->kind; item++)
        len++;
    known = arena_alloc(r->arena, (len + others + 1) * sizeof *known);
    if (!known)
        return out_of_memory(r);
    for (size_t i = 0; i < len; i++)
        known[i] = span_of(items[i].key);
    for (size_t i = 0; i < others; i++)
        known[len++] = r->others[i];
    for (int i = 0; i < config_setting_length(place->group); i++) {
        const config_setting_t *s = config_setting_get_elem(place->group, (unsigned)i);

        if (!is_known(known, len, span_of(config_setting_name(s))))
            complain_unknown(place, s, known, len);
    }
    return r->wrong == wrong ? SIPD_OK : SIPD_EINVAL;
}

static int
read_group(const struct place *place, const struct sipd_conf_item *items)
{
    int err = place->group ? refuse_unknown(place, items) : SIPD_OK;

    for (const struct sipd_conf_item *item = items; item->kind; item++) {
        int item_err = read_item(place, item);

        err = err == SIPD_OK ? item_err : err;
    }
    return err;
}

int
conf_read(struct conf_reader *r, const config_setting_t *group, struct span key,
          const struct sipd_conf_item *items, void *into, size_t into_bytes)
{
    static const struct sipd_conf_item none = SIPD_CONF_END;
    struct place place = { .r = r, .group = group, .key = key, .into = into };
    int err;

    if (into_bytes > 0)
        memset(into, 0, into_bytes);
    if (group && !config_setting_is_group(group)) {
        conf_complain(r, group, key, "%s; write a group in braces: %.*s = { … };",
                      type_words(group), SPAN_ARG(key));
        return SIPD_EINVAL;
    }
    err = read_group(&place, items ? items : &none);
    return r->no_memory ? SIPD_ENOMEM : err;
}
