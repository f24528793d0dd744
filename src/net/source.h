/*
 * What the kernel knows of the way to a destination: which of our addresses a message leaves by when nobody said, and how
 * long a packet may be.
 */
#ifndef NET_SOURCE_H
#define NET_SOURCE_H

#include "sip/hop.h"

enum { SOURCES = 512 };

struct net;
struct listener;

struct source {     /* an answer of the kernel's */
    uint8_t ip[16]; /* the destination */
    uint32_t scope_id;
    uint16_t listener; /* 0: nothing is kept here */
    uint8_t transport;
    uint32_t mtu;      /* of the path, in bytes of IP; 0: unknown */
    uint64_t until_ms; /* routes change */
};

struct sources { /* what is asked again pushes out what lay at its place */
    struct source at[SOURCES];
};

/* The listener for this transport and destination, or NULL if none of its family can reach it. */
struct listener *source_pick(struct net *net, const struct hop *to);
/* Forgets all: listeners have changed. */
void sources_forget(struct sources *sources);

#endif
