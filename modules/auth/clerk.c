/*
 * The commands about users. Each is checked on the loop, worked in the scribe's thread, and answered when it is on disk.
 */
#include <stdio.h>

#include <openssl/crypto.h>

#include "auth.h"

enum { NAME_BYTES_MAX = 64, PASSWORD_BYTES_MAX = 1024 };

struct job { /* one change, or a reading of the whole file */
    struct scribe_job base;
    uint64_t answer; /* 0: nobody asked */
    int err;
    char why[USERDB_WHY_BYTES];
    struct user *user;   /* add: owned */
    struct user_id id;   /* add, remove */
    bool changed;        /* add: there was one before */
    uint8_t key[16];     /* read again: of the new index */
    struct users *users; /* read again: the new index, then the old one; owned */
    size_t bad, locked_out;
    char realm[AUTH_REALM_BYTES]; /* read again: of the settings */
    size_t realm_len;
};

/* What a name may hold and still be typed, dialled and hashed as it stands: no escapes (RFC 3261 §25.1 user, RFC 7616 §4). */
static bool
is_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = span_lower(name.at[i]);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') &&
            (c == '\0' || !strchr("-_.!~*'()&=+$,;?/", c)))
            return false;
    }
    return name.len > 0 && name.len <= NAME_BYTES_MAX;
}

/* Is it the host of a URI, with nothing behind it? */
static bool
is_domain(struct span domain)
{
    char text[USER_ID_BYTES] = "sip:";
    struct uri uri;

    if (domain.len == 0 || domain.len > sizeof text - 4)
        return false;
    memcpy(text + 4, domain.at, domain.len);
    return uri_read((struct span){ text, 4 + domain.len }, &uri) == SIPD_OK &&
           span_eq(uri.host, (struct span){ text + 4, domain.len });
}

/* Reads "alice@example.com"; refuses in words what is not so. */
static bool
id_read(struct span word, struct sipd_answer *answer, struct user_id *id)
{
    struct span domain = word, name = span_cut(&domain, '@');

    if (name.len == word.len || domain.len == 0 || name.len == 0) {
        sipd_answer_refuse(answer, "\"%.*s\": a user is written as name@domain", SPAN_ARG(word));
        return false;
    }
    if (!is_name(name)) {
        sipd_answer_refuse(
            answer, "\"%.*s\": a name has 1 to %d letters, digits or any of -_.!~*'()&=+$,;?/",
            SPAN_ARG(name), NAME_BYTES_MAX);
        return false;
    }
    if (!is_domain(domain) || !user_id_write(name, domain, id)) {
        sipd_answer_refuse(answer, "\"%.*s\" is no domain", SPAN_ARG(domain));
        return false;
    }
    return true;
}

/* The line end that a terminal or an echo leaves behind a password is no part of it. */
static struct span
password_of(struct span input)
{
    if (input.len > 0 && input.at[input.len - 1] == '\n')
        input.len--;
    if (input.len > 0 && input.at[input.len - 1] == '\r')
        input.len--;
    return input;
}

static bool
password_will_do(struct span password, struct sipd_answer *answer)
{
    if (password.len == 0) {
        sipd_answer_refuse(answer, "the password is empty");
        return false;
    }
    if (password.len > PASSWORD_BYTES_MAX) {
        sipd_answer_refuse(answer, "the password is longer than %d bytes", PASSWORD_BYTES_MAX);
        return false;
    }
    for (size_t i = 0; i < password.len; i++)
        if ((unsigned char)password.at[i] < ' ' || password.at[i] == '\x7f') {
            sipd_answer_refuse(
                answer, "the password has a control character in it, which no phone can type");
            return false;
        }
    return true;
}

