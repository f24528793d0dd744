/*
 * The server's own commands: what there is, and the few things that it can be told to do.
 */
#include "daemon/ctl_cmds.h"

#include <config.h>
#include <time.h>
#include <unistd.h>

#include "daemon/reload.h"
#include "daemon/sd_notify.h"
#include "daemon/slices.h"
#include "daemon/teller.h"

enum { TRANSACTIONS_SHOWN = 100, TRANSACTIONS_MOST = 100000, WHY_BYTES = 1 << 16 };

/* A walk that puts rows into an answer. */
struct rows {
    const struct daemon *d;
    struct sipd_answer *answer;
    struct span prefix; /* only names that begin so; empty: all */
    const char *name;   /* of whose settings these are; NULL: the server's */
};

static void
put_text(struct sipd_answer *answer, const char *name, const char *text)
{
    sipd_answer_field(answer, name, span_of(text));
}

static void
put_hop(struct sipd_answer *answer, const char *name, const struct hop *hop)
{
    char text[HOP_TEXT_BYTES + 8];

    sipd_answer_field(answer, name, config_listen_text(hop, text));
}

static int64_t
since_s(const struct daemon *d, uint64_t then_ms)
{
    return (int64_t)((d->clock.now_ms - then_ms) / 1000);
}

/* ---- status */

static const char *
load_text(const struct core_stats *stats)
{
    return stats->full ? "full" : stats->shed_percent > 0 ? "shedding" : "normal";
}

static const char *
life_text(const struct daemon *d)
{
    if (d->life == LIFE_STOPPING)
        return "stopping";
    return d->draining ? "draining" : "running";
}

static void
count_one(void *arg, const struct net_conn_info *info)
{
    (void)info;
    ++*(int64_t *)arg;
}

static void
count_module(void *arg, const struct host_module_info *info)
{
    (void)info;
    ++*(int64_t *)arg;
}

static void
status(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct daemon *d = self;
    int64_t connections = 0, modules = 0;
    struct core_stats stats;

    (void)ask;
    core_stats(d->core, &stats);
    net_each_conn(d->net, count_one, &connections);
    host_each_module(d->host, count_module, &modules);
    sipd_answer_row(answer);
    put_text(answer, "state", life_text(d));
    put_text(answer, "version", SIPD_VERSION);
    sipd_answer_number(answer, "pid", getpid());
    sipd_answer_number(answer, "uptime_s", since_s(d, d->started_ms));
    put_text(answer, "file", d->conf_file);
    sipd_answer_number(answer, "reloads", (int64_t)d->reloads);
    sipd_answer_number(answer, "modules", modules);
    sipd_answer_number(answer, "listeners", (int64_t)d->listeners.len);
    sipd_answer_number(answer, "connections", connections);
    sipd_answer_number(answer, "pending", stats.pending);
    sipd_answer_number(answer, "requests", stats.trips);
    sipd_answer_number(answer, "branches", stats.branches);
    sipd_answer_number(answer, "transactions", stats.transactions);
    sipd_answer_number(answer, "transactions_pending", stats.pending_transactions);
    put_text(answer, "load", load_text(&stats));
    sipd_answer_number(answer, "shed_percent", stats.shed_percent);
    sipd_answer_number(answer, "lag_ms", stats.lag_ms);
    sipd_answer_number(answer, "queue_percent", stats.queue_percent);
}

/* ---- show */

static void
show_chain(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct daemon *d = self;
    const struct chain *chain = core_chain(d->core);

    (void)ask;
    for (int stage = 0; stage < CHAIN_STAGES; stage++)
        for (uint16_t i = 0; i < chain->len[stage]; i++) {
            const struct chain_hook *hook = &chain->stages[stage][i];

            sipd_answer_row(answer);
            put_text(answer, "stage", chain_stage_name((enum sipd_stage)stage));
            sipd_answer_number(answer, "order", hook->order);
            put_text(answer, "module", hook->name);
        }
}

static void
put_module(void *arg, const struct host_module_info *info)
{
    struct sipd_answer *answer = arg;

    sipd_answer_row(answer);
    put_text(answer, "module", info->name);
    sipd_answer_number(answer, "hooks", info->hooks);
    sipd_answer_number(answer, "abi", info->abi);
    put_text(answer, "file", info->file ? info->file : "");
}

static void
show_modules(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct daemon *d = self;

    (void)ask;
    host_each_module(d->host, put_module, answer);
}

static void
put_listener(void *arg, const struct net_listener_info *info)
{
    struct sipd_answer *answer = arg;

    sipd_answer_row(answer);
    sipd_answer_number(answer, "id", info->id);
    put_hop(answer, "at", &info->at);
    sipd_answer_field(answer, "sent_by", info->sent_by);
    sipd_answer_number(answer, "received", (int64_t)info->received);
    sipd_answer_number(answer, "sent", (int64_t)info->sent);
    sipd_answer_number(answer, "dropped", (int64_t)info->dropped);
}

