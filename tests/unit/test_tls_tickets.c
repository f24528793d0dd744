/*
 * Keys of session tickets: they change while one runs, and go (RFC 5077 §5.5).
 */
#include <check.h>
#include <string.h>

#include "tls/tickets.h"

Suite *suite_tls_tickets(void);

enum { ROTATE_MS = 1000 };

/* What goes into a ticket and comes out of it. */
struct sealed {
    unsigned char name[16], iv[16], bytes[64], mac[32];
    int len;
};

static const unsigned char secret[] = "a session";

static EVP_MAC_CTX *
mac_new(void)
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);

    EVP_MAC_free(hmac);
    ck_assert_ptr_nonnull(mac);
    return mac;
}

static void
sign(EVP_MAC_CTX *mac, const struct sealed *ticket, unsigned char out[32])
{
    size_t len;

    ck_assert_int_eq(EVP_MAC_init(mac, NULL, 0, NULL), 1);
    ck_assert_int_eq(EVP_MAC_update(mac, ticket->bytes, (size_t)ticket->len), 1);
    ck_assert_int_eq(EVP_MAC_final(mac, out, &len, 32), 1);
    ck_assert_uint_eq(len, 32);
}

/* 1: a ticket; 0: there is no key. */
static int
seal(const struct tickets *tickets, struct sealed *out)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    EVP_MAC_CTX *mac = mac_new();
    int done = tickets_use(tickets, out->name, out->iv, cipher, mac, true), rest;

    if (done > 0) {
        EVP_EncryptUpdate(cipher, out->bytes, &out->len, secret, sizeof secret);
        EVP_EncryptFinal_ex(cipher, out->bytes + out->len, &rest);
        out->len += rest;
        sign(mac, out, out->mac);
    }
    EVP_CIPHER_CTX_free(cipher);
    EVP_MAC_CTX_free(mac);
    return done;
}

/* As tickets_use(); what is not unknown must come out as it went in. */
static int
open_ticket(const struct tickets *tickets, struct sealed *ticket)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    EVP_MAC_CTX *mac = mac_new();
    int done = tickets_use(tickets, ticket->name, ticket->iv, cipher, mac, false), len, rest;
    unsigned char bytes[80], signature[32];

    if (done > 0) {
        sign(mac, ticket, signature);
        ck_assert_mem_eq(signature, ticket->mac, sizeof signature);
        EVP_DecryptUpdate(cipher, bytes, &len, ticket->bytes, ticket->len);
        ck_assert_int_eq(EVP_DecryptFinal_ex(cipher, bytes + len, &rest), 1);
        ck_assert_int_eq(len + rest, (int)sizeof secret);
        ck_assert_mem_eq(bytes, secret, sizeof secret);
    }
    EVP_CIPHER_CTX_free(cipher);
    EVP_MAC_CTX_free(mac);
    return done;
}

/* Who comes with one of an older key gets a new one, until the key has gone. */
START_TEST(keys_change_and_the_oldest_goes)
{
    struct tickets tickets = { .rotate_ms = ROTATE_MS };
    struct sealed first, second;
    uint64_t now_ms = 5;

    ck_assert_int_eq(seal(&tickets, &first), 0);
    ck_assert(tickets_rotate(&tickets, now_ms));
    ck_assert_int_eq(seal(&tickets, &first), 1);
    ck_assert(tickets_rotate(&tickets, now_ms + ROTATE_MS - 1));
    ck_assert_int_eq(open_ticket(&tickets, &first), 1);
    for (int older = 1; older < TICKET_KEYS; older++) {
        now_ms += ROTATE_MS;
        ck_assert(tickets_rotate(&tickets, now_ms));
        ck_assert_int_eq(open_ticket(&tickets, &first), 2);
        ck_assert_int_eq(seal(&tickets, &second), 1);
        ck_assert_int_eq(open_ticket(&tickets, &second), 1);
        ck_assert_mem_ne(first.name, second.name, sizeof first.name);
    }
    ck_assert(tickets_rotate(&tickets, now_ms + ROTATE_MS));
    ck_assert_int_eq(open_ticket(&tickets, &first), 0);
}
END_TEST

START_TEST(what_is_forgotten_is_unknown)
{
    struct tickets tickets = { .rotate_ms = ROTATE_MS };
    struct sealed ticket;

    ck_assert(tickets_rotate(&tickets, 1));
    ck_assert_int_eq(seal(&tickets, &ticket), 1);
    tickets_forget(&tickets);
    ck_assert_int_eq(open_ticket(&tickets, &ticket), 0);
    ck_assert(tickets_rotate(&tickets, 1)); /* a new key, however short the time */
    ck_assert_int_eq(open_ticket(&tickets, &ticket), 0);
    ck_assert_int_eq(seal(&tickets, &ticket), 1);
    ck_assert_int_eq(open_ticket(&tickets, &ticket), 1);
}
END_TEST

Suite *
suite_tls_tickets(void)
{
    Suite *suite = suite_create("tls_tickets");
    TCase *all = tcase_create("all");

    tcase_add_test(all, keys_change_and_the_oldest_goes);
    tcase_add_test(all, what_is_forgotten_is_unknown);
    suite_add_tcase(suite, all);
    return suite;
}
