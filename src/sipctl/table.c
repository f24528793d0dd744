/*
 * Rows as a table for people: columns in the order in which they first appear, numbers to the right, nothing that a terminal
 * would take for a command.
 */
#include "sipctl/table.h"

#include <stdlib.h>

#include "sipctl/text.h"

enum { COLUMNS_MAX = 64, CELL_BYTES = 1 << 20 };

struct column {
    const char *name;
    size_t width;
    bool number;
};

struct table {
    struct column columns[COLUMNS_MAX];
    size_t len;
};

/* ---- cells */

/* What a cell shows. */
static void
put_cell(struct buf *to, const json_t *value)
{
    if (json_is_string(value))
        text_put(to, (struct span){ json_string_value(value), json_string_length(value) });
    else if (json_is_integer(value))
        buf_printf(to, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        buf_put(to, json_is_true(value) ? SPAN("yes") : SPAN("no"));
}

static size_t
cell_width(const json_t *value, struct buf *scratch)
{
    buf_clear(scratch);
    put_cell(scratch, value);
    return text_places(buf_span(scratch));
}

/* ---- columns */

static struct column *
column_of(struct table *table, const char *name)
{
    for (size_t i = 0; i < table->len; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    if (table->len == COLUMNS_MAX)
        return NULL;
    table->columns[table->len] =
        (struct column){ .name = name, .width = text_places(span_of(name)), .number = true };
    return &table->columns[table->len++];
}

static void
measure(struct table *table, json_t *row, struct buf *scratch)
{
    const char *name;
    json_t *value;

    json_object_foreach(row, name, value)
    {
        struct column *column = column_of(table, name);
        size_t width = cell_width(value, scratch);

        if (!column)
            continue;
        column->number = column->number && json_is_integer(value);
        if (width > column->width)
            column->width = width;
    }
}

static size_t
total_width(const struct table *table)
{
    size_t width = 0;

    for (size_t i = 0; i < table->len; i++)
        width += table->columns[i].width + (i > 0 ? 2 : 0);
    return width;
}

/* ---- the two forms */

/* No blanks behind the last column: lines are copied from terminals. */
static void
put_line(struct buf *to, const struct table *table, json_t *row, struct buf *scratch)
{
    for (size_t i = 0; i < table->len; i++) {
        const struct column *column = &table->columns[i];
        size_t width;

        buf_clear(scratch);
        if (row)
            put_cell(scratch, json_object_get(row, column->name));
        else
            buf_put(scratch, span_of(column->name));
        width = text_places(buf_span(scratch));
        if (i > 0)
            text_pad(to, 2);
        if (column->number)
            text_pad(to, column->width - width);
        buf_put(to, buf_span(scratch));
        if (!column->number && i + 1 < table->len)
            text_pad(to, column->width - width);
    }
    buf_put_char(to, '\n');
}

static void
put_on_side(struct buf *to, const struct table *table, json_t *row)
{
    size_t widest = 0;

    for (size_t i = 0; i < table->len; i++)
        if (text_places(span_of(table->columns[i].name)) > widest)
            widest = text_places(span_of(table->columns[i].name));
    for (size_t i = 0; i < table->len; i++) {
        const char *name = table->columns[i].name;

        buf_put(to, span_of(name));
        text_pad(to, widest - text_places(span_of(name)) + 2);
        put_cell(to, json_object_get(row, name));
        buf_put_char(to, '\n');
    }
}

void
table_write(const json_t *rows, size_t width, struct buf *to)
{
    struct table table = { .len = 0 };
    struct buf scratch;

    buf_init(&scratch, CELL_BYTES);
    for (size_t i = 0; i < json_array_size(rows); i++)
        measure(&table, json_array_get(rows, i), &scratch);
    if (json_array_size(rows) == 1 && total_width(&table) > width) {
        put_on_side(to, &table, json_array_get(rows, 0));
    } else if (json_array_size(rows) > 0) {
        put_line(to, &table, NULL, &scratch);
        for (size_t i = 0; i < json_array_size(rows); i++)
            put_line(to, &table, json_array_get(rows, i), &scratch);
    }
    buf_fini(&scratch);
}
