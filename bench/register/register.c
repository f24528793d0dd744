/*
 * What a REGISTER costs from its bytes to the bytes of its answer, transaction and all, in memory: no socket, no kernel but for
 * the pages. First every user registers, then all refresh, round after round. Time is virtual; finished transactions are held
 * for 32 s of it.
 *
 * register [USERS [ROUNDS [SECONDS]]]: how many there are, how often all of them refresh, and how much time passes between two
 * rounds, in which old transactions end. The module is loaded as the server loads it, from modules/ beside bench/.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/heap.h"
#include "core/core.h"
#include "host/host.h"
#include "lib/around.h"
#include "scan/scan.h"

enum { TURN = 64, MESSAGE = 1024, USERS_MOST = 9999999, TURN_MS = 1 };

#define DOMAIN   SPAN("example.com")
#define LISTENER SPAN("udp:198.51.100.1:5060")

struct message {
    char text[MESSAGE];
    size_t len;
};

static struct world {
    struct clock clock;
    struct rand rand;
    struct arena turn;
    struct counters counters;
    struct log log;
    struct heap heap;
    struct hop phone;
    struct core_conf conf;
    struct core *core;
    struct host *host;
    size_t sent, refused; /* in this turn; ever */
} world;

/* ---------------------------------------------------------------- ports */

static void
take_send(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need)
{
    struct world *w = io;

    (void)to;
    (void)token;
    (void)need;
    w->sent++;
    w->refused += !span_starts(bytes, SPAN("SIP/2.0 200"));
}

static bool
ours(void *io, struct span host, uint16_t port)
{
    (void)io;
    return span_ieq(host, DOMAIN) && (port == 0 || port == 5060);
}

static uint64_t
note(void *io, const struct fact *fact)
{
    struct world *w = io;

    return host_note(w->host, fact);
}

static int
post(void *io, void (*fn)(void *arg), void *arg)
{
    (void)io;
    (void)fn;
    (void)arg;
    return SIPD_OK;
}

static struct span
domain(void *io, size_t n)
{
    (void)io;
    return n == 0 ? DOMAIN : (struct span){ NULL, 0 };
}

static struct span
listener_text(void *io, uint16_t listener)
{
    (void)io;
    return listener == 1 ? LISTENER : (struct span){ NULL, 0 };
}

static uint16_t
listener_find(void *io, struct span text)
{
    (void)io;
    return span_eq(text, LISTENER);
}

static void
sink(void *self, enum log_level level, struct span line)
{
    (void)self;
    (void)level;
    fprintf(stderr, "register: %.*s\n", SPAN_ARG(line));
}

/* ---------------------------------------------------------------- phones */

static void
write_register(struct message *m, unsigned user, unsigned cseq)
{
    m->len = (size_t)snprintf(m->text, sizeof m->text,
                              "REGISTER sip:example.com SIP/2.0\r\n"
                              "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK%08x%u\r\n"
                              "Max-Forwards: 70\r\n"
                              "From: <sip:u%07u@example.com>;tag=f%08x\r\n"
                              "To: <sip:u%07u@example.com>\r\n"
                              "Call-ID: registers%07u@192.0.2.1\r\n"
                              "CSeq: %u REGISTER\r\n"
                              "Contact: <sip:u%07u@192.0.2.1:5060>;expires=3600\r\n"
                              "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, MESSAGE\r\n"
                              "Supported: path, outbound\r\n"
                              "User-Agent: sipblast\r\n"
                              "Content-Length: 0\r\n\r\n",
                              user * 2654435761u, cseq, user, user ^ cseq * 2654435761u, user, user,
                              cseq, user);
    if (m->len >= sizeof m->text)
        around_stop("register", "a message is too long");
}

static double
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* All messages of a turn enter, and are answered. Returns ns. */
static double
turn_run(const struct message *messages, size_t len)
{
    double begin = now_ns();

    world.sent = 0;
    arena_reset(&world.turn);
    for (size_t i = 0; i < len; i++)
        core_bytes(world.core, &world.phone, (struct span){ messages[i].text, messages[i].len }, 0,
                   NULL);
    core_tick(world.core);
    host_tick(world.host);
    heap_follow(&world.heap);
    begin = now_ns() - begin;
    if (world.sent != len || world.refused > 0)
        around_stop("register", "not every phone was registered");
    return begin;
}

/* Each user once, in an order without a pattern. Returns ns a REGISTER. */
static double
round_run(unsigned users, unsigned cseq)
{
    static struct message messages[TURN];
    double sum = 0;

    for (unsigned done = 0; done < users;) {
        size_t len = 0;

        for (; len < TURN && done < users; done++)
            write_register(&messages[len++],
                           (unsigned)((uint64_t)done * UINT64_C(2654435761) % users), cseq);
        world.clock.now_ms += TURN_MS;
        sum += turn_run(messages, len);
    }
    return sum / users;
}

