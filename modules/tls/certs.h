/*
 * Certificates with their keys, and whom we trust, read and looked at, as contexts of OpenSSL (RFC 5922 §5).
 */
#ifndef TLS_CERTS_H
#define TLS_CERTS_H

#include <sys/stat.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <sipd/span.h>

#include "verify.h"

struct sipd_host;
struct tls;
struct tls_conf;

enum { CERTS_WHY_BYTES = 400, CERTS_PATH_BYTES = 4096 };

struct sans {          /* the subjectAltName of a certificate */
    struct san at[64]; /* more are passed over */
    size_t len;
    GENERAL_NAMES *names; /* owned: what `at` points to */
};

struct stamp { /* has a file changed? */
    struct timespec changed;
    ino_t ino;
    off_t size;
    char path[256]; /* longer: it is read anew each time */
};

struct cert {
    SSL_CTX *ctx; /* owned */
    char *path;   /* owned */
    X509 *x509;   /* lent by ctx */
    struct stamp file, key;
    struct sans sans;
};

struct certs {
    struct cert *at; /* owned; the first one serves whoever names none of them */
    size_t len;
    SSL_CTX *client;   /* owned */
    X509_STORE *trust; /* owned */
    struct stamp ca, crl;
};

/*
 * Reads all that the settings name. before: those in force, whose store of trust is used again if its files are the same;
 * may be NULL. NULL with `why` in words: the key of the setting, what is wrong, what would be right.
 */
struct certs *certs_new(struct tls *tls, const struct tls_conf *conf, const struct certs *before,
                        char why[CERTS_WHY_BYTES]);
/* Would certs_new() with `next` read just what it read with `was`? */
bool certs_are_current(const struct tls *tls, const struct certs *certs, const struct tls_conf *was,
                       const struct tls_conf *next);
void certs_free(struct certs **certs);
/* The one for a host name (RFC 6066 §3): that whose identity it is, else whose wildcard covers it; NULL: none. */
const struct cert *certs_find(const struct certs *certs, struct span name);
/* When it ends, in seconds since 1970. */
int64_t cert_expires_s(const X509 *x509);
/* The same of a list of the revoked; INT64_MAX: it does not say. */
int64_t crl_expires_s(const X509_CRL *crl);

/* Never fails: a certificate without names has none. */
void sans_read(const X509 *x509, struct sans *sans);
void sans_fini(struct sans *sans);

#endif
