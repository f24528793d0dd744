/*
 * The user part of our Record-Route: a keyed token over Call-ID and listener, and the flow that leads back (RFC 3261 §16.6
 * step 4, RFC 5626 §5.2).
 *
 * Whoever brings it back in a Route was let in when the dialog was made. A token may name a flow, so that requests within
 * the dialog reach a phone behind a NAT or on a connection.
 */
#ifndef CORE_TOKEN_H
#define CORE_TOKEN_H

#include "core/state.h"

#define TOKEN_BYTES 80  /* room that token_write needs */

/* Writes a token; flow may be NULL. Returns a span over `to`. */
struct span token_write(const struct core *core, struct span call_id, uint16_t listener, const struct hop *flow,
                        char to[TOKEN_BYTES]);
/* Is this our token for this Call-ID? *flow is filled when it names one (*has_flow). */
bool token_read(const struct core *core, struct span call_id, struct span text, bool *has_flow, struct hop *flow);

#endif
