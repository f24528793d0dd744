/*
 * A name server that does not keep to the rules: what it does with a question is said by the first label of the name.
 *
 * "good": 127.0.0.1. "mute": nothing. "slow": the truth after ten seconds. "otherid": an answer to another question, by id.
 * "othername": by name. "bothids": a lie with another id first, then the truth. "cut": seven bytes. "empty": an answer that
 * promises records and has none. "nx": no such name. "loop": CNAMEs in a circle. "fail": SERVFAIL. "tc": truncated, the truth
 * over TCP. "tcmute": truncated, and silence over TCP. SRV and NAPTR of "good" and "tc" do not exist.
 */
#ifndef LIVE_LIAR_H
#define LIVE_LIAR_H

#include <stdint.h>

/* Begins, on a free port of 127.0.0.1 for UDP and TCP; one at a time. Returns the port. */
uint16_t liar_begin(void);
void liar_end(void);
/* How many questions came so far. */
unsigned liar_asked(void);

#endif
