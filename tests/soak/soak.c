/*
 * soak [calls N] [world N] [seed N] [sipds N] [per_s N] [ladders N] [sunny] [decent] [pcap FILE]
 *
 * Random calls, in worlds of so many, one seed behind another; then every scenario again for each fact behind which a
 * sipd is killed, and random calls whose sipds die again and again; then memory runs out at every place of every
 * scenario, and of so many small worlds. With a pcap to write: the random calls alone. Prints what came of it, or the
 * ladder of the call that went wrong.
 */
#include <stdio.h>
#include <time.h>

#include "sim/calls.h"
#include "sim/killed.h"
#include "sim/ladder.h"
#include "sim/pcap.h"
#include "sim/scenarios.h"

enum { LADDER_CALLS = 4 };

struct soak {
    struct calls_conf conf;
    struct calls_figures figures;
    uint64_t calls, ladders;
    unsigned steps;
    struct buf out;
};

static bool
read_number(struct soak *soak, struct span word, uint64_t n)
{
    if (span_eq(word, SPAN("calls")))
        soak->calls = n;
    else if (span_eq(word, SPAN("ladders")))
        soak->ladders = n;
    else if (span_eq(word, SPAN("world")))
        soak->conf.calls = (unsigned)n;
    else if (span_eq(word, SPAN("seed")))
        soak->conf.seed = n;
    else if (span_eq(word, SPAN("sipds")))
        soak->conf.sipds = (unsigned)n;
    else if (span_eq(word, SPAN("per_s")))
        soak->conf.per_s = (unsigned)n;
    else
        return false;
    return true;
}

static bool
read_words(struct soak *soak, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct span word = span_of(argv[i]);
        uint64_t n = 0;

        if (span_eq(word, SPAN("sunny")))
            soak->conf.sunny = true;
        else if (span_eq(word, SPAN("decent")))
            soak->conf.decent = true;
        else if (span_eq(word, SPAN("pcap")) && i + 1 < argc)
            soak->conf.pcap = pcap_open(argv[++i]);
        else if (++i == argc || !span_u64(span_of(argv[i]), UINT64_MAX, &n) ||
                 !read_number(soak, word, n))
            return false;
    }
    return soak->conf.calls > 0;
}

static double
cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static bool
run_calls(struct soak *soak)
{
    const struct calls_figures *f = &soak->figures;
    double took_s = cpu_s();
    bool ok = true;

    printf("from seed %llu, worlds of %u calls\n", (unsigned long long)soak->conf.seed,
           soak->conf.calls);
    while (ok && f->calls < soak->calls) {
        ok = calls_run(&soak->conf, &soak->figures, &soak->out);
        soak->conf.seed++;
    }
    took_s = cpu_s() - took_s;
    printf("%llu calls in %.1f s of CPU: %.0f a second; %llu s of the world's time\n",
           (unsigned long long)f->calls, took_s, (double)f->calls / took_s,
           (unsigned long long)f->world_s);
    printf("INVITEs: %llu answered, %llu refused, %llu unanswered, %llu cancelled\n",
           (unsigned long long)f->answered, (unsigned long long)f->refused,
           (unsigned long long)f->unanswered, (unsigned long long)f->cancelled);
    printf("sipd sent %llu requests and %llu responses; the network lost %llu and doubled %llu; "
           "illegal things: %llu\n",
           (unsigned long long)f->requests, (unsigned long long)f->responses,
           (unsigned long long)f->lost, (unsigned long long)f->doubled,
           (unsigned long long)f->mischief);
    printf("by a strict router: %llu; refused for load: %llu; bounced: %llu; hooks that thought: "
           "%llu; "
           "kept back by a cut: %llu\n",
           (unsigned long long)f->by_strict, (unsigned long long)f->shed,
           (unsigned long long)f->bounced, (unsigned long long)f->thoughts,
           (unsigned long long)f->held);
    return ok;
}

static bool
climb_scenarios(struct soak *soak)
{
    bool ok = scenarios_count() > 0;

    for (int i = 0; ok && i < scenarios_count(); i++)
        for (enum ladder_outage outage = LADDER_ONE_CALL; ok && outage <= LADDER_SECONDS; outage++)
            ok = ladder_scenario(scenarios_path(i), outage, &soak->steps, &soak->out);
    printf("memory failed at %u places of %d scenarios\n", soak->steps, scenarios_count());
    return ok;
}

static bool
kill_scenarios(struct soak *soak)
{
    unsigned kills = 0;
    bool ok = scenarios_count() > 0;

    for (int i = 0; ok && i < scenarios_count(); i++)
        ok = killed_why_not(scenarios_path(i)) ||
             killed_scenario(scenarios_path(i), KILLED_ALWAYS, &kills, &soak->out);
    printf("a standby finished %u scripts whose sipd was killed\n", kills);
    return ok;
}

static bool
kill_calls(struct soak *soak)
{
    struct calls_conf conf = { .seed = soak->conf.seed, .calls = 200, .killed = 300 };
    struct calls_figures f = { .calls = 0 };
    bool ok = true;

    while (ok && f.calls < soak->calls / 20) {
        ok = calls_run(&conf, &f, &soak->out);
        conf.seed++;
    }
    printf("%llu calls whose sipds died %llu times: INVITEs %llu answered, %llu refused, %llu "
           "unanswered\n",
           (unsigned long long)f.calls, (unsigned long long)f.kills, (unsigned long long)f.answered,
           (unsigned long long)f.refused, (unsigned long long)f.unanswered);
    return ok && f.unanswered == 0;
}

static bool
climb_calls(struct soak *soak)
{
    unsigned steps = 0;
    bool ok = true;

    for (uint64_t i = 0; ok && i < soak->ladders; i++)
        for (enum ladder_outage outage = LADDER_ONE_CALL; ok && outage <= LADDER_SECONDS; outage++)
            ok = ladder_calls(soak->conf.seed + i, LADDER_CALLS, outage, &steps, &soak->out);
    printf("memory failed at %u places of %llu worlds, from seed %llu\n", steps,
           (unsigned long long)soak->ladders, (unsigned long long)soak->conf.seed);
    return ok;
}

int
main(int argc, char **argv)
{
    struct soak soak = { .conf = { .seed = 1, .calls = 1000 }, .calls = 1000000, .ladders = 100 };
    bool ok;

    if (!read_words(&soak, argc, argv)) {
        fprintf(
            stderr,
            "soak [calls N] [world N] [seed N] [sipds N] [per_s N] [ladders N] [sunny] [decent] "
            "[pcap FILE]\n");
        return 2;
    }
    buf_init(&soak.out, 8 << 20);
    ok = run_calls(&soak);
    if (ok && !soak.conf.pcap)
        ok = kill_scenarios(&soak) && kill_calls(&soak);
    if (ok && !soak.conf.pcap && soak.ladders > 0)
        ok = climb_scenarios(&soak) && climb_calls(&soak);
    printf("%.*s", SPAN_ARG(buf_span(&soak.out)));
    if (soak.conf.pcap && fclose(soak.conf.pcap) != 0)
        ok = false;
    buf_fini(&soak.out);
    return ok ? 0 : 1;
}
