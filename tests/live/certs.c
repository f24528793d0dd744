/*
 * Certificates of a test's own, and a peer that speaks TLS with them.
 */
#include "live/certs.h"

#include <arpa/inet.h>
#include <check.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/folder.h"
#include "live/proc.h"
#include "live/wire_text.h"

/* ---- certificates */

static const char script[] =
    "set -e\n"
    "cd \"$1\"\n"
    "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "for ca in ca other; do\n"
    "  openssl req -x509 $key -keyout $ca.key -out $ca.pem -days 30 -subj /CN=$ca\n"
    "done\n"
    "make() {\n"
    "  openssl req ${6:-$key} -keyout $1.key -out $1.csr -subj /CN=$1\n"
    "  printf 'subjectAltName=%s\\n%s\\n' \"$3\" \"$5\" >$1.ext\n"
    "  openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days $4 \\\n"
    "    -extfile $1.ext -out $1.pem\n"
    "}\n"
    "ours=DNS:example.com,IP:127.0.0.1,IP:::1\n"
    "make server ca $ours 30\n"
    "make later ca $ours 29\n"
    "make two ca URI:sip:two.example.com 30\n"
    "make rsa ca DNS:rsa.example.com 30 '' '-newkey rsa:2048 -nodes'\n"
    "make client ca DNS:client.example.net 30\n"
    "make elsewhere ca DNS:example.org 30\n"
    "make expired ca $ours -1\n"
    "make unknown other $ours 30\n"
    "make revoked ca $ours 30\n"
    "make code ca $ours 30 extendedKeyUsage=codeSigning\n"
    "make domain ca $ours 30 extendedKeyUsage=1.3.6.1.5.5.7.3.20\n"
    "make wild ca 'DNS:*.example.com' 30\n"
    "openssl req -x509 $key -keyout self.key -out self.pem -days 30 -subj /CN=self \\\n"
    "  -addext subjectAltName=$ours\n"
    "printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index\\ndefault_md=sha256\\n"
    "default_crl_days=30\\n' >ca.cnf\n"
    ": >index\n"
    "openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -revoke revoked.pem\n"
    "openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -gencrl -out ca.crl\n"
    "openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -gencrl -crlhours 12 -out soon.crl\n"
    "openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -gencrl -crl_lastupdate "
    "20200101000000Z \\\n"
    "  -crl_nextupdate 20200201000000Z -out old.crl\n"
    "cat client.pem client.key >client.both\n"
    "chmod 600 *.key\n"
    "touch made\n";

static char dir[FOLDER_BYTES]; /* of the process that runs all tests; its children look only */
static pid_t dir_owner;

static void
remove_dir(void)
{
    if (dir_owner == getpid())
        folder_remove(dir);
}

const char *
certs_path(const char *file)
{
    static char paths[16][128];
    static unsigned next;
    char *to = paths[next++ % 16];

    snprintf(to, sizeof paths[0], "%s/%s", dir, file);
    return to;
}

void
certs_make(void)
{
    const char *argv[] = { "sh", "-c", script, "sh", dir, NULL };
    struct proc p;

    if (dir[0])
        return;
    ck_assert(folder_make("certs", dir));
    dir_owner = getpid();
    atexit(remove_dir);
    ck_assert_msg(proc_run(&p, "certs", 2 * PROC_PATIENCE_MS, argv),
                  "certificates were not made:\n%s", proc_output(&p));
}

void
certs_copy(const char *from, const char *to, const char *mode)
{
    char command[700];
    const char *argv[] = { "sh", "-c", command, NULL };
    struct proc out;

    snprintf(command, sizeof command, "cd %s && cp %s new && chmod %s new && mv new %s", proc_dir(),
             certs_path(from), mode, to);
    ck_assert_msg(proc_run(&out, "copy", PROC_PATIENCE_MS, argv), "%s", proc_output(&out));
}

/* ---- peers */

static void
use_cert(SSL_CTX *ctx, const char *name)
{
    char file[64];

    snprintf(file, sizeof file, "%s.pem", name);
    ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(ctx, certs_path(file)), 1);
    snprintf(file, sizeof file, "%s.key", name);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(ctx, certs_path(file), SSL_FILETYPE_PEM), 1);
}

static void
prepare(struct tls_peer *p, bool server, const struct tls_wish *wish)
{
    struct timeval wait = { .tv_sec = PROC_PATIENCE_MS / 1000 };

    p->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    ck_assert_ptr_nonnull(p->ctx);
    SSL_CTX_set_security_level(p->ctx, 0);
    SSL_CTX_set_min_proto_version(p->ctx, wish->version ? wish->version : TLS1_VERSION);
    SSL_CTX_set_max_proto_version(p->ctx, wish->version);
    ck_assert_int_eq(SSL_CTX_set_cipher_list(p->ctx, wish->suites ? wish->suites : "ALL"), 1);
    SSL_CTX_load_verify_locations(p->ctx, certs_path("ca.pem"), NULL);
    if (wish->cert)
        use_cert(p->ctx, wish->cert);
    p->ssl = SSL_new(p->ctx);
    ck_assert_ptr_nonnull(p->ssl);
    if (wish->name)
        SSL_set_tlsext_host_name(p->ssl, (char *)(uintptr_t)wish->name);
    if (wish->alpn)
        SSL_set_alpn_protos(p->ssl, (const unsigned char *)wish->alpn,
                            (unsigned)strlen(wish->alpn));
    if (wish->resume)
        SSL_set_session(p->ssl, wish->resume);
    setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    SSL_set_fd(p->ssl, p->fd);
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that refuses us closes while we write */
}

bool
tls_peer_connect(struct tls_peer *p, const char *ip, uint16_t port, const struct tls_wish *wish)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    bool is_v6 = strchr(ip, ':') != NULL;

    *p = (struct tls_peer){ .fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0) };
    inet_pton(AF_INET, ip, &v4.sin_addr);
    inet_pton(AF_INET6, ip, &v6.sin6_addr);
    ck_assert_int_eq(connect(p->fd, is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
                             is_v6 ? sizeof v6 : sizeof v4),
                     0);
    prepare(p, false, wish);
    return SSL_connect(p->ssl) == 1;
}

bool
tls_peer_accept(struct tls_peer *p, int listening, const struct tls_wish *wish)
{
    struct pollfd at = { .fd = listening, .events = POLLIN };

    *p = (struct tls_peer){ .fd = -1 };
    if (poll(&at, 1, PROC_PATIENCE_MS) != 1)
        return false;
    p->fd = accept(listening, NULL, NULL);
    prepare(p, true, wish);
    return SSL_accept(p->ssl) == 1;
}

void
tls_peer_send(struct tls_peer *p, const char *format, ...)
{
    char wire[WIRE_TEXT_BYTES];
    va_list args;
    size_t n;

    va_start(args, format);
    n = wire_text(wire, format, args);
    va_end(args);
    ck_assert_int_eq(SSL_write(p->ssl, wire, (int)n), (int)n);
}

size_t
tls_peer_receive(struct tls_peer *p, char *to, size_t room)
{
    int len = SSL_read(p->ssl, to, (int)room - 1);

    to[len > 0 ? len : 0] = '\0';
    ERR_clear_error();
    return len > 0 ? (size_t)len : 0;
}

void
tls_peer_close(struct tls_peer *p)
{
    if (p->ssl) /* without a word, but not as if it had been broken: it may be resumed */
        SSL_set_shutdown(p->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(p->ssl);
    SSL_CTX_free(p->ctx);
    if (p->fd >= 0)
        close(p->fd);
    ERR_clear_error();
    *p = (struct tls_peer){ .fd = -1 };
}
