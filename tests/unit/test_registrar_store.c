/*
 * The registrar's stores: what is written is read again, byte by byte, and what fails leaves nothing.
 */
#include "registrar/store.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/def.h"
#include "unit/kept.h"
#include "unit/text.h"

START_TEST(what_is_written_is_read)
{
    static const char odd[] = "sip:b\xff\xfe;%00'\"\n--@h";
    struct store_change puts[] = {
        kept_change(STORE_PUT, "sip:bob@example.com", "sip:bob@192.0.2.1:5060", 4294967295u),
        kept_change(STORE_PUT, "sip:bob@example.com", odd, 0),
        kept_change(STORE_PUT, "sip:carol@example.com", "sips:carol@h", 3),
    };
    struct store_row *row = &puts[0].row;

    row->user_agent = SPAN("Phone/1.0 (a \0 in it)");
    row->listener = SPAN("tls:[2001:db8::1]:5061");
    row->source = (struct hop){ .transport = HOP_TLS, .port = 65535, .scope_id = 7, .flow = 9 };
    must(hop_ip_read(SPAN("fe80::1"), &row->source));
    row->reach = HOP_TLS;
    row->q = 0;
    row->expires_s = INT64_C(99999999999);
    row->granted_s = UINT32_MAX;
    puts[2].row.q = 1000;
    puts[2].row.source.transport = HOP_UDP;
    must(hop_ip_read(SPAN("192.0.2.1"), &puts[2].row.source));

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_rig.rows_len == 0);
    must(kept_write(puts, countof(puts)) == SIPD_OK);
    kept_reopen();
    must(kept_rig.rows_len == 3);
    for (size_t i = 0; i < 3; i++) {
        const struct store_row *was = &puts[i].row, *is = NULL;

        for (size_t j = 0; j < kept_rig.rows_len; j++)
            if (span_eq(kept_rig.rows[j].is.contact, was->contact))
                is = &kept_rig.rows[j].is;
        must(is && span_eq(is->aor, was->aor) && span_eq(is->call_id, was->call_id));
        must(span_eq(is->user_agent, was->user_agent) && span_eq(is->listener, was->listener));
        must(is->q == was->q && is->cseq == was->cseq && is->reach == was->reach);
        must(is->expires_s == was->expires_s && is->granted_s == was->granted_s);
        must(hop_eq(&is->source, &was->source) && is->source.scope_id == was->source.scope_id);
        must(is->source.flow == 0 && is->source.listener == 0);
    }
    store_rig_close(&kept_rig);
}
END_TEST

START_TEST(put_drop_purge)
{
    struct store_change puts[] = {
        kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 1),
        kept_change(STORE_PUT, "sip:bob@h", "sip:2@h", 1),
        kept_change(STORE_PUT, "sip:amy@h", "sip:1@h", 1),
    };
    struct store_change second[] = {
        kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 2),  /* replaces */
        kept_change(STORE_DROP, "sip:bob@h", "sip:2@h", 0), /* whatever it is */
        kept_change(STORE_DROP, "sip:bob@h", "sip:9@h", 0), /* is not there */
    };
    struct store_change third[] = {
        kept_change(STORE_PURGE, "sip:bob@h", "sip:1@h", 1), /* that one is gone: a newer stays */
        kept_change(STORE_PURGE, "sip:amy@h", "sip:1@h", 1),
    };

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_write(puts, countof(puts)) == SIPD_OK);
    must(kept_write(second, countof(second)) == SIPD_OK);
    must(kept_write(third, countof(third)) == SIPD_OK);
    kept_reopen();
    must(kept_rig.rows_len == 1 && kept_rig.rows[0].is.cseq == 2);
    must_text(kept_rig.rows[0].is.contact, "sip:1@h");
    store_rig_close(&kept_rig);
}
END_TEST

START_TEST(only_one_has_it)
{
    struct store_rig other;

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    store_rig_init(&other, &store_sqlite_ops);
    must(store_rig_open(&other, kept_path) == SIPD_EIO);
    must_for(span_of(other.words), strstr(other.words, "in use by another registrar"));
    store_rig_close(&kept_rig);
    must(store_rig_open(&other, kept_path) == SIPD_OK);
    store_rig_close(&other);
    store_rig_fini(&other);
}
END_TEST

