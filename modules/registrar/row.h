/*
 * The texts of a row, copied one behind the other into memory that was measured before.
 */
#ifndef REGISTRAR_ROW_H
#define REGISTRAR_ROW_H

#include "store.h"

/* Copies a text to *to, which is behind the copy then. Returns the copy. */
struct span row_keep(char **to, struct span text);
/* Bytes of all its texts. */
size_t row_text_bytes(const struct store_row *row);
/* A copy whose texts stand at *to, which is behind them then. Lent: that memory, as long as the copy is used. */
struct store_row row_copy(const struct store_row *row, char **to);

#endif
