/*
 * Packets around messages: IPv4 (RFC 791) or IPv6 (RFC 8200), UDP (RFC 768) or TCP (RFC 9293), in a capture file of raw IP.
 */
#include "sipctl/pcap.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/prf.h"

#define MAGIC UINT32_C(0xa1b2c3d4) /* times in microseconds */

enum {
    SNAP_BYTES = 262144,
    LINK_RAW = 101, /* begins with the IP header; its version tells which */
    IPV4_BYTES = 20,
    IPV6_BYTES = 40,
    UDP_BYTES = 8,
    TCP_BYTES = 20,
    SEGMENT_BYTES = 32768,
    PACKET_MOST = 65535,
    HOPS = 64,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
};

struct end {
    unsigned char address[16];
    size_t len; /* of the address: 4 or 16 */
    uint16_t port;
};

/* ---- numbers: in the file as this machine has them (its head tells), in packets the highest byte first */

static void
put_own32(struct buf *to, uint32_t n)
{
    char bytes[4];

    memcpy(bytes, &n, sizeof n);
    buf_put(to, (struct span){ bytes, sizeof bytes });
}

static void
put16(struct buf *to, unsigned n)
{
    buf_put_char(to, (char)(n >> 8));
    buf_put_char(to, (char)n);
}

static void
put32(struct buf *to, uint32_t n)
{
    put16(to, n >> 16);
    put16(to, n & 0xffff);
}

void
pcap_begin(struct pcap *pcap, struct buf *to)
{
    static const uint16_t version[] = { 2, 4 };

    memset(pcap, 0, sizeof *pcap);
    put_own32(to, MAGIC);
    buf_put(to, (struct span){ (const char *)version, sizeof version });
    put_own32(to, 0); /* times are UTC */
    put_own32(to, 0);
    put_own32(to, SNAP_BYTES);
    put_own32(to, LINK_RAW);
}

/* ---- addresses */

/* "[fe80::1%eth0]:5060": of the address without brackets and scope. */
static bool
read_end(struct span text, struct end *end)
{
    size_t colon = text.len;
    char address[PCAP_ADDRESS_BYTES];
    struct span ip;
    uint32_t port;

    while (colon > 0 && text.at[colon - 1] != ':')
        colon--;
    if (colon == 0 || !span_u32(span_skip(text, colon), 65535, &port))
        return false;
    ip = span_head(text, colon - 1);
    if (ip.len > 2 && ip.at[0] == '[' && ip.at[ip.len - 1] == ']')
        ip = (struct span){ ip.at + 1, ip.len - 2 };
    ip = span_head(ip, span_find(ip, '%'));
    if (ip.len >= sizeof address)
        return false;
    memcpy(address, ip.at, ip.len);
    address[ip.len] = '\0';
    end->port = (uint16_t)port;
    end->len = span_find(ip, ':') < ip.len ? 16 : 4;
    return inet_pton(end->len == 16 ? AF_INET6 : AF_INET, address, end->address) == 1;
}

static struct span
address_of(const struct end *end)
{
    return (struct span){ (const char *)end->address, end->len };
}

/* ---- checksums (RFC 1071) */

static uint32_t
sum_words(uint32_t sum, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        sum += (uint32_t)(unsigned char)bytes.at[i] << (i % 2 == 0 ? 8 : 0);
    while (sum > 0xffff)
        sum = (sum >> 16) + (sum & 0xffff);
    return sum;
}

static void
set16(struct buf *in, size_t at, uint32_t n)
{
    in->bytes[at] = (char)(n >> 8);
    in->bytes[at + 1] = (char)n;
}

/* ---- packets */

struct packet {
    uint64_t at_us;
    const struct end *from, *to;
    unsigned protocol;
    uint32_t seq, ack; /* of TCP */
    struct span bytes;
};

static size_t
head_bytes(const struct packet *p)
{
    return p->protocol == PROTOCOL_TCP ? TCP_BYTES : UDP_BYTES;
}

static void
put_ip(const struct packet *p, struct buf *to)
{
    size_t inner = head_bytes(p) + p->bytes.len, at = to->len;

    if (p->from->len == 16) {
        put32(to, 6U << 28);
        put16(to, (unsigned)inner);
        buf_put_char(to, (char)p->protocol);
        buf_put_char(to, HOPS);
    } else {
        put16(to, 0x4500);
        put16(to, (unsigned)(IPV4_BYTES + inner));
        put32(to, 0x4000); /* not to be fragmented, so it needs no id */
        buf_put_char(to, HOPS);
        buf_put_char(to, (char)p->protocol);
        put16(to, 0);
    }
    buf_put(to, address_of(p->from));
    buf_put(to, address_of(p->to));
    if (p->from->len == 4 && to->err == SIPD_OK)
        set16(to, at + 10, ~sum_words(0, (struct span){ to->bytes + at, IPV4_BYTES }));
}

