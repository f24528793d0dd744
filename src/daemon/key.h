/*
 * sipd.key: 32 random bytes from which branches, To-tags and Route tokens are computed; a pair of servers shares it.
 */
#ifndef DAEMON_KEY_H
#define DAEMON_KEY_H

#include "base/buf.h"
#include "base/prf.h"

/*
 * Reads DIR/sipd.key; makes it when it is not there and `make` says so, else *key is then 0. SIPD_EINVAL: others may read it,
 * or it is no key; SIPD_EIO. With a complaint.
 */
int key_load(struct span dir, bool make, struct prf_key *key, struct buf *why) MUST_USE;

#endif