/* When it was last written is told before its rows. */
START_TEST(the_last_write_is_known)
{
    struct store_change put = kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 1);

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_rig.written.wall_s == 0 && kept_rig.written.step_s == 0);
    kept_rig.now = (struct store_time){ 1700000123, -7200 };
    must(kept_write(&put, 1) == SIPD_OK);
    kept_reopen();
    must(kept_rig.written.wall_s == 1700000123 && kept_rig.written.step_s == -7200);
    kept_rig.now = (struct store_time){ 0, 0 };
    must(kept_write(&put, 1) == SIPD_OK); /* one that tells no time changes none */
    kept_reopen();
    must(kept_rig.written.wall_s == 1700000123 && kept_rig.written.step_s == -7200);
    kept_rig.now = (struct store_time){ 1700000200, 0 };
    must(kept_write(NULL, 0) == SIPD_OK); /* one that tells nothing else */
    kept_reopen();
    must(kept_rig.written.wall_s == 1700000200 && kept_rig.written.step_s == 0);
    store_rig_close(&kept_rig);
    kept_sql("UPDATE state SET written_s = 1 << 50, step_s = -(1 << 50)"); /* no times at all */
    kept_reopen();
    must(kept_rig.written.wall_s == 0 && kept_rig.written.step_s == 0);
    store_rig_close(&kept_rig);
}
END_TEST

/*
 * Steps of the clock: a row says UTC as it was when it was written, and is read in steady time whatever came later. It is purged
 * by that too.
 */
START_TEST(rows_outlive_steps)
{
    static const int64_t steps_s[] = { 0, 3600, -86400, -86400 };
    struct store_change puts[] = {
        kept_change(STORE_PUT, "sip:0@h", "sip:1@h", 1),
        kept_change(STORE_PUT, "sip:1@h", "sip:1@h", 1),
        kept_change(STORE_PUT, "sip:2@h", "sip:1@h", 1),
        kept_change(STORE_PUT, "sip:3@h", "sip:1@h", 1),
    };

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    for (size_t i = 0; i < countof(puts); i++) {
        kept_rig.now = (struct store_time){ 1700000000 + steps_s[i], steps_s[i] };
        must(kept_write(&puts[i], 1) == SIPD_OK);
        kept_reopen();
        must(kept_rig.written.step_s == steps_s[i]);
    }
    must(kept_rig.rows_len == countof(puts));
    for (size_t i = 0; i < kept_rig.rows_len; i++)
        must(kept_rig.rows[i].is.expires_s == 1700000001);
    must(kept_number("SELECT expires_s FROM binding WHERE aor = 'sip:1@h'") == 1700003601);
    must(kept_number("SELECT b.expires_s + s.step_s - b.step_s FROM binding b, state s"
                     " WHERE aor = 'sip:1@h'") == 1700000001 - 86400); /* as the manual says it */
    for (size_t i = 0; i < countof(puts); i++)
        puts[i].verb = STORE_PURGE;
    must(kept_write(puts, countof(puts)) == SIPD_OK);
    kept_reopen();
    must(kept_rig.rows_len == 0);
    store_rig_close(&kept_rig);
}
END_TEST

