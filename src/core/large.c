/*
 * What is too large for a datagram (RFC 3261 §18.1.1).
 */
#include "core/large.h"

/* Every host takes 576 bytes of IPv4 (RFC 1122 §3.3.2), every link of IPv6 carries 1,280 (RFC 8200 §5): less is no question. */
enum { LEAST_MTU_V4 = 576, LEAST_MTU_V6 = 1280 };
/* What is large whatever the path; what a path has left for the headers beneath and for a longer answer. */
enum { ANYWHERE_BYTES = 1300, RESERVE_BYTES = 200 };

bool
large_is(const struct core_ports *ports, const struct hop *to, size_t bytes)
{
    uint32_t mtu;

    if (bytes > ANYWHERE_BYTES)
        return true;
    if (!ports->path_mtu || bytes + RESERVE_BYTES <= (hop_is_v4(to) ? LEAST_MTU_V4 : LEAST_MTU_V6))
        return false;
    mtu = ports->path_mtu(ports->io, to);
    return mtu != 0 && bytes + RESERVE_BYTES > mtu;
}
