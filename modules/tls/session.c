/*
 * How a session of TLS begins: with whom, hands shaken, and who is refused, all of it without waiting (RFC 8446, RFC 5246).
 */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "peer.h"

enum {
    LOGS_A_SECOND = 10,
    WHO_BYTES = 128,
};

/* ---- callbacks of contexts */

static struct session *
session_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* What a certificate is refused for is noted, for the log. */
static void
note_wrong(struct session *s, int err, const X509 *x509)
{
    if (s->wrong != 0)
        return;
    s->wrong = err;
    s->who = sipd_alloc(WHO_BYTES);
    if (s->who && x509)
        X509_NAME_oneline(X509_get_subject_name(x509), s->who, WHO_BYTES);
}

static bool
is_named(const struct session *s, const X509 *x509)
{
    return s->inbound || peer_covers(x509, span_of(s->name));
}

static int
on_verify(int fine, X509_STORE_CTX *ctx)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    const X509 *x509 = X509_STORE_CTX_get_current_cert(ctx);
    int depth = X509_STORE_CTX_get_error_depth(ctx);
    struct session *s = session_of(ssl);

    if (!fine && x509 && peer_may_pass(X509_STORE_CTX_get_error(ctx), depth, x509)) {
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
        fine = 1;
    }
    if (fine && depth == 0 && !is_named(s, x509)) {
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_HOSTNAME_MISMATCH);
        fine = 0;
    }
    if (!fine)
        note_wrong(s, X509_STORE_CTX_get_error(ctx), x509);
    return fine;
}

/* RFC 6066 §3: the certificate of the name that the client wants; of others the first. */
static int
on_server_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct session *s = session_of(ssl);
    const struct cert *cert = name ? certs_find(s->tls->certs, span_of(name)) : NULL;

    (void)alert;
    (void)arg;
    if (!cert)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_SSL_CTX(ssl, cert->ctx);
    return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301 §3.2: who names protocols and not ours came to the wrong door. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
        unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\005sip/2";
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int
on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
          EVP_MAC_CTX *mac, int encrypt)
{
    struct tls *tls = session_of(ssl)->tls;

    if (!tickets_rotate(&tls->tickets, sipd_now_ms(tls->host)))
        return encrypt ? -1 : 0;
    return tickets_use(&tls->tickets, name, iv, cipher, mac, encrypt != 0);
}

/* "name address:port" */
static struct span
resume_key(const struct session *s, char to[RESUME_KEY_BYTES])
{
    char text[HOP_TEXT_BYTES];
    struct span at = hop_write(&s->peer, text);
    int len = snprintf(to, RESUME_KEY_BYTES, "%s %.*s", s->name, (int)at.len, at.at);

    return (struct span){ to, len > 0 && len < RESUME_KEY_BYTES ? (size_t)len : 0 };
}

static int
on_new_session(SSL *ssl, SSL_SESSION *session)
{
    const struct session *s = session_of(ssl);
    char text[RESUME_KEY_BYTES];
    struct span key;

    if (!s || s->inbound || !SSL_SESSION_is_resumable(session))
        return 0;
    key = resume_key(s, text);
    return key.len > 0 && resume_put(&s->tls->resumes, key, session);
}

void
session_set_callbacks(SSL_CTX *ctx, struct tls *tls, bool server)
{
    static const unsigned char alpn[] = "\005sip/2";

    (void)tls;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, on_verify);
    if (server) {
        SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
        SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
    } else {
        SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn - 1);
        SSL_CTX_sess_set_new_cb(ctx, on_new_session);
    }
}

/* ---- refusals */

/* Anybody can make us refuse: so many lines a second, no more. */
static bool
may_log(struct tls *tls)
{
    uint64_t now_ms = sipd_now_ms(tls->host);

    if (now_ms - tls->logged_ms >= 1000) {
        tls->logged_ms = now_ms;
        tls->logged = 0;
    }
    if (tls->logged++ < LOGS_A_SECOND)
        return true;
    ++*tls->count.unlogged;
    return false;
}

static void
log_refusal(const struct session *s, int level, const char *event, const char *why,
            const char *words)
{
    char text[HOP_TEXT_BYTES], peer[HOP_TEXT_BYTES];

    if (!may_log(s->tls))
        return;
    snprintf(peer, sizeof peer, "%.*s", SPAN_ARG(hop_write(&s->peer, text)));
    sipd_log(s->tls->host, level, event, "peer", peer, s->inbound ? "direction" : "name",
             s->inbound ? "in" : s->name, "why", why, s->who ? "subject" : "words",
             s->who ? s->who : words, NULL);
}

