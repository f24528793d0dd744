/*
 * Explaining, for sipctl: what was decided is kept on a tape while somebody wants it, and told in JSON.
 *
 * explain call CALL-ID, and trace since SEQ: who asks again and again keeps the tape running for TELLER_AFTER_MS after the last
 * time.
 */
#ifndef DAEMON_TELLER_H
#define DAEMON_TELLER_H

#include "daemon/daemon.h"

struct explain_event;
struct sipd_answer;

enum { TELLER_AFTER_MS = 10000 };

/* Something was decided: the core's port. */
void teller_event(struct daemon *d, const struct explain_event *event);
/* The configuration is in force. */
void teller_take_config(struct daemon *d);
/* Adds an event to an answer as a row, without a Call-ID. */
void teller_put(struct daemon *d, const struct explain_event *event, uint64_t seq,
                struct sipd_answer *answer);
/* Declares the commands. SIPD_ENOMEM. */
int teller_declare(struct daemon *d) MUST_USE;
void teller_fini(struct daemon *d);

#endif
