/*
 * What it costs to read an INVITE and to write it anew as a proxy does, beside yardsticks measured in the same breath.
 *
 * CPU time, and rows take turns of a millisecond or two, so a busy neighbour slows all of them alike: trust the ratios.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "parse/invite.h"
#include "scan/scan.h"
#include "sip/draft.h"
#include "sip/frame.h"

enum { ROUNDS = 61, PASSES = 4, ROWS_MAX = 28, BATCH = 64 };

struct row {
    const char *name;
    const char *scan; /* who scans; NULL: no matter */
    bool (*read)(struct span bytes);
    const struct span *messages; /* INVITES of them; NULL: the INVITEs */
    double ns[ROUNDS];
};

static struct span invites[INVITES], briefs[BRIEFS][INVITES];
static struct arena turn;

/* ---------------------------------------------------------------- yardsticks */

static bool
newlines(struct span bytes)
{
    unsigned found = 0;

    while (bytes.len > 0) {
        (void)span_cut(&bytes, '\n');
        found++;
    }
    return found > 16;
}

static bool
copy(struct span bytes)
{
    static char to[4096];

    memcpy(to, bytes.at, bytes.len);
    __asm__ volatile("" : : "r"(to) : "memory");
    return true;
}

/* ---------------------------------------------------------------- ours */

static bool
lines(struct span bytes)
{
    struct scan_line found[BATCH];
    bool odd = false;

    return scan_lines(bytes, 0, found, BATCH, &odd) == 17 && !odd;
}

static bool
head_end(struct span bytes)
{
    return scan_head_end(bytes, 0) > 0;
}

static bool
frame(struct span bytes)
{
    struct frame frame;

    frame_datagram(bytes, &frame);
    return frame.kind == FRAME_MESSAGE && frame.len == bytes.len;
}

static bool
index_only(struct span bytes)
{
    struct msg msg;

    return !msg_read(bytes, &turn, &msg) && msg.fields_len == 15;
}

static bool
index_and_gist(struct span bytes)
{
    struct msg msg;
    struct gist gist;

    if (msg_read(bytes, &turn, &msg))
        return false;
    gist_read(&msg, &gist);
    return gist.fault == 0 && gist.max_forwards == 69;
}

static bool
brief(struct span bytes)
{
    struct msg msg;
    struct gist gist;

    if (msg_read(bytes, &turn, &msg))
        return false;
    gist_read(&msg, &gist);
    return gist.fault == 0 && gist.has_to_tag;
}

static bool
forward(struct span bytes)
{
    struct msg msg;
    struct gist gist;
    struct draft draft;
    struct span out;

    if (msg_read(bytes, &turn, &msg))
        return false;
    gist_read(&msg, &gist);
    draft_init(&draft, &msg, &turn);
    draft_set_uri(&draft, SPAN("sip:bob@192.0.2.201:5060;transport=udp"));
    draft_lower_max_forwards(&draft, &gist);
    draft_push_record_route(&draft, SPAN("<sip:n5wvkzkq4xtz2n7m@proxy.example.com:5060;lr>"));
    draft_stamp_via(&draft, &gist, SPAN("192.0.2.4"), 5060);
    draft_push_via(&draft, &gist,
                   SPAN("SIP/2.0/UDP proxy.example.com:5060;branch=z9hG4bK7c3ahw5v2rmnqk4z"));
    return !draft_render(&draft, &turn, &out) && out.len > bytes.len;
}

/* ---------------------------------------------------------------- the table */

enum { MEMCHR, GIST }; /* the yardsticks */

