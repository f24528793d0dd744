/*
 * The registrar: answers REGISTER, knows where users are, and keeps it over a restart (RFC 3261 §10.3; RFC 5630
 * §5.2).
 *
 * Limits that the RFC leaves to us: more Contacts of a user than max_contacts are refused with 403 Too Many
 * Contacts; more bindings than max_bindings, or more waiting changes than max_waiting, with 503 and
 * Retry-After.
 */
#include <limits.h>

#include "registrar.h"

#define HOOK_ORDER    500
#define TICK_MS       1000
#define TICK_AGAIN_MS 1          /* more is due than one turn takes */
#define SWEEP_MOST    1024       /* bindings looked at in a turn */
#define READ_ID       UINT64_MAX /* the id under which the store is read */

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
    SIPD_UINT(registrar_conf, max_contacts, 10, 1, RULES_CONTACTS_MAX,
              "bindings of one user; more are answered 403"),
    SIPD_UINT(registrar_conf, max_bindings, 2000000, 1, 2000000000,
              "bindings in all; more are answered 503"),
    SIPD_UINT(registrar_conf, max_waiting, 8192, 1, 1000000,
              "REGISTERs that wait for the disk; more are answered 503"),
    SIPD_CONF_END
};

/* ---------------------------------------------------------------- time */

static void tick(void *self, uint64_t arg);

static void
set_timer(struct registrar *r, uint64_t delay_ms)
{
    r->timer = sipd_timer(r->host, delay_ms, tick, r, 0);
}

static void
tick(void *self, uint64_t arg)
{
    struct registrar *r = self;
    bool more;

    (void)arg;
    *r->expired += bindings_sweep(r->index, sipd_now_ms(r->host), SWEEP_MOST, &more);
    *r->bindings = bindings_count(r->index);
    if (r->ready)
        purge_step(&r->purge);
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
note(void *self, uint64_t id, struct span bytes)
{
    struct registrar *r = self;

    sipd_note(r->host, BINDINGS_FACT, BINDINGS_FACT_VERSION, id, bytes);
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
wall_s(void *self)
{
    struct registrar *r = self;

    return sipd_wall_s(r->host);
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
static void
revive(struct registrar *r, struct binding *b, const struct store_row *row)
{
    b->source.listener = sipd_listener_find(r->host, row->listener);
    b->source.flow = hop_is_reliable(b->source.transport) ? HOP_FLOW_DEAD : 0;
}

/* Never more is left than was granted, though the clock be wrong. */
static uint64_t
left_ms(const struct registrar *r, const struct store_row *row)
{
    int64_t left_s = row->expires_wall_s - sipd_wall_s(r->host);

    if (left_s <= 0)
        return 0;
    return 1000 * (left_s < row->granted_s ? (uint64_t)left_s : row->granted_s);
}

static size_t
count_of(const struct registrar *r, struct span aor)
{
    const struct aor *found = bindings_find(r->index, aor);
    size_t n = 0;

    for (const struct binding *b = found ? found->first : NULL; b; b = b->next)
        n++;
    return n;
}

static int
row_read(void *self, const struct store_row *row)
{
    struct registrar *r = self;
    uint64_t now = sipd_now_ms(r->host);
    struct binding *b;
    struct uri uri;
    int err;

    if (uri_read(row->contact, &uri) != SIPD_OK || count_of(r, row->aor) >= RULES_CONTACTS_MAX)
        return SIPD_ESYNTAX;
    b = binding_new(row, now + left_ms(r, row));
    if (!b)
        return SIPD_ENOMEM;
    revive(r, b, row);
    err = bindings_restore(r->index, &b, now);
    if (err)
        binding_free(&b);
    return err;
}

static void
store_done(void *self, uint64_t id, int err)
{
    struct registrar *r = self;

    if (id == READ_ID) {
        r->ready = err == SIPD_OK;
        return;
    }
    *r->failed += err != SIPD_OK;
    if (id != PURGE_ID) {
        jobs_written(&r->jobs, id, err);
        return;
    }
    purge_written(&r->purge, err);
    if (err == SIPD_OK && !r->jobs.closing)
        purge_step(&r->purge);
}

static void
store_trouble(void *self, const char *words)
{
    struct registrar *r = self;

    if (r->loading)
        sipd_complain(r->host, "%s", words);
    else
        sipd_log(r->host, 0, "registrar_store", "reason", words, NULL);
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
    r->jobs.limits =
        (struct jobs_limits){ conf->max_contacts, conf->max_bindings, conf->max_waiting };
    return SIPD_OK;
}

static int
make_index(struct registrar *r)
{
    struct bindings_port port = { r, note, listener };
    uint8_t key[16];

    sipd_secret(r->host, SPAN("registrar index"), key);
    r->index = bindings_new(&port, key, sipd_now_ms(r->host));
    r->jobs.index = r->purge.index = r->index;
    r->jobs.port = (struct jobs_port){ r, now_ms, wall_s, listener, tell };
    return r->index ? SIPD_OK : SIPD_ENOMEM;
}

static int
open_store(struct registrar *r, const char *path)
{
    int answer = r->ops->open(&r->store_port, path, &r->store);

    if (answer != SIPD_OK)
        return answer;
    r->jobs.ops = r->purge.ops = r->ops;
    r->jobs.store = r->purge.store = r->store;
    answer = r->ops->read(r->store, READ_ID);
    if (answer < 0)
        return answer;
    r->ready = answer == STORE_NOW;
    return SIPD_OK;
}

static int
find_store(struct registrar *r)
{
    char path[PATH_MAX];
    int err = sipd_path(r->host, r->conf->path, path, sizeof path);

    r->ops = r->conf->store == STORE_RAM ? &store_ram_ops : &store_sqlite_ops;
    r->store_port = (struct store_port){ r, row_read, store_done, store_trouble, store_post };
    if (err != SIPD_OK)
        return err;
    return sipd_is_trial(r->host) ? r->ops->look(&r->store_port, path) : open_store(r, path);
}

static int
announce(struct registrar *r)
{
    int err;

    r->updated = sipd_counter(r->host, "registrar_updated");
    r->fetched = sipd_counter(r->host, "registrar_fetched");
    r->refused = sipd_counter(r->host, "registrar_refused");
    r->failed = sipd_counter(r->host, "registrar_store_failed");
    r->expired = sipd_counter(r->host, "registrar_expired");
    r->bindings = sipd_counter(r->host, "registrar_bindings");
    if ((err = sipd_hook(r->host, SIPD_ON_REQUEST, HOOK_ORDER, registrar_on_request, r)) !=
            SIPD_OK ||
        (err = sipd_hook(r->host, SIPD_ON_TARGETS, HOOK_ORDER, registrar_on_targets, r)) !=
            SIPD_OK ||
        (err = sipd_offer_users(r->host, registrar_is_user, r)) != SIPD_OK)
        return err;
    set_timer(r, TICK_MS);
    return registrar_commands(r);
}

/* What the store still answers is still made true: others may watch our facts. */
static void
registrar_unload(void *self)
{
    struct registrar *r = self;

    registrar_end_listings(r);
    jobs_close(&r->jobs);
    if (r->ops)
        r->ops->close(&r->store);
    jobs_fini(&r->jobs);
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
    jobs_init(&r->jobs);
    ring_init(&r->listings);
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
