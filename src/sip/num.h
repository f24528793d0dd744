/*
 * The header fields that hold numbers: CSeq, Max-Forwards, Content-Length, Expires (RFC 3261 §20), and ports.
 */
#ifndef SIP_NUM_H
#define SIP_NUM_H

#include "sip/chars.h"

/* "314159 INVITE" (§20.16): the number below 2^31 (§8.1.1.5) and the method. False if it is none. */
bool num_cseq(struct span value, uint32_t *number, struct span *method);
/* Max-Forwards (§20.22), 0 to 255. False if it is none. */
bool num_max_forwards(struct span value, uint32_t *out);
/* Content-Length (§20.14), at most 2^31 - 1. False if it is none (a sign, a blank inside, too large). */
bool num_length(struct span value, uint32_t *out);
/* Expires or delta-seconds (§20.19): a number above 2^32 - 1 counts as that. False if it is none. */
bool num_expires(struct span value, uint32_t *out);

/* The digits that *at is moved past, as a port. 0: they are none, or too large, and *at is somewhere among them. */
static inline uint16_t
num_take_port(const char **at, const char *end)
{
    uint32_t port = 0;
    unsigned digit;

    for (; *at < end && (digit = chars_digit(**at)) <= 9 && port <= UINT16_MAX; ++*at)
        port = port * 10 + digit;
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* Writes n, of 16 bits, without zeros in front; as span_write_u64(), without a loop. Returns the end. */
static inline char *
num_write_short(char *to, uint16_t n)
{
    if (n >= 1000) {
        if (n >= 10000)
            *to++ = (char)('0' + n / 10000);
        *to++ = (char)('0' + n / 1000 % 10);
    }
    if (n >= 100)
        *to++ = (char)('0' + n / 100 % 10);
    if (n >= 10)
        *to++ = (char)('0' + n / 10 % 10);
    *to++ = (char)('0' + n % 10);
    return to;
}

#endif
