/*
 * What happens when a promise of ours is broken: it is said, and counted or the end.
 *
 * The counter is the process's, as the writer thread of a module may doubt too.
 */
#include "base/def.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic uint64_t doubts;
static atomic_bool doubts_are_fatal;

/* One line on standard error, made on the stack, for the heap may be what is broken. */
static void
say(const char *kind, const char *what, const char *file, int line)
{
    char text[512];
    int len = snprintf(text, sizeof text, "%s: %s at %s:%d\n", kind, what, file, line);

    if (len < 0)
        return;
    if ((size_t)len >= sizeof text) {
        len = sizeof text;
        text[len - 1] = '\n';
    }
    if (write(STDERR_FILENO, text, (size_t)len) < 0)
        return; /* there is nobody left to tell */
}

_Noreturn void
bug_abort(const char *what, const char *file, int line)
{
    say("bug", what, file, line);
    abort();
}

bool
bug_doubt(const char *what, const char *file, int line)
{
    if (atomic_load(&doubts_are_fatal))
        bug_abort(what, file, line);
    atomic_fetch_add(&doubts, 1);
    say("doubt", what, file, line);
    return true;
}

void
bug_doubt_fatal(void)
{
    atomic_store(&doubts_are_fatal, true);
}

uint64_t
bug_doubts(void)
{
    return atomic_load(&doubts);
}
