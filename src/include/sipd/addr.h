/*
 * name-addr and addr-spec, one or a comma list: From, To, Contact, Route and their kin (RFC 3261 §20.10, §25.1).
 */
#ifndef SIPD_ADDR_H
#define SIPD_ADDR_H

#include <sipd/err.h>
#include <sipd/param.h>
#include <sipd/span.h>

struct addr {
    struct span whole;   /* this element without the blanks around it */
    struct span display; /* as written, quotes included; empty if there is none */
    struct span uri;     /* between < and >, or the bare addr-spec */
    /* header parameters, from the first ; on; without < > every ; starts one (§20.10) */
    struct span params;
    bool brackets; /* < > were there */
    bool star;     /* Contact: * */
};

#pragma GCC visibility push(default)

/*
 * Takes the next element off a comma list. Lent: *rest; out points into it. SIPD_OK, SIPD_ENOENT when none is left,
 * SIPD_ESYNTAX when what stands there is no address (*rest is then as it was). Empty elements are passed over.
 */
int addr_next(struct span *rest, struct addr *out);

/* Reads a field that holds exactly one address (From, To). SIPD_ESYNTAX otherwise. */
int addr_read(struct span value, struct addr *out);

/* Reads a q value (RFC 3261 §25.1 qvalue) in thousandths, 0 to 1000. False if it is none. */
bool addr_q_read(struct span text, uint32_t *thousandths);

#pragma GCC visibility pop

#endif