/* RFC 5626 §6: the same URI by two flows is two bindings. */
START_TEST(flows_are_kept_apart)
{
    struct store_change puts[] = {
        kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 1),
        kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 2),
        kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 3),
    };
    struct store_change drop = kept_change(STORE_DROP, "sip:bob@h", "sip:1@h", 0);

    for (uint32_t i = 1; i < 3; i++) {
        puts[i].row.instance = SPAN("urn:x:1");
        puts[i].row.reg_id = i;
        puts[i].row.params = SPAN(";audio;+sip.instance=\"<urn:x:1>\";reg-id=1");
        puts[i].row.path = SPAN("<sip:p1;lr>, <sip:p2;lr;ob>");
    }
    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_write(puts, countof(puts)) == SIPD_OK);
    kept_reopen();
    must(kept_rig.rows_len == 3);
    drop.row.instance = SPAN("urn:x:1");
    drop.row.reg_id = 1;
    must(kept_write(&drop, 1) == SIPD_OK);
    kept_reopen();
    must(kept_rig.rows_len == 2 && kept_rig.rows[0].is.cseq == 1 && kept_rig.rows[1].is.cseq == 3);
    must(kept_rig.rows[1].is.reg_id == 2);
    must_text(kept_rig.rows[1].is.params, ";audio;+sip.instance=\"<urn:x:1>\";reg-id=1");
    must_text(kept_rig.rows[1].is.path, "<sip:p1;lr>, <sip:p2;lr;ob>");
    store_rig_close(&kept_rig);
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
        "UPDATE binding SET expires_s = 1 << 62",
        "UPDATE binding SET step_s = 'far'",
        "UPDATE binding SET step_s = -(1 << 62)",
        "UPDATE binding SET granted_s = -5",
        "UPDATE binding SET transport = 'udp', ip = 'localhost'",
        "UPDATE binding SET aor = ''",
        "UPDATE binding SET contact = ''",
        "UPDATE binding SET call_id = printf('%.600c', 'x')",
    };
    struct store_change puts[] = { kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 1),
                                   kept_change(STORE_PUT, "sip:carol@h", "sip:1@h", 1) };
    char sql[200];

    for (size_t i = 0; i < countof(wrong); i++) {
        must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
        must(kept_write(puts, countof(puts)) == SIPD_OK);
        store_rig_close(&kept_rig);
        snprintf(sql, sizeof sql, "%s WHERE aor = 'sip:bob@h'", wrong[i]);
        kept_sql(sql);
        kept_rig.news[0] = '\0';
        must_for(span_of(wrong[i]), store_rig_open(&kept_rig, kept_path) == SIPD_OK);
        must_for(span_of(kept_rig.news), strstr(kept_rig.news, "1 bindings make no sense"));
        must(kept_rig.rows_len == 1); /* the others are told */
        store_rig_close(&kept_rig);
        kept_sql("DELETE FROM binding");
    }
}
END_TEST

START_TEST(places_that_cannot_be)
{
    must(store_rig_open(&kept_rig, "/nowhere/location.db") == SIPD_EIO);
    must_for(span_of(kept_rig.words), strstr(kept_rig.words, "No such file or directory"));
    must(store_sqlite_ops.look(&kept_rig.port, "/nowhere/location.db") ==
         SIPD_OK); /* none is fine */
    must(mkdir(kept_path, 0755) == 0);
    must(store_rig_open(&kept_rig, kept_path) == SIPD_EIO);
    must_for(span_of(kept_rig.words), strstr(kept_rig.words, "cannot be opened"));
    must(store_sqlite_ops.look(&kept_rig.port, kept_path) == SIPD_EIO);
    must(rmdir(kept_path) == 0);
}
END_TEST

START_TEST(a_look_makes_nothing)
{
    must(store_sqlite_ops.look(&kept_rig.port, kept_path) == SIPD_OK);
    must(access(kept_path, F_OK) != 0);
    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    store_rig_close(&kept_rig);
    must(store_sqlite_ops.look(&kept_rig.port, kept_path) == SIPD_OK);
}
END_TEST

/* What fails leaves nothing, and what comes later does not fail with it. */
START_TEST(a_failed_commit)
{
    struct store_change wrong[] = { kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 1),
                                    kept_change(STORE_PUT, "sip:bob@h", "sip:2@h", 1) };
    struct store_change right = kept_change(STORE_PUT, "sip:bob@h", "sip:3@h", 2);

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    store_rig_close(&kept_rig);
    kept_sql("CREATE TRIGGER never BEFORE INSERT ON binding WHEN NEW.contact = 'sip:2@h'"
             " BEGIN SELECT RAISE(ABORT, 'not that one'); END");
    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_write(wrong, countof(wrong)) == SIPD_EIO);
    must(kept_rig.troubles == 1);
    must_for(span_of(kept_rig.words),
             strstr(kept_rig.words, "not that one") && strstr(kept_rig.words, kept_path));
    must(kept_write(&right, 1) == SIPD_OK);
    kept_reopen();
    must(kept_rig.rows_len == 1);
    must_text(kept_rig.rows[0].is.contact, "sip:3@h");
    store_rig_close(&kept_rig);
}
END_TEST

/* Who has no memory for a row now is told again. */
START_TEST(rows_that_nobody_has_room_for)
{
    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    kept_fill();
    kept_rig.refuse_rows = 5;
    kept_reopen();
    must(kept_rig.rows_len == KEPT_LARGE && kept_rig.refuse_rows == 0);
    store_rig_close(&kept_rig);
}
END_TEST

