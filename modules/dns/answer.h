/*
 * A DNS answer as it came, read within its bounds: SRV and NAPTR records, CNAMEs followed, how long it holds (RFC 1035 §4.1,
 * RFC 2782, RFC 3403 §4, RFC 2308).
 *
 * Pure functions on lent bytes. Nothing here trusts a length, a count or a pointer that it was given.
 */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include <sipd/span.h>

#define ANSWER_NAME_BYTES 256 /* a name as text with its NUL, without a dot at the end */
#define ANSWER_TEXT_BYTES 256

enum { ANSWER_CNAME = 5, ANSWER_SOA = 6, ANSWER_SRV = 33, ANSWER_NAPTR = 35 };

enum answer_kind {
    ANSWER_RECORDS, /* there are such records */
    ANSWER_NONE,    /* no such name, or none of this type there */
    ANSWER_BAD,     /* the server failed, or what it said cannot be read */
};

struct answer {
    struct span bytes;
    char name[ANSWER_NAME_BYTES]; /* what was asked for, or where its CNAMEs lead */
    uint16_t type;
    /* the least of all records that count; of none: by the zone's SOA, 0 without one */
    uint32_t ttl_s;
    size_t at;     /* the next record of the answer section … */
    unsigned left; /* … and how many there are yet */
};

struct answer_srv {
    uint16_t priority, weight, port;
    char target[ANSWER_NAME_BYTES]; /* small letters; "": the service is not there (RFC 2782) */
};

struct answer_naptr {
    uint16_t order, preference;
    char flags[ANSWER_TEXT_BYTES], service[ANSWER_TEXT_BYTES];
    bool has_regexp;
    char replacement[ANSWER_NAME_BYTES]; /* small letters */
};

/*
 * Reads the answer to a question. Lent: bytes, as long as *out is used. With ANSWER_RECORDS answer_next_…() yields them, in the
 * order in which they stand; those that no host can have are left out.
 */
enum answer_kind answer_read(struct span bytes, struct span name, uint16_t type,
                             struct answer *out);
/* The next record; false when there is none any more. */
bool answer_next_srv(struct answer *answer, struct answer_srv *out);
bool answer_next_naptr(struct answer *answer, struct answer_naptr *out);

/* Is it a name that DNS may be asked for: letters, digits, - and _ in labels of up to 63, a dot at the end or not? */
bool answer_name_ok(struct span name);

#endif
