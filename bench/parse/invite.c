/*
 * An INVITE that has passed a proxy already, with what phones put into it: two Vias, routes, lists of words, SDP; and
 * what follows it in a call.
 */
#include "parse/invite.h"

#include <stdio.h>

#define SDP                                                \
    "v=0\r\n"                                              \
    "o=alice 2890844526 2890844526 IN IP4 192.0.2.101\r\n" \
    "s=-\r\n"                                              \
    "c=IN IP4 192.0.2.101\r\n"                             \
    "t=0 0\r\n"                                            \
    "m=audio 49172 RTP/AVP 0 8 101\r\n"                    \
    "a=rtpmap:0 PCMU/8000\r\n"                             \
    "a=rtpmap:8 PCMA/8000\r\n"                             \
    "a=rtpmap:101 telephone-event/8000\r\n"                \
    "a=fmtp:101 0-16\r\n"                                  \
    "a=sendrecv\r\n"

static const char form[] =
    "INVITE sip:bob%u@biloxi.example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP "
    "edge%u.atlanta.example.com:5060;branch=z9hG4bK%08x.1;received=192.0.2.4;rport=5060\r\n"
    "Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK-%08x-7d4f;rport=%u;received=203.0.113.%u\r\n"
    "Record-Route: <sip:192.0.2.4;lr;ftag=%08x>\r\n"
    "Route: <sip:192.0.2.9:5060;lr>\r\n"
    "Max-Forwards: 69\r\n"
    "From: \"Alice Liddell %u\" <sip:alice@atlanta.example.com>;tag=%08x\r\n"
    "To: Bob <sip:bob%u@biloxi.example.com>\r\n"
    "Call-ID: %08x%08x@192.0.2.101\r\n"
    "CSeq: %u INVITE\r\n"
    "Contact: <sip:alice@192.0.2.101:5060;transport=udp>\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REFER, NOTIFY\r\n"
    "Supported: replaces, timer, path\r\n"
    "User-Agent: ExamplePhone/4.2.%u\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: %zu\r\n"
    "\r\n" SDP;

struct span
invite_make(unsigned n)
{
    static char texts[INVITES][1088];
    char *text = texts[n % INVITES];
    unsigned mix = n * 2654435761u;
    int len = snprintf(text, sizeof texts[0], form, n, mix & 7, mix, ~mix, 1024 + (mix >> 20),
                       mix & 255, mix ^ 77, mix & 4095, mix * 3, n, mix * 7, mix * 9,
                       1 + (mix & 1023), mix & 31, sizeof SDP - 1);

    return (struct span){ text, (size_t)len };
}

#define ENDS                                                               \
    "From: \"Alice Liddell\" <sip:alice@atlanta.example.com>;tag=%08x\r\n" \
    "To: Bob <sip:bob@biloxi.example.com>;tag=%08x\r\n"                    \
    "Call-ID: %08x@192.0.2.101\r\n"
#define VIAS                                                                      \
    "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bK%08x.1;received=192.0.2.4\r\n" \
    "Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK-%08x;rport=5060\r\n"
#define ROUTE "Route: <sip:n5wvkzkq4xtz2n7m@192.0.2.4;lr>\r\n"

enum { BRIEF_BYTES = 1088 };

/* All take the same five numbers. */
#define WRITE(form) snprintf(text, BRIEF_BYTES, form, mix, ~mix, mix * 3, mix * 5, mix * 7)

static int
brief_write(enum brief kind, unsigned mix, char *text)
{
    if (kind == BRIEF_180)
        return WRITE(
            "SIP/2.0 180 Ringing\r\n" VIAS "Record-Route: <sip:192.0.2.4;lr>\r\n" ENDS
            "CSeq: 1 INVITE\r\nContact: <sip:bob@192.0.2.201>\r\nContent-Length: 0\r\n\r\n");
    if (kind == BRIEF_200)
        return WRITE("SIP/2.0 200 OK\r\n" VIAS "Record-Route: <sip:192.0.2.4;lr>\r\n" ENDS
                     "CSeq: 1 INVITE\r\nContact: <sip:bob@192.0.2.201>\r\nAllow: INVITE, ACK, "
                     "CANCEL, BYE\r\n"
                     "Content-Type: application/sdp\r\nContent-Length: 200\r\n\r\n" SDP);
    if (kind == BRIEF_ACK)
        return WRITE("ACK sip:bob@192.0.2.201 SIP/2.0\r\n" VIAS ROUTE "Max-Forwards: 69\r\n" ENDS
                     "CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n");
    return WRITE("BYE sip:bob@192.0.2.201 SIP/2.0\r\n" VIAS ROUTE "Max-Forwards: 69\r\n" ENDS
                 "CSeq: 2 BYE\r\nUser-Agent: ExamplePhone/4.2\r\nContent-Length: 0\r\n\r\n");
}

struct span
brief_make(enum brief kind, unsigned n)
{
    static char texts[BRIEFS][INVITES][BRIEF_BYTES];
    char *text = texts[kind][n % INVITES];

    return (struct span){ text, (size_t)brief_write(kind, n * 2654435761u, text) };
}
