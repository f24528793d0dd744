/*
 * Via elements, with white space wherever the grammar lets it stand (RFC 3261 §18.2.2, §20.42, §25.1, RFC 3581).
 */
#include "sip/via.h"

#include "sip/chars.h"
#include "sip/num.h"
#include "sip/param.h"

/* A token and the white space around it. False if there is none. */
static bool
take_token(struct span *rest, struct span *token)
{
    struct span text = chars_skip_lws(*rest);
    const char *at = text.at, *end = at + text.len;

    while (at < end && chars_is(*at, CHARS_TOKEN))
        at++;
    *token = span_between(text.at, at);
    *rest = chars_skip_lws(span_between(at, end));
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

/* What the readers of an element's parts return where there is none; else it is what stands behind it. */
static const struct span none = { NULL, 0 };

/*
 * SIP / 2.0 / UDP, then a blank. The version is not judged here: it is the start line's, and a refusal with 505 needs
 * this Via (RFC 4475 §3.1.2.16).
 */
APART static struct span
read_any_protocol(struct span rest, struct via *out)
{
    const struct span usual = SPAN("SIP/2.0/");
    struct span name, version;

    if (span_starts(rest, usual))
        rest = span_skip(rest, usual.len);
    else if (!take_token(&rest, &name) || !take_slash(&rest) || !take_token(&rest, &version) ||
             !take_slash(&rest))
        return none;
    if (!take_token(&rest, &out->transport_text) || rest.at == span_end(out->transport_text))
        return none;
    out->transport = hop_transport_read(out->transport_text);
    return rest;
}

/* The same, as nearly all write it or otherwise. */
static inline struct span
read_protocol(struct span rest, struct via *out)
{
    const struct span udp = SPAN("SIP/2.0/UDP ");

    if (!span_starts(rest, udp))
        return read_any_protocol(rest, out);
    out->transport_text = (struct span){ rest.at + 8, 3 };
    out->transport = HOP_UDP;
    return chars_skip_lws(span_skip(rest, udp.len));
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
    return after.len == 0 ||
           (after.at[0] == ':' && read_port(chars_skip_lws(span_skip(after, 1)), port));
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
APART static struct span
read_any_sent_by(struct span from, struct via *out)
{
    size_t end = chars_find(from, ';', ',');
    struct span text = span_trim(span_head(from, end)), rest = text;

    if (end == CHARS_OPEN)
        return none;
    out->sent_by = text;
    if (take_host(&rest, &out->host) && read_behind_host(rest, &out->port))
        return span_skip(from, end);
    out->host = text;
    out->loose = true;
    return is_bare_ipv6(text) ? span_skip(from, end) : none;
}

/* Is there nothing more of an element's part? */
static inline bool
is_part_end(const char *at, const char *end)
{
    return at == end || *at == ';' || *at == ',';
}

/* The same, but at a glance where nothing stands behind host and port but a parameter, a comma or the end. */
static inline struct span
read_sent_by(struct span rest, struct via *out)
{
    struct span host = span_head(rest, scan_run(rest, &chars_host));
    const char *at = span_end(host), *end = span_end(rest);
    bool has_port = at < end && *at == ':';
    uint16_t port = 0;

    at += has_port;
    if (has_port)
        port = num_take_port(&at, end);
    if (host.len == 0 || has_port != (port > 0) || !is_part_end(at, end))
        return read_any_sent_by(rest, out);
    out->port = port;
    out->host = host;
    out->sent_by = span_between(rest.at, at);
    return span_between(at, end);
}

/* The cookie alone names nothing: such a branch is as good as none (RFC 4475 §3.2.1). */
static bool
has_cookie(struct span branch)
{
    const struct span cookie = VIA_COOKIE;

    return branch.len > cookie.len && span_ieq(span_head(branch, cookie.len), cookie);
}

static bool
keep_value(const struct param *param, struct span *out)
{
    if (out->at)
        return false;
    *out = param->value;
    return true;
}

/* Blanks or control bytes. */
static bool
has_blanks(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] <= ' ')
            return true;
    return false;
}

