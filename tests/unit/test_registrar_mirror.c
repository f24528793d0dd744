/*
 * Another node's bindings taken in: in memory at once, in the store in order, all or nothing.
 */
#include "registrar/mirror.h"

#include "base/def.h"
#include "base/err.h"
#include "unit/heap.h"
#include "unit/text.h"

#define NOW_MS 5000000u

enum { WRITES = 8 };

static struct {
    struct bindings *index;
    struct mirror mirror;
    int answer; /* the store's */
    struct store_write *writes[WRITES];
    unsigned len, taken;
} rig;

static int
store_write(void *store, struct store_write *write)
{
    (void)store;
    rig.taken++;
    if (rig.answer == STORE_LATER) {
        must(rig.len < WRITES);
        rig.writes[rig.len++] = write;
    }
    return rig.answer;
}

static const struct store_ops ops = { .write = store_write };

static uint32_t noted = 1; /* version; 1: nothing may be */

static void
note(void *self, const struct fact *fact)
{
    (void)self;
    ck_assert_uint_eq(noted, 0);
    noted = fact->version;
}

static bool
is_watched(void *self)
{
    (void)self;
    return true;
}

static struct span
listener_text(void *self, uint16_t listener)
{
    (void)self;
    (void)listener;
    return SPAN("udp:192.0.2.1:5060");
}

static void
begin(void)
{
    struct bindings_port port = { NULL, note, is_watched, listener_text };
    const uint8_t key[16] = { 1 };

    heap_watch();
    memset(&rig, 0, sizeof rig);
    rig.answer = STORE_LATER;
    rig.index = bindings_new(&port, key, NOW_MS);
    must(rig.index);
    mirror_init(&rig.mirror);
    rig.mirror.index = rig.index;
    rig.mirror.ops = &ops;
    rig.mirror.max_waiting = WRITES;
}

static void
end(void)
{
    mirror_fini(&rig.mirror);
    bindings_free(&rig.index);
    heap_compare();
}

static struct binding_fact
fact_of(const char *contact, bool here, uint64_t left_ms)
{
    return (struct binding_fact){ .row = { .aor = SPAN("sip:bob@example.com"),
                                           .contact = span_of(contact),
                                           .call_id = SPAN("call"),
                                           .listener = SPAN("udp:192.0.2.1:5060"),
                                           .expires_s = 1800000000 + (int64_t)left_ms / 1000,
                                           .granted_s = 3600,
                                           .q = STORE_NO_Q },
                                  .here = here,
                                  .left_ms = left_ms };
}

static int
take(const char *contact, bool here, uint32_t version)
{
    struct binding_fact f = fact_of(contact, here, 60000);
    struct hop source = { .transport = HOP_UDP, .listener = 3 };

    return mirror_take(&rig.mirror, &f, &source, version, NOW_MS);
}

static const struct binding *
first(void)
{
    const struct aor *aor = bindings_find(rig.index, SPAN("sip:bob@example.com"));

    return aor ? aor->first : NULL;
}

START_TEST(put_and_dropped)
{
    must(take("sip:1@h", true, 1) == SIPD_OK);
    must(take("sip:2@h", true, 2) == SIPD_OK);
    must(bindings_count(rig.index) == 2);
    must_text(binding_contact(first()), "sip:2@h"); /* refreshed last, so first */
    must(first()->source.listener == 3 && first()->deadline_ms == NOW_MS + 60000);
    must(take("sip:2@h", false, 3) == SIPD_OK);
    must_text(binding_contact(first()), "sip:1@h");
    must(take("sip:1@h", false, 4) == SIPD_OK);
    must(!bindings_find(rig.index, SPAN("sip:bob@example.com")));
    must(rig.len == 4 && rig.writes[0]->changes->verb == STORE_PUT);
    must_text(rig.writes[0]->changes->row.listener, "udp:192.0.2.1:5060");
    must(rig.writes[3]->changes->verb == STORE_DROP);
    must_text(rig.writes[3]->changes->row.contact, "sip:1@h");
    for (unsigned i = 0; i < 4; i++)
        mirror_written(&rig.mirror, rig.writes[i]->id, SIPD_OK);
    must(rig.mirror.waiting == 0);
}
END_TEST

START_TEST(what_is_older_is_ignored)
{
    must(take("sip:1@h", true, UINT32_MAX) == SIPD_OK);
    must(take("sip:1@h", true, UINT32_MAX - 1) == SIPD_OK);
    must(take("sip:1@h", false, UINT32_MAX - 1) == SIPD_OK);
    must(rig.taken == 1 && first()->version == UINT32_MAX);
    must(take("sip:1@h", true, 0) == SIPD_OK); /* they go round */
    must(rig.taken == 2 && first()->version == 0);
    must(take("sip:1@h", true, 0) == SIPD_OK); /* once more */
    must(bindings_count(rig.index) == 1);
}
END_TEST

