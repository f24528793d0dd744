/*
 * name=value parts behind a URI: its parameters, its headers, and when two lists of them are the same (RFC 3261
 * §19.1.4, RFC 3966 §4). Unlike the parameters of a header field they hold escapes, and neither quotes nor blanks.
 */
#ifndef SIP_PARTS_H
#define SIP_PARTS_H

#include "base/span.h"

/* Lists longer than this are compared as they stand: there is no room to order them, and nobody sends such. */
enum { PARTS_MAX = 256 };

struct part {
    struct span name, value; /* as written; the value empty if there is none */
};

struct parts_rules {
    char sep;
    bool once; /* no name may stand there twice: a list where one does is like none but itself */
    /* the one spelling of a name that has several; NULL: none has */
    struct span (*full)(struct span name);
    bool (*counts)(struct span name); /* never ignored, even where one list only has it */
    bool (*same)(struct span name, struct span a, struct span b); /* name: in its one spelling */
};

/* Takes the next part off *rest; empty places are passed over. False when none is left. */
bool parts_next(struct span *rest, char sep, struct part *out);
/* Does the list hold more than max places? */
bool parts_are_many(struct span parts, char sep, unsigned max);
/* The same name: without case, whether escaped or not. */
bool parts_name_is(struct span name, struct span what);
/* The first part of this name; false if there is none, and *out is left alone. */
bool parts_find(struct span parts, char sep, struct span name, struct part *out);
/* Each part of either list has one of its own like it in the other, or is not named there and does not count. */
bool parts_eq(struct span a, struct span b, const struct parts_rules *rules);

#endif
