/*
 * The messages that readers are measured on, and readers of others beside ours.
 */
#ifndef BENCH_INVITE_H
#define BENCH_INVITE_H

#include "base/span.h"

enum { INVITES = 256 };

/* What follows an INVITE in a call, as many of each, no two alike. */
enum brief { BRIEF_180, BRIEF_200, BRIEF_ACK, BRIEF_BYE, BRIEFS };

/* Lent for ever. */
struct span brief_make(enum brief kind, unsigned n);

/* INVITEs as the second proxy of a call gets them, 988 bytes on average, no two alike. Lent for ever. */
struct span invite_make(unsigned n);

struct peer {
    const char *name;
    bool (*read)(struct span bytes);
};

/* Parsers of other projects that are installed here; ends with a name of NULL. */
extern const struct peer peers[];
/* Once, before any of them. */
void peers_init(void);

#endif
