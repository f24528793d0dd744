/*
 * One binding: a Contact of an address-of-record with all that was registered with it (RFC 3261 §10.3 step 7, RFC 3327
 * §5.3, RFC 5626 §6, RFC 5627 §5.1).
 */
#ifndef REGISTRAR_BINDING_H
#define REGISTRAR_BINDING_H

#include <sipd/hop.h>
#include <sipd/ring.h>
#include <sipd/span.h>
#include <sipd/uri.h>

#include "store.h"

/* One allocation; the texts stand behind it. */
struct binding {
    /* what a look-up reads, and what is written when the same comes again */
    struct ring ring; /* in the ring of a second that is not behind its last, or among the dead */
    struct binding *next; /* of the same AoR, the one refreshed last first */
    uint64_t deadline_ms; /* on the clock that never goes back, whatever the wall's does */
    int64_t expires_s;    /* the same moment for stores, in steady time (steady.h) */
    uint32_t granted_s;   /* interval that was granted */
    uint32_t cseq;
    uint32_t version;  /* of its last fact */
    uint32_t epoch;    /* the index's, when it was put in by anybody but the store */
    uint32_t uri_hash; /* of what equal URIs have in common */
    uint32_t reg_id;   /* flow of a device (RFC 5626 §4.2.1); 0: none */
    /* all else stays as it was registered */
    struct hop source; /* where the REGISTER came from, with listener and flow */
    uint16_t q;        /* thousandths, or STORE_NO_Q */
    uint16_t aor_len, contact_len, call_id_len, params_len, path_len;
    uint16_t instance_at, instance_len; /* within params */
    uint8_t agent_len;
    uint8_t reach; /* as store_row's */
    char text[];
};

/* A binding that is in no index, or NULL. Owns: the caller. row's texts keep to the limits of store.h. */
struct binding *binding_new(const struct store_row *row, uint64_t deadline_ms);
/* As binding_new(), by whom has read its URI: binding_uri_hash() of that. */
struct binding *binding_new_hashed(const struct store_row *row, uint32_t uri_hash,
                                   uint64_t deadline_ms);
/* Ends one that is in no index. */
void binding_free(struct binding **binding);
/* Its texts, one behind another. Lent as long as the binding. */
static inline struct span
binding_aor(const struct binding *b)
{
    return (struct span){ b->text, b->aor_len };
}
static inline struct span
binding_contact(const struct binding *b)
{
    return (struct span){ b->text + b->aor_len, b->contact_len };
}
static inline struct span
binding_call_id(const struct binding *b)
{
    return (struct span){ span_end(binding_contact(b)), b->call_id_len };
}
static inline struct span
binding_params(const struct binding *b)
{
    return (struct span){ span_end(binding_call_id(b)), b->params_len };
}
static inline struct span
binding_path(const struct binding *b)
{
    return (struct span){ span_end(binding_params(b)), b->path_len };
}
static inline struct span
binding_agent(const struct binding *b)
{
    return (struct span){ span_end(binding_path(b)), b->agent_len };
}
/* The instance-id without its < > (RFC 5626 §4.1); empty: none. */
static inline struct span
binding_instance(const struct binding *b)
{
    return (struct span){ binding_params(b).at + b->instance_at, b->instance_len };
}

/* What changes when the same is registered again. */
struct binding_again {
    uint64_t deadline_ms;
    int64_t expires_s;
    uint32_t granted_s, cseq;
};

/* What its row is found by: contact, instance and reg_id, byte by byte. */
struct binding_key {
    struct span contact, instance;
    uint32_t reg_id;
};

struct binding_key binding_key(const struct binding *binding);
bool binding_has_key(const struct binding *binding, const struct binding_key *key);

/* The instance-id among a Contact's parameters; empty: none. Lent: params. */
struct span binding_find_instance(struct span params);
/*
 * Do they name one resource? RFC 3261 §19.1.4, but sip and sips are one: what registers under one replaces what it registered
 * under the other (RFC 5630 §5.1.1.1), and an AoR is the same under both (§5.2).
 */
bool binding_uri_eq(const struct uri *a, const struct uri *b);
/* Equal URIs have equal hashes (user, host and port always count). */
uint32_t binding_uri_hash(const struct uri *uri);

#endif
