/*
 * The registrar: answers REGISTER, knows where users are, and keeps it over a restart (RFC 3261 §10.3; RFC 5630
 * §5.2).
 *
 * Limits that the RFC leaves to us: more Contacts of a user than max_contacts are refused with 403 Too Many
 * Contacts; more bindings than max_bindings, or more waiting changes than max_waiting, with 503 and
 * Retry-After.
 */
#include <limits.h>
#include <stdio.h>

#include "registrar.h"

#define HOOK_ORDER       500
#define TICK_MS          1000
#define TROUBLE_AGAIN_MS 60000      /* until the log is told of the same trouble again */
#define TICK_AGAIN_MS    1          /* more is due than one turn takes */
#define SWEEP_MOST       1024       /* bindings looked at in a turn */
#define READ_ID          UINT64_MAX /* the id under which the store is read */

enum { STORE_SQLITE, STORE_RAM };
static const char *const store_words[] = { "sqlite", "ram", NULL };

static const struct sipd_conf_item conf_items[] = {
    SIPD_CHOICE(registrar_conf, store, store_words, STORE_SQLITE,
                "where bindings are kept: sqlite, on disk before a REGISTER is answered; ram, lost "
                "with the process"),
    SIPD_WRITE_PATH(registrar_conf, path, "location.db",
                    "the database of store \"sqlite\"; relative: in state_dir"),
    SIPD_UINT(registrar_conf, min_expires_s, 60, 1, 86400,
              "shortest interval, seconds; a shorter one is answered 423 (an hour or more is never "
              "too short)"),
    SIPD_UINT(registrar_conf, max_expires_s, 7200, 1, 2147483647,
              "longest interval granted, seconds"),
    SIPD_UINT(registrar_conf, default_expires_s, 3600, 1, 2147483647,
              "interval for a REGISTER that names none, seconds; brought between min_expires_s and "
              "max_expires_s"),
    SIPD_UINT(registrar_conf, max_contacts, 10, 1, RULES_BINDINGS_MAX,
              "bindings of one user; more are answered 403"),
    SIPD_UINT(registrar_conf, max_bindings, 2000000, 1, 2000000000,
              "bindings in all; more are answered 503"),
    SIPD_UINT(registrar_conf, max_waiting, 8192, 1, 1000000,
              "REGISTERs that wait for the disk; more are answered 503"),
    SIPD_UINT(registrar_conf, max_source_bindings, 0, 0, 2000000000,
              "bindings that come from one address; more are answered 403; 0: no limit"),
    SIPD_UINT(registrar_conf, flow_timer_s, 120, 0, 86400,
              "how often a device shall say on its connection that it is there (Flow-Timer of RFC "
              "5626), seconds; 0: it is not told"),
    SIPD_STRS(registrar_conf, service_route, "", 0, 16,
              "Service-Route of every 200 (RFC 3608), \"<sip:proxy.example.com;lr>\" each"),
    SIPD_CONF_END
};

/* ---------------------------------------------------------------- time */

static void tick(void *self, uint64_t arg);

static void
set_timer(struct registrar *r, uint64_t delay_ms)
{
    r->timer = sipd_timer(r->host, delay_ms, tick, r, 0);
}

/* So many facts could not be stored that not all were kept: what they made of memory is. */
static void
write_what_was_lost(struct registrar *r)
{
    if (!r->mirror.overflown || *r->down || rewrite_is_wanted(&r->rewrite))
        return;
    r->mirror.overflown = false;
    rewrite_begin(&r->rewrite);
    *r->rewriting = true;
}

/* A clock that is set changes nothing that was granted; the file must know, with what is written next or by itself. */
static void
watch_clock(struct registrar *r)
{
    int64_t by_s;
    char text[24];

    steady_look(&r->steady, sipd_now_ms(r->host), sipd_wall_s(r->host));
    if ((by_s = steady_news(&r->steady)) != 0) {
        snprintf(text, sizeof text, "%+lld", (long long)by_s);
        sipd_log(r->host, 1, "registrar_clock", "set_by_s", text, "bindings",
                 "last as long as was granted", NULL);
    }
    steady_step(&r->steady, r->ops, r->store);
}

