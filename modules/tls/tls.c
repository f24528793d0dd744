/*
 * TLS: the module's settings, its life, and its commands (RFC 3261 §26.2.1, RFC 5922, RFC 9325).
 */
#include "tls.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    PAIRS_MOST = 256,
    LOOK_MS = 6 * 3600 * 1000, /* how often it is looked whether certificates end soon */
    DAY_S = 86400,
    HOUR_S = 3600,
};

static const char *const verify_words[] = { "no", "optional", "require", NULL };
static const char *const version_words[] = { "1.2", "1.3", NULL };

static const struct sipd_conf_item pair_items[] = {
    SIPD_READ_PATH(tls_pair_conf, certificate, "",
                   "our certificate, then those that sign it, in PEM"),
    SIPD_READ_PATH(tls_pair_conf, key, "", "its private key, in PEM, open to no others"),
    SIPD_CONF_END,
};

static const struct sipd_conf_item tls_items[] = {
    SIPD_GROUPS(tls_conf, certificates, tls_pair_conf, pair_items, 0, PAIRS_MOST,
                "pairs of certificate and key, chosen by the name that a client wants; the first "
                "serves all others, and is shown to servers"),
    SIPD_READ_PATH(tls_conf, certificate, "", "of one pair alone: the certificate"),
    SIPD_READ_PATH(tls_conf, key, "", "of one pair alone: its key"),
    SIPD_READ_PATH(tls_conf, ca, "",
                   "certificates of those whom we trust, in PEM; empty: the system's"),
    SIPD_READ_PATH(tls_conf, crl, "", "their revocation lists, in PEM; empty: none"),
    SIPD_CHOICE(
        tls_conf, verify_client, verify_words, 0,
        "certificates of those who connect to us: not asked for; judged if shown; required"),
    SIPD_BOOL(tls_conf, verify_server, true,
              "must those whom we connect to prove who they are (RFC 5922)? false: for tests and "
              "closed networks"),
    SIPD_CHOICE(tls_conf, min_version, version_words, 0, "the oldest version of TLS"),
    SIPD_STR(tls_conf, ciphers, "",
             "suites of TLS 1.2, as openssl ciphers has them; empty: good ones"),
    SIPD_STR(tls_conf, ciphersuites, "", "suites of TLS 1.3; empty: all good ones"),
    SIPD_UINT(tls_conf, ticket_s, 7200, 0, 86400,
              "seconds in which a session may be resumed; its keys change twice in this time; 0: "
              "never"),
    SIPD_UINT(tls_conf, warn_days, 21, 0, 365,
              "days before the end of a certificate of ours from which on it is warned of"),
    SIPD_UINT(
        tls_conf, warn_crl_hours, 24, 0, 8760,
        "hours before the end of a revocation list from which on it is warned of: one that has "
        "ended refuses all whom its issuer certified"),
    SIPD_CONF_END,
};

/* ---- certificates that end soon */

static int64_t
days_left(const struct tls *tls, const struct cert *cert)
{
    int64_t left_s = cert_expires_s(cert->x509) - sipd_wall_s(tls->host);

    return left_s < 0 ? -1 : left_s / DAY_S;
}

static void
look_at_certificates(struct tls *tls)
{
    uint64_t expiring = 0;

    for (size_t i = 0; i < tls->certs->len; i++) {
        const struct cert *cert = &tls->certs->at[i];
        int64_t days = days_left(tls, cert);
        char text[32];

        if (days >= (int64_t)tls->conf->warn_days)
            continue;
        expiring++;
        snprintf(text, sizeof text, "%lld", (long long)days);
        sipd_log(tls->host, days < 0 ? 0 : 1,
                 days < 0 ? "certificate-expired" : "certificate-expires", "file", cert->path,
                 "days", days < 0 ? "0" : text, NULL);
    }
    *tls->count.expiring = expiring;
}

/* True: it ends soon, or has ended, and that was said. */
static bool
warn_of_crl(const struct tls *tls, const X509_CRL *crl)
{
    int64_t left_s = crl_expires_s(crl) - sipd_wall_s(tls->host);
    char issuer[256], hours[32];

    if (left_s >= (int64_t)tls->conf->warn_crl_hours * HOUR_S)
        return false;
    X509_NAME_oneline(X509_CRL_get_issuer(crl), issuer, sizeof issuer);
    snprintf(hours, sizeof hours, "%lld", left_s < 0 ? 0LL : (long long)(left_s / HOUR_S));
    sipd_log(tls->host, left_s < 0 ? 0 : 1, left_s < 0 ? "crl-expired" : "crl-expires", "issuer",
             issuer, "hours", hours, NULL);
    return true;
}

static void
look_at_crls(struct tls *tls)
{
    STACK_OF(X509_OBJECT) *held = X509_STORE_get0_objects(tls->certs->trust);
    uint64_t expiring = 0;

    for (int i = 0; i < sk_X509_OBJECT_num(held); i++) {
        X509_OBJECT *object = sk_X509_OBJECT_value(held, i);

        if (X509_OBJECT_get_type(object) == X509_LU_CRL)
            expiring += warn_of_crl(tls, X509_OBJECT_get0_X509_CRL(object));
    }
    *tls->count.crls_expiring = expiring;
}

