/*
 * What there is, for sipctl: status, show … and help.
 */
#include "daemon/ctl_show.h"

#include <config.h>
#include <time.h>
#include <unistd.h>

#include "base/mask.h"
#include "core/calls.h"
#include "daemon/ctl_cmds.h"
#include "daemon/slices.h"
#include "sip/addr.h"
#include "txn/answered.h"

enum { SHOWN = 100, SHOWN_MOST = 100000, PARTY_BYTES = 1 << 16 };

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

static enum slice
put_next_conn(const struct daemon *d, uint64_t *cursor, struct sipd_answer *answer)
{
    struct net_conn_info info;

    if (!net_next_conn(d->net, cursor, &info))
        return SLICE_END;
    put_conn(d, &info, answer);
    return SLICE_ROW;
}

static void
show_connections(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    (void)ask;
    slices_answer(self, answer, put_next_conn, NULL, 0, UINT64_MAX);
}

/* What comes behind its id. */
static void
put_txn(struct sipd_answer *answer, enum txn_kind kind, enum txn_state state, enum method method,
        unsigned status, const struct hop *peer)
{
    struct span text = names_method_text(method);

    put_text(answer, "kind", txn_kind_name(kind));
    put_text(answer, "state", txn_state_name(state));
    sipd_answer_field(answer, "method", text.len > 0 ? text : SPAN("other"));
    sipd_answer_number(answer, "status", status);
    put_hop(answer, "peer", peer);
}

/* Of a walk within SLICE_PLACES. */
static enum slice
slice_of(bool found, uint32_t places_left)
{
    return found ? SLICE_ROW : places_left == 0 ? SLICE_NONE : SLICE_END;
}

static enum slice
put_next_txn(const struct daemon *d, uint64_t *cursor, struct sipd_answer *answer)
{
    uint32_t places = SLICE_PLACES;
    const struct txn *txn = txns_next_within(core_txns(d->core), cursor, &places);

    if (txn) {
        sipd_answer_row(answer);
        sipd_answer_number(answer, "id", (int64_t)txn->id);
        put_txn(answer, (enum txn_kind)txn->kind, (enum txn_state)txn->state,
                (enum method)txn->method, txn->status, &txn->hop);
    }
    return slice_of(txn != NULL, places);
}

/* What is left of one has no id any more: 0. */
static enum slice
put_next_answered(const struct daemon *d, uint64_t *cursor, struct sipd_answer *answer)
{
    const struct answered *a = row_after(&core_txns(d->core)->answered, cursor);
    struct hop peer;

    if (!a)
        return SLICE_END;
    peer = answered_hop(a);
    sipd_answer_row(answer);
    sipd_answer_number(answer, "id", 0);
    put_txn(answer, TXN_NIST, TXN_COMPLETED, (enum method)a->method, a->status, &peer);
    return SLICE_ROW;
}

static void
show_first(struct daemon *d, const struct sipd_ask *ask, struct sipd_answer *answer, slices_fn *fn,
           slices_fn *then)
{
    uint32_t most = SHOWN;

    if (ask->words_len > 0 && !span_u32(ask->words[0], SHOWN_MOST, &most))
        sipd_answer_refuse(answer, "\"%.*s\" is not a number up to %d", SPAN_ARG(ask->words[0]),
                           SHOWN_MOST);
    else
        slices_answer(d, answer, fn, then, 0, most);
}

static void
show_transactions(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    show_first(self, ask, answer, put_next_txn, put_next_answered);
}

/* The URI of a From or To, or all of one that cannot be read; passwords are nobody's business. */
static void
put_party(struct sipd_answer *answer, const char *name, struct span value)
{
    struct addr addr;
    struct buf shown;

    buf_init(&shown, PARTY_BYTES);
    mask_put(&shown, addr_read(value, &addr) == SIPD_OK ? addr.uri : value);
    sipd_answer_field(answer, name, buf_span(&shown));
    buf_fini(&shown);
}

static void
put_call(const struct daemon *d, const struct call *call, struct sipd_answer *answer)
{
    sipd_answer_row(answer);
    sipd_answer_field(answer, "call_id", call->call_id);
    put_party(answer, "from", call->from);
    put_party(answer, "to", call->to);
    put_text(answer, "state", call_state_name(call->state));
    sipd_answer_number(answer, "status", call->status);
    put_text(answer, "in_dialog", call->in_dialog ? "yes" : "no");
    sipd_answer_number(answer, "branches", call->branches);
    sipd_answer_number(answer, "age_s", since_s(d, call->since_ms));
    put_hop(answer, "source", call->source);
}

static enum slice
put_next_call(const struct daemon *d, uint64_t *cursor, struct sipd_answer *answer)
{
    uint32_t places = SLICE_PLACES;
    struct call call;
    bool found = calls_next(d->core, cursor, &places, &call);

    if (found)
        put_call(d, &call, answer);
    return slice_of(found, places);
}

static void
show_calls(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    show_first(self, ask, answer, put_next_call, NULL);
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

/* ---- all of them */

int
ctl_show_declare(struct daemon *d)
{
    static const struct ctl_cmd commands[] = {
        { "help [prefix]", "the commands there are", false, help },
        { "status", "how the server is", false, status },
        { "show chain", "which module is asked at which stage, in order", false, show_chain },
        { "show modules", "the modules loaded", false, show_modules },
        { "show listeners", "the sockets listened on", false, show_listeners },
        { "show connections", "the connections alive", false, show_connections },
        { "show transactions [most]", "the transactions held, the first 100 or so many", false,
          show_transactions },
        { "show calls [most]", "the calls that are being made, the first 100 or so many", false,
          show_calls },
        { "show counters [prefix]", "what has been counted since the start", false, show_counters },
        { "show repairs [peer]",
          "what was wrong with messages, of whom, and what was done about it", false,
          show_repairs },
        { "show config [prefix]", "the settings in force, defaults included", false, show_config },
    };

    return ctl_cmds_put(d, commands, countof(commands));
}
