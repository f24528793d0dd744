/*
 * Many connections to a server on the loopback: what each costs it at rest, and what bad ones can do.
 *
 *   conns [-t] [-m FILE] -p PID MODE COUNT PORT
 *
 * hold: opens them, has a keep-alive answered on each (RFC 5626 §4.4.1), and says how much private memory the server has more for each.
 * churn: opens and closes one after the other, and says what the server's memory did after the first tenth, and its CPU.
 * busy: an OPTIONS and its answer on one after the other, until a signal; says how many were answered, and on how many not.
 * ping: so many OPTIONS by UDP, one every 5 ms; says how long their answers took until the kernel had them: when we got the
 * processor, on which those that go on beside us compete with us, is no affair of the server's.
 * drip: a byte a second on each. deaf: requests on each, and no answer is read. Both go on until a signal.
 * -m: with hold; a file in which the server says what OpenSSL holds of its memory (inside/counted.c): so the shares are told.
 * -t: over TLS. Sources are 127.0.0.2 and up, two thousand connections each.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 20000, FROM_EACH = 2000, TEXT_BYTES = 8192 };

struct line {
    int fd;
    SSL *ssl;
};

static struct line lines[MANY];
static SSL_CTX *ctx;
static const char *pid, *counted;
static int room_bytes; /* of the kernel, for what we do not read; 0: as it likes */
static volatile sig_atomic_t stopped;

static void
stop(int sig)
{
    (void)sig;
    stopped = 1;
}

static void
nap(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&t, NULL);
}

/* ---- the server */

/* What no file has: pages of the program come and go with what else the machine does. */
static long
private_kib(void)
{
    char path[64], text[256];
    long kib = 0, one;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%s/smaps_rollup", pid);
    f = fopen(path, "re");
    while (f && fgets(text, sizeof text, f))
        if (sscanf(text, "Anonymous: %ld", &one) == 1 || sscanf(text, "Swap: %ld", &one) == 1)
            kib += one;
    if (f)
        fclose(f);
    return kib;
}

/* What OpenSSL holds in it; 0 without -m. */
static long
openssl_bytes(void)
{
    FILE *f = counted ? fopen(counted, "re") : NULL;
    long bytes = 0;

    if (f && fread(&bytes, sizeof bytes, 1, f) != 1)
        bytes = 0;
    if (f)
        fclose(f);
    return bytes;
}

/* In milliseconds. */
static long
cpu_ms(void)
{
    char path[64], text[1024] = "";
    unsigned long user = 0, system = 0;
    const char *at;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    f = fopen(path, "re");
    if (f && !fgets(text, sizeof text, f))
        text[0] = '\0';
    if (f)
        fclose(f);
    at = strrchr(text, ')');
    if (at)
        sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (long)((user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK));
}

/* ---- connections */

