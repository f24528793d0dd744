/*
 * Every packet that sipd sends, looked at by tshark: not one may be malformed (RFC 3261 §25).
 */
#ifndef LIVE_CAPTURE_H
#define LIVE_CAPTURE_H

#include "live/proc.h"

struct capture {
    struct proc proc;
    char file[256];
    uint16_t port;
};

/* Begins to record what goes from and to this port on the loopback interface. */
void capture_start(struct capture *c, uint16_t port);
/* Ends it and judges: fails the test when tshark calls a packet of ours malformed, or none was recorded. */
void capture_judge(struct capture *c);

#endif
