/*
 * Other ways for a response that could not leave where its request came from (RFC 3263 §5).
 */
#ifndef CORE_BACKUP_H
#define CORE_BACKUP_H

#include "core/core.h"

/* This server transaction went astray (TXN_ASTRAY): sends its response to the sent-by of its Via, or asks where that is. */
void backup_find(struct core *core, uint64_t txn);

#endif
