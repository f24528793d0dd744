/*
 * The file that a trace keeps whole messages in, secrets and all.
 */
#ifndef SIPCTL_CAPTURE_H
#define SIPCTL_CAPTURE_H

#include "base/buf.h"
#include "sipctl/event.h"
#include "sipctl/pcap.h"

struct capture {
    const char *path; /* lent; "-": standard output; NULL: none is wanted */
    int fd;           /* -1: none */
    struct pcap pcap;
    struct buf packets; /* that wait for capture_flush() */
    uint64_t unwritten; /* messages that are not in it */
};

/*
 * A new file, for its owner alone: one that is there may be open to others, and is not ours to overwrite. "-": standard output,
 * for a program that shows captures as they come. False: it cannot be had; the complaint has been made.
 */
bool capture_open(struct capture *capture, const char *path);
/* Gives the file up; capture_init() or capture_open() came before. */
void capture_close(struct capture *capture);
void capture_init(struct capture *capture);
/* Is one under way? */
static inline bool
capture_is_on(const struct capture *capture)
{
    return capture->fd >= 0;
}
/* Keeps a message. Lent: event, which has bytes. */
void capture_keep(struct capture *capture, const struct event *event);
/* Writes what is kept. False: it cannot be written; the complaint has been made. */
bool capture_flush(struct capture *capture);

#endif
