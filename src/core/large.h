/*
 * What is too large for a datagram (RFC 3261 §18.1.1).
 */
#ifndef CORE_LARGE_H
#define CORE_LARGE_H

#include "core/ports.h"

/*
 * Might a request of so many bytes be cut into fragments on its way to this hop of datagrams? More than 1,300 bytes might
 * anywhere; fewer, where a narrow path is known, if it has not 200 bytes more than they are.
 */
bool large_is(const struct core_ports *ports, const struct hop *to, size_t bytes);

#endif
