/*
 * Names of methods and header fields to ids and back (RFC 3261 §7.3.1, §7.3.3, §20, §27; names.def has the list).
 */
#ifndef SIP_NAMES_H
#define SIP_NAMES_H

#include "base/span.h"

enum method {
    METHOD_OTHER, /* not in names.def: proxied like any non-INVITE */
#define METHOD(id, text) METHOD_##id,
#define HEADER(id, text, compact, flags, section)
#include "sip/names.def"
    METHODS
};

enum header {
    HDR_OTHER, /* not in names.def: passed on untouched */
#define METHOD(id, text)
#define HEADER(id, text, compact, flags, section) HDR_##id,
#include "sip/names.def"
    HEADERS
};

/* Neither: several fields, each of one value that may have commas (credentials, challenges: RFC 3261 §7.3.1). */
enum header_flags {
    H_LIST = 1,   /* comma list; may stand in several fields */
    H_SINGLE = 2, /* one value, in one field */
    /* A proxy may add, change or take out the field (§20); without it is end to end, and leaves as it came: */
    H_HOP_REQ = 4, /* … of a request */
    H_HOP_RES = 8, /* … of a response */
    H_HOP = H_HOP_REQ | H_HOP_RES,
};

/* The id of a method, case-sensitive (RFC 3261 §7.1); METHOD_OTHER if unknown. */
enum method names_method(struct span text);
/* The text of a method; empty for METHOD_OTHER. Lent for ever. */
struct span names_method_text(enum method id);
/* The id of a field name in full or compact form, without case; HDR_OTHER if unknown. */
enum header names_header(struct span text);
/* Are its letters those of this name, full or compact, whatever stands between? Then a lax reader may take it for that. */
bool names_resemble(struct span text, enum header id);
/* The full name; empty for HDR_OTHER. Lent for ever. */
struct span names_header_text(enum header id);
/* The flags of a header; 0 for HDR_OTHER. */
unsigned names_header_flags(enum header id);

#endif
