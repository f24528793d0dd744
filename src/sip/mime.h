/*
 * Bodies and their parts, as every floor sees them; modules see the same. And the body of a message.
 */
#ifndef SIP_MIME_H
#define SIP_MIME_H

#include <sipd/mime.h>

#include "sip/msg.h"

/* Walks the body of a message, by its Content-Type and Content-Disposition. Lent: msg's bytes, as long as w is used. */
void mime_walk_msg(struct mime_walk *w, const struct msg *msg);

#endif
