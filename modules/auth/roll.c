/*
 * The command show users: sorted by the scribe from the file, answered in as many short turns as it takes.
 */
#include <stdio.h>

#include "auth.h"

enum {
    ROWS_A_TURN = 256, /* a turn is short */
    LIST_BYTES_MAX = 256 << 20
};

struct listing { /* an answer that takes more than a turn to write */
    struct scribe_job base;
    struct listing *next; /* in auth->listings, once it is being written */
    struct auth *auth;
    uint64_t answer;
    int err;
    char why[USERDB_WHY_BYTES];
    char *bytes; /* owned; fields one behind another: length, text */
    size_t len, cap, at;
};

static void
listing_free(struct listing **listing)
{
    struct listing *l = *listing;

    *listing = NULL;
    if (!l)
        return;
    sipd_free(l->bytes);
    sipd_free(l);
}

/* Room for more bytes, or the listing has failed. */
static bool
listing_reserve(struct listing *l, size_t more)
{
    size_t cap = l->cap ? l->cap : 4096;
    char *bytes;

    if (l->err == SIPD_OK && more > LIST_BYTES_MAX - l->len)
        l->err = SIPD_ETOOBIG;
    if (l->err != SIPD_OK || more <= l->cap - l->len)
        return l->err == SIPD_OK;
    while (cap - l->len < more)
        cap *= 2;
    bytes = sipd_realloc(l->bytes, cap);
    if (!bytes) {
        l->err = SIPD_ENOMEM;
        return false;
    }
    l->bytes = bytes;
    l->cap = cap;
    return true;
}

static void
listing_put(struct listing *l, struct span text)
{
    if (!listing_reserve(l, sizeof text.len + text.len))
        return;
    memcpy(l->bytes + l->len, &text.len, sizeof text.len);
    if (text.len > 0)
        memcpy(l->bytes + l->len + sizeof text.len, text.at, text.len);
    l->len += sizeof text.len + text.len;
}

static struct span
listing_take(struct listing *l)
{
    struct span text;

    memcpy(&text.len, l->bytes + l->at, sizeof text.len);
    text.at = l->bytes + l->at + sizeof text.len;
    l->at += sizeof text.len + text.len;
    return text;
}

static void
list_row(void *arg, struct span name, struct span domain, struct span realm, struct span algorithms)
{
    struct listing *l = arg;

    listing_put(l, name);
    listing_put(l, domain);
    listing_put(l, realm);
    listing_put(l, algorithms);
}

static void
list_work(struct scribe_job *base, struct userdb *db)
{
    struct listing *l = (struct listing *)base;
    int err = userdb_list(db, list_row, l);

    if (l->err == SIPD_OK)
        l->err = err;
    if (l->err != SIPD_OK)
        snprintf(l->why, sizeof l->why, "%s",
                 err != SIPD_OK && db->why[0] ? db->why : err_words(l->err));
}

static void
listing_unlink(struct auth *auth, struct listing *l)
{
    struct listing **link = &auth->listings;

    while (*link != l)
        link = &(*link)->next;
    *link = l->next;
}

/* Writes the next rows, and goes on in the next turn if there are more. */
static void
list_write(void *self, uint64_t arg)
{
    static const char *const fields[] = { "name", "domain", "realm", "algorithms" };
    struct listing *l = self;
    struct auth *auth = l->auth;
    struct sipd_answer *answer = sipd_answer_find(auth->host, l->answer);

    (void)arg;
    for (int rows = 0; answer && l->at < l->len && rows < ROWS_A_TURN; rows++) {
        sipd_answer_row(answer);
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
            sipd_answer_field(answer, fields[i], listing_take(l));
    }
    if (answer && l->at < l->len) {
        if (sipd_timer(auth->host, 0, list_write, l, 0) != 0)
            return;
        sipd_answer_refuse(answer, "memory is out");
    }
    if (answer)
        sipd_answer_send(answer);
    listing_unlink(auth, l);
    listing_free(&l);
}

static void
list_done(struct scribe_job *base, void *self)
{
    struct listing *l = (struct listing *)base;
    struct auth *auth = self;
    struct sipd_answer *answer = sipd_answer_find(auth->host, l->answer);

    if (!answer || l->err != SIPD_OK) {
        if (answer) {
            sipd_answer_refuse(answer, "the users' file %s", l->why);
            sipd_answer_send(answer);
        }
        listing_free(&l);
        return;
    }
    l->next = auth->listings;
    auth->listings = l;
    list_write(l, 0);
}

void
roll_show(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct auth *auth = self;
    struct listing *l = sipd_alloc(sizeof *l);

    (void)ask;
    if (!l) {
        sipd_answer_refuse(answer, "memory is out");
        return;
    }
    l->base = (struct scribe_job){ .work = list_work, .done = list_done };
    l->auth = auth;
    l->answer = sipd_answer_later(answer);
    if (l->answer != 0 && scribe_put(auth->scribe, &l->base) == SIPD_OK)
        return;
    if (l->answer != 0) {
        sipd_answer_refuse(answer, "too many commands wait for the disk: try again");
        sipd_answer_send(answer);
    }
    listing_free(&l);
}

void
roll_fini(struct auth *auth)
{
    while (auth->listings) {
        struct listing *l = auth->listings;

        auth->listings = l->next;
        listing_free(&l);
    }
}
