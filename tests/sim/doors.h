/*
 * The doors of a simulated sipd, which the daemon would fill: way, send, resolve, ours; and what comes in by them.
 */
#ifndef SIM_DOORS_H
#define SIM_DOORS_H

#include "sim/world.h"

void doors_fill(struct sim_sipd *s, struct core_ports *ports);
/* A packet that may be for this sipd; false: it is for somebody else. */
bool doors_hear(struct sim_sipd *s, const struct wire_packet *packet);
/* The connection that this address has with us, or HOP_FLOW_DEAD. */
uint64_t doors_flow_id(const struct sim_sipd *s, const struct hop *peer);
/* Tells the core what could not leave. */
void doors_tell_gone(struct sim_sipd *s);
/* All its connections end, as when its process does. */
void doors_lose_flows(struct sim_sipd *s);
void doors_init(struct sim_sipd *s);
void doors_fini(struct sim_sipd *s);

#endif
