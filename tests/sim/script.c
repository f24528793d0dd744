/*
 * Runs a scenario: a text file of settings, things said and things expected, line by line.
 */
#include "sim/script.h"

#include "base/mem.h"
#include "sim/creds.h"
#include "sim/rehearse.h"
#include "sim/script_line.h"
#include "sim/standby.h"

enum { SCRIPT_BYTES = 1 << 20, QUIET_MS = 300000 };

/* ------------------------------------------------------------------ what peers say */

/* The listener that a peer would be configured with: the first of its transport and family. */
static bool
default_server(struct script *s, const struct peer *p, struct hop *to)
{
    list_each (node, after, &s->world.sipds) {
        struct sim_sipd *sipd = container_of(node, struct sim_sipd, link);

        for (unsigned i = 0; i < sipd->listeners_len; i++) {
            *to = sipd->listeners[i].at;
            if (to->transport == p->at.transport && hop_is_v4(to) == hop_is_v4(&p->at))
                return true;
        }
    }
    return false;
}

static void
read_lines(struct script *s, struct buf *extra, struct buf *body)
{
    struct line line;

    while (script_next_indented(s, &line)) {
        bool is_body = line.text.at[0] == '|';

        buf_put(is_body ? body : extra, is_body ? span_trim(span_skip(line.text, 1)) : line.text);
        buf_put(is_body ? body : extra, SPAN("\r\n"));
    }
}

static void
say(struct script *s, struct peer *p, const struct line *line)
{
    bool response = line_word(line, 2).len > 0 && line_word(line, 2).at[0] >= '0' &&
                    line_word(line, 2).at[0] <= '9';
    bool has_uri =
        !response && line->words_len > 3 && !line_is(line, 3, "to") && !line_is(line, 3, "with");
    struct peer_say what = { .what = line_word(line, 2) };
    struct span to_text = line_after(line, "to"), password = line_after(line, "with");
    const char *why = "it cannot be said";
    struct buf extra, body;
    struct span bytes;
    struct hop to;

    buf_init(&extra, SCRIPT_BYTES);
    buf_init(&body, SCRIPT_BYTES);
    if (has_uri)
        what.uri = line_word(line, 3);
    if (response)
        what.about = line_word(line, 3);
    read_lines(s, &extra, &body);
    if (password.len > 0)
        creds_write(p, what.what, what.uri, password, &extra);
    what.extra = buf_span(&extra);
    what.body = buf_span(&body);
    bytes = peer_write(p, &what, &why);
    buf_fini(&extra);
    buf_fini(&body);
    if (bytes.len == 0)
        script_blame(s, "%s", why);
    else if (response)
        world_say(&s->world, p, &p->last_to, bytes);
    else if (to_text.len > 0 ? world_hop_read(to_text, &to) : default_server(s, p, &to))
        world_say(&s->world, p, &to, bytes);
    else
        script_blame(s, "%.*s has nowhere to send to", SPAN_ARG(p->name));
}

/* ------------------------------------------------------------------ the rest */

static void
start_all(struct script *s)
{
    unsigned n = 0;

    if (s->started)
        return;
    s->started = true;
    list_each (node, after, &s->world.sipds) {
        struct sim_sipd *sipd = container_of(node, struct sim_sipd, link);

        sim_start(sipd);
        if (s->kill && n++ == s->kill->sipd && s->kill->parted_for == 0)
            standby_kill_after(sipd->standby, s->kill->after);
        else if (s->kill && n == s->kill->sipd + 1)
            standby_part_after(sipd->standby, s->kill->after, s->kill->parted_for);
    }
    if (s->outage)
        world_fail_memory(&s->world, s->outage->after, s->outage->ms);
}

static void
check_no_state(struct script *s)
{
    script_check_unheard(s);
    list_each (node, after, &s->world.sipds) {
        struct sim_sipd *sipd = container_of(node, struct sim_sipd, link);
        struct core_stats stats;

        core_stats(sipd->core, &stats);
        if (stats.trips + stats.branches + stats.transactions + stats.pending > 0)
            world_fail(&s->world,
                       "%.*s still holds %u trips, %u branches, %u transactions, %u pending",
                       SPAN_ARG(sipd->name), stats.trips, stats.branches, stats.transactions,
                       stats.pending);
        if (sipd->standby) {
            standby_catch_up(sipd);
            standby_compare_modules(sipd);
        }
    }
}

static void
cut(struct script *s, struct peer *p)
{
    list_each (node, after, &s->world.sipds)
        (void)sim_cut(container_of(node, struct sim_sipd, link), &p->seen);
    p->away = true;
}

static struct sim_sipd *
find_sipd(struct script *s, struct span name)
{
    list_each (node, after, &s->world.sipds) {
        struct sim_sipd *sipd = container_of(node, struct sim_sipd, link);

        if (span_eq(sipd->name, name))
            return sipd;
    }
    return NULL;
}

