/*
 * A session of TLS: what its beginning (session.c) and its bytes (io.c) share.
 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include "tls.h"

struct session {
    struct tls *tls;
    SSL *ssl;
    struct sipd_wire *wire;
    struct hop peer;
    char *name; /* whom we connected to; owned; NULL: they came to us */
    bool inbound, done, failed;
    bool wire_ended;
    int wrong; /* the first thing that was wrong with the peer's certificate; 0: nothing */
    char *who; /* whose it was; owned */
};

/* The callbacks of contexts; each finds its session by SSL_get_app_data(). */
void session_set_callbacks(SSL_CTX *ctx, struct tls *tls, bool server);

/* As sipd_transport_ops.begin, .greet and .end say. */
void *session_begin(void *self, const struct sipd_session_of *of);
int session_greet(void *session);
void session_end(void *session);

/* It has failed: counts and logs what OpenSSL's queue of errors, or the peer's certificate, says. Always SIPD_EIO. */
int session_refuse(struct session *s);

#endif
