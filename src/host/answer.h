/*
 * What a command answers: rows of named fields, kept as JSON text; one answer serves tables and programs alike.
 */
#ifndef HOST_ANSWER_H
#define HOST_ANSWER_H

#include <sipd/module.h>

#include "base/buf.h"

struct host;

/* An open answer for a command of owner (NULL: the server's own), or NULL when memory is out. Owns: the caller. */
struct sipd_answer *answer_new(struct host *host, const struct sipd_host *owner) MUST_USE;
/* Ends it; nulls the pointer. NULL inside is fine. */
void answer_free(struct sipd_answer **answer);
/* What happened while the command ran: sipd_answer_send() for one that was put off sends nothing until this was called. */
bool answer_is_later(struct sipd_answer *answer, uint64_t *id);
/* Ends a put-off answer that its command will never send. */
void answer_give_up(struct sipd_answer *answer, const char *why);

/* The rows stand in a list of this name instead of "rows", behind the fields of the answer as a whole. Lent: name, for its life. */
void answer_call_rows(struct sipd_answer *answer, const char *name);
void answer_whole_field(struct sipd_answer *answer, const char *name, struct span value);
void answer_whole_number(struct sipd_answer *answer, const char *name, int64_t value);

/* Was it refused? The words for it, or NULL. Lent. */
const char *answer_refusal(const struct sipd_answer *answer);
/* Adds {"rows":[…]} or {"error":"…"} to a buffer. */
void answer_write(const struct sipd_answer *answer, struct buf *to);

#endif
