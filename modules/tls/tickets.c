/*
 * Keys of session tickets (RFC 5077 §5.5, RFC 8446 §4.6.1).
 */
#include "tickets.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

static bool
make(struct ticket_key *key, uint64_t now_ms)
{
    key->born_ms = now_ms;
    return RAND_bytes(key->name, sizeof key->name) == 1 &&
           RAND_priv_bytes(key->cipher, sizeof key->cipher) == 1 &&
           RAND_priv_bytes(key->mac, sizeof key->mac) == 1;
}

bool
tickets_rotate(struct tickets *tickets, uint64_t now_ms)
{
    struct ticket_key next;

    if (tickets->keys[0].born_ms != 0 && now_ms - tickets->keys[0].born_ms < tickets->rotate_ms)
        return true;
    if (!make(&next, now_ms))
        return false;
    memmove(&tickets->keys[1], &tickets->keys[0], (TICKET_KEYS - 1) * sizeof next);
    tickets->keys[0] = next;
    OPENSSL_cleanse(&next, sizeof next);
    return true;
}

void
tickets_forget(struct tickets *tickets)
{
    OPENSSL_cleanse(tickets->keys, sizeof tickets->keys);
}

static const struct ticket_key *
find(const struct tickets *tickets, const unsigned char name[16])
{
    for (int i = 0; i < TICKET_KEYS; i++)
        if (tickets->keys[i].born_ms != 0 &&
            memcmp(tickets->keys[i].name, name, sizeof tickets->keys[i].name) == 0)
            return &tickets->keys[i];
    return NULL;
}

/* OpenSSL takes the key by a parameter that is not const, and leaves it as it is. */
static bool
set_mac(EVP_MAC_CTX *mac, const struct ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac,
                                          sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

int
tickets_use(const struct tickets *tickets, unsigned char name[16], unsigned char *iv,
            EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool encrypt)
{
    const struct ticket_key *key = encrypt ? &tickets->keys[0] : find(tickets, name);

    if (!key || key->born_ms == 0)
        return 0;
    if (encrypt) {
        memcpy(name, key->name, sizeof key->name);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            return -1;
    }
    if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, encrypt) != 1 ||
        !set_mac(mac, key))
        return -1;
    return encrypt || key == &tickets->keys[0] ? 1 : 2;
}
