/*
 * A binding as a fact, and back.
 */
#include "fact.h"

#include <sipd/module.h>

/* Never given to anything else. */
enum tag {
    TAG_AOR = 1,
    TAG_CONTACT,
    TAG_INSTANCE,
    TAG_REG_ID,
    TAG_HERE,
    TAG_LEFT_MS,
    TAG_EXPIRES_S, /* in the steady time of who noted it, which is UTC if nobody ever set its clock */
    TAG_GRANTED_S,
    TAG_CSEQ,
    TAG_Q, /* plus one; not there: none was given */
    TAG_CALL_ID,
    TAG_AGENT,
    TAG_PARAMS,
    TAG_PATH,
    TAG_LISTENER,
    TAG_REACH,
    TAG_TRANSPORT,
    TAG_IP,
    TAG_SCOPE_ID,
    TAG_PORT,
};

#define Q_MAX 1000u

/* ---------------------------------------------------------------- writing */

void
binding_fact_key(const struct binding *b, struct fact_out *out)
{
    sipd_fact_put(out, TAG_AOR, binding_aor(b));
    sipd_fact_put(out, TAG_CONTACT, binding_contact(b));
    sipd_fact_put(out, TAG_INSTANCE, binding_instance(b));
    sipd_fact_put_number(out, TAG_REG_ID, b->reg_id);
}

static void
put_source(const struct hop *source, struct fact_out *out)
{
    if (source->transport == HOP_NONE)
        return;
    sipd_fact_put_number(out, TAG_TRANSPORT, source->transport);
    sipd_fact_put(out, TAG_IP, (struct span){ (const char *)source->ip, sizeof source->ip });
    sipd_fact_put_number(out, TAG_SCOPE_ID, source->scope_id);
    sipd_fact_put_number(out, TAG_PORT, source->port);
}

void
binding_fact_here(const struct binding *b, struct span listener, uint64_t now_ms,
                  struct fact_out *out)
{
    sipd_fact_put_number(out, TAG_HERE, 1);
    sipd_fact_put_number(out, TAG_LEFT_MS, b->deadline_ms > now_ms ? b->deadline_ms - now_ms : 0);
    sipd_fact_put_number(out, TAG_EXPIRES_S, (uint64_t)b->expires_s);
    sipd_fact_put_number(out, TAG_GRANTED_S, b->granted_s);
    sipd_fact_put_number(out, TAG_CSEQ, b->cseq);
    sipd_fact_put_number(out, TAG_Q, b->q == STORE_NO_Q ? 0 : b->q + 1u);
    sipd_fact_put(out, TAG_CALL_ID, binding_call_id(b));
    sipd_fact_put(out, TAG_AGENT, binding_agent(b));
    sipd_fact_put(out, TAG_PARAMS, binding_params(b));
    sipd_fact_put(out, TAG_PATH, binding_path(b));
    sipd_fact_put(out, TAG_LISTENER, span_head(listener, HOP_TEXT_BYTES));
    sipd_fact_put_number(out, TAG_REACH, b->reach);
    put_source(&b->source, out);
}

/* ---------------------------------------------------------------- reading */

static int
take_text(const struct fact_value *value, size_t most, struct span *to)
{
    for (size_t i = 0; i < value->bytes.len; i++)
        if ((unsigned char)value->bytes.at[i] < ' ' && value->bytes.at[i] != '\t')
            return SIPD_EINVAL; /* it would end the line that it is written into */
    *to = value->bytes;
    return value->bytes.len <= most ? SIPD_OK : SIPD_EINVAL;
}

static int
take_ip(const struct fact_value *value, struct hop *hop)
{
    if (value->bytes.len != sizeof hop->ip)
        return SIPD_EINVAL;
    memcpy(hop->ip, value->bytes.at, sizeof hop->ip);
    return SIPD_OK;
}

static int
take_text_of(const struct fact_value *value, struct store_row *row)
{
    switch (value->tag) {
    case TAG_AOR: return take_text(value, STORE_AOR_BYTES, &row->aor);
    case TAG_CONTACT: return take_text(value, STORE_CONTACT_BYTES, &row->contact);
    case TAG_INSTANCE: return take_text(value, STORE_PARAMS_BYTES, &row->instance);
    case TAG_CALL_ID: return take_text(value, STORE_CALL_ID_BYTES, &row->call_id);
    case TAG_AGENT: return take_text(value, STORE_AGENT_BYTES, &row->user_agent);
    case TAG_PARAMS: return take_text(value, STORE_PARAMS_BYTES, &row->params);
    case TAG_PATH: return take_text(value, STORE_PATH_BYTES, &row->path);
    case TAG_LISTENER: return take_text(value, HOP_TEXT_BYTES, &row->listener);
    case TAG_IP: return take_ip(value, &row->source);
    default: return SIPD_OK;
    }
}

