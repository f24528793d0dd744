/*
 * Passwords in the simulator: users of a sipd's auth module, and phones that answer its challenges (RFC 3261 §22, RFC 7616 §3.4).
 */
#ifndef SIM_CREDS_H
#define SIM_CREDS_H

#include "base/buf.h"
#include "sim/peer.h"

/* Puts a user ("alice@example.com") into the users.db at path, which is made when it is not there. False: that went wrong. */
bool creds_add_user(const char *path, struct span user, struct span realm, struct span password);

/*
 * Writes a field with credentials for each realm that has challenged this peer, the newest challenge of each; the peer's name is
 * the user's.
 */
void creds_write(const struct peer *p, struct span method, struct span uri, struct span password,
                 struct buf *to);

#endif
