/*
 * Base64 as messages come in (RFC 4648 §4).
 */
#ifndef SIPCTL_BASE64_H
#define SIPCTL_BASE64_H

#include "base/buf.h"

/* Appends what text stands for; false if it is no base64, with its padding, and nothing is appended. The buffer's err tells. */
bool base64_read(struct span text, struct buf *to);

#endif
