/*
 * Runs a scenario: a text file of settings, things said and things expected, line by line.
 */
#include "sim/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "lib/folder.h"
#include "sim/creds.h"
#include "sim/modules.h"
#include "sim/rehearse.h"
#include "sim/standby.h"
#include "sim/world.h"
#include "sip/addr.h"

enum {
    WORDS = 16,
    SCRIPT_BYTES = 1 << 20,
    SHORT_MS = 100,
    QUIET_MS = 300000,
    KILLED_MS = 5000,
    TOGETHER_MS = 5
};

struct line {
    unsigned number;
    struct span text; /* without the indent */
    bool indented;
    struct span words[WORDS];
    unsigned words_len;
};

struct script {
    struct world world;
    struct sim_sipd *sipd; /* the one being described */
    bool started;
    struct span text;                /* what is left of the file */
    unsigned number;                 /* of the line at hand */
    uint64_t counted;                /* messages sent until the last `most` */
    const struct peer_heard *heard;  /* what the checks are about */
    char folder[FOLDER_BYTES];       /* of the users' files; empty: there are none */
    unsigned files;                  /* in it: a number each */
    const struct sim_sipd *users_of; /* … and whose the last one is */
    struct script_kill *kill;        /* one of the sipds; NULL: none */
    unsigned *rehearsed; /* every request is run dry before, and so many were; NULL: none */
    struct script_outage *outage; /* memory fails: what is expected need not come; NULL: it must */
};

/* What was expected did not come. */
static void blame(struct script *s, const char *format, ...) PRINTF_LIKE(2, 3);

static void
blame(struct script *s, const char *format, ...)
{
    char text[4000];
    va_list args;

    if (s->outage)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    world_fail(&s->world, "%s", text);
}

static void
split(struct line *line)
{
    struct span rest = line->text;

    line->words_len = 0;
    while (line->words_len < WORDS && (rest = span_trim(rest)).len > 0)
        line->words[line->words_len++] = span_cut(&rest, ' ');
}

/* The next line that says something; false at the end. Comments begin with # at the start of a line. */
static bool
peek(const struct script *s, struct line *line, struct span *after, unsigned *number)
{
    struct span rest = s->text;

    *number = s->number;
    while (rest.len > 0) {
        struct span raw = span_cut(&rest, '\n');
        struct span text = span_trim(raw);

        ++*number;
        if (text.len == 0 || text.at[0] == '#')
            continue;
        line->number = *number;
        line->indented = raw.at[0] == ' ' || raw.at[0] == '\t';
        line->text = text;
        split(line);
        *after = rest;
        return true;
    }
    return false;
}

static bool
next(struct script *s, struct line *line)
{
    return peek(s, line, &s->text, &s->number);
}

/* As next, but only an indented line. */
static bool
next_indented(struct script *s, struct line *line)
{
    struct span after;
    unsigned number;

    if (!peek(s, line, &after, &number) || !line->indented)
        return false;
    s->text = after;
    s->number = number;
    return true;
}

static struct span
word(const struct line *line, unsigned n)
{
    return n < line->words_len ? line->words[n] : (struct span){ NULL, 0 };
}

static bool
is_word(const struct line *line, unsigned n, const char *text)
{
    return span_eq(word(line, n), span_of(text));
}

/* The word behind a key word; empty if the key word is not there. */
static struct span
after_word(const struct line *line, const char *key)
{
    for (unsigned i = 1; i + 1 < line->words_len; i++)
        if (is_word(line, i, key))
            return line->words[i + 1];
    return (struct span){ NULL, 0 };
}

/* What stands in the line from word n on. */
static struct span
from_word(const struct line *line, unsigned n)
{
    return n < line->words_len ? span_between(line->words[n].at, span_end(line->text))
                               : (struct span){ NULL, 0 };
}

/* "500ms", "2s". */
static bool
read_ms(struct span text, uint64_t *ms)
{
    uint64_t n;
    bool milli = text.len > 2 && text.at[text.len - 2] == 'm';

    if (text.len < 2 || text.at[text.len - 1] != 's' ||
        !span_u64(span_head(text, text.len - (milli ? 2 : 1)), 1000000, &n))
        return false;
    *ms = milli ? n : n * 1000;
    return true;
}

/* ------------------------------------------------------------------ settings */

