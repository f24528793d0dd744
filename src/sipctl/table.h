/*
 * Rows of named fields as an aligned table for people.
 */
#ifndef SIPCTL_TABLE_H
#define SIPCTL_TABLE_H

#include <jansson.h>
#include <stdio.h>

/* Writes {"rows":[…]}: one row as a list of names and values, more as a table with the names on top. Lent: rows. */
void table_write(const json_t *rows, FILE *to);

#endif
