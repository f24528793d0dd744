/*
 * soak [calls N] [world N] [seed N] [sipds N] [per_s N] [sunny]: random calls in worlds of so many calls, one seed behind
 * another; prints what came of it, or the ladder of the call that went wrong.
 */
#include <stdio.h>
#include <time.h>

#include "sim/calls.h"

struct soak {
    struct calls_conf conf;
    struct calls_figures figures;
    uint64_t calls;
};

static bool
read_options(struct soak *soak, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct span word = span_of(argv[i]), value = span_of(i + 1 < argc ? argv[i + 1] : "");
        uint64_t n = 0;

        if (span_eq(word, SPAN("sunny"))) {
            soak->conf.sunny = true;
            continue;
        }
        if (!span_u64(value, UINT64_MAX, &n))
            return false;
        if (span_eq(word, SPAN("calls")))
            soak->calls = n;
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
        i++;
    }
    return soak->conf.calls > 0;
}

static double
cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void
report(const struct soak *soak, double took_s)
{
    const struct calls_figures *f = &soak->figures;

    printf("%llu calls in %.1f s of CPU: %.0f a second; %llu s of the world's time\n", (unsigned long long)f->calls, took_s,
           (double)f->calls / took_s, (unsigned long long)f->world_s);
    printf("INVITEs: %llu answered, %llu refused, %llu unanswered, %llu cancelled\n", (unsigned long long)f->answered,
           (unsigned long long)f->refused, (unsigned long long)f->unanswered, (unsigned long long)f->cancelled);
    printf("sipd sent %llu requests and %llu responses; the network lost %llu and doubled %llu; illegal things: %llu\n",
           (unsigned long long)f->requests, (unsigned long long)f->responses, (unsigned long long)f->lost,
           (unsigned long long)f->doubled, (unsigned long long)f->mischief);
}

int
main(int argc, char **argv)
{
    struct soak soak = { .conf = { .seed = 1, .calls = 1000 }, .calls = 1000000 };
    double began = cpu_s();
    struct buf out;

    if (!read_options(&soak, argc, argv)) {
        fprintf(stderr, "soak [calls N] [world N] [seed N] [sipds N] [per_s N] [sunny]\n");
        return 2;
    }
    buf_init(&out, 8 << 20);
    printf("from seed %llu, worlds of %u calls\n", (unsigned long long)soak.conf.seed, soak.conf.calls);
    while (soak.figures.calls < soak.calls) {
        if (!calls_run(&soak.conf, &soak.figures, &out)) {
            printf("%.*s", SPAN_ARG(buf_span(&out)));
            return 1;
        }
        soak.conf.seed++;
    }
    report(&soak, cpu_s() - began);
    buf_fini(&out);
    return 0;
}
