/*
 * A message as an index of offsets over bytes that nobody touches (RFC 3261 §7).
 *
 * The index holds offsets, so keeping a message is two copies and no repair, and it is const once read. What cannot be
 * read is a fault, with the status to answer if the message is a request: the reader goes on where it can, so that the
 * answer has a Via, From, To, Call-ID and CSeq to copy (RFC 4475 §3.3). What is against the grammar and yet has but one
 * meaning is a deviation, and no fault: whether it is refused is the operator's to say (repair.h).
 */
#ifndef SIP_MSG_H
#define SIP_MSG_H

#include "base/arena.h"
#include "base/span.h"
#include "sip/deviation.h"
#include "sip/names.h"

#define MSG_FIELDS_MAX 1024 /* header fields a message may have; more is a fault (400) */
#define MSG_FIRSTS     24   /* names.def has the most used in front: so many need no search */

struct msg_text {
    uint32_t at, len;
};

struct msg_field {
    uint32_t at;        /* first byte of the line */
    uint32_t value_at;  /* first byte of the value, blanks skipped */
    uint32_t value_len; /* without blanks at its end; foldings are still in it */
    uint32_t end;       /* one past its last line end */
    uint16_t name_len; /* bytes of the name, from at; 0: a line that has none, all of it is value */
    uint16_t id;       /* enum header */
};

struct msg {
    const char *bytes;  /* lent */
    uint32_t len;       /* of bytes, body included */
    uint16_t status;    /* of a response; 0: a request */
    uint16_t fault;     /* 0, or the status that a request like this gets */
    uint64_t odd;       /* deviations, deviation_bit() each */
    enum method method; /* of a request */
    struct msg_text method_text;
    struct msg_text uri;     /* Request-URI as written */
    struct msg_text version; /* "SIP/2.0" */
    struct msg_text reason;  /* phrase of a response */
    bool bare_lf;            /* a line of the head ends with LF alone (§7 wants CRLF) */
    bool bent;         /* a value may have a CR or LF in it: a folding, or lines that end oddly */
    uint32_t head_end; /* where the empty line begins: new fields go here */
    uint32_t body_at, body_len;
    uint32_t fields_len;
    const struct msg_field *fields; /* in the order of the message */
    const char *fault_reason;       /* words for the phrase, lent for ever; NULL without a fault */
    /* one msg_bit() an id: a field of it is there, and there is another one */
    uint64_t present, again;
    /* where in fields the first of each such id stands, if it is present */
    uint16_t first[MSG_FIRSTS];
};

/*
 * Indexes a message whose end is known (see frame.h): the body is all that stands behind the empty line. The fields lie
 * side by side and, with the start line before and the empty line behind them, fill the head without a gap.
 * Lent: bytes, as long as out is used. The index lies in the arena. SIPD_OK (look at out->fault), SIPD_ENOMEM,
 * SIPD_ETOOBIG for more bytes than offsets can name, or SIPD_ESYNTAX for a response whose status cannot be read and for
 * an empty first line: its lines are indexed all the same, for whoever asks where it ends. Another that is no start line is
 * that of a request with a fault: its fields may tell whom to answer.
 */
int msg_read(struct span bytes, struct arena *arena, struct msg *out) MUST_USE;

/*
 * Of a datagram, read but not yet kept: what stands behind Content-Length is no part of the message (§18.3). If there is
 * none, or a bad one, or two that differ, all is body.
 */
void msg_trim(struct msg *msg);

/* Copies a message and its index into another arena. SIPD_ENOMEM. */
int msg_keep(const struct msg *msg, struct arena *arena, struct msg *out) MUST_USE;

static inline bool
msg_is_request(const struct msg *m)
{
    return m->status == 0;
}
static inline struct span
msg_span(const struct msg *m, struct msg_text t)
{
    return (struct span){ m->bytes + t.at, t.len };
}
static inline struct span
msg_body(const struct msg *m)
{
    return (struct span){ m->bytes + m->body_at, m->body_len };
}
static inline struct span
msg_bytes(const struct msg *m)
{
    return (struct span){ m->bytes, m->len };
}
static inline struct span
msg_value(const struct msg *m, const struct msg_field *f)
{
    return (struct span){ m->bytes + f->value_at, f->value_len };
}
static inline struct span
msg_name(const struct msg *m, const struct msg_field *f)
{
    return (struct span){ m->bytes + f->at, f->name_len };
}

/* The bit of an id in present and again. Each has its own, but the last of names.def share one: a quick no, and no more. */
static inline unsigned
msg_bit(enum header id)
{
    return id < 63 ? id : 63;
}
static inline bool
msg_may_have(const struct msg *m, enum header id)
{
    return m->present >> msg_bit(id) & 1;
}
static inline bool
msg_may_have_more(const struct msg *m, enum header id)
{
    return m->again >> msg_bit(id) & 1;
}
/* The first field of an id below MSG_FIRSTS, but not HDR_OTHER; NULL if there is none. */
static inline const struct msg_field *
msg_first(const struct msg *m, enum header id)
{
    return msg_may_have(m, id) ? &m->fields[m->first[id]] : NULL;
}
/* The next field of this id behind `after` (NULL: from the start), or NULL. */
const struct msg_field *msg_find(const struct msg *m, enum header id,
                                 const struct msg_field *after);
/* As msg_find() behind one that is there, with no search where there is no other. */
static inline const struct msg_field *
msg_next(const struct msg *m, enum header id, const struct msg_field *after)
{
    return m->again >> msg_bit(id) & 1 ? msg_find(m, id, after) : NULL;
}
/* The value of the first such field; false (and an empty span) if there is none. */
bool msg_get(const struct msg *m, enum header id, struct span *value);
/* As msg_find(), by names_header() of the name, and by its bytes without case if that knows none. */
const struct msg_field *msg_find_named(const struct msg *m, enum header id, struct span name,
                                       const struct msg_field *after);
/* The n-th (0…) field with this name, by id when known, else by its bytes without case; NULL if there is none. */
const struct msg_field *msg_find_name(const struct msg *m, struct span name, unsigned n);

#endif
