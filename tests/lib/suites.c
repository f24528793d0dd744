/*
 * Suites and how they went. Check makes a process for each test, so what a process costs is most of what small tests cost.
 */
#include "lib/suites.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/poison.h"
#include "lib/folder.h"

static pid_t main_process;
static int checks, failures, errors;

/* Destructors of a dozen libraries write to as many pages, all of them copies that nobody else sees. */
static void
leave(int status, void *unused)
{
    (void)unused;
    if (getpid() == main_process)
        return;
    fflush(NULL);
    _exit(status);
}

void
suites_begin(void)
{
    main_process = getpid();
    if (folder_in_memory())
        setenv("TEMP", FOLDER_MEMORY, 0); /* Check's own files */
    /* Who hangs is ended; a machine that has much else to do is no failure. */
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);
    /* Tables of whole servers are mostly not touched, and cost less as pages of their own. */
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    if (!POISON_WORKS)
        on_exit(leave, NULL);
}

static bool
is_among(const char *name, char *const *words)
{
    for (; *words; words++)
        if (strcmp(name, *words) == 0)
            return true;
    return false;
}

static void
count(SRunner *runner)
{
    TestResult **failed = srunner_failures(runner);
    int n = srunner_ntests_failed(runner);

    checks += srunner_ntests_run(runner);
    for (int i = 0; i < n; i++)
        *(tr_rtype(failed[i]) == CK_ERROR ? &errors : &failures) += 1;
    free(failed);
}

/* Who is ended from outside has said how all went so far, and which one he hangs in. CK_VERBOSITY says more. */
static void
run(const struct suites_entry *suite, bool aloud)
{
    SRunner *runner = srunner_create(suite->make());
    time_t began = time(NULL);

    if (aloud)
        printf("%s ...\n", suite->name);
    fflush(NULL); /* before Check makes copies of us */
    srunner_run_all(runner, getenv("CK_VERBOSITY") ? CK_ENV : CK_SILENT);
    count(runner);
    if (srunner_ntests_failed(runner) > 0)
        srunner_print(runner, CK_NORMAL);
    if (aloud)
        printf("%s: %d checks, %d failed, %ld s\n", suite->name, srunner_ntests_run(runner),
               srunner_ntests_failed(runner), (long)(time(NULL) - began));
    fflush(NULL);
    srunner_free(runner);
}

static int
refuse(const struct suites_entry *suites)
{
    fprintf(stderr, "no such suite; there are:");
    for (; suites->name; suites++)
        fprintf(stderr, " %s", suites->name);
    fprintf(stderr, "\n");
    return 2;
}

int
suites_run(const struct suites_entry *suites, char *const *words, bool aloud)
{
    unsigned known = 0;
    int bad;

    for (const struct suites_entry *suite = suites; suite->name; suite++)
        if (!*words || is_among(suite->name, words)) {
            run(suite, aloud);
            known++;
        }
    if (known == 0)
        return refuse(suites);
    bad = failures + errors;
    printf("%d%%: Checks: %d, Failures: %d, Errors: %d\n",
           checks > 0 ? (checks - bad) * 100 / checks : 100, checks, failures, errors);
    return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
