/*
 * The doors of the proxy core outward: way, send, resolve, note, ours; time, chance and secrets come in by here too.
 *
 * The daemon fills them (daemon/wire.c), or a test does. None of them calls back before it returns.
 */
#ifndef CORE_PORTS_H
#define CORE_PORTS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "base/prf.h"
#include "base/rand.h"
#include "sip/uri.h"
#include "sip/way.h"
#include "txn/ports.h"

struct core_side {       /* one of our listeners as a message came to it */
    struct span sent_by; /* its name in Via and Record-Route; lent for the turn */
    uint8_t transport;
    uint8_t rport; /* 0 asked, 1 private, 2 always (RFC 3581 §4; sipd.conf listen.rport) */
};

struct core_ports {
    /* How would `bytes` to this hop leave (net_way)? SIPD_ENOENT, SIPD_ECLOSED, SIPD_EFULL. */
    int (*way)(void *io, const struct hop *to, size_t bytes, struct way *out);
    /* Sends; need: the newest fact it rests on. A failure comes by core_gone(token). Lent: bytes, until the turn's end. */
    void (*send)(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need);
    /* Asks for the hops of a URI; answered by core_resolved(branch). NULL: literal addresses only. */
    int (*resolve)(void *io, const struct uri *uri, uint64_t branch);
    uint64_t (*note)(void *io, const struct fact *fact); /* NULL: nobody watches */
    /* Is host[:port] one of ours (domains, listening and advertised addresses)? port 0: none written. */
    bool (*ours)(void *io, struct span host, uint16_t port);
    /* The listener of this number; false if there is none such. */
    bool (*side)(void *io, uint16_t listener, struct core_side *out);
    /* Does anybody know such a user (aor: uri_aor_write)? */
    bool (*knows)(void *io, struct span aor);
    void *io;

    const struct clock *clock;
    struct rand *rand;
    struct arena *turn; /* memory of the turn */
    struct counters *counters;
    const struct log *log;
    struct prf_key key; /* sipd.key: branches, To-tags, Record-Route tokens */
};

#endif
