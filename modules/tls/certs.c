/*
 * Certificates with their keys, and whom we trust, as contexts of OpenSSL.
 */
#include "certs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "session.h"

/* Forward secrecy and authenticated encryption only (RFC 9325 §4.2). */
#define SUITES_12 "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS    "X25519:P-256:P-384"

/* ---- words */

static bool __attribute__((format(printf, 2, 3)))
fail(char why[CERTS_WHY_BYTES], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, CERTS_WHY_BYTES, format, args);
    va_end(args);
    ERR_clear_error();
    return false;
}

/* The first thing that OpenSSL had to say. */
static const char *
openssl_words(void)
{
    const char *words = ERR_reason_error_string(ERR_peek_error());

    return words ? words : "it cannot be read";
}

/* ---- subjectAltName */

static void
sans_add(struct sans *sans, enum san_kind kind, const ASN1_STRING *text)
{
    if (sans->len == sizeof sans->at / sizeof *sans->at)
        return;
    sans->at[sans->len++] = (struct san){
        kind,
        { (const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text) },
    };
}

void
sans_read(const X509 *x509, struct sans *sans)
{
    *sans = (struct sans){ 0 };
    sans->names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(sans->names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(sans->names, i);

        if (name->type == GEN_DNS)
            sans_add(sans, SAN_DNS, name->d.dNSName);
        else if (name->type == GEN_URI)
            sans_add(sans, SAN_URI, name->d.uniformResourceIdentifier);
        else if (name->type == GEN_IPADD)
            sans_add(sans, SAN_IP, name->d.iPAddress);
    }
}

void
sans_fini(struct sans *sans)
{
    GENERAL_NAMES_free(sans->names);
    *sans = (struct sans){ 0 };
}

int64_t
cert_expires_s(const X509 *x509)
{
    struct tm at;

    return ASN1_TIME_to_tm(X509_get0_notAfter(x509), &at) == 1 ? (int64_t)timegm(&at) : 0;
}

int64_t
crl_expires_s(const X509_CRL *crl)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    struct tm at;

    return !next ? INT64_MAX : ASN1_TIME_to_tm(next, &at) == 1 ? (int64_t)timegm(&at) : 0;
}

/* ---- pairs */

static bool
path_of(const struct tls *tls, const char *key, struct span path, char to[CERTS_PATH_BYTES],
        char why[CERTS_WHY_BYTES])
{
    if (path.len == 0)
        return fail(why, "%s: is missing; name a file in PEM", key);
    if (sipd_path(tls->host, path, to, CERTS_PATH_BYTES) != SIPD_OK)
        return fail(why, "%s: is longer than a path may be; name a shorter one", key);
    return true;
}

/* A key that others may read is none; that its user can read it was seen to before. */
static bool
check_mode(const char *path, char why[CERTS_WHY_BYTES])
{
    struct stat is;

    if (stat(path, &is) != 0)
        return fail(why, "key: %s cannot be looked at: %s; name a file that is there", path,
                    strerror(errno));
    if (is.st_mode & (S_IRWXO | S_IWGRP | S_IXGRP))
        return fail(why,
                    "key: %s is open to others (mode %03o); chmod 640 it, and chgrp it to the "
                    "group that sipd runs as",
                    path, (unsigned)is.st_mode & 0777);
    return true;
}

static bool
load_pair(SSL_CTX *ctx, const char *certificate, const char *key, char why[CERTS_WHY_BYTES])
{
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        return fail(why,
                    "certificate: %s: %s; name a file with our certificate, then those that "
                    "sign it, in PEM",
                    certificate, openssl_words());
    if (!check_mode(key, why))
        return false;
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(ctx) == 1)
        return true;
    if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH ||
        ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH)
        return fail(why, "key: %s is not the key of %s; name the pair that belongs together", key,
                    certificate);
    return fail(why, "key: %s: %s; name a file with a private key in PEM, without a passphrase",
                key, openssl_words());
}

/* ---- contexts */

/* Without it OpenSSL would ask a terminal, and wait. */
static int
no_passphrase(char *to, int room, int writing, void *arg)
{
    (void)to;
    (void)room;
    (void)writing;
    (void)arg;
    return -1;
}