static bool
line_open(struct line *line, int n, unsigned port)
{
    struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
    int one = 1;

    from.sin_addr.s_addr = htonl(0x7f000002u + (unsigned)n / FROM_EACH % 100);
    to.sin_addr.s_addr = htonl(0x7f000001u);
    to.sin_port = htons((uint16_t)port);
    line->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(line->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (room_bytes > 0)
        setsockopt(line->fd, SOL_SOCKET, SO_RCVBUF, &room_bytes, sizeof room_bytes);
    if (line->fd < 0 || bind(line->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
        connect(line->fd, (struct sockaddr *)&to, sizeof to) != 0)
        return false;
    if (!ctx)
        return true;
    line->ssl = SSL_new(ctx);
    SSL_set_fd(line->ssl, line->fd);
    return SSL_connect(line->ssl) == 1;
}

static void
line_close(struct line *line)
{
    struct linger now = { 1, 0 };

    SSL_free(line->ssl);
    setsockopt(line->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* no port waits in TIME_WAIT */
    close(line->fd);
    *line = (struct line){ .fd = -1 };
}

static bool
line_put(struct line *line, const char *text, size_t len)
{
    if (line->ssl)
        return SSL_write(line->ssl, text, (int)len) == (int)len;
    return send(line->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static ssize_t
line_get(struct line *line, char *to, size_t room)
{
    return line->ssl ? SSL_read(line->ssl, to, (int)room) : recv(line->fd, to, room, 0);
}

static bool
is_alive(struct line *line)
{
    char text[8];

    return line_put(line, "\r\n\r\n", 4) && line_get(line, text, sizeof text) == 2;
}

static size_t
options(char to[TEXT_BYTES], int n, bool tls)
{
    return (size_t)snprintf(to, TEXT_BYTES,
                            "OPTIONS sip:127.0.0.1 SIP/2.0\r\n"
                            "Via: SIP/2.0/%s 127.0.0.1;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\n"
                            "From: <sip:b@127.0.0.1>;tag=%d\r\nTo: <sip:127.0.0.1>\r\n"
                            "Call-ID: conns%d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
                            tls ? "TLS" : "TCP", n, n, n);
}

static bool
is_answered(struct line *line, int n)
{
    char text[TEXT_BYTES];
    size_t len = options(text, n, line->ssl != NULL);
    ssize_t got;

    if (!line_put(line, text, len))
        return false;
    got = line_get(line, text, sizeof text);
    return got > 12 && memcmp(text, "SIP/2.0 200", 11) == 0;
}

/* ---- modes */

static int
hold(int count, unsigned port)
{
    long before, after, all, openssl;

    for (int n = 0; n < 10; n++) { /* what is made once is made now */
        if (!line_open(&lines[0], n, port) || !is_alive(&lines[0]))
            return 1;
        line_close(&lines[0]);
    }
    nap(3000);
    before = private_kib();
    openssl = openssl_bytes();
    for (int n = 0; n < count; n++)
        if (!line_open(&lines[n], n, port) || !is_alive(&lines[n])) {
            fprintf(stderr, "connection %d was refused\n", n);
            return 1;
        }
    nap(3000);
    after = private_kib();
    all = (after - before) * 1024 / count;
    openssl = (openssl_bytes() - openssl) / count;
    printf("{\"connections\":%d,\"bytes_each\":%ld,\"before_kib\":%ld,\"after_kib\":%ld", count,
           all, before, after);
    if (counted)
        printf(",\"openssl_bytes_each\":%ld,\"ours_bytes_each\":%ld", openssl, all - openssl);
    puts("}");
    return 0;
}

static int
churn(int count, unsigned port)
{
    long tenth_kib = 0, tenth_ms = 0;
    int n;

    for (n = 0; n < count && !stopped; n++) {
        if (!line_open(&lines[0], n, port)) {
            fprintf(stderr, "connection %d was refused\n", n);
            return 1;
        }
        line_close(&lines[0]);
        if (n == count / 10) {
            tenth_kib = private_kib();
            tenth_ms = cpu_ms();
        }
    }
    printf("{\"connections\":%d,\"after_a_tenth_kib\":%ld,\"after_kib\":%ld,\"cpu_us_each\":%ld}\n",
           n, tenth_kib, private_kib(),
           n > count / 10 ? (cpu_ms() - tenth_ms) * 1000 / (n - count / 10) : 0);
    return 0;
}

static int
drip(int count, unsigned port)
{
    static const char text[] = "OPTIONS sip:slow@127.0.0.1 SIP/2.0\r\nSubject: ";
    size_t at = 0;

    for (int n = 0; n < count && !stopped; n++)
        if (!line_open(&lines[n], n, port))
            line_close(&lines[n]);
    puts("dripping");
    fflush(stdout);
    for (; !stopped; at++) {
        char c = at < sizeof text - 1 ? text[at] : 'x';

        for (int n = 0; n < count && !stopped; n++) {
            if (lines[n].fd >= 0 && !line_put(&lines[n], &c, 1)) {
                line_close(&lines[n]);
                if (!line_open(&lines[n], n, port))
                    line_close(&lines[n]);
            }
            if ((n + 1) % (count / 500 + 1) == 0)
                nap(2); /* spread over the second: no burst of ours is in the way of a ping on the same CPU */
        }
    }
    return 0;
}

static int
deaf(int count, unsigned port)
{
    char text[TEXT_BYTES];
    int serial = 0;

    room_bytes = 4096; /* the server is to notice soon */
    for (int n = 0; n < count && !stopped; n++)
        if (line_open(&lines[n], n, port))
            fcntl(lines[n].fd, F_SETFL, O_NONBLOCK);
        else
            line_close(&lines[n]);
    puts("deaf");
    fflush(stdout);
    while (!stopped) {
        for (int n = 0; n < count; n++)
            if (lines[n].fd >= 0)
                line_put(&lines[n], text, options(text, serial++, ctx != NULL));
        nap(10);
    }
    return 0;
}

static int
busy(int count, unsigned port)
{
    long answered = 0, failed = 0;

    for (int n = 0; n < count; n++)
        if (!line_open(&lines[n], n, port))
            return 1;
    puts("busy");
    fflush(stdout);
    for (int n = 0; !stopped; n++)
        if (is_answered(&lines[n % count], n))
            answered++;
        else if (!stopped)
            failed++;
    printf("{\"connections\":%d,\"answered\":%ld,\"failed\":%ld,\"server_kib\":%ld}\n", count,
           answered, failed, private_kib());
    return failed != 0;
}

static long
usec(struct timespec t)
{
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static long
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return usec(t);
}

/* When the kernel had the answer; 0: none came. */
static long
arrival_us(int fd)
{
    char text[TEXT_BYTES];
    struct iovec room = { text, sizeof text };
    union {
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } extra;
    struct msghdr message = {
        .msg_iov = &room, .msg_iovlen = 1, .msg_control = &extra, .msg_controllen = sizeof extra
    };
    struct timespec at;

    if (recvmsg(fd, &message, 0) <= 0)
        return 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&at, CMSG_DATA(c), sizeof at);
            return usec(at);
        }
    return 0;
}

static int
by_size(const void *a, const void *b)
{
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

static int
ping(int count, unsigned port)
{
    static int took_us[MANY];
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct timeval wait = { .tv_sec = 2 };
    int fd = socket(AF_INET, SOCK_DGRAM, 0), lost = 0, at = 0, one = 1;
    char text[TEXT_BYTES];

    to.sin_addr.s_addr = htonl(0x7f000001u);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        return 1;
    for (int n = 0; n < count && !stopped; n++) {
        size_t len = (size_t)snprintf(text, sizeof text,
                                      "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
                                      "127.0.0.1;rport;branch=z9hG4bKp%d%d\r\n"
                                      "Max-Forwards: 70\r\nFrom: <sip:b@127.0.0.1>;tag=%d\r\n"
                                      "To: <sip:127.0.0.1>\r\nCall-ID: ping%d-%d\r\n"
                                      "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
                                      (int)getpid(), n, n, (int)getpid(), n);
        long from = now_us(), had = 0;

        if (send(fd, text, len, 0) == (ssize_t)len)
            had = arrival_us(fd);
        if (had > 0)
            took_us[at++] = (int)(had - from);
        else
            lost++;
        nap(5);
    }
    qsort(took_us, (size_t)at, sizeof *took_us, by_size);
    if (at > 0)
        printf("{\"lost\":%d,\"p50_us\":%d,\"p90_us\":%d,\"p99_us\":%d,\"max_us\":%d}\n", lost,
               took_us[at / 2], took_us[at * 9 / 10], took_us[at * 99 / 100], took_us[at - 1]);
    return lost != 0;
}

int
main(int argc, char **argv)
{
    struct rlimit files;
    int count, opt;
    unsigned port;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    while ((opt = getopt(argc, argv, "tp:m:")) != -1) {
        if (opt == 't')
            ctx = SSL_CTX_new(TLS_client_method());
        else if (opt == 'p')
            pid = optarg;
        else if (opt == 'm')
            counted = optarg;
    }
    if (argc - optind != 3 || !pid) {
        fprintf(stderr,
                "usage: conns [-t] [-m FILE] -p PID hold|churn|busy|ping|drip|deaf COUNT PORT\n");
        return 2;
    }
    if (ctx)
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    count = (int)strtol(argv[optind + 1], NULL, 10);
    port = (unsigned)strtoul(argv[optind + 2], NULL, 10);
    if (strcmp(argv[optind], "churn") == 0)
        return churn(count, port);
    if (count < 1 || count > MANY)
        return 2;
    if (strcmp(argv[optind], "hold") == 0)
        return hold(count, port);
    if (strcmp(argv[optind], "busy") == 0)
        return busy(count, port);
    if (strcmp(argv[optind], "ping") == 0)
        return ping(count, port);
    return strcmp(argv[optind], "drip") == 0 ? drip(count, port) : deaf(count, port);
}
