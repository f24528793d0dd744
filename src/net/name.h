/*
 * Whom we connect to, as numbers that fit into a hop (RFC 5922 §4: the domain that was asked for, not the host it led to).
 *
 * A hop lives in transactions and routes, and must not own memory. A number that was not used for long is forgotten; what
 * then still names it finds no way.
 */
#ifndef NET_NAME_H
#define NET_NAME_H

#include "base/list.h"
#include "base/span.h"
#include "base/table.h"

struct net;

struct names {
    struct table by_text, by_number;
    struct list used; /* struct name, the one used last at the end */
    uint32_t count, last;
};

/* SIPD_ENOMEM. */
int names_init(struct names *names) MUST_USE;
void names_fini(struct names *names);
/* The text of a number; false if it has been forgotten, or never was. Lent until the end of the turn. */
bool name_text(struct net *net, uint32_t number, struct span *text);

#endif
