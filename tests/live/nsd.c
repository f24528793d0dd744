/*
 * A real name server, nsd, with zones of the test's own.
 */
#include "live/nsd.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/dns_wire.h"

bool
nsd_answers(uint16_t port)
{
    static struct wire_out question;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct pollfd readable = { fd, POLLIN, 0 };
    bool ok;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    wire_begin(&question, 7, 0x0100, "ready.test", WIRE_SOA);
    ok = connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
         send(fd, question.bytes, question.len, 0) > 0 && poll(&readable, 1, 200) == 1 &&
         recv(fd, question.bytes, sizeof question.bytes, 0) > 0;
    close(fd);
    return ok;
}

uint16_t
nsd_start(struct proc *nsd, const char *const zones[][2])
{
    uint16_t port = proc_port("127.0.0.1");
    char conf[4096], list[2048] = "";
    const char *argv[] = { "nsd", "-d", "-c", conf, NULL };
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    if (access("/usr/sbin/nsd", X_OK) == 0)
        argv[0] = "/usr/sbin/nsd";
    for (size_t i = 0; zones[i][0]; i++) {
        char name[64];
        const char *file;

        snprintf(name, sizeof name, "zones/%s", zones[i][0]);
        file = proc_file(
            name,
            "$ORIGIN %s.\n$TTL 60\n@ IN SOA ns.%s. root.%s. 1 3600 600 86400 60\n@ IN NS ns.%s.\n"
            "ns IN A 127.0.0.1\n%s",
            zones[i][0], zones[i][0], zones[i][0], zones[i][0], zones[i][1]);
        snprintf(list + strlen(list), sizeof list - strlen(list),
                 "zone:\n name: \"%s\"\n zonefile: \"%s\"\n", zones[i][0], file);
    }
    snprintf(
        conf, sizeof conf, "%s",
        proc_file(
            "nsd.conf",
            "server:\n ip-address: 127.0.0.1@%u\n server-count: 1\n username: \"\"\n chroot: \"\"\n"
            " zonesdir: \"%s\"\n database: \"\"\n pidfile: \"\"\n xfrdfile: \"%s/xfrd\"\n"
            " zonelistfile: \"%s/zone.list\"\n logfile: \"\"\n hide-version: yes\n"
            "remote-control:\n control-enable: no\n%s",
            port, proc_dir(), proc_dir(), proc_dir(), list));
    proc_start(nsd, "nsd", argv);
    while (!nsd_answers(port)) {
        ck_assert_msg(proc_now_ms() < until && !proc_ends(nsd, 0), "nsd did not start:\n%s",
                      proc_output(nsd));
        proc_pause(20);
    }
    return port;
}
