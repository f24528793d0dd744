/*
 * What this thread has OpenSSL hash and compare. Functions of the program come before those of its libraries, for modules too.
 */
#include "sim/hashed.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define STAND_IN __attribute__((visibility("default")))

static _Thread_local struct hashed counted;

/* ISO C converts no pointer to an object into one to a function; POSIX says that they look alike. */
static void
find_real(const char *name, void *to)
{
    void *at = dlsym(RTLD_NEXT, name);

    if (!at)
        abort();
    memcpy(to, &at, sizeof at);
}

STAND_IN int
EVP_DigestInit_ex2(EVP_MD_CTX *ctx, const EVP_MD *type, const OSSL_PARAM params[])
{
    int (*real)(EVP_MD_CTX *, const EVP_MD *, const OSSL_PARAM[]);

    find_real("EVP_DigestInit_ex2", &real);
    counted.begun++;
    return real(ctx, type, params);
}

STAND_IN int
EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *bytes, size_t len)
{
    int (*real)(EVP_MD_CTX *, const void *, size_t);

    find_real("EVP_DigestUpdate", &real);
    counted.bytes += len;
    return real(ctx, bytes, len);
}

STAND_IN int
EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *md, unsigned *len)
{
    int (*real)(EVP_MD_CTX *, unsigned char *, unsigned *);

    find_real("EVP_DigestFinal_ex", &real);
    counted.ended++;
    return real(ctx, md, len);
}

STAND_IN int
CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
    int (*real)(const void *, const void *, size_t);

    find_real("CRYPTO_memcmp", &real);
    counted.compared += len;
    return real(a, b, len);
}

struct hashed
hashed_now(void)
{
    return counted;
}

struct hashed
hashed_since(const struct hashed *since)
{
    return (struct hashed){ .begun = counted.begun - since->begun,
                            .bytes = counted.bytes - since->bytes,
                            .ended = counted.ended - since->ended,
                            .compared = counted.compared - since->compared };
}
