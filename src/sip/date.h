/*
 * The Date field (RFC 3261 §20.17, §25.1), made once a second.
 */
#ifndef SIP_DATE_H
#define SIP_DATE_H

#include "base/def.h"
#include "base/span.h"

#define DATE_BYTES 37

/* The last one made; begins zeroed. */
struct date {
    int64_t wall_s;
    size_t len; /* 0: none was made */
    char text[DATE_BYTES];
};

/* The line with the SIP-date of so many seconds since 1970, UTC; empty for a year that has not four digits. Lent until the next call. */
struct span date_line(struct date *date, int64_t wall_s);

#endif
