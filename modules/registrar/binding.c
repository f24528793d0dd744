/*
 * One binding in one block of memory.
 */
#include "binding.h"

#include <sipd/module.h>

/* ---------------------------------------------------------------- what is read of a Contact */

/* +sip.instance="<urn:uuid:…>" (RFC 5626 §4.1): without the < > it is no instance. */
struct span
binding_find_instance(struct span params)
{
    struct span value;

    if (params.len == 0 || !param_find(params, SPAN("+sip.instance"), &value))
        return SPAN("");
    value = param_unquote(value);
    if (value.len < 3 || value.at[0] != '<' || value.at[value.len - 1] != '>')
        return SPAN("");
    return (struct span){ value.at + 1, value.len - 2 };
}

static uint32_t
mix(uint32_t hash, unsigned char c)
{
    return (hash ^ c) * 16777619u;
}

static unsigned
hex_of(char c)
{
    c = span_lower(c);
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* Of the unescaped bytes, for %61 is an a. */
static uint32_t
mix_text(uint32_t hash, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '%' && i + 2 < text.len && hex_of(text.at[i + 1]) < 16 &&
            hex_of(text.at[i + 2]) < 16) {
            c = (char)(hex_of(text.at[i + 1]) << 4 | hex_of(text.at[i + 2]));
            i += 2;
        }
        hash = mix(hash, (unsigned char)c);
    }
    return hash;
}

/* SIP or SIPS, which is the same here. */
static bool
is_sip(const struct uri *uri)
{
    return uri->scheme == URI_SIP || uri->scheme == URI_SIPS;
}

bool
binding_uri_eq(const struct uri *a, const struct uri *b)
{
    struct uri alike = *a;

    if (is_sip(a) && is_sip(b))
        alike.scheme = b->scheme;
    return uri_eq(&alike, b);
}

uint32_t
binding_uri_hash(const struct uri *uri)
{
    uint32_t hash = mix(2166136261u, (unsigned char)(is_sip(uri) ? URI_SIP : uri->scheme));

    if (!is_sip(uri))
        return hash; /* few, and each scheme has a rule of its own */
    hash = mix_text(hash, uri->user);
    for (size_t i = 0; i < uri->host.len; i++)
        hash = mix(hash, (unsigned char)span_lower(uri->host.at[i]));
    return mix(mix(hash, (unsigned char)uri->port), (unsigned char)(uri->port >> 8));
}

/* ---------------------------------------------------------------- its key */

struct binding_key
binding_key(const struct binding *b)
{
    return (struct binding_key){ binding_contact(b), binding_instance(b), b->reg_id };
}

bool
binding_has_key(const struct binding *b, const struct binding_key *key)
{
    return b->reg_id == key->reg_id && span_eq(binding_contact(b), key->contact) &&
           span_eq(binding_instance(b), key->instance);
}

/* ---------------------------------------------------------------- making */

static void
find_instance(struct binding *b)
{
    struct span params = binding_params(b), instance = binding_find_instance(params);

    if (instance.len == 0)
        return;
    b->instance_at = (uint16_t)(instance.at - params.at);
    b->instance_len = (uint16_t)instance.len;
}

struct binding *
binding_new_hashed(const struct store_row *row, uint32_t uri_hash, uint64_t deadline_ms)
{
    struct span agent = span_head(row->user_agent, STORE_AGENT_BYTES);
    size_t text = row->aor.len + row->contact.len + row->call_id.len + row->params.len +
                  row->path.len + agent.len;
    struct binding *b = sipd_alloc(sizeof *b + text);
    char *end;

    if (!b)
        return NULL;
    ring_init(&b->ring);
    b->deadline_ms = deadline_ms;
    b->expires_s = row->expires_s;
    b->granted_s = row->granted_s;
    b->source = row->source;
    b->cseq = row->cseq;
    b->reg_id = row->reg_id;
    b->uri_hash = uri_hash;
    b->q = row->q;
    b->reach = row->reach;
    b->aor_len = (uint16_t)row->aor.len;
    b->contact_len = (uint16_t)row->contact.len;
    b->call_id_len = (uint16_t)row->call_id.len;
    b->params_len = (uint16_t)row->params.len;
    b->path_len = (uint16_t)row->path.len;
    b->agent_len = (uint8_t)agent.len;
    end = span_write(span_write(span_write(b->text, row->aor), row->contact), row->call_id);
    span_write(span_write(span_write(end, row->params), row->path), agent);
    find_instance(b);
    return b;
}

struct binding *
binding_new(const struct store_row *row, uint64_t deadline_ms)
{
    struct uri uri;
    uint32_t hash = uri_read(row->contact, &uri) == SIPD_OK ? binding_uri_hash(&uri) : 0;

    return binding_new_hashed(row, hash, deadline_ms);
}

void
binding_free(struct binding **binding)
{
    sipd_free(*binding);
    *binding = NULL;
}
