/*
 * A phone by hand: a socket of 127.0.0.1 whose every message the test writes itself, with help for what must be copied.
 */
#ifndef LIVE_HAND_H
#define LIVE_HAND_H

#include "live/server.h"

enum { HAND_BYTES = 65536 };

struct hand {
    int fd;
    uint16_t port;
    const char *name;       /* user part of its Contact, and its tag */
    char heard[HAND_BYTES]; /* the last message, with a NUL behind it */
};

/* Lent: name. */
void hand_open(struct hand *h, const char *name);
void hand_close(struct hand *h);

/* Sends text to this port, with every line end made CRLF. */
void hand_says(const struct hand *h, uint16_t to, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/*
 * Waits for a message that begins so; what comes before it and is no repeat of a former one is passed over. Fails the test
 * when it does not come in ten seconds.
 */
void hand_hears(struct hand *h, const char *start);
/* Takes what came; false: nothing did, so long. */
bool hand_takes(struct hand *h, unsigned timeout_ms);
/* Answers the request heard last. `extra`: whole lines, or "". */
void hand_answers(const struct hand *h, uint16_t to, unsigned status, const char *extra);

/* A line of a message, with its line end; "" if there is none. Static text, good until the eighth next call. */
const char *hand_line(const char *message, const char *name);
/* How many lines begin so. */
unsigned hand_count(const char *message, const char *name);
/* Route lines made of the Record-Routes of a message: in their order (a callee's), or reversed (a caller's, RFC 3261 §12.1). */
void hand_routes(const char *message, bool reversed, char *to, size_t room);
/* The URI of a message's Contact. Static text as above. */
const char *hand_contact(const char *message);

#endif
