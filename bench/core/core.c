/*
 * What the proxy core spends on each message of a call, from its bytes to the bytes it sends: no socket, no kernel. And
 * what it holds of the heap for a call that rings, and for one that has ended.
 *
 * Calls go in turns, as a busy socket hands them out; time is virtual, and passes so that old transactions end while new
 * ones come. Caller and callee are made of what the core sent; their work is not counted. core traced: the same while all that
 * is decided is kept on a tape, as with explain.always. core stateless: without transactions.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "core/core.h"
#include "core/explain.h"
#include "daemon/tape.h"
#include "lib/around.h"
#include "scan/scan.h"
#include "sip/line.h"
#include "sip/msg.h"

enum {
    TURN = 64,
    TURNS = 400,
    HELD_TURNS = 320,
    TURN_MS = 10,
    MESSAGE = 2048,
    PENDING_MOST = 6144,
    FINISHED_MOST = 1000,
    TAPE_ROOM = 8 << 20
};

enum part { INVITE, RINGING, ANSWER, ACK, BYE, DONE, PARTS };

static const char *const step_names[PARTS] = { "INVITE", "180", "200", "ACK", "BYE", "200 to BYE" };

#define CALLER SPAN("192.0.2.1")
#define CALLEE SPAN("192.0.2.200")
#define PROXY  SPAN("198.51.100.1")

struct message {
    char text[MESSAGE];
    size_t len;
};

static struct tape tape; /* with "traced" */

static struct world {
    struct clock clock;
    struct rand rand;
    struct arena turn, own; /* the core's; what caller and callee read with */
    struct counters counters;
    struct log log;
    struct hop caller, callee;
    struct span sent[TURN * 2]; /* in this turn */
    size_t sent_len;
    unsigned turn_ms; /* pass with each turn */
} world;

static double ns[PARTS][TURNS];

/* ---------------------------------------------------------------- ports */

static void
take_send(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need)
{
    struct world *w = io;

    (void)to;
    (void)token;
    (void)need;
    if (w->sent_len == TURN * 2)
        around_stop("core", "sends more than it should");
    w->sent[w->sent_len++] = bytes;
}

static bool
ours(void *io, struct span host, uint16_t port)
{
    (void)io;
    (void)port;
    return span_eq(host, PROXY) || span_ieq(host, SPAN("example.com"));
}

/* ---------------------------------------------------------------- caller and callee */

static void
put(struct message *m, struct span text)
{
    if (m->len + text.len > sizeof m->text)
        around_stop("core", "a message is too long");
    memcpy(m->text + m->len, text.at, text.len);
    m->len += text.len;
}

/* All fields of this name, as lines; behind a To's value its tag. */
static void
put_fields(struct message *m, const struct msg *of, enum header id, const char *as, const char *tag)
{
    for (const struct msg_field *f = NULL; (f = msg_find(of, id, f));) {
        put(m, span_of(as));
        put(m, SPAN(": "));
        put(m, msg_value(of, f));
        put(m, span_of(tag));
        put(m, SPAN("\r\n"));
    }
}

static struct msg
read_back(struct span bytes)
{
    struct msg msg;

    if (msg_read(bytes, &world.own, &msg) != SIPD_OK || msg.fault)
        around_stop("core", "what was sent cannot be read");
    return msg;
}

static void
write_invite(struct message *m, unsigned call)
{
    static const char sdp[] =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 49172 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";
    unsigned mix = call * 2654435761u;

    m->len =
        (size_t)snprintf(m->text, sizeof m->text,
                         "INVITE sip:bob%u@192.0.2.200:5060 SIP/2.0\r\n"
                         "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%08x%u;rport\r\n"
                         "Max-Forwards: 70\r\n"
                         "From: \"Alice Liddell\" <sip:alice@example.com>;tag=%08x\r\n"
                         "To: <sip:bob%u@example.com>\r\n"
                         "Call-ID: %08x-%u@192.0.2.1\r\n"
                         "CSeq: 101 INVITE\r\n"
                         "Contact: <sip:alice@192.0.2.1:5060>\r\n"
                         "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REFER, NOTIFY\r\n"
                         "Supported: replaces, timer, path\r\n"
                         "User-Agent: ExamplePhone/4.2\r\n"
                         "Content-Type: application/sdp\r\n"
                         "Content-Length: %zu\r\n\r\n%s",
                         call, mix, call, ~mix, call, mix ^ 77, call, sizeof sdp - 1, sdp);
}

/* The callee responds to what reached it. */
static void
write_response(struct message *m, struct span request, const char *status)
{
    struct msg of = read_back(request);
    bool first = of.method == METHOD_INVITE;

    m->len = 0;
    put(m, span_of(status));
    put_fields(m, &of, HDR_VIA, "Via", "");
    put_fields(m, &of, HDR_RECORD_ROUTE, "Record-Route", "");
    put_fields(m, &of, HDR_FROM, "From", "");
    put_fields(m, &of, HDR_TO, "To", first ? ";tag=callee" : "");
    put_fields(m, &of, HDR_CALL_ID, "Call-ID", "");
    put_fields(m, &of, HDR_CSEQ, "CSeq", "");
    put(m, SPAN("Contact: <sip:bob@192.0.2.200:5060>\r\nContent-Length: 0\r\n\r\n"));
}

