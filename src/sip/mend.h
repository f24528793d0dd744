/*
 * The fix of each deviation: splices that make of it what the grammar has, and touch nothing else.
 */
#ifndef SIP_MEND_H
#define SIP_MEND_H

#include "sip/deviation.h"
#include "sip/draft.h"

/* Makes the edits that mend one deviation of the draft's message. None are made where it cannot be mended. */
void mend(enum deviation id, struct draft *d, const struct gist *gist);

#endif
