/*
 * A binding as a row of the file: its columns read and bound.
 */
#ifndef REGISTRAR_ROWS_H
#define REGISTRAR_ROWS_H

#include "store.h"

struct sqlite3_stmt;

/* clang-format off */
/* Columns in the order of every statement that names them all. The first four are the key. */
enum rows_column {
    ROWS_AOR, ROWS_CONTACT, ROWS_INSTANCE, ROWS_REG_ID,
    ROWS_PARAMS, ROWS_PATH, ROWS_Q, ROWS_CALL_ID, ROWS_CSEQ, ROWS_EXPIRES_S, ROWS_GRANTED_S, ROWS_TRANSPORT, ROWS_IP,
    ROWS_SCOPE_ID, ROWS_PORT, ROWS_LISTENER, ROWS_REACH, ROWS_USER_AGENT, ROWS_STEP_S
};
/* clang-format on */
#define ROWS_TIME_MAX_S  (INT64_C(1) << 40) /* of all times and steps in the file */
#define ROWS_KEY_COLUMNS 4
#define ROWS_KEY         "aor, contact, instance, reg_id"
#define ROWS_COLUMNS                                                                   \
    ROWS_KEY ", params, path, q, call_id, cseq, expires_s, granted_s, transport, ip, " \
             "scope_id, port, listener, reach, user_agent, step_s"

/* Reads the row that a statement stands on. Lent until its next step. False: it makes no sense. */
bool rows_read(struct sqlite3_stmt *statement, struct store_row *row);
/* The n-th text of a row that a statement stands on. Lent until its next step. */
struct span rows_text(struct sqlite3_stmt *statement, enum rows_column column);

/*
 * Binds what a change needs, each column to the parameter of its number, counted from 1. step_s: what UTC is ahead of steady time.
 * False: it failed. Lent: change.
 */
bool rows_bind(struct sqlite3_stmt *statement, const struct store_change *change, int64_t step_s,
               char ip[HOP_TEXT_BYTES]);

#endif
