/*
 * The wall clock is set while a registrar runs: what was granted lasts as long as was said, after a restart too, whether that was a
 * stop or a kill, and of the process or of the machine (RFC 3261 §10.2.1.1).
 */
#include <check.h>
#include <fcntl.h>
#include <glob.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/def.h"
#include "sim/modules.h"
#include "sim/registrar_rig.h"

Suite *suite_registrar_clock(void);

enum { GRANTED_S = 1200, HOUR_S = 3600, STEPS = 4 };

static struct world *const w = &registrar_world;
static struct sim_sipd *sipd;
static struct peer *alice, *bob, *carol;

static void
bring_up(void)
{
    sipd = registrar_start("min_expires_s = 60; max_expires_s = 7200;");
    ck_assert_msg(w->fault.len == 0, "%.*s", SPAN_ARG(buf_span(&w->fault)));
    registrar_read_all(sipd);
    alice = registrar_peer("alice", "192.0.2.10");
    bob = registrar_peer("bob", "192.0.2.20");
    carol = registrar_peer("carol", "192.0.2.30");
}

static void
nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* A disk that is slow takes little of the time here. */
static unsigned
answer_to(struct peer *phone)
{
    const struct peer_heard *heard;

    while (!(heard = peer_next(phone))) {
        world_run(w, w->clock.now_ms + 1, NULL);
        nap();
    }
    return heard->msg.status;
}

static void
registers(struct peer *phone)
{
    const struct peer_say what = { .what = SPAN("REGISTER"),
                                   .uri = SPAN("sip:example.com"),
                                   .extra = SPAN("Expires: 1200\r\n") };
    const char *why = "";
    struct span bytes = peer_write(phone, &what, &why);
    struct hop server;

    ck_assert_msg(bytes.len > 0, "%s", why);
    ck_assert(world_hop_read(SPAN("udp:192.0.2.1:5060"), &server));
    world_say(w, phone, &server, bytes);
    ck_assert_uint_eq(answer_to(phone), 200);
}

static void
pass(uint64_t s)
{
    world_run(w, w->clock.now_ms + s * 1000, NULL);
}

