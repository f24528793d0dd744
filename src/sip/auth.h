/*
 * Digest fields, as every floor sees them; modules see the same.
 */
#ifndef SIP_AUTH_H
#define SIP_AUTH_H

#include <sipd/digest.h>

#endif
