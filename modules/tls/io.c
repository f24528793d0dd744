/*
 * The bytes of a session of TLS, read and written without waiting, and what it knows of its peer.
 *
 * OpenSSL sees the wire as a BIO of ours. What it writes is always taken, so it never has to repeat itself; the wire says when
 * there has been enough.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "peer.h"
#include "session.h"

enum { CHUNK_BYTES = 16384 }; /* of a record (RFC 8446 §5.1): what is small leaves together */

/* ---- the wire */

static int
wire_read(BIO *bio, char *to, size_t room, size_t *done)
{
    struct session *s = BIO_get_data(bio);
    ptrdiff_t len = sipd_wire_read(s->wire, to, room);

    BIO_clear_retry_flags(bio);
    *done = len > 0 ? (size_t)len : 0;
    if (len == 0)
        BIO_set_retry_read(bio);
    s->wire_ended |= len < 0;
    return len > 0;
}

static int
wire_write(BIO *bio, const char *bytes, size_t len, size_t *done)
{
    const struct session *s = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    *done = 0;
    if (sipd_wire_write(s->wire, (struct span){ bytes, len }) != SIPD_OK)
        return 0;
    *done = len;
    return 1;
}

static long
wire_ctrl(BIO *bio, int what, long number, void *arg)
{
    const struct session *s = BIO_get_data(bio);

    (void)number;
    (void)arg;
    if (what == BIO_CTRL_EOF)
        return s->wire_ended;
    return what == BIO_CTRL_FLUSH;
}

BIO_METHOD *
io_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sipd wire");

    if (!method)
        return NULL;
    BIO_meth_set_read_ex(method, wire_read);
    BIO_meth_set_write_ex(method, wire_write);
    BIO_meth_set_ctrl(method, wire_ctrl);
    return method;
}

/* ---- bytes */

static ptrdiff_t
read_failed(struct session *s)
{
    int err = SSL_get_error(s->ssl, 0);

    if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
        return 0;
    if (err == SSL_ERROR_ZERO_RETURN || (err == SSL_ERROR_SYSCALL && s->wire_ended))
        return SIPD_ECLOSED;
    return session_refuse(
        s); /* with TLS 1.3 a server hears so late that its certificate was not liked */
}

/* A close_notify that came with the last bytes makes no descriptor readable: it is told the next time. */
static ptrdiff_t
read_before_end(struct session *s, size_t len)
{
    if (SSL_get_shutdown(s->ssl) & SSL_RECEIVED_SHUTDOWN)
        sipd_wire_again(s->wire);
    return (ptrdiff_t)len;
}

static ptrdiff_t
io_read(void *session, char *to, size_t room)
{
    struct session *s = session;
    size_t all = 0, len;

    ERR_clear_error();
    while (all < room) {
        if (SSL_read_ex(s->ssl, to + all, room - all, &len) != 1)
            return all > 0 ? read_before_end(s, all) : read_failed(s);
        all += len;
    }
    return (ptrdiff_t)all;
}

/* Writes until the wire has enough. How much of it; SIPD_EIO. */
static ptrdiff_t
put(struct session *s, struct span bytes)
{
    size_t all = 0, len;

    while (all < bytes.len && sipd_wire_open(s->wire)) {
        if (SSL_write_ex(s->ssl, bytes.at + all, bytes.len - all, &len) != 1) {
            s->failed = true;
            ERR_clear_error();
            return SIPD_EIO;
        }
        all += len;
    }
    return (ptrdiff_t)all;
}

/* As many of the parts as one record holds, as one; how many of them, 0: not even two. */
static size_t
together(const struct span *parts, size_t n, char to[CHUNK_BYTES], size_t *len)
{
    size_t i;

    *len = 0;
    for (i = 0; i < n && *len + parts[i].len <= CHUNK_BYTES; i++) {
        memcpy(to + *len, parts[i].at, parts[i].len);
        *len += parts[i].len;
    }
    return i > 1 ? i : 0;
}

static ptrdiff_t
io_write(void *session, const struct span *parts, size_t n)
{
    struct session *s = session;
    char chunk[CHUNK_BYTES];
    ptrdiff_t all = 0;

    if (s->failed)
        return SIPD_EIO;
    ERR_clear_error();
    while (n > 0 && sipd_wire_open(s->wire)) {
        size_t len, taken = n > 1 ? together(parts, n, chunk, &len) : 0;
        struct span now = taken > 0 ? (struct span){ chunk, len } : parts[0];
        ptrdiff_t put_len = put(s, now);

        if (put_len < 0)
            return put_len;
        all += put_len;
        if ((size_t)put_len < now.len)
            break;
        parts += taken > 0 ? taken : 1;
        n -= taken > 0 ? taken : 1;
    }
    return all;
}

static void
io_close(void *session)
{
    struct session *s = session;

    if (s->done && !s->failed)
        SSL_shutdown(s->ssl);
    ERR_clear_error();
}

/* ---- questions */

static const X509 *
proof(const struct session *s)
{
    return s->done && SSL_get_verify_mode(s->ssl) != SSL_VERIFY_NONE
               ? SSL_get0_peer_certificate(s->ssl)
               : NULL;
}

static bool
io_covers(void *session, struct span name)
{
    const struct session *s = session;
    const X509 *x509 = proof(s);

    return x509 ? peer_covers(x509, name) : !s->inbound && !s->tls->conf->verify_server;
}

static bool
io_proven(void *session, struct span name)
{
    const struct session *s = session;
    const X509 *x509 = proof(s);

    return x509 && peer_covers(x509, name);
}

/* Its first SIP identity, else its subject. */
static struct span
identity_of(struct tls *tls, const X509 *x509)
{
    struct sans sans;
    struct span identity;

    sans_read(x509, &sans);
    identity = verify_identity(sans.at, sans.len, 0);
    if (identity.len > 0)
        snprintf(tls->shown, sizeof tls->shown, "%.*s", SPAN_ARG(identity));
    else
        X509_NAME_oneline(X509_get_subject_name(x509), tls->shown, (int)sizeof tls->shown);
    sans_fini(&sans);
    return span_of(tls->shown);
}

static void
io_about(void *session, struct sipd_session_about *out)
{
    const struct session *s = session;
    const X509 *x509 = SSL_get0_peer_certificate(s->ssl);

    if (!s->done)
        return;
    out->protocol = span_of(SSL_get_version(s->ssl));
    out->cipher = span_of(SSL_get_cipher_name(s->ssl));
    if (!x509)
        return;
    out->identity = identity_of(s->tls, x509);
    out->expires_s = cert_expires_s(x509);
    out->verified = proof(s) != NULL;
}

const struct sipd_transport_ops io_ops = {
    .begin = session_begin,
    .greet = session_greet,
    .read = io_read,
    .write = io_write,
    .close = io_close,
    .end = session_end,
    .covers = io_covers,
    .proven = io_proven,
    .about = io_about,
};