/* The caller goes on in the dialog that this response made. */
static void
write_request(struct message *m, struct span response, unsigned call, const char *method,
              const char *cseq)
{
    struct msg of = read_back(response);

    m->len = (size_t)snprintf(m->text, sizeof m->text,
                              "%s sip:bob@192.0.2.200:5060 SIP/2.0\r\n"
                              "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%s%u;rport\r\n"
                              "Max-Forwards: 70\r\nCSeq: %s %s\r\n",
                              method, method, call, cseq, method);
    put_fields(m, &of, HDR_RECORD_ROUTE, "Route", "");
    put_fields(m, &of, HDR_FROM, "From", "");
    put_fields(m, &of, HDR_TO, "To", "");
    put_fields(m, &of, HDR_CALL_ID, "Call-ID", "");
    put(m, SPAN("Content-Length: 0\r\n\r\n"));
}

/* ---------------------------------------------------------------- turns */

static double
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* All messages of a turn enter; each leaves as one. Returns ns a message. */
static double
turn_run(struct core *core, const struct hop *from, const struct message messages[TURN])
{
    double begin;

    world.clock.now_ms += world.turn_ms;
    world.sent_len = 0;
    begin = now_ns();
    arena_reset(&world.turn);
    for (unsigned i = 0; i < TURN; i++)
        core_bytes(core, from, (struct span){ messages[i].text, messages[i].len }, 0, NULL);
    core_tick(core);
    begin = now_ns() - begin;
    if (world.sent_len != TURN)
        around_stop("core", "not every message was forwarded");
    return begin / TURN;
}

/* Writes what follows upon what was sent in the turn before. */
static void
step_write(enum part step, unsigned first_call, struct message messages[TURN])
{
    static struct message invites[TURN], answers[TURN]; /* as the callee and the caller got them */

    arena_reset(&world.own);
    for (unsigned i = 0; i < TURN; i++) {
        struct message *m = &messages[i];
        struct span kept = { answers[i].text, answers[i].len };

        if (step == RINGING) {
            invites[i].len = 0;
            put(&invites[i], world.sent[i]);
        } else if (step == ACK) {
            answers[i].len = 0;
            put(&answers[i], world.sent[i]);
            kept = world.sent[i];
        }
        switch (step) {
        case INVITE: write_invite(m, first_call + i); break;
        case RINGING:
        case ANSWER:
            write_response(m, (struct span){ invites[i].text, invites[i].len },
                           step == ANSWER ? "SIP/2.0 200 OK\r\n" : "SIP/2.0 180 Ringing\r\n");
            break;
        case ACK: write_request(m, kept, first_call + i, "ACK", "101"); break;
        case BYE: write_request(m, kept, first_call + i, "BYE", "102"); break;
        case DONE: write_response(m, world.sent[i], "SIP/2.0 200 OK\r\n"); break;
        case PARTS: break;
        }
    }
}

/* Does the callee send it? */
static bool
is_up(enum part step)
{
    return step == RINGING || step == ANSWER || step == DONE;
}

