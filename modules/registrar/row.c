/*
 * The texts of a row, copied one behind the other into memory that was measured before.
 */
#include "row.h"

#include <string.h>

struct span
row_keep(char **to, struct span text)
{
    struct span kept = { *to, text.len };

    *to = span_write(*to, text);
    return kept;
}

size_t
row_text_bytes(const struct store_row *row)
{
    return row->aor.len + row->contact.len + row->instance.len + row->params.len + row->path.len +
           row->call_id.len + row->user_agent.len + row->listener.len;
}

struct store_row
row_copy(const struct store_row *row, char **to)
{
    struct store_row copy = *row;

    copy.aor = row_keep(to, row->aor);
    copy.contact = row_keep(to, row->contact);
    copy.instance = row_keep(to, row->instance);
    copy.params = row_keep(to, row->params);
    copy.path = row_keep(to, row->path);
    copy.call_id = row_keep(to, row->call_id);
    copy.user_agent = row_keep(to, row->user_agent);
    copy.listener = row_keep(to, row->listener);
    return copy;
}
