/*
 * Sessions that servers let us resume.
 */
#include "resume.h"

#include <string.h>

#include <sipd/module.h>

/* Whoever collides loses a round trip, no more. */
static size_t
place(struct span key)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.at[i]) * UINT64_C(1099511628211);
    return (size_t)((hash ^ hash >> 32) % RESUMES);
}

static void
forget(struct resume *resume)
{
    SSL_SESSION_free(resume->session);
    sipd_free(resume->key);
    *resume = (struct resume){ 0 };
}

SSL_SESSION *
resume_find(const struct resumes *all, struct span key)
{
    const struct resume *resume = &all->at[place(key)];

    return resume->key && span_eq(span_of(resume->key), key) ? resume->session : NULL;
}

bool
resume_put(struct resumes *all, struct span key, SSL_SESSION *session)
{
    struct resume *resume = &all->at[place(key)];
    char *copy = sipd_alloc(key.len + 1);

    if (!copy)
        return false;
    memcpy(copy, key.at, key.len);
    copy[key.len] = '\0';
    forget(resume);
    *resume = (struct resume){ copy, session };
    return true;
}

void
resume_forget_all(struct resumes *all)
{
    for (size_t i = 0; i < RESUMES; i++)
        forget(&all->at[i]);
}
