/*
 * Every packet that sipd sends, looked at by tshark and then by us: not one may be malformed (RFC 3261 §7, §8.1.1,
 * §25).
 *
 * One capture lasts for a suite: its server takes the same port in every test. Where the machine does not allow to
 * capture, that is said aloud, and nothing is judged.
 */
#ifndef LIVE_CAPTURE_H
#define LIVE_CAPTURE_H

#include <check.h>

#include "live/proc.h"

struct capture {
    struct proc proc;
    char file[256];
    uint16_t port;      /* of the server … */
    const char *filter; /* … or what tells its packets, in a file of others; else NULL */
};

/* The capture of a suite that has one case: called before its tests are added, … */
void capture_before(TCase *tcase);
/* … and after: the judgement is a test, the last. */
void capture_after(TCase *tcase);

/*
 * Begins to record what a server with this port sends and gets on the loopback interface: by its port, and by
 * connections that it makes to peers at a proc_peer_port(). False, and said aloud: it can't be done.
 */
bool capture_start(struct capture *c, uint16_t port);
/*
 * Fails the test when tshark calls a packet of ours malformed, one lacks what each must have, or none was recorded.
 */
void capture_judge(struct capture *c);
/* The same of a file that was written otherwise: of its packets that fit this display filter. */
void capture_judge_file(const char *file, const char *filter);
void capture_stop(struct capture *c);

#endif
