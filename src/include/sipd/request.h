/*
 * What a hook may ask of the request in its hand, and do to it.
 */
#ifndef SIPD_REQUEST_H
#define SIPD_REQUEST_H

#include <sipd/addr.h>
#include <sipd/hop.h>
#include <sipd/span.h>
#include <sipd/uri.h>

struct sipd_req;

struct sipd_target { /* where a request may go (RFC 3261 §16.5) */
    struct span uri; /* becomes the Request-URI; copied */
    /* transport HOP_NONE: found by the URI (RFC 3263); else sent exactly there, over hop.flow if not 0 */
    struct hop hop;
    uint32_t q;         /* thousandths, 0…1000 (RFC 3261 §20.10) */
    uint64_t tag;       /* the module's own word for it */
    uint32_t expires_s; /* how long the contact is good for yet; 0: unknown */
    /* Route for this target, "<sip:a;lr>, <sip:b;lr>" (RFC 3327 §5.4); hop NONE: goes to the first; copied */
    struct span path;
    /* the device that it is; of equal ones one is tried, the next if that flow fails (RFC 5626 §7); copied */
    struct span instance;
};

struct sipd_fields { /* a walk over the fields of one name; what is in it is the server's */
    struct span name;
    const void *last;
    unsigned id;
};

#pragma GCC visibility push(default)

/* Names the request across turns; sipd_resume() takes it. */
uint64_t sipd_req_id(const struct sipd_req *req);
/* The method as written. */
struct span sipd_req_method(const struct sipd_req *req);
/* The Request-URI after route preprocessing (RFC 3261 §16.4), as text and, if it could be read, in parts. */
struct span sipd_req_uri_text(const struct sipd_req *req);
bool sipd_req_uri(const struct sipd_req *req, struct uri *uri);
/*
 * Another URI is meant than was asked for: from here on it is the Request-URI (§16.5: what a location service says).
 * Copied. ON_REQUEST, and where a scheme is asked about (sipd_offer_scheme), else SIPD_EINVAL; SIPD_ESYNTAX, SIPD_ENOMEM.
 */
int sipd_req_set_uri(struct sipd_req *req, struct span uri);
/* The value of the n-th field (0…) with this name, compact forms included; false if there is none. Lent with req. */
bool sipd_req_header(const struct sipd_req *req, struct span name, unsigned n, struct span *value);
/*
 * A walk over all fields with this name, in their order: begin it, then take value after value. Lent: name; values with req.
 * One that nothing was taken of is the same for every request: who walks often keeps it, and takes from a copy.
 */
struct sipd_fields sipd_req_fields(struct span name);
bool sipd_req_next_field(const struct sipd_req *req, struct sipd_fields *fields,
                         struct span *value);
/* Call-ID, CSeq number, From, To as read by the core. */
struct span sipd_req_call_id(const struct sipd_req *req);
uint32_t sipd_req_cseq(const struct sipd_req *req);
bool sipd_req_from(const struct sipd_req *req, struct addr *addr);
bool sipd_req_to(const struct sipd_req *req, struct addr *addr);
/* Of To the URI alone, as written. Lent with req. */
bool sipd_req_to_uri(const struct sipd_req *req, struct span *uri);
/* Does To have a tag: is it within a dialog (RFC 3261 §12.2)? */
bool sipd_req_in_dialog(const struct sipd_req *req);
/* Did its topmost Route carry the token of a dialog among users of ours: need it prove no more who it is? */
bool sipd_req_by_token(const struct sipd_req *req);
struct span sipd_req_body(const struct sipd_req *req);
/* Where it came from; listener and, on connections, flow are set. */
const struct hop *sipd_req_source(const struct sipd_req *req);
/* Has it more than one Via: did it come through a proxy? */
bool sipd_req_is_relayed(const struct sipd_req *req);
/* Does the source differ from what the top Via says (a NAT stands between)? */
bool sipd_req_is_natted(const struct sipd_req *req);
/* Is the Request-URI ours without a user: meant for the server itself? */
bool sipd_req_for_server(const struct sipd_req *req);

/* Marks the sender as authenticated under this user name (copied), for later hooks and the relay rule. SIPD_ENOMEM. */
int sipd_req_authenticate(struct sipd_req *req, struct span user);
/* The name it was authenticated under; empty: it was not. */
struct span sipd_req_user(const struct sipd_req *req);
/* Marks the sender as trusted without a name (a trunk). */
void sipd_req_trust(struct sipd_req *req);
bool sipd_req_is_trusted(const struct sipd_req *req);

/* Adds a target (ON_TARGETS; ON_REQUEST too). Copied. SIPD_ENOMEM, SIPD_ESYNTAX (uri), SIPD_EFULL, SIPD_EINVAL (sip for sips). */
int sipd_req_add_target(struct sipd_req *req, const struct sipd_target *target);
/* The n-th target (0…) of those added so far, in the order they were added; NULL past the end. Lent until the next is added. */
const struct sipd_target *sipd_req_target_at(const struct sipd_req *req, unsigned n);
/* The target of the branch at hand (ON_BRANCH, ON_RESPONSE); NULL at other stages. */
const struct sipd_target *sipd_req_target(const struct sipd_req *req);
/* Adds a field to what is forwarded: to this branch ON_BRANCH, to all before. Copied. SIPD_ENOMEM. */
int sipd_req_add_header(struct sipd_req *req, struct span name, struct span value);
/* Takes the n-th field of this name out of what is forwarded (all branches). SIPD_ENOENT, SIPD_ENOMEM. */
int sipd_req_drop_header(struct sipd_req *req, struct span name, unsigned n);
/* Adds a field to the 2xx that this server, as a module or by itself, answers with. Copied. SIPD_ENOMEM. */
int sipd_req_add_reply_header(struct sipd_req *req, struct span name, struct span value);
/*
 * Is this a dry run: sipctl explain asks what would happen? Then a hook decides as ever, and writes, sends and counts nothing; for
 * what it cannot know (a password) it goes on as if all were well, and says so.
 */
bool sipd_req_is_dry(const struct sipd_req *req);
/* Words for whoever asks what was decided, and why (sipctl explain, sipctl trace): no secrets. Nothing, while nobody asks. Lent. */
void sipd_req_explain(const struct sipd_req *req, struct span words);

/* The status of the response at hand (ON_RESPONSE, ON_REPLY); 0 at other stages. */
unsigned sipd_req_status(const struct sipd_req *req);

#pragma GCC visibility pop

#endif