static void
tick(void *self, uint64_t arg)
{
    struct registrar *r = self;
    bool more;

    (void)arg;
    *r->expired += bindings_sweep(r->index, sipd_now_ms(r->host), SWEEP_MOST, &more);
    *r->bindings = bindings_count(r->index);
    watch_clock(r);
    if (r->ready) {
        if (r->ops->watch && !more)
            r->ops->watch(r->store);
        purge_step(&r->purge);
        mirror_again(&r->mirror);
        write_what_was_lost(r);
    }
    rewrite_step(&r->rewrite);
    jobs_sweep(&r->jobs);
    set_timer(r, more ? TICK_AGAIN_MS : TICK_MS);
}

void
registrar_keep_time(struct registrar *r)
{
    if (r->timer == 0)
        set_timer(r, TICK_MS);
}

/* ---------------------------------------------------------------- what the inner files ask */

static void
note(void *self, const struct fact *fact)
{
    struct registrar *r = self;

    (void)sipd_note(r->host, fact->kind, fact->version, fact->id, fact->bytes);
}

static bool
is_watched(void *self)
{
    const struct registrar *r = self;

    return sipd_is_watched(r->host);
}

static struct span
listener(void *self, uint16_t number)
{
    struct registrar *r = self;

    return number == 0 ? SPAN("") : sipd_listener_text(r->host, number);
}

static uint64_t
now_ms(void *self)
{
    struct registrar *r = self;

    return sipd_now_ms(r->host);
}

static int64_t
steady_s(void *self, uint64_t at_ms)
{
    struct registrar *r = self;

    return steady_at(&r->steady, at_ms);
}

/* Each write has it: none tells of a later time than the file knows of steps. */
static struct store_time
store_time(void *self)
{
    struct registrar *r = self;

    return steady_time(&r->steady, sipd_now_ms(r->host), sipd_wall_s(r->host));
}

static void
tell(void *self, struct job *job)
{
    struct registrar *r = self;

    if (job->ask.kind == JOB_REGISTER)
        sipd_resume(r->host, job->ask.asker);
    else
        registrar_answer_job(r, job);
}

/* ---------------------------------------------------------------- what the store tells */

/* Connections do not outlive the process that had them. */
struct hop
registrar_source(const struct registrar *r, const struct store_row *row)
{
    struct hop source = row->source;

    source.listener = sipd_listener_find(r->host, row->listener);
    source.flow = hop_is_reliable(source.transport) ? HOP_FLOW_DEAD : 0;
    return source;
}

/*
 * Never more is left than was granted, though the clock be wrong. If it is known to be wrong, nobody knows what is left: a
 * little, so that phones are reached until they register again.
 */
static uint64_t
left_ms(const struct registrar *r, const struct store_row *row)
{
    int64_t left_s = row->expires_s - steady_at(&r->steady, sipd_now_ms(r->host));

    if (r->clock_doubt)
        left_s = r->conf->min_expires_s;
    if (left_s <= 0)
        return 0;
    return 1000 * (left_s < row->granted_s ? (uint64_t)left_s : row->granted_s);
}

/* A clock before the last write, or so far behind it that all bindings would have ended, is not believed. */
static void
store_written(void *self, const struct store_time *at)
{
    struct registrar *r = self;
    int64_t now_s = sipd_wall_s(r->host), passed_s = now_s - at->wall_s;
    char was[24], is[24];

    r->clock_doubt = at->wall_s > 0 &&
                     (passed_s < -STEADY_SLACK_S || passed_s > (int64_t)r->conf->max_expires_s);
    steady_begin(&r->steady, at, r->clock_doubt, sipd_now_ms(r->host), now_s);
    if (!r->clock_doubt)
        return;
    snprintf(was, sizeof was, "%lld", (long long)at->wall_s);
    snprintf(is, sizeof is, "%lld", (long long)now_s);
    sipd_log(r->host, 1, "registrar_clock", "store_written_s", was, "now_s", is, "bindings",
             "kept for min_expires_s at most", NULL);
}

