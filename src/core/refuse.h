/*
 * Our own answers: without a transaction (RFC 3261 §8.2.7), and as the server that a request names (§11.2, §8.2.1).
 */
#ifndef CORE_REFUSE_H
#define CORE_REFUSE_H

#include "core/intake.h"
#include "core/trip.h"

/* Such an answer, written: in the turn's memory, .at is NULL if that is out. Lent: all. */
struct span refuse_write(struct core *core, const struct intake *in, unsigned status,
                         const struct reply_with *with) MUST_USE;
/* Answers statelessly; a repeat gets the same answer with the same To-tag. Lent: all. headers: "Name: value\r\n"…. */
void refuse(struct core *core, const struct intake *in, unsigned status, struct span phrase,
            struct span headers);
/* Is this the ACK to an answer of ours: does its To carry the tag that we would give? */
bool refuse_is_acked(const struct intake *ack);
/* "Retry-After: …\r\n", in the turn's memory (§20.33); nowhere (at NULL) if that is out. */
struct span refuse_retry_after(struct core *core);
/* Does such a field name an option? One of nothing but commas asks for nothing. */
bool refuse_finds_options(const struct msg *msg, enum header asked);
/* "Unsupported: …\r\n" with the options of each field of this name, in the turn's memory (§20.40); nowhere if that is out. */
struct span refuse_options(struct core *core, const struct msg *msg, enum header asked);
/* Answers a request whose Request-URI names us and no user (OPTIONS 200 or 420, REGISTER 405, others 404). */
int refuse_for_server(struct trip *trip) MUST_USE;

#endif
