/*
 * A DNS answer as it came, read within its bounds (RFC 1035 §4.1, RFC 2782, RFC 3403 §4, RFC 2308).
 */
#include "answer.h"

enum {
    LABEL_MAX = 63,
    NAME_MAX = 253, /* as text; 255 bytes on the wire */
    LEAPS_MAX = 32, /* by pointers, within one name */
    CNAMES_MAX = 8, /* longer chains are loops */
    CLASS_IN = 1,
    RCODE_NO_NAME = 3,       /* NXDOMAIN */
    TTL_MOST_S = 0x7fffffff, /* RFC 2181 §8: more is nothing */
};

struct reader {
    struct span bytes;
    size_t at;
};

enum name { NAME_OK, NAME_ODD, NAME_BROKEN };

struct record {
    char name[ANSWER_NAME_BYTES];
    enum name name_is;
    uint16_t type, class;
    uint32_t ttl_s;
    size_t data, end; /* where its data begin and end */
};

static bool
take_u8(struct reader *r, unsigned *out)
{
    if (r->at >= r->bytes.len)
        return false;
    *out = (unsigned char)r->bytes.at[r->at++];
    return true;
}

static bool
take_u16(struct reader *r, uint16_t *out)
{
    unsigned high, low;

    if (!take_u8(r, &high) || !take_u8(r, &low))
        return false;
    *out = (uint16_t)(high << 8 | low);
    return true;
}

static bool
take_u32(struct reader *r, uint32_t *out)
{
    uint16_t high, low;

    if (!take_u16(r, &high) || !take_u16(r, &low))
        return false;
    *out = (uint32_t)high << 16 | low;
    return true;
}

/* ---- names (RFC 1035 §4.1.4) */

static bool
is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* A label is added behind a dot; there is room, for the name is short on the wire. False: no host has that in its name. */
static bool
put_label(struct span label, char *to, size_t *len)
{
    if (*len > 0)
        to[(*len)++] = '.';
    for (size_t i = 0; i < label.len; i++) {
        if (!is_host_char(label.at[i]))
            return false;
        to[(*len)++] = span_lower(label.at[i]);
    }
    return true;
}

/* Where a pointer leads: always before the place where this stretch of labels began, so there is no circle. */
static bool
follow(struct reader *r, unsigned high, size_t *limit)
{
    unsigned low;
    size_t to;

    if (!take_u8(r, &low))
        return false;
    to = (size_t)(high & 0x3f) << 8 | low;
    if (to >= *limit)
        return false;
    *limit = r->at = to;
    return true;
}

/* Takes a name; r->at stands behind it afterwards, whatever pointers it had. */
static enum name
take_name(struct reader *r, char to[ANSWER_NAME_BYTES])
{
    struct reader at = *r;
    size_t len = 0, wire = 1, limit = r->at;
    unsigned head, leaps = 0;
    bool odd = false;

    for (;;) {
        if (!take_u8(&at, &head))
            return NAME_BROKEN;
        if (head >= 0xc0) {
            if (leaps++ == 0)
                r->at = at.at + 1;
            if (leaps > LEAPS_MAX || !follow(&at, head, &limit))
                return NAME_BROKEN;
            continue;
        }
        if (head == 0)
            break;
        wire += head + 1;
        if (head > LABEL_MAX || head > at.bytes.len - at.at || wire > NAME_MAX + 2)
            return NAME_BROKEN;
        odd = odd || !put_label((struct span){ at.bytes.at + at.at, head }, to, &len);
        at.at += head;
    }
    if (leaps == 0)
        r->at = at.at;
    to[odd ? 0 : len] = '\0';
    return odd ? NAME_ODD : NAME_OK;
}

bool
answer_name_ok(struct span name)
{
    size_t label = 0;

    if (name.len > 0 && name.at[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || name.len > NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '.' ? label == 0 : !is_host_char(name.at[i]))
            return false;
        label = name.at[i] == '.' ? 0 : label + 1;
        if (label > LABEL_MAX)
            return false;
    }
    return label > 0;
}

