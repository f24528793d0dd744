/*
 * A server with a registrar, whose file is in a folder of the test's own.
 */
#ifndef SIM_REGISTRAR_RIG_H
#define SIM_REGISTRAR_RIG_H

#include "sim/world.h"

extern struct world registrar_world;
extern char registrar_path[96]; /* of the file */

/* A fixture: nothing may be left in the end. */
void registrar_begin(void);
void registrar_end(void);

/* The server a, 192.0.2.1, of example.com, with these settings of the module. */
struct sim_sipd *registrar_start(const char *settings);
/* Runs until the store has been read. */
void registrar_read_all(struct sim_sipd *sipd);
/* Somebody of example.com at udp:IP:5060. */
struct peer *registrar_peer(const char *name, const char *ip);
uint64_t registrar_counter(const char *name);
/* Is bob called so many seconds from now? He answers nothing: not to be asked again within 32 seconds, if he was called. */
bool registrar_calls(struct peer *alice, struct peer *bob, uint64_t after_s);

#endif
