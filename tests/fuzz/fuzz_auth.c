/*
 * Digest fields: values lie in the input, and written anew, quoted, they are read as the same.
 */
#include "base/buf.h"
#include "base/err.h"
#include "fuzz/input.h"
#include "sip/auth.h"

int fuzz_auth(const uint8_t *data, size_t size);

static const struct {
    const char *name;
    size_t at;
} fields[] = {
    { "username", offsetof(struct digest, username) },
    { "realm", offsetof(struct digest, realm) },
    { "nonce", offsetof(struct digest, nonce) },
    { "uri", offsetof(struct digest, uri) },
    { "response", offsetof(struct digest, response) },
    { "algorithm", offsetof(struct digest, algorithm) },
    { "cnonce", offsetof(struct digest, cnonce) },
    { "opaque", offsetof(struct digest, opaque) },
    { "qop", offsetof(struct digest, qop) },
    { "nc", offsetof(struct digest, nc) },
    { "domain", offsetof(struct digest, domain) },
    { "stale", offsetof(struct digest, stale) },
};

static struct span
value_of(const struct digest *digest, size_t field)
{
    struct span value;

    memcpy(&value, (const char *)digest + fields[field].at, sizeof value);
    return value;
}

static void
check(struct span input, const struct digest *digest)
{
    struct digest again;
    struct buf text;

    buf_init(&text, 2 * input.len + 1024);
    buf_put(&text, SPAN("Digest "));
    for (size_t i = 0; i < countof(fields); i++) {
        BUG_ON(!input_holds(input, value_of(digest, i)));
        buf_put(&text, span_of(fields[i].name));
        buf_put(&text, SPAN("=\""));
        buf_put(&text, value_of(digest, i));
        buf_put(&text, SPAN("\", "));
    }
    BUG_ON(text.err || digest_read(buf_span(&text), &again) != SIPD_OK);
    for (size_t i = 0; i < countof(fields); i++)
        BUG_ON(!span_eq(value_of(digest, i), value_of(&again, i)));
    buf_fini(&text);
}

int
fuzz_auth(const uint8_t *data, size_t size)
{
    struct span input = input_copy(data, size);
    struct digest digest;

    if (digest_read(input, &digest) == SIPD_OK)
        check(input, &digest);
    input_free(&input);
    return 0;
}
