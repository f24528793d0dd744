/*
 * A registrar's file that a test fills and looks at.
 */
#include "unit/kept.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "base/def.h"
#include "lib/folder.h"
#include "unit/heap.h"
#include "unit/text.h"

struct store_rig kept_rig;
char kept_path[96];
int kept_answered;

static char dir[FOLDER_BYTES];

void
kept_begin(void)
{
    heap_watch();
    must(folder_make("store", dir));
    snprintf(kept_path, sizeof kept_path, "%s/location.db", dir);
    store_rig_init(&kept_rig, &store_sqlite_ops);
}

void
kept_end(void)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-lock", "-journal" };
    char name[128];

    store_rig_fini(&kept_rig);
    for (size_t i = 0; i < countof(ends); i++) {
        snprintf(name, sizeof name, "%s%s", kept_path, ends[i]);
        unlink(name);
    }
    must(rmdir(dir) == 0); /* and nothing else was made */
    heap_compare();
}

struct store_change
kept_change(enum store_verb verb, const char *aor, const char *contact, uint32_t cseq)
{
    struct store_change made = {
        .verb = verb,
        .row = { .aor = span_of(aor),
                 .contact = span_of(contact),
                 .call_id = SPAN("call@phone"),
                 .expires_s = 1700000000 + cseq,
                 .granted_s = 60,
                 .cseq = cseq,
                 .q = STORE_NO_Q },
    };

    return made;
}

void
kept_answer(void *arg, uint64_t id, int err)
{
    (void)arg;
    must(id == 7);
    kept_answered = err;
}

int
kept_write(const struct store_change *changes, size_t len)
{
    struct store_write write = { .id = 7, .changes = changes, .len = len };

    kept_rig.done = kept_answer;
    kept_answered = 1;
    store_rig_write(&kept_rig, &write);
    store_rig_wait(&kept_rig);
    must(kept_answered <= 0);
    return kept_answered;
}

void
kept_reopen(void)
{
    store_rig_close(&kept_rig);
    must_for(span_of(kept_rig.words), store_rig_open(&kept_rig, kept_path) == SIPD_OK);
}

void
kept_sql(const char *sql)
{
    sqlite3 *db;

    must(sqlite3_open(kept_path, &db) == SQLITE_OK);
    must_for(span_of(sql), sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

int64_t
kept_number(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *row;
    int64_t number;

    must(sqlite3_open(kept_path, &db) == SQLITE_OK);
    must_for(span_of(sql), sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK);
    must(sqlite3_step(row) == SQLITE_ROW);
    number = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return number;
}

void
kept_fill(void)
{
    static struct store_change puts[KEPT_LARGE];
    static char aors[KEPT_LARGE][32];

    for (unsigned i = 0; i < KEPT_LARGE; i++) {
        snprintf(aors[i], sizeof aors[i], "sip:%u@example.com", i);
        puts[i] =
            kept_change(STORE_PUT, aors[i], "sip:somebody@192.0.2.1:5060;transport=udp", i + 1);
        puts[i].row.path = SPAN("<sip:a.proxy.with.a.name.of.some.length.example.com;lr>, "
                                "<sip:another.proxy.example.com;lr>");
        puts[i].row.params =
            SPAN(";audio;video;methods=\"INVITE,ACK,BYE,CANCEL,OPTIONS,INFO,MESSAGE,"
                 "SUBSCRIBE,NOTIFY,PRACK,UPDATE,REFER\";mobility=\"fixed\"");
    }
    must(kept_write(puts, KEPT_LARGE) == SIPD_OK);
}
