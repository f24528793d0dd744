/*
 * Our Path in a REGISTER that we pass on, as the edge between a phone and its registrar (RFC 3327 §5.2, RFC 5626 §5.1).
 */
#ifndef CORE_PATH_H
#define CORE_PATH_H

#include "core/branch.h"

/*
 * Pushes it into a REGISTER whose phone knows of Path: with a token of the flow that this came by, so that what comes back with
 * it goes there and nowhere else. With ob if the phone is our neighbour and its flow is a connection: over datagrams nobody
 * here answers the STUN that would keep one alive. secure: it goes on as a sips resource; where both sides are TLS, Path says
 * so then (RFC 5630 §5.2).
 */
void path_write(const struct branch *branch, const struct way *way, bool secure,
                struct draft *draft);

#endif
