/*
 * The door of sipctl: a UNIX socket, lines both ways, version 1.
 *
 * The server greets: "sipd-ctl 1 VERSION". Then each line is a request and its answer, in order:
 *   {"words":["show","chain"],"input":"…"}    what was typed, and what was sent along (a password)
 *   {"rows":[{…},…]}   it is done; for tables and programs
 *   {"error":"…"}      it was refused, or what was asked for is not there
 *   {"usage":"…"}      there is no such command
 *   {"wants":"…"}      the same again, with input: the prompt for it
 */
#ifndef DAEMON_CTL_H
#define DAEMON_CTL_H

#include "daemon/daemon.h"

#define CTL_VERSION 1

/*
 * Opens the socket of the configuration. One that a dead process left is replaced. SIPD_EEXIST: somebody alive has it;
 * SIPD_EIO. With a complaint.
 */
int ctl_open(struct daemon *d, struct buf *why) MUST_USE;
/* Ends every client and takes the socket away. */
void ctl_close(struct daemon *d);
/* A command that was put off has its answer. */
void ctl_answered(struct ctl *ctl, uint64_t answer_id, const struct sipd_answer *answer);

#endif