static void
look_at_ends(struct tls *tls)
{
    look_at_certificates(tls);
    look_at_crls(tls);
}

static void
look_again(void *self, uint64_t unused)
{
    struct tls *tls = self;

    (void)unused;
    look_at_ends(tls);
    sipd_timer(tls->host, LOOK_MS, look_again, tls, 0);
}

/* ---- commands */

static void
show_certificates(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct tls *tls = self;

    (void)ask;
    for (size_t i = 0; i < tls->certs->len; i++) {
        const struct cert *cert = &tls->certs->at[i];
        time_t at = (time_t)cert_expires_s(cert->x509);
        char names[512] = "", day[32] = "";
        struct span name;
        struct tm tm;

        for (size_t n = 0; (name = verify_identity(cert->sans.at, cert->sans.len, n)).len > 0; n++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%.*s", n ? " " : "",
                     SPAN_ARG(name));
        if (gmtime_r(&at, &tm))
            strftime(day, sizeof day, "%Y-%m-%d", &tm);
        sipd_answer_row(answer);
        sipd_answer_field(answer, "file", span_of(cert->path));
        sipd_answer_field(answer, "names", span_of(names));
        sipd_answer_field(answer, "expires", span_of(day));
        sipd_answer_number(answer, "days", days_left(tls, cert));
    }
}

/* ---- life */

static void
count_init(struct tls *tls)
{
    const struct {
        uint64_t **cell;
        const char *name;
    } cells[] = {
        { &tls->count.handshakes, "tls_handshakes" }, /* done, both directions */
        { &tls->count.resumed, "tls_resumed" },       /* … of them without certificates */
        { &tls->count.refused, "tls_refused" },       /* by us; the log says why */
        { &tls->count.refused_by_peer, "tls_refused_by_peer" }, /* by an alert */
        { &tls->count.unlogged, "tls_unlogged" },               /* refusals too many to be logged */
        { &tls->count.expiring, "tls_expiring" }, /* certificates of ours that end soon, now */
        { &tls->count.crls_expiring, "tls_crls_expiring" }, /* … and lists of the revoked */
    };

    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        *cells[i].cell = sipd_counter(tls->host, cells[i].name);
}

static struct certs *
read_certs(struct tls *tls, const struct tls_conf *conf)
{
    char why[CERTS_WHY_BYTES];
    struct certs *certs = certs_new(tls, conf, tls->certs, why);

    if (!certs)
        sipd_complain(tls->host, "%s", why);
    return certs;
}

static void
take(struct tls *tls, const struct tls_conf *conf)
{
    tls->conf = conf;
    tls->tickets.rotate_ms = (uint64_t)conf->ticket_s * 1000 / 2 + 1;
}

static bool
trusts_the_same(const struct tls *tls, const struct tls_conf *conf, const struct certs *certs)
{
    return tls->certs->trust == certs->trust && tls->conf->verify_client == conf->verify_client &&
           tls->conf->verify_server == conf->verify_server &&
           tls->conf->min_version == conf->min_version;
}

/* Sessions under way go on with what they began with; those who come back are judged by what holds now. */
static int
tls_reload(void *self, const void *conf)
{
    struct tls *tls = self;
    bool current = certs_are_current(tls, tls->certs, tls->conf, conf);
    struct certs *certs = current ? tls->certs : read_certs(tls, conf);

    if (!certs)
        return SIPD_EINVAL;
    if (!trusts_the_same(tls, conf, certs)) {
        tickets_forget(&tls->tickets);
        resume_forget_all(&tls->resumes);
    }
    if (!current)
        certs_free(&tls->certs);
    tls->certs = certs;
    take(tls, conf);
    look_at_ends(tls);
    return SIPD_OK;
}

static void
tls_unload(void *self)
{
    struct tls *tls = self;

    resume_forget_all(&tls->resumes);
    tickets_forget(&tls->tickets);
    certs_free(&tls->certs);
    BIO_meth_free(tls->wire_method);
}

static int
start(struct tls *tls)
{
    int err = sipd_command(tls->host, "show certificates", "our certificates and when they end",
                           false, show_certificates, tls);

    if (err == SIPD_OK)
        err = sipd_offer_transport(tls->host, SPAN("tls"), &io_ops, tls);
    if (err == SIPD_OK && !sipd_is_trial(tls->host))
        look_again(tls, 0);
    return err;
}

static int
tls_load(struct sipd_host *host, const void *conf, void **self)
{
    struct tls *tls = sipd_new(host, sizeof *tls);
    int err;

    if (!tls)
        return SIPD_ENOMEM;
    tls->host = host;
    take(tls, conf);
    count_init(tls);
    tls->wire_method = io_method_new();
    tls->certs = read_certs(tls, conf);
    err = !tls->wire_method ? SIPD_ENOMEM : !tls->certs ? SIPD_EINVAL : start(tls);
    if (err != SIPD_OK) {
        tls_unload(tls);
        return err;
    }
    *self = tls;
    return SIPD_OK;
}

SIPD_MODULE(.name = "tls", .conf = tls_items, .conf_bytes = sizeof(struct tls_conf),
            .load = tls_load, .reload = tls_reload, .unload = tls_unload);
