/*
 * Digest's arithmetic: HA1, the response it proves, and whether one that arrived is right (RFC 3261 §22.4, RFC 7616 §3.4, RFC 8760).
 */
#ifndef AUTH_DIGEST_H
#define AUTH_DIGEST_H

#include <openssl/types.h>

#include <sipd/digest.h>
#include <sipd/err.h>
#include <sipd/span.h>

enum digest_algorithm {
    DIGEST_SHA512_256,
    DIGEST_SHA256,
    DIGEST_MD5,
    DIGEST_ALGORITHMS
}; /* strongest first */

#define DIGEST_HASH_BYTES 32 /* of the longest */
#define DIGEST_HEX_BYTES  (2 * DIGEST_HASH_BYTES)

/* The hash functions, looked up once. One thread's own. */
struct digest_hasher {
    EVP_MD *functions[DIGEST_ALGORITHMS]; /* owned */
    EVP_MD_CTX *running;                  /* owned */
};

/* SIPD_ENOMEM; SIPD_ENOENT if OpenSSL here has not all three (MD5 is missing under FIPS rules). */
int digest_hasher_init(struct digest_hasher *hasher);
/* Ends what init made; harmless after a failed or no init of zeroed memory. */
void digest_hasher_fini(struct digest_hasher *hasher);

/* "MD5", "SHA-256", "SHA-512-256" (RFC 7616 §6.1). Lent for ever. */
struct span digest_algorithm_text(enum digest_algorithm algorithm);
/* The algorithm of a name, without case; an empty one is MD5 (RFC 7616 §3.3). False if we know none such. */
bool digest_algorithm_read(struct span text, enum digest_algorithm *out);
/* Bytes of a hash: 16 or 32. */
size_t digest_bytes(enum digest_algorithm algorithm);

/* Writes two lower-case digits a byte, no NUL (RFC 8760 §2.2). */
void digest_hex_write(const uint8_t *bytes, size_t len, char *to);
/* Reads exactly len bytes of hex, either case. False if text is anything else. */
bool digest_hex_read(struct span text, uint8_t *to, size_t len);

/* H(user ":" realm ":" password), all that is ever kept of a password. SIPD_EIO if OpenSSL fails. */
int digest_ha1(struct digest_hasher *hasher, enum digest_algorithm algorithm, struct span user,
               struct span realm, struct span password, uint8_t ha1[DIGEST_HASH_BYTES]);

/*
 * Have these credentials the one form that we ask for: qop=auth with cnonce, an nc of 8 digits (which *nc gets), a uri? The
 * form of RFC 2069, without qop, counts no requests, so anyone may send it again: it is refused.
 *
 * What uri holds is not compared with the Request-URI: a proxy on the way may have changed that (RFC 8760 §2.6 item 6), and
 * a count that is good for one request only leaves nothing to gain by moving it to another.
 */
bool digest_is_whole(const struct digest *credentials, uint32_t *nc);

/* Writes the response in hex that proves ha1 (RFC 7616 §3.4.1). Returns a span over `to`; an empty one if OpenSSL fails. */
struct span digest_response(struct digest_hasher *hasher, enum digest_algorithm algorithm,
                            const uint8_t *ha1, struct span method,
                            const struct digest *credentials, char to[DIGEST_HEX_BYTES]);

/* Is their response the right one? Takes the same time whichever byte differs. */
bool digest_is_right(struct digest_hasher *hasher, enum digest_algorithm algorithm,
                     const uint8_t *ha1, struct span method, const struct digest *credentials);

#endif
