/*
 * After restart: the old sipd goes, the new one comes.
 */
#ifndef SIPCTL_COMEBACK_H
#define SIPCTL_COMEBACK_H

#include "sipctl/client.h"

/* Was that the command? */
bool comeback_is(char *const *words);
/*
 * Waits until the one at the other end of the line has gone, and one answers at the socket that its answer names. False: none
 * did in a minute, and `why` says.
 */
bool comeback_wait(struct client *client, const json_t *answer, struct buf *why);

#endif