static void
set_listen(struct script *s, const struct line *line)
{
    static const char *const rports[] = { "asked", "private", "always" };
    struct span rport = after_word(line, "rport");
    struct hop at;

    if (!world_hop_read(word(line, 1), &at)) {
        world_fail(&s->world, "no address to listen on");
        return;
    }
    for (uint8_t i = 0; i < countof(rports); i++)
        if (span_eq(rport, span_of(rports[i]))) {
            sim_listen(s->sipd, &at, i);
            return;
        }
    sim_listen(s->sipd, &at, 0);
}

static void
set_number(struct script *s, struct span key, struct span value)
{
    struct core_conf *conf = &s->sipd->conf;
    const struct {
        const char *key;
        uint32_t *to;
        uint32_t unit;
    } numbers[] = {
        { "no_answer_s", &conf->no_answer_ms, 1000 },
        { "timer_c_s", &conf->timer_c_ms, 1000 },
        { "silent_ms", &conf->silent_ms, 1 },
        { "trying_ms", &conf->trying_ms, 1 },
        { "transactions", &conf->transactions, 1 },
        { "max_targets", &conf->max_targets, 1 },
        { "max_breadth", &conf->max_breadth, 1 },
        { "source_per_s", &conf->flood.per_s, 1 },
        { "user_per_s", &conf->flood.user_per_s, 1 },
        { "source_register_per_s", &conf->flood.register_per_s, 1 },
        { "burst_s", &conf->flood.burst_s, 1 },
    };
    uint32_t n;

    for (size_t i = 0; i < countof(numbers); i++)
        if (span_eq(key, span_of(numbers[i].key)) && span_u32(value, 1000000, &n)) {
            *numbers[i].to = n * numbers[i].unit;
            return;
        }
    world_fail(&s->world, "no such setting, or no such value");
}

static void
set_value(struct script *s, const struct line *line)
{
    struct span key = word(line, 1), value = word(line, 2);
    struct core_conf *conf = &s->sipd->conf;

    if (span_eq(key, SPAN("mode")))
        conf->mode = span_eq(value, SPAN("stateless")) ? CORE_STATELESS : CORE_STATEFUL;
    else if (span_eq(key, SPAN("stray")))
        conf->stray = span_eq(value, SPAN("verified")) ? CORE_STRAY_VERIFIED : CORE_STRAY_DROP;
    else if (span_eq(key, SPAN("recurse")))
        conf->recurse = span_eq(value, SPAN("on"));
    else if (span_eq(key, SPAN("record_route")))
        conf->record_route = span_eq(value, SPAN("on"));
    else if (span_eq(key, SPAN("path")))
        conf->path = span_eq(value, SPAN("on"));
    else if (span_eq(key, SPAN("fork")))
        conf->fork = span_eq(value, SPAN("q")) ? CORE_FORK_Q : CORE_FORK_PARALLEL;
    else if (span_eq(key, SPAN("flood")))
        conf->flood.drops = span_eq(value, SPAN("drop"));
    else if (span_eq(key, SPAN("relay")))
        conf->relay = span_eq(value, SPAN("any")) ? CORE_RELAY_ANY : CORE_RELAY_OURS;
    else
        set_number(s, key, value);
}

static struct span
aor_of(struct script *s, struct span text)
{
    struct uri uri;
    char *to = arena_alloc(&s->world.arena, text.len + 8);
    int len = uri_read(text, &uri) == SIPD_OK ? uri_aor_write(&uri, to, text.len + 8) : -1;

    if (len < 0) {
        world_fail(&s->world, "no address of record: %.*s", SPAN_ARG(text));
        len = 0;
    }
    return (struct span){ to, (size_t)len };
}

static void
set_where(struct script *s, const struct line *line)
{
    struct span q = after_word(line, "q"), over = after_word(line, "over");
    struct sipd_target target = { .uri = word(line, 2), .q = 1000 };

    if (q.len > 0 && !addr_q_read(q, &target.q))
        world_fail(&s->world, "no q value");
    if (over.len > 0 && !world_hop_read(over, &target.hop))
        world_fail(&s->world, "no address to reach it over");
    sim_add_where(s->sipd, aor_of(s, word(line, 1)), &target,
                  over.len > 0 && hop_is_reliable(target.hop.transport));
}

