/*
 * Rows of named fields as an aligned table for people.
 *
 * Values come from the network too: bytes that a terminal would obey are shown as '?'.
 */
#include "sipctl/table.h"

#include <string.h>

#include "base/def.h"

enum { COLUMNS_MAX = 32, VALUE_BYTES = 512 };

struct column {
    const char *name;
    size_t width;
    bool number;  /* aligned to the right */
};

/* A field's value as text without control characters. */
static const char *
text_of(const json_t *value, char to[VALUE_BYTES])
{
    if (json_is_integer(value))
        snprintf(to, VALUE_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        snprintf(to, VALUE_BYTES, "%s", json_is_true(value) ? "yes" : "no");
    else
        snprintf(to, VALUE_BYTES, "%s", json_is_string(value) ? json_string_value(value) : "");
    for (char *at = to; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = '?';
    return to;
}

/* Characters on a terminal: UTF-8's further bytes take no room. */
static size_t
width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static struct column *
column_of(struct column columns[], size_t *len, const char *name)
{
    for (size_t i = 0; i < *len; i++)
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    if (*len == COLUMNS_MAX)
        return NULL;
    columns[*len] = (struct column){ .name = name, .width = width_of(name) };
    return &columns[(*len)++];
}

/* The columns of all rows, in the order in which they first come. */
static size_t
find_columns(const json_t *rows, struct column columns[])
{
    char text[VALUE_BYTES];
    const char *name;
    json_t *row, *value;
    size_t i, len = 0;

    json_array_foreach((json_t *)(uintptr_t)rows, i, row)
        json_object_foreach(row, name, value)
        {
            struct column *column = column_of(columns, &len, name);
            size_t width = width_of(text_of(value, text));

            if (!column)
                continue;
            column->number = json_is_integer(value);
            column->width = width > column->width ? width : column->width;
        }
    return len;
}

static void
write_cell(FILE *to, const char *text, const struct column *column, bool last)
{
    int pad = (int)(column->width - width_of(text));

    if (column->number)
        fprintf(to, "%*s%s", pad, "", text);
    else
        fprintf(to, "%s%*s", text, last ? 0 : pad, "");
    fputs(last ? "\n" : "  ", to);
}

static void
write_rows(const json_t *rows, const struct column columns[], size_t len, FILE *to)
{
    char text[VALUE_BYTES];
    json_t *row;
    size_t i;

    for (size_t c = 0; c < len; c++)
        write_cell(to, columns[c].name, &columns[c], c + 1 == len);
    json_array_foreach((json_t *)(uintptr_t)rows, i, row)
        for (size_t c = 0; c < len; c++)
            write_cell(to, text_of(json_object_get(row, columns[c].name), text), &columns[c], c + 1 == len);
}

/* One row: a name and a value on each line. */
static void
write_one(const json_t *row, FILE *to)
{
    char text[VALUE_BYTES];
    const char *name;
    json_t *value;
    size_t width = 0;

    json_object_foreach((json_t *)(uintptr_t)row, name, value)
        width = width_of(name) > width ? width_of(name) : width;
    json_object_foreach((json_t *)(uintptr_t)row, name, value)
        fprintf(to, "%s%*s  %s\n", name, (int)(width - width_of(name)), "", text_of(value, text));
}

void
table_write(const json_t *rows, FILE *to)
{
    struct column columns[COLUMNS_MAX];
    size_t len = find_columns(rows, columns);

    if (json_array_size(rows) == 1 && len > 2)
        write_one(json_array_get(rows, 0), to);
    else if (len > 0)
        write_rows(rows, columns, len, to);
}
