/*
 * What was said in a simulated world as a file of packets, for tshark: each message a datagram, whatever carried it.
 */
#ifndef SIM_PCAP_H
#define SIM_PCAP_H

#include <stdio.h>

#include "sip/hop.h"

/* A new file, or NULL. */
FILE *pcap_open(const char *path);
/* One message over IPv4; others, and those that no datagram holds, are left out. */
void pcap_put(FILE *pcap, uint64_t at_ms, const struct hop *from, const struct hop *to,
              struct span bytes);

#endif
