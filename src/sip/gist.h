/*
 * What every floor wants of a message, read once: method, CSeq, Call-ID, tags, top Via, Max-Forwards, length.
 */
#ifndef SIP_GIST_H
#define SIP_GIST_H

#include "sip/msg.h"
#include "sip/via.h"

struct gist {
    enum method method; /* of the request, or of the CSeq in a response */
    struct span method_text;
    struct span cseq_method;
    uint32_t cseq;
    struct span call_id;
    struct span from, to; /* whole values */
    struct span from_tag, to_tag;
    bool has_to_tag;
    struct span vias_below; /* the others of the topmost Via's field, a comma list */
    const struct msg_field *via_field;
    uint32_t max_forwards; /* when has_max_forwards */
    bool has_max_forwards;
    /* its sender can match a response: top Via found, CSeq there to copy (§17.1.3; RFC 4475 §3.3.1) */
    bool answerable;
    uint64_t odd;             /* deviations, msg's among them (deviation.h) */
    uint16_t fault;           /* 0, or the status that a request like this gets */
    const char *fault_reason; /* words naming the field; lent for ever */
    struct via via;           /* topmost; last here: who reads one sets all of it */
};

/*
 * Reads the gist. Lent: msg; out points into its bytes. The first fault found is kept, msg's own before it. From, To and
 * Call-ID are whole values, empty if missing, also when they could not be read: a response copies them as they came.
 * A message without a readable top Via has via.whole empty; if it begins as one, via has what could be read (via_salvage),
 * and it can be answered.
 */
void gist_read(const struct msg *msg, struct gist *out);

/* The deviations of one From or To. */
uint64_t gist_party_odd(struct span value);

/* The gist of a message that msg_keep() made of another one. Lent: kept; out points into its bytes, as gist does into msg's. */
void gist_keep(const struct gist *gist, const struct msg *msg, const struct msg *kept,
               struct gist *out);

#endif
