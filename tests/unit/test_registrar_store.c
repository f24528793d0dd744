/*
 * The registrar's stores: what is written is read again, byte by byte, and a file that is not ours or not sound is refused and
 * left alone.
 */
#include "registrar/store.h"

#include <fcntl.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/def.h"
#include "lib/store_rig.h"
#include "registrar/writer.h"
#include "unit/heap.h"
#include "unit/text.h"

static char dir[64], path[96];
static struct store_rig rig;

static void
setup(void)
{
    heap_watch();
    snprintf(dir, sizeof dir, "/tmp/sipd-store-XXXXXX");
    must(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/location.db", dir);
    store_rig_init(&rig, &store_sqlite_ops);
}

static void
teardown(void)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-lock", "-journal" };
    char name[128];

    store_rig_fini(&rig);
    for (size_t i = 0; i < countof(ends); i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    must(rmdir(dir) == 0); /* and nothing else was made */
    heap_compare();
}

static struct store_change
change(enum store_verb verb, const char *aor, const char *contact, uint32_t cseq)
{
    struct store_change made = {
        .verb = verb,
        .row = { .aor = span_of(aor),
                 .contact = span_of(contact),
                 .call_id = SPAN("call@phone"),
                 .expires_wall_s = 1700000000 + cseq,
                 .granted_s = 60,
                 .cseq = cseq,
                 .q = STORE_NO_Q },
    };

    return made;
}

/* Writes changes as one and waits; the store's answer. */
static int answered;

static void
take_answer(void *arg, uint64_t id, int err)
{
    (void)arg;
    must(id == 7);
    answered = err;
}

static int
write_all(const struct store_change *changes, size_t len)
{
    struct store_write write = { .id = 7, .changes = changes, .len = len };

    rig.done = take_answer;
    answered = 1;
    store_rig_write(&rig, &write);
    store_rig_wait(&rig);
    must(answered <= 0);
    return answered;
}

static void
reopen(void)
{
    store_rig_close(&rig);
    must_for(span_of(rig.words), store_rig_open(&rig, path) == SIPD_OK);
}

START_TEST(what_is_written_is_read)
{
    static const char odd[] = "sip:b\xff\xfe;%00'\"\n--@h";
    struct store_change puts[] = {
        change(STORE_PUT, "sip:bob@example.com", "sip:bob@192.0.2.1:5060", 4294967295u),
        change(STORE_PUT, "sip:bob@example.com", odd, 0),
        change(STORE_PUT, "sip:carol@example.com", "sips:carol@h", 3),
    };
    struct store_row *row = &puts[0].row;

    row->user_agent = SPAN("Phone/1.0 (a \0 in it)");
    row->listener = SPAN("tls:[2001:db8::1]:5061");
    row->source = (struct hop){ .transport = HOP_TLS, .port = 65535, .scope_id = 7, .flow = 9 };
    must(hop_ip_read(SPAN("fe80::1"), &row->source));
    row->reach = HOP_TLS;
    row->q = 0;
    row->expires_wall_s = INT64_C(99999999999);
    row->granted_s = UINT32_MAX;
    puts[2].row.q = 1000;
    puts[2].row.source.transport = HOP_UDP;
    must(hop_ip_read(SPAN("192.0.2.1"), &puts[2].row.source));

    must(store_rig_open(&rig, path) == SIPD_OK);
    must(rig.rows_len == 0);
    must(write_all(puts, countof(puts)) == SIPD_OK);
    reopen();
    must(rig.rows_len == 3);
    for (size_t i = 0; i < 3; i++) {
        const struct store_row *was = &puts[i].row, *is = NULL;

        for (size_t j = 0; j < rig.rows_len; j++)
            if (span_eq(rig.rows[j].is.contact, was->contact))
                is = &rig.rows[j].is;
        must(is && span_eq(is->aor, was->aor) && span_eq(is->call_id, was->call_id));
        must(span_eq(is->user_agent, was->user_agent) && span_eq(is->listener, was->listener));
        must(is->q == was->q && is->cseq == was->cseq && is->reach == was->reach);
        must(is->expires_wall_s == was->expires_wall_s && is->granted_s == was->granted_s);
        must(hop_eq(&is->source, &was->source) && is->source.scope_id == was->source.scope_id);
        must(is->source.flow == 0 && is->source.listener == 0);
    }
    store_rig_close(&rig);
}
END_TEST

START_TEST(put_drop_purge)
{
    struct store_change puts[] = {
        change(STORE_PUT, "sip:bob@h", "sip:1@h", 1),
        change(STORE_PUT, "sip:bob@h", "sip:2@h", 1),
        change(STORE_PUT, "sip:amy@h", "sip:1@h", 1),
    };
    struct store_change second[] = {
        change(STORE_PUT, "sip:bob@h", "sip:1@h", 2),  /* replaces */
        change(STORE_DROP, "sip:bob@h", "sip:2@h", 0), /* whatever it is */
        change(STORE_DROP, "sip:bob@h", "sip:9@h", 0), /* is not there */
    };
    struct store_change third[] = {
        change(STORE_PURGE, "sip:bob@h", "sip:1@h", 1), /* that one is gone: a newer stays */
        change(STORE_PURGE, "sip:amy@h", "sip:1@h", 1),
    };

    must(store_rig_open(&rig, path) == SIPD_OK);
    must(write_all(puts, countof(puts)) == SIPD_OK);
    must(write_all(second, countof(second)) == SIPD_OK);
    must(write_all(third, countof(third)) == SIPD_OK);
    reopen();
    must(rig.rows_len == 1 && rig.rows[0].is.cseq == 2);
    must_text(rig.rows[0].is.contact, "sip:1@h");
    store_rig_close(&rig);
}
END_TEST

START_TEST(only_one_has_it)
{
    struct store_rig other;

    must(store_rig_open(&rig, path) == SIPD_OK);
    store_rig_init(&other, &store_sqlite_ops);
    must(store_rig_open(&other, path) == SIPD_EIO);
    must_for(span_of(other.words), strstr(other.words, "in use by another registrar"));
    store_rig_close(&rig);
    must(store_rig_open(&other, path) == SIPD_OK);
    store_rig_close(&other);
    store_rig_fini(&other);
}
END_TEST

/* ---------------------------------------------------------------- files that are refused */

static void
run_sql(const char *sql)
{
    sqlite3 *db;

    must(sqlite3_open(path, &db) == SQLITE_OK);
    must_for(span_of(sql), sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

static void
make_file(const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    must(file && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

static uint64_t
file_sum(void)
{
    uint64_t sum = 0;
    FILE *file = fopen(path, "rb");
    int c;

    must(file);
    while ((c = getc(file)) != EOF)
        sum = sum * 1099511628211u + (unsigned)c + 1;
    fclose(file);
    return sum;
}

/* It is refused in these words, and is as it was. A look says the same, if the head tells. */
static void
must_refuse(const char *words, bool look_too)
{
    uint64_t sum = file_sum();

    must(store_rig_open(&rig, path) < 0);
    if (rig.store)
        store_rig_close(&rig);
    must_for(span_of(rig.words), strstr(rig.words, words) && strstr(rig.words, path));
    must(file_sum() == sum);
    rig.words[0] = '\0';
    must((store_sqlite_ops.look(&rig.port, path) == SIPD_OK) == !look_too);
    if (look_too)
        must_for(span_of(rig.words), strstr(rig.words, words));
    must(file_sum() == sum);
}

/* It is renamed, and an empty one begun; what was in it is still there under its new name. */
static void
must_be_put_aside(void)
{
    uint64_t sum = file_sum();
    char aside[128];

    must_for(span_of(rig.words), store_rig_open(&rig, path) == SIPD_OK);
    must(rig.rows_len == 0);
    store_rig_close(&rig);
    snprintf(aside, sizeof aside, "%s.damaged-20231114T221320Z", path);
    must_for(span_of(rig.news), strstr(rig.news, aside) && strstr(rig.news, "damaged ("));
    must(rename(aside, path) == 0 && file_sum() == sum);
}

START_TEST(files_of_others)
{
    char text[2000];

    memset(text, 'x', sizeof text);
    make_file(text, sizeof text);
    must_refuse("not an SQLite database", true);
    make_file(text, 5);
    must_refuse("not an SQLite database", true);
    must(unlink(path) == 0);
    run_sql("CREATE TABLE calls (n); INSERT INTO calls VALUES (1); PRAGMA user_version = 1;");
    must_refuse("a database of another program", true);
}
END_TEST

START_TEST(a_newer_schema)
{
    must(store_rig_open(&rig, path) == SIPD_OK);
    store_rig_close(&rig);
    run_sql("PRAGMA user_version = 3");
    must_refuse("newer sipd (schema 3", true);
}
END_TEST

START_TEST(corrupt_pages)
{
    struct store_change changes[64];
    char aor[64][32];
    FILE *file;

    must(store_rig_open(&rig, path) == SIPD_OK);
    for (int i = 0; i < 64; i++) {
        snprintf(aor[i], sizeof aor[i], "sip:%d@example.com", i);
        changes[i] = change(STORE_PUT, aor[i], "sip:somebody@192.0.2.1:5060;transport=udp", 1);
    }
    must(write_all(changes, 64) == SIPD_OK);
    store_rig_close(&rig);
    file = fopen(path, "r+b");
    must(file && fseek(file, 4096, SEEK_SET) == 0);
    for (int i = 0; i < 200; i++)
        putc(0xee, file);
    must(fclose(file) == 0);
    must_be_put_aside();
}
END_TEST

/* A head that is overwritten: with the lock file beside it we know that it was ours. */
START_TEST(a_head_that_is_gone)
{
    struct store_change put = change(STORE_PUT, "sip:bob@h", "sip:1@h", 1);
    FILE *file;

    must(store_rig_open(&rig, path) == SIPD_OK);
    must(write_all(&put, 1) == SIPD_OK);
    store_rig_close(&rig);
    file = fopen(path, "r+b");
    must(file);
    for (int i = 0; i < 64; i++)
        putc(0xee, file);
    must(fclose(file) == 0);
    must(store_sqlite_ops.look(&rig.port, path) == SIPD_OK);
    must_for(span_of(rig.words), strstr(rig.words, "damaged; a start renames it"));
    must_be_put_aside();
}
END_TEST

/* Version 1 had neither parameters nor paths. */
static const char schema_1[] =
    "CREATE TABLE binding (aor TEXT NOT NULL, contact TEXT NOT NULL, q INTEGER,"
    " call_id TEXT NOT NULL, cseq INTEGER NOT NULL, expires_s INTEGER NOT NULL,"
    " granted_s INTEGER NOT NULL, transport TEXT NOT NULL, ip TEXT NOT NULL,"
    " scope_id INTEGER NOT NULL, port INTEGER NOT NULL, listener TEXT NOT NULL,"
    " reach TEXT NOT NULL, user_agent TEXT NOT NULL, PRIMARY KEY (aor, contact)) WITHOUT ROWID;"
    "INSERT INTO binding VALUES ('sip:bob@h', 'sip:1@h', 500, 'call', 7, 1700000100, 3600, 'udp',"
    " '192.0.2.1', 0, 5060, 'udp:192.0.2.9:5060', 'udp', 'Phone');"
    "PRAGMA application_id = 0x73697064; PRAGMA user_version = 1;";

START_TEST(an_older_file_is_brought_up_to_date)
{
    char copy[128];
    sqlite3 *db;
    sqlite3_stmt *rows;

    run_sql(schema_1);
    must(store_sqlite_ops.look(&rig.port, path) == SIPD_OK);
    must_for(span_of(rig.words), store_rig_open(&rig, path) == SIPD_OK);
    must_for(span_of(rig.news), strstr(rig.news, "from schema 1 to 2"));
    must(rig.rows_len == 1 && rig.rows[0].is.cseq == 7 && rig.rows[0].is.q == 500);
    must_text(rig.rows[0].is.user_agent, "Phone");
    must(rig.rows[0].is.params.len == 0 && rig.rows[0].is.reg_id == 0);
    store_rig_close(&rig);
    rig.news[0] = '\0';
    reopen(); /* once is enough */
    must(rig.rows_len == 1 && rig.news[0] == '\0');
    store_rig_close(&rig);
    snprintf(copy, sizeof copy, "%s.schema1", path);
    must(sqlite3_open_v2(copy, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    must(sqlite3_prepare_v2(db, "SELECT q FROM binding", -1, &rows, NULL) == SQLITE_OK);
    must(sqlite3_step(rows) == SQLITE_ROW && sqlite3_column_int(rows, 0) == 500);
    sqlite3_finalize(rows);
    sqlite3_close(db);
    unlink(copy);
}
END_TEST

START_TEST(a_migration_that_fails_leaves_all)
{
    char copy[128];
    int64_t version = 0;
    sqlite3 *db;
    sqlite3_stmt *row;

    run_sql(schema_1);
    run_sql("CREATE TABLE binding_1 (in_the_way)");
    must(store_rig_open(&rig, path) == SIPD_EIO);
    must_for(span_of(rig.words), strstr(rig.words, "cannot be brought up to date"));
    must(sqlite3_open(path, &db) == SQLITE_OK);
    must(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &row, NULL) == SQLITE_OK);
    must(sqlite3_step(row) == SQLITE_ROW);
    version = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    must(version == 1);
    snprintf(copy, sizeof copy, "%s.schema1", path);
    must(unlink(copy) == 0);
}
END_TEST

/* When it was last written is told before its rows. */
START_TEST(the_last_write_is_known)
{
    struct store_change put = change(STORE_PUT, "sip:bob@h", "sip:1@h", 1);
    struct store_write write = { .id = 7, .changes = &put, .len = 1, .wall_s = 1700000123 };

    must(store_rig_open(&rig, path) == SIPD_OK);
    must(rig.written_s == 0);
    rig.done = take_answer;
    store_rig_write(&rig, &write);
    store_rig_wait(&rig);
    must(answered == SIPD_OK);
    reopen();
    must(rig.written_s == 1700000123);
    must(write_all(&put, 1) == SIPD_OK); /* one that tells no time changes none */
    reopen();
    must(rig.written_s == 1700000123);
    store_rig_close(&rig);
}
END_TEST

/* RFC 5626 §6: the same URI by two flows is two bindings. */
START_TEST(flows_are_kept_apart)
{
    struct store_change puts[] = {
        change(STORE_PUT, "sip:bob@h", "sip:1@h", 1),
        change(STORE_PUT, "sip:bob@h", "sip:1@h", 2),
        change(STORE_PUT, "sip:bob@h", "sip:1@h", 3),
    };
    struct store_change drop = change(STORE_DROP, "sip:bob@h", "sip:1@h", 0);

    for (uint32_t i = 1; i < 3; i++) {
        puts[i].row.instance = SPAN("urn:x:1");
        puts[i].row.reg_id = i;
        puts[i].row.params = SPAN(";audio;+sip.instance=\"<urn:x:1>\";reg-id=1");
        puts[i].row.path = SPAN("<sip:p1;lr>, <sip:p2;lr;ob>");
    }
    must(store_rig_open(&rig, path) == SIPD_OK);
    must(write_all(puts, countof(puts)) == SIPD_OK);
    reopen();
    must(rig.rows_len == 3);
    drop.row.instance = SPAN("urn:x:1");
    drop.row.reg_id = 1;
    must(write_all(&drop, 1) == SIPD_OK);
    reopen();
    must(rig.rows_len == 2 && rig.rows[0].is.cseq == 1 && rig.rows[1].is.cseq == 3);
    must(rig.rows[1].is.reg_id == 2);
    must_text(rig.rows[1].is.params, ";audio;+sip.instance=\"<urn:x:1>\";reg-id=1");
    must_text(rig.rows[1].is.path, "<sip:p1;lr>, <sip:p2;lr;ob>");
    store_rig_close(&rig);
}
END_TEST

START_TEST(rows_without_sense)
{
    static const char *const wrong[] = {
        "UPDATE binding SET transport = 'carrier pigeon'",
        "UPDATE binding SET reach = 'x'",
        "UPDATE binding SET q = 1001",
        "UPDATE binding SET cseq = -1",
        "UPDATE binding SET cseq = 4294967296",
        "UPDATE binding SET cseq = 'one'",
        "UPDATE binding SET port = 65536",
        "UPDATE binding SET expires_s = 'soon'",
        "UPDATE binding SET granted_s = -5",
        "UPDATE binding SET transport = 'udp', ip = 'localhost'",
        "UPDATE binding SET aor = ''",
        "UPDATE binding SET contact = ''",
        "UPDATE binding SET call_id = printf('%.600c', 'x')",
    };
    struct store_change puts[] = { change(STORE_PUT, "sip:bob@h", "sip:1@h", 1),
                                   change(STORE_PUT, "sip:carol@h", "sip:1@h", 1) };
    char sql[200];

    for (size_t i = 0; i < countof(wrong); i++) {
        must(store_rig_open(&rig, path) == SIPD_OK);
        must(write_all(puts, countof(puts)) == SIPD_OK);
        store_rig_close(&rig);
        snprintf(sql, sizeof sql, "%s WHERE aor = 'sip:bob@h'", wrong[i]);
        run_sql(sql);
        rig.news[0] = '\0';
        must_for(span_of(wrong[i]), store_rig_open(&rig, path) == SIPD_OK);
        must_for(span_of(rig.news), strstr(rig.news, "1 bindings make no sense"));
        must(rig.rows_len == 1); /* the others are told */
        store_rig_close(&rig);
        run_sql("DELETE FROM binding");
    }
}
END_TEST

START_TEST(places_that_cannot_be)
{
    must(store_rig_open(&rig, "/nowhere/location.db") == SIPD_EIO);
    must_for(span_of(rig.words), strstr(rig.words, "No such file or directory"));
    must(store_sqlite_ops.look(&rig.port, "/nowhere/location.db") == SIPD_OK); /* none is fine */
    must(mkdir(path, 0755) == 0);
    must(store_rig_open(&rig, path) == SIPD_EIO);
    must_for(span_of(rig.words), strstr(rig.words, "cannot be opened"));
    must(store_sqlite_ops.look(&rig.port, path) == SIPD_EIO);
    must(rmdir(path) == 0);
}
END_TEST

START_TEST(a_look_makes_nothing)
{
    must(store_sqlite_ops.look(&rig.port, path) == SIPD_OK);
    must(access(path, F_OK) != 0);
    must(store_rig_open(&rig, path) == SIPD_OK);
    store_rig_close(&rig);
    must(store_sqlite_ops.look(&rig.port, path) == SIPD_OK);
}
END_TEST

/* What fails leaves nothing, and what comes later does not fail with it. */
START_TEST(a_failed_commit)
{
    struct store_change wrong[] = { change(STORE_PUT, "sip:bob@h", "sip:1@h", 1),
                                    change(STORE_PUT, "sip:bob@h", "sip:2@h", 1) };
    struct store_change right = change(STORE_PUT, "sip:bob@h", "sip:3@h", 2);

    must(store_rig_open(&rig, path) == SIPD_OK);
    store_rig_close(&rig);
    run_sql("CREATE TRIGGER never BEFORE INSERT ON binding WHEN NEW.contact = 'sip:2@h'"
            " BEGIN SELECT RAISE(ABORT, 'not that one'); END");
    must(store_rig_open(&rig, path) == SIPD_OK);
    must(write_all(wrong, countof(wrong)) == SIPD_EIO);
    must(rig.troubles == 1);
    must_for(span_of(rig.words), strstr(rig.words, "not that one") && strstr(rig.words, path));
    must(write_all(&right, 1) == SIPD_OK);
    reopen();
    must(rig.rows_len == 1);
    must_text(rig.rows[0].is.contact, "sip:3@h");
    store_rig_close(&rig);
}
END_TEST

/* ---------------------------------------------------------------- the writer */

enum { MANY = 5000 };
static struct store_write writes[MANY];
static struct store_change many[MANY];
static char names[MANY][32];
static size_t many_done;
static uint64_t last_id;

static void
count_done(void *arg, uint64_t id, int err)
{
    (void)arg;
    must(err == SIPD_OK && id == last_id + 1); /* in the order given */
    last_id = id;
    many_done++;
}

static void
hand_over_many(void)
{
    many_done = 0;
    last_id = 0;
    rig.done = count_done;
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "sip:%u@example.com", i % 3000);
        many[i] = change(STORE_PUT, names[i], "sip:1@192.0.2.1", i + 1);
        writes[i] = (struct store_write){ .id = i + 1, .changes = &many[i], .len = 1 };
        store_rig_write(&rig, &writes[i]);
        if (i % 100 == 0)
            store_rig_poll(&rig);
    }
}

START_TEST(many_writes_in_order)
{
    must(store_rig_open(&rig, path) == SIPD_OK);
    atomic_store(&rig.refuse_posts, 3); /* asked again until the loop takes it */
    hand_over_many();
    store_rig_wait(&rig);
    must(many_done == MANY);
    reopen();
    must(rig.rows_len == 3000);
    for (size_t i = 0; i < rig.rows_len; i++)
        must(rig.rows[i].is.cseq > 2000);
    store_rig_close(&rig);
}
END_TEST

START_TEST(closing_writes_the_rest)
{
    must(store_rig_open(&rig, path) == SIPD_OK);
    hand_over_many();
    store_rig_close(&rig);
    must(many_done == MANY);
    must(store_rig_open(&rig, path) == SIPD_OK && rig.rows_len == 3000);
    atomic_store(&rig.refuse_posts, 1 << 30); /* not even a deaf loop keeps it from ending */
    hand_over_many();
    store_rig_close(&rig);
    must(many_done == MANY);
}
END_TEST

/* Groups are bounded, and nothing waits for a group to fill. */
static size_t group_changes, groups;

static int
count_group(void *self, const struct store_write *group, char words[STORE_WORDS_BYTES])
{
    size_t changes = 0, len = 0;

    (void)self;
    (void)words;
    for (; group; group = group->next, len++)
        changes += group->len;
    must(changes <= WRITER_GROUP_CHANGES || len == 1);
    group_changes += changes;
    groups++;
    return SIPD_OK;
}

static int
wake_nobody(void *self)
{
    (void)self;
    return SIPD_OK;
}

static void
ignore_done(void *self, uint64_t id, int err)
{
    (void)self;
    (void)id;
    must(err == SIPD_OK);
    many_done++;
}

static void
no_trouble(void *self, const char *words)
{
    (void)self;
    ck_abort_msg("trouble: %s", words);
}

START_TEST(groups_are_bounded)
{
    struct writer_port port = { NULL, count_group, NULL, wake_nobody, ignore_done, no_trouble };
    struct writer *writer;
    size_t wanted = 0;

    many_done = group_changes = groups = 0;
    must(writer_new(&writer, &port) == SIPD_OK);
    for (unsigned i = 0; i < MANY; i++) {
        writes[i] = (struct store_write){ .id = i, .changes = many, .len = i % 7 ? 1 : i };
        wanted += writes[i].len;
        writer_put(writer, &writes[i]);
    }
    writer_free(&writer);
    must(!writer && many_done == MANY && group_changes == wanted && groups > 1);
}
END_TEST

static atomic_uint wakes;

static int
count_wake(void *self)
{
    (void)self;
    wakes++;
    return SIPD_OK;
}

/* No turn of the loop is told of more than so many; for the others it is woken again. */
START_TEST(a_turn_is_told_of_a_part)
{
    struct writer_port port = { NULL, count_group, NULL, count_wake, ignore_done, no_trouble };
    struct writer *writer;
    unsigned turns = 0, collected = 0;

    many_done = group_changes = groups = 0;
    wakes = 0;
    must(writer_new(&writer, &port) == SIPD_OK);
    for (unsigned i = 0; i < MANY; i++) {
        writes[i] = (struct store_write){ .id = i, .changes = many, .len = 1 };
        writer_put(writer, &writes[i]);
    }
    while (many_done < MANY) {
        size_t before = many_done;

        if (collected == wakes) {
            sched_yield();
            continue;
        }
        collected++;
        writer_collect(writer);
        must(many_done - before <= WRITER_COLLECT_MOST);
        turns += many_done > before;
    }
    must(turns >= MANY / WRITER_COLLECT_MOST);
    writer_free(&writer);
}
END_TEST

/* ---------------------------------------------------------------- a file that goes bad while it is open */

enum { LARGE = 15000 }; /* rows: more than SQLite keeps in memory, and than are read at once */

static void
fill_file(void)
{
    static struct store_change puts[LARGE];
    static char aors[LARGE][32];

    for (unsigned i = 0; i < LARGE; i++) {
        snprintf(aors[i], sizeof aors[i], "sip:%u@example.com", i);
        puts[i] = change(STORE_PUT, aors[i], "sip:somebody@192.0.2.1:5060;transport=udp", i + 1);
        puts[i].row.path = SPAN("<sip:a.proxy.with.a.name.of.some.length.example.com;lr>, "
                                "<sip:another.proxy.example.com;lr>");
        puts[i].row.params =
            SPAN(";audio;video;methods=\"INVITE,ACK,BYE,CANCEL,OPTIONS,INFO,MESSAGE,"
                 "SUBSCRIBE,NOTIFY,PRACK,UPDATE,REFER\";mobility=\"fixed\"");
    }
    must(write_all(puts, LARGE) == SIPD_OK);
}

static void
damage_pages(void)
{
    static const char zeros[4096];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;

    must(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 1000000);
    for (off_t at = 4096; at < st.st_size; at += 4096)
        must(pwrite(fd, zeros, sizeof zeros, at) == 4096);
    must(futimens(fd, (struct timespec[]){ st.st_atim, st.st_mtim }) == 0); /* as a bad disk does */
    close(fd);
}

static char aside[128];

/* What belonged to a file that is gone is put aside too. */
static void
remove_aside(void)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char name[160];

    for (size_t i = 0; i < countof(ends); i++) {
        snprintf(name, sizeof name, "%s.damaged-20231114T221320Z%s", path, ends[i]);
        unlink(name);
    }
}

static bool
is_aside(void)
{
    snprintf(aside, sizeof aside, "%s.damaged-20231114T221320Z", path);
    return access(aside, F_OK) == 0;
}

/* It is put aside, who asked hears that all is well, and is told to write all the rest anew. */
START_TEST(damaged_while_it_is_open)
{
    struct store_change put = change(STORE_PUT, "sip:bob@h", "sip:1@h", 1);
    char aor[32];

    must(store_rig_open(&rig, path) == SIPD_OK);
    fill_file();
    reopen(); /* so that all is in the file, and none in memory */
    must(rig.rows_len == LARGE);
    damage_pages();
    must(!is_aside());
    for (unsigned i = 0; i < 1000 && rig.losses == 0; i++) {
        snprintf(aor, sizeof aor, "sip:%u@example.com", i * 11);
        put.row.aor = span_of(aor);
        must_for(span_of(rig.words), write_all(&put, 1) == SIPD_OK);
        store_rig_poll(&rig);
    }
    must_for(span_of(rig.words), rig.losses == 1 && rig.troubles == 0);
    must(is_aside());
    must_for(span_of(rig.news), strstr(rig.news, "damaged (") && strstr(rig.news, aside));
    rig.news[0] = '\0';
    reopen();
    must(rig.rows_len == 1 && rig.losses == 1 && rig.news[0] == '\0');
    must_text(rig.rows[0].is.aor, aor);
    store_rig_close(&rig);
    remove_aside();
}
END_TEST

/* SQLite would write on into a file that has no name any more. */
START_TEST(removed_while_it_is_open)
{
    struct store_change puts[] = { change(STORE_PUT, "sip:amy@h", "sip:1@h", 1),
                                   change(STORE_PUT, "sip:bob@h", "sip:1@h", 2) };

    must(store_rig_open(&rig, path) == SIPD_OK);
    must(write_all(&puts[0], 1) == SIPD_OK);
    must(unlink(path) == 0);
    must(write_all(&puts[1], 1) == SIPD_OK);
    store_rig_poll(&rig);
    must(rig.losses == 1);
    must_for(span_of(rig.news), strstr(rig.news, "gone ("));
    reopen();
    must(rig.rows_len == 1 && rig.rows[0].is.cseq == 2);
    store_rig_close(&rig);
    remove_aside();
}
END_TEST

/* Writes over a file in its place, and sees to it that it looks written to: the clock of files ticks slowly. */
static void
write_over(const char *name, off_t at)
{
    static char others[512];
    int fd = open(name, O_RDWR | O_CLOEXEC);
    struct stat before, after;

    memset(others, 'x', sizeof others);
    must(fd >= 0 && fstat(fd, &before) == 0);
    do
        must(pwrite(fd, others, sizeof others, at) == sizeof others && fstat(fd, &after) == 0);
    while (after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
    close(fd);
}

/*
 * All that is in the file is in SQLite's memory, so nothing would be missed until the next start; by then the log would have been
 * poured over what another wrote there.
 */
START_TEST(written_over_while_it_is_open)
{
    struct store_change puts[] = { change(STORE_PUT, "sip:amy@h", "sip:1@h", 1),
                                   change(STORE_PUT, "sip:bob@h", "sip:1@h", 2),
                                   change(STORE_PUT, "sip:eve@h", "sip:1@h", 3) };
    char log[160];

    snprintf(log, sizeof log, "%s-wal", path);
    must(store_rig_open(&rig, path) == SIPD_OK);
    must(write_all(&puts[0], 1) == SIPD_OK && write_all(&puts[0], 1) == SIPD_OK);
    must(rig.losses == 0);
    write_over(path, 0);
    must(write_all(&puts[1], 1) == SIPD_OK);
    store_rig_poll(&rig);
    must(rig.losses == 1 && rig.troubles == 0 && is_aside());
    must_for(span_of(rig.news), strstr(rig.news, "another program has written to it"));
    remove_aside();
    write_over(log, 64);
    must(write_all(&puts[2], 1) == SIPD_OK);
    store_rig_poll(&rig);
    must(rig.losses == 2 && rig.troubles == 0 && is_aside());
    reopen();
    must(rig.rows_len == 1 && rig.rows[0].is.cseq == 3 && rig.losses == 2);
    store_rig_close(&rig);
    remove_aside();
}
END_TEST

/* While no new one can be begun writes fail, and when one can be they do not. */
START_TEST(damaged_and_in_the_way)
{
    struct store_change puts[] = { change(STORE_PUT, "sip:amy@h", "sip:1@h", 1),
                                   change(STORE_PUT, "sip:bob@h", "sip:1@h", 2) };

    must(store_rig_open(&rig, path) == SIPD_OK);
    must(write_all(&puts[0], 1) == SIPD_OK);
    must(unlink(path) == 0 && mkdir(path, 0755) == 0);
    snprintf(aside, sizeof aside, "%s.damaged-20231114T221320Z", path);
    must(mkdir(aside, 0755) == 0);
    snprintf(aside, sizeof aside, "%s.damaged-20231114T221320Z/x", path);
    must(mkdir(aside, 0755) == 0); /* nothing can be renamed to that */
    must(write_all(&puts[1], 1) == SIPD_EIO);
    must(write_all(&puts[1], 1) == SIPD_EIO);
    store_rig_poll(&rig);
    must(rig.losses == 0 && rig.troubles > 0);
    must_for(span_of(rig.words), strstr(rig.words, path));
    must(rmdir(aside) == 0 && rmdir(path) == 0);
    snprintf(aside, sizeof aside, "%s.damaged-20231114T221320Z", path);
    must(rmdir(aside) == 0);
    must(write_all(&puts[1], 1) == SIPD_OK);
    store_rig_poll(&rig);
    must(rig.losses == 1);
    store_rig_close(&rig);
    remove_aside();
}
END_TEST

/* Who has no memory for a row now is told again. */
START_TEST(rows_that_nobody_has_room_for)
{
    must(store_rig_open(&rig, path) == SIPD_OK);
    fill_file();
    rig.refuse_rows = 5;
    reopen();
    must(rig.rows_len == LARGE && rig.refuse_rows == 0);
    store_rig_close(&rig);
}
END_TEST

/* What is written while rows are read is committed between two slices. */
START_TEST(written_while_it_is_read)
{
    struct store_change put = change(STORE_PUT, "sip:0@example.com", "sip:2@h", 77);

    must(store_rig_open(&rig, path) == SIPD_OK);
    fill_file();
    store_rig_close(&rig);
    must(rig.ops->open(&rig.port, path, &rig.store) == SIPD_OK);
    rig.rows_len = 0;
    rig.reading = true;
    must(rig.ops->read(rig.store, UINT64_MAX) == STORE_LATER);
    while (rig.rows_len == 0)
        store_rig_poll(&rig);
    must(write_all(&put, 1) == SIPD_OK);
    must(rig.reading && rig.rows_len < LARGE / 2);
    while (rig.reading)
        store_rig_poll(&rig);
    must(rig.rows_len == LARGE); /* none twice, and not what was written behind them */
    for (size_t i = 1; i < rig.rows_len; i++)
        must(strcmp(rig.rows[i - 1].aor, rig.rows[i].aor) < 0);
    reopen();
    must(rig.rows_len == LARGE + 1);
    store_rig_close(&rig);
}
END_TEST

/* ---------------------------------------------------------------- nothing kept */

START_TEST(nothing_is_kept_in_memory)
{
    struct store_change put = change(STORE_PUT, "sip:bob@h", "sip:1@h", 1);
    struct store_rig ram;
    struct store_write write = { .id = 7, .changes = &put, .len = 1 };

    store_rig_init(&ram, &store_ram_ops);
    must(store_ram_ops.look(&ram.port, "/nowhere/at/all") == SIPD_OK);
    must(store_rig_open(&ram, "/nowhere/at/all") == SIPD_OK);
    ram.done = take_answer;
    answered = 1;
    store_rig_write(&ram, &write);
    must(answered == SIPD_OK && ram.open_writes == 0);
    store_rig_close(&ram);
    must(store_rig_open(&ram, "/nowhere/at/all") == SIPD_OK && ram.rows_len == 0);
    store_rig_close(&ram);
    store_rig_fini(&ram);
}
END_TEST

Suite *
suite_registrar_store(void)
{
    Suite *suite = suite_create("registrar_store");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 60); /* each commit is synced to the disk */
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, what_is_written_is_read);
    tcase_add_test(all, put_drop_purge);
    tcase_add_test(all, only_one_has_it);
    tcase_add_test(all, files_of_others);
    tcase_add_test(all, a_newer_schema);
    tcase_add_test(all, corrupt_pages);
    tcase_add_test(all, a_head_that_is_gone);
    tcase_add_test(all, an_older_file_is_brought_up_to_date);
    tcase_add_test(all, a_migration_that_fails_leaves_all);
    tcase_add_test(all, the_last_write_is_known);
    tcase_add_test(all, flows_are_kept_apart);
    tcase_add_test(all, rows_without_sense);
    tcase_add_test(all, rows_that_nobody_has_room_for);
    tcase_add_test(all, places_that_cannot_be);
    tcase_add_test(all, a_look_makes_nothing);
    tcase_add_test(all, a_failed_commit);
    tcase_add_test(all, many_writes_in_order);
    tcase_add_test(all, closing_writes_the_rest);
    tcase_add_test(all, groups_are_bounded);
    tcase_add_test(all, a_turn_is_told_of_a_part);
    tcase_add_test(all, damaged_while_it_is_open);
    tcase_add_test(all, removed_while_it_is_open);
    tcase_add_test(all, written_over_while_it_is_open);
    tcase_add_test(all, damaged_and_in_the_way);
    tcase_add_test(all, written_while_it_is_read);
    tcase_add_test(all, nothing_is_kept_in_memory);
    suite_add_tcase(suite, all);
    return suite;
}
