/*
 * Columns and what they stand for. What other programs wrote into the file is not believed.
 */
#include "rows.h"

#include <sqlite3.h>

/* ---------------------------------------------------------------- read */

struct span
rows_text(sqlite3_stmt *s, enum rows_column column)
{
    const char *at = (const char *)sqlite3_column_text(s, (int)column);

    return (struct span){ at, (size_t)sqlite3_column_bytes(s, (int)column) };
}

static bool
column_number(sqlite3_stmt *s, enum rows_column column, int64_t max, int64_t *out)
{
    *out = sqlite3_column_int64(s, (int)column);
    return sqlite3_column_type(s, (int)column) == SQLITE_INTEGER && *out >= 0 && *out <= max;
}

/* The texts of a transport: a name, or nothing for none. */
static bool
column_transport(sqlite3_stmt *s, enum rows_column column, uint8_t *out)
{
    struct span text = rows_text(s, column);

    *out = hop_transport_read(text);
    return *out != HOP_NONE || text.len == 0;
}

static bool
read_source(sqlite3_stmt *s, struct hop *hop)
{
    struct span ip = rows_text(s, ROWS_IP);
    int64_t scope, port;

    *hop = (struct hop){ .transport = HOP_NONE };
    if (!column_transport(s, ROWS_TRANSPORT, &hop->transport) ||
        !column_number(s, ROWS_SCOPE_ID, UINT32_MAX, &scope) ||
        !column_number(s, ROWS_PORT, UINT16_MAX, &port))
        return false;
    hop->scope_id = (uint32_t)scope;
    hop->port = (uint16_t)port;
    return hop->transport == HOP_NONE || hop_ip_read(ip, hop);
}

/* UTC as it was when it was written, less what the clock had been set by. */
static bool
read_expires(sqlite3_stmt *s, struct store_row *row)
{
    int64_t expires_s, step_s = sqlite3_column_int64(s, ROWS_STEP_S);

    if (!column_number(s, ROWS_EXPIRES_S, ROWS_TIME_MAX_S, &expires_s) ||
        sqlite3_column_type(s, ROWS_STEP_S) != SQLITE_INTEGER || step_s < -ROWS_TIME_MAX_S ||
        step_s > ROWS_TIME_MAX_S)
        return false;
    row->expires_s = expires_s - step_s;
    return true;
}

bool
rows_read(sqlite3_stmt *s, struct store_row *row)
{
    int64_t q = STORE_NO_Q, cseq, granted, reg_id;

    *row = (struct store_row){ .aor = rows_text(s, ROWS_AOR),
                               .contact = rows_text(s, ROWS_CONTACT),
                               .params = rows_text(s, ROWS_PARAMS),
                               .path = rows_text(s, ROWS_PATH),
                               .call_id = rows_text(s, ROWS_CALL_ID),
                               .user_agent = rows_text(s, ROWS_USER_AGENT),
                               .listener = rows_text(s, ROWS_LISTENER) };
    if (!read_source(s, &row->source) || !column_transport(s, ROWS_REACH, &row->reach) ||
        (sqlite3_column_type(s, ROWS_Q) != SQLITE_NULL && !column_number(s, ROWS_Q, 1000, &q)) ||
        !column_number(s, ROWS_CSEQ, UINT32_MAX, &cseq) ||
        !column_number(s, ROWS_REG_ID, INT32_MAX, &reg_id) ||
        !column_number(s, ROWS_GRANTED_S, UINT32_MAX, &granted) || !read_expires(s, row))
        return false;
    row->q = (uint16_t)q;
    row->reg_id = (uint32_t)reg_id;
    row->cseq = (uint32_t)cseq;
    row->granted_s = (uint32_t)granted;
    return row->aor.len > 0 && row->aor.len <= STORE_AOR_BYTES && row->contact.len > 0 &&
           row->contact.len <= STORE_CONTACT_BYTES && row->call_id.len <= STORE_CALL_ID_BYTES &&
           row->params.len <= STORE_PARAMS_BYTES && row->path.len <= STORE_PATH_BYTES;
}

/* ---------------------------------------------------------------- bound */

static int
bind_text(sqlite3_stmt *s, enum rows_column column, struct span text)
{
    return sqlite3_bind_text(s, (int)column + 1, text.len ? text.at : "", (int)text.len,
                             SQLITE_STATIC);
}

static int
bind_number(sqlite3_stmt *s, enum rows_column column, int64_t number)
{
    return sqlite3_bind_int64(s, (int)column + 1, number);
}

/* What says which row a change means. */
static int
bind_key(sqlite3_stmt *s, enum store_verb verb, const struct store_row *row)
{
    int failed = bind_text(s, ROWS_AOR, row->aor) | bind_text(s, ROWS_CONTACT, row->contact) |
                 bind_text(s, ROWS_INSTANCE, row->instance) |
                 bind_number(s, ROWS_REG_ID, row->reg_id);

    if (verb != STORE_DROP)
        failed |= bind_text(s, ROWS_CALL_ID, row->call_id) | bind_number(s, ROWS_CSEQ, row->cseq);
    if (verb == STORE_PURGE)
        failed |= bind_number(s, ROWS_EXPIRES_S, row->expires_s);
    return failed;
}

static int
bind_rest(sqlite3_stmt *s, const struct store_row *row, int64_t step_s, char ip[HOP_TEXT_BYTES])
{
    int failed =
        row->q == STORE_NO_Q ? sqlite3_bind_null(s, ROWS_Q + 1) : bind_number(s, ROWS_Q, row->q);

    failed |= bind_text(s, ROWS_PARAMS, row->params) | bind_text(s, ROWS_PATH, row->path);
    failed |= bind_number(s, ROWS_EXPIRES_S, row->expires_s + step_s);
    failed |= bind_number(s, ROWS_STEP_S, step_s);
    failed |= bind_number(s, ROWS_GRANTED_S, row->granted_s);
    failed |= bind_text(s, ROWS_TRANSPORT, hop_transport_uri(row->source.transport));
    failed |= bind_text(
        s, ROWS_IP, row->source.transport == HOP_NONE ? SPAN("") : hop_ip_write(&row->source, ip));
    failed |= bind_number(s, ROWS_SCOPE_ID, row->source.scope_id);
    failed |= bind_number(s, ROWS_PORT, row->source.port);
    failed |= bind_text(s, ROWS_LISTENER, row->listener);
    failed |= bind_text(s, ROWS_REACH, hop_transport_uri(row->reach));
    failed |= bind_text(s, ROWS_USER_AGENT, span_head(row->user_agent, STORE_AGENT_BYTES));
    return failed;
}

bool
rows_bind(sqlite3_stmt *s, const struct store_change *change, int64_t step_s,
          char ip[HOP_TEXT_BYTES])
{
    return bind_key(s, change->verb, &change->row) == SQLITE_OK &&
           (change->verb != STORE_PUT || bind_rest(s, &change->row, step_s, ip) == SQLITE_OK);
}