/* So many turns of calls, each of them up to this step. */
static void
run(struct core *core, unsigned turns, enum part last)
{
    static struct message messages[TURN];

    for (unsigned turn = 0; turn < turns; turn++) {
        for (enum part step = INVITE; step <= last; step++) {
            step_write(step, turn * TURN, messages);
            ns[step][turn] = turn_run(core, is_up(step) ? &world.callee : &world.caller, messages);
        }
    }
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
print(void)
{
    double sum = 0;

    printf("core: ns a message of a call, %d calls, median of turns [lowest..highest tenth]; "
           "scanner %s\n",
           TURN * TURNS, scan_chosen->name);
    for (enum part step = INVITE; step < PARTS; step++) {
        qsort(ns[step], TURNS, sizeof ns[step][0], compare);
        printf("  %-12s %6.0f [%5.0f..%5.0f]\n", step_names[step], ns[step][TURNS / 2], ns[step][0],
               ns[step][TURNS - TURNS / 10]);
        sum += ns[step][TURNS / 2];
    }
    printf("  %-12s %6.0f\n", "mean", sum / PARTS);
}

enum { ROUNDS = 101 };

/* The n-th message of a round: kind by kind, or as calls that overlap bring them. */
static enum part
part_of(unsigned n, bool mixed, unsigned *call)
{
    *call = mixed ? n / PARTS : n % TURN;
    return mixed ? (n + n / PARTS) % PARTS : n / TURN;
}

/* A round of TURN calls, a turn after the other. Returns ns a message. */
static double
round_run(struct core *core, struct message messages[PARTS][TURN], bool mixed)
{
    double begin = now_ns();

    for (unsigned n = 0; n < PARTS * TURN; n++) {
        unsigned call;
        enum part step = part_of(n, mixed, &call);
        const struct message *m = &messages[step][call];

        if (n % TURN == 0) {
            world.sent_len = 0;
            arena_reset(&world.turn);
        }
        core_bytes(core, is_up(step) ? &world.callee : &world.caller,
                   (struct span){ m->text, m->len }, 0, NULL);
        if (n % TURN == TURN - 1 && world.sent_len != TURN)
            around_stop("core", "not every message was forwarded");
    }
    return (now_ns() - begin) / (PARTS * TURN);
}

/* Without state the same messages may come again and again. */
static void
run_stateless(struct core *core)
{
    static struct message messages[PARTS][TURN];
    double rounds[2][ROUNDS];

    for (enum part step = INVITE; step < PARTS; step++) {
        step_write(step, 0, messages[step]);
        turn_run(core, is_up(step) ? &world.callee : &world.caller, messages[step]);
    }
    for (unsigned i = 0; i < ROUNDS; i++)
        for (unsigned mixed = 0; mixed < 2; mixed++)
            rounds[mixed][i] = round_run(core, messages, mixed);
    printf("core: ns a message of a call without state, median of rounds [lowest]; scanner %s\n",
           scan_chosen->name);
    for (unsigned mixed = 0; mixed < 2; mixed++) {
        qsort(rounds[mixed], ROUNDS, sizeof(double), compare);
        printf("  %-12s %6.0f [%5.0f]\n", mixed ? "mixed" : "kind by kind",
               rounds[mixed][ROUNDS / 2], rounds[mixed][0]);
    }
}

static void
run_stateful(struct core *core)
{
    world.turn_ms = TURN_MS;
    run(core, TURNS, DONE);
    print();
}

static struct hop
hop_at(struct span ip)
{
    struct hop hop = { .port = 5060, .listener = 1, .transport = HOP_UDP };

    if (!hop_ip_read(ip, &hop))
        around_stop("core", "no address");
    return hop;
}

static struct core *
begin(const struct core_ports *ports, const struct core_conf *conf)
{
    struct core *core;

    if (core_new(&core, ports, conf) != SIPD_OK)
        around_stop("core", "no memory");
    core_explain(core, ports->explain != NULL);
    return core;
}

/* Bytes of the heap for each of many calls that came as far as this step, while no time passes. */
static double
held_by_call(const struct core_ports *ports, const struct core_conf *conf, enum part last)
{
    struct core *core = begin(ports, conf);
    size_t before = mallinfo2().uordblks;
    double each;

    world.turn_ms = 0;
    run(core, HELD_TURNS, last);
    each = (double)(mallinfo2().uordblks - before) / (HELD_TURNS * TURN);
    core_free(&core);
    return each;
}

static bool
measure_memory(const struct core_ports *ports, const struct core_conf *conf)
{
    double pending = held_by_call(ports, conf, INVITE);
    /* of its INVITE and of its BYE, a server and a client side each */
    double finished = held_by_call(ports, conf, DONE) / 2;

    printf("core: heap bytes held: %.0f for a pending INVITE with one branch (most %d), %.0f for a "
           "finished transaction, "
           "both sides (most %d)\n",
           pending, PENDING_MOST, finished, FINISHED_MOST);
    return pending <= PENDING_MOST && finished <= FINISHED_MOST;
}

/* As the daemon keeps what is decided, with explain.always. */
static void
keep(void *io, const struct explain_event *event)
{
    (void)io;
    tape_put(&tape, event, 1, NULL, false);
}

int
main(int argc, char **argv)
{
    bool traced = argc > 1 && strcmp(argv[1], "traced") == 0;
    bool stateless = argc > 1 && strcmp(argv[1], "stateless") == 0;
    struct core_ports ports = {
        .way = around_way,
        .send = take_send,
        .ours = ours,
        .side = around_side,
        .knows = around_knows,
        .io = &world,
        .clock = &world.clock,
        .rand = &world.rand,
        .turn = &world.turn,
        .counters = &world.counters,
        .log = &world.log,
        .key = { 1, 2 },
    };
    struct core_conf conf;
    const struct prf_key tape_key = { 3, 4 };
    struct core *core;
    bool small;

    if (traced && tape_init(&tape, TAPE_ROOM, &tape_key, 1) != SIPD_OK)
        around_stop("core", "no memory");
    ports.explain = traced ? keep : NULL;
    scan_choose(span_of(getenv("SIPD_SCAN")));
    world.clock = (struct clock){ 1000, 1700000000 };
    world.caller = hop_at(CALLER);
    world.callee = hop_at(CALLEE);
    rand_seed(&world.rand, 1);
    arena_init(&world.turn, 64 << 20);
    arena_init(&world.own, 64 << 20);
    counters_init(&world.counters);
    core_conf_default(&conf);
    conf.relay = CORE_RELAY_ANY;
    conf.mode = stateless ? CORE_STATELESS : CORE_STATEFUL;
    core = begin(&ports, &conf);
    if (stateless)
        run_stateless(core);
    else
        run_stateful(core);
    core_free(&core);
    small = stateless || measure_memory(&ports, &conf);
    counters_fini(&world.counters);
    arena_fini(&world.own);
    arena_fini(&world.turn);
    return small ? 0 : 1;
}
