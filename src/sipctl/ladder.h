/*
 * A ladder: time runs downward, a lane for each peer and one for sipd, an arrow for each message, and between the arrows what
 * sipd decided, in words.
 */
#ifndef SIPCTL_LADDER_H
#define SIPCTL_LADDER_H

#include "sipctl/canvas.h"
#include "sipctl/event.h"
#include "sipctl/lanes.h"
#include "sipctl/screen.h"

enum { LADDER_CALLS = 64, CALL_ID_BYTES = 256 };

struct ladder_call {
    char id[CALL_ID_BYTES]; /* the first bytes of it, as they may be shown */
    unsigned number;
    uint64_t used;
};

struct ladder {
    struct screen screen;
    struct lanes lanes;
    struct canvas canvas;
    bool numbered;                          /* there may be several calls: each has a number */
    struct ladder_call calls[LADDER_CALLS]; /* the last ones */
    unsigned calls_seen;
    uint64_t uses;
    size_t since_head; /* lines */
    bool has_head;
    char shown_time[16]; /* as the last line had it */
};

/* An empty ladder for this screen; numbered: calls are told from each other. */
void ladder_init(struct ladder *ladder, const struct screen *screen, bool numbered);
/* The screen has another size now. */
void ladder_fit(struct ladder *ladder, const struct screen *screen);
/* This event will be written soon: its peer gets a lane, so that several who come at once are one change of the picture. */
void ladder_expect(struct ladder *ladder, const struct event *event);
/* Appends the lines of an event. The buffer's err tells. */
void ladder_write(struct ladder *ladder, const struct event *event, struct buf *to);
/* Appends a line about the ladder itself; at_us: when, 0: it has no time. */
void ladder_say(struct ladder *ladder, uint64_t at_us, const char *words, struct buf *to);

#endif
