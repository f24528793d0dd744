/*
 * URIs, one on each of the first two lines: parts lie in the input and make it up again, equality is reflexive and
 * symmetric, the record form is a URI that stays as it is.
 */
#include "base/buf.h"
#include "fuzz/input.h"
#include "sip/hop.h"
#include "sip/uri.h"

int fuzz_uri(const uint8_t *data, size_t size);

static bool
is_sip(const struct uri *u)
{
    return u->scheme == URI_SIP || u->scheme == URI_SIPS;
}

/* Takes text, which must stand next. */
static void
take(struct span *rest, struct span text)
{
    BUG_ON(!span_starts(*rest, text));
    *rest = span_skip(*rest, text.len);
}

/* Does the grammar's order of the parts, with the marks between, give the input again? */
static void
check_whole(const struct uri *u)
{
    struct span rest = u->whole;

    take(&rest, u->scheme_text);
    take(&rest, SPAN(":"));
    BUG_ON(!span_eq(rest, u->rest));
    if (!is_sip(u))
        return;
    take(&rest, u->user);
    if (u->password.at) {
        take(&rest, SPAN(":"));
        take(&rest, u->password);
    }
    if (u->has_user)
        take(&rest, SPAN("@"));
    BUG_ON(u->host.len == 0);
    take(&rest, u->host);
    if (u->port) {
        take(&rest, SPAN(":"));
        while (rest.len > 0 && rest.at[0] >= '0' && rest.at[0] <= '9')
            rest = span_skip(rest, 1);
    }
    if (rest.len > 0 && rest.at[0] == ';') {
        take(&rest, SPAN(";"));
        take(&rest, u->params);
    }
    if (rest.len > 0) {
        take(&rest, SPAN("?"));
        take(&rest, u->headers);
    }
    BUG_ON(rest.len > 0);
}

static void
check_spans(const struct uri *u)
{
    const struct span parts[] = { u->scheme_text, u->rest,   u->user,   u->password,
                                  u->host,        u->params, u->headers };
    struct span value;

    for (size_t i = 0; i < countof(parts); i++)
        BUG_ON(!input_holds(u->whole, parts[i]));
    if (uri_param(u, SPAN("transport"), &value))
        BUG_ON(!input_holds(u->params, value));
    for (size_t i = 0; i < u->whole.len; i++)
        BUG_ON(u->whole.at[i] <= ' ' || u->whole.at[i] >= 0x7f || u->whole.at[i] == '<' ||
               u->whole.at[i] == '>');
}

/* The record form of u in a block of exactly the room that is promised to do. */
static struct span
record_of(const struct uri *u)
{
    struct span record = input_copy(u->whole.at, u->whole.len);
    int len = uri_aor_write(u, (char *)(uintptr_t)record.at, record.len);

    BUG_ON(len <= 0);
    record.len = (size_t)len;
    return record;
}

static bool
is_same_host(struct span a, struct span b)
{
    struct hop x, y;

    if (a.at[0] != '[')
        return span_ieq(a, b);
    return hop_ip_read(a, &x) && hop_ip_read(b, &y) && memcmp(x.ip, y.ip, sizeof x.ip) == 0;
}

static void
check_record(const struct uri *u)
{
    struct span record = record_of(u), again, found, host;
    struct uri back;
    uint16_t port;

    BUG_ON(uri_read(record, &back) != SIPD_OK);
    BUG_ON(back.scheme != u->scheme || back.port || back.password.len || back.headers.len);
    BUG_ON(is_sip(u) && (back.params.len || !is_same_host(back.host, u->host)));
    again = record_of(&back);
    BUG_ON(!span_eq(record, again));
    BUG_ON(uri_aor_find(u->whole, &found, &host, &port) &&
           (!span_eq(found, record) || !span_eq(host, u->host) || port != u->port));
    input_free(&record);
    input_free(&again);
}

/* A user part with an empty password is not read at a glance, and yet all else is the same. */
static void
check_long_way(const struct uri *u)
{
    struct buf buf;
    struct uri again;

    if (!is_sip(u) || u->user.len == 0 || u->password.at)
        return;
    buf_init(&buf, u->whole.len + 1);
    buf_put(&buf, span_between(u->whole.at, span_end(u->user)));
    buf_put(&buf, SPAN(":"));
    buf_put(&buf, span_between(span_end(u->user), span_end(u->whole)));
    BUG_ON(buf.err || uri_read(buf_span(&buf), &again) != SIPD_OK);
    BUG_ON(again.password.len > 0 || !again.password.at || !again.has_user);
    BUG_ON(!span_eq(again.user, u->user) || !span_eq(again.host, u->host) || again.port != u->port);
    BUG_ON(!span_eq(again.params, u->params) || !span_eq(again.headers, u->headers));
    buf_fini(&buf);
}

/* Equal URIs are one address of record. */
static void
check_pair(const struct uri *a, const struct uri *b)
{
    bool equal = uri_eq(a, b);
    struct span x, y;

    BUG_ON(equal != uri_eq(b, a));
    BUG_ON(uri_text_eq(a->rest, b->rest) != uri_text_eq(b->rest, a->rest));
    if (!equal)
        return;
    x = record_of(a);
    y = record_of(b);
    BUG_ON(!span_eq(x, y));
    input_free(&x);
    input_free(&y);
}

static bool
read_one(struct span text, struct uri *out)
{
    if (uri_read(text, out) != SIPD_OK)
        return false;
    BUG_ON(!span_eq(out->whole, text));
    check_spans(out);
    check_whole(out);
    check_record(out);
    check_long_way(out);
    BUG_ON(!uri_eq(out, out));
    return true;
}

int
fuzz_uri(const uint8_t *data, size_t size)
{
    struct span input = { (const char *)data, size };
    struct span line = span_cut(&input, '\n');
    struct span first = input_copy(line.at, line.len);
    struct span second = input_copy(input.at, input.len);
    struct uri a, b;
    bool read_a = read_one(first, &a), read_b = read_one(second, &b);

    if (read_a && read_b)
        check_pair(&a, &b);
    input_free(&first);
    input_free(&second);
    return 0;
}