/* via-branch = token (§25.1); what else there is may be meant, but not with a blank in it. */
static void
check_branch(struct span branch, struct via *out)
{
    out->blanks |= has_blanks(branch);
    out->characters |= branch.len > 0 && !chars_is_token(branch);
}

/* response-port = "rport" [ EQUAL 1*DIGIT ] (RFC 3581 §3), and a port there is. */
static bool
keep_rport(const struct param *param, struct via *out)
{
    bool first = !out->has_rport && keep_value(param, &out->rport);
    uint16_t port = 0;

    out->characters |= param->has_value && !read_port(param->value, &port);
    if (first)
        out->rport_number = port;
    out->has_rport = true;
    return first;
}

/* What its value says is kept, of the first one. */
APART static void
read_received(struct span value, bool first, struct via *out)
{
    struct hop hop;
    bool is_ip = hop_ip_read(value, &hop);

    out->characters |= !is_ip;
    if (!first || !is_ip)
        return;
    out->has_received_ip = true;
    memcpy(out->received_ip, hop.ip, sizeof hop.ip);
}

/* An address or a name. */
static void
check_maddr(struct span host, struct via *out)
{
    struct hop hop;

    out->characters |=
        !hop_ip_read(host, &hop) && !(host.len > 0 && scan_run(host, &chars_host) == host.len);
}

static void
check_ttl(struct span ttl, struct via *out)
{
    uint32_t hops;

    out->characters |= !span_u32(ttl, UINT8_MAX, &hops);
}

/* The first of each parameter that a server looks at; more of them are not allowed (§7.3.1). */
static void
keep_param(const struct param *param, struct via *out)
{
    bool first = true;

    if (span_ieq(param->name, SPAN("branch"))) {
        first = keep_value(param, &out->branch);
        out->has_cookie = has_cookie(out->branch);
        check_branch(param->value, out);
    } else if (span_ieq(param->name, SPAN("received"))) {
        first = keep_value(param, &out->received);
        read_received(param->value, first, out);
    } else if (span_ieq(param->name, SPAN("maddr"))) {
        first = keep_value(param, &out->maddr);
        check_maddr(param->value, out);
    } else if (span_ieq(param->name, SPAN("rport"))) {
        first = keep_rport(param, out);
    } else if (span_ieq(param->name, SPAN("ttl"))) {
        first = !out->has_ttl;
        out->has_ttl = true;
        check_ttl(param->value, out);
    }
    out->twice |= !first;
}

/* A parameter as nearly all write it, with a token for a value. False: it is not there, or is otherwise, or was there before. */
static inline bool
take_known(struct span *rest, struct span name, struct span *value)
{
    struct span text = span_skip(*rest, name.len);
    size_t len;

    if (value->at || !span_starts(*rest, name))
        return false;
    len = scan_run(text, &chars_token);
    if (!is_part_end(text.at + len, span_end(text)))
        return false;
    *value = span_head(text, len);
    *rest = span_skip(text, len);
    return true;
}

/* The same for rport, whose value is a port, or left out. */
static inline bool
take_rport(struct span *rest, struct via *out)
{
    const struct span name = SPAN(";rport");
    const char *value = rest->at + name.len, *at = value, *end = span_end(*rest);
    uint16_t port = 0;

    if (out->has_rport || !span_starts(*rest, name))
        return false;
    if (at < end && *at == '=') {
        at = ++value;
        if ((port = num_take_port(&at, end)) == 0)
            return false;
    }
    if (!is_part_end(at, end))
        return false;
    out->has_rport = true;
    out->rport = span_between(value, at);
    out->rport_number = port;
    *rest = span_between(at, end);
    return true;
}

/* One of the most frequent three. */
static inline bool
take_usual(struct span *rest, struct via *out)
{
    if (take_known(rest, SPAN(";branch="), &out->branch)) {
        out->has_cookie = has_cookie(out->branch);
        return true;
    }
    if (take_rport(rest, out))
        return true;
    if (take_known(rest, SPAN(";received="), &out->received)) {
        read_received(out->received, true, out);
        return true;
    }
    return false;
}

