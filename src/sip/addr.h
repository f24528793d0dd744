/*
 * Addresses, as every floor sees them; modules see the same.
 */
#ifndef SIP_ADDR_H
#define SIP_ADDR_H

#include <sipd/addr.h>

#endif
