/*
 * The proxy core: four ways in, everything else by its ports (RFC 3261 §16).
 *
 * It owns trips, branches and transactions, and knows no socket, file or time of day. The same bytes, times and seed give
 * the same server.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "core/chain.h"
#include "core/fixer.h"
#include "core/flood.h"
#include "core/ports.h"
#include "core/repairs.h"
#include "txn/txns.h"

enum core_fork { CORE_FORK_PARALLEL, CORE_FORK_Q };
enum core_relay { CORE_RELAY_OURS, CORE_RELAY_ANY };
enum core_mode { CORE_STATEFUL, CORE_STATELESS };
enum core_stray { CORE_STRAY_DROP, CORE_STRAY_VERIFIED };

struct core_conf {       /* one immutable tree, read anew at each step */
    enum core_mode mode; /* §16.2 or §16.11 */
    /* what has no transaction here: dropped (RFC 6026 §7.3), or passed on when our mark proves it */
    enum core_stray stray;
    bool record_route;
    bool path;          /* ours in a REGISTER that is passed on (RFC 3327 §5.2) … */
    bool path_required; /* … which goes nowhere without: 421, and Require */
    enum core_fork fork;
    bool recurse; /* try the Contacts of a 3xx ourselves (§16.7 step 4) */
    enum core_relay relay;
    uint32_t no_answer_ms; /* for each group of targets; 0: only Timer C */
    uint32_t timer_c_ms;   /* §16.6 step 11: more than three minutes */
    uint32_t trying_ms;    /* a 100 leaves when nothing else did until then */
    /* an INVITE waits so long for a word before the next hop is tried; 0: Timer B */
    uint32_t silent_ms;
    uint32_t transactions;       /* most transactions held */
    uint32_t max_targets;        /* most branches of one request */
    uint32_t max_breadth;        /* given to a request that brings none (RFC 5393 §5.3.3) */
    uint32_t trip_bytes;         /* most memory of one request */
    uint32_t shed_lag_ms;        /* turns that long, one after another, are too much (shed.h) … */
    uint32_t shed_queue_percent; /* … and so is a queue of datagrams that is so full */
    uint32_t repair_rows;        /* most rows of repairs on record (repairs.h) */
    struct flood_conf flood;     /* what one source and one user may send */
};

struct core;

/* The conf that sipd.conf's defaults give. */
void core_conf_default(struct core_conf *conf);

/* Lent: ports' contents and conf, for the core's life. SIPD_ENOMEM. */
int core_new(struct core **core, const struct core_ports *ports,
             const struct core_conf *conf) MUST_USE;
/* Ends every trip and transaction silently; nulls the pointer. */
void core_free(struct core **core);
/* Another configuration, from the next message on. Lent until the next call. */
void core_set_conf(struct core *core, const struct core_conf *conf);
/* From now on new requests outside dialogs get 503 with Retry-After. */
void core_drain(struct core *core, bool on, uint32_t retry_after_s);

/*
 * A message came; what stands behind Content-Length in a datagram is cut off here (§18.3). Lent: all. fault: what framing
 * found wrong (0: nothing), with its words. False: it was refused for what leaves in doubt where it ends (§18.3), so no
 * more should be read off a stream.
 */
bool core_bytes(struct core *core, const struct hop *from, struct span bytes, uint16_t fault,
                const char *fault_reason);
/* Would core_bytes() say so of a message off a stream? Nothing else is done with it. Lent: all. */
bool core_doubts(const struct core *core, const struct hop *from, struct span bytes);
/* The hops of a branch, best first; err as with sipd_resolved(). A stale branch is ignored. Lent: hops. */
void core_resolved(struct core *core, uint64_t branch, const struct hop *hops, size_t hops_len,
                   int err);
/* Other ways for a response (RFC 3263 §5), best first, or none. A stale id is ignored. Lent: hops. */
void core_resolved_answer(struct core *core, uint64_t txn, const struct hop *hops, size_t hops_len);
/* What was sent with this token could not leave. A stale token is ignored. */
void core_gone(struct core *core, uint64_t token, int err);
/* The network gave back the start of a datagram that we sent: believed if it holds a live branch (rule 17). */
void core_bounced(struct core *core, const struct hop *to, struct span bytes);
/* A hook that said WAIT is ready. Runs at the core's next tick (in this turn). A stale id is ignored. */
void core_resume(struct core *core, uint64_t trip);
/* Does all that is due on clock.now_ms, and what was put off until the turn's end. */
void core_tick(struct core *core);
/* When core_tick is due next; UINT64_MAX: never. */
uint64_t core_next_ms(const struct core *core);

/*
 * From now on every change is noted, beginning with all that there is; or none any more. What is sent in a turn leaves at its
 * end, behind its facts. With a port `note` only.
 */
void core_watch(struct core *core, bool on);
/* Is all that there was when the watch began noted? Some hundred of it are in each turn. */
bool core_is_told(const struct core *core);
/*
 * Takes in what another node's core noted: its transactions, trips and branches under the same ids. Between its turns only:
 * all facts up to one of kind "turn", or none. What is taken in is dormant: until core_wake() comes nothing else, no message
 * and no tick. SIPD_ENOENT: no kind of the core's; SIPD_ESYNTAX, SIPD_EINVAL: no such fact; SIPD_EFULL, SIPD_ENOMEM.
 */
int core_restore(struct core *core, const struct fact *fact) MUST_USE;
/*
 * Behind FACT_ALL: ends some of what was taken in from an earlier watch, and was not named since FACT_BEGIN. True: there is more,
 * for another turn; core_wake() does not leave it.
 */
bool core_sweep(struct core *core);
/* That node is dead, and was silent for so long before that was known; this one goes on. Units: silent_ms. */
void core_wake(struct core *core, uint64_t silent_ms);

/* From now on ports.explain hears what is decided, or no more. */
void core_explain(struct core *core, bool on);

struct core_stats {
    uint32_t trips, branches;       /* alive */
    uint32_t transactions;          /* held, finished ones too */
    uint32_t pending;               /* trips without a final response */
    uint32_t pending_transactions;  /* that are not finished: half of the ceiling is for new work */
    bool full;                      /* they are too many: new requests get 503 */
    uint32_t shed_percent;          /* of new requests outside of dialogs, so many get 503 */
    uint32_t lag_ms, queue_percent; /* as core_load tells */
};
void core_stats(const struct core *core, struct core_stats *out);
/* The transactions, for lists; lent for the turn. */
const struct txns *core_txns(const struct core *core);
/* What was wrong with messages, for lists. */
const struct repairs *core_repairs(const struct core *core);
/* Who mends fields for modules, for the host to fill. */
struct fixers *core_fixers(struct core *core);
/* The hooks, for the host to fill. */
struct chain *core_chain(struct core *core);

#endif
