/*
 * A phone of the simulator: it says what the script tells it, by the rules of RFC 3261 §8, §12, §13 and §17.1.1.3, and
 * keeps what it hears until the script asks.
 */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "sip/gist.h"
#include "sip/hop.h"

struct peer_heard {
    struct list link;
    struct span bytes; /* in the peer's arena */
    struct msg msg;
    struct gist gist;
    struct hop from;
    uint64_t at_ms;
};

struct peer_side { /* a dialog as this end sees it (§12.1) */
    bool is_caller;
    struct span call_id, local, remote; /* From and To values with their tags */
    struct span target;                 /* remote target (§12.1.1) */
    struct span routes[8];              /* route set, in the order of Route */
    unsigned routes_len;
    uint32_t cseq; /* local */
};

struct peer {
    struct list link;
    struct span name;
    struct hop at;   /* what it believes its transport, address and port to be */
    struct hop seen; /* what the network sees: another address behind a NAT */
    bool deaf;       /* nothing reaches it any more */
    bool away;       /* it lost its connection, and says nothing for now */
    struct span domain;
    struct arena arena;    /* all that it keeps */
    struct list inbox;     /* heard and not yet asked for */
    struct list archive;   /* asked for, newest last */
    struct span last_sent; /* for "again" */
    struct hop last_to;
    uint64_t said_ms;   /* when it said anything last */
    struct span invite; /* last INVITE sent, for CANCEL and ACK */
    struct peer_side side;
    bool in_dialog;
    unsigned serial; /* for branches, tags, Call-IDs */
    uint32_t register_cseq;
    struct span registration; /* the last REGISTER … */
    struct hop registered_to; /* … and to whom it went */
    uint32_t back_cseq;       /* of the REGISTER that peer_come_back() wrote; 0: none … */
    uint32_t back_from;       /* … and of the one before, which the script said */
    unsigned repeats;         /* messages heard again, byte for byte */
};

struct peer *peer_new(struct span name, const struct hop *at, struct span domain);
void peer_free(struct peer *p);
/* A message came. */
void peer_hear(struct peer *p, const struct hop *from, struct span bytes, uint64_t now_ms);
/* Takes the oldest message off the inbox; NULL: nothing there. It stays readable. */
const struct peer_heard *peer_next(struct peer *p);
/* Is it the answer to the REGISTER of peer_come_back(), and no script waits for it, because the one before was answered? */
bool peer_is_back(const struct peer *p, const struct peer_heard *answer);
/* The last request with this method (OTHER: any but ACK and CANCEL) that was asked for; NULL: none. */
const struct peer_heard *peer_last_request(const struct peer *p, struct span method);

struct peer_say {
    struct span what;  /* METHOD, reINVITE or a status */
    struct span uri;   /* a request's Request-URI; empty: by the dialog */
    struct span about; /* a response: the method it answers, empty: the last request */
    /* further header lines, each ended by CRLF; a name that stands there replaces ours */
    struct span extra;
    struct span body;
};
/* Writes a message. Empty when it can't be made: `why` then says so. */
struct span peer_write(struct peer *p, const struct peer_say *say, const char **why);
/*
 * Its connection was lost, and it registers once more, over a new one (RFC 5626 §4.5), with what it said last. Empty: it is not
 * registered.
 */
struct span peer_come_back(struct peer *p);

#endif
