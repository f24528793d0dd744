/*
 * The modules of a simulated sipd, opened and loaded as the daemon does it.
 */
#include "sim/modules.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/state.h"
#include "host/host.h"

struct settings_text {
    struct list link;
    config_t config;
};

struct posted {
    struct list link;
    void (*fn)(void *arg);
    void *arg;
};

struct sim_host {
    struct sim_sipd *sipd;
    struct host *host;
    struct list texts;           /* what settings point into */
    struct list posted;
    char dir[256], tests_dir[256];
};

static int
port_post(void *io, void (*fn)(void *arg), void *arg)
{
    struct sim_host *h = io;
    struct posted *posted = mem_new(sizeof *posted);

    if (!posted)
        return SIPD_ENOMEM;
    posted->fn = fn;
    posted->arg = arg;
    list_init(&posted->link);
    list_push(&h->posted, &posted->link);
    return SIPD_OK;
}

static bool
port_is_ours(void *io, struct span domain, uint16_t port)
{
    const struct sim_host *h = io;
    const struct core_ports *ports = &h->sipd->core->ports;

    return ports->ours(ports->io, domain, port);
}

static struct span
port_domain(void *io, size_t n)
{
    const struct sim_host *h = io;

    return n < h->sipd->domains_len ? h->sipd->domains[n] : (struct span){ NULL, 0 };
}

static struct span
port_listener_text(void *io, uint16_t listener)
{
    const struct sim_host *h = io;

    if (listener == 0 || listener > h->sipd->listeners_len)
        return (struct span){ NULL, 0 };
    return (struct span){ h->sipd->listeners[listener - 1].sent_by, h->sipd->listeners[listener - 1].sent_by_len };
}

static uint16_t
port_listener_find(void *io, struct span text)
{
    const struct sim_host *h = io;

    for (uint16_t i = 1; i <= h->sipd->listeners_len; i++)
        if (span_eq(port_listener_text(io, i), text))
            return i;
    return 0;
}

static struct sim_host *
host_of(struct sim_sipd *s)
{
    struct sim_host *h = mem_new(sizeof *h);
    struct world *w = s->world;
    struct host_ports ports = {
        .post = port_post,
        .is_ours = port_is_ours,
        .domain = port_domain,
        .listener_text = port_listener_text,
        .listener_find = port_listener_find,
        .io = h,
        .clock = &w->clock,
        .rand = &w->rand,
        .counters = &w->counters,
        .log = &w->log,
        .state_dir = SPAN("/nonexistent"),
    };
    const char *build = getenv("SIPD_BUILD");

    BUG_ON(!h || host_new(&h->host, &ports) != SIPD_OK);
    h->sipd = s;
    list_init(&h->texts);
    list_init(&h->posted);
    snprintf(h->dir, sizeof h->dir, "%s/modules", build ? build : "build");
    snprintf(h->tests_dir, sizeof h->tests_dir, "%s/tests/modules", build ? build : "build");
    return h;
}

static const config_setting_t *
read_settings(struct sim_host *h, struct span name, struct span settings)
{
    struct settings_text *text = mem_new(sizeof *text);
    char bytes[1024];

    BUG_ON(!text);
    list_init(&text->link);
    list_push(&h->texts, &text->link);
    config_init(&text->config);
    snprintf(bytes, sizeof bytes, "%.*s = %.*s;", SPAN_ARG(name), SPAN_ARG(settings.len > 0 ? settings : SPAN("{}")));
    if (config_read_string(&text->config, bytes) != CONFIG_TRUE)
        world_fail(h->sipd->world, "settings that cannot be read: %s", config_error_text(&text->config));
    return config_root_setting(&text->config);
}

/* Modules that only tests have lie in a folder of their own. */
static const char *
dir_of(const struct sim_host *h, struct span name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%.*s.so", h->tests_dir, SPAN_ARG(name));
    return access(path, R_OK) == 0 ? h->tests_dir : h->dir;
}

void
sim_host_open(struct sim_sipd *s, struct span name, struct span settings)
{
    struct host_source source = { .file = "scenario" };
    struct buf why;

    if (!s->host)
        s->host = host_of(s);
    source.dir = dir_of(s->host, name);
    source.root = read_settings(s->host, name, settings);
    buf_init(&why, 4096);
    if (host_open(s->host->host, &source, name, &why) != SIPD_OK)
        world_fail(s->world, "module %.*s: %.*s", SPAN_ARG(name), SPAN_ARG(buf_span(&why)));
    buf_fini(&why);
}

void
sim_host_start(struct sim_sipd *s)
{
    struct host_source source = { .file = "scenario" };
    struct buf why;

    if (!s->host)
        return;
    source.dir = s->host->dir;
    buf_init(&why, 4096);
    if (host_start(s->host->host, &source, s->core, &s->core->ports.key, &why) != SIPD_OK)
        world_fail(s->world, "%.*s", SPAN_ARG(buf_span(&why)));
    buf_fini(&why);
}

void
sim_host_free(struct sim_host **ref)
{
    struct sim_host *h = *ref;
    struct list *node;

    if (!h)
        return;
    host_free(&h->host);
    while ((node = list_shift(&h->texts))) {
        struct settings_text *text = container_of(node, struct settings_text, link);

        config_destroy(&text->config);
        mem_free(text);
    }
    while ((node = list_shift(&h->posted)))
        mem_free(container_of(node, struct posted, link));
    mem_free(h);
    *ref = NULL;
}

void
sim_host_tick(struct sim_host *h)
{
    struct list *node;

    if (!h)
        return;
    host_tick(h->host);
    while ((node = list_shift(&h->posted))) {
        struct posted *posted = container_of(node, struct posted, link);

        posted->fn(posted->arg);
        mem_free(posted);
    }
}

uint64_t
sim_host_next_ms(const struct sim_host *h)
{
    if (h && !list_empty(&h->posted))
        return h->sipd->world->clock.now_ms;
    return h ? host_next_ms(h->host) : UINT64_MAX;
}

bool
sim_host_knows(const struct sim_host *h, struct span aor)
{
    return h && host_knows(h->host, aor);
}
