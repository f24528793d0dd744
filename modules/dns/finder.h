/*
 * From URIs to hops: it joins the rules (order), what DNS said (cache) and how hops fare (health), and knows no socket. Who asks
 * DNS for it is a port: c-ares in the module, a script in tests.
 */
#ifndef DNS_FINDER_H
#define DNS_FINDER_H

#include <sipd/module.h>

#include "cache.h"
#include "health.h"
#include "order.h"

struct finder_conf {
    uint32_t cache;     /* most entries */
    uint32_t questions; /* most under way */
    uint32_t waiting;   /* most requests that wait for an answer */
    uint32_t min_ttl_s, max_ttl_s;
    uint32_t negative_s; /* most that "no such name" holds */
    uint32_t stale_s;    /* how long what was true is used when nobody answers (RFC 8767) */
    uint32_t failed_s;   /* how long nobody is asked again what nobody could answer */
    uint32_t give_up_ms; /* for all that one URI needs */
    uint32_t targets;    /* most that are remembered for how they fare */
    uint32_t rest_s, max_rest_s;
};

#define FINDER_ITEMS                                                                         \
    SIPD_UINT(finder_conf, give_up_ms, 6000, 100, 60000,                                     \
              "for all questions that one URI takes; what is known by then is tried"),       \
        SIPD_UINT(finder_conf, cache, 10000, 100, 1000000, "most answers kept"),             \
        SIPD_UINT(finder_conf, questions, 1000, 10, 10000, "most questions under way"),      \
        SIPD_UINT(finder_conf, waiting, 20000, 10, 1000000,                                  \
                  "most requests that wait for an answer; others find no way"),              \
        SIPD_UINT(finder_conf, min_ttl_s, 1, 1, 3600, "answers hold at least so long"),      \
        SIPD_UINT(finder_conf, max_ttl_s, 86400, 1, 604800, "answers hold at most so long"), \
        SIPD_UINT(finder_conf, negative_s, 60, 1, 86400,                                     \
                  "a name that is not there is believed so for at most so long"),            \
        SIPD_UINT(finder_conf, stale_s, 86400, 0, 604800,                                    \
                  "while no server answers, what was true is used for so long yet"),         \
        SIPD_UINT(finder_conf, failed_s, 5, 1, 300,                                          \
                  "what no server could answer is not asked again before"),                  \
        SIPD_UINT(finder_conf, rest_s, 30, 1, 3600,                                          \
                  "a target that failed or was silent is left alone so long"),               \
        SIPD_UINT(finder_conf, max_rest_s, 300, 1, 86400,                                    \
                  "the longest Retry-After of a 503 that is heeded"),                        \
        SIPD_UINT(finder_conf, targets, 10000, 10, 1000000, "most targets remembered")

struct finder_ports {
    /*
     * Asks DNS; finder_answered() with the question's number tells, perhaps before this returns. name: answer_name_ok, lent. An
     * error: nobody will.
     */
    int (*ask)(void *io, const char *name, enum dns_what what, uint64_t question);
    void *io;
};

struct finder {
    struct sipd_host *host;
    const struct finder_conf *conf; /* lent, until finder_set_conf() */
    struct finder_ports ports;
    struct cache cache;
    struct health_table health;
    struct ring locates; /* struct locate: URIs under way */
    struct ring due;     /* entries whose waiters are not served yet */
    uint32_t locates_len, questions_len;
    uint64_t last_question;
    bool busy; /* it is at work: answers that come meanwhile are put on due */
    struct {
        uint64_t *questions, *cached, *joined, *failed, *stale, *found, *not_found, *refused,
            *rests, *downgraded;
    } count;
};

/* Lent: host, conf. SIPD_ENOMEM. */
int finder_init(struct finder *f, struct sipd_host *host, const struct finder_conf *conf,
                const struct finder_ports *ports);
/* Nobody is answered any more. */
void finder_fini(struct finder *f);
void finder_set_conf(struct finder *f, const struct finder_conf *conf);

/* The functions of struct sipd_resolver_ops; self is the finder. */
int finder_ask(void *self, const struct sipd_place *place, uint64_t id);
void finder_tried(void *self, const struct hop *hop, enum sipd_tried how, uint32_t retry_after_s);

/* What DNS said. Owned from now on: records; NULL: memory was out. A stale question is ignored. */
void finder_answered(struct finder *f, const char *name, enum dns_what what, uint64_t question,
                     struct dns_records *records);
/* All questions under way are asked anew: whoever was asked has gone. */
void finder_ask_again(struct finder *f);

/* Declares "show dns [name]" and "show targets". */
int finder_commands(struct finder *f);

/* For locate.c: the records of a name as far as they are known, and if need be the question. */
enum finder_state { FINDER_KNOWN, FINDER_ASKED, FINDER_REFUSED };
enum finder_state finder_need(struct finder *f, enum dns_what what, struct span name,
                              uint64_t since_ms, struct cache_entry **entry);
/* Is there something to be said, if nobody says anything better? */
bool finder_is_stale(const struct finder *f, const struct cache_entry *entry);
/* Serves all who wait for what is there now; f->busy was set by whoever calls. */
void finder_settle(struct finder *f);
struct health_rest finder_rest(const struct finder *f);

#endif
