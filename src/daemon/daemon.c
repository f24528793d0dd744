/*
 * The life of the server. Order at start: read, map modules, bind, drop rights, then let modules load: stores belong to the
 * user that writes them, and threads are born without rights. At the end all goes in the reverse order.
 */
#include "daemon/daemon.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "daemon/ctl.h"
#include "daemon/key.h"
#include "daemon/listening.h"
#include "daemon/logs.h"
#include "daemon/privs.h"
#include "daemon/restart.h"
#include "daemon/sd_notify.h"
#include "daemon/signals.h"
#include "daemon/slices.h"
#include "daemon/teller.h"
#include "daemon/watcher.h"
#include "daemon/wire.h"

enum { PATH_BYTES = 4096, DESCRIPTORS_BESIDES = 1024 };

void
daemon_init(struct daemon *d, const char *conf_file, const char *module_dir)
{
    struct timespec now;
    uint64_t seed = 0;

    *d = (struct daemon){ .conf_file = conf_file, .module_dir = module_dir };
    clock_gettime(CLOCK_BOOTTIME, &now);
    d->clock.now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;
    d->clock.wall_s = time(NULL);
    d->started_ms = d->clock.now_ms;
    (void)!getrandom(&seed, sizeof seed, 0);
    rand_seed(&d->rand, seed);
    counters_init(&d->counters);
    list_init(&d->slices);
    logs_init(d);
}

/* Who calls goes before whom it calls: the door of sipctl, modules, the core, the network. */
void
daemon_fini(struct daemon *d)
{
    ctl_close(d);
    restart_fini(d);
    slices_fini(d);
    watcher_close(d);
    signals_close(d);
    host_free(&d->host);
    core_free(&d->core);
    teller_fini(d);
    if (d->net)
        listening_fini(d);
    net_free(&d->net);
    config_free(&d->config);
    mem_free(d->state_dir);
    counters_fini(&d->counters);
    logs_fini(d);
}

/* ---- modules */

struct host_source
daemon_source(const struct daemon *d, const struct config *config)
{
    return (struct host_source){
        .dir = d->module_dir,
        .root = config_root_setting(&config->tree),
        .file = config->file,
    };
}

int
daemon_make_host(struct daemon *d, struct host **host)
{
    struct host_ports ports;

    wire_host(d, &ports);
    return host_new(host, &ports);
}

int
daemon_open_modules(const struct daemon *d, struct host *host, const struct config *config,
                    struct buf *why)
{
    struct host_source source = daemon_source(d, config);
    const struct sipd_strs *modules = &config->text.modules;
    int err = SIPD_OK;

    for (size_t i = 0; i < modules->len; i++) {
        int its = host_open(host, &source, modules->at[i], why);

        err = err == SIPD_OK ? its : err;
    }
    return err;
}

/* The file, and the modules that it names with their sections: all complaints of both. */
static int
read_all(struct daemon *d, struct buf *why)
{
    int err = config_load(&d->config, d->conf_file, d->module_dir, why);

    if (err != SIPD_OK)
        return err;
    (void)logs_set_level(d, (struct span){ NULL, 0 }, (enum log_level)d->config->text.log.level);
    err = config_check_addresses(d->config, why);
    d->state_dir = mem_copy(d->config->text.state_dir);
    if (!d->state_dir || daemon_make_host(d, &d->host) != SIPD_OK)
        return SIPD_ENOMEM;
    if (daemon_open_modules(d, d->host, d->config, why) != SIPD_OK)
        err = SIPD_EINVAL;
    return err;
}

/* ---- files and directories that its user needs */

struct looking {
    const struct daemon *d;
    struct buf *why;
    int err;
};

static struct span
join(struct span dir, struct span name, char to[PATH_BYTES])
{
    bool whole = name.len > 0 && name.at[0] == '/';
    int len = whole ? snprintf(to, PATH_BYTES, "%.*s", SPAN_ARG(name))
                    : snprintf(to, PATH_BYTES, "%.*s/%.*s", SPAN_ARG(dir), SPAN_ARG(name));

    return (struct span){ to, len < PATH_BYTES ? (size_t)len : 0 };
}

static bool
is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void
look_at(void *arg, const struct conf_path *path)
{
    struct looking *looking = arg;
    struct span dir = looking->d->config->text.state_dir;
    char at[PATH_BYTES];
    int err;

    if (path->path.at[0] != '/' && !is_there(dir.at))
        return; /* the directory was complained of, or will be made */
    join(dir, path->path, at);
    err = privs_check_file(at, path->write, path->where, looking->why);
    looking->err = looking->err == SIPD_OK ? err : looking->err;
}

