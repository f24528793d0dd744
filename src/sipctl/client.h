/*
 * The line to a running sipd: one request, one answer, at a time.
 */
#ifndef SIPCTL_CLIENT_H
#define SIPCTL_CLIENT_H

#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"

struct client {
    FILE *in;
    int fd;
};

/* Connects and hears the greeting. False, and `why` says: nobody is there, or it speaks another version. */
bool client_open(struct client *client, const char *path, struct buf *why);
void client_close(struct client *client);

/* Can this text be sent: is it UTF-8? A word must never be left out, or the command would be another one. */
bool client_can_say(const char *text);

/*
 * Asks for these words; input: sent along, NULL: nothing. The answer is an object with rows, error, usage or wants.
 * NULL: the line broke. Owns: the caller.
 */
json_t *client_ask(struct client *client, char *const *words, const char *input);

#endif
