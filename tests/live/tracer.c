/*
 * sipctl trace in the background of a test, and tshark on what it captured.
 */
#include "live/tracer.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "live/hand.h"

enum { OUTPUT_BYTES = 1 << 20 };

static const char *
build(void)
{
    const char *dir = getenv("SIPD_BUILD");

    return dir ? dir : "build";
}

void
tracer_start(struct proc *p, const struct server *server, const char *name, const char *words)
{
    char command[1024];
    const char *argv[] = { "sh", "-c", command, NULL };

    snprintf(command, sizeof command, "TZ=UTC LC_ALL=C exec %s/sipctl -s %s %s", build(),
             server->socket, words);
    proc_start(p, name, argv);
    tracer_says(p, "from now on");
}

const char *
tracer_output(const struct proc *p)
{
    static char text[OUTPUT_BYTES];
    FILE *file = fopen(p->log, "r"); /* not there before it has begun */
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;

    text[len] = '\0';
    if (file)
        fclose(file);
    return text;
}

void
tracer_has(const struct proc *p, const char *const words[])
{
    const char *text = tracer_output(p), *at = text;

    for (size_t i = 0; words[i]; i++) {
        at = strstr(at, words[i]);
        ck_assert_msg(at != NULL, "no \"%s\" (in this order) in:\n%.3000s", words[i], text);
        at += strlen(words[i]);
    }
}

void
tracer_knock(const struct server *server)
{
    static struct hand h;
    static unsigned serial;

    if (serial++ == 0)
        hand_open(&h, "knock");
    hand_says(&h, server->port,
              "OPTIONS sip:127.0.0.1:%u SIP/2.0\n"
              "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKknock%u\nMax-Forwards: 70\n"
              "From: <sip:knock@127.0.0.1>;tag=1\nTo: <sip:127.0.0.1>\nCall-ID: knock-%u\n"
              "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
              server->port, h.port, serial, serial);
    hand_hears(&h, "SIP/2.0 200");
}

void
tracer_says(const struct proc *p, const char *words)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    while (!strstr(tracer_output(p), words)) {
        ck_assert_msg(proc_now_ms() < until, "no \"%s\" in:\n%.3000s", words, tracer_output(p));
        proc_pause(20);
    }
}

void
tracer_end(struct proc *p)
{
    kill(p->pid, SIGINT);
    ck_assert_msg(proc_ends(p, PROC_PATIENCE_MS), "it does not end:\n%.3000s", tracer_output(p));
    ck_assert_msg(WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0, "status %d:\n%.3000s",
                  p->status, tracer_output(p));
}

const char *
tracer_judge(const char *file, const char *filter, struct proc *out)
{
    /* Ports are taken by chance, and some are other protocols' in tshark's eyes. */
    const char *argv[] = { "tshark", "-n",
                           "-d",     "udp.port==1-65535,sip",
                           "-d",     "tcp.port==1-65535,sip",
                           "-r",     file,
                           "-Y",     filter,
                           "-T",     "fields",
                           "-e",     "sip.Request-Line",
                           "-e",     "sip.Status-Line",
                           "-e",     "_ws.col.Source",
                           "-e",     "_ws.expert.message",
                           NULL };
    static unsigned serial;
    char name[32];

    snprintf(name, sizeof name, "tshark-%u", ++serial); /* a log of its own: they are added to */
    ck_assert_msg(proc_run(out, name, PROC_PATIENCE_MS, argv), "%.3000s", proc_output(out));
    return tracer_output(out);
}

unsigned
tracer_count(const char *text, const char *words)
{
    unsigned n = 0;

    while ((text = strstr(text, words))) {
        n++;
        text += strlen(words);
    }
    return n;
}

void
tracer_judge_all(const char *file)
{
    struct proc out;

    tracer_judge(file, "_ws.malformed || _ws.expert.severity >= 0x600000", &out);
    ck_assert_msg(!strstr(tracer_output(&out), "SIP/2.0") &&
                      !strstr(tracer_output(&out), "127.0.0.1"),
                  "tshark finds fault with:\n%.3000s", tracer_output(&out));
}
