/*
 * Names of what is wrong with a message that can be understood nevertheless (deviation.def has the list; RFC 4475).
 *
 * The readers note what they meet as a bit. Whoever takes messages in asks for the bits, and only if there are any, what to
 * do about them (repair.h).
 */
#ifndef SIP_DEVIATION_H
#define SIP_DEVIATION_H

#include "base/span.h"

enum deviation {
#define DEVIATION(id, name, choices, verdict, phrase, section, what, fix) DEV_##id,
#include "sip/deviation.def"
    DEVIATIONS
};

enum repair_verdict { REPAIR_ACCEPT, REPAIR_FIX, REPAIR_REJECT };

enum repair_choices { REPAIR_ALL, REPAIR_ACCEPT_REJECT, REPAIR_FIX_REJECT };

struct deviation_info {
    const char *name;   /* also its key in sipd.conf */
    const char *phrase; /* of the 400 that refuses it */
    enum repair_choices choices;
    enum repair_verdict verdict; /* unless the operator says otherwise */
};

static inline uint64_t
deviation_bit(enum deviation id)
{
    return UINT64_C(1) << id;
}

/* Those by which another may find the end of the message elsewhere (RFC 3261 §18.3). */
#define DEVIATIONS_OF_END                                                                          \
    (deviation_bit(DEV_MIXED_LINE_ENDS) | deviation_bit(DEV_BARE_LF) |                             \
     deviation_bit(DEV_BARE_CR) | deviation_bit(DEV_CONTROL_BYTES) | deviation_bit(DEV_NO_FIELD) | \
     deviation_bit(DEV_NO_LENGTH))

/* Lent for ever. */
const struct deviation_info *deviation_info(enum deviation id);
/* "accept", "fix", "reject". */
const char *repair_verdict_name(enum repair_verdict verdict);

#endif