/* Ours go on behind the versions that the other node gave. */
START_TEST(versions_go_on)
{
    struct binding_fact f = fact_of("sip:2@h", true, 60000);
    struct binding *b = binding_new(&f.row, NOW_MS + 60000);
    struct aor *aor;

    must(b && take("sip:1@h", true, 41) == SIPD_OK);
    aor = bindings_find(rig.index, SPAN("sip:bob@example.com"));
    noted = 0;
    bindings_put(rig.index, aor, &b, NOW_MS);
    must(noted == 42);
}
END_TEST

START_TEST(expired_meanwhile)
{
    struct binding_fact f = fact_of("sip:1@h", true, 0);
    struct hop source = { .transport = HOP_UDP };
    struct binding *dead;

    must(mirror_take(&rig.mirror, &f, &source, 1, NOW_MS) == SIPD_OK);
    must(bindings_count(rig.index) == 0 && bindings_held(rig.index) == 1);
    dead = bindings_take_dead(rig.index);
    binding_free(&dead);
}
END_TEST

START_TEST(a_store_that_lags_is_waited_for)
{
    char contact[] = "sip:0@h";

    for (unsigned i = 0; i < WRITES; i++, contact[4]++)
        must(take(contact, true, i) == SIPD_OK);
    must(take("sip:x@h", true, 100) == SIPD_EFULL);
    must(bindings_count(rig.index) == WRITES);
    mirror_written(&rig.mirror, 77777, SIPD_OK); /* none of ours */
    must(rig.mirror.waiting == WRITES);
    mirror_written(&rig.mirror, rig.writes[0]->id, SIPD_OK);
    rig.len = 0;
    must(take("sip:x@h", true, 100) == SIPD_OK);
}
END_TEST

/* Memory is right, whatever the disk does. */
START_TEST(a_store_that_fails)
{
    rig.answer = SIPD_EIO;
    must(take("sip:1@h", true, 1) == SIPD_OK);
    must(bindings_count(rig.index) == 1 && rig.mirror.waiting == 0);
    rig.answer = STORE_NOW;
    must(take("sip:1@h", false, 2) == SIPD_OK);
    must(bindings_count(rig.index) == 0 && rig.mirror.waiting == 0);
}
END_TEST

static void
answer(unsigned write, int err)
{
    mirror_written(&rig.mirror, rig.writes[write]->id, err);
}

static const struct store_change *
written(unsigned write)
{
    return rig.writes[write]->changes;
}

/* What failed and is still true is written again; what has changed since then was, or will be, by itself. */
START_TEST(what_failed_is_tried_again)
{
    must(take("sip:1@h", true, 1) == SIPD_OK && take("sip:2@h", true, 2) == SIPD_OK);
    must(take("sip:1@h", true, 3) == SIPD_OK && take("sip:2@h", false, 4) == SIPD_OK);
    for (unsigned i = 0; i < 4; i++)
        answer(i, SIPD_EIO);
    must(rig.mirror.waiting == 0 && rig.mirror.failed_len == 4);
    mirror_again(&rig.mirror);
    must(rig.len == 6 && rig.mirror.failed_len == 0);
    must(written(4)->verb == STORE_PUT);
    must_text(written(4)->row.contact, "sip:1@h");
    must(written(5)->verb == STORE_DROP);
    must_text(written(5)->row.contact, "sip:2@h");
    answer(4, SIPD_OK);
    answer(5, SIPD_OK);
    mirror_again(&rig.mirror);
    must(rig.len == 6 && rig.mirror.waiting == 0);
}
END_TEST

/* A store that fails at once is asked for one only. */
START_TEST(what_fails_at_once_is_tried_again_later)
{
    rig.answer = SIPD_EIO;
    must(take("sip:1@h", true, 1) == SIPD_OK && take("sip:2@h", true, 2) == SIPD_OK);
    must(rig.taken == 2 && rig.mirror.failed_len == 2);
    mirror_again(&rig.mirror);
    must(rig.taken == 3 && rig.mirror.failed_len == 2);
    rig.answer = STORE_NOW;
    mirror_again(&rig.mirror);
    must(rig.taken == 5 && rig.mirror.failed_len == 0);
}
END_TEST

/* A node that began anew counts its versions from 1: the same number is not the same binding. */
START_TEST(what_failed_in_an_earlier_epoch)
{
    rig.answer = SIPD_EIO;
    must(take("sip:1@h", true, 1) == SIPD_OK);
    bindings_begin_epoch(rig.index);
    rig.answer = STORE_NOW;
    must(take("sip:1@h", true, 1) == SIPD_OK);
    mirror_again(&rig.mirror);
    must(rig.taken == 2 && rig.mirror.failed_len == 0);
}
END_TEST

