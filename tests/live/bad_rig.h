/*
 * A server at which bytes are thrown that no phone should send, and a good message to begin with.
 */
#ifndef LIVE_BAD_RIG_H
#define LIVE_BAD_RIG_H

#include "live/throw.h"

enum { BAD_MESSAGE_BYTES = 256 * 1024 };

extern struct server bad_server;
extern char bad_message[BAD_MESSAGE_BYTES];
extern size_t bad_message_len;

/* Starts it with limits that no test here reaches, or with these. */
void bad_start(void);
void bad_start_with(const char *limits);
void bad_stop(void);
/* Writes bad_message as throw_write() does. */
void bad_write(bool tcp, const char *text);

/* clang-format off */
#define VIA "Via: SIP/2.0/$T 127.0.0.1:9;branch=z9hG4bK$B;rport\n"
#define MAX_FORWARDS "Max-Forwards: 70\n"
#define FROM "From: <sip:a@example.com>;tag=1\n"
#define TO "To: <sip:example.com>\n"
#define CALL_ID "Call-ID: $B\n"
#define CSEQ "CSeq: 1 OPTIONS\n"
#define NO_BODY "Content-Length: 0\n\n"
#define START "OPTIONS sip:example.com SIP/2.0\n"
/* All that is asked of a request but the Content-Length. */
#define HEAD START VIA MAX_FORWARDS FROM TO CALL_ID CSEQ
#define GOOD HEAD NO_BODY
#define INVITE \
    "INVITE sip:nobody@example.com SIP/2.0\n" VIA MAX_FORWARDS FROM \
    "To: \"No \\\"body\\\"\" <sip:nobody@example.com>\n" \
    "Call-ID: $B@host\nCSeq: 7 INVITE\nContact: <sip:a@127.0.0.1:9;transport=$T>\nContent-Type: " \
    "application/sdp\n" \
    "Content-Length: 4\n\nv=0\n"
/* clang-format on */

#endif
