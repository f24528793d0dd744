/*
 * udpfwd: forwards datagrams between two peers without reading them, the least work that any UDP proxy does on one core.
 *
 *   udpfwd -l HOST:PORT (-e | -a HOST:PORT -b HOST:PORT) [-k BATCH] [-t SECONDS]
 *
 * What comes from peer a goes to peer b, everything else to a; with -e each datagram goes back to its source, the least
 * work of a registrar. It sleeps in recvmmsg and sends what that brought with one sendmmsg. Loopback only; ends by
 * SIGTERM, SIGINT or after SECONDS (600).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH_MAX      256
#define DATAGRAM_BYTES 2048

static struct sockaddr_in own, peer_a, peer_b;
static bool echo;
static unsigned batch = 64;
static int fd = -1;
static volatile sig_atomic_t stop;

static void
on_signal(int number)
{
    (void)number;
    stop = 1;
}

static bool
number_read(const char *text, unsigned long max, unsigned long *out)
{
    char *end;

    *out = strtoul(text, &end, 10);
    return end != text && !*end && *out > 0 && *out <= max;
}

/* 127.x.x.x:PORT */
static bool
address_read(const char *text, struct sockaddr_in *out)
{
    char host[INET_ADDRSTRLEN];
    const char *colon = strchr(text, ':');
    unsigned long port;

    if (!colon || (size_t)(colon - text) >= sizeof host ||
        !number_read(colon + 1, UINT16_MAX, &port))
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    *out = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    return inet_pton(AF_INET, host, &out->sin_addr) == 1 &&
           ntohl(out->sin_addr.s_addr) >> 24 == 127;
}

static int
usage(void)
{
    fputs("usage: udpfwd -l HOST:PORT (-e | -a HOST:PORT -b HOST:PORT) [-k BATCH] [-t SECONDS]; "
          "loopback only\n",
          stderr);
    return 2;
}

static bool
open_socket(void)
{
    int room_bytes = 8 << 20;

    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    /* FORCE goes past net.core.rmem_max and needs CAP_NET_ADMIN. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room_bytes, sizeof room_bytes) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room_bytes, sizeof room_bytes);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room_bytes, sizeof room_bytes);
    return bind(fd, (struct sockaddr *)&own, sizeof own) == 0;
}

static void
forward(void)
{
    static char bytes[BATCH_MAX][DATAGRAM_BYTES];
    static struct mmsghdr messages[BATCH_MAX];
    static struct iovec parts[BATCH_MAX];
    static struct sockaddr_in sources[BATCH_MAX];

    while (!stop) {
        int got;

        for (unsigned i = 0; i < batch; i++) {
            parts[i] = (struct iovec){ bytes[i], DATAGRAM_BYTES };
            messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i],
                                                   .msg_iovlen = 1,
                                                   .msg_name = &sources[i],
                                                   .msg_namelen = sizeof sources[i] };
        }
        got = recvmmsg(fd, messages, batch, MSG_WAITFORONE, NULL);
        for (int i = 0; i < got; i++) {
            if (!echo)
                messages[i].msg_hdr.msg_name =
                    sources[i].sin_port == peer_a.sin_port ? &peer_b : &peer_a;
            parts[i].iov_len = messages[i].msg_len;
        }
        for (int sent = 0; sent < got;) {
            int n = sendmmsg(fd, messages + sent, (unsigned)(got - sent), 0);

            sent += n > 0 ? n : 1;
        }
    }
}

int
main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = on_signal };
    unsigned long seconds = 600, number = 0;
    int option;

    while ((option = getopt(argc, argv, "l:a:b:k:t:e")) != -1) {
        bool good = true;

        switch (option) {
        case 'l': good = address_read(optarg, &own); break;
        case 'a': good = address_read(optarg, &peer_a); break;
        case 'b': good = address_read(optarg, &peer_b); break;
        case 'k':
            good = number_read(optarg, BATCH_MAX, &number);
            batch = (unsigned)number;
            break;
        case 't': good = number_read(optarg, 86400, &seconds); break;
        case 'e': echo = true; break;
        default: good = false;
        }
        if (!good)
            return usage();
    }
    if (!own.sin_family || (!echo && (!peer_a.sin_family || !peer_b.sin_family)))
        return usage();
    if (!open_socket()) {
        perror("udpfwd");
        return 1;
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    alarm((unsigned)seconds);
    forward();
    return 0;
}
