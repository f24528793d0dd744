/*
 * A host in a box on the core's box: modules that are part of the test, what they post and answer kept, and run when told.
 */
#ifndef UNIT_HOST_RIG_H
#define UNIT_HOST_RIG_H

#include "base/err.h"
#include "host/host.h"
#include "unit/core_rig.h"
#include "unit/text.h"

struct host_rig {
    struct host *host;
    struct host_ports ports;
    config_t tree;
    struct host_source source;
    struct buf why;          /* complaints */
    struct buf answer;       /* the last answer, as JSON */
    uint64_t answered;       /* the id of the last that was put off and came */
    void (*wake)(void *arg); /* what the host wants run in the next turn; NULL: nothing */
    void *wake_arg;
    unsigned wakes;
    struct buf log; /* lines */
};

extern struct host_rig hosting;

void host_rig_begin(void);
void host_rig_end(void);
/* The configuration that modules read their sections from. */
void host_rig_conf(const char *text);
/* Opens a module of the test. */
int host_rig_open(const struct sipd_module *module);
/* Lets all load, joined to the core. */
int host_rig_start(void);
/* Words with blanks between them; the answer as JSON is in hosting.answer. */
enum host_ran host_rig_run(const char *words, const char *input, uint64_t *later);
/* The answer to words, which must come at once. */
#define host_rig_says(words, json) host_rig_says_at(words, json, __LINE__)
void host_rig_says_at(const char *words, const char *json, int line);
/* Runs what was posted. */
void host_rig_wake(void);

/* A case whose tests use both boxes. */
static inline TCase *
host_case(const char *name)
{
    TCase *made = tcase_create(name);

    tcase_add_checked_fixture(made, host_rig_begin, host_rig_end);
    return made;
}

#endif
