/*
 * The auth module: settings, start, reload and end of what asks senders for their password (RFC 3261 §22, RFC 8760).
 */
#include "auth.h"

#include <limits.h>
#include <stdio.h>

#include <openssl/crypto.h>

#include "userdb.h"

static const struct sipd_conf_item guard_items[] = {
    SIPD_UINT(guard_limits, failures, 20, 0, 100000,
              "wrong passwords of a source or for a user that are looked at; 0: no guard"),
    SIPD_UINT(guard_limits, window_s, 600, 1, 86400,
              "after so many seconds without a wrong password they are forgotten"),
    SIPD_UINT(guard_limits, wait_s, 30, 1, 86400,
              "then no password is looked at for so long, seconds; each time twice as long"),
    SIPD_UINT(guard_limits, longest_s, 3600, 1, 604800, "the longest wait, seconds"), SIPD_CONF_END
};

enum { GATE_ORDER = 100 };

static const struct sipd_conf_item auth_items[] = {
    SIPD_WRITE_PATH(auth_conf, path, "users.db", "SQLite file of users; relative: in state_dir"),
    SIPD_STRS(auth_conf, algorithms, "MD5", 1, DIGEST_ALGORITHMS,
              "challenges to offer, one each, strongest first: MD5, SHA-256, SHA-512-256"),
    SIPD_STRS(auth_conf, challenge, "REGISTER INVITE MESSAGE", 0, 32,
              "methods whose sender must authenticate when it claims a domain of ours"),
    SIPD_STRS(auth_conf, trusted, "", 0, 1000,
              "networks that need no password: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32"),
    SIPD_STR(auth_conf, realm, "", "realm of every challenge; empty: the domain in question"),
    SIPD_UINT(auth_conf, nonce_s, 300, 10, 86400,
              "life of a nonce, seconds; then a right answer is asked for again"),
    SIPD_UINT(auth_conf, nonces, 65536, 1024, 4194304,
              "nonces whose use is remembered; older ones are asked for again"),
    SIPD_BOOL(auth_conf, assert_identity, true,
              "add P-Asserted-Identity to what an authenticated user sends (RFC 3325)"),
    SIPD_GROUPS(auth_conf, aliases, names_conf, names_items, 0, NAMES_MAX,
                "further addresses that users may register and send from"),
    SIPD_GROUP(auth_conf, guard, guard_items, "who guesses passwords waits"),
    SIPD_UINT(auth_conf, guard_places, 8192, 64, 1048576,
              "sources and users whose wrong passwords are remembered; the quietest make room"),
    SIPD_CONF_END
};

/* What is read from the settings and replaced as a whole. */
struct drawn {
    bool offered[DIGEST_ALGORITHMS];
    struct nets trusted;
    struct names aliases;
};

static int
read_algorithms(struct sipd_host *host, const struct auth_conf *conf, struct drawn *out)
{
    enum digest_algorithm algorithm;

    for (size_t i = 0; i < conf->algorithms.len; i++) {
        struct span text = conf->algorithms.at[i];

        if (text.len == 0 || !digest_algorithm_read(text, &algorithm)) {
            sipd_complain(host, "algorithms: \"%.*s\" is not one of MD5, SHA-256, SHA-512-256",
                          SPAN_ARG(text));
            return SIPD_EINVAL;
        }
        out->offered[algorithm] = true;
    }
    return SIPD_OK;
}

/* A token without small letters: methods are told apart by case (RFC 3261 §7.1, §25.1). */
static bool
is_method(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if ((c < 'A' || c > 'Z') && (c < '0' || c > '9') && (c == '\0' || !strchr("-.!%*_+`'~", c)))
            return false;
    }
    return text.len > 0;
}