/* What the file has of the clock's steps, by now. */
static int64_t
kept_step(void)
{
    sqlite3 *db;
    sqlite3_stmt *row;
    int64_t step;

    ck_assert_int_eq(sqlite3_open_v2(registrar_path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT step_s FROM state", -1, &row, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(row), SQLITE_ROW);
    step = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return step;
}

/* Time passes slowly, for the disk may be slow. */
static void
await_step(int64_t step_s)
{
    for (unsigned naps = 0; kept_step() != step_s && naps < 20000; naps++) {
        world_run(w, w->clock.now_ms + 20, NULL);
        nap();
    }
    ck_assert_int_eq(kept_step(), step_s);
}

/* ------------------------------------------------------------------ the end, and a new start */

static const char *const files[] = { "", "-wal" };

static const char *
file_name(const char *end, const char *more)
{
    static char names[2][160];
    static unsigned n;

    snprintf(names[++n % 2], sizeof names[0], "%s%s%s", registrar_path, end, more);
    return names[n % 2];
}

static void
copy_file(const char *end)
{
    char bytes[65536];
    FILE *from = fopen(file_name(end, ""), "rb"), *to = fopen(file_name(end, ".kept"), "wb");
    size_t n;

    ck_assert(from && to);
    while ((n = fread(bytes, 1, sizeof bytes, from)) > 0)
        ck_assert_uint_eq(fwrite(bytes, 1, n, to), n);
    fclose(from);
    ck_assert_int_eq(fclose(to), 0);
}

enum end {
    STOPPED = 0,
    KILLED = 1,   /* what was on disk is there, and nothing that came later */
    REBOOTED = 2, /* the clock that never goes back begins anew */
};

/* It was away for so long. */
static void
restart(unsigned how, unsigned away_s)
{
    struct clock clock = w->clock;

    for (size_t i = 0; how & KILLED && i < countof(files); i++)
        copy_file(files[i]);
    world_fini(w);
    for (size_t i = 0; how & KILLED && i < countof(files); i++)
        ck_assert_int_eq(rename(file_name(files[i], ".kept"), file_name(files[i], "")), 0);
    world_init(w, 1);
    w->clock.wall_s = clock.wall_s + away_s;
    if (!(how & REBOOTED))
        w->clock.now_ms = clock.now_ms + away_s * UINT64_C(1000);
    bring_up();
}

/* ------------------------------------------------------------------ the tests */

static const struct {
    int64_t by_s[STEPS]; /* each time the clock is set */
    bool written;        /* somebody registers after each */
    bool at_once;        /* the end comes in the same second */
    unsigned how;
} clocks[] = {
    { { 0 }, true, false, STOPPED },
    { { HOUR_S }, true, false, STOPPED },
    { { HOUR_S }, true, false, KILLED },
    { { HOUR_S }, true, false, KILLED | REBOOTED },
    { { HOUR_S }, true, true, KILLED },
    { { HOUR_S }, false, false, STOPPED },
    { { HOUR_S }, false, false, KILLED },
    { { HOUR_S }, false, true, STOPPED },
    { { 30 * 24 * HOUR_S }, true, false, STOPPED },
    { { 30 * 24 * HOUR_S }, false, false, KILLED | REBOOTED },
    { { -HOUR_S }, true, false, STOPPED },
    { { -HOUR_S }, true, false, KILLED },
    { { -HOUR_S }, true, true, KILLED | REBOOTED },
    { { -HOUR_S }, false, false, KILLED },
    { { -HOUR_S }, false, true, STOPPED },
    { { -30 * 24 * HOUR_S }, false, false, KILLED | REBOOTED },
    { { HOUR_S, -2 * HOUR_S, 90, 7 * HOUR_S }, true, false, STOPPED },
    { { HOUR_S, -2 * HOUR_S, 90, 7 * HOUR_S }, false, false, KILLED },
    { { -HOUR_S, HOUR_S, -7, -7 }, true, true, KILLED },
    { { 2, 2, 2, 2 }, false, false, STOPPED }, /* leap seconds, and many of them */
};

/* Bob registered before all steps, and is called for as long as he was granted; not when that is over. */
START_TEST(granted_is_granted)
{
    int64_t sum_s = 0;

    bring_up();
    registers(bob);
    for (size_t i = 0; i < STEPS && clocks[_i].by_s[i] != 0; i++) {
        pass(2);
        w->clock.wall_s += clocks[_i].by_s[i];
        sum_s += clocks[_i].by_s[i];
        if (clocks[_i].written)
            registers(carol);
    }
    if (!clocks[_i].at_once)
        pass(2);
    if (clocks[_i].how & KILLED)
        await_step(sum_s);
    restart(clocks[_i].how, 100);
    ck_assert(registrar_calls(alice, bob, 0));
    restart(STOPPED, 0); /* and once more */
    ck_assert(registrar_calls(alice, bob, GRANTED_S - 150));
    ck_assert(!registrar_calls(alice, bob, 100));
}
END_TEST

/* While it runs nothing changes either. */
START_TEST(nothing_changes_meanwhile)
{
    bring_up();
    registers(bob);
    w->clock.wall_s += HOUR_S;
    ck_assert(registrar_calls(alice, bob, GRANTED_S - 150));
    w->clock.wall_s -= 3 * HOUR_S;
    ck_assert(registrar_calls(alice, bob, 100));
    ck_assert(!registrar_calls(alice, bob, 100));
}
END_TEST

/* The next step comes while the store is busy with the one before. */
START_TEST(two_at_once)
{
    bring_up();
    registers(bob);
    sim_host_hold_posts(sipd->host, true);
    w->clock.wall_s += HOUR_S;
    pass(2);
    w->clock.wall_s -= 3 * HOUR_S;
    pass(2);
    await_step(HOUR_S);
    sim_host_hold_posts(sipd->host, false);
    await_step(-2 * HOUR_S);
    restart(KILLED, 10);
    ck_assert(registrar_calls(alice, bob, GRANTED_S - 200));
    ck_assert(!registrar_calls(alice, bob, 250));
}
END_TEST

/*
 * Nobody lived to tell the file: it is as if the clock had been set while the server was down. Back: the clock is not believed, and
 * all is kept a little.
 */
START_TEST(killed_before_it_is_known)
{
    bring_up();
    registers(bob);
    w->clock.wall_s -= HOUR_S;
    restart(KILLED, 10);
    ck_assert(registrar_calls(alice, bob, 50));
    ck_assert(!registrar_calls(alice, bob, 60));
}
END_TEST

/* A machine without a clock of its own: it starts years ago, is not believed, and is set right when the network is there. */
START_TEST(a_machine_without_a_clock)
{
    int64_t right_s;

    bring_up();
    registers(bob);
    pass(2);
    right_s = w->clock.wall_s + 30;
    w->clock.wall_s = 1000;
    restart(KILLED | REBOOTED, 0);
    pass(5);
    registers(carol);
    registers(bob);
    w->clock.wall_s = right_s + 5;
    pass(5);
    registers(carol);
    restart(STOPPED, 100);
    ck_assert(registrar_calls(alice, bob, GRANTED_S - 150));
    ck_assert(!registrar_calls(alice, bob, 100));
}
END_TEST

/* Set and set back before anybody looked, but for a write that comes between. */
START_TEST(there_and_back)
{
    static const int64_t by_s[] = { HOUR_S, -HOUR_S };
    unsigned how = _i / 2 ? KILLED : STOPPED;

    bring_up();
    registers(bob);
    pass(2);
    w->clock.wall_s += by_s[_i % 2];
    registers(carol);
    w->clock.wall_s -= by_s[_i % 2];
    pass(30);
    for (int i = 0; how == KILLED && i < 100; i++) {
        nap();
        world_run(w, w->clock.now_ms + 20, NULL);
    }
    restart(how, 100);
    ck_assert(registrar_calls(alice, bob, 0));
    restart(STOPPED, 0);
    ck_assert(registrar_calls(alice, bob, GRANTED_S - 180));
    ck_assert(!registrar_calls(alice, bob, 100));
}
END_TEST

/* A clock that is years ahead at a start is not believed, and what it is set right by neither. */
START_TEST(years_ahead_at_a_start)
{
    int64_t right_s;

    bring_up();
    registers(bob);
    pass(2);
    right_s = w->clock.wall_s + 30;
    w->clock.wall_s += (int64_t)10 * 365 * 24 * HOUR_S;
    restart(KILLED | REBOOTED, 0);
    ck_assert(registrar_calls(alice, bob, 5));
    w->clock.wall_s = right_s;
    pass(5);
    restart(STOPPED, 5);
    ck_assert(registrar_calls(alice, bob, 30));
}
END_TEST

/* 1970 is a time as any other. */
START_TEST(set_to_nought)
{
    bring_up();
    registers(bob);
    pass(2);
    w->clock.wall_s = 0;
    registers(carol);
    world_run(w, w->clock.now_ms + 900, NULL);
    pass(4);
    restart(STOPPED, 5);
    ck_assert(registrar_calls(alice, bob, 0));
    ck_assert(registrar_calls(alice, bob, 1000));
}
END_TEST

static void
write_over(const char *path)
{
    static char other[8192];
    int fd = open(path, O_RDWR);

    memset(other, 'x', sizeof other);
    ck_assert(pwrite(fd, other, sizeof other, 8192) == sizeof other);
    close(fd);
}

/* What was put aside. */
static void
remove_damaged(void)
{
    char pattern[200];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s.damaged*", registrar_path);
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        ck_assert_int_eq(unlink(found.gl_pathv[i]), 0);
    globfree(&found);
}

/* The file that is begun instead is told of steps, too. */
START_TEST(behind_a_damaged_file)
{
    struct clock clock;

    bring_up();
    registers(bob);
    pass(2);
    clock = w->clock;
    world_fini(w);
    write_over(registrar_path);
    world_init(w, 1);
    w->clock.wall_s = clock.wall_s;
    w->clock.now_ms = clock.now_ms;
    bring_up();
    ck_assert_uint_eq(registrar_counter("registrar_store_lost"), 1);
    registers(bob);
    pass(3);
    w->clock.wall_s += HOUR_S;
    pass(3);
    restart(STOPPED, 100);
    remove_damaged();
    ck_assert(registrar_calls(alice, bob, 0));
    ck_assert(registrar_calls(alice, bob, 1000));
}
END_TEST

Suite *
suite_registrar_clock(void)
{
    Suite *suite = suite_create("registrar_clock");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, registrar_begin, registrar_end);
    tcase_add_loop_test(all, granted_is_granted, 0, countof(clocks));
    tcase_add_test(all, nothing_changes_meanwhile);
    tcase_add_test(all, two_at_once);
    tcase_add_test(all, killed_before_it_is_known);
    tcase_add_test(all, a_machine_without_a_clock);
    tcase_add_loop_test(all, there_and_back, 0, 4);
    tcase_add_test(all, years_ahead_at_a_start);
    tcase_add_test(all, set_to_nought);
    tcase_add_test(all, behind_a_damaged_file);
    suite_add_tcase(suite, all);
    return suite;
}
