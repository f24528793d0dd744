/*
 * The REGISTER that says again what the same phone has said: by far the commonest, and nothing of it is new but the time
 * (RFC 3261 §10.2.4, §10.3 steps 7 and 8).
 */
#ifndef REGISTRAR_REFRESH_H
#define REGISTRAR_REFRESH_H

#include "jobs.h"

/*
 * Refreshes a binding where it lies, if that is all that is asked for and no store has to hear of it first. False: nothing
 * happened, and the request goes the way of all others, which does the same with more pains. aor may be NULL.
 */
bool refresh_at_once(struct jobs *jobs, struct aor *aor, const struct job_ask *ask);

#endif