/* The HA1s of both names in the realm in force, by every algorithm: what is offered may change, the password is not kept. */
static int
make_keys(struct auth *auth, struct user *user, struct span password)
{
    const struct span names[USER_FORMS] = {
        [USER_SHORT] = user_name(user), [USER_LONG] = user_id(user)
    };
    struct span realm = auth->conf->realm.len ? auth->conf->realm : user_domain(user);
    struct user_keys *keys = user_keys_get(user, realm);
    int err = keys ? SIPD_OK : SIPD_ENOMEM;

    for (size_t form = 0; form < USER_FORMS; form++)
        for (size_t i = 0; i < DIGEST_ALGORITHMS && err == SIPD_OK; i++) {
            err = digest_ha1(&auth->hasher, (enum digest_algorithm)i, names[form], realm, password,
                             keys->ha1[form][i]);
            keys->has[form][i] = err == SIPD_OK;
        }
    return err;
}

static void
job_free(struct job **job)
{
    struct job *j = *job;

    *job = NULL;
    if (!j)
        return;
    user_free(&j->user);
    users_free(&j->users);
    OPENSSL_cleanse(j->key, sizeof j->key);
    sipd_free(j);
}

static struct job *
job_new(void (*work)(struct scribe_job *, struct userdb *),
        void (*done)(struct scribe_job *, void *))
{
    struct job *job = sipd_alloc(sizeof *job);

    if (job)
        job->base = (struct scribe_job){ .work = work, .done = done };
    return job;
}

/* In the thread: keeps what came of it. */
static void
job_note(struct job *job, const struct userdb *db, int err)
{
    job->err = err;
    if (err != SIPD_OK)
        snprintf(job->why, sizeof job->why, "%s",
                 err == SIPD_ENOMEM || !db->why[0] ? err_words(err) : db->why);
}

/* Hands the job to the scribe and puts the answer off; or it is refused now. Takes: the job. */
static void
job_send(struct auth *auth, struct job *job, struct sipd_answer *answer)
{
    job->answer = sipd_answer_later(answer);
    if (job->answer != 0 && scribe_put(auth->scribe, &job->base) == SIPD_OK)
        return;
    if (job->answer != 0) {
        sipd_answer_refuse(answer, "nothing was changed: too many changes wait for the disk");
        sipd_answer_send(answer);
    }
    job_free(&job);
}

/* Answers what came of a change. */
static void
job_answer(const struct auth *auth, const struct job *job, const char *done)
{
    struct sipd_answer *answer = sipd_answer_find(auth->host, job->answer);

    if (job->err != SIPD_OK)
        sipd_log(auth->host, 0, "auth_write_failed", "user", job->id.text, "why", job->why, NULL);
    if (!answer)
        return;
    if (job->err != SIPD_OK) {
        sipd_answer_refuse(answer, "nothing was changed: the users' file %s", job->why);
    } else {
        sipd_answer_row(answer);
        sipd_answer_field(answer, "user", user_id_span(&job->id));
        sipd_answer_field(answer, "done", span_of(done));
    }
    sipd_answer_send(answer);
}

static void
add_work(struct scribe_job *base, struct userdb *db)
{
    struct job *job = (struct job *)base;

    job_note(job, db, userdb_put(db, job->user));
}

static void
add_done(struct scribe_job *base, void *self)
{
    struct job *job = (struct job *)base;
    struct auth *auth = self;

    if (job->err == SIPD_OK) {
        job->changed = users_find(auth->users, &job->id) != NULL;
        users_put(auth->users, job->user);
        job->user = NULL;
    }
    job_answer(auth, job, job->changed ? "changed" : "added");
    job_free(&job);
}

static void
add_user(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct auth *auth = self;
    struct span password = password_of(ask->input);
    struct user_id id;
    struct job *job;

    if (!id_read(ask->words[0], answer, &id) || !password_will_do(password, answer))
        return;
    if (!sipd_is_ours(auth->host, span_skip(user_id_span(&id), id.name_len + 1), 0)) {
        sipd_answer_refuse(answer, "\"%s\" is not ours: put it into domains in sipd.conf first",
                           id.text + id.name_len + 1);
        return;
    }
    job = job_new(add_work, add_done);
    if (job)
        job->user = user_new(&id);
    if (!job || !job->user || make_keys(auth, job->user, password) != SIPD_OK) {
        sipd_answer_refuse(answer, "nothing was changed: memory is out");
        job_free(&job);
        return;
    }
    job->id = id;
    job_send(auth, job, answer);
}