/* The addresses of a peer or a sipd; none: there is neither of this name. */
static unsigned
addresses(struct script *s, struct span name, struct hop at[8])
{
    const struct sim_sipd *sipd = find_sipd(s, name);
    const struct peer *p = world_peer(&s->world, name);

    if (p)
        at[0] = p->seen;
    for (unsigned i = 0; !p && sipd && i < sipd->listeners_len; i++)
        at[i] = sipd->listeners[i].at;
    return p ? 1 : sipd ? sipd->listeners_len : 0;
}

static void
part(struct script *s, const struct line *line)
{
    struct hop a[8], b[8];
    unsigned a_len = addresses(s, line_word(line, 1), a),
             b_len = addresses(s, line_word(line, 2), b);
    uint64_t ms = 0;

    if (a_len == 0 || b_len == 0 ||
        (line->words_len > 3 && !line_ms_read(line_after(line, "for"), &ms)))
        world_fail(&s->world, "cut A B [for 5s], both known");
    for (unsigned i = 0; i < a_len; i++)
        for (unsigned j = 0; j < b_len; j++)
            wire_cut(&s->world.wire, &a[i], &b[j],
                     ms > 0 ? s->world.clock.now_ms + ms : UINT64_MAX);
}

static void
slow(struct script *s, const struct line *line)
{
    struct hop at[8];
    unsigned n = addresses(s, line_word(line, 1), at);
    uint64_t ms;

    if (n == 0 || !line_ms_read(line_word(line, 2), &ms))
        world_fail(&s->world, "slow NAME 500ms");
    for (unsigned i = 0; s->world.fault.len == 0 && i < n; i++)
        wire_slow(&s->world.wire, &at[i], (uint32_t)ms);
}

static void
narrow(struct script *s, const struct line *line)
{
    struct hop at[8];
    unsigned n = addresses(s, line_word(line, 1), at);
    uint32_t mtu = 0;

    if (n == 0 || !span_u32(line_word(line, 2), 65535, &mtu))
        world_fail(&s->world, "narrow NAME 1000");
    for (unsigned i = 0; s->world.fault.len == 0 && i < n; i++)
        wire_narrow(&s->world.wire, &at[i], mtu);
}

static void
load(struct script *s, const struct line *line)
{
    struct sim_sipd *sipd = find_sipd(s, line_word(line, 1));
    struct span lag = line_after(line, "lag"), queue = line_after(line, "queue");
    uint64_t ms = 0;
    uint32_t percent = 0;

    if (!sipd || (lag.len > 0 && !line_ms_read(lag, &ms)) ||
        (queue.len > 0 && !span_u32(queue, 100, &percent))) {
        world_fail(&s->world, "load SIPD [lag 200ms] [queue 80]");
        return;
    }
    sipd->load = (struct core_load){ (uint32_t)ms, percent };
}

/* Somebody sets the wall clock; the one that never goes back knows nothing of it. */
static void
set_clock(struct script *s, const struct line *line)
{
    bool back = line_is(line, 1, "back");
    uint64_t ms;

    if ((!back && !line_is(line, 1, "forward")) || !line_ms_read(line_word(line, 2), &ms)) {
        world_fail(&s->world, "clock forward 3600s, or clock back 3600s");
        return;
    }
    s->world.clock.wall_s += back ? -(int64_t)(ms / 1000) : (int64_t)(ms / 1000);
}

static void
drain(struct script *s)
{
    list_each (node, after, &s->world.sipds) {
        struct sim_sipd *sipd = container_of(node, struct sim_sipd, link);

        core_drain(sipd->core, true, 5);
        if (sipd->standby)
            core_drain(standby_core(sipd->standby), true, 5);
    }
}

/* How much was said since the last such line? */
static void
check_traffic(struct script *s, const struct line *line)
{
    uint32_t most;

    if (!span_u32(line_word(line, 1), 1000000, &most))
        world_fail(&s->world, "most N");
    else if (!s->kill && s->world.wire.sent - s->counted > most) /* a standby asks once more */
        script_blame(s, "%llu messages were sent",
                     (unsigned long long)(s->world.wire.sent - s->counted));
    s->counted = s->world.wire.sent;
}

