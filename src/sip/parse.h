/*
 * What the reading of a start line and that of header fields share.
 */
#ifndef SIP_PARSE_H
#define SIP_PARSE_H

#include "sip/msg.h"

/* The first fault is kept. */
static inline void
parse_fault(struct msg *msg, uint16_t status, const char *reason)
{
    if (msg->fault)
        return;
    msg->fault = status;
    msg->fault_reason = reason;
}

static inline void
parse_note(struct msg *msg, enum deviation id)
{
    msg->odd |= deviation_bit(id);
}

static inline bool
parse_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* No blank and no control byte. */
static inline bool
parse_is_visible(char c)
{
    return (unsigned char)c > ' ';
}

/* Where the blanks that stand at `at` end. */
static inline uint32_t
parse_skip_blanks(const char *bytes, uint32_t at, uint32_t end)
{
    while (at < end && parse_is_blank(bytes[at]))
        at++;
    return at;
}

/* Where the blanks that stand before `end` begin. */
static inline uint32_t
parse_trim_blanks(const char *bytes, uint32_t at, uint32_t end)
{
    while (end > at && parse_is_blank(bytes[end - 1]))
        end--;
    return end;
}

/*
 * Reads the Request-Line or Status-Line that ends at `end`, its line end with it (RFC 3261 §7.1, §7.2). False: nobody can be
 * answered.
 */
bool start_line_read(struct msg *msg, uint32_t end) MUST_USE;

#endif
