/*
 * Another configuration while running. What can be refused comes first: the file, a trial of its modules, listeners bound beside
 * the old ones, modules asked; then nothing can fail any more, and the tree is swapped between two turns.
 */
#include "daemon/reload.h"

#include "daemon/listening.h"
#include "daemon/logs.h"
#include "daemon/sd_notify.h"
#include "daemon/signals.h"
#include "daemon/teller.h"

/* What is fixed when the process starts. */
static int
check_fixed(const struct daemon *d, const struct config *next, struct buf *why)
{
    const struct config_text *was = &d->config->text, *is = &next->text;
    const struct {
        const char *key;
        bool changes;
    } fixed[] = {
        { "state_dir", !span_eq(was->state_dir, is->state_dir) },
        { "control.socket", !span_eq(was->control.socket, is->control.socket) },
        { "control.group", !span_eq(was->control.group, is->control.group) },
        { "user", !span_eq(was->user, is->user) },
        { "group", !span_eq(was->group, is->group) },
    };
    int err = SIPD_OK;

    for (size_t i = 0; i < countof(fixed); i++) {
        if (!fixed[i].changes)
            continue;
        config_complain(next, fixed[i].key, why,
                        "cannot change while sipd runs; restart sipd, or put the old value back");
        err = SIPD_ERESTART;
    }
    return err;
}

/* Modules of the new configuration, in a host of their own where they make nothing. */
static int
try_modules(struct daemon *d, struct config *next, struct buf *why)
{
    struct host_source source = daemon_source(d, next);
    struct host *trial = NULL;
    struct config *was = d->config;
    sigset_t signals;
    int err = daemon_make_host(d, &trial);

    d->config = next;
    if (err == SIPD_OK)
        err = daemon_open_modules(d, trial, next, why);
    if (err == SIPD_OK)
        err = daemon_look_at_files(d, trial, why);
    signals_block(&signals);
    if (err == SIPD_OK)
        err = host_start(trial, &source, NULL, &d->key, why);
    host_free(&trial);
    signals_unblock(&signals);
    d->config = was;
    return err;
}

static int
take_modules(struct daemon *d, struct config *next, struct buf *why)
{
    struct host_source source = daemon_source(d, next);
    sigset_t signals;
    int err;

    signals_block(&signals);
    err = host_reload(d->host, &source, next->text.modules.at, next->text.modules.len, why);
    signals_unblock(&signals);
    return err;
}

/* From here on nothing fails. Modules may ask for domains while they reload, and get those of the new tree. */
static void
take_rest(struct daemon *d, const struct config *next)
{
    listening_commit(d);
    core_set_conf(d->core, &next->core);
    net_set_conf(d->net, &next->net);
    teller_take_config(d);
    (void)logs_set_level(d, (struct span){ NULL, 0 }, (enum log_level)next->text.log.level);
    d->reloads++;
}

static int
take(struct daemon *d, struct config **next, struct buf *why)
{
    struct config *old = d->config;
    int err = listening_prepare(d, *next, why);

    if (err != SIPD_OK)
        return err;
    d->config = *next;
    err = take_modules(d, *next, why);
    if (err == SIPD_OK) {
        take_rest(d, *next);
        *next = old;
    } else {
        d->config = old;
        listening_roll_back(d);
    }
    return err;
}

int
reload(struct daemon *d, bool dry, struct buf *why)
{
    struct config *next = NULL;
    int err = config_load(&next, d->conf_file, d->module_dir, why);

    if (err == SIPD_OK)
        err = config_check_addresses(next, why);
    if (err == SIPD_OK)
        err = check_fixed(d, next, why);
    if (err == SIPD_OK)
        err = try_modules(d, next, why);
    if (err == SIPD_OK && !dry)
        err = take(d, &next, why);
    config_free(&next);
    if (err != SIPD_OK && why->len == 0)
        buf_printf(why, "%s: %s\n", d->conf_file, err_words(err));
    return err;
}

void
reload_by_signal(struct daemon *d)
{
    struct buf why;
    struct span rest, line;
    int err;

    if (d->life != LIFE_RUNNING)
        return;
    sd_notify_reloading();
    buf_init(&why, 1 << 16);
    err = reload(d, false, &why);
    for (rest = buf_span(&why); rest.len > 0;) {
        line = span_cut(&rest, '\n');
        log_spans(&d->log, LOG_LVL_ERROR, "not-reloaded", "why", &line, NULL);
    }
    buf_fini(&why);
    if (err == SIPD_OK)
        log_event(&d->log, LOG_LVL_INFO, "reloaded", "file", d->conf_file, NULL);
    sd_notify_ready();
}
