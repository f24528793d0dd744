/*
 * One thing that sipd said it did: a message heard or sent, or a decision.
 */
#ifndef SIPCTL_EVENT_H
#define SIPCTL_EVENT_H

#include <jansson.h>

#include "base/span.h"

/* Lent by the JSON that it was read from; what is not there is empty. */
struct event {
    uint64_t seq;
    uint64_t at_us; /* UTC */
    struct span call_id;
    struct span step;  /* what kind: "heard", "sent", "check", "branch" … */
    struct span words; /* a sentence */
    int64_t branch;    /* -1: not of one */
    bool is_message;   /* what follows is there */
    bool is_sent;      /* by sipd; else it was heard */
    bool is_request;
    struct span transport, local, peer;
    struct span line; /* its first */
    struct span cseq;
    struct span bytes; /* all of it, in base64; empty: not asked for */
};

/* False: this is no event. */
bool event_read(const json_t *from, struct event *to);
/* INVITE, or of a response the method of its CSeq. */
struct span event_method(const struct event *event);
/* Of a response: 180; 0 of what has none. */
unsigned event_status(const struct event *event);

#endif
