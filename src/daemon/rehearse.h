/*
 * explain METHOD URI [from ADDRESS]: a request is run dry (core/dry.h), and what is decided goes into the answer.
 */
#ifndef DAEMON_REHEARSE_H
#define DAEMON_REHEARSE_H

#include "daemon/daemon.h"

struct explain_event;

/* Something was decided in a dry run. */
void rehearse_event(struct daemon *d, const struct explain_event *event);
/* Declares the command. SIPD_ENOMEM. */
int rehearse_declare(struct daemon *d) MUST_USE;
void rehearse_fini(struct daemon *d);

#endif