static void
set_peer(struct script *s, const struct line *line)
{
    struct span behind = after_word(line, "behind"), of = after_word(line, "of");
    struct peer *p;
    struct hop at;
    char text[128];

    if (!world_hop_read(word(line, 2), &at)) {
        world_fail(&s->world, "no address for a peer");
        return;
    }
    p = world_add_peer(&s->world, word(line, 1), &at, of.len > 0 ? of : SPAN("example.com"));
    if (behind.len == 0)
        return;
    snprintf(text, sizeof text, "%.*s:%.*s", SPAN_ARG(hop_transport_uri(at.transport)),
             SPAN_ARG(behind));
    if (!world_hop_read(span_of(text), &p->seen))
        world_fail(&s->world, "no address to stand behind");
}

static void
set_network(struct script *s, const struct line *line)
{
    struct wire_conf *conf = &s->world.wire.conf;
    const struct {
        const char *key;
        uint32_t *to;
    } numbers[] = {
        { "delay", &conf->delay_ms }, { "jitter", &conf->jitter_ms }, { "loss", &conf->loss },
        { "late", &conf->late },      { "by", &conf->late_ms },       { "doubled", &conf->doubled },
    };

    for (size_t i = 0; i < countof(numbers); i++) {
        struct span value = after_word(line, numbers[i].key);

        if (value.len > 0 && !span_u32(value, 10000, numbers[i].to))
            world_fail(&s->world, "no number behind %s", numbers[i].key);
    }
}

static void
set_name(struct script *s, const struct line *line)
{
    struct sim_name *name = world_add_name(&s->world, word(line, 1));
    struct span in = after_word(line, "in");
    uint64_t ms = 1;

    if (in.len > 0 && !read_ms(in, &ms))
        world_fail(&s->world, "no time behind in");
    name->answer_ms = (uint32_t)ms;
    for (unsigned i = 2;
         i < line->words_len && name->hops_len < countof(name->hops) && !is_word(line, i, "in");
         i++)
        if (!world_hop_read(word(line, i), &name->hops[name->hops_len++]))
            world_fail(&s->world, "no address of a name");
}

static const char *
users_path(const struct script *s, unsigned file, char path[64])
{
    snprintf(path, 64, "%s/%u.db", s->folder, file);
    return path;
}

/* The users of the sipd being described; the settings of a sipd stand together. */
static unsigned
users_file(struct script *s)
{
    if (s->users_of != s->sipd)
        s->files++;
    s->users_of = s->sipd;
    return s->files;
}

static void
set_user(struct script *s, const struct line *line)
{
    struct span user = word(line, 1), realm = after_word(line, "realm");
    char path[64];

    if (!s->folder[0])
        (void)folder_make("sim", s->folder);
    if (realm.len == 0)
        realm = span_skip(user, span_find(user, '@') + 1);
    if (!s->folder[0] ||
        !creds_add_user(users_path(s, users_file(s), path), user, realm, word(line, 2)))
        world_fail(&s->world, "no such user can be made");
}

static void
remove_users(const struct script *s)
{
    char path[64];

    for (unsigned file = 1; file <= s->files; file++)
        unlink(users_path(s, file, path));
    if (s->folder[0])
        rmdir(s->folder);
}

/* The auth module finds the users that were set before it. */
static void
set_module(struct script *s, const struct line *line)
{
    struct span settings = from_word(line, 2);
    char path[64], text[1024];

    if (is_word(line, 1, "auth") && s->users_of == s->sipd && settings.len > 0) {
        snprintf(text, sizeof text, "{ path = \"%s\"; %.*s", users_path(s, s->files, path),
                 SPAN_ARG(span_skip(settings, 1)));
        settings = span_of(text);
    }
    sim_host_open(s->sipd, word(line, 1), settings);
}

static bool
is_setting(struct script *s, const struct line *line)
{
    if (is_word(line, 0, "sipd"))
        s->sipd = world_add_sipd(&s->world, word(line, 1));
    else if (is_word(line, 0, "peer"))
        set_peer(s, line);
    else if (is_word(line, 0, "network"))
        set_network(s, line);
    else if (is_word(line, 0, "name"))
        set_name(s, line);
    else if (!s->sipd)
        return false;
    else if (is_word(line, 0, "listen"))
        set_listen(s, line);
    else if (is_word(line, 0, "domain"))
        s->sipd->domains[s->sipd->domains_len++ % countof(s->sipd->domains)] = word(line, 1);
    else if (is_word(line, 0, "knows"))
        s->sipd->known[s->sipd->known_len++ % countof(s->sipd->known)] = aor_of(s, word(line, 1));
    else if (is_word(line, 0, "set"))
        set_value(s, line);
    else if (is_word(line, 0, "where"))
        set_where(s, line);
    else if (is_word(line, 0, "user"))
        set_user(s, line);
    else if (is_word(line, 0, "module"))
        set_module(s, line);
    else
        return false;
    return true;
}

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

    while (next_indented(s, &line)) {
        bool is_body = line.text.at[0] == '|';

        buf_put(is_body ? body : extra, is_body ? span_trim(span_skip(line.text, 1)) : line.text);
        buf_put(is_body ? body : extra, SPAN("\r\n"));
    }
}

