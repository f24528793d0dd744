/*
 * Starts a registrar with a store that is full, and watches: when it serves, when it has read all, how long those wait who look for a
 * user meanwhile, and what memory it takes.
 *
 *     start -p PORT -n USERS COMMAND...
 *
 * Users u0000000@127.0.0.1 and so on are registered at 127.0.0.1:5094, where this program answers for them; 0: an empty store, of
 * which the memory alone counts. One line of key=value.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PHONES = 5094,
    TICK_US = 1000,   /* a look-up each */
    TAIL_US = 500000, /* for the last answers, and for the heap to settle */
    PATIENCE_US = 60000000,
    LOOKS = 600000,
    BYTES = 65536,
};

static unsigned port, users;
static pid_t server;
static int phone = -1;

static uint64_t begun, serves, all_read;

/* Of look-ups that began before all was read: us until the final answer, in the order in which they were answered. */
struct waits {
    uint32_t us[LOOKS];
    size_t len;
};
static struct waits found, refused;
static uint64_t sent[LOOKS];
static size_t looks, others; /* others: answered with anything else */

_Noreturn static void
give_up(const char *why)
{
    fprintf(stderr, "start: %s\n", why);
    if (server > 0)
        kill(server, SIGKILL);
    exit(1);
}

static uint64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
open_phone(void)
{
    struct sockaddr_in us = { .sin_family = AF_INET, .sin_port = htons(PHONES) }, it = us;

    us.sin_addr.s_addr = it.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    it.sin_port = htons((uint16_t)port);
    phone = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (phone < 0 || bind(phone, (struct sockaddr *)&us, sizeof us) != 0 ||
        connect(phone, (struct sockaddr *)&it, sizeof it) != 0)
        give_up(strerror(errno));
}