static void
show_listeners(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct daemon *d = self;

    (void)ask;
    net_each_listener(d->net, put_listener, answer);
}

/* "2027-01-31"; nothing of 0. */
static void
put_day(struct sipd_answer *answer, const char *name, int64_t wall_s)
{
    time_t at = (time_t)wall_s;
    struct tm day;
    char text[32] = "";

    if (wall_s != 0 && gmtime_r(&at, &day))
        strftime(text, sizeof text, "%Y-%m-%d", &day);
    put_text(answer, name, text);
}

static void
put_conn(const struct daemon *d, const struct net_conn_info *info, struct sipd_answer *answer)
{
    sipd_answer_row(answer);
    sipd_answer_number(answer, "id", (int64_t)info->flow);
    put_hop(answer, "peer", &info->peer);
    put_text(answer, "direction", info->inbound ? "in" : "out");
    put_text(answer, "state", info->connecting ? "connecting" : "open");
    sipd_answer_number(answer, "listener", info->peer.listener);
    sipd_answer_number(answer, "age_s", since_s(d, info->since_ms));
    sipd_answer_number(answer, "idle_s", since_s(d, info->last_ms));
    sipd_answer_number(answer, "queued_bytes", info->queued_bytes);
    sipd_answer_field(answer, "protocol", info->about.protocol);
    sipd_answer_field(answer, "cipher", info->about.cipher);
    sipd_answer_field(answer, "identity", info->about.identity);
    put_text(answer, "verified",
             info->about.identity.len == 0 ? ""
             : info->about.verified        ? "yes"
                                           : "no");
    put_day(answer, "expires", info->about.expires_s);
}

static bool
put_next_conn(const struct daemon *d, uint64_t *cursor, struct sipd_answer *answer)
{
    struct net_conn_info info;

    if (!net_next_conn(d->net, cursor, &info))
        return false;
    put_conn(d, &info, answer);
    return true;
}

static void
show_connections(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    (void)ask;
    slices_answer(self, answer, put_next_conn, UINT64_MAX);
}

static void
put_txn(struct sipd_answer *answer, const struct txn *txn)
{
    struct span method = names_method_text((enum method)txn->method);

    sipd_answer_row(answer);
    sipd_answer_number(answer, "id", (int64_t)txn->id);
    put_text(answer, "kind", txn_kind_name((enum txn_kind)txn->kind));
    put_text(answer, "state", txn_state_name((enum txn_state)txn->state));
    sipd_answer_field(answer, "method", method.len > 0 ? method : SPAN("other"));
    sipd_answer_number(answer, "status", txn->status);
    put_hop(answer, "peer", &txn->hop);
}

static bool
put_next_txn(const struct daemon *d, uint64_t *cursor, struct sipd_answer *answer)
{
    const struct txn *txn = txns_next(core_txns(d->core), cursor);

    if (txn)
        put_txn(answer, txn);
    return txn != NULL;
}

static void
show_transactions(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    uint32_t most = TRANSACTIONS_SHOWN;

    if (ask->words_len > 0 && !span_u32(ask->words[0], TRANSACTIONS_MOST, &most)) {
        sipd_answer_refuse(answer, "\"%.*s\" is not a number up to %d", SPAN_ARG(ask->words[0]),
                           TRANSACTIONS_MOST);
        return;
    }
    slices_answer(self, answer, put_next_txn, most);
}

static void
put_counter(const char *name, uint64_t value, void *arg)
{
    const struct rows *rows = arg;

    if (!span_starts(span_of(name), rows->prefix))
        return;
    sipd_answer_row(rows->answer);
    put_text(rows->answer, "counter", name);
    sipd_answer_number(rows->answer, "value", (int64_t)value);
}

static void
show_counters(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct daemon *d = self;
    struct rows rows = { .answer = answer };

    if (ask->words_len > 0)
        rows.prefix = ask->words[0];
    counters_each(&d->counters, put_counter, &rows);
    if (rows.prefix.len == 0) {
        sipd_answer_row(answer);
        put_text(answer, "counter", "bug_doubts");
        sipd_answer_number(answer, "value", (int64_t)bug_doubts());
    }
}

