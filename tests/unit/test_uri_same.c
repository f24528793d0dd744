/*
 * What holds for all URIs: a URI is equal to itself, both ways round, whatever is escaped that may be; what is equal has one
 * address of record (RFC 3261 §10.3, §19.1.4, RFC 3966 §4, RFC 5954 §4.2).
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/def.h"
#include "lib/chance.h"
#include "sip/chars.h"
#include "sip/uri.h"
#include "unit/text.h"

enum { RUNS = 30000, PARTS = 5, PART_BYTES = 80, ROOM = 1024 };

/* A URI in pieces, each as it is written when nothing is escaped that need not be. */
struct made {
    const char *head; /* sip:, sips:, tel: */
    const char *user; /* NULL: none */
    const char *password;
    const char *host;
    const char *port;
    const char *params[PARTS], *headers[PARTS];
    unsigned params_len, headers_len;
};

static const char *const heads[] = { "sip:", "sip:", "sips:" };
static const char *const users[] = { "alice", "ALICE", "a;x=1", "+1-212",
                                     "%40b",  "a%3B",  "#1",    "%C3%a9" };
static const char *const passwords[] = { "", "pw", "PW", "&=+$," };
static const char *const hosts[] = {
    "h", "example.com", "192.0.2.1", "[2001:db8::1]", "[::ffff:192.0.2.1]", "my_host."
};
static const char *const same_hosts[] = {
    "H", "Example.COM", "192.0.2.1", "[2001:DB8:0:0::01]", "[::FFFF:c000:201]", "MY_host."
};
static const char *const ports[] = { ":5060", ":5061", ":1" };
static const char *const params[] = { "lr",
                                      "transport=tcp",
                                      "transport=udp",
                                      "user=phone",
                                      "ttl=1",
                                      "maddr=192.0.2.9",
                                      "maddr=[2001:db8::9]",
                                      "method=INVITE",
                                      "method=BYE",
                                      "x=1",
                                      "x=2",
                                      "y",
                                      "ob",
                                      "gr=urn:uuid:f81d" };
static const char *const headers[] = {
    "Subject=lunch", "Subject=tea", "Priority=urgent",     "Call-ID=aB1",
    "Call-ID=ab1",   "body=Xy",     "To=sip:bob%40h",      "To=sip:Bob%40h",
    "x=1",           "x=2",         "Route=%3Csip:p;lr%3E"
};
static const char *const numbers[] = { "+12125550101", "12125550101", "*21", "7042", "aB1" };
static const char *const contexts[] = { "phone-context=example.com", "phone-context=+1914" };
static const char *const tel_params[] = { "ext=12", "isub=1a", "tsp=x", "m-y=2", "z" };

#define PICK(rand, list) (list)[chance_below(rand, countof(list))]

static void
pick_parts(struct rand *rand, const char *const *list, size_t list_len, const char **to,
           unsigned *len)
{
    *len = chance(rand, 50) ? chance_below(rand, PARTS) : 0;
    for (unsigned i = 0; i < *len; i++)
        to[i] = list[chance_below(rand, list_len)];
}

static struct made
make(struct rand *rand)
{
    struct made m = { .head = "tel:", .host = "", .port = "" };

    if (chance(rand, 20)) {
        unsigned at = chance_below(rand, countof(tel_params));

        m.user = PICK(rand, numbers);
        if (chance(rand, 50))
            m.params[m.params_len++] = PICK(rand, contexts);
        for (unsigned i = 0; i < countof(tel_params);
             i++) /* each once, as it must be (RFC 3966 §3) */
            if (m.params_len < PARTS && chance(rand, 25))
                m.params[m.params_len++] = tel_params[(i + at) % countof(tel_params)];
        return m;
    }
    m.head = PICK(rand, heads);
    m.user = chance(rand, 80) ? PICK(rand, users) : NULL;
    m.password = m.user && chance(rand, 20) ? PICK(rand, passwords) : NULL;
    m.host = PICK(rand, hosts);
    m.port = chance(rand, 20) ? PICK(rand, ports) : "";
    pick_parts(rand, params, countof(params), m.params, &m.params_len);
    pick_parts(rand, headers, countof(headers), m.headers, &m.headers_len);
    return m;
}

/* How it is written: every other spelling that means the same, or none of them. */
struct style {
    struct rand *rand;
    bool odd;
};

static bool
odd(const struct style *style, unsigned percent)
{
    return style->odd && chance(style->rand, percent);
}

