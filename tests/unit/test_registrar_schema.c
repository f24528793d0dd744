/*
 * The registrar's files: one that is not ours is refused and left alone, a damaged one is put aside, an older one is brought
 * up to date.
 */
#include "registrar/schema.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/def.h"
#include "unit/kept.h"
#include "unit/text.h"

static void
make_file(const char *bytes, size_t len)
{
    FILE *file = fopen(kept_path, "wb");

    must(file && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

static uint64_t
file_sum(void)
{
    uint64_t sum = 0;
    FILE *file = fopen(kept_path, "rb");
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

    must(store_rig_open(&kept_rig, kept_path) < 0);
    if (kept_rig.store)
        store_rig_close(&kept_rig);
    must_for(span_of(kept_rig.words),
             strstr(kept_rig.words, words) && strstr(kept_rig.words, kept_path));
    must(file_sum() == sum);
    kept_rig.words[0] = '\0';
    must((store_sqlite_ops.look(&kept_rig.port, kept_path) == SIPD_OK) == !look_too);
    if (look_too)
        must_for(span_of(kept_rig.words), strstr(kept_rig.words, words));
    must(file_sum() == sum);
}

/* It is renamed, and an empty one begun; what was in it is still there under its new name. */
static void
must_be_put_aside(void)
{
    uint64_t sum = file_sum();
    char aside[128];

    kept_rig.losses = 0;
    must_for(span_of(kept_rig.words), store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_rig.rows_len == 0 && kept_rig.losses == 1);
    store_rig_close(&kept_rig);
    snprintf(aside, sizeof aside, "%s.damaged-20231114T221320Z", kept_path);
    must_for(span_of(kept_rig.news),
             strstr(kept_rig.news, aside) && strstr(kept_rig.news, "damaged ("));
    must(rename(aside, kept_path) == 0 && file_sum() == sum);
}

START_TEST(files_of_others)
{
    char text[2000];

    memset(text, 'x', sizeof text);
    make_file(text, sizeof text);
    must_refuse("not an SQLite database", true);
    make_file(text, 5);
    must_refuse("not an SQLite database", true);
    must(unlink(kept_path) == 0);
    kept_sql("CREATE TABLE calls (n); INSERT INTO calls VALUES (1); PRAGMA user_version = 1;");
    must_refuse("a database of another program", true);
}
END_TEST

START_TEST(a_newer_schema)
{
    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    store_rig_close(&kept_rig);
    kept_sql("PRAGMA user_version = 4");
    must_refuse("newer sipd (schema 4", true);
}
END_TEST

START_TEST(corrupt_pages)
{
    struct store_change changes[64];
    char aor[64][32];
    FILE *file;

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    for (int i = 0; i < 64; i++) {
        snprintf(aor[i], sizeof aor[i], "sip:%d@example.com", i);
        changes[i] = kept_change(STORE_PUT, aor[i], "sip:somebody@192.0.2.1:5060;transport=udp", 1);
    }
    must(kept_write(changes, 64) == SIPD_OK);
    store_rig_close(&kept_rig);
    file = fopen(kept_path, "r+b");
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
    struct store_change put = kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 1);
    FILE *file;

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_write(&put, 1) == SIPD_OK);
    store_rig_close(&kept_rig);
    file = fopen(kept_path, "r+b");
    must(file);
    for (int i = 0; i < 64; i++)
        putc(0xee, file);
    must(fclose(file) == 0);
    must(store_sqlite_ops.look(&kept_rig.port, kept_path) == SIPD_OK);
    must_for(span_of(kept_rig.words), strstr(kept_rig.words, "damaged; a start renames it"));
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

    kept_sql(schema_1);
    must(store_sqlite_ops.look(&kept_rig.port, kept_path) == SIPD_OK);
    must_for(span_of(kept_rig.words), store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must_for(span_of(kept_rig.news), strstr(kept_rig.news, "from schema 1 to 3"));
    must(kept_rig.rows_len == 1 && kept_rig.rows[0].is.cseq == 7 && kept_rig.rows[0].is.q == 500);
    must_text(kept_rig.rows[0].is.user_agent, "Phone");
    must(kept_rig.rows[0].is.params.len == 0 && kept_rig.rows[0].is.reg_id == 0);
    store_rig_close(&kept_rig);
    kept_rig.news[0] = '\0';
    kept_reopen(); /* once is enough */
    must(kept_rig.rows_len == 1 && kept_rig.news[0] == '\0');
    store_rig_close(&kept_rig);
    snprintf(copy, sizeof copy, "%s.schema1", kept_path);
    must(sqlite3_open_v2(copy, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    must(sqlite3_prepare_v2(db, "SELECT q FROM binding", -1, &rows, NULL) == SQLITE_OK);
    must(sqlite3_step(rows) == SQLITE_ROW && sqlite3_column_int(rows, 0) == 500);
    sqlite3_finalize(rows);
    sqlite3_close(db);
    unlink(copy);
}
END_TEST

/* Version 2 knew of no steps of the clock. */
static const char schema_2[] =
    "CREATE TABLE binding (aor TEXT NOT NULL, contact TEXT NOT NULL, instance TEXT NOT NULL,"
    " reg_id INTEGER NOT NULL, params TEXT NOT NULL, path TEXT NOT NULL, q INTEGER,"
    " call_id TEXT NOT NULL, cseq INTEGER NOT NULL, expires_s INTEGER NOT NULL,"
    " granted_s INTEGER NOT NULL, transport TEXT NOT NULL, ip TEXT NOT NULL,"
    " scope_id INTEGER NOT NULL, port INTEGER NOT NULL, listener TEXT NOT NULL,"
    " reach TEXT NOT NULL, user_agent TEXT NOT NULL,"
    " PRIMARY KEY (aor, contact, instance, reg_id)) WITHOUT ROWID;"
    "CREATE TABLE state (id INTEGER PRIMARY KEY, written_s INTEGER NOT NULL);"
    "INSERT INTO state VALUES (1, 1700000050);"
    "INSERT INTO binding VALUES ('sip:bob@h', 'sip:1@h', '', 0, '', '', NULL, 'call', 7,"
    " 1700000100, 3600, 'udp', '192.0.2.1', 0, 5060, 'udp:192.0.2.9:5060', 'udp', 'Phone');"
    "PRAGMA application_id = 0x73697064; PRAGMA user_version = 2;";

START_TEST(a_file_without_steps)
{
    struct store_change put = kept_change(STORE_PUT, "sip:eve@h", "sip:1@h", 1);
    char copy[128];

    kept_sql(schema_2);
    must_for(span_of(kept_rig.words), store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must_for(span_of(kept_rig.news), strstr(kept_rig.news, "from schema 2 to 3"));
    must(kept_rig.rows_len == 1 && kept_rig.rows[0].is.expires_s == 1700000100);
    must(kept_rig.written.wall_s == 1700000050 && kept_rig.written.step_s == 0);
    kept_rig.now.step_s = 3600;
    must(kept_write(&put, 1) == SIPD_OK);
    kept_reopen();
    must(kept_rig.rows_len == 2 && kept_rig.rows[0].is.expires_s == 1700000100);
    must(kept_rig.rows[1].is.expires_s == put.row.expires_s);
    store_rig_close(&kept_rig);
    snprintf(copy, sizeof copy, "%s.schema2", kept_path);
    must(unlink(copy) == 0);
}
END_TEST

START_TEST(a_migration_that_fails_leaves_all)
{
    char copy[128];
    int64_t version = 0;
    sqlite3 *db;
    sqlite3_stmt *row;

    kept_sql(schema_1);
    kept_sql("CREATE TABLE binding_1 (in_the_way)");
    must(store_rig_open(&kept_rig, kept_path) == SIPD_EIO);
    must_for(span_of(kept_rig.words), strstr(kept_rig.words, "cannot be brought up to date"));
    must(sqlite3_open(kept_path, &db) == SQLITE_OK);
    must(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &row, NULL) == SQLITE_OK);
    must(sqlite3_step(row) == SQLITE_ROW);
    version = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    must(version == 1);
    snprintf(copy, sizeof copy, "%s.schema1", kept_path);
    must(unlink(copy) == 0);
}
END_TEST

Suite *
suite_registrar_schema(void)
{
    Suite *suite = suite_create("registrar_schema");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, kept_begin, kept_end);
    tcase_add_test(all, files_of_others);
    tcase_add_test(all, a_newer_schema);
    tcase_add_test(all, corrupt_pages);
    tcase_add_test(all, a_head_that_is_gone);
    tcase_add_test(all, an_older_file_is_brought_up_to_date);
    tcase_add_test(all, a_file_without_steps);
    tcase_add_test(all, a_migration_that_fails_leaves_all);
    suite_add_tcase(suite, all);
    return suite;
}
