/*
 * Escaped text: %HH and what it stands for, and when two texts are the same (RFC 3261 §19.1.4, RFC 3966 §4, RFC 3986
 * §2.1).
 */
#ifndef SIP_ESCAPE_H
#define SIP_ESCAPE_H

#include "sip/chars.h"

struct escape_letter {
    char byte;
    bool escaped;
    bool fixed; /* a reserved one that was escaped: not what it is unescaped (RFC 3261 §19.1.4) */
};

enum escape_rule {
    ESCAPE_CASE,   /* every character counts */
    ESCAPE_FOLD,   /* the case of letters does not */
    ESCAPE_NUMBER, /* nor do visual separators (RFC 3966 §5.1.1) */
};

/* Does s begin with an escape? */
bool escape_begins(struct span s);
/* Takes the next character off a text that is not empty; a % that begins no escape is itself. */
struct escape_letter escape_next(struct span *text);
/* Takes the next character that counts. False at the end. */
bool escape_next_that_counts(struct span *text, enum escape_rule rule, struct escape_letter *out);
/* Is c one of RFC 3966 §3 visual-separator: there for the eye, no part of the number? */
bool escape_is_separator(char c);

/* Is every byte in one of these classes (enum chars_class) or part of an escape? */
bool escape_all(struct span s, unsigned classes);
/* The same text, by a rule. */
bool escape_eq(struct span a, struct span b, enum escape_rule rule);
/* One order of all texts: below 0 if a stands before b, 0 if they are the same. */
int escape_order(struct span a, struct span b, enum escape_rule rule);
/* What the text stands for. SIPD_ETOOBIG: there is no room for it; what there is room for was written. */
int escape_undo(struct span text, char *to, size_t room);

/* Bytes that grow towards a ceiling: what does not fit is counted, not written. */
struct escape_out {
    char *to;
    size_t room;
    size_t len; /* wanted so far, also beyond room */
};

void escape_put(struct escape_out *out, char c);
void escape_put_text(struct escape_out *out, struct span text); /* as it is */
/* "%2F" */
void escape_put_hex(struct escape_out *out, char c);
void escape_put_lower(struct escape_out *out, struct span text);
/* What a function that writes returns: the length, or SIPD_ETOOBIG. */
int escape_done(const struct escape_out *out);

#endif
