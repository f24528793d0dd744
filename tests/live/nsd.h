/*
 * A real name server, nsd, with zones of the test's own.
 */
#ifndef LIVE_NSD_H
#define LIVE_NSD_H

#include "live/proc.h"

/*
 * Starts nsd with these zones, each a name and the text of its records, ended by a NULL; it answers when this returns its port
 * on 127.0.0.1. Fails the test when it can't be started. The caller ends it with proc_stop().
 */
uint16_t nsd_start(struct proc *nsd, const char *const zones[][2]);
/* Does a name server answer at this port, whatever it says? */
bool nsd_answers(uint16_t port);

#endif
