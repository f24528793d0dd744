/*
 * The registrar's store when the power fails: whenever that is, what was acknowledged is there afterwards, what was refused is not,
 * and each REGISTER is there as a whole or not at all (RFC 3261 §10.3).
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/def.h"
#include "base/rand.h"
#include "lib/folder.h"
#include "lib/store_rig.h"
#include "live/power.h"
#include "unit/heap.h"
#include "unit/must.h"
#include "unit/text.h"

enum {
    DISKS = 150,
    LIVES = 4,    /* of a disk: each but the last ends with its power */
    ROUNDS = 150, /* of writes in a life, if the power holds */
    AORS = 12,
    CONTACTS = 3,
    LOG_PAGES = 6, /* before they are moved to the database: often */
};

/* What we know of an AoR: the CSeq of each binding, 0: none. */
struct known {
    uint32_t acked[CONTACTS], wanted[CONTACTS];
    bool busy;   /* a write is under way */
    bool unsure; /* it was, when the power failed: all of it may be there, or nothing */
    char aor[32], contact[CONTACTS][32];
    struct store_change changes[CONTACTS];
    struct store_write write;
};

struct world {
    struct rand rand;
    struct store_rig rig;
    struct known known[AORS];
    uint32_t last_cseq;
    char dir[FOLDER_BYTES], path[96];
    uint64_t cuts, acked, refused, unsure, unsure_there, wrong;
};

static uint64_t
chance(struct world *w, uint64_t n)
{
    return rand_below(&w->rand, n);
}

/* ---------------------------------------------------------------- writing */

static void
take_answer(void *arg, uint64_t id, int err)
{
    struct world *w = arg;
    struct known *k = &w->known[id];

    must(k->busy);
    k->busy = false;
    if (err == SIPD_OK) {
        memcpy(k->acked, k->wanted, sizeof k->acked);
        w->acked++;
    } else if (power_is_off()) {
        k->unsure = true;
        w->unsure++;
    } else {
        w->refused++; /* and must never be seen */
    }
}

static void
add_change(struct known *k, enum store_verb verb, int contact, uint32_t cseq)
{
    k->changes[k->write.len++] = (struct store_change){
        .verb = verb,
        .row = { .aor = span_of(k->aor),
                 .contact = span_of(k->contact[contact]),
                 .call_id = SPAN("a84b4c76e66710@phone.example.com"),
                 .user_agent = SPAN("a phone with a name of some length, to fill pages"),
                 .expires_s = 1700000000,
                 .granted_s = 3600,
                 .cseq = cseq,
                 .q = STORE_NO_Q },
    };
}

/* Some of its Contacts change at once. */
static void
begin_write(struct world *w, unsigned aor)
{
    struct known *k = &w->known[aor];

    memcpy(k->wanted, k->acked, sizeof k->wanted);
    k->write = (struct store_write){ .id = aor, .changes = k->changes };
    for (int c = 0; c < CONTACTS; c++)
        switch (chance(w, 5)) {
        case 0:
        case 1:
            k->wanted[c] = ++w->last_cseq;
            add_change(k, STORE_PUT, c, k->wanted[c]);
            break;
        case 2:
            k->wanted[c] = 0;
            add_change(k, STORE_DROP, c, 0);
            break;
        case 3: /* one that expired is taken out unless a newer one stands there */
            add_change(k, STORE_PURGE, c, chance(w, 2) ? k->acked[c] : k->acked[c] + 1);
            if (k->changes[k->write.len - 1].row.cseq == k->acked[c])
                k->wanted[c] = 0;
            break;
        default: break;
        }
    k->busy = true;
    store_rig_write(&w->rig, &k->write);
}

static void
write_some(struct world *w)
{
    for (int round = 0; round < ROUNDS && !power_is_off(); round++) {
        uint64_t refused = w->refused;

        if (w->rig.open_writes == 0 && chance(w, 4) == 0)
            power_fail_after(1 + chance(w, 12));
        for (unsigned n = (unsigned)chance(w, AORS); n > 0; n--) {
            unsigned aor = (unsigned)chance(w, AORS);

            if (!w->known[aor].busy)
                begin_write(w, aor);
        }
        if (chance(w, 3))
            store_rig_wait(&w->rig);
        else
            store_rig_poll(&w->rig);
        /* before another commit covers what was refused */
        if (w->refused > refused && w->rig.open_writes == 0 && chance(w, 12) == 0)
            power_cut_after(1);
    }
    store_rig_wait(&w->rig);
}

