/*
 * sipctl trace: follows what sipd does until it is told to stop, or nobody reads.
 */
#ifndef SIPCTL_TRACE_H
#define SIPCTL_TRACE_H

#include "sipctl/options.h"

/* Is this the command: trace [all|USER|CALL-ID], trace user USER, trace call CALL-ID? */
bool trace_is(char *const *words);
/* Traces until a signal ends it. Complaints go to standard error. */
enum exit_code trace_run(const struct options *o);

#endif
