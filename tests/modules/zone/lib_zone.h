/*
 * A zone as lines of text, and what a name server would say of it: for tests of all kinds.
 *
 * "NAME SRV PRIORITY WEIGHT PORT TARGET", "NAME NAPTR ORDER PREFERENCE FLAGS SERVICE REPLACEMENT", "NAME A ADDRESS",
 * "NAME AAAA ADDRESS", "NAME CNAME NAME", "NAME FAILS" (no answer), "NAME SLOW MS" (after so long). Words have one blank between
 * them. What does not stand there does not exist, for 60 s.
 */
#ifndef ZONE_LIB_ZONE_H
#define ZONE_LIB_ZONE_H

#include "dns/records.h"

/* What is said to a question; owned by the caller. Lent: lines. NULL: memory is out. */
struct dns_records *zone_says(const struct span *lines, size_t len, const char *name,
                              enum dns_what what, uint32_t ttl_s);
/* How long that takes. */
uint32_t zone_takes_ms(const struct span *lines, size_t len, const char *name);

#endif
