/*
 * Bob with several phones, each of which gets a request.
 */
#ifndef UNIT_FORK_RIG_H
#define UNIT_FORK_RIG_H

#include "unit/core_rig.h"

#define FORK_PHONES 4

extern const char *const fork_phones[FORK_PHONES], *const fork_contacts[FORK_PHONES];
/* What each phone got. */
extern const struct rig_sent *fork_got[FORK_PHONES];

/* A request goes to n phones at once. */
void fork_to(unsigned n, const char *request_line);
/* The n-th phone says its last word, which is acknowledged. */
void fork_fails(unsigned n, unsigned status);

#endif