/* Neither ACK nor CANCEL can be answered, so neither can be challenged (RFC 3261 §22.1). */
static int
check_methods(struct sipd_host *host, const struct auth_conf *conf)
{
    for (size_t i = 0; i < conf->challenge.len; i++) {
        struct span text = conf->challenge.at[i];

        if (span_eq(text, SPAN("ACK")) || span_eq(text, SPAN("CANCEL"))) {
            sipd_complain(host, "challenge: %.*s cannot be challenged: it follows its INVITE",
                          SPAN_ARG(text));
            return SIPD_EINVAL;
        }
        if (!is_method(text)) {
            sipd_complain(host, "challenge: \"%.*s\" is no method; methods are words in capitals",
                          SPAN_ARG(text));
            return SIPD_EINVAL;
        }
    }
    return SIPD_OK;
}

/* It stands in quotes in every challenge and comes back as it went. */
static int
check_realm(struct sipd_host *host, struct span realm)
{
    for (size_t i = 0; i < realm.len; i++)
        if ((unsigned char)realm.at[i] < ' ' || realm.at[i] == '"' || realm.at[i] == '\\' ||
            realm.at[i] == '\x7f') {
            sipd_complain(host,
                          "realm: may hold neither quotes, backslashes nor control characters");
            return SIPD_EINVAL;
        }
    if (realm.len > AUTH_REALM_BYTES) {
        sipd_complain(host, "realm: is longer than %d bytes", AUTH_REALM_BYTES);
        return SIPD_EINVAL;
    }
    return SIPD_OK;
}

static int
read_trusted(struct sipd_host *host, const struct auth_conf *conf, struct drawn *out)
{
    struct span bad = { 0 };
    const char *why = "";
    int err = nets_read(&conf->trusted, &out->trusted, &bad, &why);

    if (err == SIPD_EINVAL)
        sipd_complain(host, "trusted: \"%.*s\" %s", SPAN_ARG(bad), why);
    return err;
}

static int
read_aliases(struct sipd_host *host, const struct auth_conf *conf, struct drawn *out)
{
    struct span bad = { 0 };
    int err = names_read(&conf->aliases, &out->aliases, &bad);

    if (err == SIPD_EINVAL)
        sipd_complain(host, "aliases: \"%.*s\" is not written as name@domain", SPAN_ARG(bad));
    return err;
}

static void
drawn_fini(struct drawn *drawn)
{
    nets_fini(&drawn->trusted);
    names_fini(&drawn->aliases);
}

static int
drawn_read(struct sipd_host *host, const struct auth_conf *conf, struct drawn *out)
{
    int err;

    *out = (struct drawn){ 0 };
    err = read_algorithms(host, conf, out);
    if (err == SIPD_OK)
        err = check_methods(host, conf);
    if (err == SIPD_OK)
        err = check_realm(host, conf->realm);
    if (err == SIPD_OK)
        err = read_trusted(host, conf, out);
    if (err == SIPD_OK)
        err = read_aliases(host, conf, out);
    if (err != SIPD_OK)
        drawn_fini(out);
    return err;
}

/* The new settings take the old ones' place; nothing here can fail. */
static void
settings_take(struct auth *auth, const struct auth_conf *conf, struct drawn *drawn)
{
    nets_fini(&auth->trusted);
    names_fini(&auth->aliases);
    auth->trusted = drawn->trusted;
    auth->aliases = drawn->aliases;
    memcpy(auth->offered, drawn->offered, sizeof auth->offered);
    auth->conf = conf;
}

void
auth_log_users(struct auth *auth, size_t bad, size_t locked_out)
{
    char users[24], rows[24], locked[24];

    snprintf(users, sizeof users, "%zu", users_count(auth->users));
    snprintf(rows, sizeof rows, "%zu", bad);
    snprintf(locked, sizeof locked, "%zu", locked_out);
    sipd_log(auth->host, bad > 0 || locked_out > 0 ? 1 : 2, "auth_users", "users", users,
             "unusable_rows", rows, "of_another_realm", locked, NULL);
}

