/*
 * Random calls of the simulator, judged by tshark: nothing that a sipd says in them may be malformed.
 *
 * SIPD_SEED: the first seed, else 1.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "live/capture.h"

Suite *suite_calls_pcap(void);

enum { RUN_MS = 3 * PROC_PATIENCE_MS };

START_TEST(nothing_said_is_malformed)
{
    const char *build = getenv("SIPD_BUILD"), *seed = getenv("SIPD_SEED");
    char path[256], soak[256];
    const char *argv[] = { soak,   "calls", "600",  "world",           "50", "decent",
                           "pcap", path,    "seed", seed ? seed : "1", NULL };
    struct proc run;

    snprintf(soak, sizeof soak, "%s/tests/soak", build ? build : "build");
    snprintf(path, sizeof path, "%s/calls.pcap", proc_dir());
    ck_assert_msg(proc_run(&run, "soak", RUN_MS, argv), "%s", proc_output(&run));
    capture_judge_file(path, "ip.src == 192.168.0.0/24 && (sip || _ws.malformed)");
}
END_TEST

Suite *
suite_calls_pcap(void)
{
    Suite *suite = suite_create("calls_pcap");
    TCase *tcase = tcase_create("calls_pcap");

    tcase_set_timeout(tcase, 200);
    tcase_add_test(tcase, nothing_said_is_malformed);
    suite_add_tcase(suite, tcase);
    return suite;
}
