/*
 * The proxy core: four ways in, everything else by its ports (RFC 3261 §16).
 *
 * It owns trips, branches and transactions, and knows no socket, file or time of day. The same bytes, times and seed give
 * the same server.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "core/chain.h"
#include "core/ports.h"
#include "txn/txns.h"

enum core_fork { CORE_FORK_PARALLEL, CORE_FORK_Q };
enum core_relay { CORE_RELAY_OURS, CORE_RELAY_ANY };
enum core_mode { CORE_STATEFUL, CORE_STATELESS };
enum core_stray { CORE_STRAY_DROP, CORE_STRAY_VERIFIED };

struct core_conf {       /* one immutable tree, read anew at each step */
    enum core_mode mode; /* §16.2 or §16.11 */
    enum core_stray
        stray; /* what has no transaction here: dropped (RFC 6026 §7.3), or passed on when our mark proves it */
    bool record_route;
    enum core_fork fork;
    bool recurse; /* try the Contacts of a 3xx ourselves (§16.7 step 4) */
    enum core_relay relay;
    uint32_t no_answer_ms; /* for each group of targets; 0: only Timer C */
    uint32_t timer_c_ms;   /* §16.6 step 11: more than three minutes */
    uint32_t trying_ms;    /* a 100 leaves when nothing else did until then */
    uint32_t transactions; /* most transactions held */
    uint32_t max_targets;  /* most branches of one request */
    uint32_t max_breadth;  /* given to a request that brings none (RFC 5393 §5.3.3) */
    uint32_t trip_bytes;   /* most memory of one request */
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

/* A message came. Lent: all. fault: what framing found wrong (0: nothing), with its words. */
void core_bytes(struct core *core, const struct hop *from, struct span bytes, uint16_t fault,
                const char *fault_reason);
/* The hops of a branch, best first (empty: none; err then says why). A stale branch is ignored. Lent: hops. */
void core_resolved(struct core *core, uint64_t branch, const struct hop *hops, size_t hops_len,
                   int err);
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

struct core_stats {
    uint32_t trips, branches; /* alive */
    uint32_t transactions;    /* held, finished ones too */
    uint32_t pending;         /* trips without a final response */
};
void core_stats(const struct core *core, struct core_stats *out);
/* The transactions, for lists; lent for the turn. */
const struct txns *core_txns(const struct core *core);
/* The hooks, for the host to fill. */
struct chain *core_chain(struct core *core);

#endif
