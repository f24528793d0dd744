/*
 * A Contact field's value, with its qvalue and delta-seconds (RFC 3261 §20.10, §25.1).
 */
#include "contact.h"

#include <sipd/module.h>

enum { TAIL_BYTES = sizeof "<>;q=0.123;expires=4294967295" };

static char *
put_number(char *to, uint32_t number)
{
    if (number >= 10)
        to = put_number(to, number / 10);
    *to = (char)('0' + number % 10);
    return to + 1;
}

/* Thousandths as a qvalue: no more decimals than it takes. */
static char *
put_q(char *to, uint32_t q)
{
    if (q >= 1000)
        return span_write(to, SPAN("1"));
    *to++ = '0';
    if (q > 0)
        *to++ = '.';
    for (uint32_t tenth = 100; q > 0; tenth /= 10) {
        *to++ = (char)('0' + q / tenth);
        q %= tenth;
    }
    return to;
}

struct redirect_text
redirect_contact(const struct sipd_target *target)
{
    char *bytes = sipd_alloc(target->uri.len + TAIL_BYTES), *end = bytes;

    if (!bytes)
        return (struct redirect_text){ 0 };
    end = span_write(end, SPAN("<"));
    end = span_write(end, target->uri);
    end = span_write(end, SPAN(">;q="));
    end = put_q(end, target->q);
    if (target->expires_s > 0) {
        end = span_write(end, SPAN(";expires="));
        end = put_number(end, target->expires_s);
    }
    return (struct redirect_text){ bytes, (size_t)(end - bytes) };
}

struct redirect_text
redirect_text_keep(struct span s)
{
    char *bytes = sipd_alloc(s.len);

    if (!bytes)
        return (struct redirect_text){ 0 };
    span_write(bytes, s);
    return (struct redirect_text){ bytes, s.len };
}

void
redirect_text_free(struct redirect_text *text)
{
    sipd_free(text->at);
    *text = (struct redirect_text){ 0 };
}
