/*
 * A sipd with a TLS listener and what tests ask of it: certificates, connections that are served, words of its log, counters.
 */
#ifndef LIVE_TLS_RIG_H
#define LIVE_TLS_RIG_H

#include <check.h>

#include "live/certs.h"
#include "live/server.h"

extern struct server tls_server;
extern uint16_t tls_port;

/* A file of this test alone: own.pem, own.key, trusted.pem and own.crl are the server's. Lent until the 8th next call. */
const char *tls_own(const char *name);
/* Starts it with certs.h's "server", "two" and "rsa", and these settings of its tls group besides. */
void tls_start(const char *settings);
/* … and asks each client for a certificate that need not be there. */
void tls_start_optional(void);
void tls_stop(void);

/* An OPTIONS goes … */
void tls_ask(struct tls_peer *p);
/* … and its 200 comes. */
bool tls_is_served(struct tls_peer *p);
/* … over a connection of its own. */
bool tls_connects(const struct tls_wish *wish);
/* The server's log has this text, or gets it in time. */
void tls_must_log(const char *text);
/* sipctl show counters NAME */
uint64_t tls_counter(const char *name);
/* Name in the certificate that a peer showed. */
const char *tls_shown_name(const struct tls_peer *p, char to[64]);

#endif