static void
keep_name(struct span name, char to[ANSWER_NAME_BYTES])
{
    if (name.len > 0 && name.at[name.len - 1] == '.')
        name.len--;
    for (size_t i = 0; i < name.len; i++)
        to[i] = span_lower(name.at[i]);
    to[name.len] = '\0';
}

/* ---- records (RFC 1035 §4.1.3) */

static bool
take_record(struct reader *r, struct record *out)
{
    uint16_t len;

    out->name_is = take_name(r, out->name);
    if (out->name_is == NAME_BROKEN || !take_u16(r, &out->type) || !take_u16(r, &out->class) ||
        !take_u32(r, &out->ttl_s) || !take_u16(r, &len) || len > r->bytes.len - r->at)
        return false;
    if (out->ttl_s > TTL_MOST_S)
        out->ttl_s = 0;
    out->data = r->at;
    r->at += len;
    out->end = r->at;
    return true;
}

static bool
is_at(const struct record *record, const char *name, uint16_t type)
{
    return record->name_is == NAME_OK && record->class == CLASS_IN && record->type == type &&
           span_eq(span_of(record->name), span_of(name));
}

static void
lower(uint32_t *least, uint32_t ttl_s)
{
    if (ttl_s < *least)
        *least = ttl_s;
}

/* The name that a CNAME gives; what is left of the data must be nothing. */
static bool
read_alias(const struct answer *a, const struct record *record, char to[ANSWER_NAME_BYTES])
{
    struct reader r = { { a->bytes.at, record->end }, record->data };

    return take_name(&r, to) == NAME_OK && r.at == record->end;
}

struct section { /* the answer section: where it begins, how many records it has */
    size_t at;
    unsigned len;
};

enum found { FOUND_RECORDS, FOUND_ALIAS, FOUND_NOTHING, FOUND_DIRT };

/* Looks for the records of this name, or for the CNAME that it has instead; *end is where the section ends. */
static enum found
look(struct answer *a, const struct section *section, size_t *end)
{
    struct reader r = { a->bytes, section->at };
    char alias[ANSWER_NAME_BYTES];
    uint32_t least = a->ttl_s;
    bool has_alias = false, any = false;
    struct record record;

    for (unsigned i = 0; i < section->len; i++) {
        if (!take_record(&r, &record))
            return FOUND_DIRT;
        if (is_at(&record, a->name, a->type)) {
            any = true;
            lower(&least, record.ttl_s);
        } else if (!any && is_at(&record, a->name, ANSWER_CNAME) && read_alias(a, &record, alias)) {
            has_alias = true;
            lower(&least, record.ttl_s);
        }
    }
    *end = r.at;
    a->ttl_s = least;
    if (any)
        return FOUND_RECORDS;
    if (has_alias)
        memcpy(a->name, alias, sizeof alias);
    return has_alias ? FOUND_ALIAS : FOUND_NOTHING;
}

/* RFC 2308 §5: what is not there is not there for the lesser of the SOA's TTL and its last number. */
static uint32_t
negative_ttl(const struct answer *a, size_t at, unsigned len)
{
    struct reader r = { a->bytes, at };
    struct record record;
    char name[ANSWER_NAME_BYTES];

    for (unsigned i = 0; i < len && take_record(&r, &record); i++) {
        struct reader data = { { a->bytes.at, record.end }, record.data };
        uint32_t minimum;

        if (record.type != ANSWER_SOA || take_name(&data, name) == NAME_BROKEN ||
            take_name(&data, name) == NAME_BROKEN || record.end - data.at != 20)
            continue;
        data.at += 16;
        if (!take_u32(&data, &minimum))
            continue;
        lower(&minimum, record.ttl_s);
        return minimum;
    }
    return 0;
}

static bool
skip_questions(struct reader *r, unsigned len)
{
    char name[ANSWER_NAME_BYTES];
    uint32_t unused;

    for (unsigned i = 0; i < len; i++)
        if (take_name(r, name) == NAME_BROKEN || !take_u32(r, &unused))
            return false;
    return true;
}

