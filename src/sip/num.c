/*
 * Numbers as header fields have them: digits and nothing else (RFC 3261 §20.14, §20.16, §20.19, §20.22).
 */
#include "sip/num.h"

bool
num_cseq(struct span value, uint32_t *number, struct span *method)
{
    struct span rest = span_trim(value), word;
    uint64_t digits = 0;
    size_t n = 0;

    for (; n < rest.len && chars_is_digit(rest.at[n]) && digits <= INT32_MAX; n++)
        digits = digits * 10 + (uint64_t)(rest.at[n] - '0');
    word = chars_skip_lws(span_skip(rest, n));
    /* A blank must stand between: a method may begin with a digit. */
    if (n == 0 || digits > INT32_MAX || word.len == rest.len - n || !chars_is_token(word))
        return false;
    *number = (uint32_t)digits;
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