/* A realm is a part of every HA1: after a change nobody can log in. Said, and no error. */
static void
warn_of_realm(struct auth *auth, size_t locked_out)
{
    struct span realm = auth->conf->realm;

    if (locked_out > 0)
        sipd_complain(auth->host,
                      "realm: %zu user%s of %.*s cannot log in with %s: add them again with their "
                      "passwords, or set the realm that they were added with",
                      locked_out, locked_out == 1 ? "" : "s", SPAN_ARG(auth->conf->path),
                      realm.len > 0 ? "this realm" : "their domains as realms");
}

static int
complain_of_file(struct auth *auth, const char *path, const struct userdb *db, int err)
{
    sipd_complain(auth->host, "path: %s %s", path, db->why[0] ? db->why : err_words(err));
    return err;
}

/* A trial asks whether the file would do; otherwise it is read, and given to the one thread that may change it. */
static int
open_users(struct auth *auth)
{
    char path[PATH_MAX];
    struct userdb db;
    size_t bad, locked_out = 0;
    int err = sipd_path(auth->host, auth->conf->path, path, sizeof path);

    if (err != SIPD_OK) {
        sipd_complain(auth->host, "path: is too long");
        return err;
    }
    if (sipd_is_trial(auth->host)) {
        err = userdb_check(path, auth->conf->realm, &locked_out, &db);
        auth->users = users_new(auth->users_key);
        warn_of_realm(auth, locked_out);
        return err == SIPD_OK ? SIPD_OK : complain_of_file(auth, path, &db, err);
    }
    err = userdb_open(&db, path);
    if (err == SIPD_OK)
        err = userdb_read(&db, auth->users_key, &auth->users, &bad);
    if (err == SIPD_OK)
        err = userdb_count_locked_out(&db, auth->conf->realm, &locked_out);
    if (err != SIPD_OK) {
        userdb_close(&db);
        return complain_of_file(auth, path, &db, err);
    }
    if (db.news[0])
        sipd_log(auth->host, 1, "auth_users_file", "path", path, "news", db.news, NULL);
    auth_log_users(auth, bad, locked_out);
    auth->scribe = scribe_new(auth->host, &db, auth);
    userdb_close(&db);
    return auth->scribe ? SIPD_OK : SIPD_ENOMEM;
}

/* The clock of nonces: wall time, so that nodes agree, carried on by a clock that is never set. */
static uint64_t
clock_ahead_ms(struct sipd_host *host)
{
    return (uint64_t)sipd_wall_s(host) * 1000 - sipd_now_ms(host);
}

static struct nonces *
make_nonces(const struct auth *auth, const struct auth_conf *conf)
{
    return nonces_new(auth->nonce_key, conf->nonce_s, conf->nonces,
                      sipd_now_ms(auth->host) + auth->clock_ahead_ms);
}

static struct guard *
make_guard(const struct auth *auth, const struct auth_conf *conf)
{
    uint8_t key[16];

    sipd_secret(auth->host, SPAN("auth guard"), key);
    return guard_new(key, conf->guard_places);
}

static int
make_parts(struct auth *auth)
{
    int err = digest_hasher_init(&auth->hasher);

    if (err == SIPD_ENOENT)
        sipd_complain(auth->host, "OpenSSL here lacks MD5, SHA-256 or SHA-512/256 (FIPS rules?)");
    if (err != SIPD_OK)
        return err;
    sipd_secret(auth->host, SPAN("auth nonce"), auth->nonce_key);
    sipd_secret(auth->host, SPAN("auth users"), auth->users_key);
    sipd_secret(auth->host, SPAN("auth mark"), auth->mark_key);
    auth->clock_ahead_ms = clock_ahead_ms(auth->host);
    auth->nonces = make_nonces(auth, auth->conf);
    auth->guard = make_guard(auth, auth->conf);
    return auth->nonces && auth->guard ? open_users(auth) : SIPD_ENOMEM;
}

