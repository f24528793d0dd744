/*
 * What lies beside the registrar's file while it is open: the log, and the log's index, which is mapped into memory. Whatever
 * becomes of them, the process goes on, and what was acknowledged is in the file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/def.h"
#include "base/fault.h"
#include "unit/kept.h"
#include "unit/text.h"

static struct store_change made[3];

static void
begin(void)
{
    static const char *const aors[] = { "sip:amy@h", "sip:bob@h", "sip:eve@h" };

    kept_begin();
    fault_catch();
    for (size_t i = 0; i < countof(made); i++)
        made[i] = kept_change(STORE_PUT, aors[i], "sip:1@h", 1);
    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_write(&made[0], 1) == SIPD_OK);
}

static const char *
beside(const char *end)
{
    static char name[128];

    snprintf(name, sizeof name, "%s%s", kept_path, end);
    return name;
}

/* Two more are written, the file stays what it is, and all three are there at the next start. */
static void
all_goes_on(void)
{
    must(kept_write(&made[1], 1) == SIPD_OK && kept_write(&made[2], 1) == SIPD_OK);
    store_rig_poll(&kept_rig);
    must(kept_rig.losses == 0 && kept_rig.troubles == 0);
    must_for(span_of(kept_rig.news), strstr(kept_rig.news, "opened again"));
    kept_reopen();
    must(kept_rig.rows_len == countof(made));
    store_rig_close(&kept_rig);
}

START_TEST(an_index_that_is_gone)
{
    must(unlink(beside("-shm")) == 0);
    all_goes_on();
}
END_TEST

START_TEST(an_index_that_is_cut_short)
{
    must(truncate(beside("-shm"), _i) == 0);
    all_goes_on();
}
END_TEST

/* By whoever mapped it, and whenever: the thread finds out by the count. */
START_TEST(a_page_of_memory_is_lost)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int fd = memfd_create("lost", MFD_CLOEXEC);
    volatile char *at;

    must(fd >= 0 && ftruncate(fd, (off_t)page) == 0);
    at = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
    must(at != MAP_FAILED && ftruncate(fd, 0) == 0 && at[0] == 0);
    close(fd);
    all_goes_on();
    munmap((void *)(uintptr_t)at, page);
}
END_TEST

START_TEST(found_by_the_watch)
{
    must(unlink(beside("-shm")) == 0);
    kept_rig.ops->settle(kept_rig.store);
    must_for(span_of(kept_rig.news), strstr(kept_rig.news, "opened again"));
    must(access(beside("-shm"), F_OK) == 0);
    all_goes_on();
}
END_TEST

/* While rows are read, too: those that were not read yet are not lost, and none comes twice. */
START_TEST(torn_while_it_is_read)
{
    kept_fill();
    store_rig_close(&kept_rig);
    must(kept_rig.ops->open(&kept_rig.port, kept_path, &kept_rig.store) == SIPD_OK);
    kept_rig.rows_len = 0;
    kept_rig.rows_room = 200;
    kept_rig.reading = true;
    must(kept_rig.ops->read(kept_rig.store, UINT64_MAX) == STORE_LATER);
    while (kept_rig.rows_len < kept_rig.rows_room)
        store_rig_poll(&kept_rig);
    must(unlink(beside("-shm")) == 0);
    must(kept_write(&made[0], 1) == SIPD_OK); /* before those that are read, in their order */
    kept_rig.rows_room = STORE_RIG_ROWS;
    while (kept_rig.reading)
        store_rig_poll(&kept_rig);
    must(kept_rig.rows_len == KEPT_LARGE + 1 && kept_rig.losses == 0 && kept_rig.troubles == 0);
    must_for(span_of(kept_rig.news), strstr(kept_rig.news, "opened again"));
    store_rig_close(&kept_rig);
}
END_TEST

/* What is in it has no name any more, and would be gone with the process. */
START_TEST(a_log_that_is_gone)
{
    char name[160];

    must(unlink(beside("-wal")) == 0);
    must(kept_write(&made[1], 1) == SIPD_OK);
    store_rig_poll(&kept_rig);
    must(kept_rig.losses == 1 && kept_rig.troubles == 0);
    must_for(span_of(kept_rig.news), strstr(kept_rig.news, "its log (-wal) is gone"));
    store_rig_close(&kept_rig);
    snprintf(name, sizeof name, "%s.damaged-20231114T221320Z", kept_path);
    must(unlink(name) == 0);
    strcat(name, "-shm");
    (void)unlink(name);
}
END_TEST

Suite *suite_registrar_torn(void);

Suite *
suite_registrar_torn(void)
{
    Suite *suite = suite_create("registrar_torn");
    TCase *tcase = tcase_create("registrar_torn");

    tcase_add_checked_fixture(tcase, begin, kept_end);
    tcase_add_test(tcase, an_index_that_is_gone);
    tcase_add_loop_test(tcase, an_index_that_is_cut_short, 0, 2);
    tcase_add_test(tcase, a_page_of_memory_is_lost);
    tcase_add_test(tcase, found_by_the_watch);
    tcase_add_test(tcase, torn_while_it_is_read);
    tcase_add_test(tcase, a_log_that_is_gone);
    suite_add_tcase(suite, tcase);
    return suite;
}
