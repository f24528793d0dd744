/*
 * A sipd with a TLS listener and what tests ask of it.
 */
#include "live/tls_rig.h"

#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 65536 };

struct server tls_server;
uint16_t tls_port;

#define OPTIONS                                                                           \
    "OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK%u\n" \
    "Max-Forwards: 70\nFrom: <sip:test@192.0.2.1>;tag=1\nTo: <sip:example.com>\n"         \
    "Call-ID: tls%u\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"

const char *
tls_own(const char *name)
{
    static char paths[8][300];
    static unsigned next;
    char *to = paths[next++ % 8];

    snprintf(to, sizeof paths[0], "%s/%s", proc_dir(), name);
    return to;
}

void
tls_start(const char *tls)
{
    char settings[3000], listeners[256];

    certs_copy("server.pem", "own.pem", "644");
    certs_copy("server.key", "own.key", "600");
    certs_copy("ca.pem", "trusted.pem", "644");
    certs_copy("ca.crl", "own.crl", "644");
    tls_port = proc_port("127.0.0.1");
    snprintf(listeners, sizeof listeners,
             "{ transport = \"tls\"; address = \"127.0.0.1\"; port = %u; }%s", tls_port,
             proc_has_ip("::1") ? ", { transport = \"tls\"; address = \"::1\"; port = 0; }" : "");
    server_also_listen(listeners);
    snprintf(settings, sizeof settings,
             "modules = [ \"tls\" ];\nproxy = { relay = \"any\"; };\n"
             "tls = { certificates = ( { certificate = \"%s\"; key = \"%s\"; },\n"
             "  { certificate = \"%s\"; key = \"%s\"; },\n"
             "  { certificate = \"%s\"; key = \"%s\"; } );\n ca = \"%s\"; crl = \"%s\"; %s };",
             tls_own("own.pem"), tls_own("own.key"), certs_path("two.pem"), certs_path("two.key"),
             certs_path("rsa.pem"), certs_path("rsa.key"), tls_own("trusted.pem"),
             tls_own("own.crl"), tls);
    server_make(&tls_server, "sipd", settings);
    server_also_listen(NULL);
    server_start(&tls_server);
}

void
tls_stop(void)
{
    server_stop(&tls_server);
}

void
tls_start_optional(void)
{
    tls_start("verify_client = \"optional\";");
}

void
tls_ask(struct tls_peer *p)
{
    static unsigned serial;

    serial++;
    tls_peer_send(p, OPTIONS, serial, serial);
}

bool
tls_is_served(struct tls_peer *p)
{
    static char reply[MESSAGE_BYTES];

    tls_ask(p);
    return tls_peer_receive(p, reply, sizeof reply) > 0 && strstr(reply, "SIP/2.0 200") == reply;
}

bool
tls_connects(const struct tls_wish *wish)
{
    struct tls_peer p;
    bool served = tls_peer_connect(&p, "127.0.0.1", tls_port, wish) && tls_is_served(&p);

    tls_peer_close(&p);
    return served;
}

void
tls_must_log(const char *text)
{
    ck_assert_msg(proc_says(&tls_server.proc, text, PROC_PATIENCE_MS), "no \"%s\" in:\n%s", text,
                  proc_output(&tls_server.proc));
}

uint64_t
tls_counter(const char *name)
{
    char words[64];
    struct proc out;
    const char *at;
    unsigned long long value = 0;

    snprintf(words, sizeof words, "--json show counters %s", name);
    ck_assert_int_eq(server_ctl(&tls_server, &out, words, NULL), 0);
    at = strstr(proc_output(&out), "\"value\"");
    if (at)
        sscanf(at, "\"value\"%*[^0-9]%llu", &value);
    return value;
}

const char *
tls_shown_name(const struct tls_peer *p, char to[64])
{
    X509 *x509 = SSL_get0_peer_certificate(p->ssl);

    X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, to, 64);
    return to;
}
