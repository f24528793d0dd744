/*
 * What a scenario expects its peers to hear, and what they must not.
 */
#include "sim/script_line.h"

enum { TOGETHER_MS = 5, SHORT_MS = 100, KILLED_MS = 5000 };

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
    struct peer *other = world_peer(&s->world, line_word(line, 1));
    const struct msg_field *a, *b;
    struct msg sent;

    if (!other || msg_read(other->last_sent, &s->world.arena, &sent) != SIPD_OK)
        return false;
    a = msg_find_name(&s->heard->msg, line_word(line, 2), 0);
    b = msg_find_name(&sent, line_word(line, 2), 0);
    return a && b && span_eq(msg_value(&s->heard->msg, a), msg_value(&sent, b));
}

static bool
check_uri(struct script *s, const struct line *line)
{
    return span_eq(msg_span(&s->heard->msg, s->heard->msg.uri), line_word(line, 1));
}

static bool
holds(struct script *s, const struct line *line)
{
    const struct msg *msg = &s->heard->msg;
    uint32_t n;

    if (line_is(line, 0, "has"))
        return count_values(msg, line_word(line, 1), line_from(line, 2)) > 0;
    if (line_is(line, 0, "lacks"))
        return count_values(msg, line_word(line, 1), line_from(line, 2)) == 0;
    if (line_is(line, 0, "count"))
        return span_u32(line_word(line, 2), 99, &n) &&
               count_values(msg, line_word(line, 1), (struct span){ NULL, 0 }) == n;
    if (line_is(line, 0, "uri"))
        return check_uri(s, line);
    if (line_is(line, 0, "like"))
        return check_like(s, line);
    if (line_is(line, 0, "body"))
        return contains(msg_body(msg), line_from(line, 1));
    world_fail(&s->world, "no such check");
    return false;
}

static void
check_all(struct script *s)
{
    struct line line;

    while (script_next_indented(s, &line))
        if (!holds(s, &line)) {
            script_blame(s, "the message does not fit:\n%.*s", SPAN_ARG(s->heard->bytes));
            return;
        }
}

/* What is left of them when there is nothing to check. */
static void
skip_checks(struct script *s)
{
    struct line line;

    while (script_next_indented(s, &line))
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
    struct span time = line_after(line, "for");

    if (time.len > 0 && !line_ms_read(time, &ms))
        world_fail(&s->world, "no time behind for");
    world_run(&s->world, s->world.clock.now_ms + ms, p);
    s->heard = next_heard(s, p, line_word(line, 2));
    if (s->heard)
        script_blame(s, "%.*s heard something:\n%.*s", SPAN_ARG(p->name),
                     SPAN_ARG(s->heard->bytes));
}

/* Over a stream Timer D is 0: a failure that is said again gets no second ACK, and who waits for it ends by Timer H. */
static bool
may_be_missed(const struct peer *p, const struct line *line)
{
    return line_is(line, 2, "100") ||
           (line_is(line, 2, "ACK") && hop_is_reliable(p->at.transport) &&
            span_starts(p->last_sent, SPAN("SIP/2.0 ")) && p->last_sent.at[8] > '2');
}

void
script_hear(struct script *s, struct peer *p, const struct line *line)
{
    uint64_t ms = SHORT_MS, until_ms;
    struct span time = line_after(line, "within");

    if (line_is(line, 2, "nothing")) {
        hear_nothing(s, p, line);
        return;
    }
    if (time.len > 0 && !line_ms_read(time, &ms))
        world_fail(&s->world, "no time behind within");
    if (s->kill && ms < KILLED_MS)
        ms = KILLED_MS;
    until_ms = s->world.clock.now_ms + ms;
    do {
        world_run(&s->world, until_ms, p);
        s->heard = next_heard(s, p, line_word(line, 2));
    } while (!s->heard && s->world.killed && s->world.clock.now_ms < until_ms);
    if (!s->heard && s->world.killed && may_be_missed(p, line))
        skip_checks(s); /* it came before, unexpected, or there was no need any more */
    else if (!s->heard)
        script_blame(s, "%.*s heard nothing", SPAN_ARG(p->name));
    else if (!is_expected(s->heard, line_word(line, 2)))
        script_blame(s, "%.*s heard something else:\n%.*s", SPAN_ARG(p->name),
                     SPAN_ARG(s->heard->bytes));
    else
        check_all(s);
    if (s->outage)
        skip_checks(s);
}

void
script_check_repeats(struct script *s, struct peer *p, const struct line *line)
{
    uint32_t n;

    if (!span_u32(line_word(line, 2), 1000, &n) || (n != p->repeats && !s->world.killed))
        script_blame(s, "%.*s heard %u repeats", SPAN_ARG(p->name), p->repeats);
    p->repeats = 0;
}

void
script_check_unheard(struct script *s)
{
    list_each (node, after, &s->world.peers) {
        struct peer *p = container_of(node, struct peer, link);
        const struct peer_heard *more = next_heard(s, p, (struct span){ NULL, 0 });

        if (more)
            script_blame(s, "%.*s heard more than the script asked for:\n%.*s", SPAN_ARG(p->name),
                         SPAN_ARG(more->bytes));
    }
}
