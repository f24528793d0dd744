/*
 * The files of tests/scenarios, in the order of their names.
 */
#ifndef SIM_SCENARIOS_H
#define SIM_SCENARIOS_H

#include <check.h>

/* How many there are; 0: this is not the top of the tree. */
int scenarios_count(void);
/* The path of one, 0 to scenarios_count() - 1. Lent for ever. */
const char *scenarios_path(int n);
/* Adds a test that runs once for each, as _i; if there is none, a test that fails. Lent for ever: test. */
void scenarios_add(TCase *tcase, const TTest *test);

#endif
