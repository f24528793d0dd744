/*
 * The last things that were decided, on a tape of a fixed length: what is new is written over what is oldest.
 *
 * An event is kept flat, with the texts that it needs; passwords in URIs are not among them, and a message's bytes only if
 * somebody wants them.
 */
#ifndef DAEMON_TAPE_H
#define DAEMON_TAPE_H

#include "base/prf.h"
#include "core/explain.h"

enum tape_text {
    TAPE_CALL_ID,
    TAPE_URI,
    TAPE_WHO,
    TAPE_WHY,
    TAPE_LINE,
    TAPE_CSEQ,
    TAPE_BYTES,
    TAPE_TEXTS
};
enum { TAPE_NAMES = 6 }; /* From, To and Request-URI, each as user and as user@host */

struct tape_record {
    uint64_t seq;   /* from 1 */
    uint64_t at_us; /* UTC */
    uint64_t trip, dry;
    uint32_t call; /* hash of the Call-ID */
    uint32_t names[TAPE_NAMES];
    uint32_t step, nth, count, q, status;
    bool has_q, has_hop, has_local;
    struct hop hop, local;
    uint32_t lens[TAPE_TEXTS]; /* their bytes stand behind */
};

struct tape_mark { /* of one event */
    uint64_t at;   /* bytes written before it */
    uint32_t call;
};

struct tape {
    char *bytes; /* owned; NULL: there is no tape */
    size_t cap;
    struct tape_mark *marks; /* owned; of seq at seq % marks_len */
    uint64_t marks_len;
    uint64_t end;         /* bytes ever written */
    uint64_t first, next; /* seq: of the oldest that is there, of the next */
    struct prf_key key;
    struct tape_last *last; /* owned: whose the last event was */
    struct buf work;        /* texts without passwords */
};

#define TAPE_WORK_BYTES \
    (80u                \
     << 10) /* room of tape_flatten's buffer: texts, one of which may be a whole URI, and a CSeq */

/* An empty tape that holds nothing yet. Numbers go on from `next` (1 of the first tape). SIPD_ENOMEM. */
int tape_init(struct tape *tape, size_t bytes, const struct prf_key *key, uint64_t next) MUST_USE;
void tape_fini(struct tape *tape);
/* Memory that a tape of so many bytes takes. */
size_t tape_memory(size_t bytes);
/* Keeps an event. local: the listener that it came to or left by, or NULL. with_bytes: a message's too. */
void tape_put(struct tape *tape, const struct explain_event *event, uint64_t at_us,
              const struct hop *local, bool with_bytes);
/* The event of this number; false: it is not there (any more). Texts are lent until the next tape_put. */
bool tape_get(const struct tape *tape, uint64_t seq, struct tape_record *record,
              struct span texts[TAPE_TEXTS]);
/* May it be one of this call? Cheap, and wrong about one in 2^32. */
bool tape_may_be(const struct tape *tape, uint64_t seq, uint32_t call);
uint32_t tape_call_hash(const struct tape *tape, struct span call_id);
/* Of "bob", "bob@example.com", "sip:bob@example.com": what a record's names are compared with. */
uint32_t tape_name_hash(const struct tape *tape, struct span name);
/* Makes a flat record, for tape_get's likes that keep elsewhere. Lent: event's. */
void tape_flatten(struct tape *tape, const struct explain_event *event, struct buf *masked,
                  struct tape_record *record, struct span texts[TAPE_TEXTS]);

#endif
