/*
 * Sessions that servers let us resume: by whom we asked for and where, a few hundred, the newest of each.
 */
#ifndef TLS_RESUME_H
#define TLS_RESUME_H

#include <openssl/ssl.h>

#include <sipd/span.h>

enum { RESUMES = 512, RESUME_KEY_BYTES = 320 };

struct resume {
    char *key; /* owned */
    SSL_SESSION *session;
};

struct resumes {
    struct resume at[RESUMES];
};

/* The session of "name address:port", or NULL. Lent until the next call. */
SSL_SESSION *resume_find(const struct resumes *all, struct span key);
/* Keeps it, instead of what was there. Takes the session; false: not kept, and still the caller's. */
bool resume_put(struct resumes *all, struct span key, SSL_SESSION *session);
void resume_forget_all(struct resumes *all);

#endif
