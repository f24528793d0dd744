/*
 * The proxy core in a box: virtual clock, four listeners, users with contacts; what it sends is kept and read back.
 *
 * Messages are lists of lines. A request needs to name only what the test is about: the rest is added. The core is
 * example.com, on 198.51.100.1 (udp 1, tcp 2, tls 4) and 2001:db8::5 (udp 3).
 */
#ifndef UNIT_CORE_RIG_H
#define UNIT_CORE_RIG_H

#include "core/core.h"
#include "core/trip.h"
#include "unit/heap.h"
#include "unit/must.h"

#define ALICE      "udp:192.0.2.1:5060"
#define BOB        "udp:192.0.2.9:5060"
#define INVITE_BOB "INVITE sip:bob@example.com SIP/2.0"

enum {
    RIG_SENT = 1024,
    RIG_STORE = 1 << 20,
    RIG_BINDS = 48,
    RIG_ASKED = 256,
    RIG_BLOCKED = 4,
    RIG_MESSAGE = 16384
};

struct rig_sent {
    struct hop to;
    uint64_t at_ms;
    uint64_t token, need;
    struct span bytes; /* kept until rig_fini */
};

struct rig_bind {
    const char *user, *uri;
    const char *hop; /* NULL: found by the URI */
    uint32_t q;
};

struct rig_asked {
    uint64_t branch;
    enum uri_scheme scheme;
    uint64_t seed;
    bool in_order, stateless, for_answer;
    char host[64];
};

struct rig {
    struct core *core;
    struct core_conf conf;
    struct core_ports ports;
    struct clock clock;
    struct rand rand;
    struct arena turn;
    struct counters counters;
    struct log log;
    uint64_t base_ms; /* when time was counted from last */

    unsigned sent_len;
    unsigned read;       /* of them, so many were expected */
    unsigned turns_from; /* the first send of this turn */
    size_t store_len;
    unsigned binds_len;
    unsigned asked_len;
    struct {
        struct hop to;
        int err;
    } blocked[RIG_BLOCKED];
    unsigned blocked_len;
    char fared[1024]; /* "192.0.2.11:5060 silent, …": what the resolver was told */
    bool resolves;    /* a resolver is there */
    bool trust;       /* every sender is one that we know; a test of strangers says no */
    uint8_t rport;    /* of all listeners (core_side) */
    const struct repair_policy *repair; /* of all; NULL: each rule's own verdict */
    uint16_t came_to;                   /* the listener of what comes; 0: the one that fits */
    bool spent;                         /* the turn has done enough */
    uint32_t mtu;                       /* of every path; 0: unknown */
    unsigned mtu_asked;                 /* so many times */
    struct core_load load;              /* of the loop */
    uint64_t flows;                     /* connections that are opened are numbered from here */
    uint64_t notes;

    unsigned branch; /* of the next request's Via; rig_new_branch() */
    unsigned cseq;
    const char *call_id, *from_tag, *to_tag; /* "" : no tag */

    /* Tables, each as far as its length above says: the rest is not even cleared. */
    struct rig_sent sent[RIG_SENT];
    struct span turns[RIG_SENT]; /* what was sent in this turn, as lent */
    struct rig_bind binds[RIG_BINDS];
    struct rig_asked asked[RIG_ASKED];
    char store[RIG_STORE];
};

void rig_init(struct rig *r);
void rig_fini(struct rig *r);
/* Another core, with r->conf and r->ports as they are now. */
void rig_restart(struct rig *r);

/* A hop: "udp:192.0.2.1:5060", "tcp:[2001:db8::9]:5060/7" with flow 7; the listener is the one that fits. */
struct hop rig_hop(const char *text);
/* A user of example.com has this contact. hop NULL: by its URI. */
void rig_bind(struct rig *r, const char *user, const char *uri, const char *hop, uint32_t q);
/* There is no way to this hop: SIPD_ECLOSED and so on; SIPD_OK: there is again. */
void rig_block(struct rig *r, const char *hop, int err);

/*
 * A request comes. Lines end with NULL. What is not among them is added: Via (of `from`, with r->branch), Max-Forwards,
 * From, To, Call-ID, CSeq, Content-Length; "-Name" leaves it out. An empty line begins the body.
 */
void rig_ask(struct rig *r, const char *from, const char *request_line, ...)
    __attribute__((sentinel));
/* Bytes come as they are. False: where they end is in doubt (core_bytes). */
bool rig_bytes(struct rig *r, const char *from, struct span bytes, uint16_t fault,
               const char *reason);
/* The next request is another transaction. */
void rig_new_branch(struct rig *r);
/* The one who got this request responds: its Vias, Record-Routes, From, To with tag, Call-ID, CSeq, and these lines. */
void rig_reply(struct rig *r, const struct rig_sent *request, unsigned status, const char *tag, ...)
    __attribute__((sentinel));
/* Such a response comes from where the request went, on its connection if it came by one. Lent: bytes. */
void rig_hear_reply(struct rig *r, const struct rig_sent *request, struct span bytes);
/* What was sent could not leave. */
void rig_gone(struct rig *r, const struct rig_sent *sent);
/* The n-th question to the resolver is answered with these hops; err tells why there are none. */
void rig_resolved(struct rig *r, unsigned n, int err, ...) __attribute__((sentinel));
/* A trip that waits goes on. */
void rig_resume(struct rig *r, uint64_t trip);
/* Time passes; what is due happens at its time. */
void rig_pass(struct rig *r, uint64_t ms);

/* The next message sent: goes there and begins with this line. */
#define rig_expect(r, to, line) rig_expect_at(r, to, line, __LINE__)
const struct rig_sent *rig_expect_at(struct rig *r, const char *to, const char *line, int at);
/* Nothing was sent but what was expected. */
#define rig_quiet(r) rig_quiet_at(r, __LINE__)
void rig_quiet_at(struct rig *r, int at);
/* Whatever was sent is passed over. */
void rig_forget(struct rig *r);
/* … and thrown away: pointers to it are stale. */
void rig_clear(struct rig *r);
/* The last message sent that begins so, expected or not; NULL: none. */
const struct rig_sent *rig_last(const struct rig *r, const char *line);
/* "0 500 1500": when messages that begin so were sent. */
const char *rig_times(struct rig *r, const char *line);

/* The value of the n-th field (0…) with this name; NULL: none. Static text, good until the 64th next call. */
const char *rig_value(const struct rig_sent *sent, const char *name, unsigned n);
/* How many fields of this name. */
unsigned rig_count(const struct rig_sent *sent, const char *name);
/* Does the message hold this text? */
bool rig_has(const struct rig_sent *sent, const char *text);
/* "Name: value" of a field, as a line to be sent. Static text as above. */
const char *rig_line(const char *name, const char *value);
/* The To-tag of a message; "" if it has none. Static text as above. */
const char *rig_to_tag(const struct rig_sent *sent);

/* How many of each are alive. */
void rig_alive(const struct rig *r, unsigned trips, unsigned branches, unsigned transactions);
uint64_t rig_counter(struct rig *r, const char *name);
/* Ten minutes later nothing is left of all that. */
void rig_settled(struct rig *r);

/* A rig that is there for each test. */
extern struct rig rig;
void rig_begin(void);
void rig_end(void);
/* A case whose tests use the rig. */
static inline TCase *
rig_case(const char *name)
{
    TCase *made = tcase_create(name);

    tcase_add_checked_fixture(made, rig_begin, rig_end);
    return made;
}

#endif