/*
 * Any parameter. An empty one may stand last, not between others (RFC 4475 §3.1.2.1); one without a name is nothing that anybody
 * asks for.
 */
APART static struct span
read_any_param(struct span rest, struct via *out)
{
    struct param param;

    rest = span_skip(rest, 1);
    if (!param_take(&rest, ',', &param) || (param_is_blank(&param) && chars_begin(rest, ';')))
        return none;
    out->loose |= param.name.len == 0;
    keep_param(&param, out);
    return rest;
}

/* ;name=value up to a comma or the end. */
static inline struct span
read_params(struct span rest, struct via *out)
{
    while (chars_begin(rest, ';'))
        if (!take_usual(&rest, out))
            rest = read_any_param(rest, out);
    return rest;
}

/* An element from its first byte on, as via_next(). */
APART static int
read_element(struct span at, struct span *rest, struct via *out)
{
    struct span sent_by, params, behind;

    /* What stands before that is set below. */
    memset((char *)out + offsetof(struct via, transport), 0,
           sizeof *out - offsetof(struct via, transport));
    sent_by = read_protocol(at, out);
    if (!sent_by.at)
        return SIPD_ESYNTAX;
    params = read_sent_by(sent_by, out);
    if (!params.at)
        return SIPD_ESYNTAX;
    behind = read_params(params, out);
    if (!behind.at)
        return SIPD_ESYNTAX;
    out->whole = span_trim(span_between(at.at, behind.at));
    out->params = span_skip(out->whole, (size_t)(params.at - at.at));
    *rest = behind;
    return SIPD_OK;
}

int
via_next(struct span *rest, struct via *out)
{
    struct span at = chars_skip_lws(*rest);

    while (chars_begin(at, ','))
        at = chars_skip_lws(span_skip(at, 1));
    if (at.len > 0)
        return read_element(at, rest, out);
    *rest = at;
    return SIPD_ENOENT;
}

bool
via_is_blank(struct span value)
{
    while (value.len > 0 && (value.at[0] == ',' || span_is_lws(value.at[0])))
        value = span_skip(value, 1);
    return value.len == 0;
}

/* Whatever stands between them; a quote that never ends ends them. */
static void
salvage_params(struct span rest, struct via *out)
{
    while (rest.len > 0 && rest.at[0] != ',') {
        struct param param;

        if (rest.at[0] == ';')
            rest = span_skip(rest, 1);
        if (!param_take(&rest, ',', &param))
            return;
        keep_param(&param, out);
    }
}

bool
via_salvage(struct span value, struct via *out)
{
    struct span rest = value, host;

    *out = (struct via){ .port = 0 };
    while (rest.len > 0 && (rest.at[0] == ',' || span_is_lws(rest.at[0])))
        rest = span_skip(rest, 1);
    rest = read_protocol(rest, out);
    if (!rest.at)
        return false;
    host = span_head(rest, scan_find(rest, ';', ',', '"'));
    rest = span_skip(rest, host.len);
    out->sent_by = host = span_trim(host);
    if (!take_host(&host, &out->host) || !read_behind_host(host, &out->port))
        out->has_rport = true;
    salvage_params(rest, out);
    return true;
}

/* False: it is not the address of a group. */
static bool
read_group(struct span maddr, struct hop *to)
{
    struct hop group;

    if (!hop_ip_read(maddr, &group) || !hop_is_multicast(&group))
        return false;
    memcpy(to->ip, group.ip, sizeof to->ip);
    return true;
}

bool
via_reply_hop(const struct via *via, struct hop *to)
{
    bool reliable = hop_is_reliable(via->transport);

    to->port = via->port ? via->port : hop_default_port(via->transport);
    if (!reliable && via->maddr.len > 0 && read_group(via->maddr, to))
        return true;
    if (!via->has_received_ip)
        return hop_ip_read(via->host, to);
    memcpy(to->ip, via->received_ip, sizeof to->ip);
    /* RFC 3581 §4; without a value the port of sent-by stays. */
    if (!reliable && via->rport_number > 0)
        to->port = via->rport_number;
    return true;
}
