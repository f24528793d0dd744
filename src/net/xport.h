/*
 * Transports that modules bring, and the filter that stands in each of their connections (sipd/transport.h).
 *
 * What a session writes is gathered and handed to the kernel when its call has returned; what the kernel has no room for is
 * kept, and until that has left the session is asked for no more. So an idle connection holds nothing of ours but the filter.
 */
#ifndef NET_XPORT_H
#define NET_XPORT_H

#include <sys/types.h>
#include <sys/uio.h>

#include <sipd/transport.h>

#include "base/buf.h"
#include "base/list.h"
#include "sip/hop.h"

struct conn;
struct net;

struct xport {
    const struct sipd_transport_ops *ops; /* lent; NULL: nobody offers it */
    void *self;
    uint32_t sessions; /* filters alive */
};

struct xports {
    struct xport of[HOP_TRANSPORTS];
    struct list steps; /* struct sipd_wire: something to do without waiting for the descriptor */
    char *gathered;    /* owned; what the session at work has written */
    size_t gathered_len;
};

struct sipd_wire { /* the filter of one connection */
    struct conn *conn;
    void *session; /* NULL: not begun */
    struct list step_link;
    /* wire bytes that the kernel had no room for; holds no memory while there are none */
    struct buf out;
    bool drained; /* the descriptor had no more at the last look, and has not become ready since */
    bool broken;  /* no more can be written */
    bool at_work; /* a call of the session is under way: what it writes is gathered */
};

/* Does the hop's transport stand on a module's sessions? */
bool xport_is_filtered(uint8_t transport);
int xports_init(struct net *net) MUST_USE;
void xports_fini(struct net *net);

/* A filter for a new connection. SIPD_ENOMEM; SIPD_ENOENT: nobody offers the transport. */
int xport_begin(struct conn *conn) MUST_USE;
/* The connection is dead: the session ends. Harmless without a filter. */
void xport_end(struct conn *conn);
/* Its descriptor may have bytes. */
void xport_readable(struct conn *conn);
/* Something is to be done without waiting: hands shaken when the turn ends, or in the next what lies in the session read. */
void xport_step(struct conn *conn);
/* Shakes hands as long as the turn may compute. */
void xport_step_all(struct net *net);
/* Are some left over for the next turn? */
bool xport_has_steps(const struct net *net);
/* As read() and writev() on plain bytes: -1 with errno, 0 at the end; a write of 0: no room. */
ssize_t xport_read(struct conn *conn, char *to, size_t room);
ssize_t xport_write(struct conn *conn, const struct iovec *parts, size_t n);
/* Does each read yield one whole message? */
bool xport_yields_messages(const struct conn *conn);
/* Says the end to the peer. */
void xport_close(struct conn *conn);
/* The kernel may have room. False: it has none for all that waits, or the connection died. */
bool xport_flush(struct conn *conn);
/* Does anything wait for the kernel? */
bool xport_waits(const struct conn *conn);
/* May more be read: the peer takes what it makes us say? */
bool xport_may_read(const struct conn *conn);
/* What the session says of itself; all empty without one. */
void xport_about(const struct conn *conn, struct sipd_session_about *out);
/* May a message for this number of a name leave by it? */
bool xport_suits(const struct conn *conn, uint32_t name);

#endif
