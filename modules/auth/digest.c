/*
 * Digest's arithmetic on OpenSSL's hash functions (RFC 3261 §22.4, RFC 7616 §3.4, RFC 8760 §2.2).
 */
#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* SHA-512/256 is a function of its own, not SHA-512 cut short (FIPS 180-4 §5.3.6). */
static const struct {
    const char *name; /* RFC 7616 §6.1 */
    const char *openssl;
    size_t bytes;
} algorithms[DIGEST_ALGORITHMS] = {
    [DIGEST_SHA512_256] = { "SHA-512-256", "SHA512-256", 32 },
    [DIGEST_SHA256] = { "SHA-256", "SHA256", 32 },
    [DIGEST_MD5] = { "MD5", "MD5", 16 },
};

int
digest_hasher_init(struct digest_hasher *hasher)
{
    *hasher = (struct digest_hasher){ .running = EVP_MD_CTX_new() };
    if (!hasher->running)
        return SIPD_ENOMEM;
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++) {
        hasher->functions[i] = EVP_MD_fetch(NULL, algorithms[i].openssl, NULL);
        if (!hasher->functions[i]) {
            digest_hasher_fini(hasher);
            return SIPD_ENOENT;
        }
    }
    return SIPD_OK;
}

void
digest_hasher_fini(struct digest_hasher *hasher)
{
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++)
        EVP_MD_free(hasher->functions[i]);
    EVP_MD_CTX_free(hasher->running);
    *hasher = (struct digest_hasher){ 0 };
}

struct span
digest_algorithm_text(enum digest_algorithm algorithm)
{
    return span_of(algorithms[algorithm].name);
}

bool
digest_algorithm_read(struct span text, enum digest_algorithm *out)
{
    if (text.len == 0)
        text = SPAN("MD5");
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++)
        if (span_ieq(text, span_of(algorithms[i].name))) {
            *out = (enum digest_algorithm)i;
            return true;
        }
    return false;
}

size_t
digest_bytes(enum digest_algorithm algorithm)
{
    return algorithms[algorithm].bytes;
}

void
digest_hex_write(const uint8_t *bytes, size_t len, char *to)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        to[2 * i] = digits[bytes[i] >> 4];
        to[2 * i + 1] = digits[bytes[i] & 15];
    }
}

/* The value of a hex digit, or 16. */
static unsigned
hex_digit(char c)
{
    c = span_lower(c);
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

bool
digest_hex_read(struct span text, uint8_t *to, size_t len)
{
    if (text.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned high = hex_digit(text.at[2 * i]), low = hex_digit(text.at[2 * i + 1]);

        if (high > 15 || low > 15)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* The hash of spans laid end to end. */
static bool
hash(struct digest_hasher *hasher, enum digest_algorithm algorithm, const struct span *parts,
     size_t parts_len, uint8_t out[DIGEST_HASH_BYTES])
{
    if (EVP_DigestInit_ex2(hasher->running, hasher->functions[algorithm], NULL) != 1)
        return false;
    for (size_t i = 0; i < parts_len; i++)
        if (EVP_DigestUpdate(hasher->running, parts[i].at, parts[i].len) != 1)
            return false;
    return EVP_DigestFinal_ex(hasher->running, out, NULL) == 1;
}

int
digest_ha1(struct digest_hasher *hasher, enum digest_algorithm algorithm, struct span user,
           struct span realm, struct span password, uint8_t ha1[DIGEST_HASH_BYTES])
{
    const struct span a1[] = { user, SPAN(":"), realm, SPAN(":"), password };
    bool done = hash(hasher, algorithm, a1, sizeof a1 / sizeof a1[0], ha1);

    EVP_MD_CTX_reset(hasher->running); /* which wipes what it still holds of the password */
    return done ? SIPD_OK : SIPD_EIO;
}

bool
digest_is_whole(const struct digest *credentials, uint32_t *nc)
{
    uint8_t count[4];

    if (!span_ieq(credentials->qop, SPAN("auth")) || credentials->cnonce.len == 0 ||
        credentials->uri.len == 0)
        return false;
    if (!digest_hex_read(credentials->nc, count, sizeof count))
        return false;
    *nc = (uint32_t)count[0] << 24 | (uint32_t)count[1] << 16 | (uint32_t)count[2] << 8 | count[3];
    return *nc > 0;
}

struct span
digest_response(struct digest_hasher *hasher, enum digest_algorithm algorithm, const uint8_t *ha1,
                struct span method, const struct digest *credentials, char to[DIGEST_HEX_BYTES])
{
    const struct span colon = SPAN(":");
    const struct span a2[] = { method, colon, credentials->uri };
    size_t bytes = digest_bytes(algorithm), hex = 2 * bytes;
    uint8_t out[DIGEST_HASH_BYTES];
    char ha1_hex[DIGEST_HEX_BYTES], ha2_hex[DIGEST_HEX_BYTES];
    bool done;

    if (!hash(hasher, algorithm, a2, sizeof a2 / sizeof a2[0], out))
        return (struct span){ 0 };
    digest_hex_write(out, bytes, ha2_hex);
    digest_hex_write(ha1, bytes, ha1_hex);

    const struct span kd[] = { { ha1_hex, hex }, colon, credentials->nonce,  colon,
                               credentials->nc,  colon, credentials->cnonce, colon,
                               credentials->qop, colon, { ha2_hex, hex } };

    done = hash(hasher, algorithm, kd, sizeof kd / sizeof kd[0], out);
    OPENSSL_cleanse(ha1_hex, sizeof ha1_hex);
    if (!done)
        return (struct span){ 0 };
    digest_hex_write(out, bytes, to);
    return (struct span){ to, hex };
}

bool
digest_is_right(struct digest_hasher *hasher, enum digest_algorithm algorithm, const uint8_t *ha1,
                struct span method, const struct digest *credentials)
{
    char ours[DIGEST_HEX_BYTES], theirs[DIGEST_HEX_BYTES];
    struct span right = digest_response(hasher, algorithm, ha1, method, credentials, ours);

    if (right.len == 0 || credentials->response.len != right.len)
        return false;
    for (size_t i = 0; i < right.len; i++)
        theirs[i] = span_lower(credentials->response.at[i]);
    return CRYPTO_memcmp(ours, theirs, right.len) == 0;
}
