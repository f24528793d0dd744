/*
 * Keys of session tickets (RFC 5077 §5.5, RFC 8446 §4.6.1): made at random, kept in memory only, and changed while one runs,
 * so that what was said yesterday cannot be read with what is here today.
 */
#ifndef TLS_TICKETS_H
#define TLS_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

enum { TICKET_KEYS = 3 };

struct ticket_key {
    unsigned char name[16], cipher[32], mac[32];
    uint64_t born_ms; /* 0: none */
};

struct tickets {
    struct ticket_key keys[TICKET_KEYS]; /* the newest first */
    uint64_t rotate_ms;
};

/* Makes the newest key if there is none, or it is old; the oldest goes. False: no random bytes. */
bool tickets_rotate(struct tickets *tickets, uint64_t now_ms);
/* Nobody may come back with a ticket that was given until now. */
void tickets_forget(struct tickets *tickets);
/* As SSL_CTX_set_tlsext_ticket_key_evp_cb() wants it: 0 unknown, 1 done, 2 done, and a new ticket shall be given. */
int tickets_use(const struct tickets *tickets, unsigned char name[16], unsigned char *iv,
                EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool encrypt);

#endif
