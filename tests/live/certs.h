/*
 * Certificates of a test's own, good and bad ones, made by the openssl program; and a peer that speaks TLS with them.
 */
#ifndef LIVE_CERTS_H
#define LIVE_CERTS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Makes all of them, once, in a folder that lives as long as the process that calls first. NAME.pem and NAME.key, of the authority "ca" for example.com, 127.0.0.1 and
 * ::1 unless said otherwise: "server", "later" (as server, for a reload), "two" (URI sip:two.example.com), "rsa" (rsa.example.com, its key of RSA), "client"
 * (client.example.net; client.both has its key, too), "elsewhere" (example.org only), "expired", "self" (signed by itself), "unknown" (of the authority
 * "other"), "revoked" (in ca.crl), "code" (for signing code), "domain" (for SIP domains, RFC 5924), "wild" (*.example.com).
 */
void certs_make(void);
/* Puts a copy of one of them into proc_dir(), under another name and with this mode; what was there is replaced at once. */
void certs_copy(const char *from, const char *to, const char *mode);
/* The path of a file of them. Lent until the 16th next call. */
const char *certs_path(const char *file);

struct tls_peer {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
};

struct tls_wish {
    const char *cert;   /* a name from above; NULL: none */
    const char *name;   /* server_name; NULL: none */
    const char *alpn;   /* with its length in front; NULL: none */
    const char *suites; /* of TLS 1.2; NULL: any */
    int version;        /* TLS1_2_VERSION; 0: any that OpenSSL has */
    SSL_SESSION *resume;
};

/* Connects and shakes hands; false if the other side refused (p is to be closed all the same). */
bool tls_peer_connect(struct tls_peer *p, const char *ip, uint16_t port,
                      const struct tls_wish *wish);
/* Takes a connection on a listening socket and shakes hands as its server; false: none came in 10 s, or it was refused. */
bool tls_peer_accept(struct tls_peer *p, int listening, const struct tls_wish *wish);
/* Sends text with every line end made CRLF. */
void tls_peer_send(struct tls_peer *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What comes next, with a NUL behind it; its length, 0: the end, or none in 10 s. */
size_t tls_peer_receive(struct tls_peer *p, char *to, size_t room);
void tls_peer_close(struct tls_peer *p);

#endif
