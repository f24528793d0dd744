/*
 * Bytes thrown at a server as they are, over UDP or TCP, and what comes of it.
 *
 * An outcome is a word: a status ("404"), "fwd" (came back as a request), "none" or "closed" (TCP: the connection).
 * What is wanted is words: outcomes, classes ("4xx"), "any" answer, "accept" (an answer that does not refuse the
 * syntax, or fwd), "routed" (accept, or 500 for a next hop out of reach), and "!X" for what must not be.
 */
#ifndef LIVE_THROW_H
#define LIVE_THROW_H

#include "live/server.h"

enum { THROW_BYTES = 128 * 1024 };

struct throw
{
    const struct server *server;
    bool tcp;
    int fd; /* -1: closed */
    char outcome[8];
    size_t len;              /* of what came last */
    char bytes[THROW_BYTES]; /* with a NUL behind it */
};

/* Opens a socket of 127.0.0.1 to the server. */
void throw_open(struct throw *t, const struct server *server, bool tcp);
/* Sends; false: the peer has closed, or lets its window shut for long. */
bool throw_bytes(struct throw *t, const void *bytes, size_t len);
/* Waits for the next message; false, and outcome "none" or "closed", when none comes in time. */
bool throw_heard(struct throw *t, unsigned timeout_ms);
/* Waits for a final answer, or a request, or the end. */
void throw_settled(struct throw *t, unsigned timeout_ms);
void throw_close(struct throw *t);
/* Closes with a reset. */
void throw_reset(struct throw *t);
/* Waits until all that was sent by TCP has arrived at the other side's socket. */
void throw_arrived(struct throw *t);

bool throw_fits(const char *wanted, const char *outcome);
/* Fails the test unless the server runs and answers an OPTIONS. */
void throw_probe(const struct server *server);

/* What a server has counted: the sum of all counters whose names begin with one of these, separated by blanks. */
uint64_t throw_count(const struct server *server, const char *prefixes);

/*
 * Writes a message: every "\n" of text becomes CRLF, "$T" UDP or TCP, "$B" something unique, "$N" a NUL, "$R" a bare
 * CR, "$L" a bare LF, "$*nnnnX" the character X as many times. Returns the length.
 */
size_t throw_write(char *to, size_t room, bool tcp, const char *text);

#endif