/* ---------------------------------------------------------------- reading */

static void
read_rows(const struct world *w, uint32_t there[AORS][CONTACTS])
{
    memset(there, 0, AORS * sizeof there[0]);
    for (size_t i = 0; i < w->rig.rows_len; i++) {
        const struct store_rig_row *row = &w->rig.rows[i];
        unsigned aor, contact;

        must(sscanf(row->aor, "sip:%u@example.com", &aor) == 1 && aor < AORS);
        must(sscanf(row->contact, "sip:%u@192.0.2.1", &contact) == 1 && contact < CONTACTS);
        must(there[aor][contact] == 0);
        there[aor][contact] = row->is.cseq;
    }
}

/* From what is there now everything goes on. */
static void
compare(struct world *w)
{
    uint32_t there[AORS][CONTACTS];

    read_rows(w, there);
    for (unsigned aor = 0; aor < AORS; aor++) {
        struct known *k = &w->known[aor];
        bool as_acked = memcmp(there[aor], k->acked, sizeof k->acked) == 0;
        bool as_wanted = k->unsure && memcmp(there[aor], k->wanted, sizeof k->wanted) == 0;

        w->wrong += !as_acked && !as_wanted;
        w->unsure_there += as_wanted && !as_acked;
        memcpy(k->acked, there[aor], sizeof k->acked);
        k->unsure = false;
    }
}

/* ---------------------------------------------------------------- lives */

static bool
open_store(struct world *w)
{
    int err = store_rig_open(&w->rig, w->path);

    if (err == SIPD_OK)
        return true;
    if (!power_is_off())
        ck_abort_msg("with the power on: %s", w->rig.words);
    if (w->rig.store)
        store_rig_close(&w->rig);
    return false;
}

/* The power fails at some step, be it while the file is opened, written or closed. */
static void
live(struct world *w)
{
    power_cut_after(1 + chance(w, UINT64_C(1) << (1 + chance(w, 11))));
    if (open_store(w)) {
        compare(w);
        write_some(w);
        store_rig_close(&w->rig);
    }
    w->cuts += power_is_off();
    power_on();
}

static void
world_init(struct world *w, uint64_t seed)
{
    rand_seed(&w->rand, seed);
    power_start(seed);
    memset(w->known, 0, sizeof w->known);
    for (unsigned aor = 0; aor < AORS; aor++) {
        struct known *k = &w->known[aor];

        snprintf(k->aor, sizeof k->aor, "sip:%u@example.com", aor);
        for (unsigned c = 0; c < CONTACTS; c++)
            snprintf(k->contact[c], sizeof k->contact[c], "sip:%u@192.0.2.1:5060", c);
    }
    store_rig_init(&w->rig, &store_sqlite_ops);
    w->rig.done = take_answer;
    w->rig.arg = w;
}

static void
run_disk(struct world *w, uint64_t seed)
{
    uint64_t wrong = w->wrong;

    world_init(w, seed);
    for (int i = 0; i < LIVES; i++)
        live(w);
    must(open_store(w));
    compare(w);
    store_rig_close(&w->rig);
    store_rig_fini(&w->rig);
    power_stop();
    if (wrong != w->wrong)
        fprintf(stderr, "powercut: seed %llu\n", (unsigned long long)seed);
}

static int
checkpoint_often(sqlite3 *db, const char **words, const struct sqlite3_api_routines *api)
{
    (void)words;
    (void)api;
    return sqlite3_wal_autocheckpoint(db, LOG_PAGES);
}

/* The lock beside the database is on a real disk: it is the system's, not SQLite's. */
static struct world world;

static void
setup(void)
{
    heap_watch();
    memset(&world, 0, sizeof world);
    must(folder_make("power", world.dir));
    snprintf(world.path, sizeof world.path, "%s/location.db", world.dir);
    must(sqlite3_auto_extension((void (*)(void))checkpoint_often) == SQLITE_OK);
}

