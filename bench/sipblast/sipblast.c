/*
 * sipblast: plays both ends of a proxy, or the phones of a registrar, and says what the server used.
 *
 * One process, pinned to one CPU, which never sleeps, so that waking up is no part of what is measured. The server's
 * CPU time is read over exactly the measured interval. Prints one line of key=value. Loopback only, and every run is
 * bounded: by -d, by the drain, and by an alarm. Options: usage().
 */
#include "blast.h"

#include <arpa/inet.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define BURST       64        /* launched at most before the wire is looked at */
#define TICK_NS     (NS / 50) /* between two looks at the retransmission times */
#define SECONDS_MAX 600.0

struct plan plan = {
    .window = 100, .users = 10000, .warm_s = 0.5, .measure_s = 3, .drain_s = 2, .cpu = 1
};
struct tally tally;
bool measuring;

static const char *const scenario_names[SCENARIOS] = { "options", "invite", "register" };

struct sample { /* of what grows */
    uint64_t at_ns, idle_ns;
    double server_cpu_s, server_kib;
    struct tally tally;
};

void
fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("sipblast: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static void __attribute__((noreturn)) usage(void)
{
    fputs("usage: sipblast -s options|invite|register -S HOST:PORT [options]   (addresses: "
          "127.x.x.x only)\n"
          "  -S server    -A caller (127.0.0.1:5091)    -U callee (127.0.0.1:5092)\n"
          "  -P PID       a process of the server, whose CPU time and memory are read; once for "
          "each\n"
          "  -w N         transactions in flight at most (100)\n"
          "  -r N         transactions a second, late ones skipped (0: as many as go)\n"
          "  -W S -d S -D S   warm up (0.5), measure (3), wait for the last answers (2)\n"
          "  -n N         transactions in all (0: no end to them)\n"
          "  -H           the callee says nothing: what it was asked stays pending\n"
          "  -N N         distinct users, in turn (10000)\n"
          "  -C N         CPU to run on (1)\n"
          "  -I           sleep while there is nothing to do, rather than look all the time\n"
          "  -x           no server but a forwarder or an echo: skip what only a proxy does\n",
          stderr);
    exit(2);
}

static double
number_of(const char *text, double low, double high)
{
    char *end;
    double number = strtod(text, &end);

    if (end == text || *end || !(number >= low && number <= high))
        fail("%s: a number from %g to %g is wanted", text, low, high);
    return number;
}

static struct sockaddr_in
address_of(const char *text)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    char host[INET_ADDRSTRLEN] = "";
    size_t len = strcspn(text, ":");

    if (text[len] == ':' && len < sizeof host) {
        memcpy(host, text, len);
        address.sin_port = htons((uint16_t)number_of(text + len + 1, 1, UINT16_MAX));
    }
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
        ntohl(address.sin_addr.s_addr) >> 24 != 127)
        fail("%s: 127.x.x.x:PORT is wanted", text);
    return address;
}

static void
address_write(const struct sockaddr_in *address, char to[32])
{
    char host[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &address->sin_addr, host, sizeof host);
    snprintf(to, 32, "%s:%u", host, ntohs(address->sin_port));
}

static enum scenario
scenario_of(const char *name)
{
    for (unsigned i = 0; i < SCENARIOS; i++)
        if (strcmp(name, scenario_names[i]) == 0)
            return (enum scenario)i;
    usage();
}

static void
add_pid(int pid)
{
    if (plan.pids_len == PIDS_MAX)
        fail("more than %d processes", PIDS_MAX);
    plan.pids[plan.pids_len++] = pid;
}

static void
plan_read(int argc, char **argv)
{
    bool chosen = false;
    int option;

    plan.caller = address_of("127.0.0.1:5091");
    plan.callee = address_of("127.0.0.1:5092");
    while ((option = getopt(argc, argv, "s:S:A:U:P:w:r:W:d:D:n:HIN:C:x")) != -1) {
        switch (option) {
        case 's':
            plan.scenario = scenario_of(optarg);
            chosen = true;
            break;
        case 'S': plan.server = address_of(optarg); break;
        case 'A': plan.caller = address_of(optarg); break;
        case 'U': plan.callee = address_of(optarg); break;
        case 'P': add_pid((int)number_of(optarg, 1, INT32_MAX)); break;
        case 'w': plan.window = (uint32_t)number_of(optarg, 1, 100000); break;
        case 'r': plan.rate = number_of(optarg, 0, 1e6); break;
        case 'W': plan.warm_s = number_of(optarg, 0, SECONDS_MAX); break;
        case 'd': plan.measure_s = number_of(optarg, 0.01, SECONDS_MAX); break;
        case 'D': plan.drain_s = number_of(optarg, 0, SECONDS_MAX); break;
        case 'n': plan.most = (uint64_t)number_of(optarg, 0, UINT32_MAX); break;
        case 'H': plan.silent = true; break;
        case 'I': plan.sleeps = true; break;
        case 'N': plan.users = (uint32_t)number_of(optarg, 1, 9999999); break;
        case 'C': plan.cpu = (unsigned)number_of(optarg, 0, CPU_SETSIZE - 1); break;
        case 'x': plan.raw = true; break;
        default: usage();
        }
    }
    if (!chosen || !plan.server.sin_family || optind != argc)
        usage();
    address_write(&plan.server, plan.server_text);
    address_write(&plan.caller, plan.caller_text);
    address_write(&plan.callee, plan.callee_text);
    hex_write(plan.run, (uint32_t)now_ns() ^ (uint32_t)getpid() << 16);
}

static uint64_t planned;

