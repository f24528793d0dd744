/*
 * Facts: changes worth having on another machine, noted where they happen, watched in order, taken in and woken there.
 *
 * A fact tells the whole of what it is about, so each stands instead of those before it. Those of kind "answered" have no end: each
 * tells how long it lasts. What is noted in a turn holds
 * together: the last fact of a turn is of kind "turn", and only behind that leaves what was sent in it. So nobody
 * outside has heard of a state that whoever took all facts in does not know.
 */
#ifndef SIPD_FACT_H
#define SIPD_FACT_H

#include <stdbool.h>
#include <stdint.h>

#include <sipd/span.h>

struct sipd_host;

struct fact {
    const char *kind; /* "txn", "answered", "trip", "branch", "binding" …; lent for ever */
    /* of what it is about: it rises with every change, and past its end goes on from 0 */
    uint32_t version;
    uint64_t id;
    struct span bytes; /* flat; empty: it has ended. Lent until return */
    /* memory was out, so a standby would know it wrongly: all is told anew, beginning with FACT_BEGIN */
    bool lost;
};

#define FACT_TURN "turn" /* its kind: what was noted since the last one holds together */
/* A watch begins: all that there is will be noted, so what is not noted from here … */
#define FACT_BEGIN "begin"
#define FACT_ALL   "all" /* … to here is no more, whatever was noted to an earlier watch */

/* Flat records: any number of values, each behind a tag. Nobody gives a tag to anything else, ever. */
struct fact_out {
    char *at;
    size_t room, len;
    bool full; /* something did not fit */
};

struct fact_value {
    uint16_t tag;
    struct span bytes; /* lent from what was read */
};

/* Of what is told or ended in pieces: what is left. */
enum sipd_left {
    SIPD_LEFT_NONE,
    SIPD_LEFT_SOME, /* it is gone on with in the next turn */
    SIPD_LEFT_BUSY, /* nothing can be done about it now, for a disk or memory: in a while, so that the loop may sleep */
};

struct sipd_facts_ops {
    /*
     * Takes one in that another node's module of this name noted: older ones than what is known are ignored, tags that are not
     * known are skipped. It is dormant: nothing is sent for it, and none is noted. SIPD_ESYNTAX, SIPD_EINVAL: it is no such
     * fact, and nothing of it was taken; SIPD_EFULL: not now, it may come again; SIPD_ENOMEM.
     */
    int (*restore)(void *self, const struct fact *fact);
    /*
     * Notes some hundred of all that there is, for one who has begun to watch. begin: the first ones. What changes meanwhile is
     * noted as ever. NULL: there is never anything but changes.
     */
    enum sipd_left (*snapshot)(void *self, bool begin);
    /* This node takes the other's place. NULL: that is nothing to it. */
    void (*wake)(void *self);
    /*
     * A watch begins there: what restore() does not name from now until sweep() is asked is no more, and the first that it names
     * stands, whatever its version: that node may have begun anew. NULL, both: nothing is kept that could be old.
     */
    void (*begin)(void *self);
    /* Ends some hundred of what was not named. */
    enum sipd_left (*sweep)(void *self);
};

/* A fact in the order of all, the core's and those of modules. Lent until return. */
typedef void sipd_watch_fn(void *self, const struct fact *fact, uint64_t number);

#pragma GCC visibility push(default)

/*
 * Notes a change. Lent: bytes, until return; none: it has ended. Returns the fact's number; 0 when nobody watches. Costs a
 * call then: what is dear to make may ask sipd_is_watched() first.
 */
uint64_t sipd_note(struct sipd_host *host, const char *kind, uint32_t version, uint64_t id,
                   struct span bytes);
bool sipd_is_watched(const struct sipd_host *host);

/* Offers to take in facts of a kind. Lent: kind and ops, until unload. SIPD_EEXIST, SIPD_ENOMEM. */
int sipd_offer_facts(struct sipd_host *host, const char *kind, const struct sipd_facts_ops *ops,
                     void *self);

/*
 * From the next turn on tells every fact, beginning with FACT_BEGIN and all that there is; one of kind FACT_ALL says that this is
 * over. It begins anew when a module comes that has facts, and behind a fact that is lost. One module may watch; fn NULL: no more. SIPD_EEXIST.
 */
int sipd_watch_facts(struct sipd_host *host, sipd_watch_fn *fn, void *self);

/*
 * Takes in a fact that another node told, the core's or a module's, between that node's turns only: all up to one of kind
 * FACT_TURN, or none. Until sipd_wake_facts() this node must serve nobody. What it took in from an earlier watch stays until
 * FACT_ALL, and goes in the turns behind that. SIPD_ENOENT: of no kind that is known here, which a later version may note;
 * else as sipd_facts_ops.restore.
 */
int sipd_restore_fact(struct sipd_host *host, const struct fact *fact);
/*
 * That node is dead, and was silent for so long before that was known; this one goes on: what was to be repeated in that time
 * is. Units: silent_ms.
 */
void sipd_wake_facts(struct sipd_host *host, uint64_t silent_ms);

/* Appends a value; an empty one, or 0, is what is not there, and not written. */
void sipd_fact_put(struct fact_out *out, uint16_t tag, struct span bytes);
void sipd_fact_put_number(struct fact_out *out, uint16_t tag, uint64_t n);
/* Takes the first value off. SIPD_ENOENT at the end; SIPD_ESYNTAX: it is cut short. */
int sipd_fact_next(struct span *rest, struct fact_value *value);
/* The value as a number. SIPD_EINVAL: more than max, or no number. */
int sipd_fact_number(const struct fact_value *value, uint64_t max, uint64_t *n);

#pragma GCC visibility pop

#endif
