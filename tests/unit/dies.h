/*
 * Broken promises in tests: the abort happens in a child, and its last words are read.
 */
#ifndef UNIT_DIES_H
#define UNIT_DIES_H

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: no core file, standard error into the pipe. */
static inline void
dies_child(void (*fn)(void), const int ends[2])
{
    const struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    fn();
    _exit(0);
}

/* Does fn abort, having said words on standard error? */
static inline bool
dies_saying(void (*fn)(void), const char *words)
{
    char said[4096];
    size_t len = 0;
    int ends[2], status;
    ssize_t got;
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        dies_child(fn, ends);
    close(ends[1]);
    while ((got = read(ends[0], said + len, sizeof said - 1 - len)) > 0)
        len += (size_t)got;
    said[len] = '\0';
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(said, words) != NULL;
}

#endif
