/*
 * The modules of a simulated sipd, opened and loaded as the daemon does it.
 */
#ifndef SIM_MODULES_H
#define SIM_MODULES_H

#include "sim/world.h"

/* Opens a module with these settings ("{ store = "ram"; }"). Fails the world in words. */
void sim_host_open(struct sim_sipd *s, struct span name, struct span settings);
/* Loads all that were opened; the core is there. Fails the world in words. */
void sim_host_start(struct sim_sipd *s);
/* The same modules again, for a sipd's second core. NULL: there are none. */
struct sim_host *sim_host_twin(const struct sim_host *of, struct core *core);
void sim_host_free(struct sim_host **host);

/* Facts of modules, and of the core that they stand on. */
int sim_host_restore(struct sim_host *host, const struct fact *fact) MUST_USE;
void sim_host_wake(struct sim_host *host);
/* All that modules have is noted, as if it had changed. */
void sim_host_note_all(struct sim_host *host);

struct sim_facts { /* what modules have, in numbers that do not depend on its order */
    uint64_t len;
    uint64_t ids; /* which things there are */
    uint64_t all; /* … and all about them */
};

void sim_host_count(struct sim_host *host, struct sim_facts *facts);

/* All of these do nothing without modules. */
void sim_host_tick(struct sim_host *host);
/* What modules' threads post is kept, or runs with the ticks, as it does at first. */
void sim_host_hold_posts(struct sim_host *host, bool held);
/* Waits for something that a module's thread posts, and runs it. */
void sim_host_run_post(struct sim_host *host);
uint64_t sim_host_next_ms(const struct sim_host *host);
int sim_host_resolve(struct sim_host *host, const struct sipd_place *place, uint64_t id);
void sim_host_tried(const struct sim_host *host, const struct hop *hop, enum sipd_tried how,
                    uint32_t retry_after_s);
bool sim_host_knows(const struct sim_host *host, struct span aor);

#endif
