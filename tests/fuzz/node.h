/*
 * A core that fuzz targets speak to: on a virtual clock, with a listener for datagrams and one for streams, for example.com.
 */
#ifndef FUZZ_NODE_H
#define FUZZ_NODE_H

#include "core/core.h"
#include "core/state.h"

struct node {
    struct core *core;
    struct core_conf conf;
    struct clock clock;
    struct rand rand;
    struct arena turn;
    struct counters counters;
    struct log log;
    /* What it sends, lent for the turn. NULL: nobody wants to know. */
    void (*sent)(struct node *n, const struct hop *to, struct span bytes);
};

/* A new one, which holds at most so many transactions. */
void node_begin(struct node *n, uint32_t limit);
void node_end(struct node *n);
/* Until nothing is due any more, or for some hours. */
void node_live(struct node *n);
/* ms pass; what is due happens at its time. */
void node_pass(struct node *n, uint64_t ms);

#endif
