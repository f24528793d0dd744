/*
 * The columns of a ladder: a lane for each peer, those who ask on the left, those who are asked on the right, sipd between
 * them.
 *
 * A peer has the lane that it was first given for as long as there is room; then the one that was silent the longest goes. If
 * that was not long silent, who is new gets no lane: a picture whose lanes change with every line is none.
 */
#ifndef SIPCTL_LANES_H
#define SIPCTL_LANES_H

#include "base/buf.h"
#include "sipctl/event.h"

enum { LANES_MAX = 24, LANE_NAME_BYTES = 80, LANES_SILENT = 16 /* messages */ };

struct lane {
    char name[LANE_NAME_BYTES]; /* "127.0.0.1:5060", as it may be shown */
    char transport[16];
    bool left;      /* of sipd */
    uint64_t heard; /* when it was last used: a count of uses */
};

struct lanes {
    struct lane peers[LANES_MAX]; /* left ones first, in the order in which they stand */
    size_t len;                   /* peers */
    size_t left;                  /* of these stand left of sipd */
    size_t most;                  /* more peers do not fit */
    size_t from, to;              /* places: the first and the last lane's */
    uint64_t uses;                /* messages, those without a lane too */
};

/* No peers, in a screen of which the places from..to are for lanes. */
void lanes_init(struct lanes *lanes, size_t from, size_t to);
/* The screen has changed: peers that no longer fit go. */
void lanes_fit(struct lanes *lanes, size_t from, size_t to);
/* Too narrow for even one peer. */
bool lanes_are_none(const struct lanes *lanes);
enum { LANES_NONE = -1 };
/* The peer of this message, with a lane of its own from now on; LANES_NONE: it gets none. *is_new: the lanes have changed. */
int lanes_of(struct lanes *lanes, const struct event *event, bool *is_new);
/* The place of a peer's lane; of sipd's. */
size_t lanes_place(const struct lanes *lanes, size_t peer);
size_t lanes_sipd(const struct lanes *lanes);
/* Places from one lane to the next. */
size_t lanes_gap(const struct lanes *lanes);

#endif
