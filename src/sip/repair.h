/*
 * What is done about deviations: accepted, mended by splices, or refused, as a policy has it (RFC 4475, RFC 3261 §16.3
 * step 1).
 *
 * The bytes that came stay as they are. Each rule is mended by itself and what comes of it is read anew, so no fix works
 * upon what another one has left behind, and what a message says after a fix is what anybody will read in it. Where a
 * message ends and where its answer goes (Content-Length, Via) is never mended: it has one reading or is refused.
 */
#ifndef SIP_REPAIR_H
#define SIP_REPAIR_H

#include "sip/draft.h"

struct repair_policy {
    uint8_t verdict[DEVIATIONS]; /* enum repair_verdict */
};

struct repair_done {
    uint64_t accepted, fixed; /* deviation_bit() each */
    uint64_t rejected;        /* one bit at most */
};

/*
 * Makes the edits that a module wishes. A draft that fails tells that it could not be mended; one without an edit, that what
 * was wrong was mended before.
 */
typedef void repair_fixer_fn(struct draft *d, const struct gist *gist, void *self);

/* Every rule's own verdict. */
void repair_policy_default(struct repair_policy *policy);

/* May a rule have this verdict? */
bool repair_may(enum deviation id, enum repair_verdict verdict);

/* Does the policy reject one of these deviations? */
bool repair_rejects(const struct repair_policy *policy, uint64_t odd);

/*
 * Does what the policy says about gist->odd. What is mended is a new message in `arena`, and *msg and *gist become it; what
 * is refused gets a fault (400, naming the field). work is reset and holds what lies between: another arena. fixer mends
 * DEV_FIXER (NULL: nobody does). SIPD_OK, SIPD_ENOMEM (msg and gist are as they were).
 */
int repair(const struct repair_policy *policy, repair_fixer_fn *fixer, void *self,
           struct arena *work, struct arena *arena, struct msg *msg, struct gist *gist,
           struct repair_done *done) MUST_USE;

#endif
