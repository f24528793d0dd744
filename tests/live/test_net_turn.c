/*
 * Turns that compute or sleep too long, and what other threads hand to them.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "live/proc.h"
#include "live/tcp_rig.h"

Suite *suite_net_turn(void);

/* ---------------------------------------------------------------- posts */

enum { POSTS = 1000, THREADS = 3 };

static unsigned posted[THREADS];

static void
run_posted(void *arg)
{
    uintptr_t value = (uintptr_t)arg;

    ck_assert_uint_eq(posted[value / POSTS], value % POSTS); /* each thread's in its order */
    posted[value / POSTS]++;
}

static void *
post_many(void *arg)
{
    uintptr_t thread = (uintptr_t)arg;

    for (uintptr_t i = 0; i < POSTS; i++)
        while (net_post(rig.net, run_posted, (void *)(thread * POSTS + i)) != SIPD_OK)
            ;
    return NULL;
}

static bool
all_posted(struct rig *r)
{
    (void)r;
    for (int i = 0; i < THREADS; i++)
        if (posted[i] < POSTS)
            return false;
    return true;
}

START_TEST(other_threads_post)
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, (void *)i), 0);
    rig_run(all_posted);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(net_post(rig.net, run_posted, NULL), SIPD_OK); /* never run, but given back */
}
END_TEST

/* ---------------------------------------------------------------- turns */

static bool
busy_once(struct rig *r)
{
    volatile uint64_t work = 0;

    if (rig_count("turn_late") == 0)
        for (uint64_t i = 0; i < 100000000; i++)
            work += i;
    (void)work;
    return rig_count("turn_late") > 0 && r->turns > 1;
}

START_TEST(a_long_turn_is_counted)
{
    rig_run(busy_once);
    ck_assert_uint_ge(rig_count("turn_late"), 1);
}
END_TEST

static bool
sleep_once(struct rig *r)
{
    struct timespec some = { .tv_nsec = 2000000 };

    if (rig_count("turn_slept") == 0)
        nanosleep(&some, NULL);
    return rig_count("turn_slept") > 0 && r->turns > 1;
}

START_TEST(a_turn_that_sleeps_is_counted)
{
    rig_run(sleep_once);
    ck_assert_uint_ge(rig_count("turn_slept"), 1);
}
END_TEST

/* A machine that has no memory left, or does another's work in our time, may make one so: not each time. */
START_TEST(a_turn_that_does_neither_is_not)
{
    enum { TRIES = 5 };
    struct hop flow;
    int fd = tcp_talking(&flow);
    uint64_t before, after = 1;

    before = 0;
    for (unsigned i = 0; i < TRIES && after != before; i++) {
        before = rig_count("turn_late") + rig_count("turn_slept");
        rig_run_turns(100);
        after = rig_count("turn_late") + rig_count("turn_slept");
    }
    ck_assert_uint_eq(after, before);
    close(fd);
}
END_TEST

static volatile const char *page;

static uint64_t fetch_at;

/* In a turn that has waited for something, so that the kernel was asked at its beginning. */
static bool
fetch_once(struct rig *r)
{
    if (r->turns == fetch_at)
        (void)*page;
    return r->turns > fetch_at;
}

/* Whose page of a file is not in memory waits for the disk, and has done nothing for it. */
START_TEST(a_turn_that_waits_for_a_page_is_not)
{
    enum { TRIES = 5 };
    uint64_t before, after = 1;
    char path[300];
    int fd;

    snprintf(path, sizeof path, "%s", proc_file("page", "%4096d", 1));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    before = 0;
    for (unsigned i = 0; i < TRIES && after != before; i++) {
        (void)fdatasync(fd);
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        ck_assert_ptr_ne((void *)(uintptr_t)page, MAP_FAILED);
        rig_run_turns(3);
        before = rig_count("turn_slept");
        fetch_at = rig.turns + 3;
        rig_run(fetch_once);
        after = rig_count("turn_slept");
        munmap((void *)(uintptr_t)page, 4096);
    }
    ck_assert_uint_eq(after, before);
    close(fd);
}
END_TEST

Suite *
suite_net_turn(void)
{
    Suite *suite = suite_create("net_turn");
    TCase *all = rig_case("posts");

    suite_add_tcase(suite, all);
    tcase_add_test(all, other_threads_post);
    all = rig_case("turns");
    suite_add_tcase(suite, all);
    tcase_add_test(all, a_long_turn_is_counted);
    tcase_add_test(all, a_turn_that_sleeps_is_counted);
    tcase_add_test(all, a_turn_that_does_neither_is_not);
    tcase_add_test(all, a_turn_that_waits_for_a_page_is_not);
    return suite;
}
