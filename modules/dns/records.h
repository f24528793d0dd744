/*
 * What DNS said to one question, kept in one block of memory.
 */
#ifndef DNS_RECORDS_H
#define DNS_RECORDS_H

#include <sipd/err.h>

#include "answer.h"

enum dns_what { DNS_ADDRESS, DNS_SRV, DNS_NAPTR };

enum dns_verdict {
    DNS_FOUND,
    DNS_NONE,   /* no such name, or none of these there */
    DNS_FAILED, /* nobody answered, or in a way that cannot be read */
};

struct dns_address {
    uint8_t ip[16]; /* as hop.ip */
};

struct dns_srv {
    uint16_t priority, weight, port;
    const char *target; /* "": the service is not there */
};

struct dns_naptr {
    uint16_t order, preference;
    bool has_regexp;
    const char *flags, *service, *replacement;
};

enum { DNS_RECORDS_MAX = 64 }; /* of one answer; what comes behind them is left out */

struct dns_records {
    enum dns_what what;
    enum dns_verdict verdict;
    uint32_t ttl_s; /* as DNS said; 0: it said nothing */
    size_t len;
    union {
        struct dns_address *addresses;
        struct dns_srv *srvs;
        struct dns_naptr *naptrs;
    };
};

/* The records of a raw answer (SRV, NAPTR). NULL: memory is out. */
struct dns_records *dns_records_read(struct span bytes, struct span name, enum dns_what what);
/* Addresses that were found otherwise. NULL: memory is out. Copied. */
struct dns_records *dns_records_addresses(const struct dns_address *addresses, size_t len,
                                          uint32_t ttl_s);
/* None, with a verdict of its own. NULL: memory is out. */
struct dns_records *dns_records_none(enum dns_what what, enum dns_verdict verdict, uint32_t ttl_s);
/* Ends them; NULL is fine. */
void dns_records_free(struct dns_records **records);
/* "SRV" */
const char *dns_what_name(enum dns_what what);

#endif
