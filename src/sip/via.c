/*
 * Via elements, with white space wherever the grammar lets it stand (RFC 3261 §18.2.2, §20.42, §25.1, RFC 3581).
 */
#include "sip/via.h"

#include "sip/chars.h"
#include "sip/param.h"

/* A token and the white space around it. False if there is none. */
static bool
take_token(struct span *rest, struct span *token)
{
    struct span at = chars_skip_lws(*rest);

    *token = span_head(at, chars_token_len(at));
    *rest = chars_skip_lws(span_skip(at, token->len));
    return token->len > 0;
}

static bool
take_slash(struct span *rest)
{
    if (!chars_begin(*rest, '/'))
        return false;
    *rest = span_skip(*rest, 1);
    return true;
}

/*
 * SIP / 2.0 / UDP, then a blank. The version is not judged here: it is the start line's, and a refusal with 505 needs
 * this Via (RFC 4475 §3.1.2.16).
 */
static bool
take_protocol(struct span *rest, struct span *transport)
{
    const struct span usual = SPAN("SIP/2.0/");
    struct span name, version;

    if (span_starts(*rest, usual))
        *rest = span_skip(*rest, usual.len);
    else if (!take_token(rest, &name) || !take_slash(rest) || !take_token(rest, &version) || !take_slash(rest))
        return false;
    return take_token(rest, transport) && rest->at > span_end(*transport);
}

/* The address alone, as some write IPv6: with two colons or more nothing else can be meant. */
static bool
is_bare_ipv6(struct span s)
{
    struct span rest = s;
    struct hop hop;

    (void)span_cut(&rest, ':');
    return span_find(rest, ':') < rest.len && hop_ip_read(s, &hop);
}

static bool
read_port(struct span text, uint16_t *port)
{
    uint32_t number;

    if (!span_u32(text, UINT16_MAX, &number) || number == 0)
        return false;
    *port = (uint16_t)number;
    return true;
}

/* What may stand behind a host, but for white space: nothing, or a colon and the port. */
static bool
read_behind_host(struct span after, uint16_t *port)
{
    after = chars_skip_lws(after);
    return after.len == 0 || (after.at[0] == ':' && read_port(chars_skip_lws(span_skip(after, 1)), port));
}

/* A name, an IPv4 address or a reference to an IPv6 address, as far as it goes. False if there is none. */
static bool
take_host(struct span *rest, struct span *host)
{
    bool reference = chars_begin(*rest, '[');
    size_t len = reference ? span_find(*rest, ']') + 1 : scan_run(*rest, &chars_host);
    struct hop hop;

    *host = span_head(*rest, len);
    *rest = span_skip(*rest, len);
    return reference ? hop_ip_read(*host, &hop) : len > 0;
}

/* host [: port], blanks around the colon allowed. */
static bool
read_sent_by(struct span text, struct via *out)
{
    struct span rest = text;

    out->sent_by = text;
    if (take_host(&rest, &out->host) && read_behind_host(rest, &out->port))
        return true;
    out->host = text;
    return is_bare_ipv6(text);
}

/* The cookie alone names nothing: such a branch is as good as none (RFC 4475 §3.2.1). */
static bool
has_cookie(struct span branch)
{
    const struct span cookie = VIA_COOKIE;

    return branch.len > cookie.len && span_ieq(span_head(branch, cookie.len), cookie);
}

/* The first of each parameter that a server looks at; more of them are not allowed (§7.3.1). */
static void
keep_param(const struct param *param, struct via *out)
{
    if (span_ieq(param->name, SPAN("branch")) && !out->branch.at) {
        out->branch = param->value;
        out->has_cookie = has_cookie(out->branch);
    } else if (span_ieq(param->name, SPAN("received")) && !out->received.at) {
        out->received = param->value;
    } else if (span_ieq(param->name, SPAN("maddr")) && !out->maddr.at) {
        out->maddr = param->value;
    } else if (span_ieq(param->name, SPAN("rport")) && !out->has_rport) {
        out->has_rport = true;
        out->rport = param->value;
    }
}

/* ;name=value up to a comma or the end. An empty one may stand last, not between others (RFC 4475 §3.1.2.1). */
static bool
read_params(struct span *rest, struct via *out)
{
    while (chars_begin(*rest, ';')) {
        struct param param;

        *rest = span_skip(*rest, 1);
        if (!param_take(rest, ',', &param) || (param_is_blank(&param) && chars_begin(*rest, ';')))
            return false;
        keep_param(&param, out);
    }
    return true;
}

/* An element from its first byte on; a comma after it stays. */
static bool
read_element(struct span *rest, struct via *out)
{
    struct span at = *rest;
    const char *params;
    size_t end;

    *out = (struct via){ .port = 0 };
    if (!take_protocol(&at, &out->transport))
        return false;
    end = chars_find(at, ';', ',');
    if (end == CHARS_OPEN || !read_sent_by(span_trim(span_head(at, end)), out))
        return false;
    at = span_skip(at, end);
    params = at.at;
    if (!read_params(&at, out))
        return false;
    out->whole = span_trim(span_between(rest->at, at.at));
    out->params = span_skip(out->whole, (size_t)(params - out->whole.at));
    *rest = at;
    return true;
}

int
via_next(struct span *rest, struct via *out)
{
    struct span at = chars_skip_lws(*rest);

    while (chars_begin(at, ','))
        at = chars_skip_lws(span_skip(at, 1));
    if (at.len == 0) {
        *rest = at;
        return SIPD_ENOENT;
    }
    if (!read_element(&at, out))
        return SIPD_ESYNTAX;
    *rest = at;
    return SIPD_OK;
}

bool
via_reply_hop(const struct via *via, struct hop *to)
{
    uint8_t transport = hop_transport_read(via->transport);
    bool reliable = hop_is_reliable(transport);
    uint16_t port = via->port ? via->port : hop_default_port(transport);
    struct hop group = *to;

    if (!reliable && hop_ip_read(via->maddr, &group) && hop_is_multicast(&group)) {
        *to = group;
        to->port = port;
        return true;
    }
    if (hop_ip_read(via->received, to)) {
        to->port = port;
        /* RFC 3581 §4; without a value the port of sent-by stays. */
        if (!reliable)
            (void)read_port(via->rport, &to->port);
        return true;
    }
    if (!hop_ip_read(via->host, to))
        return false;
    to->port = port;
    return true;
}
