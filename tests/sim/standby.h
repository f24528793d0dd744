/*
 * A second core for each sipd, which takes in the facts of the first one, and takes its place when that one is killed.
 *
 * The second one lives by facts alone: whatever it sends before is a failure, and after each turn its tables must be
 * those of the first.
 */
#ifndef SIM_STANDBY_H
#define SIM_STANDBY_H

#include "sim/world.h"

struct standby;

/* Gives a sipd that is started a second one. */
void standby_start(struct sim_sipd *s);
void standby_free(struct standby **standby);
/* Lent. */
struct core *standby_core(struct standby *standby);
struct sim_host *standby_host(struct standby *standby);
/* A fact of the first one. Its number; 0: it is dying, or there is no second one. */
uint64_t standby_note(struct sim_sipd *s, const struct fact *fact);
/* Have the modules of both the same? To be asked between turns. */
void standby_compare_modules(const struct sim_sipd *s);
/* Kills the first one behind its n-th fact from now on, from 1; what it does in that turn nobody sees. */
void standby_kill_after(struct standby *standby, uint64_t n);
/*
 * Behind its n-th fact from now on the two are parted: for so many turns the second one hears nothing. Then it is told anew, and
 * what has ended meanwhile must be gone there.
 */
void standby_part_after(struct standby *standby, uint64_t n, unsigned turns);
/* To be asked between turns: they are not parted any more, and the second one knows all. */
void standby_catch_up(struct sim_sipd *s);
/* A turn ends: true if the first one died in it, and the second one is in its place. */
bool standby_turn(struct sim_sipd *s);
/* Is it dying: does nothing that it sends leave any more? */
bool standby_is_dying(const struct sim_sipd *s);

#endif