int
daemon_look_at_files(const struct daemon *d, const struct host *host, struct buf *why)
{
    struct looking looking = { .d = d, .why = why };
    struct prf_key unused;

    looking.err = privs_check_file(d->conf_file, false, span_of(d->conf_file), why);
    host_each_path(host, look_at, &looking);
    /* Of a directory that cannot be entered is said so. */
    if (faccessat(AT_FDCWD, d->config->text.state_dir.at, X_OK, AT_EACCESS) == 0 &&
        key_load(d->config->text.state_dir, false, &unused, why) != SIPD_OK)
        looking.err = SIPD_EINVAL;
    return looking.err;
}

static int
look_at_dir(const struct daemon *d, struct span dir, const char *key, struct buf *why)
{
    char path[PATH_BYTES];
    struct buf words;
    int err;

    snprintf(path, sizeof path, "%.*s", SPAN_ARG(dir));
    buf_init(&words, PATH_BYTES * 2);
    err = privs_check_dir(path, &words);
    if (err != SIPD_OK)
        config_complain(d->config, key, why, "%.*s", SPAN_ARG(buf_span(&words)));
    buf_fini(&words);
    return err;
}

static struct span
dir_of(struct span path)
{
    while (path.len > 1 && path.at[path.len - 1] != '/')
        path.len--;
    while (path.len > 1 && path.at[path.len - 1] == '/')
        path.len--;
    return path;
}

/* The two that sipd makes where they are missing; root in the user's name. */
static int
look_at_made(const struct daemon *d, struct span dir, const char *key, bool root_made,
             struct buf *why)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%.*s", SPAN_ARG(dir));
    return root_made && !is_there(path) ? SIPD_OK : look_at_dir(d, dir, key, why);
}

static int
look_at_dirs(const struct daemon *d, bool root_makes, struct buf *why)
{
    struct span state = d->config->text.state_dir, control = dir_of(d->config->text.control.socket);
    int err = look_at_made(d, state, "state_dir", root_makes, why);
    int other = look_at_made(d, control, "control.socket", root_makes, why);

    return err == SIPD_OK ? other : err;
}

/* sipd makes a directory, but not those above it. */
static int
look_at_parent(const struct daemon *d, struct span dir, const char *key, struct buf *why)
{
    struct span parent = dir_of(dir);
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%.*s", SPAN_ARG(parent));
    if (is_there(path))
        return SIPD_OK;
    config_complain(d->config, key, why, "the directory %s is not there; make it: mkdir -p %s",
                    path, path);
    return SIPD_EINVAL;
}

static int
look_at_parents(const struct daemon *d, struct buf *why)
{
    int err = look_at_parent(d, d->config->text.state_dir, "state_dir", why);
    int other = look_at_parent(d, dir_of(d->config->text.control.socket), "control.socket", why);

    return err == SIPD_OK ? other : err;
}

/* ---- check (-t) */

int
daemon_check(struct daemon *d, struct buf *why)
{
    int err = read_all(d, why), dirs = SIPD_OK;
    struct host_source source;
    struct privs privs;

    if (err == SIPD_OK)
        err = privs_find(d->config, &privs, why);
    if (err != SIPD_OK)
        return err;
    dirs = look_at_parents(d, why);
    err = privs_drop(d->config, &privs, why);
    if (err == SIPD_OK && dirs == SIPD_OK)
        dirs = look_at_dirs(d, privs.becomes, why);
    if (err == SIPD_OK)
        err = daemon_look_at_files(d, d->host, why);
    source = daemon_source(d, d->config);
    if (err == SIPD_OK)
        err = host_start(d->host, &source, NULL, &d->key, why);
    return err == SIPD_OK ? dirs : err;
}

/* ---- start */

/* Connections need descriptors; the soft limit is for programs that count bits in a set. */
static void
raise_descriptors(const struct daemon *d)
{
    rlim_t wanted = (rlim_t)d->config->text.limits.connections + DESCRIPTORS_BESIDES;
    struct rlimit limit;
    char had[32];

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= wanted)
        return;
    snprintf(had, sizeof had, "%llu", (unsigned long long)limit.rlim_max);
    log_event(&d->log, LOG_LVL_WARN, "few-descriptors", "limit", had, "remedy",
              "raise LimitNOFILE, or lower limits.connections", NULL);
}

