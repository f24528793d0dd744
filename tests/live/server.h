/*
 * A sipd of the test's own: a folder, free ports, a configuration, and datagrams to it by hand.
 */
#ifndef LIVE_SERVER_H
#define LIVE_SERVER_H

#include "live/proc.h"

struct server {
    struct proc proc;
    char name[32];
    char conf[256];   /* the file */
    char socket[256]; /* control socket */
    bool registers;   /* it has a store, and begins to read it at its start */
    /* of all its listeners: udp and tcp on 127.0.0.1, and on ::1 where there is one */
    uint16_t port;
};

/* Servers that are made from now on have this port, for a capture of a whole suite; 0: each one of its own. */
void server_use_port(uint16_t port);
/* Servers that are made from now on have these listeners too, as sipd.conf has them; lent. NULL: no more. */
void server_also_listen(const char *listeners);
/* Writes its sipd.conf: domain example.com, all listeners, then `settings`. state_dir is the test's own. */
void server_make(struct server *s, const char *name, const char *settings);
/* The same with settings for each listener, each ended by ";". */
void server_make_with(struct server *s, const char *name, const char *listener,
                      const char *settings);
/* What is shipped as etc/redirect.conf, from its modules on; whoever follows may send all through it. Lent for ever. */
const char *server_redirects(void);
/* Starts it (again) and waits until it answers an OPTIONS and has read its store; fails the test with what it said otherwise. */
void server_start(struct server *s);
void server_stop(struct server *s);
/*
 * Runs sipctl with these words; its exit code. What it said: proc_output(out). `input` goes to its standard input, or
 * NULL.
 */
int server_ctl(const struct server *s, struct proc *out, const char *words, const char *input);
/* Adds a user of example.com; fails the test when it is refused. */
void server_add_user(const struct server *s, const char *user, const char *password);

/* A UDP socket on 127.0.0.1, or ::1, connected to the server. */
int server_socket(const struct server *s, const char *ip);
/* Sends text with every line end made CRLF. */
void server_send(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The next datagram, with a NUL behind it; its length, 0 when none came in time. */
size_t server_receive(int fd, char *to, size_t room, unsigned timeout_ms);

#endif
