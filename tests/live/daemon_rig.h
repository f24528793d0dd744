/*
 * A fixture: the program, run to its end or as a server, and what it said.
 */
#ifndef LIVE_DAEMON_RIG_H
#define LIVE_DAEMON_RIG_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/server.h"

enum { TEXT_BYTES = 65536 };

static char modules[256], sipd[256];
static struct server server;
static struct proc out;

static inline void
begin(void)
{
    const char *build = getenv("SIPD_BUILD") ? getenv("SIPD_BUILD") : "build";

    snprintf(sipd, sizeof sipd, "%s/sipd", build);
    snprintf(modules, sizeof modules, "%s/modules", build);
}

static inline void
end(void)
{
    proc_stop(&server.proc);
}

/* Runs sipd to its end with these options; its exit code. */
static inline int
run_sipd(const char *option, const char *file)
{
    const char *argv[] = { sipd, "-M", modules, "-f", file, option, NULL };

    (void)proc_run(&out, "run", PROC_PATIENCE_MS, argv);
    return WIFEXITED(out.status) ? WEXITSTATUS(out.status) : -1;
}

static inline int
ctl(const char *words)
{
    return server_ctl(&server, &out, words, NULL);
}

static inline bool
said(const char *text)
{
    return strstr(proc_output(&out), text) != NULL;
}

#define must_say(text) ck_assert_msg(said(text), "not said: %s, but:\n%s", text, proc_output(&out))

/* A file of one listener and what follows, with a folder of its own for state. */
static inline const char *
conf(const char *name, uint16_t port, const char *more)
{
    char file[64];

    snprintf(file, sizeof file, "%s.conf", name);
    return proc_file(file,
                     "domains = [ \"example.com\" ];\n"
                     "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; port = %u; } );\n"
                     "state_dir = \"%s/%s-made\"; control = { socket = \"%s/%s-run/sock\"; };\n"
                     "user = \"root\"; group = \"root\";\n%s\n",
                     port, proc_dir(), name, proc_dir(), name, more);
}

static inline bool
is_there(const char *name)
{
    char path[300];

    snprintf(path, sizeof path, "%s/%s", proc_dir(), name);
    return access(path, F_OK) == 0;
}

static inline uint16_t
port_of(int fd)
{
    struct sockaddr_storage at = { 0 };
    socklen_t len = sizeof at;
    uint8_t port[2];

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    memcpy(port, (const char *)&at + 2, 2); /* sin_port, in network order */
    return (uint16_t)(port[0] << 8 | port[1]);
}

/* The status that an OPTIONS for this domain gets, asked at the port; 0: none. */
static inline int
options(uint16_t port, const char *domain)
{
    static unsigned serial;
    struct server at = server;
    char reply[TEXT_BYTES];
    int fd, status = 0;

    at.port = port;
    fd = server_socket(&at, "127.0.0.1");
    server_send(fd,
                "OPTIONS sip:%s SIP/2.0\nVia: SIP/2.0/UDP "
                "127.0.0.1;branch=z9hG4bKo%u;rport\nMax-Forwards: 70\n"
                "From: <sip:test@example.org>;tag=1\nTo: <sip:%s>\nCall-ID: options\nCSeq: 1 "
                "OPTIONS\nContent-Length: 0\n\n",
                domain, ++serial, domain);
    if (server_receive(fd, reply, sizeof reply, PROC_PATIENCE_MS) >
        0) /* refused at once when nobody listens */
        (void)sscanf(reply, "SIP/2.0 %d", &status);
    close(fd);
    return status;
}

#endif