static void
start_server(char *const argv[])
{
    begun = now_us();
    server = fork();
    if (server < 0)
        give_up(strerror(errno));
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(2, 1);
        execvp(argv[0], argv);
        dprintf(2, "%s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
}

/* ---------------------------------------------------------------- look-ups */

/* Whom one asks for: the server itself, anybody, and who is read last, for rows are read in the order of their users. */
enum { SERVER, ANYBODY, LAST };

static void
ask(int kind, unsigned n, size_t id)
{
    char text[512], who[32] = "";
    int len;

    if (kind != SERVER)
        snprintf(who, sizeof who, "u%07u@", n);
    len = snprintf(text, sizeof text,
                   "OPTIONS sip:%s127.0.0.1:%u SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKlook%d-%zu\r\n"
                   "Max-Forwards: 70\r\nFrom: <sip:look@127.0.0.1>;tag=1\r\n"
                   "To: <sip:%s127.0.0.1:%u>\r\nCall-ID: look%d-%zu\r\nCSeq: %zu OPTIONS\r\n"
                   "Content-Length: 0\r\n\r\n",
                   who, port, PHONES, kind, id, who, port, kind, id, id + 1);
    (void)!send(phone, text, (size_t)len, 0); /* nobody may listen yet */
}

/* As the phone that it was sent to: all its fields are the answer's. */
static void
answer(const char *text, size_t len)
{
    static const char ok[] = "SIP/2.0 200 OK";
    static char reply[BYTES];
    const char *end = strstr(text, "\r\n");
    size_t rest;

    if (!end)
        return;
    rest = len - (size_t)(end - text);
    memcpy(reply, ok, sizeof ok - 1);
    memcpy(reply + sizeof ok - 1, end, rest);
    (void)!send(phone, reply, sizeof ok - 1 + rest, 0);
}

static void
note(struct waits *waits, uint64_t us)
{
    if (waits->len < LOOKS)
        waits->us[waits->len++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static void
hear_answer(const char *text)
{
    const char *cseq = strstr(text, "\r\nCSeq: "), *call = strstr(text, "\r\nCall-ID: look");
    unsigned long status = strtoul(text + 8, NULL, 10);
    size_t id = cseq ? strtoul(cseq + 8, NULL, 10) - 1 : LOOKS;
    int kind = call ? call[15] - '0' : ANYBODY;

    if (kind == SERVER && serves == 0 && status == 200)
        serves = now_us();
    if (kind == LAST && all_read == 0 && status == 200)
        all_read = now_us();
    if (kind != ANYBODY || id >= looks || sent[id] == 0 || status < 200)
        return;
    if (status != 200 && status != 503)
        others++;
    else
        note(status == 200 ? &found : &refused, now_us() - sent[id]);
    sent[id] = 0;
}

static void
hear_phone(void)
{
    static char text[BYTES];

    for (ssize_t n; (n = recv(phone, text, sizeof text - 32, 0)) >= 0 || errno == ECONNREFUSED;) {
        if (n <= 0)
            continue; /* nobody listened yet */
        text[n] = '\0';
        if (strncmp(text, "SIP/2.0 ", 8) == 0)
            hear_answer(text);
        else
            answer(text, (size_t)n);
    }
}

/* Until it serves, whether it does; then, while it reads, for anybody. */
static void
tick(void)
{
    static uint64_t seed = 88172645463325252u;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    if (serves == 0) {
        ask(SERVER, 0, 0);
    } else if (users > 0 && all_read == 0 && looks < LOOKS) {
        ask(LAST, users - 1, looks);
        sent[looks++] = now_us();
        ask(ANYBODY, (unsigned)(seed % users), looks - 1);
    }
}

static void
watch(void)
{
    struct pollfd at = { .fd = phone, .events = POLLIN };
    struct timespec least = { 0, 0 };
    uint64_t next = now_us(), now, end = begun + PATIENCE_US;

    while ((now = now_us()) < end) {
        if (now >= next) {
            if (waitpid(server, NULL, WNOHANG) != 0)
                give_up("the server has ended");
            tick();
            next = now + TICK_US;
        }
        least.tv_nsec = (long)(next - now) * 1000;
        (void)ppoll(&at, 1, &least, NULL);
        hear_phone();
        if (end == begun + PATIENCE_US && serves != 0 && (all_read != 0 || users == 0))
            end = now_us() + TAIL_US;
    }
    if (serves == 0 || (users > 0 && all_read == 0))
        give_up("it does not become ready");
}

/* ---------------------------------------------------------------- told */

static int
by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void
tell_waits(const char *name, struct waits *waits)
{
    printf(" %s=%zu", name, waits->len);
    if (waits->len == 0)
        return;
    qsort(waits->us, waits->len, sizeof waits->us[0], by_size);
    printf(" %s_p50_us=%u %s_p99_us=%u %s_max_us=%u", name, waits->us[waits->len / 2], name,
           waits->us[waits->len * 99 / 100], name, waits->us[waits->len - 1]);
}

static unsigned long
resident_kib(void)
{
    char name[64], line[256];
    unsigned long kib = 0;
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/status", (int)server);
    file = fopen(name, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtoul(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

/* Both threads, since it began. */
static double
cpu_s(void)
{
    clockid_t clock;
    struct timespec t;

    if (clock_getcpuclockid(server, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
tell(void)
{
    size_t open = 0;

    for (size_t i = 0; i < looks; i++)
        open += sent[i] != 0;
    printf("users=%u serves_s=%.3f", users, (double)(serves - begun) / 1e6);
    if (users > 0) {
        printf(" all_read_s=%.3f cpu_s=%.2f", (double)(all_read - begun) / 1e6, cpu_s());
        tell_waits("found", &found);
        tell_waits("refused", &refused);
        printf(" other=%zu unanswered=%zu", others, open);
    }
    printf(" rss_kib=%lu\n", resident_kib());
    if (others + open > 0)
        give_up("a look-up was not answered, or wrongly");
}

static void
stop_server(void)
{
    int status;

    kill(server, SIGTERM);
    if (waitpid(server, &status, 0) != server || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        give_up("it did not end well");
}

int
main(int argc, char *argv[])
{
    for (int option; (option = getopt(argc, argv, "+p:n:")) != -1;)
        if (option == 'p')
            port = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'n')
            users = (unsigned)strtoul(optarg, NULL, 10);
        else
            optind = argc;
    if (port == 0 || optind >= argc) {
        fprintf(stderr, "usage: start -p PORT -n USERS COMMAND...\n");
        return 2;
    }
    open_phone();
    start_server(argv + optind);
    watch();
    tell();
    stop_server();
    return 0;
}
