/*
 * Questions to DNS by c-ares on the host's loop: its sockets are the loop's descriptors, its time-outs the host's timers, and it
 * never blocks.
 */
#ifndef DNS_ASK_H
#define DNS_ASK_H

#include <sipd/module.h>

#include "records.h"

struct ask;

struct ask_conf {
    const struct sipd_strs *servers; /* "address[:port]"; none: the system's */
    uint32_t timeout_ms, tries;
    bool hosts; /* /etc/hosts is looked at first */
};

/* The answer; records: owned by the one who is told; NULL: memory was out. name: lent. */
typedef void ask_told_fn(void *self, const char *name, enum dns_what what, uint64_t question,
                         struct dns_records *records);

/* SIPD_ENOMEM; SIPD_EINVAL after a complaint: a server's address is none. Lent: host. */
int ask_new(struct ask **ask, struct sipd_host *host, const struct ask_conf *conf,
            ask_told_fn *told, void *self);
/* Ends all questions unanswered; nulls the pointer, which may be NULL. */
void ask_free(struct ask **ask);
/* Asks; `told` is called with the number, perhaps before this returns. SIPD_ENOMEM. */
int ask_for(struct ask *ask, const char *name, enum dns_what what, uint64_t question);

#endif