static void
remove_work(struct scribe_job *base, struct userdb *db)
{
    struct job *job = (struct job *)base;

    job_note(job, db, userdb_remove(db, &job->id));
}

static void
remove_done(struct scribe_job *base, void *self)
{
    struct job *job = (struct job *)base;
    struct auth *auth = self;

    if (job->err == SIPD_OK)
        users_remove(auth->users, &job->id);
    job_answer(auth, job, "removed");
    job_free(&job);
}

static void
remove_user(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct auth *auth = self;
    struct user_id id;
    struct job *job;

    if (!id_read(ask->words[0], answer, &id))
        return;
    if (!users_find(auth->users, &id)) {
        sipd_answer_refuse(answer, "there is no user %s", id.text);
        return;
    }
    job = job_new(remove_work, remove_done);
    if (!job) {
        sipd_answer_refuse(answer, "nothing was changed: memory is out");
        return;
    }
    job->id = id;
    job_send(auth, job, answer);
}

static void
read_work(struct scribe_job *base, struct userdb *db)
{
    struct job *job = (struct job *)base;

    struct span realm = { job->realm, job->realm_len };
    int err = userdb_read(db, job->key, &job->users, &job->bad);

    if (err == SIPD_OK)
        err = userdb_count_locked_out(db, realm, &job->locked_out);
    job_note(job, db, err);
}

/* To end an index takes longer than a turn may last, so the scribe does it. */
static void
forget_work(struct scribe_job *base, struct userdb *db)
{
    struct job *job = (struct job *)base;

    (void)db;
    users_free(&job->users);
}

static void
forget_done(struct scribe_job *base, void *self)
{
    struct job *job = (struct job *)base;

    (void)self;
    job_free(&job);
}

static void
read_done(struct scribe_job *base, void *self)
{
    struct job *job = (struct job *)base;
    struct auth *auth = self;
    struct users *old = auth->users;

    if (job->err != SIPD_OK) {
        sipd_log(auth->host, 0, "auth_read_failed", "why", job->why, "users", "as before", NULL);
        job_free(&job);
        return;
    }
    auth->users = job->users;
    job->users = old;
    auth_log_users(auth, job->bad, job->locked_out);
    job->base.work = forget_work;
    job->base.done = forget_done;
    if (!auth->scribe || scribe_put(auth->scribe, &job->base) != SIPD_OK)
        job_free(&job);
}

int
clerk_read_again(struct auth *auth, struct span realm)
{
    struct job *job = job_new(read_work, read_done);
    int err;

    if (!job)
        return SIPD_ENOMEM;
    memcpy(job->key, auth->users_key, sizeof job->key);
    job->realm_len = span_head(realm, sizeof job->realm).len;
    if (job->realm_len > 0)
        memcpy(job->realm, realm.at, job->realm_len);
    err = scribe_put(auth->scribe, &job->base);
    if (err != SIPD_OK)
        job_free(&job);
    return err;
}

int
clerk_register(struct auth *auth)
{
    int err = sipd_command(auth->host, "add user <name> [--password-stdin]",
                           "adds the user name@domain, or gives it another password", true,
                           add_user, auth);

    if (err == SIPD_OK)
        err = sipd_command(auth->host, "remove user <name>", "removes the user name@domain", true,
                           remove_user, auth);
    if (err == SIPD_OK)
        err = sipd_command(auth->host, "show users", "the users, their realms and algorithms",
                           false, roll_show, auth);
    return err;
}
