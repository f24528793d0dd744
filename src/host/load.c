/*
 * Modules: mapped, checked, given their settings, loaded in order, told of new settings, undone.
 *
 * A mapped file stays mapped: what it handed out may still be seen by somebody this turn, and the same file may come again.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/core.h"
#include "core/rehook.h"
#include "host/complain.h"
#include "host/module_dir.h"
#include "host/state.h"

enum {
    SETTINGS_BYTES = 16 << 20, /* most memory that one module's settings may take */
    TIMERS_MAX = 1 << 20,      /* of all modules */
    ANSWERS_MAX = 1024,        /* commands put off */
    NAME_BYTES_MAX = 64,
    MODULES_SHOWN = 32,
};

int
host_new(struct host **out, const struct host_ports *ports)
{
    struct host *host = mem_new(sizeof *host);

    *out = host;
    if (!host)
        return SIPD_ENOMEM;
    host->ports = *ports;
    host->chain = &host->own;
    host->fixers = &host->own_fixers;
    chain_init(&host->own);
    fixers_init(&host->own_fixers);
    list_init(&host->modules);
    list_init(&host->commands);
    list_init(&host->users);
    list_init(&host->schemes);
    list_init(&host->fds);
    resolver_init(host);
    list_init(&host->transports);
    list_init(&host->fixers_offered);
    list_init(&host->facts);
    list_init(&host->posts);
    timers_init(&host->timers, ports->clock->now_ms);
    slots_init(&host->timer_slots, sizeof(struct module_timer), TIMERS_MAX);
    slots_init(&host->answers, sizeof(struct answer_slot), ANSWERS_MAX);
    pthread_mutex_init(&host->post_lock, NULL);
    return SIPD_OK;
}

/* ---- settings */

static void
settings_drop(struct settings *settings)
{
    arena_fini(&settings->arena);
    *settings = (struct settings){ 0 };
}

static int
settings_read(struct settings *settings, const struct sipd_module *is,
              const struct host_source *source, struct buf *why)
{
    struct conf_reader reader;
    int err;

    arena_init(&settings->arena, SETTINGS_BYTES);
    settings->conf = arena_zalloc(&settings->arena, is->conf_bytes);
    if (!settings->conf) {
        settings_drop(settings);
        return SIPD_ENOMEM;
    }
    conf_reader_init(&reader, &settings->arena, why, source->file);
    err =
        conf_read(&reader, source->root ? config_setting_get_member(source->root, is->name) : NULL,
                  span_of(is->name), is->conf, settings->conf, is->conf_bytes);
    settings->paths = reader.paths;
    if (err != SIPD_OK)
        settings_drop(settings);
    return err;
}

/* ---- coming */

static struct sipd_host *
find(const struct host *host, struct span name)
{
    list_each (node, after, &host->modules) {
        struct sipd_host *module = container_of(node, struct sipd_host, link);

        if (span_eq(span_of(module->is->name), name))
            return module;
    }
    return NULL;
}

static void
module_free(struct sipd_host *module)
{
    list_remove(&module->link);
    memory_forget(module);
    settings_drop(&module->settings);
    settings_drop(&module->offered);
    mem_free(module->file);
    mem_free(module);
}

static int
check(const struct host *host, const struct host_source *source, struct span name,
      const struct sipd_module *is, struct buf *why)
{
    const char *wrong;
    char words[256];

    if (is->abi != SIPD_ABI) {
        snprintf(
            words, sizeof words,
            "was built for ABI %u, and this is %u; install the module that belongs to this sipd",
            (unsigned)is->abi, SIPD_ABI);
        complain_listed(source, name, why, words);
        return SIPD_EABI;
    }
    if (!is->name || !is->load) {
        complain_listed(source, name, why,
                        "is no module: it has no name or no load(); ask its maker");
        return SIPD_EINVAL;
    }
    if (find(host, name)) {
        complain_listed(source, name, why, "stands twice in modules; write it once");
        return SIPD_EEXIST;
    }
    wrong = conf_items_wrong(is->conf);
    if (wrong) {
        snprintf(words, sizeof words, "its schema has %s; ask its maker", wrong);
        complain_listed(source, name, why, words);
        return SIPD_EINVAL;
    }
    return SIPD_OK;
}