static int
bind_all(struct daemon *d, struct buf *why)
{
    int err;

    wire_net(d, &d->net_ports);
    err = net_new(&d->net, &d->net_ports, &d->clock, &d->counters, &d->net_log);
    if (err != SIPD_OK) {
        buf_printf(why, "the loop cannot be made: %s\n", err_words(err));
        return err;
    }
    net_set_conf(d->net, &d->config->net);
    err = restart_inherit(d);
    if (err == SIPD_OK)
        err = listening_prepare(d, d->config, why);
    if (err == SIPD_OK)
        listening_commit(d);
    net_disinherit(d->net);
    return err;
}

/* The last that root does. */
static int
become_user(struct daemon *d, const struct privs *privs, struct buf *why)
{
    int err = privs_make_dir(privs, d->config->text.state_dir, 0750, why);

    if (err == SIPD_OK)
        err = privs_make_dir(privs, dir_of(d->config->text.control.socket), 0755, why);
    if (err == SIPD_OK)
        err = privs_drop(d->config, privs, why);
    if (err == SIPD_OK)
        err = look_at_dirs(d, false, why);
    return err;
}

static int
load_all(struct daemon *d, struct buf *why)
{
    struct host_source source = daemon_source(d, d->config);
    struct core_ports ports;
    sigset_t signals;
    int err;

    wire_core(d, &ports);
    err = core_new(&d->core, &ports, &d->config->core);
    if (err != SIPD_OK)
        return err;
    signals_block(&signals);
    err = host_start(d->host, &source, d->core, &d->key, why);
    signals_unblock(&signals);
    return err;
}

int
daemon_start(struct daemon *d, struct buf *why)
{
    struct privs privs;
    int err;

    umask(027);
    fault_catch();
    err = read_all(d, why);
    if (err == SIPD_OK)
        err = privs_find(d->config, &privs, why);
    if (err == SIPD_OK)
        err = look_at_parents(d, why);
    if (err != SIPD_OK)
        return SIPD_EINVAL;
    raise_descriptors(d);
    err = bind_all(d, why);
    if (err == SIPD_OK)
        err = become_user(d, &privs, why);
    if (err == SIPD_OK)
        err = daemon_look_at_files(d, d->host, why);
    if (err == SIPD_OK)
        err = key_load(d->config->text.state_dir, true, &d->key, why);
    if (err == SIPD_OK)
        err = load_all(d, why);
    if (err == SIPD_OK)
        err = ctl_open(d, why);
    if (err == SIPD_OK)
        err = signals_open(d);
    if (err == SIPD_OK && watcher_open(d) != SIPD_OK)
        log_event(&d->log, LOG_LVL_WARN, "addresses-not-followed", "remedy",
                  "reload after a change of addresses", NULL);
    if (err != SIPD_OK && why->len == 0)
        buf_printf(why, "%s: %s\n", d->conf_file, err_words(err));
    return err;
}

/* ---- run and end */

int
daemon_run(struct daemon *d)
{
    int err;

    d->life = LIFE_RUNNING;
    log_event(&d->log, LOG_LVL_INFO, "ready", "file", d->conf_file, NULL);
    sd_notify_ready();
    heap_widen(&d->heap);
    err = net_run(d->net);
    log_event(&d->log, LOG_LVL_INFO, "ended", NULL);
    if (d->again)
        restart_keep(d);
    return err;
}

void
daemon_drain(struct daemon *d, bool on)
{
    d->draining = on;
    core_drain(d->core, on, d->config->text.drain_s);
}

void
daemon_stop(struct daemon *d)
{
    if (d->life == LIFE_STOPPING) {
        d->life = LIFE_ENDED;
        net_stop(d->net);
        return;
    }
    if (d->life != LIFE_RUNNING)
        return;
    d->life = LIFE_STOPPING;
    d->stop_by_ms = d->clock.now_ms + (uint64_t)d->config->text.drain_s * 1000;
    log_event(&d->log, LOG_LVL_INFO, "stopping", NULL);
    sd_notify_stopping();
    daemon_drain(d, true);
}

void
daemon_tick(struct daemon *d)
{
    struct core_stats stats;

    heap_follow(&d->heap);
    slices_tick(d);
    if (d->life != LIFE_STOPPING)
        return;
    core_stats(d->core, &stats);
    if (stats.pending > 0 && d->clock.now_ms < d->stop_by_ms)
        return;
    d->life = LIFE_ENDED;
    net_stop(d->net);
}

uint64_t
daemon_next_ms(const struct daemon *d)
{
    if (!list_empty(&d->slices))
        return d->clock.now_ms;
    return d->life == LIFE_STOPPING ? d->stop_by_ms : UINT64_MAX;
}