static bool
set_suites(SSL_CTX *ctx, const struct tls_conf *conf, char why[CERTS_WHY_BYTES])
{
    char text[512];

    snprintf(text, sizeof text, "%.*s", (int)conf->ciphers.len, conf->ciphers.at);
    if (SSL_CTX_set_cipher_list(ctx, text[0] ? text : SUITES_12) != 1)
        return fail(why, "ciphers: \"%s\" names no suite; see: openssl ciphers", text);
    snprintf(text, sizeof text, "%.*s", (int)conf->ciphersuites.len, conf->ciphersuites.at);
    if (SSL_CTX_set_ciphersuites(ctx, text[0] ? text : SUITES_13) != 1)
        return fail(why,
                    "ciphersuites: \"%s\" names no suite of TLS 1.3; see: openssl ciphers -tls1_3",
                    text);
    return true;
}

/*
 * No renegotiation and no compression (RFC 9325 §3.3, §3.5). A session at rest gives its buffers back; a write may end with
 * part of what it was given, and be repeated from another place.
 */
static SSL_CTX *
ctx_new(struct tls *tls, const struct tls_conf *conf, bool server, char why[CERTS_WHY_BYTES])
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

    if (!ctx ||
        SSL_CTX_set_min_proto_version(ctx, conf->min_version == 0 ? TLS1_2_VERSION
                                                                  : TLS1_3_VERSION) != 1 ||
        SSL_CTX_set1_groups_list(ctx, GROUPS) != 1) {
        fail(why, "OpenSSL: %s", openssl_words());
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    SSL_CTX_set_timeout(ctx, (long)conf->ticket_s);
    session_set_callbacks(ctx, tls, server);
    if (!set_suites(ctx, conf, why)) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static void
set_server(SSL_CTX *ctx, const struct tls_conf *conf)
{
    static const unsigned char context[] = "sipd";

    SSL_CTX_set_session_cache_mode(ctx,
                                   SSL_SESS_CACHE_OFF); /* tickets only: nothing is kept here */
    SSL_CTX_set_session_id_context(ctx, context, sizeof context - 1);
    SSL_CTX_set_num_tickets(ctx, 1);
    if (conf->ticket_s == 0)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
}

/* ---- trust */

static void
stamp_read(const char *path, struct stamp *stamp)
{
    struct stat is;

    *stamp = (struct stamp){ 0 };
    if (strlen(path) >= sizeof stamp->path || stat(path, &is) != 0)
        return;
    memcpy(stamp->path, path, strlen(path) + 1);
    stamp->changed = is.st_ctim; /* a new mode counts, too */
    stamp->ino = is.st_ino;
    stamp->size = is.st_size;
}

static bool
stamp_eq(const struct stamp *a, const struct stamp *b)
{
    return strcmp(a->path, b->path) == 0 && a->ino == b->ino && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool
stamp_of(const struct tls *tls, const char *key, struct span path, struct stamp *stamp,
         char why[CERTS_WHY_BYTES])
{
    char text[CERTS_PATH_BYTES];

    *stamp = (struct stamp){ 0 };
    if (path.len == 0)
        return true;
    if (!path_of(tls, key, path, text, why))
        return false;
    stamp_read(text, stamp);
    return true;
}

static bool
load_ca(const struct tls *tls, const struct tls_conf *conf, X509_STORE *store,
        char why[CERTS_WHY_BYTES])
{
    char path[CERTS_PATH_BYTES];

    if (conf->ca.len == 0)
        return X509_STORE_set_default_paths(store) == 1 ||
               fail(why, "ca: the system's certificates cannot be had: %s; name a file",
                    openssl_words());
    return path_of(tls, "ca", conf->ca, path, why) &&
           (X509_STORE_load_file(store, path) == 1 ||
            fail(why, "ca: %s: %s; name a file with certificates in PEM", path, openssl_words()));
}

static bool
load_crl(const struct tls *tls, const struct tls_conf *conf, X509_STORE *store,
         char why[CERTS_WHY_BYTES])
{
    char path[CERTS_PATH_BYTES];
    X509_LOOKUP *lookup;

    if (conf->crl.len == 0)
        return true;
    if (!path_of(tls, "crl", conf->crl, path, why))
        return false;
    lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (!lookup || X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) < 1)
        return fail(why, "crl: %s: %s; name a file with revocation lists in PEM", path,
                    openssl_words());
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return true;
}

/* Is it known to be the file that it was? */
static bool
is_unchanged(const struct tls *tls, struct span path, const struct stamp *was)
{
    char why[CERTS_WHY_BYTES];
    struct stamp now;

    if (path.len == 0)
        return was->path[0] == '\0';
    return stamp_of(tls, "", path, &now, why) && now.path[0] && stamp_eq(&now, was);
}

/* Reading the system's many certificates takes longer than a turn may compute, so what has not changed is kept. */
static bool
make_trust(const struct tls *tls, const struct tls_conf *conf, const struct certs *before,
           struct certs *certs, char why[CERTS_WHY_BYTES])
{
    if (!stamp_of(tls, "ca", conf->ca, &certs->ca, why) ||
        !stamp_of(tls, "crl", conf->crl, &certs->crl, why))
        return false;
    if (before && (conf->ca.len == 0 || certs->ca.path[0]) &&
        (conf->crl.len == 0 || certs->crl.path[0]) && stamp_eq(&certs->ca, &before->ca) &&
        stamp_eq(&certs->crl, &before->crl)) {
        X509_STORE_up_ref(before->trust);
        certs->trust = before->trust;
        return true;
    }
    certs->trust = X509_STORE_new();
    if (!certs->trust)
        return fail(why, "memory is out");
    return load_ca(tls, conf, certs->trust, why) && load_crl(tls, conf, certs->trust, why);
}

/* ---- all of it */

/* The n-th pair of the settings: the one alone first, if it is there. False past the end. */
static bool
pair_at(const struct tls_conf *conf, size_t n, struct tls_pair_conf *pair)
{
    size_t alone = conf->certificate.len > 0 || conf->key.len > 0;

    if (n < alone) {
        *pair = (struct tls_pair_conf){ conf->certificate, conf->key };
        return true;
    }
    if (n - alone >= conf->certificates.len)
        return false;
    *pair = ((const struct tls_pair_conf *)conf->certificates.at)[n - alone];
    return true;
}

static bool
copy_path(struct cert *cert, const char *path)
{
    size_t len = strlen(path) + 1;

    cert->path = sipd_alloc(len);
    if (cert->path)
        memcpy(cert->path, path, len);
    return cert->path != NULL;
}

static bool
add_pair(struct tls *tls, const struct tls_conf *conf, const struct tls_pair_conf *pair,
         struct certs *certs, char why[CERTS_WHY_BYTES])
{
    struct cert *cert = &certs->at[certs->len];
    char certificate[CERTS_PATH_BYTES], key[CERTS_PATH_BYTES];

    if (!path_of(tls, "certificate", pair->certificate, certificate, why) ||
        !path_of(tls, "key", pair->key, key, why))
        return false;
    cert->ctx = ctx_new(tls, conf, true, why);
    if (!cert->ctx)
        return false;
    certs->len++;
    if (!load_pair(cert->ctx, certificate, key, why))
        return false;
    set_server(cert->ctx, conf);
    SSL_CTX_set1_cert_store(cert->ctx, certs->trust);
    stamp_read(certificate, &cert->file);
    stamp_read(key, &cert->key);
    cert->x509 = SSL_CTX_get0_certificate(cert->ctx);
    sans_read(cert->x509, &cert->sans);
    return copy_path(cert, certificate) || fail(why, "memory is out");
}

static bool
make_client(struct tls *tls, const struct tls_conf *conf, struct certs *certs,
            char why[CERTS_WHY_BYTES])
{
    struct tls_pair_conf pair;
    char certificate[CERTS_PATH_BYTES], key[CERTS_PATH_BYTES];

    certs->client = ctx_new(tls, conf, false, why);
    if (!certs->client || !pair_at(conf, 0, &pair) ||
        !path_of(tls, "certificate", pair.certificate, certificate, why) ||
        !path_of(tls, "key", pair.key, key, why) ||
        !load_pair(certs->client, certificate, key, why))
        return false;
    SSL_CTX_set1_cert_store(certs->client, certs->trust);
    SSL_CTX_set_session_cache_mode(certs->client,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    return true;
}

/* A pair of the list is known by its place there. */
static bool
name_pair(const struct tls_conf *conf, size_t n, char why[CERTS_WHY_BYTES])
{
    size_t alone = conf->certificate.len > 0 || conf->key.len > 0;
    struct span said = span_of(why);
    char words[CERTS_WHY_BYTES];

    if (n < alone || (!span_starts(said, SPAN("certificate:")) && !span_starts(said, SPAN("key:"))))
        return false;
    memcpy(words, why, said.len + 1);
    return fail(why, "certificates[%zu].%s", n - alone, words);
}

static bool
fill(struct tls *tls, const struct tls_conf *conf, const struct certs *before, struct certs *certs,
     char why[CERTS_WHY_BYTES])
{
    struct tls_pair_conf pair;
    size_t len = conf->certificates.len + 1;

    if (!pair_at(conf, 0, &pair))
        return fail(why, "certificate: is missing; name a certificate and its key");
    certs->at = sipd_alloc(len * sizeof *certs->at);
    if (!certs->at)
        return fail(why, "memory is out");
    if (!make_trust(tls, conf, before, certs, why))
        return false;
    for (size_t n = 0; pair_at(conf, n, &pair); n++)
        if (!add_pair(tls, conf, &pair, certs, why))
            return name_pair(conf, n, why);
    return make_client(tls, conf, certs, why);
}

struct certs *
certs_new(struct tls *tls, const struct tls_conf *conf, const struct certs *before,
          char why[CERTS_WHY_BYTES])
{
    struct certs *certs = sipd_alloc(sizeof *certs);

    if (!certs) {
        fail(why, "memory is out");
        return NULL;
    }
    if (!fill(tls, conf, before, certs, why))
        certs_free(&certs);
    ERR_clear_error();
    return certs;
}

static bool
pairs_are_current(const struct tls *tls, const struct certs *certs, const struct tls_conf *conf)
{
    struct tls_pair_conf pair;
    size_t n;

    for (n = 0; pair_at(conf, n, &pair); n++)
        if (n >= certs->len || !is_unchanged(tls, pair.certificate, &certs->at[n].file) ||
            !is_unchanged(tls, pair.key, &certs->at[n].key))
            return false;
    return n == certs->len;
}

bool
certs_are_current(const struct tls *tls, const struct certs *certs, const struct tls_conf *was,
                  const struct tls_conf *next)
{
    return was->min_version == next->min_version && was->ticket_s == next->ticket_s &&
           span_eq(was->ciphers, next->ciphers) && span_eq(was->ciphersuites, next->ciphersuites) &&
           is_unchanged(tls, next->ca, &certs->ca) && is_unchanged(tls, next->crl, &certs->crl) &&
           pairs_are_current(tls, certs, next);
}

void
certs_free(struct certs **certs)
{
    struct certs *old = *certs;

    *certs = NULL;
    if (!old)
        return;
    for (size_t i = 0; i < old->len; i++) {
        sans_fini(&old->at[i].sans);
        SSL_CTX_free(old->at[i].ctx);
        sipd_free(old->at[i].path);
    }
    SSL_CTX_free(old->client);
    X509_STORE_free(old->trust);
    sipd_free(old->at);
    sipd_free(old);
}

/* Phones believe wildcards, which RFC 5922 §7.2 forbids between servers; for them one may be shown. */
const struct cert *
certs_find(const struct certs *certs, struct span name)
{
    for (size_t i = 0; i < certs->len; i++)
        if (verify_covers(certs->at[i].sans.at, certs->at[i].sans.len, name))
            return &certs->at[i];
    for (size_t i = 0; i < certs->len; i++)
        if (X509_check_host(certs->at[i].x509, name.at, name.len, 0, NULL) == 1)
            return &certs->at[i];
    return NULL;
}
