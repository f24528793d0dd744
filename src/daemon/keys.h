/*
 * A file of settings as words, with the whole name of the key where each stands. Only words are told apart, by libconfig's own
 * rules: strings, three kinds of comments, names, numbers; what is against its grammar is its own affair.
 */
#ifndef DAEMON_KEYS_H
#define DAEMON_KEYS_H

#include <stdio.h>

#include "base/def.h"
#include "base/span.h"

enum { KEYS_NAME_BYTES = 200, KEYS_WORD_BYTES = 128, KEYS_DEPTH = 32 };

enum keys_event {
    KEYS_END,
    KEYS_KEY,  /* name is whole: "proxy.fork", "listen[0].port" */
    KEYS_WORD, /* a name, or a value that is no text; name is that of its key */
};

struct keys_level { /* a group, list or array that is open */
    size_t name_len;
    bool is_group;
    unsigned n; /* of a list: elements before */
};

struct keys {
    FILE *from;
    unsigned line;
    int at; /* the character at hand; EOF */
    size_t depth;
    struct keys_level levels[KEYS_DEPTH];
    char name[KEYS_NAME_BYTES]; /* cut if it is longer */
    char word[KEYS_WORD_BYTES];
    unsigned word_line;
};

/* Begins at the first word. False: the file cannot be read. Owned: k, ended by keys_close(). */
bool keys_open(struct keys *k, const char *file) MUST_USE;
void keys_close(struct keys *k);
enum keys_event keys_next(struct keys *k);

/*
 * The first key of the file that stands twice in one section: its name into `name`, its line and that of the first. False:
 * there is none, the file cannot be read, or memory is out.
 */
bool keys_find_twice(const char *file, char name[KEYS_NAME_BYTES], unsigned *line,
                     unsigned *first) MUST_USE;
/* The first key on this line. False: there is none, or the file cannot be read. */
bool keys_find_line(const char *file, unsigned line, char name[KEYS_NAME_BYTES]) MUST_USE;

#endif
