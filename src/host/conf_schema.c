/*
 * What a schema tells beside its reading: is it sound, what does it look like as JSON, what is in force, did it change.
 */
#include "base/err.h"
#include "host/conf_item.h"

bool
conf_item_required(const struct sipd_conf_item *item)
{
    bool none = item->kind == SIPD_CONF_GROUPS ||
                (item->kind == SIPD_CONF_STRS && (!item->text || !item->text[0]));

    return item->required || (none && item->min > 0);
}

static const char *
item_wrong(const struct sipd_conf_item *item)
{
    bool counts = item->kind == SIPD_CONF_UINT || item->kind == SIPD_CONF_STRS ||
                  item->kind == SIPD_CONF_GROUPS;

    if (!item->key || !item->doc)
        return "a key without name or doc";
    if (counts && (item->min < 0 || item->max < item->min || item->max > INT32_MAX))
        return "bounds out of order, or past 2147483647, which libconfig cannot read";
    if (item->kind == SIPD_CONF_UINT && !item->required &&
        (item->number < item->min || item->number > item->max))
        return "a default out of its own bounds";
    if (item->kind == SIPD_CONF_CHOICE && (!item->choices || !item->choices[0]))
        return "a choice without words";
    if (item->kind == SIPD_CONF_GROUPS && item->item_bytes == 0)
        return "groups without size";
    if (item->kind == SIPD_CONF_GROUP || item->kind == SIPD_CONF_GROUPS)
        return item->items ? conf_items_wrong(item->items) : "a group without items";
    return NULL;
}

const char *
conf_items_wrong(const struct sipd_conf_item *items)
{
    const char *wrong = NULL;

    for (const struct sipd_conf_item *item = items; item && item->kind && !wrong; item++)
        wrong = item_wrong(item);
    return wrong;
}

static bool
strs_eq(const struct sipd_strs *a, const struct sipd_strs *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!span_eq(a->at[i], b->at[i]))
            return false;
    return true;
}

static bool
groups_eq(const struct sipd_conf_item *item, const struct sipd_groups *a,
          const struct sipd_groups *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!conf_items_eq(item->items, (const char *)a->at + i * item->item_bytes,
                           (const char *)b->at + i * item->item_bytes))
            return false;
    return true;
}

static bool
item_eq(const struct sipd_conf_item *item, const void *a, const void *b)
{
    switch (item->kind) {
    case SIPD_CONF_STR:
    case SIPD_CONF_READ:
    case SIPD_CONF_WRITE: return span_eq(*(const struct span *)a, *(const struct span *)b);
    case SIPD_CONF_UINT:
    case SIPD_CONF_CHOICE: return *(const uint32_t *)a == *(const uint32_t *)b;
    case SIPD_CONF_BOOL: return *(const bool *)a == *(const bool *)b;
    case SIPD_CONF_STRS: return strs_eq(a, b);
    case SIPD_CONF_GROUPS: return groups_eq(item, a, b);
    case SIPD_CONF_GROUP: return conf_items_eq(item->items, a, b);
    case SIPD_CONF_END_KIND: break;
    }
    return true;
}

bool
conf_items_eq(const struct sipd_conf_item *items, const void *a, const void *b)
{
    for (const struct sipd_conf_item *item = items; item && item->kind; item++)
        if (!item_eq(item, (const char *)a + item->offset, (const char *)b + item->offset))
            return false;
    return true;
}

/* ---- what is in force */

static void
put_quoted(struct buf *b, struct span text)
{
    buf_put_char(b, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\')
            buf_put_char(b, '\\');
        buf_put_char(b, text.at[i]);
    }
    buf_put_char(b, '"');
}

static void
put_strs(struct buf *b, const struct sipd_strs *strs)
{
    buf_put(b, SPAN("[ "));
    for (size_t i = 0; i < strs->len; i++) {
        if (i > 0)
            buf_put(b, SPAN(", "));
        put_quoted(b, strs->at[i]);
    }
    buf_put(b, SPAN(" ]"));
}

static void
put_value(struct buf *b, const struct sipd_conf_item *item, const void *at)
{
    switch (item->kind) {
    case SIPD_CONF_STR:
    case SIPD_CONF_READ:
    case SIPD_CONF_WRITE: put_quoted(b, *(const struct span *)at); break;
    case SIPD_CONF_UINT: buf_put_u64(b, *(const uint32_t *)at); break;
    case SIPD_CONF_BOOL: buf_put(b, *(const bool *)at ? SPAN("true") : SPAN("false")); break;
    case SIPD_CONF_CHOICE: put_quoted(b, span_of(item->choices[*(const uint32_t *)at])); break;
    case SIPD_CONF_STRS: put_strs(b, at); break;
    case SIPD_CONF_GROUPS: buf_put(b, SPAN("( )")); break;
    case SIPD_CONF_GROUP:
    case SIPD_CONF_END_KIND: break;
    }
}

