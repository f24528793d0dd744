/*
 * Runs a scenario: a text file of settings, things said and things expected, line by line; no loops, no conditions.
 *
 *   sipd NAME                       a server; the settings below it are its own
 *   listen udp:192.0.2.1:5060 [rport asked|private|always]
 *   domain example.com              knows sip:carol@example.com
 *   set record_route off            also mode, stray, fork, relay, no_answer_s, timer_c_s, silent_ms, trying_ms, transactions, max_targets
 *   module NAME { … }               a module with its section of sipd.conf, on one line
 *   user bob@example.com PASSWORD [realm R]   a user that `module auth` below it finds
 *   where sip:bob@example.com URI [q 0.5] [over tcp:192.0.2.9:5060]
 *   peer NAME udp:192.0.2.10:5060 [behind 203.0.113.7:40000] [of example.com]
 *   network delay 5 jitter 10 loss 50 doubled 20 late 30 by 2000    ms, ms, then of 1000 datagrams; late by up to so many ms
 *   name a.example udp:192.0.2.3:5060 tcp:192.0.2.4:5060 [in 20ms]  what a look-up gives, best first, and how soon
 *
 *   alice > INVITE sip:bob@example.com [to udp:192.0.2.1:5060] [with PASSWORD, which answers all challenges heard]
 *       Subject: a header of the message            | a line of its body
 *   bob > 180 [INVITE]              answers the last request, or the last of that method
 *   alice > ACK, CANCEL, BYE, reINVITE …            by the rules of the dialog
 *   alice again                     the last message once more
 *   bob < INVITE [within 5s]        must come, and be the next that bob hears
 *       has Record-Route [text]     lacks Route [text]      count Via 2      uri sip:bob@…      like alice Subject
 *       body text
 *   alice < nothing [for 2s]        bob repeats 3 (heard again byte for byte)
 *   wait 500ms                      cut NAME (its connections)    deaf NAME    drain
 *   cut A B [for 5s]                nothing gets from one to the other until then, or until:    heal
 *   most 40                         no more messages than so many were sent since the start, or the last such line
 *   load SIPD lag 200ms queue 80    its loop does not keep up: turns take so long, its queue is so full; nothing: it does again
 *   slow NAME 500ms                 its messages take longer      spare NAME   the network loses, doubles, delays nothing of it
 *   narrow NAME 1000                the path to it is known to have this MTU (bytes)
 *   clock forward 3600s             the wall clock is set by so much (or: back); timers go on as they did
 *   quiet                           long enough for every timer: nothing more is said, and no state is left
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "base/buf.h"

/* Runs the file. True if all went as written; else `out` tells file, line, what was wrong, and the ladder. */
bool script_run(const char *path, uint64_t seed, struct buf *out);

struct script_outage {
    uint64_t after; /* so many allocations of the sipds succeed once they run, the next fails … */
    uint32_t ms;    /* … and all for so long; 0: until that call of theirs returns */
    bool came;      /* it did fail */
};

/*
 * The same while memory fails: what the file expects need not come. True if nothing of it is left, no state and no memory.
 */
bool script_run_short(const char *path, uint64_t seed, struct script_outage *outage,
                      struct buf *out);

/* The same while every request is run dry before a sipd hears it, and what was said then and what happens are compared (rehearse.h). */
bool script_run_rehearsed(const char *path, uint64_t seed, unsigned *rehearsed, struct buf *out);

struct script_kill {
    unsigned sipd;  /* which one, from 0, in the order of the file … */
    uint64_t after; /* … is killed behind this fact of its, from 1 */
    /* not killed, but parted from its standby for so many turns, and the standby told anew; 0: killed */
    unsigned parted_for;
    bool came; /* it was */
};

/*
 * The same while a sipd is killed and its standby goes on. Peers repeat once what they said last, those on connections over new
 * ones, where they register anew if they were; answers take longer, and need not come in the file's order.
 */
bool script_run_killed(const char *path, uint64_t seed, struct script_kill *kill, struct buf *out);
/* How many sipds are in it? */
unsigned script_sipds(const char *path);

#endif
