/*
 * Options, Path and first hop of a REGISTER.
 */
#include "asks.h"

enum option { NONE, PATH, OUTBOUND, GRUU, UNKNOWN };

static enum option
option_of(struct span text)
{
    switch (text.len) {
    case 0: return NONE;
    case 4:
        if (span_ieq(text, SPAN("path")))
            return PATH;
        return span_ieq(text, SPAN("gruu")) ? GRUU : UNKNOWN;
    case 8: return span_ieq(text, SPAN("outbound")) ? OUTBOUND : UNKNOWN;
    default: return UNKNOWN;
    }
}

void
asks_fields_init(struct asks_fields *fields)
{
    fields->supported = sipd_req_fields(SPAN("Supported"));
    fields->require = sipd_req_fields(SPAN("Require"));
    fields->path = sipd_req_fields(SPAN("Path"));
    fields->expires = sipd_req_fields(SPAN("Expires"));
    fields->contact = sipd_req_fields(SPAN("Contact"));
    fields->user_agent = sipd_req_fields(SPAN("User-Agent"));
}

/* ---------------------------------------------------------------- options */

static void
note_options(struct span value, bool required, struct asks *asks)
{
    while (value.len > 0) {
        switch (option_of(span_trim(span_cut(&value, ',')))) {
        case NONE: break;
        case PATH: asks->path_known = true; break;
        case OUTBOUND: asks->outbound = true; break;
        case GRUU: asks->gruu = true; break;
        case UNKNOWN: asks->too_much |= required; break;
        }
    }
}

static void
read_options(const struct sipd_req *req, const struct asks_fields *fields, struct asks *asks)
{
    struct sipd_fields supported = fields->supported, require = fields->require;
    struct span value;

    while (sipd_req_next_field(req, &supported, &value))
        note_options(value, false, asks);
    while (sipd_req_next_field(req, &require, &value))
        note_options(value, true, asks);
}

void
asks_name_unknown(const struct sipd_req *req, struct sipd_reply *reply)
{
    struct sipd_fields require = sipd_req_fields(SPAN("Require"));
    struct span value;

    while (sipd_req_next_field(req, &require, &value))
        while (value.len > 0) {
            struct span option = span_trim(span_cut(&value, ','));

            if (option_of(option) == UNKNOWN)
                sipd_reply_header(reply, SPAN("Unsupported"), option);
        }
}

/* ---------------------------------------------------------------- Path */

/* The elements of a value; empty ones are none. */
static bool
is_path(struct span value, struct asks *asks, size_t *elements)
{
    struct addr addr;
    struct uri uri;
    int err;

    if (rules_has_control(value))
        return false;
    while ((err = addr_next(&value, &addr)) == SIPD_OK) {
        if (!addr.brackets || uri_read(addr.uri, &uri) != SIPD_OK ||
            (uri.scheme != URI_SIP && uri.scheme != URI_SIPS))
            return false;
        asks->secure = asks->secure && uri.scheme == URI_SIPS;
        ++*elements;
    }
    return err == SIPD_ENOENT;
}

static unsigned
read_path(const struct sipd_req *req, struct sipd_fields paths, struct asks *asks)
{
    struct span value;
    size_t len = 0;

    while (sipd_req_next_field(req, &paths, &value)) {
        size_t elements = 0;

        value = span_trim(value);
        if (!is_path(value, asks, &elements) || value.len + 2 > sizeof asks->path_text - len)
            return 400;
        if (elements == 0)
            continue;
        if (len > 0) {
            memcpy(asks->path_text + len, ", ", 2);
            len += 2;
        }
        memcpy(asks->path_text + len, value.at, value.len);
        len += value.len;
    }
    asks->path = (struct span){ asks->path_text, len };
    return len > 0 && !asks->path_known ? 420 : 0;
}

unsigned
asks_read(const struct sipd_req *req, const struct asks_fields *fields, struct asks *asks)
{
    struct uri uri;

    asks->path_known = asks->outbound = asks->gruu = asks->too_much = false;
    asks->path = SPAN("");
    asks->secure = sipd_req_uri(req, &uri) && uri.scheme == URI_SIPS;
    asks->host = uri.host;
    asks->port = uri.port;
    asks->relayed = sipd_req_is_relayed(req);
    read_options(req, fields, asks);
    return read_path(req, fields->path, asks);
}

/* ---------------------------------------------------------------- flows */

static bool
has_ob(const struct addr *addr)
{
    struct span ob;
    struct uri uri;

    return uri_read(addr->uri, &uri) == SIPD_OK && uri_param(&uri, SPAN("ob"), &ob);
}

/*
 * RFC 5626 §6 asks for ob in "the first URI" of Path. Who pushes on top (RFC 3327 §5.2) leaves that of the first hop at the
 * end, so an ob at either end will do.
 */
static bool
first_hop_helps(const struct asks *asks)
{
    struct span rest = asks->path;
    struct addr addr;
    bool first = addr_next(&rest, &addr) == SIPD_OK && has_ob(&addr);

    if (asks->path.len == 0 || first)
        return first;
    while (addr_next(&rest, &addr) == SIPD_OK)
        ;
    return has_ob(&addr);
}

/*
 * Over datagrams a flow is kept alive by STUN (RFC 5626 §4.4.2), which nobody here answers: who was told that its flow
 * holds would find it dead all the time. So there a reg-id is passed over, which the answer says by having no Require.
 */
enum rules_flows
asks_flows(const struct asks *asks, const struct sipd_req *req)
{
    if (!asks->outbound)
        return RULES_FLOWS_IGNORED;
    if (asks->relayed)
        return first_hop_helps(asks) ? RULES_FLOWS_TAKEN : RULES_FLOWS_LACKING;
    return hop_is_reliable(sipd_req_source(req)->transport) ? RULES_FLOWS_TAKEN
                                                            : RULES_FLOWS_IGNORED;
}
