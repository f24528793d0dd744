/*
 * A disk without room under the stores: what cannot be kept is refused with a time to come back (RFC 3261 §10.3 step 7,
 * §20.33), what was acknowledged is there and served, and with room again all goes on by itself. And one that may only be read.
 */
#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live/users.h"

Suite *suite_fulldisk(void);

enum { REFUSED = 20, USERS = 400, FEW = 20, KILLS = 8 };

static struct server server;
static char disk[300], filler[340];

/* A small disk of this process and its children alone; false where that is not allowed. A log may take 4 MiB. */
static bool
make_disk(unsigned mib)
{
    char options[40];

    snprintf(options, sizeof options, "size=%um,mode=0750", mib);
    snprintf(disk, sizeof disk, "%s/disk", proc_dir());
    snprintf(filler, sizeof filler, "%s/filler", disk);
    (void)mkdir(disk, 0750);
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", disk, "tmpfs", 0, options) == 0;
}

/* To the last byte. */
static void
fill_disk(void)
{
    static const char zeros[4096];
    int fd = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    for (size_t piece = sizeof zeros; piece > 0; piece /= 2)
        while (write(fd, zeros, piece) > 0)
            ;
    close(fd);
}

static void
begin(void)
{
    char settings[800];

    snprintf(settings, sizeof settings,
             "modules = [ \"registrar\", \"auth\" ];\nregistrar = { path = \"%s/location.db\"; };\n"
             "auth = { path = \"%s/users.db\"; challenge = [ ]; };\ndrain_s = 1;",
             disk, disk);
    server_make(&server, "fulldisk", settings);
    server_start(&server);
    users_begin(&server);
}

START_TEST(a_full_disk)
{
    struct proc out;
    unsigned user = 0, acked, status = 0;

    if (!make_disk(1)) {
        proc_skip("a full disk", "this user may not mount one");
        return;
    }
    begin();
    ck_assert_uint_eq(users_keep(user++), 200);
    fill_disk();
    while (user < USERS && (status = users_keep(user)) == 200)
        user++; /* there may be room in pages that are taken */
    ck_assert_uint_lt(user, USERS);
    acked = user;
    for (unsigned i = 0; i < REFUSED; i++) {
        users_must_come_back(status);
        status = users_keep(++user);
    }
    ck_assert_uint_ne(status, 200);
    ck_assert_int_eq(server_ctl(&server, &out, "add user zoe@example.com --password-stdin", "x"),
                     1);
    ck_assert_uint_eq(users_ask(0), 200);
    ck_assert_ptr_nonnull(strstr(users_reply(), "<sip:u0@127.0.0.1:9>"));
    ck_assert(users_found(0));
    ck_assert(!users_found(acked));
    ck_assert_uint_lt(proc_said(&server.proc, "registrar_store"), REFUSED / 2);

    unlink(filler);
    users_keep_in_the_end(++user);
    ck_assert(users_found(user));
    ck_assert(proc_says(&server.proc, "registrar_store_works_again", PROC_PATIENCE_MS));
    ck_assert_int_eq(server_ctl(&server, &out, "add user zoe@example.com --password-stdin", "x"),
                     0);
    server_stop(&server);

    server_start(&server);
    for (unsigned i = 0; i < acked; i++)
        ck_assert(users_found(i));
    ck_assert(!users_found(acked));
    ck_assert(users_found(user));
    users_end();
    server_stop(&server);
}
END_TEST

/* Registers from user on until one is refused; who that is. */
static unsigned
keep_until_refused(unsigned user)
{
    unsigned status = 200;

    for (unsigned end = user + USERS; (status = users_keep(user)) == 200; user++)
        ck_assert_uint_lt(user, end);
    users_must_come_back(status);
    return user;
}

/*
 * The process ends while there is no room, at another place of its log each time: what was begun there and refused must not be taken
 * for a commit by the next one.
 */
START_TEST(killed_on_a_full_disk)
{
    unsigned user = 0, refused[KILLS];

    if (!make_disk(8)) {
        proc_skip("kill -9 on a full disk", "this user may not mount one");
        return;
    }
    begin();
    for (unsigned kill = 0; kill < KILLS; kill++) {
        for (unsigned n = 0; n < FEW + kill; n++)
            ck_assert_uint_eq(users_keep(user++), 200);
        fill_disk();
        refused[kill] = keep_until_refused(user);
        for (unsigned n = 0; n < kill; n++)
            users_must_come_back(users_keep(refused[kill]));
        user = refused[kill] + 1;
        proc_kill(&server.proc);
        unlink(filler);
        server_start(&server);
        for (unsigned n = 0, at = 0; n < user; n++) {
            while (at < kill && refused[at] < n)
                at++;
            ck_assert_msg(users_found(n) == (n != refused[at]), "user %u after kill %u", n, kill);
        }
    }
    users_end();
    server_stop(&server);
}
END_TEST

static void
let_write(bool may)
{
    ck_assert_int_eq(mount("none", disk, NULL, MS_REMOUNT | (may ? 0 : MS_RDONLY), NULL), 0);
}

/* Nothing could be kept there, so it does not start, says why, and touches nothing. */
static void
must_not_start(const char *option)
{
    const char *build = getenv("SIPD_BUILD") ? getenv("SIPD_BUILD") : "build";
    char sipd[300], modules[300];
    const char *const argv[] = { sipd, "-M", modules, "-f", server.conf, option, NULL };
    struct proc out;

    snprintf(sipd, sizeof sipd, "%s/sipd", build);
    snprintf(modules, sizeof modules, "%s/modules", build);
    ck_assert(!proc_run(&out, "readonly", PROC_PATIENCE_MS, argv));
    ck_assert_msg(strstr(proc_output(&out), "location.db") &&
                      strstr(proc_output(&out), "Read-only file system"),
                  "%s", proc_output(&out));
}

/* Stopped well, or killed, with all that it knows in the log beside the file. */
START_TEST(a_disk_that_is_read_only)
{
    bool killed = _i == 1;

    if (!make_disk(1)) {
        proc_skip("a read-only disk", "this user may not mount one");
        return;
    }
    begin();
    for (unsigned user = 0; user < FEW; user++)
        ck_assert_uint_eq(users_keep(user), 200);
    if (killed)
        proc_kill(&server.proc);
    else
        server_stop(&server);
    let_write(false);
    must_not_start(NULL);
    let_write(true);
    server_start(&server);
    for (unsigned user = 0; user < FEW; user++)
        ck_assert(users_found(user));
    ck_assert_uint_eq(users_keep(FEW), 200);
    users_end();
    server_stop(&server);
}
END_TEST

Suite *
suite_fulldisk(void)
{
    Suite *suite = suite_create("fulldisk");
    TCase *tcase = tcase_create("fulldisk");

    tcase_set_timeout(tcase, 90);
    tcase_add_test(tcase, a_full_disk);
    tcase_add_test(tcase, killed_on_a_full_disk);
    tcase_add_loop_test(tcase, a_disk_that_is_read_only, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