static void
say(struct script *s, struct peer *p, const struct line *line)
{
    bool response =
        word(line, 2).len > 0 && word(line, 2).at[0] >= '0' && word(line, 2).at[0] <= '9';
    bool has_uri =
        !response && line->words_len > 3 && !is_word(line, 3, "to") && !is_word(line, 3, "with");
    struct peer_say what = { .what = word(line, 2) };
    struct span to_text = after_word(line, "to"), password = after_word(line, "with");
    const char *why = "it cannot be said";
    struct buf extra, body;
    struct span bytes;
    struct hop to;

    buf_init(&extra, SCRIPT_BYTES);
    buf_init(&body, SCRIPT_BYTES);
    if (has_uri)
        what.uri = word(line, 3);
    if (response)
        what.about = word(line, 3);
    read_lines(s, &extra, &body);
    if (password.len > 0)
        creds_write(p, what.what, what.uri, password, &extra);
    what.extra = buf_span(&extra);
    what.body = buf_span(&body);
    bytes = peer_write(p, &what, &why);
    buf_fini(&extra);
    buf_fini(&body);
    if (bytes.len == 0)
        blame(s, "%s", why);
    else if (response)
        world_say(&s->world, p, &p->last_to, bytes);
    else if (to_text.len > 0 ? world_hop_read(to_text, &to) : default_server(s, p, &to))
        world_say(&s->world, p, &to, bytes);
    else
        blame(s, "%.*s has nowhere to send to", SPAN_ARG(p->name));
}

/* ------------------------------------------------------------------ what peers hear */

static bool
contains(struct span hay, struct span needle)
{
    for (size_t i = 0; i + needle.len <= hay.len; i++)
        if (span_starts(span_skip(hay, i), needle))
            return true;
    return needle.len == 0;
}

static unsigned
count_values(const struct msg *msg, struct span name, struct span text)
{
    const struct msg_field *field;
    unsigned n = 0, hits = 0;

    while ((field = msg_find_name(msg, name, n++)))
        hits += contains(msg_value(msg, field), text);
    return hits;
}

static bool
check_like(struct script *s, const struct line *line)
{
    struct peer *other = world_peer(&s->world, word(line, 1));
    const struct msg_field *a, *b;
    struct msg sent;

    if (!other || msg_read(other->last_sent, &s->world.arena, &sent) != SIPD_OK)
        return false;
    a = msg_find_name(&s->heard->msg, word(line, 2), 0);
    b = msg_find_name(&sent, word(line, 2), 0);
    return a && b && span_eq(msg_value(&s->heard->msg, a), msg_value(&sent, b));
}

static bool
check_uri(struct script *s, const struct line *line)
{
    return span_eq(msg_span(&s->heard->msg, s->heard->msg.uri), word(line, 1));
}

static bool
holds(struct script *s, const struct line *line)
{
    const struct msg *msg = &s->heard->msg;
    uint32_t n;

    if (is_word(line, 0, "has"))
        return count_values(msg, word(line, 1), from_word(line, 2)) > 0;
    if (is_word(line, 0, "lacks"))
        return count_values(msg, word(line, 1), from_word(line, 2)) == 0;
    if (is_word(line, 0, "count"))
        return span_u32(word(line, 2), 99, &n) &&
               count_values(msg, word(line, 1), (struct span){ NULL, 0 }) == n;
    if (is_word(line, 0, "uri"))
        return check_uri(s, line);
    if (is_word(line, 0, "like"))
        return check_like(s, line);
    if (is_word(line, 0, "body"))
        return contains(msg_body(msg), from_word(line, 1));
    world_fail(&s->world, "no such check");
    return false;
}

static void
check_all(struct script *s)
{
    struct line line;

    while (next_indented(s, &line))
        if (!holds(s, &line)) {
            blame(s, "the message does not fit:\n%.*s", SPAN_ARG(s->heard->bytes));
            return;
        }
}

