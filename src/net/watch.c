/*
 * Does a turn compute for too long, or sleep outside of the poll (house rule 16)?
 *
 * Asking the kernel costs as much as receiving half a message, so it is asked at most once a
 * millisecond, and after a turn that took long by the clock on the wall. A turn is thus charged
 * with up to a millisecond of those just before it; and of many short turns only samples are
 * searched for sleep, which under load finds every habit. Who had to wait for a page of a file, of the program's own
 * perhaps, has done nothing to sleep: it had been taken from memory, or never been there.
 */
#include "net/watch.h"

#include <sys/resource.h>

enum {
    ASK_NS = 1000000,
    LATE_NS = 10000000,
    LATE_US = 10000,
};

static uint64_t
usec(const struct timeval *tv)
{
    return (uint64_t)tv->tv_sec * 1000000 + (uint64_t)tv->tv_usec;
}

static bool
ask(uint64_t *cpu_us, long *sleeps, long *faults)
{
    struct rusage use;

    if (getrusage(RUSAGE_THREAD, &use) != 0)
        return false;
    *cpu_us = usec(&use.ru_utime) + usec(&use.ru_stime);
    *sleeps = use.ru_nvcsw;
    *faults = use.ru_majflt;
    return true;
}

void
watch_begin(struct watch *w, uint64_t now_ns)
{
    w->began_ns = now_ns;
    w->exact = now_ns - w->asked_ns >= ASK_NS && ask(&w->cpu_us, &w->sleeps, &w->faults);
    if (w->exact)
        w->asked_ns = now_ns;
}

unsigned
watch_end(struct watch *w, uint64_t now_ns)
{
    unsigned verdict = WATCH_FINE;
    uint64_t cpu_us;
    long sleeps, faults;

    if (!w->exact && now_ns - w->began_ns < LATE_NS)
        return WATCH_FINE;
    if (!ask(&cpu_us, &sleeps, &faults))
        return WATCH_FINE;
    if (cpu_us - w->cpu_us > LATE_US)
        verdict |= WATCH_LATE;
    if (w->exact && sleeps != w->sleeps && faults == w->faults)
        verdict |= WATCH_SLEPT;
    return verdict;
}
