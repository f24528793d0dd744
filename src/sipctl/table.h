/*
 * Rows as a table for people.
 */
#ifndef SIPCTL_TABLE_H
#define SIPCTL_TABLE_H

#include <jansson.h>

#include "base/buf.h"

/*
 * Writes rows (an array of objects) as columns aligned under their names. One row that is wider than `width` is turned on its
 * side: a line for each field. The buffer's err tells.
 */
void table_write(const json_t *rows, size_t width, struct buf *to);

#endif
