/*
 * Parameters, as every floor sees them; modules see the same.
 */
#ifndef SIP_PARAM_H
#define SIP_PARAM_H

#include <sipd/param.h>

#endif
