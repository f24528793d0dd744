/*
 * Decisions told as they are made: one event each, by a port, to whoever explains them (sipctl explain, sipctl trace).
 *
 * While nobody listens each place costs one compare. An event holds no more of a message than its first line and the header
 * fields that name the call; the bytes of a message are lent beside it for a capture, which is its owner's business.
 */
#ifndef CORE_EXPLAIN_H
#define CORE_EXPLAIN_H

#include "base/buf.h"
#include "core/state.h"

enum step {
#define STEP(id, name, words, when) STEP_##id,
#include "core/steps.def"
    STEPS
};

struct explain_event { /* all lent until the port returns; what is not known is 0 or empty */
    enum step step;
    uint64_t trip;
    uint64_t dry;            /* of a dry run: the number that it was given; 0: it is real */
    uint32_t nth;            /* of the trip's branches, from 1 */
    const struct gist *gist; /* of the message, or of the request that it is about */
    struct span uri, who, why, line;
    uint16_t status;
    bool has_q;
    uint32_t q; /* thousandths, when has_q */
    uint32_t count;
    const struct hop *hop;
    struct span bytes; /* HEARD, SENT: the message */
};

/*
 * Tells of something; trip and branch add who they are. Use by the macros below. Events go by value: that one of them might be made
 * is no burden to who calls.
 */
void explain_tell(struct core *core, struct explain_event event) COLD;
void explain_trip(const struct trip *trip, struct explain_event event) COLD;
void explain_branch(const struct branch *branch, struct explain_event event) COLD;
/* A message that came. */
void explain_heard(struct core *core, const struct hop *from, const struct msg *msg,
                   const struct gist *gist);
/* A message that leaves: what names its call is looked for in it. */
void explain_sent(struct core *core, const struct hop *to, struct span bytes);
/* Rules of repair that were broken, an event each. */
struct repair_done;
void explain_repairs(struct core *core, const struct gist *gist, uint64_t dry,
                     const struct repair_done *done);

#define EXPLAIN_ON(core) __builtin_expect((core)->explained != 0, 0)
#define EXPLAIN_BY(fn, core, of, ...)                        \
    do {                                                     \
        if (EXPLAIN_ON(core))                                \
            fn((of), (struct explain_event){ __VA_ARGS__ }); \
    } while (0)
#define EXPLAIN(core, ...)      EXPLAIN_BY(explain_tell, core, core, __VA_ARGS__)
#define EXPLAIN_TRIP(trip, ...) EXPLAIN_BY(explain_trip, (trip)->core, trip, __VA_ARGS__)
#define EXPLAIN_BRANCH(branch, ...) \
    EXPLAIN_BY(explain_branch, (branch)->trip->core, branch, __VA_ARGS__)

/* "heard" … for lists; lent for ever. */
struct span explain_step_name(enum step step);
/* Appends what the event says in words. Passwords in URIs are three stars. */
void explain_words(const struct explain_event *event, struct buf *to);
/* Appends a URI, or a line with one in it, without the password that it may hold (RFC 3261 §19.1.1). */
void explain_text(struct span text, struct buf *to);
/* The same, of which no more than so many bytes are wanted: what is hidden is found first, and cut then. */
void explain_text_head(struct span text, size_t most, struct buf *to);
/* "udp:192.0.2.1:5060" */
void explain_hop(const struct hop *hop, struct buf *to);
/* "0.5" */
void explain_q(uint32_t q, struct buf *to);

#endif
