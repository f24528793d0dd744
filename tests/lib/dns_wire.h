/*
 * DNS messages written by hand, for whoever plays a name server (RFC 1035 §4.1).
 */
#ifndef LIB_DNS_WIRE_H
#define LIB_DNS_WIRE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WIRE_A = 1, WIRE_CNAME = 5, WIRE_SOA = 6, WIRE_AAAA = 28, WIRE_SRV = 33, WIRE_NAPTR = 35 };
enum {
    WIRE_ANSWER = 0x8180,
    WIRE_NXDOMAIN = 0x8183,
    WIRE_SERVFAIL = 0x8182,
    WIRE_TRUNCATED = 0x8380
};

struct wire_out {
    uint8_t bytes[65536];
    size_t len;
};

static inline void
wire_u8(struct wire_out *w, unsigned value)
{
    if (w->len == sizeof w->bytes)
        abort();
    w->bytes[w->len++] = (uint8_t)value;
}

static inline void
wire_u16(struct wire_out *w, unsigned value)
{
    wire_u8(w, value >> 8 & 0xff);
    wire_u8(w, value & 0xff);
}

static inline void
wire_u32(struct wire_out *w, uint32_t value)
{
    wire_u16(w, value >> 16);
    wire_u16(w, value & 0xffff);
}

/* "a.example" or "a.example." or "" for the root. */
static inline void
wire_name(struct wire_out *w, const char *name)
{
    while (*name) {
        size_t len = strcspn(name, ".");

        if (len == 0)
            break;
        wire_u8(w, (unsigned)len);
        for (size_t i = 0; i < len; i++)
            wire_u8(w, (unsigned char)name[i]);
        name += len + (name[len] == '.');
    }
    wire_u8(w, 0);
}

static inline void
wire_text(struct wire_out *w, const char *text)
{
    size_t len = strlen(text);

    wire_u8(w, (unsigned)len);
    for (size_t i = 0; i < len; i++)
        wire_u8(w, (unsigned char)text[i]);
}

/* One more record in the section whose count stands at this place: 6 answers, 8 authorities. */
static inline void
wire_count(struct wire_out *w, size_t at)
{
    unsigned count = (unsigned)(w->bytes[at] << 8 | w->bytes[at + 1]) + 1;

    w->bytes[at] = (uint8_t)(count >> 8);
    w->bytes[at + 1] = (uint8_t)count;
}

static inline void
wire_begin(struct wire_out *w, unsigned id, unsigned flags, const char *name, unsigned type)
{
    w->len = 0;
    wire_u16(w, id);
    wire_u16(w, flags);
    wire_u16(w, 1);
    wire_u16(w, 0);
    wire_u16(w, 0);
    wire_u16(w, 0);
    wire_name(w, name);
    wire_u16(w, type);
    wire_u16(w, 1);
}

/* A record without its data; wire_end() with what it returned tells how long they are. */
static inline size_t
wire_record(struct wire_out *w, size_t count_at, const char *name, unsigned type, uint32_t ttl_s)
{
    wire_count(w, count_at);
    wire_name(w, name);
    wire_u16(w, type);
    wire_u16(w, 1);
    wire_u32(w, ttl_s);
    wire_u16(w, 0);
    return w->len;
}

static inline void
wire_end(struct wire_out *w, size_t data)
{
    size_t len = w->len - data;

    w->bytes[data - 2] = (uint8_t)(len >> 8);
    w->bytes[data - 1] = (uint8_t)len;
}

static inline void
wire_srv(struct wire_out *w, const char *name, uint32_t ttl_s, unsigned priority, unsigned weight,
         unsigned port, const char *target)
{
    size_t data = wire_record(w, 6, name, WIRE_SRV, ttl_s);

    wire_u16(w, priority);
    wire_u16(w, weight);
    wire_u16(w, port);
    wire_name(w, target);
    wire_end(w, data);
}

static inline void
wire_naptr(struct wire_out *w, const char *name, uint32_t ttl_s, unsigned order,
           unsigned preference, const char *flags, const char *service, const char *regexp,
           const char *replacement)
{
    size_t data = wire_record(w, 6, name, WIRE_NAPTR, ttl_s);

    wire_u16(w, order);
    wire_u16(w, preference);
    wire_text(w, flags);
    wire_text(w, service);
    wire_text(w, regexp);
    wire_name(w, replacement);
    wire_end(w, data);
}

static inline void
wire_cname(struct wire_out *w, const char *name, uint32_t ttl_s, const char *to)
{
    size_t data = wire_record(w, 6, name, WIRE_CNAME, ttl_s);

    wire_name(w, to);
    wire_end(w, data);
}

static inline void
wire_soa(struct wire_out *w, const char *name, uint32_t ttl_s, uint32_t minimum_s)
{
    size_t data = wire_record(w, 8, name, WIRE_SOA, ttl_s);

    wire_name(w, "ns.example");
    wire_name(w, "root.example");
    for (unsigned i = 0; i < 4; i++)
        wire_u32(w, 3600);
    wire_u32(w, minimum_s);
    wire_end(w, data);
}

/* An A or AAAA record: 4 or 16 bytes. */
static inline void
wire_address(struct wire_out *w, const char *name, uint32_t ttl_s, const uint8_t *ip, size_t len)
{
    size_t data = wire_record(w, 6, name, len == 4 ? WIRE_A : WIRE_AAAA, ttl_s);

    for (size_t i = 0; i < len; i++)
        wire_u8(w, ip[i]);
    wire_end(w, data);
}

#endif
