/*
 * The phones of the random calls, and what they hold: calls, dialogs, transactions.
 *
 * Everything of a call lies in its arena and ends with it. None of this shares code with the transactions
 * under test.
 */
#ifndef SIM_UA_H
#define SIM_UA_H

#include "base/slots.h"
#include "sim/calls.h"
#include "sim/world.h"

enum { UA_T1_MS = 500, UA_T2_MS = 4000, UA_T4_MS = 5000, UA_GIVE_UP_MS = 64 * UA_T1_MS };
enum {
    ROUTES_MAX = 24,
    REGISTERED = 6,
    OLD = 16
}; /* REGISTERED: users that the registrar may know; OLD: messages kept for mischief */

struct judge;
struct strict;
struct leg;

struct ua {
    struct sim_end udp, tcp; /* one address and port */
    struct calls *calls;
    struct span name, domain;
    struct span address;   /* "10.0.0.7:5060" */
    uint8_t transport;     /* what its Contact names, and its first requests take */
    struct sim_sipd *sipd; /* its outbound proxy … */
    bool spared;           /* the network harms nothing of it, and nobody switches it off */
    bool naughty;          /* does what is illegal, now and then */
};

enum style {                      /* how a call's requests are written */
             STYLE_COMPACT = 1,   /* short forms of names */
             STYLE_RPORT = 2,     /* RFC 3581 */
             STYLE_NO_LENGTH = 4, /* no Content-Length in a datagram (§20.14) */
             STYLE_BODY = 8,
             STYLES = 16
};

struct ask { /* a request to be written; spans live as long as the call */
    enum method method;
    struct span method_text;
    struct span uri, from, to, branch;
    uint32_t cseq;
    unsigned max_forwards; /* 0: 70 */
    uint8_t transport;
    const struct leg *leg; /* its Routes */
    struct span extra;     /* whole lines */
    struct span routes;    /* whole lines, outside of dialogs: its CANCEL and ACK have them too */
};

enum deal_kind { DEAL_ICT, DEAL_NICT, DEAL_IST, DEAL_NIST };
enum deal_state {
    DEAL_OPEN,       /* client: nothing heard; server: nothing final said */
    DEAL_PROCEEDING, /* client: a provisional response was heard */
    DEAL_SUCCESS,    /* INVITE: a 2xx */
    DEAL_FINAL,      /* any other final response */
    DEAL_CONFIRMED,  /* IST: the ACK of a failure came */
    DEAL_OVER,
};

struct deal {               /* a transaction of a phone */
    struct table_node node; /* calls->deals, until it is over */
    struct list link;       /* call->deals */
    struct call *call;
    struct ua *ua;
    struct leg *leg; /* NULL: outside dialogs, or none yet */
    enum deal_kind kind;
    enum deal_state state;
    enum method method;
    struct span branch;
    struct hop to; /* where it sends */
    uint64_t began_ms;
    struct span bytes; /* the last message it sent */
    uint32_t cseq;
    uint32_t interval_ms;
    uint16_t status;      /* of the final response */
    struct timer repeat;  /* A, E, G; a 2xx that waits for its ACK */
    struct timer timeout; /* B, D, F, H, I, J, K, L, M */
    struct timer next;    /* what its user does next */

    struct ask ask; /* a client's */
    bool cancel_wanted, cancelled;
    unsigned dialogs; /* that its 2xx made */

    struct span head; /* a server's: of its responses, behind the status line, Via to CSeq */
    struct span tag;
    bool acked;
    unsigned rings;   /* provisional responses to be sent yet … */
    uint32_t ring_ms; /* … one after such a time … */
    uint16_t answer;  /* … and then this; 0: never */
};

