/*
 * The allocation ladder: a run in which the first allocation fails, then one in which the second does, and so on.
 */
#include "sim/ladder.h"

#include "sim/calls.h"
#include "sim/script.h"

enum { OUTAGE_MS = 2500 };

static uint32_t
outage_ms(enum ladder_outage outage)
{
    return outage == LADDER_ONE_CALL ? 0 : OUTAGE_MS;
}

bool
ladder_scenario(const char *path, enum ladder_outage outage, unsigned *steps, struct buf *out)
{
    struct script_outage step = { .ms = outage_ms(outage) };
    bool ok;

    for (step.after = 0; (ok = script_run_short(path, 1, &step, out)) && step.came; step.after++)
        ++*steps;
    if (!ok)
        buf_printf(out, "when allocation %llu failed, for %u ms\n", (unsigned long long)step.after,
                   step.ms);
    return ok;
}

bool
ladder_calls(uint64_t seed, unsigned calls, enum ladder_outage outage, unsigned *steps,
             struct buf *out)
{
    struct calls_conf conf = {
        .seed = seed, .calls = calls, .memory_fails = true, .outage_ms = outage_ms(outage)
    };
    struct calls_figures figures = { .memory_failed = true };
    bool ok = true;

    for (conf.fail_after = 0; ok && figures.memory_failed; conf.fail_after++) {
        ok = calls_run(&conf, &figures, out);
        *steps += figures.memory_failed;
    }
    if (!ok)
        buf_printf(out, "when allocation %llu failed, for %u ms\n",
                   (unsigned long long)conf.fail_after - 1, conf.outage_ms);
    return ok;
}
