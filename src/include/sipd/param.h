/*
 * The walk over ;name=value as it stands behind addresses, Via and many headers (RFC 3261 §25.1 generic-param).
 */
#ifndef SIPD_PARAM_H
#define SIPD_PARAM_H

#include <sipd/span.h>

struct param {
    struct span name;  /* as written */
    struct span value; /* as written, quotes included; empty if there is none */
    bool has_value;    /* an = was there */
};

#pragma GCC visibility push(default)

/*
 * Takes the next parameter off *rest (";a=b;c" or "a=b;c"). Quoted strings are skipped as one, blanks around ; and = are
 * allowed, empty parameters (";;") are passed over. False when none is left.
 */
bool param_next(struct span *rest, struct param *out);

/* Finds a parameter by name without case. False if it is not there; `value` may be NULL. */
bool param_find(struct span params, struct span name, struct span *value);

/* The text between the quotes of a quoted-string (escapes still in it), or the span itself when it is not quoted. */
struct span param_unquote(struct span value);

#pragma GCC visibility pop

#endif
