/*
 * A module's own answer to a request (RFC 3261 §8.2.6). Builders remember their first failure; the last call tells.
 */
#ifndef SIPD_REPLY_H
#define SIPD_REPLY_H

#include <sipd/span.h>

struct sipd_req;
struct sipd_reply;

#pragma GCC visibility push(default)

/* Begins an answer; never NULL. Via, From, To with our tag, Call-ID, CSeq are copied by the house. Lent for the hook. */
struct sipd_reply *sipd_reply(struct sipd_req *req, unsigned status);
/* Another phrase than the status's own. */
void sipd_reply_phrase(struct sipd_reply *reply, struct span phrase);
/* Adds a field; line ends in value cannot forge another. */
void sipd_reply_header(struct sipd_reply *reply, struct span name, struct span value);
void sipd_reply_number(struct sipd_reply *reply, struct span name, uint64_t value);
/* "Date: …" of now (RFC 3261 §20.17). */
void sipd_reply_date(struct sipd_reply *reply);
void sipd_reply_body(struct sipd_reply *reply, struct span type, struct span body);
/* Sends it. SIPD_DONE, or SIPD_FAIL with the first failure: return it from the hook. */
int sipd_reply_send(struct sipd_reply *reply);

#pragma GCC visibility pop

#endif
