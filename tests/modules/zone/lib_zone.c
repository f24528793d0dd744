/*
 * A zone as lines of text, and what a name server would say of it.
 */
#include "lib_zone.h"

#include <sipd/module.h>

#include "../../lib/dns_wire.h"

enum { WORDS = 7, ADDRESSES = 16 };

struct words {
    char at[WORDS][128];
    size_t len;
};

static void
split(struct span line, struct words *words)
{
    for (words->len = 0; words->len < WORDS && line.len > 0; words->len++) {
        struct span word = span_head(span_cut(&line, ' '), sizeof words->at[0] - 1);

        memcpy(words->at[words->len], word.at, word.len);
        words->at[words->len][word.len] = '\0';
    }
    for (size_t i = words->len; i < WORDS; i++)
        words->at[i][0] = '\0';
}

static bool
is_of(const struct words *words, const char *name, const char *type)
{
    return span_ieq(span_of(words->at[0]), span_of(name)) && strcmp(words->at[1], type) == 0;
}

static unsigned
number(const struct words *words, size_t at)
{
    uint32_t value = 0;

    return span_u32(span_of(words->at[at]), UINT32_MAX, &value) ? value : 0;
}

static bool
has(const struct span *lines, size_t len, const char *name, const char *type, struct words *words)
{
    for (size_t i = 0; i < len; i++) {
        split(lines[i], words);
        if (is_of(words, name, type))
            return true;
    }
    return false;
}

uint32_t
zone_takes_ms(const struct span *lines, size_t len, const char *name)
{
    struct words words;

    return has(lines, len, name, "SLOW", &words) ? number(&words, 2) : 0;
}

static struct dns_records *
addresses(const struct span *lines, size_t len, const char *name, uint32_t ttl_s)
{
    struct dns_address found[ADDRESSES];
    struct words words;
    size_t count = 0;

    if (has(lines, len, name, "CNAME", &words))
        return addresses(lines, len, words.at[2], ttl_s);
    for (size_t i = 0; i < len && count < ADDRESSES; i++) {
        struct hop hop;

        split(lines[i], &words);
        if ((is_of(&words, name, "A") || is_of(&words, name, "AAAA")) &&
            hop_ip_read(span_of(words.at[2]), &hop))
            memcpy(found[count++].ip, hop.ip, sizeof hop.ip);
    }
    return count > 0 ? dns_records_addresses(found, count, ttl_s)
                     : dns_records_none(DNS_ADDRESS, DNS_NONE, 60);
}

static bool
put(struct wire_out *w, const struct words *words, uint32_t ttl_s)
{
    const char *name = words->at[0];

    if (strcmp(words->at[1], "SRV") == 0)
        wire_srv(w, name, ttl_s, number(words, 2), number(words, 3), number(words, 4),
                 words->at[5]);
    else if (strcmp(words->at[1], "NAPTR") == 0)
        wire_naptr(w, name, ttl_s, number(words, 2), number(words, 3), words->at[4], words->at[5],
                   "", words->at[6]);
    else
        return false;
    return true;
}

static struct dns_records *
raw(const struct span *lines, size_t len, const char *name, enum dns_what what, uint32_t ttl_s)
{
    unsigned type = what == DNS_SRV ? WIRE_SRV : WIRE_NAPTR;
    struct wire_out *w = malloc(sizeof *w);
    struct dns_records *records;
    struct words words;
    bool any = false;

    if (!w)
        return NULL;
    wire_begin(w, 1, WIRE_ANSWER, name, type);
    for (size_t i = 0; i < len; i++) {
        split(lines[i], &words);
        if (is_of(&words, name, dns_what_name(what)))
            any |= put(w, &words, ttl_s);
    }
    if (!any) {
        wire_begin(w, 1, WIRE_NXDOMAIN, name, type);
        wire_soa(w, "example", 60, 60);
    }
    records =
        dns_records_read((struct span){ (const char *)w->bytes, w->len }, span_of(name), what);
    free(w);
    return records;
}

struct dns_records *
zone_says(const struct span *lines, size_t len, const char *name, enum dns_what what,
          uint32_t ttl_s)
{
    struct words words;

    if (has(lines, len, name, "FAILS", &words))
        return dns_records_none(what, DNS_FAILED, 0);
    return what == DNS_ADDRESS ? addresses(lines, len, name, ttl_s)
                               : raw(lines, len, name, what, ttl_s);
}
