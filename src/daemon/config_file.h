/*
 * sipd.conf as a file, and those that it includes.
 */
#ifndef DAEMON_CONFIG_FILE_H
#define DAEMON_CONFIG_FILE_H

#include <libconfig.h>

#include "base/buf.h"

/* Fills the tree, which the caller began and ends. SIPD_EINVAL with a complaint: it cannot be read, or its syntax is wrong. */
int config_file_read(config_t *tree, const char *file, struct buf *why) MUST_USE;

#endif