struct numbers {
    uint64_t reg_id, here, left_ms, expires_s, granted_s, cseq, q, reach, transport, scope_id, port;
};

static int
take_number_of(const struct fact_value *value, struct numbers *n)
{
    switch (value->tag) {
    case TAG_REG_ID: return sipd_fact_number(value, UINT32_MAX, &n->reg_id);
    case TAG_HERE: return sipd_fact_number(value, 1, &n->here);
    case TAG_LEFT_MS: return sipd_fact_number(value, UINT64_MAX, &n->left_ms);
    case TAG_EXPIRES_S: return sipd_fact_number(value, INT64_MAX, &n->expires_s);
    case TAG_GRANTED_S: return sipd_fact_number(value, UINT32_MAX, &n->granted_s);
    case TAG_CSEQ: return sipd_fact_number(value, UINT32_MAX, &n->cseq);
    case TAG_Q: return sipd_fact_number(value, Q_MAX + 1, &n->q);
    case TAG_REACH: return sipd_fact_number(value, HOP_TRANSPORTS - 1, &n->reach);
    case TAG_TRANSPORT: return sipd_fact_number(value, HOP_TRANSPORTS - 1, &n->transport);
    case TAG_SCOPE_ID: return sipd_fact_number(value, UINT32_MAX, &n->scope_id);
    case TAG_PORT: return sipd_fact_number(value, UINT16_MAX, &n->port);
    default: return SIPD_OK;
    }
}

static void
set_numbers(const struct numbers *n, struct binding_fact *out)
{
    out->here = n->here != 0;
    out->left_ms = n->left_ms;
    out->row.reg_id = (uint32_t)n->reg_id;
    out->row.expires_s = (int64_t)n->expires_s;
    out->row.granted_s = (uint32_t)n->granted_s;
    out->row.cseq = (uint32_t)n->cseq;
    out->row.q = n->q > 0 ? (uint16_t)(n->q - 1) : STORE_NO_Q;
    out->row.reach = (uint8_t)n->reach;
    out->row.source.transport = (uint8_t)n->transport;
    out->row.source.scope_id = (uint32_t)n->scope_id;
    out->row.source.port = (uint16_t)n->port;
}

static bool
is_aor(struct span text)
{
    char written[STORE_AOR_BYTES];
    struct uri uri;
    int len;

    if (uri_read(text, &uri) != SIPD_OK || uri.scheme != URI_SIP || uri.user.len == 0)
        return false;
    len = uri_aor_write(&uri, written, sizeof written);
    return len > 0 && span_eq((struct span){ written, (size_t)len }, text);
}

static bool
is_path(struct span path)
{
    struct addr addr;

    while (path.len > 0)
        if (addr_next(&path, &addr) != SIPD_OK)
            return false;
    return true;
}

/* Could a REGISTER have made it? */
static bool
is_sound(const struct binding_fact *f)
{
    const struct store_row *row = &f->row;
    struct uri uri;

    if (!is_aor(row->aor) || uri_read(row->contact, &uri) != SIPD_OK)
        return false;
    if (!f->here)
        return true;
    return f->left_ms <= (uint64_t)row->granted_s * 1000 && is_path(row->path) &&
           span_eq(row->instance, binding_find_instance(row->params));
}

int
binding_fact_read(struct span bytes, struct binding_fact *out)
{
    struct numbers numbers = { 0 };
    struct fact_value value;
    int err;

    *out = (struct binding_fact){ .here = false };
    while ((err = sipd_fact_next(&bytes, &value)) == SIPD_OK)
        if ((err = take_text_of(&value, &out->row)) != SIPD_OK ||
            (err = take_number_of(&value, &numbers)) != SIPD_OK)
            return err;
    if (err != SIPD_ENOENT)
        return err;
    set_numbers(&numbers, out);
    return is_sound(out) ? SIPD_OK : SIPD_EINVAL;
}
