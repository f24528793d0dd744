/*
 * Lines of a head as we write them: values in which no line end can forge a field (RFC 3261 §7.3.1).
 */
#ifndef SIP_LINE_H
#define SIP_LINE_H

#include "base/buf.h"
#include "base/span.h"

/* Bytes of "Name: value" with its line end. */
static inline size_t
line_bytes(struct span name, struct span value)
{
    return name.len + 2 + value.len + 2;
}

/* Writes text at `to`, which has room for it, each CR and LF as a blank (a folding stays white space). Returns the end. */
char *line_text_write(char *to, struct span text);
/* Writes "Name: value" with its line end at `to`, which has room for line_bytes(). Returns the end. */
static inline char *
line_write(char *to, struct span name, struct span value)
{
    to = line_text_write(span_write(span_write(to, name), SPAN(": ")), value);
    return span_write(to, SPAN("\r\n"));
}

/* As line_text_write, to the end of a buffer. */
void line_text_put(struct buf *b, struct span text);
/* As line_write, to the end of a buffer. */
void line_put(struct buf *b, struct span name, struct span value);

#endif