static void
store_news(void *self, const char *words)
{
    struct registrar *r = self;

    sipd_log(r->host, 1, "registrar_store", "news", words, NULL);
}

bool
registrar_has_read(const struct registrar *r, struct span aor)
{
    return r->ready || span_order(aor, r->read_to) < 0;
}

/* Rows come AoR by AoR; how many of this one with it? */
static size_t
count_read(struct registrar *r, struct span aor)
{
    if (!span_eq(aor, r->read_to)) {
        memcpy(r->read_text, aor.at, aor.len);
        r->read_to = (struct span){ r->read_text, aor.len };
        r->read_count = 0;
    }
    return ++r->read_count;
}

/* A contact that is none, or one too many, stays in the file and is in nobody's way there. */
static int
row_read(void *self, const struct store_row *row)
{
    struct registrar *r = self;
    uint64_t now = sipd_now_ms(r->host);
    struct binding *b;
    struct uri uri;
    int err;

    if (count_read(r, row->aor) > RULES_BINDINGS_MAX || uri_read(row->contact, &uri) != SIPD_OK)
        return SIPD_OK;
    b = binding_new_hashed(row, binding_uri_hash(&uri), now + left_ms(r, row));
    if (!b)
        return SIPD_ENOMEM;
    b->source = registrar_source(r, row);
    err = bindings_restore(r->index, &b, now);
    if (err)
        binding_free(&b);
    return err;
}

static void
read_done(struct registrar *r)
{
    char bindings[24], took_ms[24];

    r->ready = true;
    *r->loading_now = 0;
    snprintf(bindings, sizeof bindings, "%zu", bindings_count(r->index));
    snprintf(took_ms, sizeof took_ms, "%llu",
             (unsigned long long)(sipd_now_ms(r->host) - r->read_begun_ms));
    sipd_log(r->host, 2, "registrar_read", "bindings", bindings, "took_ms", took_ms, NULL);
}

/*
 * An alarm: what the file had is aside, what we know is written anew, and goes on being served. At the start that is nothing, and
 * phones register again.
 */
static void
store_lost(void *self)
{
    struct registrar *r = self;

    ++*r->lost;
    sipd_log(r->host, 0, "registrar_store_lost", "reason", "the file was damaged or gone",
             "bindings",
             bindings_count(r->index) > 0 ? "written anew from memory"
                                          : "none until phones register again",
             NULL);
    rewrite_begin(&r->rewrite);
    rewrite_step(&r->rewrite);
    *r->rewriting = rewrite_is_wanted(&r->rewrite);
}

static void
rewrite_done(struct registrar *r, int err)
{
    rewrite_written(&r->rewrite, err);
    if (err == SIPD_OK && !r->jobs.closing)
        rewrite_step(&r->rewrite);
    if (*r->rewriting && !rewrite_is_wanted(&r->rewrite))
        sipd_log(r->host, 2, "registrar_store_written_anew", NULL);
    *r->rewriting = rewrite_is_wanted(&r->rewrite);
}

static void
store_done(void *self, uint64_t id, int err)
{
    struct registrar *r = self;

    if (id == READ_ID) {
        read_done(r);
        return;
    }
    *r->failed += err != SIPD_OK;
    *r->down = err != SIPD_OK;
    if (err == SIPD_OK && r->troubled) {
        sipd_log(r->host, 2, "registrar_store_works_again", NULL);
        r->troubled = false;
    }
    if (err != SIPD_OK)
        rewrite_again(&r->rewrite); /* what of it was under way may be missing */
    if (id <= MIRROR_ID_MAX) {
        mirror_written(&r->mirror, id, err);
    } else if (id == REWRITE_ID) {
        rewrite_done(r, err);
    } else if (id == STEADY_ID) {
        steady_written(&r->steady, err);
    } else if (id != PURGE_ID) {
        jobs_written(&r->jobs, id, err);
    } else {
        purge_written(&r->purge, err);
        if (err == SIPD_OK && !r->jobs.closing)
            purge_step(&r->purge);
    }
}

