/*
 * Connections that no phone should make, to a running server: bytes that come as they like, drip, end in the middle or are
 * never read, and what follows a message whose end is in doubt (RFC 3261 §7.5, §18.3).
 */
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/def.h"
#include "live/bad_rig.h"

Suite *suite_badstream(void);

enum { CONNECTIONS = 700 };

/* ---------------------------------------------------------------- streams */

/* One connection for each place to cut; all first parts are there before the first second part is sent. */
START_TEST(split_anywhere)
{
    static struct piece {
        int fd;
        size_t len;
        char text[1024];
    } pieces[CONNECTIONS];
    static struct throw t;
    size_t n = throw_write(bad_message, sizeof bad_message, true, INVITE) - 2;

    ck_assert_uint_lt(n, CONNECTIONS);
    for (size_t i = 0; i < n; i++) {
        pieces[i].len = throw_write(pieces[i].text, sizeof pieces[i].text, true, INVITE);
        throw_open(&t, &bad_server, true);
        ck_assert(throw_bytes(&t, pieces[i].text, i + 1));
        throw_arrived(&t);
        pieces[i].fd = t.fd;
    }
    throw_probe(&bad_server);
    for (size_t i = 0; i < n; i++) {
        throw_open(&t, &bad_server, true);
        throw_close(&t);
        t.fd = pieces[i].fd;
        ck_assert(throw_bytes(&t, pieces[i].text + i + 1, pieces[i].len - i - 1));
        throw_settled(&t, PROC_PATIENCE_MS);
        throw_close(&t);
        ck_assert_msg(strcmp(t.outcome, "404") == 0, "split after %zu bytes: %s\n%s", i + 1,
                      t.outcome, t.bytes);
    }
}
END_TEST

START_TEST(byte_by_byte)
{
    static struct throw t;

    bad_write(true, INVITE);
    throw_open(&t, &bad_server, true);
    for (size_t i = 0; i < bad_message_len; i++) {
        ck_assert(throw_bytes(&t, bad_message + i, 1));
        throw_arrived(&t);
    }
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "404");
}
END_TEST

START_TEST(many_in_one_segment)
{
    enum { MESSAGES = 100 };
    static struct throw t;
    unsigned answered[MESSAGES] = { 0 };
    size_t n = 0;

    for (int i = 0; i < MESSAGES; i++) {
        char text[512];

        snprintf(text, sizeof text,
                 "%s" START VIA MAX_FORWARDS FROM TO "Call-ID: piped-%d\n" CSEQ NO_BODY,
                 i % 3 ? "\n" : "", i);
        n += throw_write(bad_message + n, sizeof bad_message - n, true, text);
    }
    throw_open(&t, &bad_server, true);
    ck_assert(throw_bytes(&t, bad_message, n));
    for (int i = 0; i < MESSAGES; i++) {
        const char *call_id;

        ck_assert_msg(throw_heard(&t, PROC_PATIENCE_MS), "%d answers, then %s", i, t.outcome);
        call_id = strstr(t.bytes, "Call-ID: piped-");
        ck_assert_ptr_nonnull(call_id);
        answered[strtoul(call_id + strlen("Call-ID: piped-"), NULL, 10) % MESSAGES]++;
    }
    throw_close(&t);
    for (int i = 0; i < MESSAGES; i++)
        ck_assert_uint_eq(answered[i], 1);
}
END_TEST

static const char *const doubtful[] = {
    HEAD "Content-Length: -1\n\n",
    HEAD "X: a$L" NO_BODY,
    HEAD "Content-Length: 0\n$L",
    HEAD "X: a$L\n",
    START " X: a\n" VIA FROM TO CALL_ID CSEQ NO_BODY,
    START VIA FROM TO CALL_ID CSEQ "nonsense\n" NO_BODY,
    START VIA FROM TO CALL_ID CSEQ "$R\n" NO_BODY,
    START VIA FROM TO CALL_ID "CSeq: 1 INVITE\nX: a$L" NO_BODY, /* refused for something else */
};

/* What follows a message whose end cannot be known is not read as one: that could be smuggled in (RFC 3261 §18.3). */
START_TEST(nothing_behind_a_doubtful_end)
{
    static struct throw t;
    char text[4096];

    snprintf(text, sizeof text, "%s" GOOD, doubtful[_i]);
    bad_write(true, text);
    throw_open(&t, &bad_server, true);
    ck_assert(throw_bytes(&t, bad_message, bad_message_len));
    throw_settled(&t, PROC_PATIENCE_MS);
    ck_assert_str_eq(t.outcome, "400");
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "closed");
}
END_TEST

/* A response without a status code is nobody's, and not answered; but its end is in doubt as a request's is. */
START_TEST(nothing_behind_a_doubtful_response)
{
    static struct throw t;

    bad_write(true, "SIP/2.0 OK\n" VIA FROM TO CALL_ID CSEQ "X: a$L" NO_BODY GOOD);
    throw_open(&t, &bad_server, true);
    ck_assert(throw_bytes(&t, bad_message, bad_message_len));
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "closed");
}
END_TEST