static char
upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Characters outside of "reserved" are what their escapes are, and so are the digits of an escape in any case (§19.1.4). */
static void
put_text(struct buf *b, const struct style *style, const char *text)
{
    for (; *text; text++) {
        bool may =
            (chars_is(*text, CHARS_UNRESERVED) || *text == '#' || *text == '[' || *text == ']');

        if (*text == '%') {
            buf_put_char(b, *text++);
            buf_put_char(b, odd(style, 50) ? upper(*text) : *text);
            text++;
            buf_put_char(b, odd(style, 50) ? upper(*text) : *text);
        } else if (may && odd(style, 20)) {
            buf_printf(b, chance(style->rand, 50) ? "%%%02x" : "%%%02X",
                       (unsigned)(unsigned char)*text);
        } else {
            buf_put_char(b, *text);
        }
    }
}

/* The letters of a text that knows no case, in any. */
static void
put_any_case(struct buf *b, const struct style *style, const char *text, bool may_escape)
{
    char one[2] = { 0 };

    for (; *text; text++) {
        one[0] = odd(style, 30) ? upper(*text) : *text;
        if (may_escape && *text != '%')
            put_text(b, style, one);
        else
            buf_put_char(b, one[0]);
    }
}

/* Parameters that nobody must know, and of which only one side has one, do not matter. */
static void
put_params(struct buf *b, const struct style *style, const struct made *m)
{
    unsigned first = m->params_len > 0 && style->odd ? chance_below(style->rand, m->params_len) : 0;

    for (unsigned i = 0; i < m->params_len; i++) {
        const char *param = m->params[(first + i) % m->params_len];
        bool method = strncmp(param, "method", 6) == 0;

        buf_put_char(b, ';');
        if (method)
            put_text(b, style, param);
        else
            put_any_case(b, style, param, strncmp(param, "maddr=[", 7) != 0);
        if (odd(style, 10))
            buf_put_char(b, ';');
    }
    if (m->head[0] == 's' && odd(style, 20))
        buf_put(b, SPAN(";n%65w=1"));
}

static const char *
compact(const char *header)
{
    static const struct {
        const char *full, *compact;
    } forms[] = { { "Subject=", "s=" }, { "Call-ID=", "i=" }, { "To=", "t=" } };
    static char text[PART_BYTES];

    for (size_t i = 0; i < countof(forms); i++)
        if (strncmp(header, forms[i].full, strlen(forms[i].full)) == 0) {
            snprintf(text, sizeof text, "%s%s", forms[i].compact, header + strlen(forms[i].full));
            return text;
        }
    return header;
}

static void
put_headers(struct buf *b, const struct style *style, const struct made *m)
{
    unsigned first =
        m->headers_len > 0 && style->odd ? chance_below(style->rand, m->headers_len) : 0;

    for (unsigned i = 0; i < m->headers_len; i++) {
        const char *header = m->headers[(first + i) % m->headers_len];

        buf_put_char(b, i > 0 ? '&' : '?');
        put_text(b, style, odd(style, 50) ? compact(header) : header);
    }
}

static void
put_number(struct buf *b, const struct style *style, const char *number)
{
    for (const char *c = number; *c; c++) {
        char one[2] = { *c, 0 };

        put_any_case(b, style, one, c > number);
        if (odd(style, 20))
            buf_put_char(b, "-.()"[chance_below(style->rand, 4)]);
    }
}

static const char *
host_of(const struct style *style, const char *host)
{
    for (size_t i = 0; i < countof(hosts); i++)
        if (hosts[i] == host && odd(style, 50))
            return same_hosts[i];
    return host;
}

static struct span
write(const struct made *m, const struct style *style, struct buf *b)
{
    buf_clear(b);
    put_any_case(b, style, m->head, false);
    if (m->head[0] == 't') {
        put_number(b, style, m->user);
    } else {
        if (m->user)
            put_text(b, style, m->user);
        if (m->password) {
            buf_put_char(b, ':');
            put_text(b, style, m->password);
        }
        if (m->user)
            buf_put_char(b, '@');
        buf_put(b, span_of(host_of(style, m->host)));
        buf_put(b, span_of(m->port));
    }
    put_params(b, style, m);
    put_headers(b, style, m);
    must(!b->err);
    return buf_span(b);
}

static struct uri
read(struct span text)
{
    struct uri uri;

    must_for(text, uri_read(text, &uri) == SIPD_OK);
    must_for(text, uri_eq(&uri, &uri));
    return uri;
}

static bool
same_record(const struct uri *a, const struct uri *b)
{
    char x[ROOM], y[ROOM];
    int x_len = uri_aor_write(a, x, a->whole.len), y_len = uri_aor_write(b, y, b->whole.len);

    must_for(a->whole, x_len > 0);
    must_for(b->whole, y_len > 0);
    return x_len == y_len && memcmp(x, y, (size_t)x_len) == 0;
}

static void
tell(uint64_t seed, const char *what, struct span a, struct span b)
{
    ck_abort_msg("SIPD_SEED=%" PRIu64 ": %s: <%.*s> <%.*s>", seed, what, SPAN_ARG(a), SPAN_ARG(b));
}

