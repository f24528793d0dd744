/*
 * Trains are made in one walk: each datagram joins the newest train to its peer, if that may still grow.
 *
 * The peers are told apart by a small table. One that loses its place to another begins a new train the next time; order is
 * kept all the same, for a train grows only while it is its peer's newest.
 */
#include "net/train.h"

#include <netinet/udp.h>
#include <string.h>

enum {
    PLACE_BITS = 6,
    CARS_MOST = 64, /* UDP_MAX_SEGMENTS of the oldest kernels that have it */
    /* fits every path of IPv6: what is longer may have to be cut, which a train may not */
    CAR_BYTES = 1232,
    TRAIN_BYTES = 65000, /* it is one datagram until it is cut */
    NONE = UINT8_MAX,
};

struct train {
    uint8_t first, last; /* datagrams */
    uint8_t len;
    bool closed; /* its last is shorter */
    uint32_t bytes;
};

struct yard {
    const struct outgoing *from;
    struct train trains[OUTGOING_MOST];
    unsigned len;
    uint8_t next[OUTGOING_MOST];      /* who stands behind a datagram in its train */
    uint8_t newest[1u << PLACE_BITS]; /* the train to a peer, by place_of() */
};

static bool
is_same_peer(const union sock_addr *a, const union sock_addr *b)
{
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
           memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

static unsigned
place_of(const union sock_addr *to)
{
    uint32_t bits = to->any.sa_family == AF_INET
                        ? to->v4.sin_addr.s_addr ^ (uint32_t)to->v4.sin_port << 16
                        : to->v6.sin6_addr.s6_addr32[3] ^ (uint32_t)to->v6.sin6_port << 16;

    return bits * UINT32_C(0x9e3779b1) >> (32 - PLACE_BITS);
}

/* All are as long as the first, and only the last may be shorter. */
static bool
may_join(const struct yard *y, const struct train *train, unsigned i)
{
    const struct outgoing *from = y->from;
    size_t bytes = from->part[i].iov_len, first_bytes = from->part[train->first].iov_len;

    return !train->closed && bytes <= first_bytes && first_bytes <= CAR_BYTES &&
           train->len < CARS_MOST && train->bytes + bytes <= TRAIN_BYTES &&
           is_same_peer(&from->to[train->first], &from->to[i]);
}

static void
add_datagram(struct yard *y, uint8_t i)
{
    uint8_t *newest = &y->newest[place_of(&y->from->to[i])];
    struct train *train = *newest == NONE ? NULL : &y->trains[*newest];
    uint32_t bytes = (uint32_t)y->from->part[i].iov_len;

    if (train && may_join(y, train, i)) {
        y->next[train->last] = i;
        train->last = i;
        train->len++;
        train->bytes += bytes;
        train->closed = bytes < y->from->part[train->first].iov_len;
        return;
    }
    *newest = (uint8_t)y->len;
    y->trains[y->len++] = (struct train){ .first = i, .last = i, .len = 1, .bytes = bytes };
}

/* The kernel is told where to cut. */
void
train_write(struct outgoing *out, unsigned at, uint8_t len, struct train_message *message)
{
    uint16_t bytes = (uint16_t)out->part[at].iov_len;
    struct cmsghdr *control;

    message->head = (struct msghdr){
        .msg_name = &out->to[at],
        .msg_namelen = sock_addr_len(&out->to[at]),
        .msg_iov = &out->part[at],
        .msg_iovlen = len,
        .msg_control = &message->cut,
        .msg_controllen = sizeof message->cut.room,
    };
    control = CMSG_FIRSTHDR(&message->head);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof bytes);
    memcpy(CMSG_DATA(control), &bytes, sizeof bytes);
}

void
leaving_singly(const struct outgoing *out, unsigned from, struct leaving *l)
{
    l->count = out->len - from;
    memset(l->len, 1, l->count);
}

unsigned
leaving_datagrams(const struct leaving *l, unsigned i, unsigned n)
{
    unsigned sum = 0;

    while (n-- > 0)
        sum += l->len[i++];
    return sum;
}

/* A train's datagrams behind those that stand in `out` already. */
static void
put_train(const struct yard *y, const struct train *train, struct outgoing *out)
{
    for (uint8_t i = train->first, n = 0; n < train->len; n++, i = y->next[i]) {
        out->part[out->len] = y->from->part[i];
        out->to[out->len] = y->from->to[i];
        out->token[out->len++] = y->from->token[i];
    }
}

void
leaving_in_trains(const struct outgoing *in, struct outgoing *out, struct leaving *l)
{
    struct yard yard;

    yard.from = in;
    yard.len = 0;
    memset(yard.newest, NONE, sizeof yard.newest);
    for (unsigned i = 0; i < in->len; i++)
        add_datagram(&yard, (uint8_t)i);
    out->len = l->count = 0;
    for (unsigned t = 0; t < yard.len; t++) {
        put_train(&yard, &yard.trains[t], out);
        l->len[l->count++] = yard.trains[t].len;
    }
}
