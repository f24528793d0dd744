/*
 * sipp as a phone that does exactly what a scenario says, and fails when the other side does anything else.
 *
 * Each costs about a second, because it looks at its clock no more often: a test runs many at once.
 *
 * When writing a scenario: an attribute takes no "<" nor ">"; a variable must occur twice, or in <Reference>;
 * [last_Via:] is of the message received last, so an answer to an INVITE after a PRACK or CANCEL needs its Vias kept; a
 * [last_X:] behind a variable loses its line end; blanks that begin a line are taken off, so nothing can be folded;
 * response="" takes no variable, which is what @STATUS@ is for; the same request can't be sent again.
 */
#ifndef LIVE_SIPP_H
#define LIVE_SIPP_H

#include "live/server.h"

struct sipp_conf {
    const char *scenario; /* tests/live/sipp/NAME.xml; NULL: there is no such phone */
    const char *ip;       /* its own address; NULL: 127.0.0.1 */
    bool tcp;
    bool bare;                   /* where it is called, no transport is named */
    const char *status;          /* takes the place of @STATUS@, or NULL */
    const char *user, *password; /* of its digest, or NULL */
    const char *q;               /* its rank among the phones of its user, or NULL: the first */
};

struct sipp {
    struct proc proc;
    struct sipp_conf conf;
    char name[64];
    uint16_t port;
};

/* Starts one that the server will call; sipp_ready() waits until it listens. */
void sipp_answer(struct sipp *s, const char *name, const struct sipp_conf *conf,
                 const struct server *server);
void sipp_ready(struct sipp *s);
/* Starts one that calls `service` of example.com through the server. */
void sipp_call(struct sipp *s, const char *name, const struct sipp_conf *conf,
               const struct server *server, const char *service);
/* Waits for its end; true if all went as its scenario says. Harmless when it was not started. */
bool sipp_succeeds(struct sipp *s);
/* What went wrong, in its own words; lent until the next call. */
const char *sipp_why(const struct sipp *s);

#endif
