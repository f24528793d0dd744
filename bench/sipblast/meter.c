/*
 * Time: now, the CPU time and the memory that a server uses, and how long transactions took.
 */
#include "blast.h"

#include <stdio.h>
#include <time.h>

#define STEPS 32 /* buckets for each power of two: 3 % wide */

static uint64_t buckets[64 * STEPS], counted;

uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

/* All its threads; to the nanosecond, unlike /proc/PID/stat. */
static double
process_cpu_s(int pid)
{
    clockid_t clock;
    struct timespec used;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

double
server_cpu_s(void)
{
    double sum = 0;

    for (unsigned i = 0; i < plan.pids_len; i++)
        sum += process_cpu_s(plan.pids[i]);
    return sum;
}

/* What several processes share counts for each with its part (Pss). */
static double
process_kib(int pid)
{
    char name[64], line[128];
    unsigned long kib = 0;
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/smaps_rollup", pid);
    file = fopen(name, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %lu kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return (double)kib;
}

double
server_kib(void)
{
    double sum = 0;

    for (unsigned i = 0; i < plan.pids_len; i++)
        sum += process_kib(plan.pids[i]);
    return sum;
}

void
latency_add(uint64_t ns)
{
    unsigned at = (unsigned)ns;

    if (ns >= 2 * STEPS) {
        unsigned shift = 58 - (unsigned)__builtin_clzll(ns); /* leaves STEPS..2*STEPS-1 */

        at = shift * STEPS + (unsigned)(ns >> shift);
    }
    buckets[at]++;
    counted++;
}

double
latency_us(double quantile)
{
    uint64_t wanted = (uint64_t)(quantile * (double)counted), seen = 0;

    for (unsigned at = 0; at < sizeof buckets / sizeof *buckets; at++) {
        seen += buckets[at];
        if (seen <= wanted)
            continue;
        if (at < 2 * STEPS)
            return at / 1e3;
        return (double)((uint64_t)(STEPS + at % STEPS) << (at / STEPS - 1)) / 1e3;
    }
    return 0;
}
