/*
 * The other end of sipd's control socket: one request, one answer, as lines of JSON (protocol version 1).
 */
#ifndef SIPCTL_CLIENT_H
#define SIPCTL_CLIENT_H

#include <jansson.h>

#include "base/span.h"

enum { CLIENT_VERSION = 1 };

struct client {
    int fd;
    char *bytes;  /* owned: what came and was not yet taken */
    size_t len, cap;
};

/* Connects and reads the greeting. False: nobody answers, or speaks another version; `why` is lent for ever. */
bool client_open(struct client *c, const char *path, const char **why);
/* Asks and waits for the answer. NULL: the connection broke. Owns: the caller, ends it with json_decref(). */
json_t *client_ask(struct client *c, const char *const words[], size_t len, const char *input);
void client_close(struct client *c);

#endif