/* Time passes, and what is due in it is done. Returns ns. */
static double
rest(unsigned seconds)
{
    double sum = 0;

    for (unsigned i = 0; i < seconds * 100; i++) {
        world.clock.now_ms += 10;
        sum += turn_run(NULL, 0);
    }
    world.clock.wall_s += seconds;
    return sum;
}

static void
run(unsigned users, unsigned rounds, unsigned seconds)
{
    size_t before = mallinfo2().uordblks;
    double fresh = round_run(users, 1), least = 0, sum = 0, ended = 0;
    double held = (double)(mallinfo2().uordblks - before) / users;

    for (unsigned n = 0; n < rounds; n++) {
        double end = rest(seconds) / users, round = round_run(users, n + 2);

        least = n == 0 || round < least ? round : least;
        sum += round;
        ended += end;
    }
    printf("register: %u users: %.0f ns a new one, %.0f bytes of the heap", users, fresh, held);
    if (rounds > 0)
        printf("; refreshed %.0f [lowest round %.0f], %.0f to end a transaction", sum / rounds,
               least, ended / rounds);
    printf("\n");
}

/* ---------------------------------------------------------------- the world */

static void
load(const char *program)
{
    static const struct prf_key key = { 1, 2 };
    const struct host_ports ports = {
        .post = post,
        .is_ours = ours,
        .domain = domain,
        .listener_text = listener_text,
        .listener_find = listener_find,
        .io = &world,
        .clock = &world.clock,
        .rand = &world.rand,
        .counters = &world.counters,
        .log = &world.log,
        .state_dir = SPAN("/nowhere"),
    };
    struct host_source source = { .file = "register" };
    char dir[4096];
    config_t tree;
    struct buf why;

    snprintf(dir, sizeof dir, "%.*s/../modules", (int)(strrchr(program, '/') - program), program);
    source.dir = dir;
    buf_init(&why, 1 << 16);
    config_init(&tree);
    if (config_read_string(&tree, "registrar = { store = \"ram\"; };") != CONFIG_TRUE)
        around_stop("register", "the settings are wrong");
    source.root = config_root_setting(&tree);
    if (host_new(&world.host, &ports) != SIPD_OK ||
        host_open(world.host, &source, SPAN("registrar"), &why) != SIPD_OK ||
        host_start(world.host, &source, world.core, &key, &why) != SIPD_OK) {
        fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&why)));
        around_stop("register", "the registrar cannot be loaded");
    }
    config_destroy(&tree);
    buf_fini(&why);
}

static void
begin(const char *program)
{
    const struct core_ports ports = {
        .way = around_way,
        .send = take_send,
        .ours = ours,
        .side = around_side,
        .knows = around_knows,
        .note = note,
        .io = &world,
        .clock = &world.clock,
        .rand = &world.rand,
        .turn = &world.turn,
        .counters = &world.counters,
        .log = &world.log,
        .key = { 1, 2 },
    };

    scan_choose(span_of(getenv("SIPD_SCAN")));
    heap_widen(&world.heap);
    world.clock = (struct clock){ 1000, 1700000000 };
    world.log = (struct log){ .level = LOG_LVL_ERROR, .sink = sink };
    world.phone = (struct hop){ .port = 5060, .listener = 1, .transport = HOP_UDP };
    if (!hop_ip_read(SPAN("192.0.2.1"), &world.phone))
        around_stop("register", "no address");
    rand_seed(&world.rand, 1);
    arena_init(&world.turn, 64 << 20);
    counters_init(&world.counters);
    core_conf_default(&world.conf);
    world.conf.relay = CORE_RELAY_ANY;
    if (core_new(&world.core, &ports, &world.conf) != SIPD_OK)
        around_stop("register", "no memory");
    load(program);
}

static void
end(void)
{
    host_free(&world.host);
    core_free(&world.core);
    counters_fini(&world.counters);
    arena_fini(&world.turn);
}

static unsigned
number_of(int argc, char **argv, int n, unsigned otherwise)
{
    return argc > n ? (unsigned)strtoul(argv[n], NULL, 10) : otherwise;
}

int
main(int argc, char **argv)
{
    unsigned users = number_of(argc, argv, 1, 10000);

    if (users == 0 || users > USERS_MOST || !strchr(argv[0], '/'))
        around_stop("register", "how many users? And by its path, please");
    begin(argv[0]);
    run(users, number_of(argc, argv, 2, 10), number_of(argc, argv, 3, 0));
    end();
    return 0;
}