int
session_refuse(struct session *s)
{
    unsigned long err = ERR_peek_last_error();
    const char *words = ERR_reason_error_string(err), *why = peer_unshaken(err);

    s->failed = true;
    if (s->wrong != 0) {
        ++*s->tls->count.refused;
        log_refusal(s, 1, "tls-refused", peer_wrong(s->wrong), "");
    } else if (peer_said(err)) {
        ++*s->tls->count.refused_by_peer;
        log_refusal(s, 1, "tls-refused-by-peer", words ? words : "alert", "");
    } else if (s->wire_ended && err == 0) {
        log_refusal(s, 3, "tls-not-shaken", "closed", "");
    } else {
        ++*s->tls->count.refused;
        log_refusal(s, why ? 1 : 2, "tls-refused", why ? why : "broken", words ? words : "");
    }
    ERR_clear_error();
    return SIPD_EIO;
}

/* ---- the life of a session */

void
session_end(void *session)
{
    struct session *s = session;

    if (s->ssl) {
        SSL_set_app_data(s->ssl, NULL);
        if (s->done && !s->failed) /* or it could not be resumed */
            SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    SSL_free(s->ssl);
    sipd_free(s->name);
    sipd_free(s->who);
    sipd_free(s);
}

static int
verify_mode(const struct session *s)
{
    const struct tls_conf *conf = s->tls->conf;

    if (!s->inbound)
        return conf->verify_server ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
    return conf->verify_client == TLS_CLIENT_NO ? SSL_VERIFY_NONE
           : conf->verify_client == TLS_CLIENT_OPTIONAL
               ? SSL_VERIFY_PEER
               : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

static bool
set_wire(struct session *s)
{
    BIO *bio = BIO_new(s->tls->wire_method);

    if (!bio)
        return false;
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    SSL_set_bio(s->ssl, bio, bio);
    return true;
}

/* RFC 6066 §3: names only; the session of before, if the server gave us one. */
static bool
set_name(struct session *s, struct span name)
{
    struct hop literal = { .port = 0 };
    char text[RESUME_KEY_BYTES];
    SSL_SESSION *before;

    s->name = sipd_alloc(name.len + 1);
    if (!s->name)
        return false;
    memcpy(s->name, name.at, name.len);
    s->name[name.len] = '\0';
    if (!hop_ip_read(name, &literal) && SSL_set_tlsext_host_name(s->ssl, s->name) != 1)
        return false;
    before = resume_find(&s->tls->resumes, resume_key(s, text));
    return !before || SSL_set_session(s->ssl, before) == 1;
}

static bool
prepare(struct session *s, const struct sipd_session_of *of)
{
    const struct certs *certs = s->tls->certs;

    s->ssl = SSL_new(s->inbound ? certs->at[0].ctx : certs->client);
    if (!s->ssl || !set_wire(s))
        return false;
    SSL_set_app_data(s->ssl, s);
    SSL_set_verify(s->ssl, verify_mode(s), on_verify);
    if (s->inbound)
        SSL_set_accept_state(s->ssl);
    else
        SSL_set_connect_state(s->ssl);
    return s->inbound || set_name(s, of->name);
}

void *
session_begin(void *self, const struct sipd_session_of *of)
{
    struct session *s = sipd_alloc(sizeof *s);

    if (!s)
        return NULL;
    *s = (struct session){
        .tls = self, .wire = of->wire, .peer = *of->peer, .inbound = of->inbound
    };
    ERR_clear_error();
    if (prepare(s, of))
        return s;
    ERR_clear_error();
    session_end(s);
    return NULL;
}

/* What a resumed session was let in for must still hold: nobody looked at its certificate anew. */
static int
still_wrong(const struct session *s)
{
    const X509 *x509 = SSL_get0_peer_certificate(s->ssl);
    int mode = SSL_get_verify_mode(s->ssl);

    if (!SSL_session_reused(s->ssl) || mode == SSL_VERIFY_NONE)
        return 0;
    if (!x509)
        return mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT || !s->inbound
                   ? X509_V_ERR_APPLICATION_VERIFICATION
                   : 0;
    if (SSL_get_verify_result(s->ssl) != X509_V_OK)
        return (int)SSL_get_verify_result(s->ssl);
    if (cert_expires_s(x509) < sipd_wall_s(s->tls->host))
        return X509_V_ERR_CERT_HAS_EXPIRED;
    return is_named(s, x509) ? 0 : X509_V_ERR_HOSTNAME_MISMATCH;
}

static int
greeted(struct session *s)
{
    int wrong = still_wrong(s);

    if (wrong != 0) {
        note_wrong(s, wrong, SSL_get0_peer_certificate(s->ssl));
        return session_refuse(s);
    }
    s->done = true;
    ++*s->tls->count.handshakes;
    if (SSL_session_reused(s->ssl))
        ++*s->tls->count.resumed;
    return 1;
}

int
session_greet(void *session)
{
    struct session *s = session;
    int said, err;

    ERR_clear_error();
    said = SSL_do_handshake(s->ssl);
    if (said == 1)
        return greeted(s);
    err = SSL_get_error(s->ssl, said);
    return err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE ? 0 : session_refuse(s);
}
