/*
 * What a scenario sets: servers, their settings, peers, the network, names, users.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/creds.h"
#include "sim/modules.h"
#include "sim/script_line.h"

static void
set_listen(struct script *s, const struct line *line)
{
    static const char *const rports[] = { "asked", "private", "always" };
    struct span rport = line_after(line, "rport");
    struct hop at;

    if (!world_hop_read(line_word(line, 1), &at)) {
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
    struct span key = line_word(line, 1), value = line_word(line, 2);
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
    else if (span_eq(key, SPAN("path_required")))
        conf->path_required = span_eq(value, SPAN("on"));
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
    struct span q = line_after(line, "q"), over = line_after(line, "over");
    struct sipd_target target = { .uri = line_word(line, 2), .q = 1000 };

    if (q.len > 0 && !addr_q_read(q, &target.q))
        world_fail(&s->world, "no q value");
    if (over.len > 0 && !world_hop_read(over, &target.hop))
        world_fail(&s->world, "no address to reach it over");
    sim_add_where(s->sipd, aor_of(s, line_word(line, 1)), &target,
                  over.len > 0 && hop_is_reliable(target.hop.transport));
}

static void
set_peer(struct script *s, const struct line *line)
{
    struct span behind = line_after(line, "behind"), of = line_after(line, "of");
    struct peer *p;
    struct hop at;
    char text[128];

    if (!world_hop_read(line_word(line, 2), &at)) {
        world_fail(&s->world, "no address for a peer");
        return;
    }
    p = world_add_peer(&s->world, line_word(line, 1), &at, of.len > 0 ? of : SPAN("example.com"));
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
        struct span value = line_after(line, numbers[i].key);

        if (value.len > 0 && !span_u32(value, 10000, numbers[i].to))
            world_fail(&s->world, "no number behind %s", numbers[i].key);
    }
}

static void
set_name(struct script *s, const struct line *line)
{
    struct sim_name *name = world_add_name(&s->world, line_word(line, 1));
    struct span in = line_after(line, "in");
    uint64_t ms = 1;

    if (in.len > 0 && !line_ms_read(in, &ms))
        world_fail(&s->world, "no time behind in");
    name->answer_ms = (uint32_t)ms;
    for (unsigned i = 2;
         i < line->words_len && name->hops_len < countof(name->hops) && !line_is(line, i, "in");
         i++)
        if (!world_hop_read(line_word(line, i), &name->hops[name->hops_len++]))
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
    struct span user = line_word(line, 1), realm = line_after(line, "realm");
    char path[64];

    if (!s->folder[0])
        (void)folder_make("sim", s->folder);
    if (realm.len == 0)
        realm = span_skip(user, span_find(user, '@') + 1);
    if (!s->folder[0] ||
        !creds_add_user(users_path(s, users_file(s), path), user, realm, line_word(line, 2)))
        world_fail(&s->world, "no such user can be made");
}

void
script_remove_users(const struct script *s)
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
    struct span settings = line_from(line, 2);
    char path[64], text[1024];

    if (line_is(line, 1, "auth") && s->users_of == s->sipd && settings.len > 0) {
        snprintf(text, sizeof text, "{ path = \"%s\"; %.*s", users_path(s, s->files, path),
                 SPAN_ARG(span_skip(settings, 1)));
        settings = span_of(text);
    }
    sim_host_open(s->sipd, line_word(line, 1), settings);
}

bool
script_set(struct script *s, const struct line *line)
{
    if (line_is(line, 0, "sipd"))
        s->sipd = world_add_sipd(&s->world, line_word(line, 1));
    else if (line_is(line, 0, "peer"))
        set_peer(s, line);
    else if (line_is(line, 0, "network"))
        set_network(s, line);
    else if (line_is(line, 0, "name"))
        set_name(s, line);
    else if (!s->sipd)
        return false;
    else if (line_is(line, 0, "listen"))
        set_listen(s, line);
    else if (line_is(line, 0, "domain"))
        s->sipd->domains[s->sipd->domains_len++ % countof(s->sipd->domains)] = line_word(line, 1);
    else if (line_is(line, 0, "knows"))
        s->sipd->known[s->sipd->known_len++ % countof(s->sipd->known)] =
            aor_of(s, line_word(line, 1));
    else if (line_is(line, 0, "set"))
        set_value(s, line);
    else if (line_is(line, 0, "where"))
        set_where(s, line);
    else if (line_is(line, 0, "user"))
        set_user(s, line);
    else if (line_is(line, 0, "module"))
        set_module(s, line);
    else
        return false;
    return true;
}
