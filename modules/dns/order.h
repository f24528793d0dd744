/*
 * The rules of RFC 3263 and RFC 2782 as pure functions: what to ask for, which transport, in which order.
 *
 * Chance comes in as a seed: the same records and the same seed give the same order.
 */
#ifndef DNS_ORDER_H
#define DNS_ORDER_H

#include <sipd/hop.h>
#include <sipd/uri.h>

#include "records.h"

/* Transports as a set: bit HOP_UDP and so on. */
#define ORDER_BIT(transport) (1u << (transport))

enum order_kind {
    ORDER_NOWHERE, /* a transport that we do not know or cannot send by, or that contradicts sips */
    ORDER_ADDRESS, /* a numeric address: hop.ip, hop.port (§4.2) */
    ORDER_HOST,    /* address records of target; hop.port is written in the URI (§4.2) */
    ORDER_SRV, /* the URI names a transport and no port: its SRV records, else address records (§4.2) */
    ORDER_NAPTR, /* neither: NAPTR, else SRV of what we support, else address records (§4.1) */
};

struct order_plan {
    enum order_kind kind;
    struct span target; /* maddr, or host (§4); lent from the URI */
    struct hop hop;     /* transport, where it is known; port, by_rule; ip of ORDER_ADDRESS */
    bool sips;
};

/* §4.1 and §4.2 up to the first question. can: transports that we have. Lent: uri. */
void order_plan(const struct uri *uri, unsigned can, struct order_plan *plan);

/* The transport that is left when DNS tells none (§4.1): UDP, TLS for sips; TCP where we have no UDP. HOP_NONE: none of ours. */
uint8_t order_default_transport(bool sips, unsigned can);
/*
 * The transports to look for by SRV when there is no NAPTR (§4.1), best first; returns how many. _sip for sip, _sips for sips.
 */
unsigned order_srv_transports(bool sips, unsigned can, uint8_t transports[HOP_TRANSPORTS]);
/* "_sip._udp.example.com", "_sips._tcp.example.com"; false if that is too long to be asked for. */
bool order_srv_name(uint8_t transport, struct span target, char to[ANSWER_NAME_BYTES]);

struct order_service { /* a NAPTR record that leads on */
    uint8_t transport;
    const char *srv_name; /* lent from the records */
};
/*
 * The records that are for us, by order and preference (RFC 3403 §4.1): SIP+D2U, SIP+D2T, SIPS+D2T, flag "s", no regexp; for
 * sips only SIPS (§4.1). Returns how many; *any_sip: some were SIP's at all. Lent: records, whose order becomes ours.
 */
unsigned order_naptr(struct dns_naptr *naptrs, size_t len, bool sips, unsigned can,
                     struct order_service *out, unsigned room, bool *any_sip);

/* Sorts by priority and, among equals, by chance according to weight (RFC 2782). */
void order_srv(struct dns_srv *srvs, size_t len, uint64_t seed);
/* Is the service decidedly not there: one record with the target "." (RFC 2782)? */
bool order_srv_is_denied(const struct dns_srv *srvs, size_t len);

#endif
