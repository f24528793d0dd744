/*
 * Public GRUUs: an AoR with gr, which names one device of a user (RFC 5627 §3.1, §5, §6.1).
 *
 * They are computed from AoR and instance-id, so nothing is kept of them and they are valid as long as the AoR is.
 */
#ifndef REGISTRAR_GRUU_H
#define REGISTRAR_GRUU_H

#include <sipd/span.h>
#include <sipd/uri.h>

#include "store.h"

#define GRUU_BYTES (STORE_AOR_BYTES + 8 + 3 * STORE_PARAMS_BYTES) /* room that gruu_write needs */

/* Does this URI have gr, and with which value? An empty one is a temporary GRUU's, of which we make none. */
bool gruu_read(const struct uri *uri, struct span *gr);
/* Does gr name this instance? Escapes are undone; case does not count (RFC 8141 §3.1, RFC 4122 §3). */
bool gruu_is(struct span gr, struct span instance);
/* Writes the public GRUU of an AoR ("sip:…") for an instance. Returns a span over `to`. */
struct span gruu_write(struct span aor, bool sips, struct span instance, char to[GRUU_BYTES]);

#endif
