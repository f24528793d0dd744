/*
 * What every floor wants of a message, read once: method, CSeq, Call-ID, tags, top Via, Max-Forwards, length.
 */
#ifndef SIP_GIST_H
#define SIP_GIST_H

#include "sip/msg.h"
#include "sip/via.h"

struct gist {
    enum method method;       /* of the request, or of the CSeq in a response */
    struct span method_text;
    struct span cseq_method;
    uint32_t cseq;
    struct span call_id;
    struct span from, to;     /* whole values */
    struct span from_tag, to_tag;
    bool has_to_tag;
    struct via via;           /* topmost */
    const struct msg_field *via_field;
    uint32_t max_forwards;    /* when has_max_forwards */
    bool has_max_forwards;
    bool answerable;          /* its sender can match a response: top Via read, CSeq there to copy (§17.1.3; RFC 4475 §3.3.1) */
    uint16_t fault;           /* 0, or the status that a request like this gets */
    const char *fault_reason; /* words naming the field; lent for ever */
};

/*
 * Reads the gist. Lent: msg; out points into its bytes. The first fault found is kept, msg's own before it. From, To and
 * Call-ID are whole values, empty if missing, also when they could not be read: a response copies them as they came.
 * A message without a readable top Via has via.whole empty and nothing can be answered.
 */
void gist_read(const struct msg *msg, struct gist *out);

#endif
