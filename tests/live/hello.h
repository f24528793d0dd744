/*
 * A ClientHello written by hand, for all that no library offers any more, and what a server says to it (RFC 5246 §7.4.1, RFC
 * 8446 §4.1; SSL 3.0 is the same in this).
 */
#ifndef LIVE_HELLO_H
#define LIVE_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HELLO_SSL3 = 0x0300,
    HELLO_TLS1_0,
    HELLO_TLS1_1,
    HELLO_TLS1_2,
    HELLO_TLS1_3,
};

enum { HELLO_IDS = 4096 }; /* a list's most */

struct hello_ids {
    size_t len;
    uint16_t at[HELLO_IDS];
};

/* What is offered; of TLS 1.3 with no key share, so that a HelloRetryRequest is the best answer. */
struct hello {
    uint16_t version;
    struct hello_ids suites, groups, signatures;
    const char *name;         /* server_name; NULL: none */
    const char *compressions; /* bytes; "" is the null method alone */
};

enum hello_extension { HELLO_HEARTBEAT = 15, HELLO_MASTER_SECRET = 23 };

struct hello_answer {
    bool greeted;   /* a ServerHello came */
    unsigned alert; /* … or this alert; 0: none */
    uint16_t version, suite, group;
    uint8_t compression;
    bool secure_renegotiation, heartbeat, master_secret; /* extensions that were answered */
};

/* What every server should like: the suites, groups and signatures of our days. */
void hello_init(struct hello *hello, uint16_t version);
/* Says it over a connection of its own, to 127.0.0.1, and hears; fails the test when there is neither answer nor end in time. */
void hello_say(uint16_t port, const struct hello *hello, struct hello_answer *out);
/* The same with these bytes instead of a hello. */
void hello_say_bytes(uint16_t port, const void *bytes, size_t len, struct hello_answer *out);

#endif
