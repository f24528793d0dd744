/*
 * The modules of a simulated sipd, opened and loaded as the daemon does it.
 */
#include "sim/modules.h"

#include <libconfig.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/state.h"
#include "host/host.h"
#include "sim/standby.h"

struct settings_text {
    struct list link;
    config_t config;
    struct span name, settings;
};

struct posted {
    struct list link;
    void (*fn)(void *arg);
    void *arg;
};

struct sim_host {
    struct sim_sipd *sipd;
    struct host *host;
    struct list texts;     /* what settings point into */
    pthread_mutex_t mutex; /* of posted: other threads post */
    struct list posted;
    struct sim_facts *counting; /* its facts are counted, and told to nobody */
    bool held;                  /* what was posted waits for sim_host_run_post() */
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
    pthread_mutex_lock(&h->mutex);
    list_push(&h->posted, &posted->link);
    pthread_mutex_unlock(&h->mutex);
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
    return (struct span){ h->sipd->listeners[listener - 1].sent_by,
                          h->sipd->listeners[listener - 1].sent_by_len };
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

static bool
port_can_send(void *io, const struct hop *to)
{
    static const struct hop nowhere;
    const struct sim_host *h = io;
    bool any = memcmp(to->ip, nowhere.ip, sizeof to->ip) == 0;

    for (unsigned i = 0; i < h->sipd->listeners_len; i++) {
        const struct hop *at = &h->sipd->listeners[i].at;

        if (at->transport == to->transport && (any || hop_is_v4(at) == hop_is_v4(to)))
            return true;
    }
    return false;
}

static void
count_fact(struct sim_facts *facts, const struct fact *fact)
{
    static const struct prf_key key = { 1, 2 };
    const uint64_t head[] = { fact->id, fact->version };

    facts->ids += fact->id;
    facts->all += prf_hash(&key, (struct span){ (const char *)head, sizeof head }) ^
                  prf_hash(&key, fact->bytes);
    facts->len++;
}

static uint64_t
port_note(void *io, const struct fact *fact)
{
    struct sim_host *h = io;

    if (h->counting)
        count_fact(h->counting, fact);
    return h->counting || h->sipd->host != h ? 0 : standby_note(h->sipd, fact);
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
        .can_send = port_can_send,
        .note = port_note,
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
    pthread_mutex_init(&h->mutex, NULL);
    snprintf(h->dir, sizeof h->dir, "%s/modules", build ? build : "build");
    snprintf(h->tests_dir, sizeof h->tests_dir, "%s/tests/modules", build ? build : "build");
    return h;
}

static const config_setting_t *
read_settings(struct sim_host *h, struct span name, struct span settings)
{
    struct settings_text *text = mem_new(sizeof *text);
    char bytes[8192];

    BUG_ON(!text);
    text->name = arena_copy(&h->sipd->world->arena, name);
    text->settings = arena_copy(&h->sipd->world->arena, settings);
    list_init(&text->link);
    list_push(&h->texts, &text->link);
    config_init(&text->config);
    snprintf(bytes, sizeof bytes, "%.*s = %.*s;", SPAN_ARG(name),
             SPAN_ARG(settings.len > 0 ? settings : SPAN("{}")));
    if (config_read_string(&text->config, bytes) != CONFIG_TRUE)
        world_fail(h->sipd->world, "settings that cannot be read: %s",
                   config_error_text(&text->config));
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

static void
open_module(struct sim_host *h, struct span name, struct span settings)
{
    struct host_source source = { .file = "scenario" };
    struct buf why;

    source.dir = dir_of(h, name);
    source.root = read_settings(h, name, settings);
    buf_init(&why, 4096);
    if (host_open(h->host, &source, name, &why) != SIPD_OK)
        world_fail(h->sipd->world, "module %.*s: %.*s", SPAN_ARG(name), SPAN_ARG(buf_span(&why)));
    buf_fini(&why);
}

void
sim_host_open(struct sim_sipd *s, struct span name, struct span settings)
{
    if (!s->host)
        s->host = host_of(s);
    open_module(s->host, name, settings);
}

static void
start(struct sim_host *h, struct core *core)
{
    struct host_source source = { .file = "scenario", .dir = h->dir };
    struct buf why;

    buf_init(&why, 4096);
    if (host_start(h->host, &source, core, &core->ports.key, &why) != SIPD_OK)
        world_fail(h->sipd->world, "%.*s", SPAN_ARG(buf_span(&why)));
    buf_fini(&why);
}

void
sim_host_start(struct sim_sipd *s)
{
    if (s->host)
        start(s->host, s->core);
}

struct sim_host *
sim_host_twin(const struct sim_host *of, struct core *core)
{
    struct sim_host *h = of ? host_of(of->sipd) : NULL;

    if (!h)
        return NULL;
    for (const struct list *node = of->texts.next; node != &of->texts; node = node->next) {
        const struct settings_text *text = container_of_const(node, struct settings_text, link);

        open_module(h, text->name, text->settings);
    }
    start(h, core);
    return h;
}

int
sim_host_restore(struct sim_host *h, const struct fact *fact)
{
    return host_restore(h->host, fact);
}

void
sim_host_wake(struct sim_host *h)
{
    host_wake(h->host, 0);
}

void
sim_host_note_all(struct sim_host *h)
{
    if (h)
        host_note_all(h->host);
}

void
sim_host_count(struct sim_host *h, struct sim_facts *facts)
{
    *facts = (struct sim_facts){ 0 };
    if (!h)
        return;
    h->counting = facts;
    host_note_all(h->host);
    h->counting = NULL;
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
    pthread_mutex_destroy(&h->mutex);
    mem_free(h);
    *ref = NULL;
}

static bool
run_post(struct sim_host *h)
{
    struct posted *posted;
    struct list *node;

    pthread_mutex_lock(&h->mutex);
    node = list_shift(&h->posted);
    pthread_mutex_unlock(&h->mutex);
    if (!node)
        return false;
    posted = container_of(node, struct posted, link);
    posted->fn(posted->arg);
    mem_free(posted);
    return true;
}

void
sim_host_tick(struct sim_host *h)
{
    if (!h)
        return;
    host_tick(h->host);
    while (!h->held && run_post(h))
        ;
}

void
sim_host_hold_posts(struct sim_host *h, bool held)
{
    h->held = held;
}

void
sim_host_run_post(struct sim_host *h)
{
    while (!run_post(h))
        sched_yield();
}

static bool
has_post(const struct sim_host *host)
{
    struct sim_host *h = (struct sim_host *)(uintptr_t)host; /* for its lock */
    bool has;

    pthread_mutex_lock(&h->mutex);
    has = !list_empty(&h->posted);
    pthread_mutex_unlock(&h->mutex);
    return has && !h->held;
}

uint64_t
sim_host_next_ms(const struct sim_host *h)
{
    if (h && has_post(h))
        return h->sipd->world->clock.now_ms;
    return h ? host_next_ms(h->host) : UINT64_MAX;
}

int
sim_host_resolve(struct sim_host *h, const struct sipd_place *place, uint64_t id)
{
    return h ? host_resolve(h->host, place, id) : SIPD_ENOENT;
}

void
sim_host_tried(const struct sim_host *h, const struct hop *hop, enum sipd_tried how,
               uint32_t retry_after_s)
{
    if (h)
        host_tried(h->host, hop, how, retry_after_s);
}

bool
sim_host_knows(const struct sim_host *h, struct span aor)
{
    return h && host_knows(h->host, aor);
}
