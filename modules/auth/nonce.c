/*
 * Nonces under a key, and a ring of those in use with the last 64 counts of each (RFC 7616 §3.3, §3.4, §5.4, §5.5).
 */
#include "nonce.h"

#include <openssl/crypto.h>

#include <sipd/module.h>

#include "digest.h"

enum {
    TIME_BYTES = 6,
    SALT_BYTES = 6,
    HEAD_BYTES = TIME_BYTES + SALT_BYTES,
    MAC_BYTES = NONCE_BYTES - HEAD_BYTES,
    WINDOW = 64,      /* counts remembered below the highest */
    MARKS = 4,        /* requests of one nonce that may be on their way at once */
    REPEAT_MS = 32000 /* how long a request may be sent again: 64*T1 (RFC 3261 §17.1.2.2) */
};

struct mark {
    uint64_t request;
    uint64_t used_ms;
};

struct used { /* one nonce in use */
    uint64_t made_ms;
    uint64_t seen;              /* bit n: count top - n was used */
    uint32_t top;               /* highest count so far */
    uint32_t next;              /* in its bucket: index + 1, 0 ends it */
    struct mark marks[MARKS];   /* by count, modulo */
    uint8_t bytes[NONCE_BYTES]; /* of the nonce */
};

struct nonces {
    uint8_t key[16];
    uint64_t lifetime_ms;
    uint64_t forgotten_ms; /* of nonces made before this we do not know all counts */
    uint32_t limit;
    uint32_t len;    /* of the ring in use */
    uint32_t oldest; /* once the ring is full: who is forgotten next */
    uint32_t bucket_mask;
    uint32_t *buckets; /* owned; index + 1, 0: empty */
    struct used *ring; /* owned; in the order of first use */
};

struct nonces *
nonces_new(const uint8_t key[16], uint32_t lifetime_s, uint32_t limit, uint64_t now_ms)
{
    struct nonces *n = sipd_alloc(sizeof *n);
    uint32_t buckets = 1;

    if (!n)
        return NULL;
    while (buckets < limit)
        buckets *= 2;
    *n = (struct nonces){ .forgotten_ms = now_ms, .limit = limit, .bucket_mask = buckets - 1 };
    memcpy(n->key, key, sizeof n->key);
    nonces_set_lifetime(n, lifetime_s);
    n->buckets = sipd_alloc(buckets * sizeof *n->buckets);
    n->ring = sipd_alloc(limit * sizeof *n->ring);
    if (!n->buckets || !n->ring)
        nonces_free(&n);
    return n;
}

void
nonces_free(struct nonces **nonces)
{
    struct nonces *n = *nonces;

    *nonces = NULL;
    if (!n)
        return;
    OPENSSL_cleanse(n->key, sizeof n->key);
    sipd_free(n->buckets);
    sipd_free(n->ring);
    sipd_free(n);
}

void
nonces_set_lifetime(struct nonces *nonces, uint32_t lifetime_s)
{
    nonces->lifetime_ms = (uint64_t)lifetime_s * 1000;
}

uint32_t
nonces_limit(const struct nonces *nonces)
{
    return nonces->limit;
}

/* Numbers in network order. */
static void
number_write(uint64_t number, uint8_t *to, size_t bytes)
{
    while (bytes > 0) {
        to[--bytes] = (uint8_t)number;
        number >>= 8;
    }
}

static uint64_t
number_read(const uint8_t *from, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | from[i];
    return number;
}

/* The proof that we made this head for this address. */
static void
mac(const struct nonces *nonces, const uint8_t head[HEAD_BYTES], const struct hop *source,
    uint8_t out[16])
{
    char said[HEAD_BYTES + sizeof source->ip];

    memcpy(said, head, HEAD_BYTES);
    memcpy(said + HEAD_BYTES, source->ip, sizeof source->ip);
    sipd_prf(nonces->key, (struct span){ said, sizeof said }, out);
}

struct span
nonce_write(const struct nonces *nonces, const struct hop *source, uint64_t now_ms, uint64_t salt,
            char to[NONCE_TEXT_BYTES])
{
    uint8_t bytes[NONCE_BYTES], proof[16];

    number_write(now_ms, bytes, TIME_BYTES);
    number_write(salt, bytes + TIME_BYTES, SALT_BYTES);
    mac(nonces, bytes, source, proof);
    memcpy(bytes + HEAD_BYTES, proof, MAC_BYTES);
    digest_hex_write(bytes, sizeof bytes, to);
    return (struct span){ to, NONCE_TEXT_BYTES };
}

