/*
 * The value of one Contact field for a target (RFC 3261 §20.10).
 */
#ifndef REDIRECT_CONTACT_H
#define REDIRECT_CONTACT_H

#include <sipd/request.h>
#include <sipd/span.h>

struct redirect_text {
    char *at; /* owned; NULL: none */
    size_t len;
};

/* A copy, or one without `at` when memory is out. */
struct redirect_text redirect_text_keep(struct span s);
/* Ends the bytes. */
void redirect_text_free(struct redirect_text *text);

static inline struct span
redirect_text_span(const struct redirect_text *text)
{
    return (struct span){ text->at, text->len };
}

/* Writes "<uri>;q=0.5;expires=60": q always, expires when it is known. Without `at` when memory is out. Owns: the caller. */
struct redirect_text redirect_contact(const struct sipd_target *target);

#endif