static void
each_of_groups(const struct sipd_conf_item *item, struct span key, const struct sipd_groups *groups,
               void (*fn)(void *arg, struct span key, struct span value), void *arg)
{
    for (size_t i = 0; i < groups->len; i++) {
        struct buf one;

        buf_init(&one, 512);
        buf_put(&one, key);
        buf_printf(&one, "[%zu]", i);
        conf_items_each(item->items, buf_span(&one),
                        (const char *)groups->at + i * item->item_bytes, fn, arg);
        buf_fini(&one);
    }
}

void
conf_items_each(const struct sipd_conf_item *items, struct span prefix, const void *from,
                void (*fn)(void *arg, struct span key, struct span value), void *arg)
{
    struct buf key, value;

    buf_init(&key, 512);
    buf_init(&value, 1 << 16);
    for (const struct sipd_conf_item *item = items; item && item->kind; item++) {
        const void *at = (const char *)from + item->offset;

        buf_clear(&key);
        buf_clear(&value);
        buf_printf(&key, "%.*s%s%s", SPAN_ARG(prefix), prefix.len > 0 ? "." : "", item->key);
        if (item->kind == SIPD_CONF_GROUP) {
            conf_items_each(item->items, buf_span(&key), at, fn, arg);
        } else if (item->kind == SIPD_CONF_GROUPS && ((const struct sipd_groups *)at)->len > 0) {
            each_of_groups(item, buf_span(&key), at, fn, arg);
        } else {
            put_value(&value, item, at);
            fn(arg, buf_span(&key), buf_span(&value));
        }
    }
    buf_fini(&key);
    buf_fini(&value);
}

/* ---- as JSON */

static const char *
kind_name(enum sipd_conf_kind kind)
{
    switch (kind) {
    case SIPD_CONF_STR: return "text";
    case SIPD_CONF_UINT: return "number";
    case SIPD_CONF_BOOL: return "boolean";
    case SIPD_CONF_CHOICE: return "choice";
    case SIPD_CONF_STRS: return "texts";
    case SIPD_CONF_GROUPS: return "groups";
    case SIPD_CONF_GROUP: return "group";
    case SIPD_CONF_READ: return "file";
    case SIPD_CONF_WRITE: return "writable file";
    case SIPD_CONF_END_KIND: break;
    }
    return "";
}

static json_t *
words_json(const char *text)
{
    json_t *words = json_array();
    struct span rest = span_of(text);

    while (words && rest.len > 0) {
        struct span word = span_cut(&rest, ' ');

        if (word.len > 0)
            json_array_append_new(words, json_stringn(word.at, word.len));
    }
    return words;
}

static json_t *
default_json(const struct sipd_conf_item *item)
{
    switch (item->kind) {
    case SIPD_CONF_STR:
    case SIPD_CONF_READ:
    case SIPD_CONF_WRITE: return json_string(item->text ? item->text : "");
    case SIPD_CONF_UINT: return json_integer(item->number);
    case SIPD_CONF_BOOL: return json_boolean(item->number != 0);
    case SIPD_CONF_CHOICE: return json_string(item->choices[item->number]);
    case SIPD_CONF_STRS: return words_json(item->text);
    case SIPD_CONF_GROUPS: return json_array();
    case SIPD_CONF_GROUP:
    case SIPD_CONF_END_KIND: break;
    }
    return NULL;
}

static json_t *
choices_json(const char *const *choices)
{
    json_t *words = json_array();

    for (size_t i = 0; words && choices[i]; i++)
        json_array_append_new(words, json_string(choices[i]));
    return words;
}

/* Objects take NULL values of failed allocations as an error that we look at once, by the count of members. */
static json_t *
item_json(const struct sipd_conf_item *item)
{
    bool bounds = item->kind == SIPD_CONF_UINT || item->kind == SIPD_CONF_STRS ||
                  item->kind == SIPD_CONF_GROUPS;
    bool inner = item->kind == SIPD_CONF_GROUP || item->kind == SIPD_CONF_GROUPS;
    json_t *to = json_object();
    int err = to ? 0 : -1;

    err |= json_object_set_new(to, "key", json_string(item->key));
    err |= json_object_set_new(to, "kind", json_string(kind_name(item->kind)));
    if (conf_item_required(item))
        err |= json_object_set_new(to, "required", json_true());
    else if (item->kind != SIPD_CONF_GROUP)
        err |= json_object_set_new(to, "default", default_json(item));
    if (bounds) {
        err |= json_object_set_new(to, "min", json_integer(item->min));
        err |= json_object_set_new(to, "max", json_integer(item->max));
    }
    if (item->kind == SIPD_CONF_CHOICE)
        err |= json_object_set_new(to, "choices", choices_json(item->choices));
    err |= json_object_set_new(to, "doc", json_string(item->doc));
    if (inner)
        err |= json_object_set_new(to, "items", conf_items_json(item->items));
    if (err == 0)
        return to;
    json_decref(to);
    return NULL;
}

json_t *
conf_items_json(const struct sipd_conf_item *items)
{
    json_t *array = json_array();

    for (const struct sipd_conf_item *item = items; array && item && item->kind; item++)
        if (json_array_append_new(array, item_json(item)) != 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
}