struct leg {          /* a dialog at one phone (§12) */
    struct list link; /* call->legs */
    struct call *call;
    struct ua *ua;
    bool confirmed, over;
    struct span local, remote; /* values of From and To */
    struct span local_tag, remote_tag;
    struct span target;
    struct span routes[ROUTES_MAX];
    unsigned routes_len;
    uint32_t cseq;
    uint32_t acked_cseq; /* a caller's: of the INVITE that `ack` is for */
    struct span ack;     /* the last ACK sent */
    struct hop ack_to;
    struct timer next;
    unsigned acts; /* requests to be sent yet before it hangs up */
    bool hangs_up; /* else it waits for the other side, for a long time */
};

enum call_kind { CALL_INVITE, CALL_ASK, CALL_REGISTER, CALL_ODD, CALL_KINDS };

struct call {
    struct list link; /* calls->spare, when it is none */
    struct calls *calls;
    uint64_t id;
    struct arena arena;
    struct span call_id;
    char call_id_text[32];
    unsigned style;
    struct list deals, legs;
    struct list servers; /* the judge's */
    bool tainted;        /* something illegal was done in it */
    unsigned busy;       /* deals and legs that are not over */
    unsigned serial;     /* of tags and branches */
    uint64_t last_ms;    /* when somebody said something */
    struct timer close;
};

enum ua_timer { TIMER_REPEAT, TIMER_TIMEOUT, TIMER_NEXT, TIMER_LEG, TIMER_CLOSE }; /* timer.kind */

struct calls {
    const struct calls_conf *conf;
    struct world world;
    struct world_driver driver;
    struct rand rand;
    struct ua *uas;
    unsigned uas_len;
    struct span *users; /* Request-URIs that may be called */
    unsigned users_len;
    struct slots ids; /* struct call * */
    struct list spare;
    struct table deals;
    struct timers timers;
    struct buf scratch, odd;
    struct buf old[OLD]; /* things said once, for mischief */
    struct judge *judge;
    unsigned begun, open;
    uint64_t next_call_ms, next_weather_ms;
    uint32_t apart_ms;     /* between two calls, twice the average */
    uint32_t longest_ms;   /* an INVITE is answered before that */
    uint32_t quiet_ms;     /* who behaves says nothing for no longer: nobody gives him up as yet */
    bool sunny;            /* nothing is lost and everybody behaves */
    bool stormy;           /* phones are switched off, connections end, the network parts */
    bool naughty;          /* some do what is illegal */
    bool strained;         /* loops lag, and sipds refuse some of what is new */
    struct strict *strict; /* a strict router; NULL: there is none */
    struct span failed;    /* Call-ID of what went wrong first */
    struct calls_figures figures;
};

/* ------------------------------------------------------------------ chance */

static inline uint32_t
upto(struct calls *c, uint32_t n)
{
    return (uint32_t)rand_below(&c->rand, (uint64_t)n + 1);
}

static inline bool
chance(struct calls *c, unsigned of_100)
{
    return rand_below(&c->rand, 100) < of_100;
}

/* ------------------------------------------------------------------ calls.c */

/* Notes what went wrong in a call, the first one only. */
void call_fail(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);
struct call *call_new(struct calls *c);
struct call *call_find(const struct calls *c, struct span call_id);
/* A deal or a leg is over. */
void call_rests(struct call *call);
/* A text that lives as long as the call. */
struct span call_text(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);
struct span call_keep(struct call *call, struct span s);
void call_arm(struct call *call, struct timer *timer, uint32_t after_ms, enum ua_timer kind);

/* ------------------------------------------------------------------ scene.c */

/* The world, by c->conf and chance. */
void scene_build(struct calls *c);
/* Something changes, and sets when the next thing does. */
void scene_change_weather(struct calls *c);
struct ua *any_ua(struct calls *c);

/* ------------------------------------------------------------------ say.c */

struct span say_request(struct call *call, const struct ua *ua, const struct ask *ask);
/* The fields that every response to this request has; tag: for its To. */
struct span say_head(struct call *call, const struct msg *msg, const struct gist *gist,
                     struct span tag);
struct span say_response(struct call *call, const struct ua *ua, unsigned status, struct span head,
                         struct span extra);
struct span say_contact(struct call *call, const struct ua *ua);

/* ------------------------------------------------------------------ deal.c */

