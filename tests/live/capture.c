/*
 * Every packet that sipd sends, looked at by tshark and then by us: not one may be malformed (RFC 3261 §7, §8.1.1,
 * §25).
 */
#include "live/capture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/def.h"
#include "live/server.h"

enum { STEP_MS = 20, REPORT_BYTES = 3000 };

#define BETWEEN "\x1f" /* occurrences of one field; no header field has it */

/* ---------------------------------------------------------------- recording */

bool
capture_start(struct capture *c, uint16_t port)
{
    char filter[64];
    const char *argv[] = { "dumpcap", "-q",   "-B", "16",    "-i", "lo",
                           "-f",      filter, "-w", c->file, NULL };

    memset(c, 0, sizeof *c);
    c->port = port;
    snprintf(filter, sizeof filter, "portrange %u-%u", port, port + PROC_PEER_PORTS);
    snprintf(c->file, sizeof c->file, "%s/capture.pcapng", proc_dir());
    proc_start(&c->proc, "dumpcap", argv);
    if (proc_says(&c->proc, "File:", PROC_PATIENCE_MS))
        return true;
    proc_stop(&c->proc);
    proc_skip("the judgement of packets by tshark", proc_output(&c->proc));
    return false;
}

void
capture_stop(struct capture *c)
{
    proc_stop(&c->proc);
}

static bool
file_has(const char *path, const char *text)
{
    size_t len = strlen(text), kept = 0;
    char window[65536];
    FILE *file = fopen(path, "rb");
    bool found = false;

    ck_assert_ptr_nonnull(file);
    for (size_t n; !found && (n = fread(window + kept, 1, sizeof window - kept, file)) > 0;) {
        size_t all = kept + n;

        found = memmem(window, all, text, len) != NULL;
        kept = all < len ? all : len;
        memmove(window, window + all - kept, kept);
    }
    fclose(file);
    return found;
}

/* Packets reach the file late: the last that is sent tells when all before it have. */
static void
flush(const struct capture *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(c->port) };
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
    char marker[64];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(marker, sizeof marker, "the capture of %d ends here", (int)getpid());
    while (!file_has(c->file, marker)) {
        ck_assert_msg(proc_now_ms() < until, "the capture does not end:\n%s",
                      proc_output(&c->proc));
        (void)sendto(fd, marker, strlen(marker), 0, (struct sockaddr *)&to, sizeof to);
        proc_pause(STEP_MS);
    }
    close(fd);
}

/* ---------------------------------------------------------------- judging */

/* What is asked of tshark for each frame. */
enum field {
    FRAME,
    METHOD,
    STATUS,
    FROM,
    TO,
    CALL_ID,
    CSEQ,
    CSEQ_METHOD,
    MAX_FORWARDS,
    VIA,
    CONTENT_LENGTH,
    TCP,
    EXPERT,
    SEVERITY,
    MALFORMED,
    FIELDS
};

static const char *const field_names[FIELDS] = {
    "frame.number",
    "sip.Method",
    "sip.Status-Code",
    "sip.From",
    "sip.To",
    "sip.Call-ID",
    "sip.CSeq",
    "sip.CSeq.method",
    "sip.Max-Forwards",
    "sip.Via",
    "sip.Content-Length",
    "tcp.srcport",
    "_ws.expert.message",
    "_ws.expert.severity",
    "_ws.malformed",
};

static void
run_tshark(const struct capture *c, struct proc *tshark)
{
    char udp[48], tcp[48], filter[256];
    unsigned last = c->port + (unsigned)PROC_PEER_PORTS;
    const char *argv[64] = { "tshark", "-n",
                             "-r",     c->file,
                             "-d",     udp,
                             "-d",     tcp,
                             "-Y",     c->filter ? c->filter : filter,
                             "-T",     "fields",
                             "-E",     "separator=/t",
                             "-E",     "occurrence=a",
                             "-E",     "aggregator=" BETWEEN };
    size_t n = 0;

    while (argv[n])
        n++;
    for (size_t i = 0; i < FIELDS; i++) {
        argv[n++] = "-e";
        argv[n++] = field_names[i];
    }
    snprintf(udp, sizeof udp, "udp.port==%u,sip", c->port);
    snprintf(tcp, sizeof tcp, "tcp.port==%u-%u,sip", c->port, last);
    snprintf(filter, sizeof filter,
             "(udp.srcport == %u || tcp.srcport == %u || (tcp.dstport > %u && tcp.dstport <= %u)) "
             "&& (sip || _ws.malformed)",
             c->port, c->port, c->port, last);
    ck_assert_msg(proc_run(tshark, "tshark", PROC_PATIENCE_MS, argv), "tshark failed:\n%s",
                  proc_output(tshark));
}

static unsigned
occurrences(const char *values)
{
    unsigned n = *values != '\0';

    for (; *values; values++)
        n += *values == BETWEEN[0];
    return n;
}

