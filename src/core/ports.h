/*
 * The doors of the proxy core outward: way, path_mtu, send, resolve, note, ours; time, chance and secrets come in by here too.
 *
 * The daemon fills them (daemon/wire.c), or a test does. None of them calls back before it returns.
 */
#ifndef CORE_PORTS_H
#define CORE_PORTS_H

#include <sipd/resolve.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "base/prf.h"
#include "base/rand.h"
#include "sip/repair.h"
#include "sip/uri.h"
#include "sip/way.h"
#include "txn/ports.h"

struct core_side {       /* one of our listeners as a message came to it */
    struct span sent_by; /* its name in Via and Record-Route; lent for the turn */
    uint8_t transport;
    uint8_t rport; /* 0 asked, 1 private, 2 always (RFC 3581 §4; sipd.conf listen.rport) */
};

struct core_load {          /* of the loop that the core runs in; 0: it keeps up */
    uint32_t lag_ms;        /* how long turns take, one after another */
    uint32_t queue_percent; /* how full the fullest queue of datagrams is, turn for turn */
};

struct explain_event;

struct core_ports {
    /* How would `bytes` to this hop leave (net_way)? SIPD_ENOENT, SIPD_ECLOSED, SIPD_EFULL. */
    int (*way)(void *io, const struct hop *to, size_t bytes, struct way *out);
    /*
     * The MTU of the path to this hop of datagrams, in bytes of IP; 0: not known. It costs little, and is asked where it matters
     * only (large.h). NULL: nobody knows of any.
     */
    uint32_t (*path_mtu)(void *io, const struct hop *to);
    /* Sends; need: the newest fact it rests on. A failure comes by core_gone(token). Lent: bytes, until the turn's end. */
    void (*send)(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need);
    /*
     * Asks for the hops of a URI; answered by core_resolved(id), a response's by core_resolved_answer(id). NULL: literal addresses
     * only.
     */
    int (*resolve)(void *io, const struct sipd_place *place, uint64_t id);
    /* How a hop that was resolved fared. NULL: nobody wants to know. */
    void (*tried)(void *io, const struct hop *hop, enum sipd_tried how, uint32_t retry_after_s);
    uint64_t (*note)(void *io, const struct fact *fact); /* NULL: nobody watches */
    /* Is host[:port] one of ours (domains, listening and advertised addresses)? port 0: none written. */
    bool (*ours)(void *io, struct span host, uint16_t port);
    /* The listener of this number; false if there is none such. */
    bool (*side)(void *io, uint16_t listener, struct core_side *out);
    /* Does anybody know such a user (aor: uri_aor_write)? */
    bool (*knows)(void *io, struct span aor);
    /* Has this turn done enough? What is due may wait for the next, which comes at once. NULL: never. */
    bool (*spent)(void *io);
    /* NULL: the loop always keeps up. */
    void (*load)(void *io, struct core_load *out);
    /* A number for whom a hop must prove to be, for hop.name (RFC 5922 §4). NULL: nobody proves anything. */
    uint32_t (*name)(void *io, struct span host);
    /* What is done about deviations of what comes from there; lent for the turn. NULL: every rule's own verdict. */
    const struct repair_policy *(*repair)(void *io, const struct hop *from);
    /* Who sent this wants to be reached that way, as who listens on this port (RFC 5923 §4). NULL: nobody can. */
    void (*alias)(void *io, const struct hop *from, uint16_t port);
    /* Something was decided (explain.h); lent until return. Only after core_explain(), or of a dry run. NULL: nobody listens. */
    void (*explain)(void *io, const struct explain_event *event);
    void *io;

    const struct clock *clock;
    struct rand *rand;
    struct arena *turn; /* memory of the turn */
    struct counters *counters;
    const struct log *log;
    struct prf_key key; /* sipd.key: branches, To-tags, Record-Route tokens */
};

#endif
