/*
 * Requests as templates: what changes from one to the next has a fixed width and is patched in place.
 */
#include "blast.h"

#include <stdio.h>
#include <string.h>

/* The holes: in the template each is a run of its own control character. */
#define SLOT   "\1\1\1\1\1\1\1\1"
#define SERIAL "\2\2\2\2\2\2\2\2"
#define USER   "\3\3\3\3\3\3\3"
#define CSEQ   "\4\4\4\4\4\4\4\4\4"

static const int widths[] = { 0, sizeof SLOT - 1, sizeof SERIAL - 1, sizeof USER - 1,
                              sizeof CSEQ - 1 };

const char sdp[] =
    "v=0\r\no=- 3724394400 3724394405 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

static char shape[MESSAGE_BYTES];
static size_t shape_len;
static struct {
    size_t at;
    int kind;
} holes[32];
static unsigned hole_count;

char *
hex_write(char *to, uint32_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 4)
        to[i] = "0123456789abcdef"[value & 15];
    return to + 8;
}

char *
decimal_write(char *to, int width, uint32_t value)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + width;
}

bool
hex_read(const char *text, uint32_t *out)
{
    uint32_t value = 0;

    for (int i = 0; i < 8; i++) {
        const char *digit = text[i] ? strchr("0123456789abcdef", text[i]) : NULL;

        if (!digit)
            return false;
        value =
            value << 4 | (*digit <= '9' ? (uint32_t)(*digit - '0') : (uint32_t)(*digit - 'a' + 10));
    }
    *out = value;
    return true;
}

static int
options_write(char *to, size_t room)
{
    return snprintf(to, room,
                    "OPTIONS sip:u" USER "@%s SIP/2.0\r\n"
                    "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bKsb" SLOT SERIAL "%sI\r\n"
                    "Max-Forwards: 70\r\n"
                    "From: \"Caller\" <sip:caller@example.test>;tag=f" SERIAL "\r\n"
                    "To: <sip:u" USER "@example.test>\r\n"
                    "Call-ID: " SLOT SERIAL "%s@%s\r\n"
                    "CSeq: 1 OPTIONS\r\n"
                    "Contact: <sip:caller@%s>\r\n"
                    "Accept: application/sdp\r\n"
                    "User-Agent: sipblast\r\n"
                    "Content-Length: 0\r\n\r\n",
                    plan.callee_text, plan.caller_text, plan.run, plan.run, plan.caller_text,
                    plan.caller_text);
}

static int
invite_write(char *to, size_t room)
{
    return snprintf(to, room,
                    "INVITE sip:u" USER "@%s SIP/2.0\r\n"
                    "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bKsb" SLOT SERIAL "%sI\r\n"
                    "Max-Forwards: 70\r\n"
                    "From: \"Caller\" <sip:caller@example.test>;tag=f" SERIAL "\r\n"
                    "To: <sip:u" USER "@example.test>\r\n"
                    "Call-ID: " SLOT SERIAL "%s@%s\r\n"
                    "CSeq: 1 INVITE\r\n"
                    "Contact: <sip:caller@%s>\r\n"
                    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REFER\r\n"
                    "Supported: replaces, timer\r\n"
                    "User-Agent: sipblast\r\n"
                    "Content-Type: application/sdp\r\n"
                    "Content-Length: %zu\r\n\r\n%s",
                    plan.callee_text, plan.caller_text, plan.run, plan.run, plan.caller_text,
                    plan.caller_text, strlen(sdp), sdp);
}

/* A phone keeps its Call-ID and counts CSeq up: once through all users is new, after that it is refreshing. */
static int
register_write(char *to, size_t room)
{
    return snprintf(to, room,
                    "REGISTER sip:%s SIP/2.0\r\n"
                    "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bKsb" SLOT SERIAL "%sI\r\n"
                    "Max-Forwards: 70\r\n"
                    "From: <sip:u" USER "@%s>;tag=f" SERIAL "\r\n"
                    "To: <sip:u" USER "@%s>\r\n"
                    "Call-ID: registers" USER "%s@%s\r\n"
                    "CSeq: " CSEQ " REGISTER\r\n"
                    "Contact: <sip:u" USER "@%s>;expires=3600\r\n"
                    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, MESSAGE\r\n"
                    "Supported: path, outbound\r\n"
                    "User-Agent: sipblast\r\n"
                    "Content-Length: 0\r\n\r\n",
                    plan.server_text, plan.caller_text, plan.run, plan.server_text,
                    plan.server_text, plan.run, plan.caller_text, plan.callee_text);
}

void
shapes_make(void)
{
    static int (*const writers[SCENARIOS])(char *to, size_t room) = { options_write, invite_write,
                                                                      register_write };

    shape_len = (size_t)writers[plan.scenario](shape, sizeof shape);
    if (shape_len >= sizeof shape)
        fail("the template is too long");
    for (size_t at = 0; at < shape_len; at++) {
        int kind = shape[at];

        if (kind >= SLOT[0] && kind <= CSEQ[0]) {
            holes[hole_count].at = at;
            holes[hole_count++].kind = kind;
            at += (size_t)widths[kind] - 1;
        }
    }
}

size_t
shape_fill(char *to, uint32_t slot, uint32_t serial, uint32_t user, uint32_t cseq)
{
    const uint32_t values[] = { 0, slot, serial, user, cseq };

    memcpy(to, shape, shape_len);
    for (unsigned i = 0; i < hole_count; i++) {
        int kind = holes[i].kind;

        if (kind <= SERIAL[0])
            hex_write(to + holes[i].at, values[kind]);
        else
            decimal_write(to + holes[i].at, widths[kind], values[kind]);
    }
    return shape_len;
}