static void
act_alone(struct script *s, const struct line *line)
{
    struct peer *p = world_peer(&s->world, line_word(line, 1));
    uint64_t ms;

    if (line_is(line, 0, "wait") && line_ms_read(line_word(line, 1), &ms))
        world_run(&s->world, s->world.clock.now_ms + ms, NULL);
    else if (line_is(line, 0, "quiet"))
        world_run(&s->world, s->world.clock.now_ms + QUIET_MS, NULL);
    else if (line_is(line, 0, "drain"))
        drain(s);
    else if (line_is(line, 0, "clock"))
        set_clock(s, line);
    else if (line_is(line, 0, "load"))
        load(s, line);
    else if (line_is(line, 0, "most"))
        check_traffic(s, line);
    else if (line_is(line, 0, "cut") && line->words_len > 2)
        part(s, line);
    else if (line_is(line, 0, "cut") && p)
        cut(s, p);
    else if (line_is(line, 0, "heal"))
        wire_heal(&s->world.wire, s->world.clock.now_ms);
    else if (line_is(line, 0, "slow"))
        slow(s, line);
    else if (line_is(line, 0, "narrow"))
        narrow(s, line);
    else if (line_is(line, 0, "spare") && p)
        wire_spare(&s->world.wire, &p->seen);
    else if (line_is(line, 0, "deaf") && p)
        p->deaf = true;
    else
        world_fail(&s->world, "a line that means nothing");
    if (line_is(line, 0, "quiet"))
        check_no_state(s);
}

static void
act(struct script *s, const struct line *line)
{
    struct peer *p = world_peer(&s->world, line_word(line, 0));

    start_all(s);
    if (!p)
        act_alone(s, line);
    else if (line_is(line, 1, ">"))
        say(s, p, line);
    else if (line_is(line, 1, "<"))
        script_hear(s, p, line);
    else if (line_is(line, 1, "repeats"))
        script_check_repeats(s, p, line);
    else if (line_is(line, 1, "again") && p->last_sent.len == 0)
        script_blame(s, "%.*s said nothing yet", SPAN_ARG(p->name));
    else if (line_is(line, 1, "again"))
        world_say(&s->world, p, &p->last_to, p->last_sent);
    else
        world_fail(&s->world, "a line that means nothing");
}

static bool
read_file(const char *path, struct buf *to)
{
    FILE *file = fopen(path, "rb");
    char *room;
    size_t n;

    if (!file)
        return false;
    while ((room = buf_reserve(to, 4096)) && (n = fread(room, 1, 4096, file)) > 0)
        to->len += n;
    fclose(file);
    return to->err == SIPD_OK;
}

static bool
run(struct script *s, const char *path, uint64_t seed, struct buf *out)
{
    struct line line;
    struct buf file;
    bool ok;

    buf_init(&file, SCRIPT_BYTES);
    world_init(&s->world, seed);
    s->world.standbys = s->kill != NULL;
    if (s->rehearsed)
        s->world.rehearsals = rehearse_new(&s->world);
    if (!read_file(path, &file))
        world_fail(&s->world, "the file cannot be read");
    s->text = buf_span(&file);
    while (s->world.fault.len == 0 && script_next(s, &line))
        if (!script_set(s, &line))
            act(s, &line);
    if (s->outage && s->started) {
        s->outage->came = world_mend_memory(&s->world);
        world_run(&s->world, s->world.clock.now_ms + QUIET_MS, NULL);
        check_no_state(s);
    }
    if (s->kill)
        s->kill->came = s->world.killed || s->world.parts > 0;
    if (s->rehearsed && s->world.fault.len == 0)
        *s->rehearsed = rehearse_compare(s->world.rehearsals);
    ok = s->world.fault.len == 0;
    if (!ok)
        buf_printf(out, "%s:%u: %.*s\nseed %llu\n%.*s", path, s->number,
                   SPAN_ARG(buf_span(&s->world.fault)), (unsigned long long)seed,
                   SPAN_ARG(buf_span(&s->world.ladder)));
    world_fini(&s->world);
    rehearse_free(&s->world.rehearsals);
    script_remove_users(s);
    buf_fini(&file);
    return ok;
}

bool
script_run(const char *path, uint64_t seed, struct buf *out)
{
    struct script s = { .number = 0 };

    return run(&s, path, seed, out);
}

bool
script_run_killed(const char *path, uint64_t seed, struct script_kill *kill, struct buf *out)
{
    struct script s = { .kill = kill };

    return run(&s, path, seed, out);
}

bool
script_run_rehearsed(const char *path, uint64_t seed, unsigned *rehearsed, struct buf *out)
{
    struct script s = { .rehearsed = rehearsed };

    return run(&s, path, seed, out);
}

unsigned
script_sipds(const char *path)
{
    struct script s = { .number = 0 };
    struct line line;
    struct buf file;
    unsigned sipds = 0;

    buf_init(&file, SCRIPT_BYTES);
    if (read_file(path, &file))
        s.text = buf_span(&file);
    while (script_next(&s, &line))
        sipds += line_is(&line, 0, "sipd");
    buf_fini(&file);
    return sipds;
}

bool
script_run_short(const char *path, uint64_t seed, struct script_outage *outage, struct buf *out)
{
    struct script s = { .outage = outage };
    uint64_t live = mem_live();
    bool ok = run(&s, path, seed, out);

    if (ok && mem_live() != live)
        buf_printf(out, "%s: %llu blocks of memory are left\n", path,
                   (unsigned long long)(mem_live() - live));
    return ok && mem_live() == live;
}
