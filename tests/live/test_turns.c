/*
 * No turn of the loop is long, whatever comes at once (house rule 16): batches of the longest datagrams, each with much to
 * read in it, to copy, or to send to twenty phones; and whole segments of small messages. A turn that is long by nature is so
 * each time that the same comes; one that is not may be once, when the machine does another's work in our time.
 */
#include <arpa/inet.h>
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/def.h"
#include "base/poison.h"
#include "live/throw.h"

Suite *suite_turns(void);

enum {
    BATCH = 64,
    CONTACTS = 20,
    MESSAGE_BYTES = 65536,
    TEXT_BYTES = 4096,
    TIMES = 5,
    ALIKE_MOST = 1000
};

static struct server server;
static int phones; /* all of them are one socket, which is never read */
static char message[MESSAGE_BYTES];

static void
start(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    struct proc out;
    char words[128];

    server_make(&server, "turns",
                "modules = [ \"registrar\" ];\n"
                "registrar = { store = \"ram\"; max_contacts = 1000; };\ndrain_s = 1;");
    server_start(&server);
    phones = socket(AF_INET, SOCK_DGRAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(phones, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(getsockname(phones, (struct sockaddr *)&at, &len), 0);
    for (unsigned i = 0; i < CONTACTS; i++) {
        snprintf(words, sizeof words, "add binding many@example.com sip:%u@127.0.0.1:%u", i,
                 ntohs(at.sin_port));
        ck_assert_int_eq(server_ctl(&server, &out, words, NULL), 0);
    }
}

static void
stop(void)
{
    server_stop(&server);
    close(phones);
}

/* clang-format off */
#define REST "Via: SIP/2.0/$T 127.0.0.1:9;branch=z9hG4bK$B;rport\nMax-Forwards: 70\n" \
    "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>\nCall-ID: $B\nContact: <sip:a@127.0.0.1:9>\n"
#define OPTIONS "OPTIONS sip:example.com SIP/2.0\n" REST "CSeq: 1 OPTIONS\n"

/* `field` is repeated until the message is long. */
static const struct {
    const char *name, *head, *field, *tail;
} kinds[] = {
    { "fields", OPTIONS, "a: b\n", "\n" },
    { "Vias", OPTIONS, "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKmany\n", "\n" },
    { "commas", OPTIONS "Via: SIP/2.0/UDP a", ",SIP/2.0/UDP a", "\n\n" },
    { "Routes", "OPTIONS sip:many@example.com SIP/2.0\n" REST "CSeq: 1 OPTIONS\n", "Route: <sip:127.0.0.1;lr>\n", "\n" },
    { "options", OPTIONS "Proxy-Require: a", ",a", "\n\n" },
    { "Contacts", "REGISTER sip:example.com SIP/2.0\n" REST "CSeq: 1 REGISTER\n", "m: <sip:a@192.0.2.1>\n", "\n" },
    { "a URI", "OPTIONS sip:u", "uuuuuuuuuuuuuuuu", "@example.com SIP/2.0\n" REST "CSeq: 1 OPTIONS\n\n" },
    { "forks", "INVITE sip:many@example.com SIP/2.0\n" REST "CSeq: 1 INVITE\n\n", "v=0\n", "\n" },
};
/* clang-format on */

static size_t
write_long(size_t kind, size_t bytes)
{
    static char text[TEXT_BYTES];
    size_t head = throw_write(message, sizeof message, false, kinds[kind].head);
    size_t field = throw_write(text, sizeof text, false, kinds[kind].field);

    while (head + field < bytes) {
        memcpy(message + head, text, field);
        head += field;
    }
    return head + throw_write(message + head, sizeof message - head, false, kinds[kind].tail);
}

static uint64_t
late(void)
{
    return POISON_WORKS ? 0 : throw_count(&server, "turn_late");
}

/* The server is held while they come, so that one read finds them all. */
static void
throw_batch(size_t kind)
{
    int fd = server_socket(&server, "127.0.0.1");
    uint64_t before = throw_count(&server, "net_received"),
             until = proc_now_ms() + PROC_PATIENCE_MS;

    throw_probe(&server);
    kill(server.proc.pid, SIGSTOP);
    for (size_t i = 0; i < BATCH; i++)
        (void)send(fd, message, write_long(kind, 40000 + 20000 * i / BATCH), 0);
    kill(server.proc.pid, SIGCONT);
    while (throw_count(&server, "net_received") == before && proc_now_ms() < until)
        proc_pause(1);
    throw_probe(&server); /* behind them in the same queue */
    ck_assert_uint_gt(throw_count(&server, "net_received"), before + 1);
    close(fd);
}

START_TEST(batches_of_long_datagrams)
{
    uint64_t before, after = 1;

    before = 0;
    for (unsigned i = 0; i < TIMES && after != before; i++) {
        before = late();
        throw_batch((size_t)_i);
        after = late();
    }
    ck_assert_msg(after == before, "%s: a turn is late each time", kinds[_i].name);
}
END_TEST

/* As many as a read takes, in one connection, each to be forked; all are answered. */
static void
throw_segment(void)
{
    enum { MESSAGES = 60 };
    static struct throw t;
    uint64_t before = throw_count(&server, "core_trips");
    size_t len = 0;

    for (int i = 0; i < MESSAGES; i++)
        len += throw_write(message + len, sizeof message - len, true,
                           "MESSAGE sip:many@example.com SIP/2.0\n" REST
                           "CSeq: 1 MESSAGE\nContent-Length: 0\n\n");
    throw_open(&t, &server, true);
    ck_assert(throw_bytes(&t, message, len));
    throw_probe(&server);
    for (uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
         throw_count(&server, "core_trips") < before + MESSAGES && proc_now_ms() < until;)
        proc_pause(1);
    ck_assert_uint_ge(throw_count(&server, "core_trips"), before + MESSAGES);
    throw_close(&t);
}

START_TEST(a_segment_full_of_messages)
{
    uint64_t before, after = 1;

    before = 0;
    for (unsigned i = 0; i < TIMES && after != before; i++) {
        before = late() + throw_count(&server, "turn_slept");
        throw_segment();
        after = late() + throw_count(&server, "turn_slept");
    }
    ck_assert_uint_eq(after, before);
}
END_TEST

/* ---------------------------------------------------------------- alike by choice */

/* One URI hash, and bytes that are told apart at their end only, behind parameters that must all be put in order to compare. */
static size_t
write_alike(unsigned serial, size_t contact_bytes, unsigned first, unsigned contacts)
{
    char head[600], contact[TEXT_BYTES];
    size_t len;

    snprintf(
        head, sizeof head,
        "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/$T 127.0.0.1:9;branch=z9hG4bK$B;rport\n"
        "Max-Forwards: 70\nFrom: <sip:alike%zu@example.com>;tag=1\n"
        "To: <sip:alike%zu@example.com>\nCall-ID: $B\nCSeq: %u REGISTER\n"
        "Content-Length: 0\n",
        contact_bytes, contact_bytes, serial);
    len = throw_write(message, sizeof message, false, head);
    for (unsigned n = first; n < first + contacts; n++) {
        size_t at = (size_t)snprintf(contact, sizeof contact, "m: <sip:alike@192.0.2.1");

        for (unsigned i = 0; at < contact_bytes; i++)
            at += (size_t)snprintf(contact + at, sizeof contact - at, ";p%u", i * 7919 % 1000);
        snprintf(contact + at, sizeof contact - at, ";x=%u>\n", n);
        len += throw_write(message + len, sizeof message - len, false, contact);
    }
    return len + throw_write(message + len, sizeof message - len, false, "\n");
}

/* One after the other, until a REGISTER would compare more than it may; so many. */
static unsigned
register_alike(size_t contact_bytes)
{
    static struct throw t;
    unsigned n = 0;

    throw_open(&t, &server, false);
    do {
        ck_assert(throw_bytes(&t, message, write_alike(n, contact_bytes, n, 1)));
        throw_settled(&t, PROC_PATIENCE_MS);
        n++;
    } while (strcmp(t.outcome, "200") == 0 && n < ALIKE_MOST);
    throw_close(&t);
    return n - 1;
}

START_TEST(contacts_alike)
{
    static const size_t bytes[] = { 30, 200, 900 };
    unsigned bound = register_alike(bytes[_i]), serial = 0;
    uint64_t before = 0, after = 1;

    ck_assert_uint_gt(bound, 20);
    for (unsigned i = 0; i < TIMES && after != before; i++) {
        before = late() + throw_count(&server, "turn_slept");
        for (unsigned n = 0; n < BATCH; n++, serial++) {
            static struct throw t;

            throw_open(&t, &server, false);
            ck_assert(throw_bytes(
                &t, message,
                write_alike(serial, bytes[_i], ALIKE_MOST + serial, bytes[_i] > 500 ? 50 : 100)));
            throw_settled(&t, PROC_PATIENCE_MS);
            ck_assert(throw_fits("200 403", t.outcome));
            throw_close(&t);
        }
        after = late() + throw_count(&server, "turn_slept");
    }
    ck_assert_msg(after == before, "%zu bytes: a turn is late each time", bytes[_i]);
}
END_TEST

Suite *
suite_turns(void)
{
    Suite *suite = suite_create("turns");
    TCase *tcase = tcase_create("turns");

    tcase_set_timeout(tcase, 90);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_loop_test(tcase, batches_of_long_datagrams, 0, (int)countof(kinds));
    tcase_add_test(tcase, a_segment_full_of_messages);
    tcase_add_loop_test(tcase, contacts_alike, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}