/* Any two: equal both ways or not at all; if so, one record. */
static bool
check_pair(uint64_t seed, struct span a, struct span b)
{
    struct uri x = read(a), y = read(b);
    bool equal = uri_eq(&x, &y);

    if (equal != uri_eq(&y, &x))
        tell(seed, "one way only", a, b);
    if (equal && !same_record(&x, &y))
        tell(seed, "equal, with two records", a, b);
    return equal;
}

/* Escapes one reserved character of the user part, which makes another URI of it. */
static bool
escape_reserved(const struct made *m, struct made *to, char room[PART_BYTES])
{
    const char *c = m->user ? strpbrk(m->user, ";=+") : NULL;

    *to = *m;
    if (!c || m->head[0] == 't')
        return false;
    snprintf(room, PART_BYTES, "%.*s%%%02X%s", (int)(c - m->user), m->user,
             (unsigned)(unsigned char)*c, c + 1);
    to->user = room;
    return true;
}

START_TEST(equality_has_its_properties)
{
    struct buf plain, odd_one, other;
    unsigned equal_pairs = 0, told_apart = 0;

    buf_init(&plain, ROOM);
    buf_init(&odd_one, ROOM);
    buf_init(&other, ROOM);
    for (uint64_t seed = chance_seed(), end = seed + chance_runs(RUNS); seed < end; seed++) {
        struct rand rand;
        struct style as_is = { &rand, false }, any = { &rand, true };
        struct made m, n, escaped;
        char room[PART_BYTES];
        struct span text;

        rand_seed(&rand, seed);
        m = make(&rand);
        n = chance(&rand, 50) ? make(&rand) : m;
        if (chance(&rand, 50))
            n.params_len = m.params_len = n.headers_len = m.headers_len = 0;
        text = write(&m, &as_is, &plain);
        if (!check_pair(seed, text, write(&m, &any, &odd_one)))
            tell(seed, "not the same in another spelling", text, buf_span(&odd_one));
        equal_pairs += check_pair(seed, text, write(&n, &any, &other));
        (void)check_pair(seed, buf_span(&odd_one), buf_span(&other));
        if (!escape_reserved(&m, &escaped, room))
            continue;
        told_apart++;
        if (check_pair(seed, text, write(&escaped, &as_is, &other)))
            tell(seed, "an escape that counts did not", text, buf_span(&other));
    }
    must(equal_pairs > 0 && told_apart > 0);
    buf_fini(&plain);
    buf_fini(&odd_one);
    buf_fini(&other);
}
END_TEST

/* Any sixteen bytes, however written, are one host; no spelling is shorter than the record's. */
static struct span
write_address(struct rand *rand, const uint16_t groups[8], char *to)
{
    unsigned from = chance_below(rand, 8), len = 0;
    char *at = to + sprintf(to, "sip:u@[");
    bool dotted = chance(rand, 20);

    while (from + len < 8 && groups[from + len] == 0 && chance(rand, 90))
        len++;
    if (dotted && from + len > 6)
        len = from < 6 ? 6 - from : 0;
    for (unsigned i = 0; i < 8;) {
        if (len > 0 && i == from) {
            at += sprintf(at, "::");
            i += len;
            continue;
        }
        if (i > 0 && at[-1] != ':')
            *at++ = ':';
        if (dotted && i == 6) {
            at += sprintf(at, "%d.%d.%d.%d", groups[6] >> 8, groups[6] & 255, groups[7] >> 8,
                          groups[7] & 255);
            break;
        }
        at += sprintf(at, chance(rand, 20) ? "%04x" : chance(rand, 50) ? "%X" : "%x", groups[i++]);
    }
    *at++ = ']';
    return span_between(to, at);
}

START_TEST(an_address_is_one_host)
{
    for (uint64_t seed = chance_seed(), end = seed + chance_runs(RUNS); seed < end; seed++) {
        char one[128], two[128];
        uint16_t groups[8];
        struct rand rand;
        struct span a, b;

        rand_seed(&rand, seed);
        for (unsigned i = 0; i < 8; i++)
            groups[i] =
                (uint16_t)(chance(&rand, 60) ? 0 : rand_u64(&rand) >> chance_below(&rand, 16));
        a = write_address(&rand, groups, one);
        b = write_address(&rand, groups, two);
        if (!check_pair(seed, a, b))
            tell(seed, "one address, two hosts", a, b);
    }
}
END_TEST

Suite *
suite_uri_same(void)
{
    Suite *suite = suite_create("uri_same");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 0);
    tcase_add_test(all, equality_has_its_properties);
    tcase_add_test(all, an_address_is_one_host);
    suite_add_tcase(suite, all);
    return suite;
}