static void
put_transport(const struct packet *p, struct buf *to)
{
    size_t at = to->len, len = head_bytes(p) + p->bytes.len;
    bool tcp = p->protocol == PROTOCOL_TCP;
    uint32_t sum;

    put16(to, p->from->port);
    put16(to, p->to->port);
    if (tcp) {
        put32(to, p->seq);
        put32(to, p->ack);
        put16(to, 0x5018); /* five words of head, PSH, ACK */
        put16(to, 0xffff);
        put32(to, 0);
    } else {
        put16(to, (unsigned)len);
        put16(to, 0);
    }
    buf_put(to, p->bytes);
    if (to->err != SIPD_OK)
        return;
    sum = p->protocol + (uint32_t)len;
    sum = sum_words(sum, address_of(p->from));
    sum = sum_words(sum, address_of(p->to));
    sum = ~sum_words(sum, (struct span){ to->bytes + at, len }) & 0xffff;
    set16(to, at + (tcp ? 16 : 6), sum == 0 && !tcp ? 0xffff : sum);
}

static void
put_packet(const struct packet *p, struct buf *to)
{
    size_t len = (p->from->len == 16 ? IPV6_BYTES : IPV4_BYTES) + head_bytes(p) + p->bytes.len;

    put_own32(to, (uint32_t)(p->at_us / 1000000));
    put_own32(to, (uint32_t)(p->at_us % 1000000));
    put_own32(to, (uint32_t)len);
    put_own32(to, (uint32_t)len);
    put_ip(p, to);
    put_transport(p, to);
}

/* ---- streams */

static void
name_end(char name[PCAP_ADDRESS_BYTES], struct span text)
{
    memset(name, 0, PCAP_ADDRESS_BYTES);
    memcpy(name, text.at, text.len < PCAP_ADDRESS_BYTES ? text.len : PCAP_ADDRESS_BYTES - 1);
}

/*
 * The flow of a message, and which of its ends speaks. One that was forgotten begins anew at what all streams have written,
 * which is ahead of where it was: so readers see a gap, and never take new bytes for a repeat of old ones.
 */
static struct pcap_flow *
flow_of(struct pcap *pcap, const struct pcap_message *message, unsigned *speaker)
{
    static const struct prf_key key = { 0 };
    struct pcap_flow wanted, *flow;
    uint64_t hash;

    name_end(wanted.lower, message->from);
    name_end(wanted.upper, message->to);
    *speaker = strcmp(wanted.lower, wanted.upper) > 0;
    if (*speaker == 1) {
        name_end(wanted.lower, message->to);
        name_end(wanted.upper, message->from);
    }
    wanted.next[0] = wanted.next[1] = pcap->written + 1;
    hash = prf_hash(&key, (struct span){ (const char *)&wanted, offsetof(struct pcap_flow, next) });
    flow = &pcap->flows[hash % PCAP_FLOWS];
    if (strcmp(flow->lower, wanted.lower) != 0 || strcmp(flow->upper, wanted.upper) != 0)
        *flow = wanted;
    return flow;
}

static void
write_stream(struct pcap *pcap, const struct pcap_message *message, struct packet *packet,
             struct buf *to)
{
    unsigned speaker;
    struct pcap_flow *flow = flow_of(pcap, message, &speaker);

    packet->ack = flow->next[!speaker];
    for (struct span rest = message->bytes; rest.len > 0;
         rest = span_skip(rest, packet->bytes.len)) {
        packet->seq = flow->next[speaker];
        packet->bytes = span_head(rest, SEGMENT_BYTES);
        flow->next[speaker] += (uint32_t)packet->bytes.len;
        pcap->written += (uint32_t)packet->bytes.len;
        put_packet(packet, to);
    }
}

bool
pcap_write(struct pcap *pcap, const struct pcap_message *message, struct buf *to)
{
    struct end from, till;
    struct packet packet = { .at_us = message->at_us, .from = &from, .to = &till };

    if (!read_end(message->from, &from) || !read_end(message->to, &till) || from.len != till.len)
        return false;
    packet.protocol = message->stream ? PROTOCOL_TCP : PROTOCOL_UDP;
    if (message->stream) {
        write_stream(pcap, message, &packet, to);
        return true;
    }
    if (message->bytes.len > (size_t)PACKET_MOST - UDP_BYTES - (from.len == 4 ? IPV4_BYTES : 0))
        return false;
    packet.bytes = message->bytes;
    put_packet(&packet, to);
    return true;
}
