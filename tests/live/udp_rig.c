/*
 * What tests of datagrams have in common.
 */
#include "live/udp_rig.h"

#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

void
udp_echo(struct rig *r, const struct hop *from, struct span bytes)
{
    net_send(r->net, from, bytes, 0);
}

struct span
udp_long_message(size_t len)
{
    char *bytes = mem_new(len);
    static const char head[] = "MESSAGE sip:example.com SIP/2.0\r\n\r\n";

    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)('a' + i % 26);
    memcpy(bytes, head, sizeof head - 1);
    return (struct span){ bytes, len };
}

uint16_t
udp_closed_port(const char *ip)
{
    uint16_t port;

    close(peer_new(SOCK_DGRAM, ip, &port));
    return port;
}

bool
udp_set_loopback(int mtu)
{
    struct ifreq lo = { .ifr_name = "lo" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done;

    lo.ifr_flags = IFF_UP;
    done = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    lo.ifr_mtu = mtu;
    done = done && ioctl(fd, SIOCSIFMTU, &lo) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

bool
udp_shorten_loopback(int mtu)
{
    return unshare(CLONE_NEWNET) == 0 && udp_set_loopback(mtu);
}
