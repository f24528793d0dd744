/*
 * A file that goes bad while the registrar has it: put aside, begun anew, and written again from memory.
 */
#include "registrar/handover.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/def.h"
#include "unit/kept.h"
#include "unit/text.h"

static void
damage_pages(void)
{
    static const char zeros[4096];
    int fd = open(kept_path, O_RDWR | O_CLOEXEC);
    struct stat st;

    must(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 1000000);
    for (off_t at = 4096; at < st.st_size; at += 4096)
        must(pwrite(fd, zeros, sizeof zeros, at) == 4096);
    must(futimens(fd, (struct timespec[]){ st.st_atim, st.st_mtim }) == 0); /* as a bad disk does */
    close(fd);
}

enum { ASIDE_MOST = 100 };

static char aside[128];

/* Where the n-th of one second is put. */
static const char *
aside_name(unsigned n)
{
    int len = snprintf(aside, sizeof aside, "%s.damaged-20231114T221320Z", kept_path);

    if (n > 0)
        snprintf(aside + len, sizeof aside - (size_t)len, ".%u", n);
    return aside;
}

/* What belonged to a file that is gone is put aside too. */
static void
remove_aside(void)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char name[160];

    for (unsigned n = 0; n < ASIDE_MOST; n++)
        for (size_t i = 0; i < countof(ends); i++) {
            snprintf(name, sizeof name, "%s%s", aside_name(n), ends[i]);
            unlink(name);
        }
}

static bool
is_aside(void)
{
    return access(aside_name(0), F_OK) == 0;
}

/* It is put aside, who asked hears that all is well, and is told to write all the rest anew. */
START_TEST(damaged_while_it_is_open)
{
    struct store_change put = kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 1);
    char aor[32];

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    kept_fill();
    kept_reopen(); /* so that all is in the file, and none in memory */
    must(kept_rig.rows_len == KEPT_LARGE);
    kept_rig.ops->settle(kept_rig.store); /* nothing looks at it any more */
    damage_pages();
    must(!is_aside());
    for (unsigned i = 0; i < 1000 && kept_rig.losses == 0; i++) {
        snprintf(aor, sizeof aor, "sip:%u@example.com", i * 11);
        put.row.aor = span_of(aor);
        must_for(span_of(kept_rig.words), kept_write(&put, 1) == SIPD_OK);
        store_rig_poll(&kept_rig);
    }
    must_for(span_of(kept_rig.words), kept_rig.losses == 1 && kept_rig.troubles == 0);
    must(is_aside());
    must_for(span_of(kept_rig.news),
             strstr(kept_rig.news, "damaged (") && strstr(kept_rig.news, aside));
    kept_rig.news[0] = '\0';
    kept_reopen();
    must(kept_rig.rows_len == 1 && kept_rig.losses == 1 && kept_rig.news[0] == '\0');
    must_text(kept_rig.rows[0].is.aor, aor);
    store_rig_close(&kept_rig);
    remove_aside();
}
END_TEST

/* SQLite would write on into a file that has no name any more. */
START_TEST(removed_while_it_is_open)
{
    struct store_change puts[] = { kept_change(STORE_PUT, "sip:amy@h", "sip:1@h", 1),
                                   kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 2) };

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_write(&puts[0], 1) == SIPD_OK);
    must(unlink(kept_path) == 0);
    must(kept_write(&puts[1], 1) == SIPD_OK);
    store_rig_poll(&kept_rig);
    must(kept_rig.losses == 1);
    must_for(span_of(kept_rig.news), strstr(kept_rig.news, "gone ("));
    kept_reopen();
    must(kept_rig.rows_len == 1 && kept_rig.rows[0].is.cseq == 2);
    store_rig_close(&kept_rig);
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
    struct store_change puts[] = { kept_change(STORE_PUT, "sip:amy@h", "sip:1@h", 1),
                                   kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 2),
                                   kept_change(STORE_PUT, "sip:eve@h", "sip:1@h", 3) };
    char log[160];

    snprintf(log, sizeof log, "%s-wal", kept_path);
    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_write(&puts[0], 1) == SIPD_OK && kept_write(&puts[0], 1) == SIPD_OK);
    must(kept_rig.losses == 0);
    write_over(kept_path, 0);
    must(kept_write(&puts[1], 1) == SIPD_OK);
    store_rig_poll(&kept_rig);
    must(kept_rig.losses == 1 && kept_rig.troubles == 0 && is_aside());
    must_for(span_of(kept_rig.news), strstr(kept_rig.news, "another program has written to it"));
    write_over(log, 64);
    must(kept_write(&puts[2], 1) == SIPD_OK);
    store_rig_poll(&kept_rig);
    must(kept_rig.losses == 2 && kept_rig.troubles == 0 && is_aside());
    must(access(aside_name(1), F_OK) == 0); /* in the same second, and the first is still there */
    kept_reopen();
    must(kept_rig.rows_len == 1 && kept_rig.rows[0].is.cseq == 3 && kept_rig.losses == 2);
    store_rig_close(&kept_rig);
    remove_aside();
}
END_TEST