static int
open_module(struct host *host, const struct host_source *source, struct span name,
            const struct sipd_module *is, const char *file, struct buf *why)
{
    int err = check(host, source, name, is, why);
    struct sipd_host *module;

    if (err != SIPD_OK)
        return err;
    module = mem_new(sizeof *module);
    if (!module)
        return SIPD_ENOMEM;
    module->host = host;
    module->is = is;
    module->id = ++host->last_module;
    list_init(&module->memory);
    list_push(&host->modules, &module->link);
    if (file && !(module->file = mem_copy(span_of(file))))
        err = SIPD_ENOMEM;
    else if (!source->schemas_only)
        err = settings_read(&module->settings, is, source, why);
    if (err != SIPD_OK)
        module_free(module);
    return err;
}

int
host_open_static(struct host *host, const struct host_source *source,
                 const struct sipd_module *module, struct buf *why)
{
    return open_module(host, source, span_of(module->name), module, NULL, why);
}

static bool
is_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return name.len > 0 && name.len < NAME_BYTES_MAX;
}

/* There is no such file: which one was meant, or which there are. */
static void
complain_none(const struct host_source *source, struct span name, struct buf *why)
{
    struct span names[MODULES_SHOWN], nearest;
    char words[512];
    struct buf all;
    struct arena arena;
    size_t len;

    arena_init(&arena, sizeof names * NAME_BYTES_MAX);
    buf_init(&all, sizeof words / 2);
    len = module_dir_list(source->dir, &arena, names, MODULES_SHOWN);
    nearest = conf_nearest(name, names, len);
    for (size_t i = 0; i < len && nearest.len == 0; i++)
        buf_printf(&all, "%s%.*s", i > 0 ? ", " : "there are ", SPAN_ARG(names[i]));
    if (nearest.len > 0)
        buf_printf(&all, "the nearest is %.*s", SPAN_ARG(nearest));
    if (len == 0)
        buf_put(&all, SPAN("give the right directory with -M"));
    snprintf(words, sizeof words, "there is no such module in %s; %.*s", source->dir,
             SPAN_ARG(buf_span(&all)));
    complain_listed(source, name, why, words);
    buf_fini(&all);
    arena_fini(&arena);
}

/* Maps the file and finds its struct; NULL after a complaint. */
static const struct sipd_module *
map(const struct host_source *source, struct span name, const char *file, struct buf *why)
{
    void *mapped = access(file, F_OK) == 0 ? dlopen(file, RTLD_NOW | RTLD_LOCAL) : NULL;
    const struct sipd_module *is = mapped ? dlsym(mapped, "sipd_module") : NULL;
    char words[512];

    if (is)
        return is;
    if (!mapped && access(file, F_OK) != 0) {
        complain_none(source, name, why);
        return NULL;
    }
    snprintf(words, sizeof words, "cannot be loaded: %s; look at the module directory (-M)",
             dlerror());
    complain_listed(source, name, why, words);
    return NULL;
}

int
host_open(struct host *host, const struct host_source *source, struct span name, struct buf *why)
{
    const struct sipd_module *is;
    char file[4096];
    int len = snprintf(file, sizeof file, "%s/%.*s.so", source->dir, SPAN_ARG(name));

    if (!is_name(name) || len >= (int)sizeof file) {
        complain_listed(source, name, why,
                        "is not a module's name; write small letters, digits, - and _");
        return SIPD_EINVAL;
    }
    is = map(source, name, file, why);
    if (!is)
        return SIPD_ENOENT;
    if (is->abi == SIPD_ABI && !span_eq(span_of(is->name), name)) {
        complain_listed(source, name, why,
                        "the file holds a module of another name; give it its own name back");
        return SIPD_EINVAL;
    }
    return open_module(host, source, name, is, file, why);
}

/* ---- going */

/* Everything that it registered, in the reverse order of what could still lead into it. */
static void
undo(struct sipd_host *module)
{
    struct host *host = module->host;

    if (host->core)
        rehook_remove(host->core, module);
    else
        chain_remove(&host->own, module);
    resolver_forget(host, module);
    transports_forget(host, module);
    schemes_forget(host, module);
    fds_forget(host, module);
    fixers_forget(host, module);
    facts_forget(host, module);
    commands_forget(host, module);
    users_forget(host, module);
    timers_forget(host, module);
    answers_forget(host, module);
}

