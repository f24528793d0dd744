/*
 * Another reader of messages, slow and simple, by the letter of RFC 3261 §25 alone: what it makes of what we pass on must be
 * what we made of it. It shares no code with src/sip.
 */
#ifndef LIB_SECOND_H
#define LIB_SECOND_H

#include "base/span.h"

struct second {
    const char *wrong; /* the first thing against the grammar; NULL: nothing */
    struct span method, uri;
    unsigned status; /* 0: a request */
    unsigned fields;
    /* values of the first of each; empty: none */
    struct span via, from, to, call_id, cseq, max_forwards, length;
    struct span branch, from_tag, to_tag;
    struct span cseq_method;
    unsigned long cseq_number;
    struct span body;
};

/* Reads as far as it can. Lent: bytes; out points into them. */
void second_read(struct span bytes, struct second *out);
/* Are two values the same but for folding and the amount of white space (§7.3.1)? */
bool second_same(struct span a, struct span b);

#endif
