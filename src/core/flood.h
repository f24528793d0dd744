/*
 * Floods: how many new requests a second one source and one user may send (RFC 3261 §26.3.2.4), in a table that never grows.
 *
 * A source is an IPv4 address or the /64 of an IPv6 one. Each has two buckets, for all new requests and for REGISTERs,
 * that hold so many seconds' worth; a source that was quiet has full ones, so of many sources those quiet longest are
 * forgotten. Repeats, ACK and CANCEL are not counted. What is above is answered 503, or not at all.
 */
#ifndef CORE_FLOOD_H
#define CORE_FLOOD_H

#include "base/def.h"
#include "base/span.h"
#include "sip/hop.h"

struct core;
struct gist;

struct flood_conf {
    uint32_t per_s, register_per_s; /* of a source; 0: no limit */
    uint32_t user_per_s;            /* of an authenticated user; 0: no limit */
    uint32_t burst_s;               /* a bucket holds that many seconds' worth */
    uint32_t places;                /* sources and users remembered */
    bool drops;                     /* no answer to what is above */
    const struct hop_net *exempt;   /* lent with the conf: networks without limits */
    size_t exempt_len;
};

struct flood_bucket {
    uint64_t id; /* keyed hash of the source or user; 0: empty */
    uint64_t last_ms;
    uint32_t milli, register_milli; /* thousandths of requests left */
};

struct flood {
    struct flood_bucket *at; /* owned; NULL: no limits are set, or there was no memory */
    uint32_t places;
    uint64_t told_ms; /* when the log heard of one last */
};

/* Has this source sent too much? Takes one from its buckets otherwise. */
bool flood_refuses(struct core *core, const struct hop *from, const struct gist *gist);
/* Has this user? */
bool flood_refuses_user(struct core *core, struct span user);
/* Takes the conf's size; what was known is forgotten if it differs. */
void flood_resize(struct core *core);
void flood_fini(struct core *core);

#endif
