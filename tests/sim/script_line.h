/*
 * A scenario while it runs, and its lines as words: for the files script*.c alone.
 */
#ifndef SIM_SCRIPT_LINE_H
#define SIM_SCRIPT_LINE_H

#include "lib/folder.h"
#include "sim/script.h"
#include "sim/world.h"

enum { SCRIPT_WORDS = 16 };

struct line {
    unsigned number;
    struct span text; /* without the indent */
    bool indented;
    struct span words[SCRIPT_WORDS];
    unsigned words_len;
};

struct script {
    struct world world;
    struct sim_sipd *sipd; /* the one being described */
    bool started;
    struct span text;                /* what is left of the file */
    unsigned number;                 /* of the line at hand */
    uint64_t counted;                /* messages sent until the last `most` */
    const struct peer_heard *heard;  /* what the checks are about */
    char folder[FOLDER_BYTES];       /* of the users' files; empty: there are none */
    unsigned files;                  /* in it: a number each */
    const struct sim_sipd *users_of; /* … and whose the last one is */
    struct script_kill *kill;        /* one of the sipds; NULL: none */
    unsigned *rehearsed; /* every request is run dry before, and so many were; NULL: none */
    struct script_outage *outage; /* memory fails: what is expected need not come; NULL: it must */
};

/* What was expected did not come. */
void script_blame(struct script *s, const char *format, ...) PRINTF_LIKE(2, 3);
/* The next line that says something; false at the end. Comments begin with # at the start of a line. */
bool script_next(struct script *s, struct line *line);
/* As script_next, but only an indented line. */
bool script_next_indented(struct script *s, struct line *line);

/* Its n-th word; empty: there are not so many. */
struct span line_word(const struct line *line, unsigned n);
bool line_is(const struct line *line, unsigned n, const char *text);
/* The word behind this one; empty: it is not there. */
struct span line_after(const struct line *line, const char *key);
/* All from the n-th word on. */
struct span line_from(const struct line *line, unsigned n);
/* "500ms", "5s". False: it is none such. */
bool line_ms_read(struct span text, uint64_t *ms);

/* script_set.c: a line of settings. False: it is none. */
bool script_set(struct script *s, const struct line *line);
/* The files of users that were set are gone. */
void script_remove_users(const struct script *s);

/* script_hear.c: what a peer must hear or not, and the checks below it. */
void script_hear(struct script *s, struct peer *p, const struct line *line);
/* What it heard again. */
void script_check_repeats(struct script *s, struct peer *p, const struct line *line);
/* They heard no more than was asked for. */
void script_check_unheard(struct script *s);

#endif
