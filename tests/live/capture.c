/*
 * Every packet that sipd sends, looked at by tshark: not one may be malformed (RFC 3261 §25).
 */
#include "live/capture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { START_MS = 15000, JUDGE_MS = 40000, SETTLE_MS = 300 };

void
capture_start(struct capture *c, uint16_t port)
{
    char filter[64];
    const char *argv[] = { "dumpcap", "-q", "-i", "lo", "-f", filter, "-w", c->file, NULL };

    memset(c, 0, sizeof *c);
    c->port = port;
    snprintf(filter, sizeof filter, "port %u", port);
    snprintf(c->file, sizeof c->file, "%s", proc_file("capture.pcapng", "%s", ""));
    proc_start(&c->proc, "dumpcap", argv);
    ck_assert_msg(proc_says(&c->proc, "File:", START_MS), "no capture:\n%s", proc_output(&c->proc));
}

/* Runs tshark over the capture; the number of packets that fit the filter, each told in one line. */
static unsigned
count(struct capture *c, const char *filter, struct proc *tshark)
{
    char udp[48], tcp[48];
    const char *argv[] = { "tshark", "-n", "-r", c->file, "-d", udp, "-d", tcp, "-Y", filter, "-T", "fields", "-E",
                           "separator=/s", "-e", "frame.number", "-e", "sip.Request-Line", "-e", "sip.Status-Line", "-e",
                           "_ws.expert.message", NULL };
    unsigned lines = 0;

    snprintf(udp, sizeof udp, "udp.port==%u,sip", c->port);
    snprintf(tcp, sizeof tcp, "tcp.port==%u,sip", c->port);
    ck_assert_msg(proc_run(tshark, "tshark", JUDGE_MS, argv), "tshark failed:\n%s", proc_output(tshark));
    for (const char *at = proc_output(tshark); *at; at++)
        lines += *at == '\n' && at > proc_output(tshark) && at[-1] != '\n';
    return lines;
}

void
capture_judge(struct capture *c)
{
    char filter[256];
    struct proc tshark;
    unsigned sent, bad;

    proc_pause(SETTLE_MS);
    proc_stop(&c->proc);
    snprintf(filter, sizeof filter, "sip && (udp.srcport == %u || tcp.srcport == %u)", c->port, c->port);
    sent = count(c, filter, &tshark);
    ck_assert_uint_gt(sent, 0);
    proc_file("tshark.log", "%s", "");
    snprintf(filter, sizeof filter,
             "(udp.srcport == %u || tcp.srcport == %u) && (_ws.malformed || (sip && _ws.expert.severity >= warning))", c->port,
             c->port);
    bad = count(c, filter, &tshark);
    ck_assert_msg(bad == 0, "tshark complains of %u packets:\n%s", bad, proc_output(&tshark));
}
