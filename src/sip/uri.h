/*
 * URIs, as every floor sees them; modules see the same.
 */
#ifndef SIP_URI_H
#define SIP_URI_H

#include <sipd/uri.h>

#endif
