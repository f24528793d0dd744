/*
 * ACK: absorbed when it is for an answer of ours or one we passed on hop by hop, forwarded when it is for a 2xx (RFC 3261
 * §16.7 last words, §17.2.1, RFC 6026 §7.1).
 */
#ifndef CORE_ACK_H
#define CORE_ACK_H

#include "core/intake.h"

/* An ACK came. It is never answered. */
void ack_heard(struct core *core, const struct intake *in);

#endif
