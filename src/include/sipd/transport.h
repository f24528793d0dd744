/*
 * Transports that modules bring: what stands between the bytes of a connection and SIP messages (RFC 3261 §18).
 *
 * The server keeps the descriptors, deadlines, queues and limits. A transport is a filter: for each connection it makes a
 * session, which takes bytes off the wire and yields plain ones, or whole messages (WebSocket), and puts plain ones on the
 * wire. A session never waits; it is called again when the descriptor is ready. All calls are the loop's.
 */
#ifndef SIPD_TRANSPORT_H
#define SIPD_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sipd/err.h>
#include <sipd/hop.h>
#include <sipd/span.h>

struct sipd_host;
struct sipd_wire; /* a connection's bytes, as its session sees them */

struct sipd_session_of {    /* what a session is made for */
    struct sipd_wire *wire; /* good as long as the session */
    const struct hop *peer; /* lent until return */
    /* whom we connect to: a domain or a literal address (RFC 5922 §4); lent until return */
    struct span name;
    bool inbound; /* they connected to us; name is empty */
};

struct sipd_session_about { /* for people; lent until the next such question */
    struct span protocol, cipher;
    struct span identity; /* the peer's, as its certificate has it; empty: it showed none */
    int64_t expires_s;    /* that certificate, in seconds since 1970; 0: none */
    bool verified;        /* somebody whom we trust vouches for it */
};

struct sipd_transport_ops {
    /* read() yields whole messages, one a call, and write() takes one; else bytes of a stream */
    bool messages;
    /* A session; NULL: the connection is closed. */
    void *(*begin)(void *self, const struct sipd_session_of *of);
    /* Shakes hands as far as one can now. 1: done, messages may move; 0: later; an error: it is over. */
    int (*greet)(void *session);
    /*
     * Plain bytes: how many, 0: none for now, SIPD_ECLOSED: the peer said that no more come, SIPD_EIO: it is broken. What
     * fills the room may not be all.
     */
    ptrdiff_t (*read)(void *session, char *to, size_t room);
    /* Takes plain bytes, first things first: how many, 0: none for now, SIPD_EIO: it is broken. Lent: parts, until return. */
    ptrdiff_t (*write)(void *session, const struct span *parts, size_t parts_len);
    /* Says the end to the peer, after the last write. NULL: nothing is to be said. */
    void (*close)(void *session);
    /* The session ends; its wire is dead. */
    void (*end)(void *session);
    /* May a request for this name leave by this session, too (RFC 5923 §9)? NULL: no. */
    bool (*covers)(void *session, struct span name);
    /* Has it proved who its peer is, so that requests for it may go back this way (RFC 5923 §4)? NULL: no. */
    bool (*proven)(void *session, struct span name);
    /* NULL: nothing to say. */
    void (*about)(void *session, struct sipd_session_about *out);
};

#pragma GCC visibility push(default)

/*
 * Offers the transport of this name, "tls". Listeners of it are accepted from now on, and hops reached. Lent: ops, until
 * unload; connections alive end then. SIPD_EINVAL: a name that hop.h does not know, or the server's own; SIPD_EEXIST.
 */
int sipd_offer_transport(struct sipd_host *host, struct span name,
                         const struct sipd_transport_ops *ops, void *self);

/* Bytes that the peer sent: how many, 0: none for now, SIPD_ECLOSED: its end, SIPD_EIO: the connection is broken. */
ptrdiff_t sipd_wire_read(struct sipd_wire *wire, char *to, size_t room);
/* Bytes for the peer: all are taken, and leave as soon as they can. SIPD_ENOMEM: then the connection ends. Lent: bytes. */
int sipd_wire_write(struct sipd_wire *wire, struct span bytes);
/* May the session write more? False while the kernel has no room: then write() takes nothing. */
bool sipd_wire_open(const struct sipd_wire *wire);
/* Within read(): have it called again, though it yields less than there is room for, and the peer says nothing more. */
void sipd_wire_again(struct sipd_wire *wire);

#pragma GCC visibility pop

#endif
