/*
 * P-Asserted-Identity: ours goes on what users of ours send, and what strangers claim in it goes nowhere (RFC 3325 §5, §9).
 */
#ifndef AUTH_IDENTITY_H
#define AUTH_IDENTITY_H

#include <sipd/module.h>

/* Takes out what the sender, who is not trusted, asserted itself (§5). SIPD_ENOMEM; SIPD_EFULL: an absurd number of them. */
int identity_strip(struct sipd_req *req);
/* Vouches for this user, in place of what it would prefer to be (§9.2), unless it asked for privacy (§7). As above. */
int identity_assert(struct sipd_req *req, struct span user, struct span domain);

#endif