/* What is left of them when there is nothing to check. */
static void
skip_checks(struct script *s)
{
    struct line line;

    while (next_indented(s, &line))
        continue;
}

static bool
is_expected(const struct peer_heard *heard, struct span what)
{
    uint32_t status;

    if (span_u32(what, 699, &status))
        return heard->msg.status == status;
    return msg_is_request(&heard->msg) && span_eq(heard->gist.method_text, what);
}

/*
 * Is it of what nobody waits for behind a kill: the 100 for an INVITE that was said again, the ACK of a failure that was, which
 * who is not waiting for it drops (§17.2.1), the answer to a registration over a new connection?
 */
static bool
is_by_the_way(const struct peer *p, const struct peer_heard *heard, struct span wanted)
{
    return peer_is_back(p, heard) ||
           (!is_expected(heard, wanted) &&
            (heard->msg.status == 100 ||
             (msg_is_request(&heard->msg) && heard->gist.method == METHOD_ACK)));
}

/* Behind a kill what is said again need not come in the file's order: what is wanted is taken first. */
static void
put_first(struct script *s, struct peer *p, struct span wanted)
{
    if (!s->world.killed || list_empty(&p->inbox) || wanted.len == 0)
        return;
    world_run(&s->world, s->world.clock.now_ms + TOGETHER_MS, NULL);
    list_each (node, after, &p->inbox)
        if (is_expected(container_of(node, struct peer_heard, link), wanted)) {
            list_remove(node);
            list_push(p->inbox.next, node);
            return;
        }
}

static const struct peer_heard *
next_heard(struct script *s, struct peer *p, struct span wanted)
{
    const struct peer_heard *heard;

    put_first(s, p, wanted);
    heard = peer_next(p);
    while (heard && s->world.killed && is_by_the_way(p, heard, wanted))
        heard = peer_next(p);
    return heard;
}

static void
hear_nothing(struct script *s, struct peer *p, const struct line *line)
{
    uint64_t ms = SHORT_MS;
    struct span time = after_word(line, "for");

    if (time.len > 0 && !read_ms(time, &ms))
        world_fail(&s->world, "no time behind for");
    world_run(&s->world, s->world.clock.now_ms + ms, p);
    s->heard = next_heard(s, p, word(line, 2));
    if (s->heard)
        blame(s, "%.*s heard something:\n%.*s", SPAN_ARG(p->name), SPAN_ARG(s->heard->bytes));
}

/* Over a stream Timer D is 0: a failure that is said again gets no second ACK, and who waits for it ends by Timer H. */
static bool
may_be_missed(const struct peer *p, const struct line *line)
{
    return is_word(line, 2, "100") ||
           (is_word(line, 2, "ACK") && hop_is_reliable(p->at.transport) &&
            span_starts(p->last_sent, SPAN("SIP/2.0 ")) && p->last_sent.at[8] > '2');
}

static void
hear(struct script *s, struct peer *p, const struct line *line)
{
    uint64_t ms = SHORT_MS, until_ms;
    struct span time = after_word(line, "within");

    if (is_word(line, 2, "nothing")) {
        hear_nothing(s, p, line);
        return;
    }
    if (time.len > 0 && !read_ms(time, &ms))
        world_fail(&s->world, "no time behind within");
    if (s->kill && ms < KILLED_MS)
        ms = KILLED_MS;
    until_ms = s->world.clock.now_ms + ms;
    do {
        world_run(&s->world, until_ms, p);
        s->heard = next_heard(s, p, word(line, 2));
    } while (!s->heard && s->world.killed && s->world.clock.now_ms < until_ms);
    if (!s->heard && s->world.killed && may_be_missed(p, line))
        skip_checks(s); /* it came before, unexpected, or there was no need any more */
    else if (!s->heard)
        blame(s, "%.*s heard nothing", SPAN_ARG(p->name));
    else if (!is_expected(s->heard, word(line, 2)))
        blame(s, "%.*s heard something else:\n%.*s", SPAN_ARG(p->name), SPAN_ARG(s->heard->bytes));
    else
        check_all(s);
    if (s->outage)
        skip_checks(s);
}

/* ------------------------------------------------------------------ the rest */

