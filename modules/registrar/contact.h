/*
 * A binding as it stands in Contact of a 200 (RFC 3261 §10.3 step 8, RFC 5626 §6, RFC 5627 §5.2).
 */
#ifndef REGISTRAR_CONTACT_H
#define REGISTRAR_CONTACT_H

#include "binding.h"
#include "gruu.h"

#define CONTACT_BYTES (STORE_CONTACT_BYTES + STORE_PARAMS_BYTES + GRUU_BYTES + 64)

/* Writes it. gruu: with pub-gruu, if it has an instance. Returns a span over `to`. */
struct span contact_write(const struct binding *b, uint64_t left_s, bool gruu,
                          char to[CONTACT_BYTES]);
/* A q (RFC 3261 §25.1) without the zeros at its end; nothing for STORE_NO_Q. Returns a span over `to`. */
struct span contact_q_write(uint16_t q, char to[8]);

#endif
