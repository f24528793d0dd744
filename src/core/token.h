/*
 * The user part of our Record-Route: a keyed token over Call-ID and listener, and the flow that leads back (RFC 3261 §16.6
 * step 4, RFC 5626 §5.2).
 *
 * Whoever brings it back in a Route was let in when the dialog was made. A token may name a flow, so that requests within
 * the dialog reach a phone behind a NAT or on a connection. One that is bound leads to that flow only, whatever Routes and
 * Request-URI say: so a stranger whom we let call a user of ours has not found a relay. For the one of ours in that dialog,
 * known by the address that his own side's token has, Routes and Request-URI hold as ever (RFC 3261 §16.6 step 7).
 */
#ifndef CORE_TOKEN_H
#define CORE_TOKEN_H

#include "core/state.h"

#define TOKEN_BYTES 72 /* room that token_write needs */
#define TOKEN_LEAST 24 /* bytes of the shortest one */

struct token {
    uint16_t listener;
    bool has_flow;   /* it names how its side is reached … */
    bool by_flow;    /* … which is the only way to there: a connection, or through a NAT */
    bool bound;      /* it leads to its flow and nowhere else, unless one of ours brings it */
    bool path;       /* of a Path: for requests of any dialog (RFC 3327) */
    bool ours;       /* its side is one of ours, who sends from the flow's address */
    struct hop flow; /* when has_flow; its listener is the token's */
};

/* Writes a token. One of a Path is of no Call-ID; a flow has a transport. Returns a span over `to`. */
struct span token_write(const struct core *core, struct span call_id, const struct token *token,
                        char to[TOKEN_BYTES]);
/* As token_read(), of what is long enough. */
bool token_read_it(const struct core *core, struct span call_id, struct span text,
                   struct token *token);
/* Is this our token, for this Call-ID or of a Path? *token is filled if so. */
static inline bool
token_read(const struct core *core, struct span call_id, struct span text, struct token *token)
{
    return text.len >= TOKEN_LEAST && token_read_it(core, call_id, text, token);
}
/* How long is the token that text begins with? 0: it is too short for one. */
size_t token_len(struct span text);

#endif
