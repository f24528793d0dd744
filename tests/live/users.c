/*
 * REGISTERs and OPTIONS by hand.
 */
#include "live/users.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 65536 };

static struct server *server;
static char reply[MESSAGE_BYTES];
static int phone = -1;
static unsigned serial;

void
users_begin(struct server *s)
{
    server = s;
    serial = 0;
    phone = server_socket(s, "127.0.0.1");
}

void
users_end(void)
{
    close(phone);
    phone = -1;
}

const char *
users_reply(void)
{
    return reply;
}

static bool
is_provisional(void)
{
    return strncmp(reply, "SIP/2.0 1", 9) == 0;
}

static unsigned
status(void)
{
    return strncmp(reply, "SIP/2.0 ", 8) == 0 ? (unsigned)strtoul(reply + 8, NULL, 10) : 0;
}

/* What comes of the last request: the status of a final answer; 0: it came back to us, whose phone this is. */
static unsigned
answer(void)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
    char cseq[32];

    snprintf(cseq, sizeof cseq, "CSeq: %u ", serial); /* others are late ones, sent again */
    while (proc_now_ms() < until)
        if (server_receive(phone, reply, sizeof reply, 1000) > 0 && strstr(reply, cseq) &&
            !is_provisional())
            return status();
    ck_abort_msg("no answer:\n%s", proc_output(&server->proc));
    return 0;
}

static void
register_with(unsigned n, const char *contact)
{
    serial++;
    server_send(phone,
                "REGISTER sip:example.com SIP/2.0\n"
                "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKuser%u;rport\nMax-Forwards: 70\n"
                "From: <sip:u%u@example.com>;tag=1\nTo: <sip:u%u@example.com>\n"
                "Call-ID: user-%u\nCSeq: %u REGISTER\n%sContent-Length: 0\n\n",
                serial, n, n, n, serial, contact);
}

void
users_send(unsigned n)
{
    char contact[128];

    snprintf(contact, sizeof contact, "Contact: <sip:u%u@127.0.0.1:9>\n", n);
    register_with(n, contact);
}

unsigned
users_keep(unsigned n)
{
    users_send(n);
    return answer();
}

unsigned
users_ask(unsigned n)
{
    register_with(n, "");
    return answer();
}

/* Calls go to where a REGISTER came from when its Contact names another place (a NAT). */
bool
users_found(unsigned n)
{
    serial++;
    server_send(phone,
                "OPTIONS sip:u%u@example.com SIP/2.0\n"
                "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKuser%u;rport\nMax-Forwards: 70\n"
                "From: <sip:u%u@example.com>;tag=1\nTo: <sip:u%u@example.com>\n"
                "Call-ID: user-%u\nCSeq: %u OPTIONS\nContent-Length: 0\n\n",
                n, serial, n, n, serial, serial);
    return answer() == 0;
}

unsigned
users_hear(unsigned timeout_ms)
{
    uint64_t until = proc_now_ms() + timeout_ms;

    for (uint64_t now; (now = proc_now_ms()) < until;)
        if (server_receive(phone, reply, sizeof reply, (unsigned)(until - now)) > 0 &&
            strstr(reply, " REGISTER\r\n") && !is_provisional())
            return status();
    return 0;
}

void
users_must_come_back(unsigned got)
{
    ck_assert_msg(got == 500 || got == 503, "got %u", got);
    ck_assert_ptr_nonnull(strstr(reply, "\r\nRetry-After: "));
}

void
users_keep_in_the_end(unsigned n)
{
    for (uint64_t until = proc_now_ms() + PROC_PATIENCE_MS; users_keep(n) != 200;)
        ck_assert_uint_lt(proc_now_ms(), until);
}