/* A message that begins must end within limits.message_s, however busily it drips; a connection at rest may rest. */
START_TEST(dripping_without_end)
{
    static struct throw dripping, resting;
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    bad_start_with("message_s = 1;");
    bad_write(true, HEAD "X: ");
    throw_open(&resting, &bad_server, true);
    throw_open(&dripping, &bad_server, true);
    (void)throw_bytes(&dripping, bad_message, bad_message_len);
    while (!throw_heard(&dripping, 50) && strcmp(dripping.outcome, "closed") != 0 &&
           proc_now_ms() < until)
        (void)throw_bytes(&dripping, "x", 1);
    throw_close(&dripping);
    ck_assert_str_eq(dripping.outcome, "closed");
    ck_assert_uint_eq(throw_count(&bad_server, "conns_slow"), 1);
    bad_write(true, GOOD);
    ck_assert(throw_bytes(&resting, bad_message, bad_message_len));
    throw_settled(&resting, PROC_PATIENCE_MS);
    throw_close(&resting);
    ck_assert_str_eq(resting.outcome, "200");
    bad_stop();
}
END_TEST

START_TEST(half_closed)
{
    static struct throw t;

    bad_write(true, GOOD);
    throw_open(&t, &bad_server, true);
    ck_assert(throw_bytes(&t, bad_message, bad_message_len));
    shutdown(t.fd, SHUT_WR);
    throw_settled(&t, PROC_PATIENCE_MS);
    ck_assert_str_eq(t.outcome, "200");
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "closed");

    throw_open(&t, &bad_server, true);
    ck_assert(throw_bytes(&t, bad_message, bad_message_len / 2));
    shutdown(t.fd, SHUT_WR);
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "closed");
    ck_assert_uint_eq(throw_count(&bad_server, "conns_cut"), 1);
}
END_TEST

START_TEST(reset_anywhere)
{
    static struct throw t;
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS, cut;

    bad_write(true, INVITE);
    for (size_t len = 1; len < bad_message_len; len += 7) {
        bad_write(true, INVITE);
        throw_open(&t, &bad_server, true);
        ck_assert(throw_bytes(&t, bad_message, len));
        throw_reset(&t);
    }
    bad_write(true, GOOD);
    for (int i = 0; i < 50; i++) {
        throw_open(&t, &bad_server, true);
        ck_assert(throw_bytes(&t, bad_message, bad_message_len));
        throw_reset(&t);
    }
    throw_probe(&bad_server);
    /* a reset may overtake what was sent before it; an answer without its connection looks for another (§18.2.2) */
    do
        cut = throw_count(&bad_server, "conns_accepted conns_opened") -
              throw_count(&bad_server, "conns_closed");
    while (cut > 0 && proc_now_ms() < until);
    ck_assert_uint_eq(cut, 0);
}
END_TEST

/*
 * One who asks without end and never reads: what waits for it has a ceiling, and what it asks then is not heard; or,
 * earlier, the kernel takes nothing more of it. Others are served all the while.
 */
START_TEST(asking_without_reading)
{
    enum { MESSAGES = 30000 };
    static struct throw t;
    bool open = true;
    int small = 8192;

    bad_start_with("queue_bytes = 65536;");
    throw_open(&t, &bad_server, true);
    ck_assert_int_eq(setsockopt(t.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    for (int i = 0; i < MESSAGES && open; i++) {
        bad_write(true, GOOD);
        open = throw_bytes(&t, bad_message, bad_message_len);
        if (i % 1000 == 0)
            throw_probe(&bad_server);
    }
    throw_probe(&bad_server);
    throw_reset(&t);
    ck_assert(!open ||
              throw_count(&bad_server, "net_dropped_full net_dropped_deaf conns_deaf") > 0);
    bad_stop();
}
END_TEST

START_TEST(pings)
{
    static struct throw t;
    char pong[8] = "";
    size_t n = 0;

    throw_open(&t, &bad_server, true);
    ck_assert(throw_bytes(&t, "\r\n\r\n", 4));
    for (uint64_t until = proc_now_ms() + PROC_PATIENCE_MS; n < 2 && proc_now_ms() < until;) {
        ssize_t got = recv(t.fd, pong + n, sizeof pong - 1 - n, 0);

        n += got > 0 ? (size_t)got : 0;
        proc_pause(got > 0 ? 0 : 1);
    }
    ck_assert_str_eq(pong, "\r\n");
    bad_write(true, GOOD);
    ck_assert(throw_bytes(&t, bad_message, bad_message_len));
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "200");
}
END_TEST

Suite *
suite_badstream(void)
{
    Suite *suite = suite_create("badstream");
    TCase *plain = tcase_create("plain"), *limited = tcase_create("limited");

    tcase_set_timeout(plain, 90);
    tcase_add_checked_fixture(plain, bad_start, bad_stop);
    tcase_add_test(plain, split_anywhere);
    tcase_add_test(plain, byte_by_byte);
    tcase_add_test(plain, many_in_one_segment);
    tcase_add_loop_test(plain, nothing_behind_a_doubtful_end, 0, (int)countof(doubtful));
    tcase_add_test(plain, nothing_behind_a_doubtful_response);
    tcase_add_test(plain, half_closed);
    tcase_add_test(plain, reset_anywhere);
    tcase_add_test(plain, pings);
    suite_add_tcase(suite, plain);

    tcase_set_timeout(limited, 90);
    tcase_add_test(limited, dripping_without_end);
    tcase_add_test(limited, asking_without_reading);
    suite_add_tcase(suite, limited);
    return suite;
}
