/*
 * What the files of sipblast share: the plan of a run, its tally, and one struct for each thing on the wire.
 */
#ifndef BENCH_BLAST_H
#define BENCH_BLAST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_BYTES 4096          /* no message of ours, and none we take, is longer */
#define NS            1000000000ull /* nanoseconds of a second */
#define PIDS_MAX      64            /* processes of one server */

enum scenario { SCENARIO_OPTIONS, SCENARIO_INVITE, SCENARIO_REGISTER, SCENARIOS };

struct plan { /* from the command line; constant afterwards */
    enum scenario scenario;
    /* a forwarder or an echo stands where the server would: what only a proxy does is not checked */
    bool raw;
    uint32_t window; /* transactions in flight at most */
    uint32_t users;  /* distinct user parts, taken in turn */
    double rate;     /* transactions a second; 0: as many as the window lets through */
    double warm_s, measure_s, drain_s;
    unsigned cpu;
    uint64_t most; /* transactions launched in all; 0: no end to them */
    /* while there is nothing to do: it leaves its CPU to others, and wakes a little late */
    bool sleeps;
    bool silent;        /* the callee says nothing, so that INVITEs stay pending */
    int pids[PIDS_MAX]; /* the server's; none: its CPU time and memory are not read */
    unsigned pids_len;
    struct sockaddr_in server, caller, callee;
    char server_text[32], caller_text[32], callee_text[32];
    char run[9]; /* 8 hex digits that set this run's Call-IDs apart */
};

enum bad { /* what a server must not do to a message */
           BAD_SYNTAX,
           BAD_BRANCH,
           BAD_CALL_ID,
           BAD_CSEQ,
           BAD_LENGTH,
           BAD_VIA,
           BAD_MAX_FORWARDS,
           BAD_ROUTE,
           BAD_CONTACT,
           BADS
};

struct tally {
    uint64_t launched, skipped, done, lost, retransmitted, stray;
    uint64_t sent, received, unsent; /* messages */
    uint64_t refused;                /* final responses that the scenario does not expect */
    unsigned refusal;                /* the last of them */
    uint64_t bad[BADS];
};

struct text {
    const char *at;
    size_t len;
};

#define FIELDS_MAX 8

struct message {
    unsigned status; /* 0: a request */
    struct text method, branch, call_id, cseq_method, from, to, contact;
    struct text vias[FIELDS_MAX];          /* whole lines */
    struct text record_routes[FIELDS_MAX]; /* single values */
    unsigned via_count, record_route_count, route_count;
    uint32_t cseq, content_length;
    int max_forwards; /* -1: none */
    bool has_length;
    size_t head_bytes;
};

extern struct plan plan;
extern struct tally tally;
extern bool measuring;

/* meter.c: time, and what the server used of it */
uint64_t now_ns(void);
double server_cpu_s(void);
double server_kib(void);
void latency_add(uint64_t ns);
double latency_us(double quantile);

/* shape.c: requests as templates with holes of fixed width */
void shapes_make(void);
size_t shape_fill(char *to, uint32_t slot, uint32_t serial, uint32_t user, uint32_t cseq);
char *hex_write(char *to, uint32_t value);
char *decimal_write(char *to, int width, uint32_t value);
bool hex_read(const char *text, uint32_t *out);
extern const char sdp[];

/* read.c: just enough of a parser */
bool message_read(const char *bytes, size_t len, struct message *out);
bool text_is(struct text text, const char *word);
struct text uri_of(struct text address);

/* wire.c: the two sockets and their queues */
enum side { CALLER, CALLEE };
void wire_open(void);
char *wire_buffer(enum side side); /* room for one message; wire_send() queues it */
void wire_send(enum side side, const struct sockaddr_in *to, size_t len);
void wire_flush(void);
unsigned wire_receive(uint64_t now);
void wire_wait(uint64_t ns); /* until something comes, or so long */

/* call.c: what caller and callee do */
void calls_init(uint32_t slots);
uint32_t calls_open(void); /* transactions in flight */
bool call_launch(uint64_t due, uint64_t now);
void call_message(enum side side, const struct sockaddr_in *source, const struct message *message,
                  uint64_t now);
void calls_tick(uint64_t now);

void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
