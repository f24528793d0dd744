/*
 * Addresses, as every floor sees them; modules see the same.
 */
#ifndef SIP_ADDR_H
#define SIP_ADDR_H

#include <sipd/addr.h>

/* As addr_next and addr_read; what is against the grammar is noted in *odd, also when it leaves nothing to read (deviation.h). */
int addr_next_noting(struct span *rest, struct addr *out, uint64_t *odd);
int addr_read_noting(struct span value, struct addr *out, uint64_t *odd);

/*
 * A From or To as nearly all are: a display name of the grammar or none, <uri>, and behind it nothing or the tag alone.
 * Lent: value; *tag points into it, empty if there is none. False: it is not of that kind, and addr_read_noting() tells.
 */
bool addr_plain_read(struct span value, struct span *tag);

#endif