static void
put_repair(void *arg, const struct repairs_row *row)
{
    const struct rows *rows = arg;
    char text[HOP_TEXT_BYTES];
    struct span peer = row->peer ? hop_ip_write(row->peer, text) : SPAN("others");

    if (rows->prefix.len > 0 && !span_eq(peer, rows->prefix))
        return;
    sipd_answer_row(rows->answer);
    sipd_answer_field(rows->answer, "peer", peer);
    put_text(rows->answer, "rule", deviation_info(row->rule)->name);
    put_text(rows->answer, "verdict", repair_verdict_name(row->verdict));
    sipd_answer_number(rows->answer, "count", (int64_t)row->count);
    if (row->peer)
        sipd_answer_number(rows->answer, "last_s", since_s(rows->d, row->last_ms));
    else
        put_text(rows->answer, "last_s", "");
}

static void
show_repairs(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct daemon *d = self;
    struct rows rows = { .d = d, .answer = answer };

    if (ask->words_len > 0)
        rows.prefix = ask->words[0];
    repairs_each(core_repairs(d->core), put_repair, &rows);
}

static void
put_setting(void *arg, struct span key, struct span value)
{
    const struct rows *rows = arg;

    if (!span_starts(key, rows->prefix))
        return;
    sipd_answer_row(rows->answer);
    sipd_answer_field(rows->answer, "key", key);
    sipd_answer_field(rows->answer, "value", value);
}

static void
put_settings(void *arg, const struct host_module_info *info)
{
    conf_items_each(info->items, span_of(info->name), info->conf, put_setting, arg);
}

static void
show_config(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct daemon *d = self;
    struct rows rows = { .answer = answer };

    if (ask->words_len > 0)
        rows.prefix = ask->words[0];
    conf_items_each(config_items, (struct span){ NULL, 0 }, &d->config->text, put_setting, &rows);
    host_each_module(d->host, put_settings, &rows);
}

static void
put_command(void *arg, const struct host_command_info *info)
{
    const struct rows *rows = arg;

    if (!span_starts(span_of(info->pattern), rows->prefix))
        return;
    sipd_answer_row(rows->answer);
    put_text(rows->answer, "command", info->pattern);
    put_text(rows->answer, "module", info->owner ? info->owner : "");
    put_text(rows->answer, "what", info->doc);
}

static void
help(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct daemon *d = self;
    struct rows rows = { .answer = answer };

    if (ask->words_len > 0)
        rows.prefix = ask->words[0];
    host_each_command(d->host, put_command, &rows);
}

/* ---- do */

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

static void
set_log_level(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct daemon *d = self;
    struct span floor = ask->words_len > 1 ? ask->words[1] : (struct span){ NULL, 0 };
    enum log_level level;

    if (!log_level_read(ask->words[0], &level))
        sipd_answer_refuse(answer, "\"%.*s\" is not error, warn, info or debug",
                           SPAN_ARG(ask->words[0]));
    else if (!daemon_log_level(d, floor, level))
        sipd_answer_refuse(answer, "\"%.*s\" is not core, net, host or daemon", SPAN_ARG(floor));
}

/* ---- all of them */

int
ctl_cmds_declare(struct daemon *d)
{
    static const struct {
        const char *pattern, *doc;
        bool changes;
        sipd_command_fn *fn;
    } commands[] = {
        { "help [prefix]", "the commands there are", false, help },
        { "status", "how the server is", false, status },
        { "show chain", "which module is asked at which stage, in order", false, show_chain },
        { "show modules", "the modules loaded", false, show_modules },
        { "show listeners", "the sockets listened on", false, show_listeners },
        { "show connections", "the connections alive", false, show_connections },
        { "show transactions [most]", "the transactions held, the first 100 or so many", false,
          show_transactions },
        { "show counters [prefix]", "what has been counted since the start", false, show_counters },
        { "show repairs [peer]",
          "what was wrong with messages, of whom, and what was done about it", false,
          show_repairs },
        { "show config [prefix]", "the settings in force, defaults included", false, show_config },
        { "close connection <id>", "ends a connection", true, close_connection },
        { "reload", "reads the configuration anew and takes it, or says why not", true,
          reload_now },
        { "reload --dry-run", "says whether a reload would be taken", false, reload_dry },
        { "drain", "new requests outside dialogs get 503 from now on", true, drain_on },
        { "drain off", "new requests are served again", true, drain_off },
        { "stop", "ends sipd when nothing is pending, or after drain_s; again: at once", true,
          stop },
        { "log <level> [floor]",
          "writes lines down to error, warn, info or debug until the next reload, all or those of "
          "core, net, host (modules, too) or daemon",
          true, set_log_level },
    };
    int err = SIPD_OK;

    for (size_t i = 0; i < countof(commands) && err == SIPD_OK; i++)
        err = host_command(d->host, commands[i].pattern, commands[i].doc, commands[i].changes,
                           commands[i].fn, d);
    return err == SIPD_OK ? teller_declare(d) : err;
}
