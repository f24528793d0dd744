/*
 * A test program's suites, one after the other, each with its failures at once.
 */
#ifndef LIB_SUITES_H
#define LIB_SUITES_H

#include <check.h>
#include <stdbool.h>

struct suites_entry {
    const char *name; /* NULL ends a list */
    Suite *(*make)(void);
};

/*
 * Before tests that start no programs: a process of theirs waits for no disk where memory can be one, keeps what memory it has
 * had, and ends without putting away what ends with it. Failures of memory and leaks that a sanitizer tells are told as ever.
 */
void suites_begin(void);
/*
 * Runs those whose names are among `words`, which ends with NULL, or all; aloud: tells how far it is. Returns what main() does.
 */
int suites_run(const struct suites_entry *suites, char *const *words, bool aloud);

#endif
