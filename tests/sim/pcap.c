/*
 * What was said in a simulated world as a file of packets, for tshark: each message a datagram, whatever carried it.
 */
#include "sim/pcap.h"

enum { LINKTYPE_RAW = 101, MOST_BYTES = 65507, IP_BYTES = 20, UDP_BYTES = 8 };

static void
put_u32(FILE *pcap, uint32_t n)
{
    (void)fwrite(&n, sizeof n, 1, pcap); /* the magic number tells the order of bytes */
}

FILE *
pcap_open(const char *path)
{
    FILE *pcap = fopen(path, "wb");

    if (!pcap)
        return NULL;
    put_u32(pcap, 0xa1b2c3d4);
    put_u32(pcap, 4u << 16 | 2); /* version 2.4 */
    put_u32(pcap, 0);
    put_u32(pcap, 0);
    put_u32(pcap, 65535);
    put_u32(pcap, LINKTYPE_RAW);
    return pcap;
}

static unsigned char *
put_be16(unsigned char *to, uint32_t n)
{
    to[0] = (unsigned char)(n >> 8);
    to[1] = (unsigned char)n;
    return to + 2;
}

/* Without checksums: 0 is "none" for UDP, and nobody looks at the other one. */
static void
write_heads(unsigned char head[IP_BYTES + UDP_BYTES], const struct hop *from, const struct hop *to,
            size_t len)
{
    unsigned char *at = head;

    memset(head, 0, IP_BYTES + UDP_BYTES);
    at[0] = 0x45;
    put_be16(at + 2, (uint32_t)(IP_BYTES + UDP_BYTES + len));
    at[8] = 64; /* TTL */
    at[9] = 17; /* UDP */
    memcpy(at + 12, from->ip + 12, 4);
    memcpy(at + 16, to->ip + 12, 4);
    at = put_be16(at + IP_BYTES, from->port);
    at = put_be16(at, to->port);
    put_be16(at, (uint32_t)(UDP_BYTES + len));
}

void
pcap_put(FILE *pcap, uint64_t at_ms, const struct hop *from, const struct hop *to,
         struct span bytes)
{
    unsigned char head[IP_BYTES + UDP_BYTES];
    uint32_t len = (uint32_t)(sizeof head + bytes.len);

    if (!hop_is_v4(from) || !hop_is_v4(to) || bytes.len > MOST_BYTES)
        return;
    write_heads(head, from, to, bytes.len);
    put_u32(pcap, (uint32_t)(at_ms / 1000));
    put_u32(pcap, (uint32_t)(at_ms % 1000 * 1000));
    put_u32(pcap, len);
    put_u32(pcap, len);
    (void)fwrite(head, sizeof head, 1, pcap);
    (void)fwrite(bytes.at, bytes.len, 1, pcap);
}
