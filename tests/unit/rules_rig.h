/*
 * The fields of a REGISTER, read by the registrar's rules.
 */
#ifndef UNIT_RULES_RIG_H
#define UNIT_RULES_RIG_H

#include "registrar/rules.h"

extern const struct rules_limits rules_rig_limits;
extern enum rules_flows rules_rig_flows; /* what becomes of reg-ids */
extern bool rules_rig_secure;            /* Request-URI and Path are sips */

/* What a REGISTER with these fields is answered; fields that are NULL are not there. */
struct rules_answer rules_rig_read(struct rules_reader *reader, struct rules_register *reg,
                                   const char *expires, const char *first, const char *second);
/* The same of one who has read all of its fields. */
struct rules_answer rules_rig_end(struct rules_reader *reader, struct rules_register *reg);

#endif