/* Does the topmost Via say that it was sent by us? */
static bool
is_by_us(const char *vias, uint16_t port)
{
    char sent_by[16];
    const char *at;

    snprintf(sent_by, sizeof sent_by, ":%u;", port);
    at = strstr(vias, sent_by);
    return at && at < vias + strcspn(vias, BETWEEN);
}

/* Has the topmost Via, wherever its parameters stand, a branch with the cookie (RFC 3261 §8.1.1.7)? */
static bool
has_cookie(const char *vias)
{
    const char *at = strstr(vias, ";branch=z9hG4bK");

    return at && at < vias + strcspn(vias, BETWEEN);
}

static bool
has_warning(const char *severities)
{
    enum { WARNING = 0x00600000 };

    for (const char *at = severities; *at; at += strcspn(at, BETWEEN), at += *at != '\0')
        if (strtoul(at, NULL, 0) >= WARNING)
            return true;
    return false;
}

/* What is wrong with a frame, or NULL. One segment may hold several messages. */
static const char *
fault_of(const struct capture *c, char *const at[FIELDS])
{
    static const enum field once[] = { FROM, TO, CALL_ID, CSEQ };
    unsigned requests = occurrences(at[METHOD]), messages = requests + occurrences(at[STATUS]);

    if (*at[MALFORMED])
        return "malformed";
    if (has_warning(at[SEVERITY]))
        return "tshark warns";
    for (size_t i = 0; i < countof(once); i++)
        if (occurrences(at[once[i]]) != messages)
            return "From, To, Call-ID or CSeq is not there once";
    if (occurrences(at[MAX_FORWARDS]) != requests)
        return "Max-Forwards is not there once";
    if (requests > 0 && messages == requests && strcmp(at[METHOD], at[CSEQ_METHOD]) != 0)
        return "CSeq has another method";
    if (!c->filter && messages == 1 && is_by_us(at[VIA], c->port) != (requests == 1))
        return requests == 1 ? "our Via is not on top" : "our Via is still there";
    if (requests == 1 && !has_cookie(at[VIA]))
        return "our branch has no cookie";
    if (*at[TCP] && occurrences(at[CONTENT_LENGTH]) != messages)
        return "Content-Length is not there once";
    return NULL;
}

/* Splits a line of tshark's; false: it is none with fields. */
static bool
split(char *line, char *at[FIELDS])
{
    size_t n = 0;

    if (*line < '0' || *line > '9')
        return false;
    for (char *field = line; field && n < FIELDS; n++)
        at[n] = strsep(&field, "\t");
    return n == FIELDS && *at[FRAME];
}

static void
judge(const struct capture *c)
{
    char report[REPORT_BYTES] = "", *at[FIELDS], *line = NULL;
    unsigned judged = 0, bad = 0;
    struct proc tshark;
    size_t room = 0, n = 0;
    FILE *lines;

    run_tshark(c, &tshark);
    lines = fopen(tshark.log, "r");
    ck_assert_ptr_nonnull(lines);
    while (getline(&line, &room, lines) > 0) {
        const char *fault;

        line[strcspn(line, "\n")] = '\0';
        if (!split(line, at))
            continue;
        judged++;
        fault = fault_of(c, at);
        bad += fault != NULL;
        if (fault && n < sizeof report)
            n +=
                (size_t)snprintf(report + n, sizeof report - n, "%s: frame %s %s%s %s: %s\n", fault,
                                 at[FRAME], at[METHOD], at[STATUS], at[CALL_ID], at[EXPERT]);
    }
    free(line);
    fclose(lines);
    ck_assert_msg(bad == 0, "%u of %u packets are not as they should be:\n%s", bad, judged, report);
    ck_assert_msg(judged > 0, "no packet was recorded:\n%s", proc_output(&tshark));
}

void
capture_judge(struct capture *c)
{
    flush(c);
    judge(c);
}

void
capture_judge_file(const char *file, const char *filter)
{
    struct capture c = { .port = 5060, .filter = filter };

    snprintf(c.file, sizeof c.file, "%s", file);
    judge(&c);
}

/* ---------------------------------------------------------------- a suite's */

static struct capture suite_capture;
static bool recording;

static void
begin(void)
{
    uint16_t port = proc_server_port();

    server_use_port(port);
    recording = capture_start(&suite_capture, port);
}

static void
end(void)
{
    if (recording)
        capture_stop(&suite_capture);
    recording = false;
    server_use_port(0);
}

START_TEST(every_packet_was_well_formed)
{
    if (recording)
        capture_judge(&suite_capture);
}
END_TEST

void
capture_before(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, begin, end);
}

void
capture_after(TCase *tcase)
{
    tcase_add_test(tcase, every_packet_was_well_formed);
}
