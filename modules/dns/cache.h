/*
 * What DNS has said, as long as it holds, and what it is being asked: one entry for each name and kind of record.
 *
 * Equal questions are one entry, so they are asked once. Its ceiling is a number of entries; the one that was not wanted for
 * longest goes first, never one that somebody waits for.
 */
#ifndef DNS_CACHE_H
#define DNS_CACHE_H

#include <sipd/ring.h>

#include "records.h"

struct sipd_host;

struct cache_entry {
    struct ring bucket, age;
    struct ring due;     /* of the finder: answered, and who waits is not served yet */
    struct ring waiters; /* of the finder */
    enum dns_what what;
    uint64_t visit;    /* in which it was wanted last */
    uint64_t question; /* number of the question under way; 0: none */
    uint64_t answered_ms, expires_ms;
    /* as DNS said; from then on until expires_ms they are stale, for nobody answered */
    uint64_t fresh_until_ms;
    struct dns_records *records; /* owned; NULL: never answered */
    bool had_sips;               /* NAPTR: SIPS stood there once (RFC 3263 §7) */
    char name[];                 /* small letters, no dot at the end */
};

struct cache {
    struct ring *buckets; /* owned */
    size_t buckets_len;   /* a power of two */
    struct ring age;      /* all entries, the one wanted last at the end */
    uint32_t used;
    uint64_t visit; /* counted by its user: what was got in this one stays, and so do its records */
    uint8_t key[16]; /* of the hash */
};

/* Room for about so many entries. SIPD_ENOMEM. Lent: host, for the call. */
int cache_init(struct cache *cache, struct sipd_host *host, uint32_t entries);
/* Ends all. */
void cache_fini(struct cache *cache);
/*
 * The entry of a name (answer_name_ok), made if there is none; it is the youngest now. NULL: `most` entries are all in use, or
 * memory is out.
 */
struct cache_entry *cache_get(struct cache *cache, enum dns_what what, struct span name,
                              uint32_t most);
/* The entry of a name; NULL: none. */
struct cache_entry *cache_find(const struct cache *cache, enum dns_what what, struct span name);
/* Does what it says hold now, or was it said since since_ms? */
bool cache_holds(const struct cache_entry *entry, uint64_t now_ms, uint64_t since_ms);
/* Is there something that was true, and has not been stale for longer than this (RFC 8767)? */
bool cache_is_stale(const struct cache_entry *entry, uint64_t now_ms, uint64_t stale_ms);
/* Nobody answered: what is there, though stale, holds until expires_ms. */
void cache_extend(struct cache_entry *entry, uint64_t now_ms, uint64_t expires_ms);
/* The answer came: owned from now on, good until expires_ms. */
void cache_answer(struct cache_entry *entry, struct dns_records *records, uint64_t now_ms,
                  uint64_t expires_ms);

#endif
