/*
 * The hop, as every floor sees them; modules see the same.
 */
#ifndef SIP_HOP_H
#define SIP_HOP_H

#include <sipd/hop.h>

#endif
