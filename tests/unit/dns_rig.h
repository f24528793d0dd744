/*
 * A name server that is a table, and a core that finds its hops by it.
 */
#ifndef UNIT_DNS_RIG_H
#define UNIT_DNS_RIG_H

#include "dns/finder.h"
#include "unit/host_rig.h"

enum { DNS_QUESTIONS = 64, DNS_LINES = 64 };

extern struct dns_rig {
    struct sipd_host *host;
    struct finder finder;
    struct finder_conf conf;
    struct span lines[DNS_LINES];
    size_t lines_len;
    uint32_t ttl_s;
    bool late; /* answers wait for tell() */
    bool deaf; /* questions cannot be asked */
    char asked[4096];
    struct {
        char name[ANSWER_NAME_BYTES];
        enum dns_what what;
        uint64_t number;
    } open[DNS_QUESTIONS];
    size_t open_len;
    bool tcp, tls, v6; /* besides UDP over IPv4 */
} dns;

extern const struct sipd_module dns_module; /* the finder, with that table */

/* Begins anew, with an empty table. */
void dns_start(void);
/* One more line of it; lent. */
void dns_zone(const char *line);
/* The answer to an open question comes. */
void dns_tell(const char *name, enum dns_what what);
/* What is due now, and in the next ms. */
void dns_tick(void);
void dns_pass(uint64_t ms);
/* Bob is at this URI, and is called. */
void dns_call(const char *uri);
/*
 * All hops of the call under way, in the order in which they are tried, as each of them refuses with a 503; "!" where no URI named
 * the transport. Without any, the final status. Lent until the next call.
 */
const char *dns_walk(void);

/* A call to this URI walks so; what was asked for it. */
#define dns_expect(uri, list) dns_expect_at(uri, list, __LINE__)
void dns_expect_at(const char *uri, const char *list, int line);
#define dns_expect_asked(list) ck_assert_str_eq(dns.asked, list)

#endif