/* Asks: writes the request, begins a client transaction, sends it. The branch of ask may be empty: a new one. */
struct deal *deal_ask(struct ua *ua, struct call *call, struct leg *leg, const struct ask *ask,
                      const struct hop *to);
struct deal *deal_serve(struct ua *ua, struct call *call, const struct hop *from,
                        const struct msg *msg, const struct gist *gist);
/* Answers; once final, does nothing. */
void deal_answer(struct deal *deal, unsigned status, struct span extra);
struct deal *deal_find(struct ua *ua, bool server, const struct gist *gist, enum method method);
/* A response came. True: its user shall hear it. */
bool deal_heard(struct deal *deal, unsigned status, const struct gist *gist);
/* The request came again. */
void deal_heard_again(struct deal *deal);
/* The ACK of a failure came, or that of a 2xx. */
void deal_acked(struct deal *deal);
void deal_timer(struct deal *deal, struct timer *timer);
void deal_end(struct deal *deal);

/* ------------------------------------------------------------------ leg.c */

/* The dialog that this message is in, at this phone; NULL: none. */
struct leg *leg_find(struct ua *ua, struct call *call, const struct gist *gist, bool is_request);
struct leg *leg_of_caller(struct deal *deal, const struct msg *msg, const struct gist *gist);
struct leg *leg_of_callee(struct deal *deal, const struct msg *msg, const struct gist *gist);
/* The 2xx came: its Record-Route is what counts (§13.2.2.4). */
void leg_confirm(struct leg *leg, const struct msg *msg);
/* A response or a request within it names a new remote target (§12.2). */
void leg_refresh(struct leg *leg, const struct msg *msg);
/* Does its first Route name a strict router (§12.2.1.1)? */
bool leg_is_strict(const struct leg *leg);
/* What stands as its requests' Request-URI: the remote target, or the strict router. */
struct span leg_request_uri(const struct leg *leg);
/* Sends a request within it. */
struct deal *leg_ask(struct leg *leg, enum method method, struct span method_text);
/* Acknowledges a 2xx (§13.2.2.4); the same one again gets the same ACK again. */
void leg_ack(struct leg *leg, uint32_t cseq);
/* It is confirmed: plans what to do in it. */
void leg_begin(struct leg *leg);
/* Hangs up so soon. */
void leg_hang_up(struct leg *leg, uint32_t after_ms);
void leg_timer(struct leg *leg);
void leg_end(struct leg *leg);

/* ------------------------------------------------------------------ caller.c, callee.c */

/* Somebody calls, asks or registers. */
void caller_begin(struct calls *c, struct ua *ua, enum call_kind kind);
void caller_heard(struct deal *deal, const struct msg *msg, const struct gist *gist);
void caller_timer(struct deal *deal);
/* A client transaction ends; it was answered or not. */
void caller_done(struct deal *deal);

void callee_asked(struct deal *deal, const struct msg *msg, const struct gist *gist);
void callee_timer(struct deal *deal);
void callee_cancelled(struct deal *invite);
/* Its final response was never acknowledged. */
void callee_unacked(struct deal *deal);

/* ------------------------------------------------------------------ ua.c */

void ua_hear_udp(struct sim_end *end, const struct hop *from, struct span bytes);
void ua_hear_tcp(struct sim_end *end, const struct hop *from, struct span bytes);
/* Sends, unless it is switched off. ua_put: whatever it is, and no mischief. */
void ua_put(struct ua *ua, const struct hop *to, struct span bytes);
void ua_send(struct ua *ua, struct call *call, const struct hop *to, struct span bytes);
/* Is something illegal to be done now? */
bool odd(const struct ua *ua, struct call *call, unsigned of_100);
/* Sends something like this, or something else. */
void odd_send(struct ua *ua, const struct hop *to, struct span bytes);
/* Says one more final response. */
void odd_answer(struct deal *deal);

/* Where a URI with a literal address leads. */
struct hop ua_hop(struct span uri);

#endif
