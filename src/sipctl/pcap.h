/*
 * A capture file of what sipd heard and sent: IP packets made up around the messages, so that every program that reads captures
 * shows them between the addresses and ports that they had.
 *
 * What came over TLS is written as what was in it, over TCP. A message that is larger than a packet is several. There are no
 * handshakes, acknowledgements or keep-alives in it, for sipd does not see them.
 */
#ifndef SIPCTL_PCAP_H
#define SIPCTL_PCAP_H

#include "base/buf.h"

enum { PCAP_FLOWS = 4096, PCAP_ADDRESS_BYTES = 64 };

/* How far each direction of a connection has come. */
struct pcap_flow {
    char lower[PCAP_ADDRESS_BYTES],
        upper[PCAP_ADDRESS_BYTES]; /* its two ends, sorted; "": unused */
    uint32_t next[2];              /* from lower; from upper */
};

struct pcap {
    struct pcap_flow flows[PCAP_FLOWS]; /* by hash; who comes later to a place takes it */
    uint32_t written; /* bytes of all streams: no flow's next is ahead of it (modulo 2^32) */
};

struct pcap_message {
    uint64_t at_us;
    bool stream;          /* TCP, and what stands on it */
    struct span from, to; /* "127.0.0.1:5060", "[::1]:5060" */
    struct span bytes;
};

/* Begins a file: nothing was seen yet; its head is appended. */
void pcap_begin(struct pcap *pcap, struct buf *to);
/* Appends the packets of a message. False, and nothing was: these are no addresses, or the datagram is larger than any. */
bool pcap_write(struct pcap *pcap, const struct pcap_message *message, struct buf *to);

#endif
