/*
 * Whole numbers that libconfig 1.5 would wrap without a word: they are found in the text, before it is read.
 */
#include "daemon/numbers.h"

#include "base/err.h"
#include "daemon/keys.h"

static const uint64_t largest = 2147483647;

/* A decimal or hexadecimal whole number without the L that makes it one of 64 bits; false: it is something else. */
static bool
is_too_large(const char *word)
{
    struct span text = span_of(word);
    bool hex = span_ieq(span_head(text, 2), SPAN("0x"));
    uint64_t value = 0;

    text = span_skip(text, hex ? 2 : text.len > 0 && (text.at[0] == '-' || text.at[0] == '+'));
    for (size_t i = 0; i < text.len; i++) {
        size_t digit = span_find(SPAN("0123456789abcdef"), span_lower(text.at[i]));

        if (digit >= (hex ? 16u : 10u))
            return false;
        value = value > largest ? value : value * (hex ? 16 : 10) + digit;
    }
    return value > largest;
}

int
numbers_check(const char *file, struct buf *why)
{
    int err = SIPD_OK;
    struct keys k;

    if (!keys_open(&k, file))
        return SIPD_OK;
    for (enum keys_event event; (event = keys_next(&k)) != KEYS_END;) {
        if (event != KEYS_WORD || !is_too_large(k.word))
            continue;
        buf_printf(why,
                   "%s:%u: %s: %s is more than a number here can be; write one of at most %llu\n",
                   file, k.word_line, k.name, k.word, (unsigned long long)largest);
        err = SIPD_EINVAL;
    }
    keys_close(&k);
    return err;
}