enum nonce_verdict
nonce_read(const struct nonces *nonces, struct span text, const struct hop *source, uint64_t now_ms,
           struct nonce *out)
{
    uint8_t proof[16];

    if (!digest_hex_read(text, out->bytes, sizeof out->bytes))
        return NONCE_FOREIGN;
    mac(nonces, out->bytes, source, proof);
    if (CRYPTO_memcmp(proof, out->bytes + HEAD_BYTES, MAC_BYTES) != 0)
        return NONCE_FOREIGN;
    out->made_ms = number_read(out->bytes, TIME_BYTES);
    /* One made after now comes from a node whose clock is ahead; it would outlive those that we forget. */
    if (out->made_ms > now_ms || now_ms - out->made_ms > nonces->lifetime_ms)
        return NONCE_OLD;
    return NONCE_GOOD;
}

/* The proof is as random as a hash. */
static uint32_t *
bucket_of(const struct nonces *nonces, const uint8_t bytes[NONCE_BYTES])
{
    return &nonces->buckets[number_read(bytes + HEAD_BYTES, 4) & nonces->bucket_mask];
}

static struct used *
used_find(const struct nonces *nonces, const struct nonce *nonce)
{
    uint32_t at = *bucket_of(nonces, nonce->bytes);

    while (at != 0) {
        struct used *u = &nonces->ring[at - 1];

        if (memcmp(u->bytes, nonce->bytes, NONCE_BYTES) == 0)
            return u;
        at = u->next;
    }
    return NULL;
}

static void
used_forget(struct nonces *nonces, uint32_t index)
{
    struct used *u = &nonces->ring[index];
    uint32_t *link = bucket_of(nonces, u->bytes);

    while (*link != index + 1)
        link = &nonces->ring[*link - 1].next;
    *link = u->next;
    if (u->made_ms >= nonces->forgotten_ms)
        nonces->forgotten_ms = u->made_ms + 1;
}

/* A place for one more, the oldest's if there is no other. */
static struct used *
used_new(struct nonces *nonces, const struct nonce *nonce)
{
    uint32_t index = nonces->len, *bucket;
    struct used *u;

    if (nonces->len < nonces->limit) {
        nonces->len++;
    } else {
        index = nonces->oldest;
        nonces->oldest = (index + 1) % nonces->limit;
        used_forget(nonces, index);
    }
    u = &nonces->ring[index];
    bucket = bucket_of(nonces, nonce->bytes);
    *u = (struct used){ .made_ms = nonce->made_ms, .next = *bucket };
    memcpy(u->bytes, nonce->bytes, NONCE_BYTES);
    *bucket = index + 1;
    return u;
}

/* Notes the count; false if it was there, or lies too far back to know. */
static bool
count_is_new(struct used *u, uint32_t nc)
{
    uint32_t back;

    if (nc > u->top) {
        uint32_t ahead = nc - u->top;

        u->seen = ahead < WINDOW ? u->seen << ahead | 1 : 1;
        u->top = nc;
        return true;
    }
    back = u->top - nc;
    if (back >= WINDOW || (u->seen >> back & 1))
        return false;
    u->seen |= UINT64_C(1) << back;
    return true;
}

enum nonce_verdict
nonce_use(struct nonces *nonces, const struct nonce *nonce, uint32_t nc, uint64_t mark,
          uint64_t now_ms)
{
    struct used *u = used_find(nonces, nonce);
    struct mark *m;

    if (!u && nonce->made_ms < nonces->forgotten_ms)
        return NONCE_USED;
    if (!u)
        u = used_new(nonces, nonce);
    m = &u->marks[nc % MARKS];
    if (count_is_new(u, nc)) {
        *m = (struct mark){ .request = mark, .used_ms = now_ms };
        return NONCE_GOOD;
    }
    return mark != 0 && m->request == mark && now_ms - m->used_ms <= REPEAT_MS ? NONCE_REPEATED
                                                                               : NONCE_USED;
}
