/*
 * What a REGISTER asks of us beyond its Contacts: options, Path, and whether its flow can be used (RFC 3261 §8.2.2.3,
 * RFC 3327 §5.3, RFC 5626 §6).
 */
#ifndef REGISTRAR_ASKS_H
#define REGISTRAR_ASKS_H

#include <sipd/module.h>

#include "rules.h"
#include "store.h"

/* The fields of a REGISTER that are walked, found by name once. */
struct asks_fields {
    struct sipd_fields supported, require, path, expires, contact, user_agent;
};

struct asks {
    bool path_known;  /* Supported or Require: path */
    bool outbound;    /* … outbound */
    bool gruu;        /* … gruu */
    bool relayed;     /* it came through a proxy */
    bool too_much;    /* Require names an option that we do not know */
    bool secure;      /* Request-URI and Path are sips (RFC 5630 §5.2) */
    struct span host; /* of the Request-URI, with its port: ours */
    uint16_t port;
    struct span path; /* all Path fields, joined; empty: none */
    char path_text[STORE_PATH_BYTES];
};

void asks_fields_init(struct asks_fields *fields);
/* Reads it. 0, or the status to refuse with: 400 for a Path that is none or too long, 420 for one that the sender cannot know of. */
unsigned asks_read(const struct sipd_req *req, const struct asks_fields *fields, struct asks *out);
/* What becomes of reg-ids. */
enum rules_flows asks_flows(const struct asks *asks, const struct sipd_req *req);
/* Adds the options of Require that we do not know to a 420, as Unsupported. */
void asks_name_unknown(const struct sipd_req *req, struct sipd_reply *reply);

#endif
