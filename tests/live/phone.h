/*
 * baresip as a phone without a screen: an account, a file for a microphone, and a socket that takes commands.
 */
#ifndef LIVE_PHONE_H
#define LIVE_PHONE_H

#include "live/proc.h"

struct phone_conf {
    const char *user, *password, *domain;
    const char *ip;        /* the phone's own address */
    const char *server;    /* "127.0.0.1:5060", "[::1]:5060" */
    const char *transport; /* "udp", "tcp", "tls" */
    const char *extra;     /* more account parameters, or NULL */
    /* of the device (RFC 5626 §4.1), which registers flows then; NULL: it has none */
    const char *uuid;
    const char *ca;   /* whom it trusts, a file; NULL: it asks for no proof */
    const char *cert; /* its certificate and key, one file; NULL: none */
};

struct phone {
    struct proc proc;
    struct phone_conf conf;
    char name[64];
    int ctl; /* its command socket; -1: not connected */
    uint16_t port, ctl_port;
};

/* Starts it and waits until it registered (or was refused). */
void phone_start(struct phone *p, const struct phone_conf *conf);
/* Gives a command: "dial" "sip:bob@example.com", "accept" "", "hangup" "". */
void phone_do(struct phone *p, const char *command, const char *params);
/* Waits for words in what it says; fails the test with its whole output when they do not come. */
void phone_wait(struct phone *p, const char *words);
/* Waits until it has recorded sound that the other one sent; fails the test when none comes. */
void phone_hears(struct phone *p);
void phone_stop(struct phone *p);

#endif
