/*
 * Lists of addresses: elements lie in the input and move on, each read alone is the same, and joined anew they make the
 * same list.
 */
#include "base/buf.h"
#include "base/err.h"
#include "fuzz/input.h"
#include "sip/addr.h"

int fuzz_addr(const uint8_t *data, size_t size);

static bool
same(const struct addr *a, const struct addr *b)
{
    return span_eq(a->whole, b->whole) && span_eq(a->display, b->display) &&
           span_eq(a->uri, b->uri) && span_eq(a->params, b->params) && a->brackets == b->brackets &&
           a->star == b->star;
}

static void
check_params(struct span params)
{
    struct span rest = params, value;
    struct param param;

    while (param_next(&rest, &param)) {
        BUG_ON(!input_holds(params, param.name) || !input_holds(params, param.value));
        BUG_ON(!param.has_value && param.value.len > 0);
        BUG_ON(!param_find(params, param.name, &value));
        BUG_ON(!input_holds(param.value, param_unquote(param.value)));
    }
}

/* The element copied out, in a list of its own and as a field of its own. */
static void
check_alone(const struct addr *addr)
{
    struct span copy = input_copy(addr->whole.at, addr->whole.len), rest = copy;
    struct addr again;

    BUG_ON(addr_next(&rest, &again) != SIPD_OK || rest.len > 0 || !same(addr, &again));
    BUG_ON(addr_read(copy, &again) != (addr->star ? SIPD_ESYNTAX : SIPD_OK));
    BUG_ON(!addr->star && !same(addr, &again));
    input_free(&copy);
}

/* What is told apart at a glance is read as everything else is. */
static void
check_plain(struct span value)
{
    struct span rest, tag, its = { NULL, 0 };
    struct param param;
    struct addr addr;
    uint64_t odd;

    if (!addr_plain_read(value, &tag))
        return;
    BUG_ON(addr_read_noting(value, &addr, &odd) != SIPD_OK || odd != 0);
    rest = addr.params;
    if (rest.len > 0)
        BUG_ON(!param_next(&rest, &param) || !span_ieq(param.name, SPAN("tag")) || rest.len > 0);
    its = addr.params.len > 0 ? param.value : its;
    BUG_ON(!span_eq(tag, its) || (tag.len > 0 && tag.at != its.at));
}

static void
check_element(struct span input, const struct addr *addr)
{
    const struct span parts[] = { addr->display, addr->uri, addr->params };

    BUG_ON(!input_holds(input, addr->whole) || addr->uri.len == 0);
    for (size_t i = 0; i < countof(parts); i++)
        BUG_ON(!input_holds(addr->whole, parts[i]));
    BUG_ON(span_find(addr->uri, '<') < addr->uri.len || span_find(addr->uri, '>') < addr->uri.len);
    BUG_ON(addr->params.len > 0 && addr->params.at[0] != ';');
    BUG_ON(addr->display.len > 0 && !addr->brackets);
    check_params(addr->params);
    check_alone(addr);
}

/* Walks as far as the list can be read, joining the elements with plain commas. Returns how many there were. */
static size_t
walk(struct span input, struct buf *joined)
{
    struct span rest = input, before = input;
    struct addr addr;
    size_t count = 0;
    int err;

    while ((err = addr_next(&rest, &addr)) == SIPD_OK) {
        BUG_ON(rest.len >= before.len || !input_holds(input, rest));
        before = rest;
        check_element(input, &addr);
        if (count++ > 0)
            buf_put(joined, SPAN(","));
        buf_put(joined, addr.whole);
    }
    BUG_ON(err == SIPD_ENOENT && rest.len > 0);
    BUG_ON(err == SIPD_ESYNTAX && (rest.at != before.at || rest.len != before.len));
    return count;
}

int
fuzz_addr(const uint8_t *data, size_t size)
{
    struct span input = input_copy(data, size);
    struct buf joined, again;
    size_t count;
    uint32_t q;

    buf_init(&joined, 2 * size + 1);
    buf_init(&again, 2 * size + 1);
    count = walk(input, &joined);
    BUG_ON(walk(buf_span(&joined), &again) != count);
    BUG_ON(joined.err || again.err || !span_eq(buf_span(&joined), buf_span(&again)));
    check_plain(input);
    BUG_ON(addr_q_read(input, &q) && q > 1000);
    buf_fini(&joined);
    buf_fini(&again);
    input_free(&input);
    return 0;
}
