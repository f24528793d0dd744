/*
 * The few things that the server itself can be told to do, and all its commands.
 */
#include "daemon/ctl_cmds.h"

#include "daemon/ctl_show.h"
#include "daemon/logs.h"
#include "daemon/reload.h"
#include "daemon/restart.h"
#include "daemon/sd_notify.h"
#include "daemon/teller.h"

enum { WHY_BYTES = 1 << 16 };

static void
close_connection(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct daemon *d = self;
    uint64_t flow;

    if (!span_u64(ask->words[0], UINT64_MAX, &flow) || !net_close(d->net, flow))
        sipd_answer_refuse(answer, "there is no connection %.*s; see: sipctl show connections",
                           SPAN_ARG(ask->words[0]));
}

static void
do_reload(struct daemon *d, bool dry, struct sipd_answer *answer)
{
    struct span words;
    struct buf why;
    int err;

    if (d->life != LIFE_RUNNING) {
        sipd_answer_refuse(answer, "sipd is about to end");
        return;
    }
    if (!dry)
        sd_notify_reloading();
    buf_init(&why, WHY_BYTES);
    err = reload(d, dry, &why);
    if (!dry)
        sd_notify_ready();
    words = span_trim(buf_span(&why));
    if (err != SIPD_OK)
        sipd_answer_refuse(answer, "%.*s", SPAN_ARG(words));
    if (err == SIPD_OK && words.len > 0) {
        sipd_answer_row(answer);
        sipd_answer_field(answer, "warning", words);
    }
    if (err != SIPD_OK && !dry)
        log_spans(&d->log, LOG_LVL_ERROR, "not-reloaded", "why", &words, NULL);
    if (err == SIPD_OK && !dry)
        log_event(&d->log, LOG_LVL_INFO, "reloaded", "file", d->conf_file, NULL);
    buf_fini(&why);
}

static void
reload_now(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    (void)ask;
    do_reload(self, false, answer);
}

static void
reload_dry(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    (void)ask;
    do_reload(self, true, answer);
}

static void
drain_on(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    (void)ask;
    (void)answer;
    daemon_drain(self, true);
}

static void
drain_off(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct daemon *d = self;

    (void)ask;
    if (d->life == LIFE_RUNNING)
        daemon_drain(self, false);
    else
        sipd_answer_refuse(answer, "sipd is about to end");
}

/* The answer leaves before the loop ends: it is written when this returns. */
static void
stop(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    (void)ask;
    (void)answer;
    daemon_stop(self);
}

int
ctl_cmds_put(struct daemon *d, const struct ctl_cmd *commands, size_t len)
{
    int err = SIPD_OK;

    for (size_t i = 0; i < len && err == SIPD_OK; i++)
        err = host_command(d->host, commands[i].pattern, commands[i].doc, commands[i].changes,
                           commands[i].fn, d);
    return err;
}

int
ctl_cmds_declare(struct daemon *d)
{
    static const struct ctl_cmd commands[] = {
        { "close connection <id>", "ends a connection", true, close_connection },
        { "reload", "reads the configuration anew and takes it, or says why not", true,
          reload_now },
        { "reload --dry-run", "says whether a reload would be taken", false, reload_dry },
        { "drain", "new requests outside dialogs get 503 from now on", true, drain_on },
        { "drain off", "new requests are served again", true, drain_off },
        { "stop", "ends sipd when nothing is pending, or after drain_s; again: at once", true,
          stop },
    };
    int err = ctl_show_declare(d);

    if (err == SIPD_OK)
        err = ctl_cmds_put(d, commands, countof(commands));
    if (err == SIPD_OK)
        err = restart_declare(d);
    if (err == SIPD_OK)
        err = logs_declare(d);
    return err == SIPD_OK ? teller_declare(d) : err;
}
