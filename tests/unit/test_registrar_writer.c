/*
 * The registrar's thread: groups have an end, and so has what a turn of the loop is told.
 */
#include "registrar/writer.h"

#include <check.h>
#include <sched.h>
#include <stdatomic.h>

#include "unit/heap.h"
#include "unit/text.h"

enum { MANY = 5000 };
static struct store_write writes[MANY];
static struct store_change many[MANY];
static size_t many_done;

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

Suite *
suite_registrar_writer(void)
{
    Suite *suite = suite_create("registrar_writer");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, heap_watch, heap_compare);
    tcase_add_test(all, groups_are_bounded);
    tcase_add_test(all, a_turn_is_told_of_a_part);
    suite_add_tcase(suite, all);
    return suite;
}