static enum answer_kind
find(struct answer *a, const struct section *section, unsigned authorities, unsigned rcode)
{
    uint32_t ttl_s;
    size_t end;

    for (unsigned i = 0; i <= CNAMES_MAX; i++) {
        enum found found = look(a, section, &end);

        if (found == FOUND_DIRT)
            return ANSWER_BAD;
        if (found == FOUND_RECORDS && rcode == 0) {
            a->at = section->at;
            a->left = section->len;
            return ANSWER_RECORDS;
        }
        if (found == FOUND_ALIAS)
            continue;
        ttl_s = negative_ttl(a, end, authorities);
        if (ttl_s < a->ttl_s)
            a->ttl_s = ttl_s;
        return ANSWER_NONE;
    }
    return ANSWER_BAD; /* CNAMEs in a circle */
}

enum answer_kind
answer_read(struct span bytes, struct span name, uint16_t type, struct answer *out)
{
    struct reader r = { bytes, 2 };
    uint16_t flags, questions, answers, authorities, additional;
    struct section section;
    unsigned rcode;

    *out = (struct answer){ .bytes = bytes, .type = type, .ttl_s = TTL_MOST_S };
    if (!answer_name_ok(name) || !take_u16(&r, &flags) || !take_u16(&r, &questions) ||
        !take_u16(&r, &answers) || !take_u16(&r, &authorities) || !take_u16(&r, &additional))
        return ANSWER_BAD;
    rcode = flags & 0xf;
    if (!(flags & 0x8000) || (rcode != 0 && rcode != RCODE_NO_NAME) ||
        !skip_questions(&r, questions))
        return ANSWER_BAD;
    keep_name(name, out->name);
    section = (struct section){ r.at, answers };
    return find(out, &section, authorities, rcode);
}

/* ---- what is in them */

static bool
next_record(struct answer *a, struct record *record)
{
    struct reader r = { a->bytes, a->at };

    while (a->left > 0 && take_record(&r, record)) {
        a->left--;
        a->at = r.at;
        if (is_at(record, a->name, a->type))
            return true;
    }
    a->left = 0;
    return false;
}

static bool
read_srv(const struct answer *a, const struct record *record, struct answer_srv *out)
{
    struct reader r = { { a->bytes.at, record->end }, record->data };

    return take_u16(&r, &out->priority) && take_u16(&r, &out->weight) && take_u16(&r, &out->port) &&
           take_name(&r, out->target) == NAME_OK && r.at == record->end;
}

bool
answer_next_srv(struct answer *a, struct answer_srv *out)
{
    struct record record;

    while (next_record(a, &record))
        if (read_srv(a, &record, out))
            return true;
    return false;
}

/* A string with its length in front (RFC 1035 §3.3). What cannot be printed is no word of SIP's, and would be shown to people. */
static bool
take_text(struct reader *r, char to[ANSWER_TEXT_BYTES], bool *any)
{
    unsigned len;

    if (!take_u8(r, &len) || len > r->bytes.len - r->at)
        return false;
    for (unsigned i = 0; i < len; i++) {
        char c = r->bytes.at[r->at + i];

        if (c < ' ' || c > '~')
            return false;
        to[i] = c;
    }
    to[len] = '\0';
    r->at += len;
    *any = len > 0;
    return true;
}

static bool
read_naptr(const struct answer *a, const struct record *record, struct answer_naptr *out)
{
    struct reader r = { { a->bytes.at, record->end }, record->data };
    char regexp[ANSWER_TEXT_BYTES];
    bool any;

    return take_u16(&r, &out->order) && take_u16(&r, &out->preference) &&
           take_text(&r, out->flags, &any) && take_text(&r, out->service, &any) &&
           take_text(&r, regexp, &out->has_regexp) && take_name(&r, out->replacement) == NAME_OK &&
           r.at == record->end;
}

bool
answer_next_naptr(struct answer *a, struct answer_naptr *out)
{
    struct record record;

    while (next_record(a, &record))
        if (read_naptr(a, &record, out))
            return true;
    return false;
}
