/*
 * Bob at a contact, or at a name with three hops, who is called.
 */
#ifndef UNIT_BRANCH_RIG_H
#define UNIT_BRANCH_RIG_H

#include "unit/core_rig.h"

#define ONE   "udp:192.0.2.11:5060"
#define TWO   "udp:192.0.2.12:5060"
#define THREE "udp:192.0.2.13:5060"

/* Bob has this contact and is called. */
void branch_call(const char *contact);
/* Bob's contact is a name with three hops. */
void branch_call_name(void);

#endif
