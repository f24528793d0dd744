/*
 * A sipd with the dns module, its caller, and the places where calls arrive.
 */
#ifndef LIVE_DNS_RIG_H
#define LIVE_DNS_RIG_H

#include "live/server.h"

enum { DNS_MESSAGE_BYTES = 65536, DNS_PLACES = 8 };

struct dns_place {
    int fd; /* UDP, or a TCP listener */
    bool tcp;
    uint16_t port;
};

struct dns_outcome {
    char places[DNS_PLACES + 1]; /* those that it came to, in order: "01" */
    char status[4];              /* the final one */
    uint64_t ms;
};

extern struct server dns_server;
extern struct proc dns_nsd; /* the name server, while dns_nsd.pid */
extern uint16_t dns_nsd_port;
extern struct dns_place dns_places[DNS_PLACES];
/* The status that a place answers with, and more fields; NULL: it says nothing. Lent. */
extern const char *dns_says[DNS_PLACES];
/* What is asked. Lent. */
extern const char *dns_method;

/* One more place, a socket of the loopback; returns its port. */
uint16_t dns_place(bool tcp, const char *ip);
/* Takes what arrived at a place and answers it. True if it was a request, and a new one. */
bool dns_serve(size_t n);

/* Starts nsd with these zones (nsd.h). */
uint16_t dns_start_nsd(const char *const zones[][2]);
/* Starts sipd with these settings of its dns group; its caller is there, too. */
void dns_start(const char *settings);
/* Both; the one asks the other. */
void dns_start_with_nsd(const char *const zones[][2], const char *settings);
/* A caller of dns_server, which was made otherwise. */
void dns_open_caller(void);
/* Ends both. Fails the test when turns have slept. */
void dns_stop(void);
/* A fixture's end, when a test has failed. */
void dns_clean_up(void);

/* Asks, and does not wait. */
void dns_ask(const char *uri);
/* Asks, serves the places meanwhile, and says what came of it. */
struct dns_outcome dns_call(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Until it ends so: where names are asked for in haste, an answer may come too late. */
void dns_call_until(const char *uri, const char *status);
/* It goes to these places and ends so, or the test fails. */
#define dns_expect(uri, at, code) dns_expect_at(uri, at, code, __LINE__)
void dns_expect_at(const char *uri, const char *at, const char *code, int line);

#endif