/* Not all of it is kept: all that there is must be written anew. */
START_TEST(a_store_that_fails_for_long)
{
    char contact[] = "sip:0@h";

    rig.answer = SIPD_EIO;
    for (unsigned i = 0; i < WRITES; i++, contact[4]++)
        must(take(contact, true, i) == SIPD_OK);
    must(!rig.mirror.overflown && rig.mirror.failed_len == WRITES);
    must(take("sip:x@h", true, 100) == SIPD_OK);
    must(rig.mirror.overflown && rig.mirror.failed_len == 0);
    must(bindings_count(rig.index) == WRITES + 1);
}
END_TEST

/* … but what is gone from memory is gone from there only by what failed, so that is what is kept. */
START_TEST(a_store_that_drops_late)
{
    char contact[] = "sip:0@h";
    unsigned len;

    rig.answer = STORE_NOW;
    must(take("sip:y@h", true, 1) == SIPD_OK && take("sip:z@h", true, 2) == SIPD_OK);
    rig.answer = SIPD_EIO;
    must(take("sip:y@h", false, 3) == SIPD_OK);
    for (unsigned i = 1; i < WRITES; i++, contact[4]++)
        must(take(contact, true, i) == SIPD_OK);
    must(take("sip:z@h", false, 4) == SIPD_OK);
    must(rig.mirror.overflown && rig.mirror.failed_len == 2);
    must(take("sip:x@h", true, 100) == SIPD_OK && rig.mirror.failed_len == 2);
    rig.answer = STORE_NOW;
    len = rig.taken;
    mirror_again(&rig.mirror);
    must(rig.taken == len + 2 && rig.mirror.failed_len == 0);
}
END_TEST

/* What the other node noted before it began anew is old, whatever its version. */
START_TEST(an_earlier_epoch_gives_way)
{
    must(take("sip:1@h", true, 40) == SIPD_OK && take("sip:2@h", true, 41) == SIPD_OK);
    bindings_begin_epoch(rig.index);
    must(take("sip:1@h", true, 3) == SIPD_OK && take("sip:1@h", true, 2) == SIPD_OK);
    must(rig.taken == 3 && first()->version == 3);
    must(take("sip:2@h", false, 1) == SIPD_OK);
    must(rig.taken == 4 && bindings_count(rig.index) == 1);
}
END_TEST

/* It leaves the store, too. */
START_TEST(what_the_other_one_does_not_have)
{
    struct aor *aor;

    must(take("sip:1@h", true, 1) == SIPD_OK && take("sip:2@h", true, 2) == SIPD_OK);
    aor = bindings_find(rig.index, SPAN("sip:bob@example.com"));
    noted = 0; /* somebody may watch us */
    must(mirror_drop(&rig.mirror, aor, aor->first) == SIPD_OK);
    must(bindings_count(rig.index) == 1 && written(2)->verb == STORE_DROP);
    must_text(written(2)->row.contact, "sip:2@h");
    noted = 0;
    rig.mirror.max_waiting = 3;
    must(mirror_drop(&rig.mirror, aor, aor->first) == SIPD_EFULL);
    must(bindings_count(rig.index) == 1 && rig.len == 3);
    rig.mirror.max_waiting = WRITES;
    must(mirror_drop(&rig.mirror, aor, aor->first) == SIPD_OK);
    must(!bindings_find(rig.index, SPAN("sip:bob@example.com")));
}
END_TEST

START_TEST(without_memory)
{
    uint64_t n = 0;
    int err;

    do {
        mem_fail_after(n++);
        err = take("sip:1@h", true, 1);
        must(err == SIPD_OK || err == SIPD_ENOMEM);
        must(bindings_count(rig.index) == (err == SIPD_OK) && rig.taken == (err == SIPD_OK));
        mem_fail_never();
    } while (err != SIPD_OK);
    must(n > 2);
}
END_TEST

Suite *suite_registrar_mirror(void);

Suite *
suite_registrar_mirror(void)
{
    Suite *s = suite_create("registrar_mirror");
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, put_and_dropped);
    tcase_add_test(c, what_is_older_is_ignored);
    tcase_add_test(c, versions_go_on);
    tcase_add_test(c, expired_meanwhile);
    tcase_add_test(c, a_store_that_lags_is_waited_for);
    tcase_add_test(c, a_store_that_fails);
    tcase_add_test(c, what_failed_is_tried_again);
    tcase_add_test(c, what_fails_at_once_is_tried_again_later);
    tcase_add_test(c, what_failed_in_an_earlier_epoch);
    tcase_add_test(c, a_store_that_fails_for_long);
    tcase_add_test(c, a_store_that_drops_late);
    tcase_add_test(c, an_earlier_epoch_gives_way);
    tcase_add_test(c, what_the_other_one_does_not_have);
    tcase_add_test(c, without_memory);
    suite_add_tcase(s, c);
    return s;
}