static void
check_repeats(struct script *s, struct peer *p, const struct line *line)
{
    uint32_t n;

    if (!span_u32(word(line, 2), 1000, &n) || (n != p->repeats && !s->world.killed))
        blame(s, "%.*s heard %u repeats", SPAN_ARG(p->name), p->repeats);
    p->repeats = 0;
}

static void
check_no_state(struct script *s)
{
    list_each (node, after, &s->world.peers) {
        struct peer *p = container_of(node, struct peer, link);

        const struct peer_heard *more = next_heard(s, p, (struct span){ NULL, 0 });

        if (more)
            blame(s, "%.*s heard more than the script asked for:\n%.*s", SPAN_ARG(p->name),
                  SPAN_ARG(more->bytes));
    }
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
    unsigned a_len = addresses(s, word(line, 1), a), b_len = addresses(s, word(line, 2), b);
    uint64_t ms = 0;

    if (a_len == 0 || b_len == 0 || (line->words_len > 3 && !read_ms(after_word(line, "for"), &ms)))
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
    unsigned n = addresses(s, word(line, 1), at);
    uint64_t ms;

    if (n == 0 || !read_ms(word(line, 2), &ms))
        world_fail(&s->world, "slow NAME 500ms");
    for (unsigned i = 0; s->world.fault.len == 0 && i < n; i++)
        wire_slow(&s->world.wire, &at[i], (uint32_t)ms);
}

static void
load(struct script *s, const struct line *line)
{
    struct sim_sipd *sipd = find_sipd(s, word(line, 1));
    struct span lag = after_word(line, "lag"), queue = after_word(line, "queue");
    uint64_t ms = 0;
    uint32_t percent = 0;

    if (!sipd || (lag.len > 0 && !read_ms(lag, &ms)) ||
        (queue.len > 0 && !span_u32(queue, 100, &percent))) {
        world_fail(&s->world, "load SIPD [lag 200ms] [queue 80]");
        return;
    }
    sipd->load = (struct core_load){ (uint32_t)ms, percent };
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

    if (!span_u32(word(line, 1), 1000000, &most))
        world_fail(&s->world, "most N");
    else if (!s->kill && s->world.wire.sent - s->counted > most) /* a standby asks once more */
        blame(s, "%llu messages were sent", (unsigned long long)(s->world.wire.sent - s->counted));
    s->counted = s->world.wire.sent;
}

static void
act_alone(struct script *s, const struct line *line)
{
    struct peer *p = world_peer(&s->world, word(line, 1));
    uint64_t ms;

    if (is_word(line, 0, "wait") && read_ms(word(line, 1), &ms))
        world_run(&s->world, s->world.clock.now_ms + ms, NULL);
    else if (is_word(line, 0, "quiet"))
        world_run(&s->world, s->world.clock.now_ms + QUIET_MS, NULL);
    else if (is_word(line, 0, "drain"))
        drain(s);
    else if (is_word(line, 0, "load"))
        load(s, line);
    else if (is_word(line, 0, "most"))
        check_traffic(s, line);
    else if (is_word(line, 0, "cut") && line->words_len > 2)
        part(s, line);
    else if (is_word(line, 0, "cut") && p)
        cut(s, p);
    else if (is_word(line, 0, "heal"))
        wire_heal(&s->world.wire, s->world.clock.now_ms);
    else if (is_word(line, 0, "slow"))
        slow(s, line);
    else if (is_word(line, 0, "spare") && p)
        wire_spare(&s->world.wire, &p->seen);
    else if (is_word(line, 0, "deaf") && p)
        p->deaf = true;
    else
        world_fail(&s->world, "a line that means nothing");
    if (is_word(line, 0, "quiet"))
        check_no_state(s);
}

static void
act(struct script *s, const struct line *line)
{
    struct peer *p = world_peer(&s->world, word(line, 0));

    start_all(s);
    if (!p)
        act_alone(s, line);
    else if (is_word(line, 1, ">"))
        say(s, p, line);
    else if (is_word(line, 1, "<"))
        hear(s, p, line);
    else if (is_word(line, 1, "repeats"))
        check_repeats(s, p, line);
    else if (is_word(line, 1, "again") && p->last_sent.len == 0)
        blame(s, "%.*s said nothing yet", SPAN_ARG(p->name));
    else if (is_word(line, 1, "again"))
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
    while (s->world.fault.len == 0 && next(s, &line))
        if (!is_setting(s, &line))
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
    remove_users(s);
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
    while (next(&s, &line))
        sipds += is_word(&line, 0, "sipd");
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
