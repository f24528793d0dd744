/*
 * Log lines on standard error: with time and level for people, with <level> for the journal (sd-daemon(3)).
 */
#ifndef DAEMON_STDERR_LOG_H
#define DAEMON_STDERR_LOG_H

#include "base/log.h"

/* A log of this level on standard error. */
void stderr_log_init(struct log *log, enum log_level level);

#endif
