/*
 * Whole numbers that libconfig 1.5 would wrap without a word: they are found in the text, before it is read.
 */
#ifndef DAEMON_NUMBERS_H
#define DAEMON_NUMBERS_H

#include "base/buf.h"

/* Complains of each number in this file beyond 2^31 - 1. SIPD_EINVAL if there is one. A file that cannot be read is fine here. */
int numbers_check(const char *file, struct buf *why) MUST_USE;

#endif
