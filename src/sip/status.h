/*
 * Status codes and their default reason phrases (RFC 3261 §21 and the RFCs that added to it).
 */
#ifndef SIP_STATUS_H
#define SIP_STATUS_H

#include "base/span.h"

/* The phrase of a code; a general one of its class when the code is unknown. Lent for ever. */
struct span status_phrase(unsigned status);

#endif
