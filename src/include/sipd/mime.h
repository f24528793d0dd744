/*
 * Bodies: media types, dispositions, and the parts of multiparts as spans over bytes that nobody touches (RFC 2046
 * §5.1, RFC 3204, RFC 3261 §7.4, §20.11, §20.15, RFC 5621).
 *
 * Pure functions on lent bytes, without memory of their own. What a part holds is opaque: NULs, line ends and even
 * the start of a delimiter are its own business. Nothing is decoded.
 */
#ifndef SIPD_MIME_H
#define SIPD_MIME_H

#include <sipd/err.h>
#include <sipd/param.h>
#include <sipd/span.h>

/* Multiparts within each other that a walk opens unless it is given room for more (mime_walk_deeper). */
#define MIME_LEVELS 8

struct mime_type {       /* Content-Type; its names know no case */
    struct span type;    /* "application"; empty: it could not be read, or nobody told */
    struct span subtype; /* "sdp" */
    struct span params;  /* from the first ; on, for param_next() */
};

struct mime_disposition { /* Content-Disposition */
    struct span type; /* "session", "render" …; without the field what the type implies (§20.11) */
    struct span params; /* from the first ; on */
    bool optional;      /* handling=optional: who does not understand this body may pass over it */
};

struct mime_field {          /* a field of a part's head */
    struct span whole;       /* with its foldings and line end */
    struct span name, value; /* the value without white space at its ends */
};

struct mime_part {  /* level 0 has neither delimiter nor head */
    unsigned level; /* 0: the body of a message; 1: one of its parts; 2: a part of such a part … */
    struct span delimiter; /* the line above, with the line end before it, which is its own */
    struct span whole;     /* head, empty line, content; a body is all content */
    struct span head;      /* its fields with their line ends; no empty line */
    struct span content;   /* without the line end before the next delimiter */
    struct mime_type type; /* without the field text/plain, in a multipart/digest message/rfc822 */
    struct mime_disposition disposition;
};

struct mime_multi {       /* one multipart as it is gone through */
    struct span body;     /* all of it, from preamble to epilogue */
    struct span boundary; /* without its quotes; a quoted one may hold \ before any character */
    bool quoted;
    bool digest;       /* multipart/digest */
    unsigned level;    /* of its parts */
    struct span ahead; /* delimiter of the part that comes next; empty: none */
    struct span close; /* the one behind the last part; empty: it is missing, or not yet seen */
};

struct mime_walk {
    struct mime_part part;              /* the one at hand */
    struct mime_multi own[MIME_LEVELS]; /* those that it stands in, outermost first: … */
    struct mime_multi *given;           /* … here, unless NULL; … */
    unsigned depth, levels_max;         /* … this many, and at most so many */
    bool begun;
};

/* The n-th (0…) multipart that the part at hand stands in, below w->depth. */
static inline const struct mime_multi *
mime_walk_level(const struct mime_walk *w, unsigned n)
{
    return w->given ? &w->given[n] : &w->own[n];
}

#pragma GCC visibility push(default)

/* Reads a Content-Type. SIPD_ESYNTAX: it is none, and out is empty. */
int mime_type_read(struct span value, struct mime_type *out);
/* Is it this one ("application/sdp")? */
bool mime_type_is(const struct mime_type *type, struct span text);
/* Reads a Content-Disposition; one that is empty or cannot be read is what the type implies. */
void mime_disposition_read(struct span value, const struct mime_type *type,
                           struct mime_disposition *out);

/*
 * Walks a body: first the body itself at level 0, then, if it is a multipart, its parts, each before its own parts.
 * Lent: all spans, as long as w is used. type and disposition are the message's fields, or empty.
 */
void mime_walk_init(struct mime_walk *w, struct span type, struct span disposition,
                    struct span body);
/*
 * Before the first part: opens as many multiparts within each other as `levels` has room for, be it more than MIME_LEVELS or
 * less; one that stands deeper is a part whose parts are not walked. Each level may cost a look at all of the body, so there
 * must be a bound, and who walks sets it. Lent: levels, as long as w is used.
 */
void mime_walk_deeper(struct mime_walk *w, struct mime_multi levels[], unsigned max);
/* The next part is w->part. False when none is left; w->part is empty then. */
bool mime_walk_next(struct mime_walk *w);

/* Takes the next field off a head. False when none is left. */
bool mime_field_next(struct span *head, struct mime_field *out);
/* The value of a part's first field of this name, short forms included; false (and an empty span) if there is none. */
bool mime_field_find(const struct mime_part *part, struct span name, struct span *value);

/*
 * Opens a multipart: false if the part is none, or has no boundary that one could look for. Then its parts one by
 * one, without those within them. A delimiter is a whole line: -- and the boundary, -- again if it closes, blanks, a
 * line end, be it a bare LF. Without a closing delimiter the last part reaches to the end. Lent: part's spans, as
 * long as m is used.
 */
bool mime_multi_open(struct mime_multi *m, const struct mime_part *part);
bool mime_multi_next(struct mime_multi *m, struct mime_part *out);
/* Is a line of this text a delimiter of the multipart? What would stand in it may hold none. */
bool mime_multi_delimits(const struct mime_multi *m, struct span text);

#pragma GCC visibility pop

#endif
