/*
 * Who guesses passwords, as the administrator sees it: sipctl lists who must wait, and forgives.
 */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/digest.h"
#include "live/hand.h"

Suite *suite_offenders(void);

enum { WAIT_S = 600 };

static struct server server;
static struct proc out;
static struct hand phone;
static struct digest_hasher hasher;
static unsigned cseq;
static char nonce[128]; /* of the last challenge */

static void
begin(void)
{
    ck_assert_int_eq(digest_hasher_init(&hasher), SIPD_OK);
    server_make(&server, "offenders",
                "modules = [ \"auth\", \"registrar\" ]; registrar = { store = \"ram\"; };\n"
                "auth = { guard = { failures = 2; wait_s = 600; }; };");
    server_start(&server);
    server_add_user(&server, "alice", "secret");
    server_add_user(&server, "bob", "secret");
    hand_open(&phone, "phone");
    cseq = 0;
}

static void
end(void)
{
    hand_close(&phone);
    proc_stop(&server.proc);
    digest_hasher_fini(&hasher);
}

/* ------------------------------------------------------------------ the phone */

/* Says a REGISTER with these fields too. Returns the status that it hears. */
static unsigned
say_register(const char *user, const char *more)
{
    hand_says(&phone, server.port,
              "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP "
              "127.0.0.1:%u;branch=z9hG4bKoffend%u\nMax-Forwards: 70\n"
              "From: <sip:%s@example.com>;tag=1\nTo: <sip:%s@example.com>\n"
              "Call-ID: offenders-%s\nCSeq: %u REGISTER\nContact: <sip:%s@127.0.0.1:%u>\n"
              "%sContent-Length: 0\n\n",
              phone.port, cseq + 1, user, user, user, cseq + 1, user, phone.port, more);
    cseq++;
    hand_hears(&phone, "SIP/2.0 ");
    return (unsigned)strtoul(phone.heard + 8, NULL, 10);
}

/* Notes the nonce of the challenge that was heard. */
static void
take_nonce(void)
{
    const char *line = hand_line(phone.heard, "WWW-Authenticate");
    const char *at = strstr(line, " nonce=\"");

    ck_assert_msg(at != NULL, "no challenge:\n%s", phone.heard);
    ck_assert_int_eq(sscanf(at, " nonce=\"%127[^\"]", nonce), 1);
}

/* Asks for a challenge and answers it: the status. */
static unsigned
register_as(const char *user, const char *password)
{
    struct digest c = { .realm = SPAN("example.com"),
                        .uri = SPAN("sip:example.com"),
                        .qop = SPAN("auth"),
                        .nc = SPAN("00000001"),
                        .cnonce = SPAN("0a4f113b") };
    uint8_t ha1[DIGEST_HASH_BYTES];
    char response[DIGEST_HEX_BYTES], line[512];
    struct span right;

    ck_assert_uint_eq(say_register(user, ""), 401);
    take_nonce();
    c.nonce = span_of(nonce);
    ck_assert_int_eq(
        digest_ha1(&hasher, DIGEST_MD5, span_of(user), c.realm, span_of(password), ha1), SIPD_OK);
    right = digest_response(&hasher, DIGEST_MD5, ha1, SPAN("REGISTER"), &c, response);
    snprintf(line, sizeof line,
             "Authorization: Digest username=\"%s\", realm=\"example.com\", nonce=\"%s\", "
             "uri=\"sip:example.com\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"0a4f113b\", "
             "response=\"%.*s\"\n",
             user, nonce, SPAN_ARG(right));
    return say_register(user, line);
}

static void
must_wait(const char *user)
{
    unsigned status = register_as(user, "secret"), wait_s = 0;

    ck_assert_msg(status == 503, "%s is not put off:\n%s", user, phone.heard);
    ck_assert_int_eq(sscanf(hand_line(phone.heard, "Retry-After"), "Retry-After: %u", &wait_s), 1);
    ck_assert_uint_gt(wait_s, WAIT_S / 2);
    ck_assert_uint_le(wait_s, WAIT_S);
}

/* ------------------------------------------------------------------ the administrator */

/* How many are listed; `who` is, as this kind, with these numbers, if they are not empty. */
static size_t
list(const char *kind, const char *who, json_int_t failures, json_int_t waits)
{
    json_t *answer, *rows, *row;
    size_t len, i, hits = 0;

    ck_assert_msg(server_ctl(&server, &out, "--json show offenders", NULL) == 0, "%s",
                  proc_output(&out));
    answer = json_load_file(out.log, 0, NULL);
    rows = json_object_get(answer, "rows");
    ck_assert_msg(json_is_array(rows), "%s", proc_output(&out));
    len = json_array_size(rows);
    json_array_foreach(rows, i, row)
    {
        json_int_t wait_s = json_integer_value(json_object_get(row, "wait_s"));

        if (strcmp(json_string_value(json_object_get(row, "who")), who) != 0)
            continue;
        hits++;
        ck_assert_str_eq(json_string_value(json_object_get(row, "kind")), kind);
        ck_assert_int_eq(json_integer_value(json_object_get(row, "failures")), failures);
        ck_assert_int_eq(json_integer_value(json_object_get(row, "waits")), waits);
        ck_assert_int_le(wait_s, waits > 0 ? WAIT_S : 0);
        ck_assert_int_ge(wait_s, waits > 0 ? WAIT_S / 2 : 0);
    }
    ck_assert_msg(who[0] == '\0' || hits == 1, "%s: %zu times in %s", who, hits, proc_output(&out));
    json_decref(answer);
    return len;
}

static void
unban(const char *who)
{
    char words[64];

    snprintf(words, sizeof words, "unban %s", who);
    ck_assert_msg(server_ctl(&server, &out, words, NULL) == 0, "%s", proc_output(&out));
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "forgotten"));
    ck_assert_int_eq(server_ctl(&server, &out, words, NULL), 1); /* it is not there any more */
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "no such offender"));
}

START_TEST(who_guesses_is_listed_and_forgiven)
{
    ck_assert_uint_eq(list("", "", 0, 0), 0);
    ck_assert_uint_eq(register_as("alice", "guess1"), 401);
    ck_assert_uint_eq(list("source", "127.0.0.1", 1, 0), 2);
    ck_assert_uint_eq(list("user", "alice@example.com", 1, 0), 2);
    ck_assert_uint_eq(register_as("alice", "guess2"), 401);
    /* Neither this user nor anybody else from there is looked at now, be the password right or wrong. */
    must_wait("alice");
    must_wait("bob");
    ck_assert_uint_eq(list("source", "127.0.0.1", 0, 1), 2);
    ck_assert_uint_eq(list("user", "alice@example.com", 0, 1), 2);
    /* Each is forgiven for itself. */
    unban("127.0.0.1");
    ck_assert_uint_eq(list("user", "alice@example.com", 0, 1), 1);
    ck_assert_uint_eq(register_as("bob", "secret"), 200);
    must_wait("alice");
    unban("alice@example.com");
    ck_assert_uint_eq(list("", "", 0, 0), 0);
    ck_assert_uint_eq(register_as("alice", "guess3"), 401); /* may try again, and err once more */
    ck_assert_uint_eq(register_as("alice", "secret"), 200);
    server_stop(&server);
}
END_TEST

Suite *
suite_offenders(void)
{
    Suite *suite = suite_create("offenders");
    TCase *tcase = tcase_create("offenders");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, who_guesses_is_listed_and_forgiven);
    suite_add_tcase(suite, tcase);
    return suite;
}