static void
unload(struct sipd_host *module)
{
    undo(module);
    if (module->state == MODULE_LOADED && module->is->unload)
        module->is->unload(module->self);
    undo(module); /* what unload() itself armed or put off */
    module_free(module);
}

void
host_free(struct host **out)
{
    struct host *host = *out;

    *out = NULL;
    if (!host)
        return;
    while (!list_empty(&host->modules))
        unload(container_of(host->modules.prev, struct sipd_host, link));
    commands_forget(host, NULL);
    answers_drop(host);
    posts_drop(host);
    resolver_fini(host);
    slots_fini(&host->timer_slots);
    slots_fini(&host->answers);
    chain_fini(&host->own);
    pthread_mutex_destroy(&host->post_lock);
    mem_free(host);
}

/* ---- starting */

static int
load(struct sipd_host *module, const struct host_source *source, struct buf *why)
{
    int err;

    module->complaint[0] = '\0';
    err = module->is->load(module, module->settings.conf, &module->self);
    if (err == SIPD_OK) {
        module->state = MODULE_LOADED;
        /* A trial is there to be told: what is no error, but hardly meant, too. */
        if (!module->host->core && module->complaint[0])
            complain_own(source, module->is, why, module->complaint);
        return SIPD_OK;
    }
    complain_own(source, module->is, why,
                 module->complaint[0] ? module->complaint : err_words(err));
    undo(module);
    memory_forget(module);
    return err;
}

static int
load_opened(struct host *host, const struct host_source *source, struct buf *why)
{
    int err = SIPD_OK;

    list_each (node, after, &host->modules) {
        struct sipd_host *module = container_of(node, struct sipd_host, link);

        if (module->state == MODULE_OPENED && err == SIPD_OK)
            err = load(module, source, why);
    }
    return err;
}

int
host_start(struct host *host, const struct host_source *source, struct core *core,
           const struct prf_key *key, struct buf *why)
{
    host->core = core;
    host->chain = core ? core_chain(core) : &host->own;
    host->fixers = core ? core_fixers(core) : &host->own_fixers;
    host->key = *key;
    return load_opened(host, source, why);
}

/* ---- new settings: everything that may fail is done before anything is taken away */

static bool
is_named(const struct sipd_host *module, const struct span *names, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (span_eq(span_of(module->is->name), names[i]))
            return true;
    return false;
}

/* A name that stands twice is refused by host_open. */
static int
open_new(struct host *host, const struct host_source *source, struct span name, struct buf *why)
{
    int err = host_open(host, source, name, why);

    if (err == SIPD_OK)
        container_of(host->modules.prev, struct sipd_host, link)->is_new = true;
    return err;
}

/* A transport does not go from under its connections. */
static int
may_go(const struct host *host, const struct sipd_host *module, const struct host_source *source,
       struct buf *why)
{
    uint32_t live = transports_live(host, module);
    char words[160];

    if (live == 0)
        return SIPD_OK;
    snprintf(words, sizeof words,
             "%u connections stand on it; take its listeners out, wait for their end or close them "
             "(sipctl close connection), then take it out",
             (unsigned)live);
    complain_own(source, module->is, why, words);
    return SIPD_ERESTART;
}

/* Who stays reads what is offered; who is new is opened. */
static int
prepare(struct host *host, const struct host_source *source, const struct span *names, size_t len,
        struct buf *why)
{
    int err = SIPD_OK;

    list_each (node, after, &host->modules) {
        struct sipd_host *module = container_of(node, struct sipd_host, link);
        int its;

        module->taken = false;
        module->staying = is_named(module, names, len);
        its = module->staying ? settings_read(&module->offered, module->is, source, why)
                              : may_go(host, module, source, why);
        err = err == SIPD_OK ? its : err;
    }
    for (size_t i = 0; i < len; i++) {
        struct sipd_host *module = find(host, names[i]);
        int its = SIPD_OK;

        if (!module || module->is_new)
            its = open_new(host, source, names[i], why);
        err = err == SIPD_OK ? its : err;
    }
    return err;
}

