/*
 * sipctl trace in the background of a test, and tshark on what it captured.
 */
#ifndef LIVE_TRACER_H
#define LIVE_TRACER_H

#include "live/server.h"

/* Starts sipctl with these words, its output in ASCII and UTC; from now on it misses nothing. */
void tracer_start(struct proc *p, const struct server *server, const char *name, const char *words);
/* All that it said until now; lent until the next call. */
const char *tracer_output(const struct proc *p);
/* How often words stand in a text. */
unsigned tracer_count(const char *text, const char *words);
/* Waits until it says these words; fails the test when it does not. */
void tracer_says(const struct proc *p, const char *words);
/* Fails the test unless it has said all of these, in this order. Ends with NULL. */
void tracer_has(const struct proc *p, const char *const words[]);
/* Has the server asked something, which it answers itself: OPTIONS. */
void tracer_knock(const struct server *server);
/* As Ctrl-C does; it must end well. */
void tracer_end(struct proc *p);

/* What tshark tells of the packets that fit a display filter: first lines and sources. Lent until the next call of these. */
const char *tracer_judge(const char *file, const char *filter, struct proc *out);
/* Fails the test when one packet is malformed, or tshark warns of any. */
void tracer_judge_all(const char *file);

#endif