static struct row rows[ROWS_MAX] = {
    [MEMCHR] = { .name = "memchr for newlines", .read = newlines },
    [GIST] = { .name = "index + gist", .scan = "", .read = index_and_gist },
    { .name = "memcpy", .read = copy },
    { .name = "scan lines, plain", .scan = "plain", .read = lines },
    { .name = "scan lines", .scan = "", .read = lines },
    { .name = "scan head end, plain", .scan = "plain", .read = head_end },
    { .name = "scan head end", .scan = "", .read = head_end },
    { .name = "frame_datagram", .scan = "", .read = frame },
    { .name = "index, plain", .scan = "plain", .read = index_only },
    { .name = "index", .scan = "", .read = index_only },
    { .name = "index + gist + edits + render", .scan = "", .read = forward },
    { .name = "180: index + gist", .scan = "", .read = brief, .messages = briefs[BRIEF_180] },
    { .name = "200 with SDP: index + gist",
      .scan = "",
      .read = brief,
      .messages = briefs[BRIEF_200] },
    { .name = "ACK: index + gist", .scan = "", .read = brief, .messages = briefs[BRIEF_ACK] },
    { .name = "BYE: index + gist", .scan = "", .read = brief, .messages = briefs[BRIEF_BYE] },
};

static unsigned
rows_fill(void)
{
    unsigned n = 0;

    peers_init();
    while (rows[n].name)
        n++;
    for (const struct peer *peer = peers; peer->name && n < ROWS_MAX; peer++)
        rows[n++] = (struct row){ .name = peer->name, .read = peer->read };
    return n;
}

static double
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Every message a few times; the arena ends with each batch of them, as a turn does. ns a message. */
static double
run(const struct row *row)
{
    const struct span *messages = row->messages ? row->messages : invites;
    double from = now_ns();

    for (unsigned pass = 0; pass < PASSES; pass++) {
        for (unsigned i = 0; i < INVITES; i++) {
            if (i % BATCH == 0)
                arena_reset(&turn);
            if (!row->read(messages[i])) {
                fprintf(stderr, "parse: %s misread message %u\n", row->name, i);
                exit(1);
            }
        }
    }
    return (now_ns() - from) / (PASSES * INVITES);
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

static double
ratio(const double ns[ROUNDS], const double yardstick[ROUNDS])
{
    double ratios[ROUNDS];

    for (unsigned i = 0; i < ROUNDS; i++)
        ratios[i] = ns[i] / yardstick[i];
    return median(ratios);
}

static void
print(struct row *row, const double memchr_ns[ROUNDS], const double gist_ns[ROUNDS])
{
    double by_memchr = ratio(row->ns, memchr_ns), by_gist = ratio(row->ns, gist_ns),
           middle = median(row->ns);

    printf("  %-32s %6.0f [%5.0f..%5.0f]  %8.2f %6.2f\n", row->name, middle, row->ns[0],
           row->ns[ROUNDS - 1], by_memchr, by_gist);
}

int
main(void)
{
    double memchr_ns[ROUNDS], gist_ns[ROUNDS];
    size_t bytes = 0;
    unsigned n;

    for (unsigned i = 0; i < INVITES; i++) {
        invites[i] = invite_make(i);
        bytes += invites[i].len;
        for (unsigned kind = 0; kind < BRIEFS; kind++)
            briefs[kind][i] = brief_make((enum brief)kind, i);
    }
    arena_init(&turn, 1 << 20);
    n = rows_fill();
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < n; i++) {
            if (rows[i].scan && !scan_choose(span_of(rows[i].scan)))
                continue;
            rows[i].ns[round] = run(&rows[i]);
        }
    }
    arena_fini(&turn);
    memcpy(memchr_ns, rows[MEMCHR].ns, sizeof memchr_ns);
    memcpy(gist_ns, rows[GIST].ns, sizeof gist_ns);
    printf("parse: INVITE of %zu bytes, %d of them in turn; scanner %s\n", bytes / INVITES, INVITES,
           scan_chosen->name);
    printf("  %-32s %6s %s  x memchr x gist\n", "", "ns", "[lowest..highest]");
    for (unsigned i = 0; i < n; i++)
        print(&rows[i], memchr_ns, gist_ns);
    return 0;
}
