/*
 * Numbers as header fields have them: digits and nothing else (RFC 3261 §20.14, §20.16, §20.19, §20.22).
 */
#include "sip/num.h"

#include "sip/chars.h"

bool
num_cseq(struct span value, uint32_t *number, struct span *method)
{
    struct span rest = span_trim(value);
    size_t digits = 0;
    struct span word;

    while (digits < rest.len && chars_is_digit(rest.at[digits]))
        digits++;
    word = chars_skip_lws(span_skip(rest, digits));
    /* A blank must stand between: a method may begin with a digit. */
    if (word.len == rest.len - digits || !chars_is_token(word))
        return false;
    if (!span_u32(span_head(rest, digits), INT32_MAX, number))
        return false;
    *method = word;
    return true;
}

bool
num_max_forwards(struct span value, uint32_t *out)
{
    return span_u32(span_trim(value), UINT8_MAX, out);
}

bool
num_length(struct span value, uint32_t *out)
{
    return span_u32(span_trim(value), INT32_MAX, out);
}

bool
num_expires(struct span value, uint32_t *out)
{
    struct span digits = span_trim(value);

    if (digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++)
        if (!chars_is_digit(digits.at[i]))
            return false;
    if (!span_u32(digits, UINT32_MAX, out))
        *out = UINT32_MAX;
    return true;
}