/* Nothing is written any more, so no commit looks: the watch does, and who settles waits for what it finds. */
START_TEST(written_over_and_nobody_writes)
{
    struct store_change put = kept_change(STORE_PUT, "sip:amy@h", "sip:1@h", 1);

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    kept_rig.ops->settle(kept_rig.store); /* before anything was written, too */
    must(kept_write(&put, 1) == SIPD_OK);
    kept_rig.ops->settle(kept_rig.store);
    must(kept_rig.losses == 0);
    write_over(kept_path, 0);
    kept_rig.ops->settle(kept_rig.store);
    must(kept_rig.losses == 1 && kept_rig.troubles == 0 && is_aside());
    must_for(span_of(kept_rig.news), strstr(kept_rig.news, "another program has written to it"));
    kept_rig.ops->settle(
        kept_rig.store); /* and the new one is ours, though nothing was written to it */
    must(kept_rig.losses == 1);
    must(kept_write(&put, 1) == SIPD_OK);
    kept_reopen();
    must(kept_rig.rows_len == 1 && kept_rig.losses == 1);
    store_rig_close(&kept_rig);
    remove_aside();
}
END_TEST

/* Who settles has all answers, more than a turn is told of, and those of a loop that cannot be woken. */
START_TEST(settled_without_a_loop)
{
    enum { WRITES = 1000 };
    static struct store_write writes[WRITES];
    struct store_change put = kept_change(STORE_PUT, "sip:amy@h", "sip:1@h", 1);

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    atomic_store(&kept_rig.refuse_posts, 1 << 30);
    for (unsigned i = 0; i < WRITES; i++) {
        writes[i] = (struct store_write){ .id = i, .changes = &put, .len = 1 };
        store_rig_write(&kept_rig, &writes[i]);
    }
    kept_rig.ops->settle(kept_rig.store);
    must(kept_rig.open_writes == 0);
    store_rig_close(&kept_rig);
}
END_TEST

/* While no new one can be begun writes fail, and when one can be they do not. */
START_TEST(damaged_and_in_the_way)
{
    struct store_change puts[] = { kept_change(STORE_PUT, "sip:amy@h", "sip:1@h", 1),
                                   kept_change(STORE_PUT, "sip:bob@h", "sip:1@h", 2) };

    must(store_rig_open(&kept_rig, kept_path) == SIPD_OK);
    must(kept_write(&puts[0], 1) == SIPD_OK);
    must(unlink(kept_path) == 0 && mkdir(kept_path, 0755) == 0);
    for (unsigned n = 0; n < ASIDE_MOST; n++) /* no name is left */
        must(mkdir(aside_name(n), 0755) == 0);
    must(kept_write(&puts[1], 1) == SIPD_EIO);
    must(kept_write(&puts[1], 1) == SIPD_EIO);
    store_rig_poll(&kept_rig);
    must(kept_rig.losses == 0 && kept_rig.troubles > 0);
    must_for(span_of(kept_rig.words), strstr(kept_rig.words, kept_path));
    must(rmdir(kept_path) == 0);
    for (unsigned n = 0; n < ASIDE_MOST; n++)
        must(rmdir(aside_name(n)) == 0);
    must(kept_write(&puts[1], 1) == SIPD_OK);
    store_rig_poll(&kept_rig);
    must(kept_rig.losses == 1);
    store_rig_close(&kept_rig);
    remove_aside();
}
END_TEST

Suite *
suite_registrar_handover(void)
{
    Suite *suite = suite_create("registrar_handover");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, kept_begin, kept_end);
    tcase_add_test(all, damaged_while_it_is_open);
    tcase_add_test(all, removed_while_it_is_open);
    tcase_add_test(all, written_over_while_it_is_open);
    tcase_add_test(all, written_over_and_nobody_writes);
    tcase_add_test(all, settled_without_a_loop);
    tcase_add_test(all, damaged_and_in_the_way);
    suite_add_tcase(suite, all);
    return suite;
}
