/*
 * Our Path in a REGISTER that we pass on, as the edge between a phone and its registrar (RFC 3327 §5.2, RFC 5626 §5.1).
 */
#ifndef CORE_PATH_H
#define CORE_PATH_H

#include "core/branch.h"

/*
 * Must a REGISTER that has targets go no further, as we require Path (proxy.path_required) and its phone does not say that it knows
 * of it? It is answered then: 421 with Require (RFC 3327 §5.2, RFC 3261 §21.4.15).
 */
bool path_refuses(struct trip *trip) MUST_USE;
/*
 * Pushes it into a REGISTER whose phone knows of Path: with a token of the flow that this came by, so that what comes back with
 * it goes there and nowhere else. With ob if the phone is our neighbour and its flow is a connection: over datagrams nobody
 * here answers the STUN that would keep one alive. secure: it goes on as a sips resource; where both sides are TLS, Path says
 * so then (RFC 5630 §5.2). Beside it goes Require, if the registrar must know of it (proxy.path_required).
 */
void path_write(const struct branch *branch, const struct way *way, bool secure,
                struct draft *draft);

#endif
