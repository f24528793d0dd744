/*
 * A net with ports that write down what they hear, and peers that are bare sockets of the loopback;
 * every wait is bounded.
 */
#ifndef LIVE_NET_RIG_H
#define LIVE_NET_RIG_H

#include <check.h>

#include "net/net.h"

enum {
    RIG_MESSAGES = 4096,
    RIG_WAIT_MS = 60000, /* whatever has not happened by then never will */
};

struct rig_message {
    struct hop from;
    char *bytes; /* a copy */
    size_t len;
    uint16_t fault;
};

struct rig_gone {
    uint64_t token;
    int err;
};

struct rig {
    struct net *net;
    struct net_ports ports;
    struct clock clock;
    struct counters counters;
    struct log log;
    struct buf why; /* the words of net_listen() */

    struct rig_message messages[RIG_MESSAGES];
    size_t messages_len;
    struct rig_gone gone[RIG_MESSAGES];
    size_t gone_len;
    uint64_t flows_gone[RIG_MESSAGES];
    size_t flows_gone_len;
    struct rig_message bounced[RIG_MESSAGES]; /* from: where it was sent */
    size_t bounced_len;

    bool doubts; /* where messages end, as who refuses them for that */
    /* Called with each message, lent as by the port; NULL: nothing is done. */
    void (*on_message)(struct rig *rig, const struct hop *from, struct span bytes);
    /* Called when a token is gone; NULL: nothing is done. */
    void (*on_gone)(struct rig *rig, uint64_t token);

    bool (*done)(struct rig *rig); /* what rig_run() waits for */
    void *arg;                     /* the test's own */
    int fd;                        /* the peer that a test's done() looks at */
    uint64_t until_ms;
    uint64_t turns;
    uint64_t turn_ms, longest_ms; /* when the last turn was; the longest from one to the next */
};

/* Fixture: one rig a test; afterwards the heap is as it was. */
extern struct rig rig;
void rig_setup(void);
void rig_teardown(void);
/* A case whose tests have that fixture. */
TCase *rig_case(const char *name);

/* Has this machine an IPv6 of its own? Says aloud that a test can't be done where not. */
bool rig_has_ipv6(void);
/* A hop of "127.0.0.1" or "::1". */
struct hop rig_hop(uint8_t transport, const char *ip, uint16_t port);
/* Listens on a free port; returns the number. */
uint16_t rig_listen(uint8_t transport, const char *ip);
/* Where a listener is. */
struct hop rig_at(uint16_t listener);
/* The value of a counter. */
uint64_t rig_count(const char *name);
/* Sends a text that lives for ever. */
void rig_send(const struct hop *to, const char *text, uint64_t token);

/* Runs turns until done() says yes; fails the test after RIG_WAIT_MS. */
void rig_run(bool (*done)(struct rig *rig));
/* Runs this many turns, of which none waits longer than a few ms. */
void rig_run_turns(uint64_t turns);
/* Runs until as many have come. */
void rig_run_messages(size_t n);
void rig_run_gone(size_t n);
void rig_run_flows_gone(size_t n);

/*
 * Was no turn later than this behind the one before it, since rig_watch()? Where it was, a machine that stopped for so long let
 * deadlines pass, and what they should not have ended shows nothing.
 */
bool rig_kept_up(uint64_t ms);
void rig_watch(void);

/* Does the n-th message consist of these bytes? */
void rig_expect(size_t n, struct span bytes);

/* A bare socket of a peer, bound to a free port of this address; its reads never block. */
int peer_new(int type, const char *ip, uint16_t *port);
/* Connects to a listener and waits until that is done. */
int peer_connect(const struct hop *to);
void peer_send(int fd, const struct hop *to, struct span bytes);
void peer_write(int fd, struct span bytes);
/* Runs the rig until a datagram lies there for the peer, and reads it; its length. */
size_t peer_takes(int fd, char *to, size_t room);
/* Runs the rig until so many bytes lie there for the peer, and reads them. */
void peer_expect(int fd, struct span bytes);
/* Runs the rig until the peer reads the end. */
void peer_expect_end(int fd);

/* Computes for so long, for a message that takes it. */
void rig_compute_each(unsigned us);
/* Most messages for which one turn has computed. */
unsigned rig_busiest(void);

/* From now on no poll can be told to wait for a descriptor that it did not wait for, or one can again. */
void rig_refuse_polls(bool on);
/* Makes the next n sends of datagrams fail with this errno (the test program has a sendmmsg and a sendto of its own). */
void rig_refuse_sends(int err, unsigned n);

#endif