static void
store_trouble(void *self, const char *words)
{
    struct registrar *r = self;

    if (r->loading)
        sipd_complain(r->host, "path: %s", words);
    else if (!r->troubled || sipd_now_ms(r->host) - r->trouble_ms >= TROUBLE_AGAIN_MS) {
        sipd_log(r->host, 0, "registrar_store", "reason", words, NULL);
        r->trouble_ms = sipd_now_ms(r->host);
        r->troubled = true;
    }
}

static int
store_post(void *self, void (*fn)(void *store, void *none), void *store)
{
    struct registrar *r = self;

    return sipd_post(r->host, fn, store, NULL);
}

/* ---------------------------------------------------------------- life */

static uint32_t
between(uint32_t low, uint32_t value, uint32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Phones put them into Route as they are (RFC 3608 §5.1); without lr they would take us for a strict router. */
static int
check_routes(struct sipd_host *host, const struct registrar_conf *conf)
{
    for (size_t i = 0; i < conf->service_route.len; i++) {
        struct span text = conf->service_route.at[i], lr;
        struct addr addr;
        struct uri uri;

        if (addr_read(text, &addr) == SIPD_OK && addr.brackets &&
            uri_read(addr.uri, &uri) == SIPD_OK && uri_param(&uri, SPAN("lr"), &lr))
            continue;
        sipd_complain(host,
                      "service_route: \"%.*s\" is no <sip:…;lr>; \"<sip:proxy.example.com;lr>\" "
                      "would be right",
                      SPAN_ARG(text));
        return SIPD_EINVAL;
    }
    return SIPD_OK;
}

static int
take_limits(struct registrar *r, const struct registrar_conf *conf)
{
    if (conf->min_expires_s > conf->max_expires_s) {
        sipd_complain(
            r->host,
            "min_expires_s: %u is more than max_expires_s, %u; at most that much would be right",
            conf->min_expires_s, conf->max_expires_s);
        return SIPD_EINVAL;
    }
    r->conf = conf;
    r->limits = (struct rules_limits){
        .min_expires_s = conf->min_expires_s,
        .max_expires_s = conf->max_expires_s,
        .default_expires_s =
            between(conf->min_expires_s, conf->default_expires_s, conf->max_expires_s),
        .max_contacts = conf->max_contacts,
    };
    r->jobs.limits = (struct jobs_limits){ conf->max_contacts, conf->max_bindings,
                                           conf->max_source_bindings, conf->max_waiting };
    r->mirror.max_waiting = conf->max_waiting;
    return check_routes(r->host, conf);
}

static int
make_index(struct registrar *r)
{
    struct bindings_port port = { r, note, is_watched, listener };
    uint8_t key[16];

    sipd_secret(r->host, SPAN("registrar index"), key);
    r->index = bindings_new(&port, key, sipd_now_ms(r->host));
    r->jobs.index = r->purge.index = r->rewrite.index = r->mirror.index = r->index;
    r->jobs.port = (struct jobs_port){ r, now_ms, steady_s, listener, tell };
    return r->index ? SIPD_OK : SIPD_ENOMEM;
}

static int
open_store(struct registrar *r, const char *path)
{
    int answer = r->ops->open(&r->store_port, path, &r->store);

    if (answer != SIPD_OK)
        return answer;
    r->jobs.ops = r->purge.ops = r->rewrite.ops = r->mirror.ops = r->ops;
    r->jobs.store = r->purge.store = r->rewrite.store = r->mirror.store = r->store;
    r->read_begun_ms = sipd_now_ms(r->host);
    answer = r->ops->read(r->store, READ_ID);
    if (answer < 0)
        return answer;
    r->ready = answer == STORE_NOW;
    *r->loading_now = !r->ready;
    return SIPD_OK;
}

static int
find_store(struct registrar *r)
{
    char path[PATH_MAX];
    int err = sipd_path(r->host, r->conf->path, path, sizeof path);

    r->ops = r->conf->store == STORE_RAM ? &store_ram_ops : &store_sqlite_ops;
    r->store_port = (struct store_port){ .self = r,
                                         .row = row_read,
                                         .done = store_done,
                                         .written = store_written,
                                         .news = store_news,
                                         .lost = store_lost,
                                         .time = store_time,
                                         .trouble = store_trouble,
                                         .post = store_post };
    if (err != SIPD_OK)
        return err;
    return sipd_is_trial(r->host) ? r->ops->look(&r->store_port, path) : open_store(r, path);
}

static void
make_counters(struct registrar *r)
{
    r->updated = sipd_counter(r->host, "registrar_updated");
    r->fetched = sipd_counter(r->host, "registrar_fetched");
    r->refused = sipd_counter(r->host, "registrar_refused");
    r->failed = sipd_counter(r->host, "registrar_store_failed");
    r->expired = sipd_counter(r->host, "registrar_expired");
    r->down = sipd_counter(r->host, "registrar_store_down");
    r->bindings = sipd_counter(r->host, "registrar_bindings");
    r->loading_now = sipd_counter(r->host, "registrar_reading");
    r->lost = sipd_counter(r->host, "registrar_store_lost");
    r->rewriting = sipd_counter(r->host, "registrar_store_rewriting");
}

static int
announce(struct registrar *r)
{
    int err;

    if ((err = sipd_hook(r->host, SIPD_ON_REQUEST, HOOK_ORDER, registrar_on_request, r)) !=
            SIPD_OK ||
        (err = sipd_hook(r->host, SIPD_ON_TARGETS, HOOK_ORDER, registrar_on_targets, r)) !=
            SIPD_OK ||
        (err = sipd_offer_users(r->host, registrar_is_user, r)) != SIPD_OK ||
        (err = registrar_facts(r)) != SIPD_OK)
        return err;
    set_timer(r, TICK_MS);
    return registrar_commands(r);
}

/* All that was acknowledged is kept when we end, and be it that the file was lost this very moment. */
static void
keep_the_rest(struct registrar *r)
{
    if (r->store)
        watch_clock(r);
    if (!r->ready || !r->ops->settle)
        return;
    r->ops->settle(r->store);
    watch_clock(r); /* an earlier time was on its way */
    while (rewrite_is_wanted(&r->rewrite) && !*r->down) {
        rewrite_step(&r->rewrite);
        if (!r->rewrite.under_way)
            return;
        r->ops->settle(r->store);
    }
}

/* What the store still answers is still made true: others may watch our facts. */
static void
registrar_unload(void *self)
{
    struct registrar *r = self;

    registrar_end_listings(r);
    jobs_close(&r->jobs);
    keep_the_rest(r);
    if (r->ops)
        r->ops->close(&r->store);
    jobs_fini(&r->jobs);
    rewrite_fini(&r->rewrite);
    mirror_fini(&r->mirror);
    bindings_free(&r->index);
}

static int
registrar_load(struct sipd_host *host, const void *conf, void **self)
{
    struct registrar *r = sipd_new(host, sizeof *r);
    int err;

    if (!r)
        return SIPD_ENOMEM;
    *self = r;
    r->host = host;
    r->loading = true;
    asks_fields_init(&r->fields);
    jobs_init(&r->jobs);
    mirror_init(&r->mirror);
    steady_init(&r->steady, sipd_now_ms(host), sipd_wall_s(host));
    ring_init(&r->listings);
    make_counters(r);
    if ((err = take_limits(r, conf)) != SIPD_OK || (err = make_index(r)) != SIPD_OK ||
        (err = find_store(r)) != SIPD_OK || (err = announce(r)) != SIPD_OK)
        registrar_unload(r);
    r->loading = false;
    return err;
}

static int
registrar_reload(void *self, const void *conf)
{
    struct registrar *r = self;
    const struct registrar_conf *wanted = conf;

    if (wanted->store != r->conf->store || !span_eq(wanted->path, r->conf->path))
        return SIPD_ERESTART;
    return take_limits(r, wanted);
}

SIPD_MODULE(.name = "registrar", .conf = conf_items, .conf_bytes = sizeof(struct registrar_conf),
            .load = registrar_load, .reload = registrar_reload, .unload = registrar_unload);
