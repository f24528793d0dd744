/*
 * Numbers as header fields have them: digits and nothing else (RFC 3261 §20.14, §20.16, §20.19, §20.22).
 */
#include "sip/num.h"

/* As num_cseq(), with no blanks at either end. */
static inline bool
cseq_read(struct span text, uint32_t *number, struct span *method)
{
    const char *at = text.at, *end = span_end(text);
    uint64_t digits = 0;
    struct span word;
    unsigned digit;

    for (; at < end && (digit = chars_digit(*at)) <= 9 && digits <= INT32_MAX; at++)
        digits = digits * 10 + digit;
    /* A blank must stand between: a method may begin with a digit. */
    if (at == text.at || at == end || !span_is_lws(*at) || digits > INT32_MAX)
        return false;
    word = chars_skip_lws(span_between(at, end));
    if (!chars_is_token(word))
        return false;
    *number = (uint32_t)digits;
    *method = word;
    return true;
}

bool
num_cseq(struct span value, uint32_t *number, struct span *method)
{
    return cseq_read(value, number, method) || cseq_read(span_trim(value), number, method);
}

/* A number with no blanks at either end. */
static inline bool
number_read(struct span text, uint32_t max, uint32_t *out)
{
    const char *at = text.at, *end = span_end(text);
    uint64_t number = 0;
    unsigned digit;

    for (; at < end && (digit = chars_digit(*at)) <= 9 && number <= max; at++)
        number = number * 10 + digit;
    if (text.len == 0 || at < end || number > max)
        return false;
    *out = (uint32_t)number;
    return true;
}

bool
num_max_forwards(struct span value, uint32_t *out)
{
    return number_read(value, UINT8_MAX, out) || span_u32(span_trim(value), UINT8_MAX, out);
}

bool
num_length(struct span value, uint32_t *out)
{
    return number_read(value, INT32_MAX, out) || span_u32(span_trim(value), INT32_MAX, out);
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
