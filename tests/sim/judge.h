/*
 * Knows from the wire alone what a proxy owes (RFC 3261 §16, RFC 6026), and says so at once when it does not
 * pay.
 *
 * What it asks of each sipd: a 2xx to an INVITE goes up, a provisional response too, a failure is
 * acknowledged, a CANCEL reaches every branch that may hear one, and only those; one final response goes up,
 * the best, when no branch is pending; nothing is sent more often than §17.1 allows; nothing is begun when all
 * is said.
 */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H

#include "sim/ua.h"

struct judge *judge_new(struct calls *c);
void judge_free(struct judge **judge);
/* Has each INVITE of this call that a sipd took been answered by it? */
bool judge_is_settled(const struct call *call);
/* Forgets a call. */
void judge_close(struct judge *judge, struct call *call);

#endif