/* What is written while rows are read is committed between two slices; how far the reader gets, the room for rows says. */
START_TEST(written_while_it_is_read)
{
    struct store_change put = kept_change(STORE_PUT, "sip:0@example.com", "sip:2@h", 77);

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    kept_fill();
    store_rig_close(&kept_rig);
    must(kept_rig.ops->open(&kept_rig.port, kept_path, &kept_rig.store) == SIPD_OK);
    kept_rig.rows_len = 0;
    kept_rig.rows_room = 200;
    kept_rig.reading = true;
    must(kept_rig.ops->read(kept_rig.store, UINT64_MAX) == STORE_LATER);
    while (kept_rig.rows_len < kept_rig.rows_room)
        store_rig_poll(&kept_rig);
    must(kept_write(&put, 1) == SIPD_OK);
    must(kept_rig.reading && kept_rig.rows_len == kept_rig.rows_room);
    kept_rig.rows_room = STORE_RIG_ROWS;
    while (kept_rig.reading)
        store_rig_poll(&kept_rig);
    must(kept_rig.rows_len == KEPT_LARGE); /* none twice, and not what was written behind them */
    for (size_t i = 1; i < kept_rig.rows_len; i++)
        must(strcmp(kept_rig.rows[i - 1].aor, kept_rig.rows[i].aor) < 0);
    kept_reopen();
    must(kept_rig.rows_len == KEPT_LARGE + 1);
    store_rig_close(&kept_rig);
}
END_TEST

/* ---------------------------------------------------------------- many at once */

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
    kept_rig.done = count_done;
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "sip:%u@example.com", i % 3000);
        many[i] = kept_change(STORE_PUT, names[i], "sip:1@192.0.2.1", i + 1);
        writes[i] = (struct store_write){ .id = i + 1, .changes = &many[i], .len = 1 };
        store_rig_write(&kept_rig, &writes[i]);
        if (i % 100 == 0)
            store_rig_poll(&kept_rig);
    }
}

START_TEST(many_writes_in_order)
{
    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    atomic_store(&kept_rig.refuse_posts, 3); /* asked again until the loop takes it */
    hand_over_many();
    store_rig_wait(&kept_rig);
    must(many_done == MANY);
    kept_reopen();
    must(kept_rig.rows_len == 3000);
    for (size_t i = 0; i < kept_rig.rows_len; i++)
        must(kept_rig.rows[i].is.cseq > 2000);
    store_rig_close(&kept_rig);
}
END_TEST

START_TEST(closing_writes_the_rest)
{
    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    hand_over_many();
    store_rig_close(&kept_rig);
    must(many_done == MANY);
    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK && kept_rig.rows_len == 3000);
    atomic_store(&kept_rig.refuse_posts, 1 << 30); /* not even a deaf loop keeps it from ending */
    hand_over_many();
    store_rig_close(&kept_rig);
    must(many_done == MANY);
}
END_TEST

/* ---------------------------------------------------------------- nothing kept */

START_TEST(nothing_is_kept_in_memory)
{
    struct store_change put = kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 1);
    struct store_rig ram;
    struct store_write write = { .id = 7, .changes = &put, .len = 1 };

    store_rig_init(&ram, &store_ram_ops);
    must(store_ram_ops.look(&ram.port, "/nowhere/at/all") == SIPD_OK);
    must(store_rig_open(&ram, "/nowhere/at/all") == SIPD_OK);
    ram.done = kept_answer;
    kept_answered = 1;
    store_rig_write(&ram, &write);
    must(kept_answered == SIPD_OK && ram.open_writes == 0);
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

    tcase_add_checked_fixture(all, kept_begin, kept_end);
    tcase_add_test(all, what_is_written_is_read);
    tcase_add_test(all, put_drop_purge);
    tcase_add_test(all, only_one_has_it);
    tcase_add_test(all, the_last_write_is_known);
    tcase_add_test(all, rows_outlive_steps);
    tcase_add_test(all, flows_are_kept_apart);
    tcase_add_test(all, rows_without_sense);
    tcase_add_test(all, rows_that_nobody_has_room_for);
    tcase_add_test(all, places_that_cannot_be);
    tcase_add_test(all, a_look_makes_nothing);
    tcase_add_test(all, a_failed_commit);
    tcase_add_test(all, many_writes_in_order);
    tcase_add_test(all, closing_writes_the_rest);
    tcase_add_test(all, written_while_it_is_read);
    tcase_add_test(all, nothing_is_kept_in_memory);
    suite_add_tcase(suite, all);
    return suite;
}
