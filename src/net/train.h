/*
 * What leaves together: each datagram for itself, or in trains. A train is what goes to one peer and is of one length, the last
 * perhaps shorter: the kernel takes it as one, and cuts it on its way out (UDP_SEGMENT, udp(7)).
 */
#ifndef NET_TRAIN_H
#define NET_TRAIN_H

#include <sys/uio.h>

#include "net/sock.h"

enum { OUTGOING_MOST = 128 }; /* datagrams sent at once */

/* Datagrams in the order of their leaving. */
struct outgoing {
    struct iovec part[OUTGOING_MOST];
    union sock_addr to[OUTGOING_MOST];
    uint64_t token[OUTGOING_MOST];
    unsigned len;
};

/* Where the kernel shall cut; as large as its control message. */
union train_cut {
    char room[CMSG_SPACE(sizeof(uint16_t))];
    size_t align;
};

/* The kernel's view of them: a message is one datagram or a train. */
struct leaving {
    struct mmsghdr message[OUTGOING_MOST];
    union train_cut cut[OUTGOING_MOST];
    uint8_t len[OUTGOING_MOST]; /* datagrams of each message */
    unsigned count;             /* of messages */
};

/* The datagrams from one on, each for itself. Lent, as long as l: out. */
void leaving_singly(struct outgoing *out, unsigned from, struct leaving *l);
/* Those of `in`, put in the order of `out` so that trains stand together; what goes to one peer keeps its order. Lent: out. */
void leaving_in_trains(const struct outgoing *in, struct outgoing *out, struct leaving *l);
/* How many datagrams are n messages from `first` on? */
unsigned leaving_datagrams(const struct leaving *l, unsigned first, unsigned n);

#endif
