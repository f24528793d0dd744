/*
 * What a REGISTER asks for and what becomes of it: RFC 3261 §10.3 as pure logic over text and bindings.
 */
#ifndef REGISTRAR_RULES_H
#define REGISTRAR_RULES_H

#include <sipd/hop.h>
#include <sipd/span.h>
#include <sipd/uri.h>

#include "bindings.h"

/* Bytes of URIs compared for one REGISTER that have one hash and yet other bytes: some milliseconds at the most. */
#define RULES_ALIKE_BYTES  40000
#define RULES_CONTACTS_MAX 100  /* Contacts in one REGISTER */
#define RULES_BINDINGS_MAX 1000 /* bound of max_contacts */

struct rules_limits {
    uint32_t min_expires_s, max_expires_s, default_expires_s, max_contacts;
};

/* What becomes of reg-ids (RFC 5626 §6). */
enum rules_flows {
    RULES_FLOWS_IGNORED, /* not asked for, or not to be had */
    RULES_FLOWS_TAKEN,
    RULES_FLOWS_LACKING, /* asked for, but the first hop does not help: 439 for a Contact that has one */
};

/* A Contact of a REGISTER. */
struct rules_contact {
    struct span uri;      /* as written */
    struct span params;   /* as written, if there are others than q and expires */
    struct span instance; /* … its instance-id among them; empty: none */
    uint32_t reg_id;      /* … and reg-id; 0: none, or ignored */
    uint32_t uri_hash;    /* binding_uri_hash() */
    uint32_t expires_s;   /* to be granted; 0: remove */
    uint16_t q;           /* thousandths, or STORE_NO_Q */
    uint8_t reach;        /* rules_reach(), or rules_reach_flow() */
    bool any_flow;        /* means what has this URI, whatever its reg-id */
};

/* A REGISTER, as far as it touches bindings. Its texts are lent. */
struct rules_register {
    struct span call_id;
    uint32_t cseq;
    bool star;        /* Contact: *, remove all */
    bool flows;       /* a reg-id was taken: Require: outbound in the answer */
    struct span path; /* of all its Contacts */
    const struct rules_contact *contacts;
    size_t len;
};

/* A verdict: 200, or what to refuse with. */
struct rules_answer {
    unsigned status;
    struct span phrase;     /* empty: the status's own */
    uint32_t min_expires_s; /* for 423 */
    unsigned compared; /* what rules_decide() had to compare: URIs of one hash and unequal bytes */
};

/* What follows from the way that a REGISTER came. */
struct rules_way {
    const struct hop *source; /* whence, if that is where its Contacts are reached; else NULL */
    enum rules_flows flows;
    bool secure; /* Request-URI and each Path are sips */
};

/* Reads a REGISTER field by field. */
struct rules_reader {
    const struct rules_limits *limits;
    const struct binding *known; /* of the same AoR: a URI among them need not be read again */
    struct rules_way way;
    struct rules_answer refusal; /* the first; status 0: there is none */
    uint32_t header_s;           /* what a Contact without expires asks for */
    bool zero;                   /* Expires: 0 was there */
    bool brief;                  /* an interval was too brief */
    unsigned stars;
    size_t len;
    struct rules_contact contacts[RULES_CONTACTS_MAX];
};

/*
 * Begins. expires: value of the Expires field, NULL if there is none. known: the bindings that there are, or NULL. Lent: all of
 * these, and way->source, as long as what is read.
 */
void rules_begin(struct rules_reader *reader, const struct rules_limits *limits,
                 const struct binding *known, const struct span *expires,
                 const struct rules_way *way);
/* What is kept goes into messages of ours: has it a control byte that is not escaped, where others may end a line (§25.1)? */
bool rules_has_control(struct span text);
/* Sets a Contact's URI, and how it is reached (source as in struct rules_way). False if it is none. */
bool rules_contact_uri(struct rules_contact *contact, struct span uri, const struct hop *source);
/* Reads one Contact field. False: nothing more need be read, rules_end() says why. */
bool rules_contact_field(struct rules_reader *reader, struct span value);
/*
 * Judges what was read, without looking at bindings (§10.3 steps 6 and 7): true, and *out; else reader->refusal says why: 400,
 * 403, 423, 439.
 */
bool rules_end(struct rules_reader *reader, struct rules_register *out);

/* One step of an update. */
struct rules_step {
    const struct binding *old;        /* what there was; NULL: nothing */
    const struct rules_contact *want; /* what there shall be; NULL: nothing */
};

/*
 * Decides what becomes of bindings, none of them overdue (§10.3 steps 6 and 7). 200 with the steps to take, at
 * most one for each Contact, for "*" one for each binding; none if nothing changes. Or 403, 500: nothing may
 * change. steps has room for those.
 */
struct rules_answer rules_decide(const struct rules_register *reg, const struct binding *first,
                                 uint32_t max_contacts, struct rules_step *steps, size_t *len);

/*
 * How a Contact is reached: the transport by which requests go to the source of its REGISTER, over its flow if
 * that is a connection; HOP_NONE: where the URI itself leads (RFC 3263). See the comment in rules.c.
 */
uint8_t rules_reach(const struct uri *contact, const struct hop *source);
/* As rules_reach(), for a flow that was taken (RFC 5626 §7): nothing but its own. */
uint8_t rules_reach_flow(const struct hop *source);
/* The hop that follows: HOP_NONE as its transport if the URI leads. */
struct hop rules_hop(uint8_t reach, const struct hop *source);

#endif