/* An absent registration of someone we know is 480, of someone else 404. */
static bool
knows(void *self, struct span aor)
{
    struct auth *auth = self;
    struct user_id id;
    struct span name = span_skip(aor, span_find(aor, ':') + 1), domain = name;

    name = span_cut(&domain, '@');
    return user_id_write(name, domain, &id) && users_find(auth->users, &id);
}

static int
register_all(struct auth *auth)
{
    int err = sipd_hook(auth->host, SIPD_ON_REQUEST, GATE_ORDER, gate_on_request, auth);

    if (err == SIPD_OK)
        err = sipd_offer_users(auth->host, knows, auth);
    if (err == SIPD_OK)
        err = warden_register(auth);
    return err == SIPD_OK ? clerk_register(auth) : err;
}

static void
auth_unload(void *self)
{
    struct auth *auth = self;

    scribe_free(&auth->scribe);
    roll_fini(auth);
    users_free(&auth->users);
    nonces_free(&auth->nonces);
    guard_free(&auth->guard);
    nets_fini(&auth->trusted);
    names_fini(&auth->aliases);
    digest_hasher_fini(&auth->hasher);
    OPENSSL_cleanse(auth->nonce_key, sizeof auth->nonce_key);
}

static int
auth_load(struct sipd_host *host, const void *conf, void **self)
{
    struct auth *auth = sipd_new(host, sizeof *auth);
    struct drawn drawn;
    int err;

    if (!auth)
        return SIPD_ENOMEM;
    auth->host = host;
    auth->count = (struct auth_counters){
        .challenged = sipd_counter(host, "auth_challenged"),
        .passed = sipd_counter(host, "auth_passed"),
        .wrong = sipd_counter(host, "auth_wrong"),
        .stale = sipd_counter(host, "auth_stale"),
        .forbidden = sipd_counter(host, "auth_forbidden"),
        .trusted = sipd_counter(host, "auth_trusted"),
        .guarded = sipd_counter(host, "auth_guarded"),
        .waits = sipd_counter(host, "auth_waits"),
    };
    err = drawn_read(host, conf, &drawn);
    if (err != SIPD_OK)
        return err;
    settings_take(auth, conf, &drawn);
    err = make_parts(auth);
    if (err == SIPD_OK)
        err = register_all(auth);
    if (err != SIPD_OK) {
        auth_unload(auth);
        return err;
    }
    *self = auth;
    return SIPD_OK;
}

/* Another file would mean another thread and two half-truths meanwhile. */
static int
auth_reload(void *self, const void *conf)
{
    struct auth *auth = self;
    const struct auth_conf *now = conf;
    struct nonces *nonces = NULL;
    struct guard *guard = NULL;
    struct drawn drawn;
    int err;

    if (!span_eq(now->path, auth->conf->path)) {
        sipd_complain(auth->host, "path: another file of users needs a restart");
        return SIPD_ERESTART;
    }
    err = drawn_read(auth->host, now, &drawn);
    if (err != SIPD_OK)
        return err;
    if (now->nonces != nonces_limit(auth->nonces) && !(nonces = make_nonces(auth, now)))
        err = SIPD_ENOMEM;
    if (err == SIPD_OK && now->guard_places != auth->conf->guard_places &&
        !(guard = make_guard(auth, now)))
        err = SIPD_ENOMEM;
    if (err == SIPD_OK)
        err = clerk_read_again(auth, now->realm);
    if (err != SIPD_OK) {
        nonces_free(&nonces);
        guard_free(&guard);
        drawn_fini(&drawn);
        return err;
    }
    if (guard) {
        guard_free(&auth->guard);
        auth->guard = guard;
    }
    if (nonces) {
        nonces_free(&auth->nonces);
        auth->nonces = nonces;
    }
    nonces_set_lifetime(auth->nonces, now->nonce_s);
    settings_take(auth, now, &drawn);
    return SIPD_OK;
}

SIPD_MODULE(.name = "auth", .conf = auth_items, .conf_bytes = sizeof(struct auth_conf),
            .load = auth_load, .reload = auth_reload, .unload = auth_unload);
