/*
 * What sipctl was called with, and how it ends.
 */
#ifndef SIPCTL_OPTIONS_H
#define SIPCTL_OPTIONS_H

#include <stdbool.h>

enum exit_code {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1, /* or not found */
    EXIT_USAGE = 2,
    EXIT_NOBODY = 3, /* no daemon, or it went away */
};

struct options {
    const char *socket;
    const char *pcap; /* the file to capture into, "-": standard output; NULL: none */
    bool json;
    bool password_stdin;
    char **words; /* as typed, ended by NULL */
};

#endif
