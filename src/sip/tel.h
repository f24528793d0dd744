/*
 * Telephone numbers, as every floor sees them; modules see the same, but for how a number is told.
 */
#ifndef SIP_TEL_H
#define SIP_TEL_H

#include <sipd/tel.h>

/* Digits with visual separators, behind a + decimal ones only; escapes count as what they stand for (RFC 3966 §3). */
bool tel_is_number(struct span text);
/* The parts of a telephone-subscriber, whether they are as they should be or not: enough to compare. */
struct tel tel_split(struct span number, struct span params);

#endif
