/*
 * A binding as a fact, and back: pure, and the one place that knows its tags.
 */
#ifndef REGISTRAR_FACT_H
#define REGISTRAR_FACT_H

#include <sipd/fact.h>

#include "binding.h"

#define BINDING_FACT "binding" /* the kind of our facts */

/* Room for any. */
#define BINDING_FACT_BYTES                                                                   \
    (256 + STORE_AOR_BYTES + STORE_CONTACT_BYTES + STORE_CALL_ID_BYTES + STORE_AGENT_BYTES + \
     2 * STORE_PARAMS_BYTES + STORE_PATH_BYTES + HOP_TEXT_BYTES)

struct binding_fact {
    struct store_row row; /* texts lent from the fact; only its key if the binding is gone */
    bool here;            /* or it is gone */
    uint64_t left_ms;     /* until it expires */
};

/* What a binding's facts have in common, and nothing else: aor, contact, instance, reg-id. */
void binding_fact_key(const struct binding *binding, struct fact_out *out);
/* … and the rest, behind it: that it is here. listener: the text of the one that it came to. */
void binding_fact_here(const struct binding *binding, struct span listener, uint64_t now_ms,
                       struct fact_out *out);
/*
 * Reads a fact; tags that are not known are skipped. SIPD_ESYNTAX: it is cut short; SIPD_EINVAL: no REGISTER could have made such
 * a binding. Lent: bytes.
 */
int binding_fact_read(struct span bytes, struct binding_fact *out);

#endif
