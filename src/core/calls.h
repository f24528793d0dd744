/*
 * The calls under way, for lists: INVITEs that this proxy is at work on (RFC 3261 §16). It keeps no dialogs, so a call that was
 * answered is none of them once all its branches have ended; an INVITE within its dialog is one again.
 */
#ifndef CORE_CALLS_H
#define CORE_CALLS_H

#include "core/core.h"

enum call_state {
    CALL_DECIDING,  /* checks, modules and names are asked */
    CALL_TRYING,    /* sent, and nobody has said more than 100 */
    CALL_RINGING,   /* another provisional response has gone up */
    CALL_ANSWERED,  /* a 2xx has gone up; other branches have not ended yet */
    CALL_REFUSED,   /* … or a failure */
    CALL_CANCELLED, /* the caller gave up; the callee has not said so yet */
};

struct call { /* lent for the turn; URIs may hold passwords */
    struct span call_id, from, to;
    enum call_state state;
    uint16_t status;   /* the last that went up; 0: none */
    bool in_dialog;    /* the To has a tag: a call that stands is changed (§14) */
    uint32_t branches; /* not ended */
    uint64_t since_ms;
    const struct hop *source;
};

/* "deciding" … for lists; lent for ever. */
const char *call_state_name(enum call_state state);
/*
 * The next one after *cursor (0: the first). Looks at *places at most, and takes off what it looked at: false with 0 left is no
 * end, but to be gone on from another time.
 */
bool calls_next(const struct core *core, uint64_t *cursor, uint32_t *places, struct call *out);

#endif
