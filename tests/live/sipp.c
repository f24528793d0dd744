/*
 * sipp as a phone that does exactly what a scenario says, and fails when the other side does anything else.
 */
#include "live/sipp.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SCENARIO_BYTES = 65536,
    WHY_BYTES = 3000,
};

/* sipp takes no variable for a status: a scenario for any status is copied with the one in question. */
static const char *
scenario_of(const struct sipp *s)
{
    static char path[256];
    char text[SCENARIO_BYTES], name[128], *at = text;
    size_t n;
    FILE *in, *out;

    snprintf(path, sizeof path, "tests/live/sipp/%s.xml", s->conf.scenario);
    if (!s->conf.status)
        return path;
    in = fopen(path, "r");
    ck_assert_msg(in != NULL, "no %s (run from the top folder)", path);
    n = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[n] = '\0';
    snprintf(name, sizeof name, "%s.xml", s->name);
    snprintf(path, sizeof path, "%s", proc_file(name, "%s", ""));
    out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    for (char *mark = strstr(at, "@STATUS@"); mark; mark = strstr(at, "@STATUS@")) {
        fprintf(out, "%.*s%s", (int)(mark - at), at, s->conf.status);
        at = mark + strlen("@STATUS@");
    }
    fputs(at, out);
    fclose(out);
    return path;
}

static const char *
ip_of(const struct sipp *s)
{
    return s->conf.ip ? s->conf.ip : "127.0.0.1";
}

static void
init(struct sipp *s, const char *name, const struct sipp_conf *conf)
{
    memset(s, 0, sizeof *s);
    s->conf = *conf;
    snprintf(s->name, sizeof s->name, "%s", name);
}

/*
 * sipp takes ports for sound, used or not, and gives up when others have a hundred of them: so each has an address
 * for that.
 */
static void
write_media_ip(char *to, size_t room)
{
    static unsigned turn;
    unsigned n = (unsigned)getpid() * 64 + turn++ % 64;

    snprintf(to, room, "127.%u.%u.%u", 1 + (n >> 16) % 254, n >> 8 & 255, 1 + n % 254);
}

/* `remote` and `service`: NULL for one that waits to be called. */
static void
start(struct sipp *s, const char *remote, const char *service)
{
    const char *argv[48] = {
        "sipp",          "-m",           "1",          "-l",         "1",
        "-nostdin",      "-skip_rlimit", "-timeout",   "100s",       "-timeout_error",
        "-recv_timeout", "60000",        "-trace_err", "-error_file"
    };
    char port[8], media_ip[16], errors[256];
    size_t n = 0;

    snprintf(port, sizeof port, "%u", s->port);
    write_media_ip(media_ip, sizeof media_ip);
    snprintf(errors, sizeof errors, "%s/%s.errors", proc_dir(), s->name);
    while (argv[n])
        n++;
    argv[n++] = errors;
    argv[n++] = "-sf";
    argv[n++] = scenario_of(s);
    argv[n++] = "-i";
    argv[n++] = ip_of(s);
    argv[n++] = "-p";
    argv[n++] = port;
    argv[n++] = "-mi";
    argv[n++] = media_ip;
    argv[n++] = "-t";
    argv[n++] = s->conf.tcp ? "t1" : "u1";
    if (service) {
        argv[n++] = "-s";
        argv[n++] = service;
    }
    if (s->conf.user) {
        argv[n++] = "-au";
        argv[n++] = s->conf.user;
        argv[n++] = "-ap";
        argv[n++] = s->conf.password;
    }
    if (remote)
        argv[n++] = remote;
    proc_start(&s->proc, s->name, argv);
}

void
sipp_answer(struct sipp *s, const char *name, const struct sipp_conf *conf,
            const struct server *server)
{
    init(s, name, conf);
    s->port = proc_peer_port(ip_of(s), server->port);
    start(s, NULL, NULL);
}

void
sipp_ready(struct sipp *s)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    while (!proc_listens(ip_of(s), s->conf.tcp, s->port)) {
        ck_assert_msg(!proc_ends(&s->proc, 0) && proc_now_ms() < until, "%s does not listen: %s",
                      s->name, sipp_why(s));
        proc_pause(10);
    }
}

void
sipp_call(struct sipp *s, const char *name, const struct sipp_conf *conf,
          const struct server *server, const char *service)
{
    bool v6 = conf->ip && strchr(conf->ip, ':');
    char remote[64];

    snprintf(remote, sizeof remote, v6 ? "[::1]:%u" : "127.0.0.1:%u", server->port);
    init(s, name, conf);
    s->port = proc_port(ip_of(s));
    start(s, remote, service);
}

bool
sipp_succeeds(struct sipp *s)
{
    if (!s->conf.scenario)
        return true;
    if (!proc_ends(&s->proc, 2 * PROC_PATIENCE_MS))
        proc_kill(&s->proc);
    return WIFEXITED(s->proc.status) && WEXITSTATUS(s->proc.status) == 0;
}

const char *
sipp_why(const struct sipp *s)
{
    static char why[WHY_BYTES];
    char path[256];
    FILE *file;
    size_t n;

    snprintf(path, sizeof path, "%s/%s.errors", proc_dir(), s->name);
    file = fopen(path, "r");
    if (!file)
        return proc_output(&s->proc);
    n = fread(why, 1, sizeof why - 1, file);
    fclose(file);
    why[n] = '\0';
    return why;
}