/* When the next is to be launched, at a given rate. */
static uint64_t
next_due(uint64_t start)
{
    return start + (uint64_t)((double)planned / plan.rate * 1e9);
}

static void
launch(uint64_t start, uint64_t now)
{
    for (unsigned burst = 0; burst < BURST; burst++) {
        uint64_t due = now;

        if (plan.rate > 0) {
            due = next_due(start);
            if (due > now)
                return;
        }
        planned++;
        if (!call_launch(due, now)) {
            if (plan.rate > 0)
                tally.skipped++;
            else
                return;
        }
    }
}

static struct sample
sample_take(uint64_t now, uint64_t idle_ns)
{
    return (struct sample){
        .at_ns = now,
        .idle_ns = idle_ns,
        .server_cpu_s = server_cpu_s(),
        .server_kib = plan.most ? server_kib() : 0, /* not cheap to find out */
        .tally = tally,
    };
}

/* Until the next launch, a message, or the next look at what is to be repeated. */
static void
idle(uint64_t start, uint64_t now, bool ended)
{
    uint64_t due = !ended && plan.rate > 0 ? next_due(start) : now + TICK_NS;
    uint64_t ns = due > now ? due - now : 0;

    wire_wait(ns < TICK_NS ? ns : TICK_NS);
}

/* Warm-up, then what lies between *from and *to, then the drain: nothing is launched in it. */
static void
run(struct sample *from, struct sample *to)
{
    uint64_t start = now_ns(), now = start, ticked = start, idle_ns = 0;
    uint64_t warm = start + (uint64_t)(plan.warm_s * 1e9),
             end = warm + (uint64_t)(plan.measure_s * 1e9);
    uint64_t drained = end + (uint64_t)(plan.drain_s * 1e9);
    bool ended = false;

    while (!ended || (calls_open() > 0 && now < drained)) {
        uint64_t later;
        unsigned got;

        if (!measuring && !ended && now >= warm) {
            *from = sample_take(now, idle_ns);
            measuring = true;
        }
        if (!ended && now >= end) {
            *to = sample_take(now, idle_ns);
            measuring = false;
            ended = true;
        }
        if (!ended)
            launch(start, now);
        wire_flush();
        got = wire_receive(now);
        wire_flush();
        if (got == 0 && plan.sleeps)
            idle(start, now, ended);
        later = now_ns();
        if (got == 0)
            idle_ns += later - now;
        now = later;
        if (now - ticked > TICK_NS) {
            calls_tick(now);
            ticked = now;
        }
    }
}

static uint64_t
bad_write(void)
{
    static const char *const names[BADS] = { "syntax",       "branch", "call-id",
                                             "cseq",         "length", "via",
                                             "max-forwards", "route",  "contact" };
    uint64_t sum = 0;

    for (unsigned i = 0; i < BADS; i++) {
        sum += tally.bad[i];
        if (tally.bad[i])
            fprintf(stderr, "sipblast: bad %s: %lu times\n", names[i], (unsigned long)tally.bad[i]);
    }
    return sum;
}

/* Errors count from first to last, rates and times between the samples. */
static int
report(const struct sample *from, const struct sample *to)
{
    double seconds = (double)(to->at_ns - from->at_ns) / 1e9;
    double done = (double)(to->tally.done - from->tally.done),
           sent = (double)(to->tally.sent - from->tally.sent);
    double cpu_us = (to->server_cpu_s - from->server_cpu_s) * 1e6;
    uint64_t bad = bad_write(), unfinished = calls_open();

    printf("scenario=%s server=%s seconds=%.3f transactions=%.0f per_s=%.0f",
           scenario_names[plan.scenario], plan.server_text, seconds, done, done / seconds);
    if (plan.pids_len && sent > 0 && done > 0)
        printf(" cpu_us_per_message=%.3f cpu_us_per_transaction=%.3f server_util=%.3f",
               cpu_us / sent, cpu_us / done, cpu_us / 1e6 / seconds);
    if (plan.most)
        printf(" bytes_each=%.0f", (to->server_kib - from->server_kib) * 1024 /
                                       (double)(tally.launched - tally.refused));
    printf(" p50_us=%.0f p90_us=%.0f p99_us=%.0f idle=%.3f", latency_us(0.5), latency_us(0.9),
           latency_us(0.99), (double)(to->idle_ns - from->idle_ns) / 1e9 / seconds);
    printf(" lost=%lu retransmitted=%lu skipped=%lu unsent=%lu stray=%lu refused=%lu refusal=%u "
           "bad=%lu\n",
           (unsigned long)(tally.lost + unfinished), (unsigned long)tally.retransmitted,
           (unsigned long)tally.skipped, (unsigned long)tally.unsent, (unsigned long)tally.stray,
           (unsigned long)tally.refused, tally.refusal, (unsigned long)bad);
    return bad || tally.refused || (!plan.silent && tally.done == 0);
}

int
main(int argc, char **argv)
{
    struct sample from = { 0 }, to = { 0 };
    cpu_set_t cpus;

    plan_read(argc, argv);
    alarm((unsigned)(plan.warm_s + plan.measure_s + plan.drain_s) + 30);
    CPU_ZERO(&cpus);
    CPU_SET(plan.cpu, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus) != 0)
        fail("no CPU %u", plan.cpu);
    shapes_make();
    /* One transaction a user at a time, or REGISTERs of one user would overtake each other. */
    calls_init(plan.scenario == SCENARIO_REGISTER && plan.users < plan.window ? plan.users
                                                                              : plan.window);
    wire_open();
    if (plan.sleeps)
        (void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    run(&from, &to);
    return report(&from, &to);
}
