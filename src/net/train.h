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

/* What is handed to the kernel at once: a datagram or a train. */
struct leaving {
    uint8_t len[OUTGOING_MOST]; /* datagrams of each */
    unsigned count;
};

/* The kernel's view of a train. */
struct train_message {
    struct msghdr head;
    union train_cut cut;
};

/* The datagrams from one on, each for itself. */
void leaving_singly(const struct outgoing *out, unsigned from, struct leaving *l);
/* Those of `in`, put in the order of `out` so that trains stand together; what goes to one peer keeps its order. */
void leaving_in_trains(const struct outgoing *in, struct outgoing *out, struct leaving *l);
/* How many datagrams are the n that leave from the i-th on? */
unsigned leaving_datagrams(const struct leaving *l, unsigned i, unsigned n);
/* The train of the `len` datagrams from `at` on. Lent, as long as message: out. */
void train_write(struct outgoing *out, unsigned at, uint8_t len, struct train_message *message);

#endif
