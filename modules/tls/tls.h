/*
 * What the files of this module share: its settings and itself.
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <openssl/ssl.h>

#include <sipd/module.h>
#include <sipd/transport.h>

#include "certs.h"
#include "resume.h"
#include "tickets.h"

enum tls_verify_client { TLS_CLIENT_NO, TLS_CLIENT_OPTIONAL, TLS_CLIENT_REQUIRE };

struct tls_pair_conf {
    struct span certificate, key;
};

struct tls_conf {
    struct span certificate, key;    /* of one pair … */
    struct sipd_groups certificates; /* … or of several: struct tls_pair_conf */
    struct span ca, crl;
    uint32_t verify_client; /* enum tls_verify_client */
    bool verify_server;
    uint32_t min_version; /* 0: TLS 1.2, 1: TLS 1.3 */
    struct span ciphers, ciphersuites;
    uint32_t ticket_s;
    uint32_t warn_days, warn_crl_hours;
};

struct tls_count { /* cells of counters; what each counts: tls.c */
    uint64_t *handshakes, *resumed, *refused, *refused_by_peer, *unlogged;
    uint64_t *expiring, *crls_expiring;
};

struct tls {
    struct sipd_host *host;
    const struct tls_conf *conf;
    struct certs *certs; /* in force; sessions under way keep what they began with */
    struct tickets tickets;
    struct resumes resumes;
    BIO_METHOD *wire_method;
    struct tls_count count;
    uint64_t logged_ms; /* the second in which … */
    unsigned logged;    /* … so many refusals were logged */
    char shown[256];    /* an identity, while it is shown */
};

extern const struct sipd_transport_ops io_ops;
/* How a session's wire looks to OpenSSL. NULL: no memory. */
BIO_METHOD *io_method_new(void);

#endif