static int
offer(struct sipd_host *module, const struct host_source *source, struct buf *why)
{
    bool same = conf_items_eq(module->is->conf, module->settings.conf, module->offered.conf);
    int err = same ? SIPD_OK : SIPD_ERESTART;

    module->complaint[0] = '\0';
    if (module->is->reload)
        err = module->is->reload(module->self, module->offered.conf);
    module->taken = err == SIPD_OK && module->is->reload;
    if (err == SIPD_OK)
        return SIPD_OK;
    if (module->complaint[0] == '\0')
        snprintf(module->complaint, sizeof module->complaint, "%s",
                 err == SIPD_ERESTART ? "its settings cannot change while it runs; restart sipd"
                                      : err_words(err));
    complain_own(source, module->is, why, module->complaint);
    return err;
}

static int
offer_all(struct host *host, const struct host_source *source, struct buf *why)
{
    int err = SIPD_OK;

    list_each (node, after, &host->modules) {
        struct sipd_host *module = container_of(node, struct sipd_host, link);

        if (module->staying && err == SIPD_OK)
            err = offer(module, source, why);
    }
    return err;
}

/* Who took the new settings is given the old ones again; who came goes. */
static void
roll_back(struct host *host)
{
    list_each (node, after, &host->modules) {
        struct sipd_host *module = container_of(node, struct sipd_host, link);

        if (module->taken && module->is->reload(module->self, module->settings.conf) != SIPD_OK)
            log_event(host->ports.log, LOG_LVL_ERROR, "module-not-rolled-back", "module",
                      module->is->name, NULL);
        if (module->is_new)
            unload(module);
        else
            settings_drop(&module->offered);
    }
}

/* Who came is one of the others from now on; who was not named goes; the list is in the order of the names. */
static void
commit(struct host *host, const struct span *names, size_t len)
{
    list_each (node, after, &host->modules) {
        struct sipd_host *module = container_of(node, struct sipd_host, link);
        bool goes = !module->staying && !module->is_new;

        module->is_new = false;
        if (goes) {
            unload(module);
        } else if (module->offered.conf) {
            settings_drop(&module->settings);
            module->settings = module->offered;
            module->offered = (struct settings){ 0 };
        }
    }
    for (size_t i = 0; i < len; i++) {
        struct sipd_host *module = find(host, names[i]);

        list_remove(&module->link);
        list_push(&host->modules, &module->link);
    }
}

int
host_reload(struct host *host, const struct host_source *source, const struct span *names,
            size_t names_len, struct buf *why)
{
    int err = prepare(host, source, names, names_len, why);

    if (err == SIPD_OK)
        err = offer_all(host, source, why);
    if (err == SIPD_OK)
        err = load_opened(host, source, why);
    if (err == SIPD_OK)
        commit(host, names, names_len);
    else
        roll_back(host);
    return err;
}

/* ---- lists */

static unsigned
count_hooks(const struct chain *chain, const struct sipd_host *module)
{
    unsigned count = 0;

    for (int stage = 0; stage < SIPD_STAGES; stage++)
        for (uint16_t i = 0; i < chain->len[stage]; i++)
            count += chain->stages[stage][i].owner == module;
    return count;
}

void
host_each_module(const struct host *host,
                 void (*fn)(void *arg, const struct host_module_info *info), void *arg)
{
    list_each (node, after, &host->modules) {
        const struct sipd_host *module = container_of(node, struct sipd_host, link);
        struct host_module_info info = {
            .name = module->is->name,
            .abi = module->is->abi,
            .file = module->file,
            .items = module->is->conf,
            .conf = module->settings.conf,
            .hooks = count_hooks(host->chain, module),
        };

        fn(arg, &info);
    }
}

void
host_each_path(const struct host *host, void (*fn)(void *arg, const struct conf_path *path),
               void *arg)
{
    list_each (node, after, &host->modules)
        for (const struct conf_path *path =
                 container_of(node, struct sipd_host, link)->settings.paths;
             path; path = path->next)
            fn(arg, path);
}
