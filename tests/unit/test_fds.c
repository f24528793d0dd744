/*
 * Descriptors of modules: watched for one thing or another, and by nobody when their module has gone (src/host/fds.c).
 */
#include "unit/host_rig.h"

enum { MINE = 100 };

static struct sipd_host *handle;
static unsigned heard, watched;
static struct {
    int fd;
    unsigned what;
    void (*fn)(void *arg, unsigned ready);
    void *arg;
} watch[4];
static bool full;

static int
port_watch(void *io, int fd, unsigned what, void (*fn)(void *arg, unsigned ready), void *arg,
           void **out)
{
    (void)io;
    *out = NULL;
    if (full)
        return SIPD_ENOMEM;
    for (size_t i = 0; i < countof(watch); i++)
        if (!watch[i].fn) {
            watch[i].fd = fd;
            watch[i].what = what;
            watch[i].fn = fn;
            watch[i].arg = arg;
            *out = &watch[i];
            watched++;
            return SIPD_OK;
        }
    return SIPD_ENOMEM;
}

static void
port_unwatch(void *io, void *which)
{
    (void)io;
    for (size_t i = 0; i < countof(watch); i++)
        if (which == &watch[i])
            watch[i].fn = NULL;
    watched--;
}

static void
hear(void *self, int fd, unsigned ready)
{
    ck_assert_ptr_eq(self, &heard);
    ck_assert_int_eq(fd, MINE);
    heard = ready;
}

/* Ends its own watch. */
static void
leave(void *self, int fd, unsigned ready)
{
    hear(self, fd, ready);
    ck_assert_int_eq(sipd_fd(handle, fd, 0, NULL, NULL), SIPD_OK);
}

static int
load(struct sipd_host *host, const void *conf, void **self)
{
    (void)conf;
    *self = NULL;
    handle = host;
    return SIPD_OK;
}

static const struct sipd_module owner = { .abi = SIPD_ABI, .name = "owner", .load = load };

static void
start(void)
{
    memset(watch, 0, sizeof watch);
    heard = watched = 0;
    full = false;
    hosting.ports.watch = port_watch;
    hosting.ports.unwatch = port_unwatch;
    host_free(&hosting.host);
    ck_assert_int_eq(host_new(&hosting.host, &hosting.ports), SIPD_OK);
    ck_assert_int_eq(host_rig_open(&owner), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
}

START_TEST(a_watch_begins_changes_and_ends)
{
    start();
    ck_assert_int_eq(sipd_fd(handle, MINE, SIPD_FD_READ, hear, &heard), SIPD_OK);
    ck_assert_uint_eq(watch[0].what, SIPD_FD_READ);
    watch[0].fn(watch[0].arg, SIPD_FD_READ);
    ck_assert_uint_eq(heard, SIPD_FD_READ);
    ck_assert_int_eq(sipd_fd(handle, MINE, SIPD_FD_READ | SIPD_FD_WRITE, leave, &heard), SIPD_OK);
    ck_assert_uint_eq(watched, 1);
    watch[0].fn(watch[0].arg, SIPD_FD_WRITE);
    ck_assert_uint_eq(heard, SIPD_FD_WRITE);
    ck_assert_uint_eq(watched, 0);
    ck_assert_int_eq(sipd_fd(handle, MINE, 0, NULL, NULL), SIPD_OK);
}
END_TEST

START_TEST(a_watch_that_cannot_be_had)
{
    start();
    full = true;
    ck_assert_int_eq(sipd_fd(handle, MINE, SIPD_FD_READ, hear, &heard), SIPD_ENOMEM);
    full = false;
    ck_assert_int_eq(sipd_fd(handle, MINE, SIPD_FD_READ, hear, &heard), SIPD_OK);
    full = true;
    ck_assert_int_eq(sipd_fd(handle, MINE, SIPD_FD_WRITE, hear, &heard), SIPD_ENOMEM);
    ck_assert_uint_eq(watched, 0);
}
END_TEST

START_TEST(where_there_is_no_loop)
{
    ck_assert_int_eq(host_rig_open(&owner), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
    ck_assert_int_eq(sipd_fd(handle, MINE, SIPD_FD_READ, hear, &heard), SIPD_ECLOSED);
}
END_TEST

START_TEST(none_is_left_when_a_module_goes)
{
    start();
    ck_assert_int_eq(sipd_fd(handle, MINE, SIPD_FD_READ, hear, &heard), SIPD_OK);
    ck_assert_int_eq(sipd_fd(handle, MINE + 1, SIPD_FD_READ, hear, &heard), SIPD_OK);
    ck_assert_uint_eq(watched, 2);
    ck_assert_int_eq(host_reload(hosting.host, &hosting.source, NULL, 0, &hosting.why), SIPD_OK);
    ck_assert_uint_eq(watched, 0);
}
END_TEST

Suite *
suite_fds(void)
{
    Suite *s = suite_create("fds");
    TCase *c = host_case("watches");

    tcase_add_test(c, a_watch_begins_changes_and_ends);
    tcase_add_test(c, a_watch_that_cannot_be_had);
    tcase_add_test(c, where_there_is_no_loop);
    tcase_add_test(c, none_is_left_when_a_module_goes);
    suite_add_tcase(s, c);
    return s;
}