static void
teardown(void)
{
    char lock[128];

    sqlite3_reset_auto_extension();
    snprintf(lock, sizeof lock, "%s-lock", world.path);
    unlink(lock);
    must(rmdir(world.dir) == 0);
    heap_compare();
}

START_TEST(what_was_acknowledged_is_there)
{
    const char *only = getenv("POWERCUT_SEED");

    if (only)
        run_disk(&world, strtoull(only, NULL, 10));
    else
        for (uint64_t seed = 1; seed <= DISKS; seed++)
            run_disk(&world, seed);
    if (getenv("POWERCUT_COUNTS"))
        fprintf(stderr, "cuts %llu acked %llu refused %llu unsure %llu, of these there %llu\n",
                (unsigned long long)world.cuts, (unsigned long long)world.acked,
                (unsigned long long)world.refused, (unsigned long long)world.unsure,
                (unsigned long long)world.unsure_there);
    must(world.wrong == 0);
    if (only)
        return;
    /* and it was a test: all of these happened, often */
    must(world.cuts > DISKS * LIVES / 2);
    must(world.acked > 10000 && world.refused > 500);
    must(world.unsure_there > 20 && world.unsure > world.unsure_there + 20);
}
END_TEST

static void
write_all(struct world *w)
{
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned aor = 0; aor < AORS; aor++)
            begin_write(w, aor);
        store_rig_wait(&w->rig);
    }
}

/* A disk that becomes read-only refuses, loses nothing, is believed to be sound, and works again when it can be written. */
START_TEST(a_disk_that_is_read_only)
{
    uint64_t acked;

    world_init(&world, 1);
    must(open_store(&world));
    write_all(&world);
    acked = world.acked;
    must(world.refused == 0 && acked == 10 * AORS);
    power_protect(true);
    write_all(&world);
    must(world.refused > 5 * AORS); /* some ask for nothing */
    must(world.rig.troubles > 0 && world.rig.losses == 0);
    must_for(span_of(world.rig.words), strstr(world.rig.words, world.path));
    power_protect(false);
    acked = world.acked;
    write_all(&world);
    must(world.acked == acked + 10 * AORS);
    power_protect(true);
    write_all(&world);
    store_rig_close(&world.rig);
    must(store_rig_open(&world.rig, world.path) == SIPD_EIO); /* nothing could be kept */
    must_for(span_of(world.rig.words), strstr(world.rig.words, "cannot be"));
    if (world.rig.store)
        store_rig_close(&world.rig);
    power_protect(false);
    must(store_rig_open(&world.rig, world.path) == SIPD_OK);
    compare(&world);
    must(world.wrong == 0);
    store_rig_close(&world.rig);
    store_rig_fini(&world.rig);
    power_stop();
}
END_TEST

/* The test of the test: a disk that does not do what it says is found out. */
START_TEST(a_lie_is_found_out)
{
    world_init(&world, 1);
    power_lie();
    must(open_store(&world));
    for (unsigned aor = 0; aor < AORS; aor++)
        begin_write(&world, aor);
    store_rig_wait(&world.rig);
    must(world.acked == AORS);
    power_cut_after(1);
    for (unsigned aor = 0; aor < AORS; aor++)
        begin_write(&world, aor);
    store_rig_wait(&world.rig);
    store_rig_close(&world.rig);
    power_on();
    if (store_rig_open(&world.rig, world.path) ==
        SIPD_OK) { /* else it is corrupt, and was found out too */
        compare(&world);
        must(world.wrong > 0);
    }
    if (world.rig.store)
        store_rig_close(&world.rig);
    store_rig_fini(&world.rig);
    power_stop();
}
END_TEST

Suite *
suite_powercut(void)
{
    Suite *suite = suite_create("powercut");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, what_was_acknowledged_is_there);
    tcase_add_test(all, a_disk_that_is_read_only);
    tcase_add_test(all, a_lie_is_found_out);
    suite_add_tcase(suite, all);
    return suite;
}
