/*
 * What stands around a core that is measured alone: one listener for datagrams, a way to every hop, no way back to any user.
 */
#ifndef BENCH_AROUND_H
#define BENCH_AROUND_H

#include <stdio.h>
#include <stdlib.h>

#include "core/ports.h"

#define AROUND_SENT_BY SPAN("198.51.100.1:5060")

/* The measure is none. */
_Noreturn static inline void
around_stop(const char *program, const char *why)
{
    fprintf(stderr, "%s: %s\n", program, why);
    exit(1);
}

static inline int
around_way(void *io, const struct hop *to, size_t bytes, struct way *out)
{
    (void)io;
    (void)bytes;
    *out = (struct way){ .to = *to, .sent_by = AROUND_SENT_BY };
    out->to.listener = 1;
    return SIPD_OK;
}

static inline bool
around_side(void *io, uint16_t listener, struct core_side *out)
{
    (void)io;
    *out = (struct core_side){ .sent_by = AROUND_SENT_BY, .transport = HOP_UDP };
    return listener == 1;
}

static inline bool
around_knows(void *io, struct span aor)
{
    (void)io;
    (void)aor;
    return false;
}

#endif
