/*
 * Named edits beside an untouched original, and the bytes that come of them (RFC 3261 §16.6, §16.7).
 *
 * There is no printer of whole messages: what no edit names leaves as it came, byte for byte. Edits are splices (at, cut,
 * insert) and may not overlap; the first failure is kept and told by draft_render().
 */
#ifndef SIP_DRAFT_H
#define SIP_DRAFT_H

#include "base/arena.h"
#include "sip/gist.h"
#include "sip/msg.h"

enum draft_kind {
    DRAFT_PLAIN,
    DRAFT_ROUTE,  /* made by dropping Routes: each such call makes these anew */
    DRAFT_BODY,   /* in the body (draft_body.h) … */
    DRAFT_LENGTH, /* … and what Content-Length says then: each edit of the body makes these anew */
};

enum { DRAFT_FEW = 8 }; /* splices of a request that is merely forwarded */

struct draft_splice {
    uint32_t at, cut;
    struct span insert;
    enum draft_kind kind;
};

struct draft {
    const struct msg *msg;
    struct arena *arena;
    /* ordered by at; what is pushed stands before what stood there, other edits behind */
    struct draft_splice *splices;
    uint32_t len, cap;
    uint32_t behind; /* where the last splice ends: one behind it is no other's neighbour */
    size_t bytes;    /* that they will make of the message */
    uint32_t routes_head, routes_tail; /* Route elements dropped at either end */
    int err; /* SIPD_OK, SIPD_ENOMEM, SIPD_ECLASH, SIPD_ENOENT, SIPD_ESYNTAX: the first failure */
    struct draft_splice few[DRAFT_FEW]; /* where splices begin */
};

/*
 * A draft without edits, which stays where it is. Lent: msg and arena, as long as the draft. What edits insert is copied into the arena, its line
 * ends made blanks, so that no value can forge a field; a text without an address, which somebody had no memory to make, is
 * SIPD_ENOMEM. An edit of something that is not there is SIPD_ENOENT.
 */
void draft_init(struct draft *d, const struct msg *msg, struct arena *arena);

/* Request-URI becomes uri (§16.6 step 2). */
void draft_set_uri(struct draft *d, struct span uri);
/* Max-Forwards becomes one less (SIPD_ENOENT at 0), or is added as 70 if there was none (§16.6 step 3). */
void draft_lower_max_forwards(struct draft *d, const struct gist *gist);
/* One field of this id, saying n: the first one says so then, others go; if there was none, one is added. */
void draft_set_number(struct draft *d, enum header id, uint64_t n);
/* "Via: value" above the topmost one (§16.6 step 8). */
void draft_push_via(struct draft *d, const struct gist *gist, struct span value);
/* The topmost Via goes, with its line if it is alone there (§16.7 step 3). */
void draft_pop_via(struct draft *d, const struct gist *gist);
/*
 * Sets received (empty: as it is) and rport (0: as it is) of the topmost Via (§18.2.1, RFC 3581 §4): one that is there is
 * replaced, a missing one appended. On requests only: with draft_pop_via() it clashes.
 */
void draft_stamp_via(struct draft *d, const struct gist *gist, struct span received,
                     uint16_t rport);
/*
 * "Record-Route: value" above the others (§16.6 step 4); called twice, the second stands above the first. The first one of
 * a message stands before the first Route, or behind the last Via.
 */
void draft_push_record_route(struct draft *d, struct span value);
/* "Path: value" above the others (RFC 3327 §5.2); the first one of a message stands where a Record-Route would. */
void draft_push_path(struct draft *d, struct span value);
/* The first n Route elements go (§16.4), a line that loses all of them goes whole; so for the last. */
void draft_drop_routes(struct draft *d, unsigned n);
/* The last Route element goes (§16.4 strict router before us; §16.6 step 6). */
void draft_drop_last_route(struct draft *d);
/* "Route: value" above the others / below the others; the first one of a message stands behind the last Via. */
void draft_push_route(struct draft *d, struct span value);
void draft_append_route(struct draft *d, struct span value);
/* "Name: value" at the end of the head. */
void draft_add_header(struct draft *d, struct span name, struct span value);
/* The field goes, whole. */
void draft_drop_field(struct draft *d, const struct msg_field *field);
/* The field's value becomes another. */
void draft_set_value(struct draft *d, const struct msg_field *field, struct span value);
/* The status line's code and phrase become others (a response only). */
void draft_set_status(struct draft *d, unsigned status, struct span phrase);

/* What stands behind the last edit: the rendered bytes end with it. Lent from the message. */
struct span draft_tail(const struct draft *d);
/* The edited bytes, in `arena`. Returns the draft's first failure, or SIPD_ENOMEM; *out is then empty. */
int draft_render(const struct draft *d, struct arena *arena, struct span *out) MUST_USE;

/* The message as a draft makes it of which a field goes, and nothing else: most responses. At NULL if there was no memory. */
struct span draft_without(const struct msg *msg, const struct msg_field *field,
                          struct arena *arena) MUST_USE;

#endif
