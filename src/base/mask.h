/*
 * What nobody shall read over somebody's shoulder: Digest responses, cookies, keys in SDP, passwords in URIs.
 *
 * sipd leaves them out already; this is the second lock.
 */
#ifndef BASE_MASK_H
#define BASE_MASK_H

#include "base/buf.h"

/* Appends text with three stars in place of each secret. */
void mask_put(struct buf *to, struct span text);

#endif
