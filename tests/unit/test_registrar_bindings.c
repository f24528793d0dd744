/*
 * The registrar's index: found by AoR, expiring by the second, growing without a stall, each change noted.
 */
#include "registrar/bindings.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/def.h"
#include "registrar/fact.h"
#include "unit/heap.h"
#include "unit/text.h"

#define NOW_MS 5000000u

/* The facts noted, by what they say. */
struct notes {
    size_t here, gone;
    bool nobody;  /* watches */
    bool telling; /* what there is: no change */
    uint32_t version;
    uint64_t id;
    char bytes[4096];
    size_t len;
};

static bool
says_here(struct span bytes)
{
    struct fact_value value;
    bool here = false;

    while (sipd_fact_next(&bytes, &value) == SIPD_OK)
        here |= value.tag == 5;
    return here;
}

static void
take_note(void *self, const struct fact *fact)
{
    struct notes *notes = self;

    must_text(span_of(fact->kind), BINDING_FACT);
    must((int32_t)(fact->version - notes->version) > 0 || notes->telling);
    notes->version = fact->version;
    if (says_here(fact->bytes))
        notes->here++;
    else
        notes->gone++;
    notes->id = fact->id;
    notes->len = fact->bytes.len;
    must(fact->bytes.len <= sizeof notes->bytes);
    memcpy(notes->bytes, fact->bytes.at, fact->bytes.len);
}

static bool
is_watched(void *self)
{
    return !((const struct notes *)self)->nobody;
}

static struct span
listener_text(void *self, uint16_t listener)
{
    (void)self;
    return listener == 3 ? SPAN("udp:192.0.2.1:5060") : SPAN("");
}

static struct bindings *
index_new(struct notes *notes)
{
    struct bindings_port port = { notes, take_note, is_watched, listener_text };
    const uint8_t key[16] = { 1, 2, 3 };
    struct bindings *index;

    *notes = (struct notes){ 0 };
    index = bindings_new(&port, key, NOW_MS);
    must(index);
    return index;
}

static struct binding *
make(const char *aor, const char *contact, uint64_t deadline_ms)
{
    struct store_row row = {
        .aor = span_of(aor),
        .contact = span_of(contact),
        .call_id = SPAN("a84b4c76e66710@phone"),
        .user_agent = SPAN("Phone 1.0"),
        .source = { .transport = HOP_UDP, .port = 5060, .listener = 3 },
        .expires_s = 1700000000,
        .granted_s = 3600,
        .cseq = 17,
        .q = 500,
        .reach = HOP_UDP,
    };
    struct binding *b = binding_new(&row, deadline_ms);

    must(b);
    return b;
}

static struct aor *
put(struct bindings *index, const char *aor, const char *contact, uint64_t deadline_ms)
{
    struct aor *at = bindings_get(index, span_of(aor));
    struct binding *b = make(aor, contact, deadline_ms);

    must(at);
    bindings_put(index, at, &b, NOW_MS);
    must(!b);
    return at;
}

static bool
drop(struct bindings *index, struct aor *aor, struct span contact)
{
    struct binding_key key = { .contact = contact };

    return bindings_drop(index, aor, &key);
}

static void
purge(struct bindings *index)
{
    struct binding *b;

    while ((b = bindings_take_dead(index)))
        binding_free(&b);
}

START_TEST(texts_and_numbers)
{
    struct binding *b = make("sip:bob@example.com", "sip:bob@192.0.2.1", 42);

    must_text(binding_aor(b), "sip:bob@example.com");
    must_text(binding_contact(b), "sip:bob@192.0.2.1");
    must_text(binding_call_id(b), "a84b4c76e66710@phone");
    must_text(binding_agent(b), "Phone 1.0");
    must(b->deadline_ms == 42 && b->cseq == 17 && b->q == 500 && b->reach == HOP_UDP);
    must(b->expires_s == 1700000000 && b->source.listener == 3);
    binding_free(&b);
    ck_assert_ptr_null(b);
}
END_TEST

START_TEST(found_replaced_dropped)
{
    struct notes notes;
    struct bindings *index = index_new(&notes);
    struct aor *bob = put(index, "sip:bob@example.com", "sip:1@h", NOW_MS + 1000);

    put(index, "sip:bob@example.com", "sip:2@h", NOW_MS + 1000);
    put(index, "sip:alice@example.com", "sip:1@h", NOW_MS + 1000);
    must(bindings_count(index) == 3 && notes.here == 3 && notes.gone == 0);
    must(bindings_find(index, SPAN("sip:bob@example.com")) == bob);
    must(!bindings_find(index, SPAN("sip:Bob@example.com")));

    /* the one refreshed last is first */
    put(index, "sip:bob@example.com", "sip:1@h", NOW_MS + 9000);
    must(bindings_count(index) == 3 && notes.here == 4);
    must_text(binding_contact(bob->first), "sip:1@h");
    must(bob->first->deadline_ms == NOW_MS + 9000);
    must_text(binding_contact(bob->first->next), "sip:2@h");
    must(!bob->first->next->next);

    must(!drop(index, bob, SPAN("sip:3@h")));
    must(drop(index, bob, SPAN("sip:1@h")));
    bindings_release(index, bob);
    must(bindings_find(index, SPAN("sip:bob@example.com")) == bob);
    must(drop(index, bob, SPAN("sip:2@h")));
    must(bindings_count(index) == 1 && notes.gone == 2);
    bindings_release(index, bob);
    must(!bindings_find(index, SPAN("sip:bob@example.com")));
    bindings_free(&index);
    ck_assert_ptr_null(index);
}
END_TEST

/* Counted by address, whatever the port, until the last one has gone. */
START_TEST(counted_by_source)
{
    struct notes notes;
    struct bindings *index = index_new(&notes);
    struct hop here = { .transport = HOP_UDP, .port = 1 }, there = here;
    struct aor *bob = put(index, "sip:bob@example.com", "sip:1@h", NOW_MS + 1000);

    there.ip[15] = 1;
    put(index, "sip:bob@example.com", "sip:2@h", NOW_MS + 1000);
    put(index, "sip:bob@example.com", "sip:2@h", NOW_MS + 2000);
    must(bindings_from(index, &here) == 2 && bindings_from(index, &there) == 0);
    drop(index, bob, SPAN("sip:1@h"));
    must(bindings_from(index, &here) == 1);
    drop(index, bob, SPAN("sip:2@h"));
    must(bindings_from(index, &here) == 0);
    bindings_release(index, bob);
    bindings_free(&index);
}
END_TEST

/* Those of a store come in any order, and stand as they were refreshed. */
START_TEST(restored_by_age)
{
    static const int64_t expires_s[] = { 1700000500, 1700000900, 1700000100, 1700000700 };
    struct notes notes;
    struct bindings *index = index_new(&notes);
    const struct binding *b;
    char contact[16];

    for (size_t i = 0; i < countof(expires_s); i++) {
        struct binding *one;

        snprintf(contact, sizeof contact, "sip:%zu@h", i);
        one = make("sip:bob@example.com", contact, NOW_MS + 1000);
        one->expires_s = expires_s[i];
        must(bindings_restore(index, &one, NOW_MS) == SIPD_OK);
    }
    b = bindings_find(index, SPAN("sip:bob@example.com"))->first;
    must_text(binding_contact(b), "sip:1@h");
    must_text(binding_contact(b->next), "sip:3@h");
    must_text(binding_contact(b->next->next), "sip:0@h");
    must_text(binding_contact(b->next->next->next), "sip:2@h");
    bindings_free(&index);
}
END_TEST

/* What another machine would read. */
START_TEST(facts)
{
    struct notes notes;
    struct bindings *index = index_new(&notes);
    struct aor *bob = put(index, "sip:bob@example.com", "sip:bob@h", NOW_MS + 60000);
    uint64_t id = notes.id;
    struct binding_fact f;

    must(binding_fact_read((struct span){ notes.bytes, notes.len }, &f) == SIPD_OK);
    must(f.here && f.left_ms == 60000);
    must_text(f.row.aor, "sip:bob@example.com");
    must_text(f.row.listener, "udp:192.0.2.1:5060");
    drop(index, bob, SPAN("sip:bob@h"));
    must(notes.gone == 1 && notes.id == id);
    must(binding_fact_read((struct span){ notes.bytes, notes.len }, &f) == SIPD_OK && !f.here);
    put(index, "sip:bob@example.com", "sip:bob@h2", NOW_MS + 1000);
    must(notes.id != id);
    bindings_free(&index);
}
END_TEST

START_TEST(nobody_watches)
{
    struct notes notes;
    struct bindings *index = index_new(&notes);
    struct aor *bob;

    notes.nobody = true;
    bob = put(index, "sip:bob@example.com", "sip:1@h", NOW_MS + 1000);
    put(index, "sip:bob@example.com", "sip:2@h", NOW_MS + 1000);
    must(drop(index, bob, SPAN("sip:1@h")));
    must(notes.here + notes.gone == 0);
    notes.telling = true; /* somebody begins to */
    bindings_tell(index, bob, NOW_MS);
    must(notes.here == 1 && notes.version == 2);
    bindings_free(&index);
}
END_TEST

START_TEST(restored_ones_are_no_facts)
{
    struct notes notes;
    struct bindings *index = index_new(&notes);
    struct binding *alive = make("sip:bob@example.com", "sip:1@h", NOW_MS + 1);
    struct binding *overdue = make("sip:bob@example.com", "sip:2@h", NOW_MS);

    must(bindings_restore(index, &alive, NOW_MS) == SIPD_OK && !alive);
    must(bindings_restore(index, &overdue, NOW_MS) == SIPD_OK && !overdue);
    must(notes.here + notes.gone == 0);
    must(bindings_count(index) == 1 && bindings_held(index) == 2);
    overdue = bindings_take_dead(index);
    must(overdue);
    must_text(binding_contact(overdue), "sip:2@h");
    must(!bindings_take_dead(index));
    bindings_give_dead(index, &overdue);
    must(!overdue && bindings_held(index) == 2);
    bindings_free(&index);
}
END_TEST

START_TEST(expiry_by_the_second)
{
    struct notes notes;
    struct bindings *index = index_new(&notes);
    bool more;

    put(index, "sip:a@h", "sip:1@h", NOW_MS + 1);
    put(index, "sip:a@h", "sip:2@h", NOW_MS + 999);
    put(index, "sip:a@h", "sip:3@h", NOW_MS + 1000);
    put(index, "sip:b@h", "sip:1@h", NOW_MS + 4096 * 1000);              /* a lap later */
    put(index, "sip:c@h", "sip:1@h", NOW_MS + UINT64_C(86400000) * 365); /* and much later */
    must(bindings_sweep(index, NOW_MS, 100, &more) == 0 && !more);
    must(bindings_sweep(index, NOW_MS + 999, 100, &more) == 0);
    must(bindings_sweep(index, NOW_MS + 1000, 100, &more) == 2 && !more);
    must(bindings_sweep(index, NOW_MS + 2000, 100, &more) == 1 && !more);
    must(!bindings_find(index, SPAN("sip:a@h")));
    must(bindings_sweep(index, NOW_MS + 4095 * 1000, 100, &more) == 0 && !more);
    must(bindings_sweep(index, NOW_MS + 4097 * 1000, 100, &more) == 1 && !more);
    must(bindings_count(index) == 1 && bindings_held(index) == 5);
    purge(index);
    must(bindings_held(index) == 1);
    must(bindings_sweep(index, NOW_MS + UINT64_C(86400000) * 365 - 1, 100, &more) == 0);
    must(bindings_sweep(index, NOW_MS + UINT64_C(86400000) * 366, 100, &more) == 1);
    must(notes.here == 5 && notes.gone == 5);
    must(bindings_count(index) == 0);
    bindings_free(&index);
}
END_TEST

/* A sweep looks at so many and no more, whatever is due: a turn stays short. */
START_TEST(a_sweep_is_bounded)
{
    struct notes notes;
    struct bindings *index = index_new(&notes);
    size_t sweeps = 0, gone = 0;
    char aor[32];
    bool more = true;

    for (int i = 0; i < 1000; i++) {
        snprintf(aor, sizeof aor, "sip:%d@h", i);
        put(index, aor, "sip:1@h", i % 2 ? NOW_MS + 500 : NOW_MS + 500 + 4096 * 1000);
    }
    for (; more; sweeps++) {
        size_t now_gone = bindings_sweep(index, NOW_MS + 1000, 100, &more);

        must(now_gone <= 100);
        gone += now_gone;
    }
    must(gone == 500 && sweeps == 10);
    must(bindings_count(index) == 500);
    bindings_free(&index);
}
END_TEST

START_TEST(one_aor_expires_at_once)
{
    struct notes notes;
    struct bindings *index = index_new(&notes);
    struct aor *a = put(index, "sip:a@h", "sip:1@h", NOW_MS + 10);
    bool more;

    put(index, "sip:a@h", "sip:2@h", NOW_MS + 20);
    put(index, "sip:a@h", "sip:3@h", NOW_MS + 5);
    must(bindings_expire(index, a, NOW_MS) == 0);
    must(bindings_expire(index, a, NOW_MS + 10) == 2);
    must_text(binding_contact(a->first), "sip:2@h");
    must(!a->first->next);
    must(bindings_expire(index, a, NOW_MS + 20) == 1 && !a->first);
    bindings_release(index, a);
    must(bindings_sweep(index, NOW_MS + 5000, 100, &more) == 0);
    must(bindings_held(index) == 3);
    bindings_free(&index);
}
END_TEST

/* Against a plain array, by a random walk. */
static void
refresh(struct bindings *index, struct aor *aor, struct span contact, uint64_t deadline_ms)
{
    const struct binding_again again = { .deadline_ms = deadline_ms };
    struct binding *b = aor->first;

    while (!span_eq(binding_contact(b), contact))
        b = b->next;
    bindings_refresh(index, aor, b, &again, NOW_MS);
    must(aor->first == b && b->deadline_ms == deadline_ms);
}

/* Put in, refreshed to an earlier or a later time, dropped: each goes with its own second. */
START_TEST(as_a_plain_model)
{
    enum { AORS = 40, CONTACTS = 3, STEPS = 60000 };
    static uint64_t deadline[AORS][CONTACTS];
    struct notes notes;
    struct bindings *index = index_new(&notes);
    uint64_t now_ms = NOW_MS;
    size_t alive;
    bool more;

    memset(deadline, 0, sizeof deadline);
    srandom(1);
    for (int step = 0; step < STEPS; step++) {
        int a = (int)(random() % AORS), c = (int)(random() % CONTACTS);
        char aor[32], contact[32];
        struct aor *at;

        snprintf(aor, sizeof aor, "sip:%d@h", a);
        snprintf(contact, sizeof contact, "sip:%d@c", c);
        if (random() % 3 == 0) {
            deadline[a][c] = now_ms + 1 + (uint64_t)random() % 20000000;
            put(index, aor, contact, deadline[a][c]);
        } else if (deadline[a][c] != 0 && random() % 2) {
            deadline[a][c] = now_ms + 1 + (uint64_t)random() % 20000000;
            refresh(index, bindings_find(index, span_of(aor)), span_of(contact), deadline[a][c]);
        } else if (random() % 2 && (at = bindings_find(index, span_of(aor)))) {
            must(drop(index, at, span_of(contact)) == (deadline[a][c] != 0));
            deadline[a][c] = 0;
            bindings_release(index, at);
        }
        now_ms += (uint64_t)random() % 3000;
        do
            bindings_sweep(index, now_ms, 7, &more);
        while (more);
        purge(index);
        alive = 0;
        for (int i = 0; i < AORS; i++)
            for (int j = 0; j < CONTACTS; j++) {
                if (deadline[i][j] != 0 && deadline[i][j] / 1000 < now_ms / 1000)
                    deadline[i][j] = 0;
                alive += deadline[i][j] != 0;
            }
        must(bindings_count(index) == alive);
    }
    bindings_free(&index);
}
END_TEST

START_TEST(growing)
{
    enum { MANY = 20000 };
    struct notes notes;
    struct bindings *index = index_new(&notes);
    const struct aor *bucket;
    size_t place = 0, met = 0;
    char aor[32];

    for (int i = 0; i < MANY; i++) {
        snprintf(aor, sizeof aor, "sip:%d@h", i);
        put(index, aor, "sip:1@h", NOW_MS + 1000);
        if (i == MANY / 2)
            bindings_walk_begin(index);
        if (i >= MANY / 2 && i % 2 && bindings_walk(index, &place, &bucket))
            for (; bucket; bucket = bindings_after(bucket))
                met++;
    }
    while (bindings_walk(index, &place, &bucket))
        for (; bucket; bucket = bindings_after(bucket))
            met++;
    bindings_walk_end(index);
    must(met > MANY / 2 && met <= MANY); /* those that were there, each once */
    for (int i = 0; i < MANY; i++) {
        struct aor *at;

        snprintf(aor, sizeof aor, "sip:%d@h", i);
        at = bindings_find(index, span_of(aor));
        must(at);
        drop(index, at, SPAN("sip:1@h"));
        bindings_release(index, at);
        must(!bindings_find(index, span_of(aor)));
    }
    must(bindings_count(index) == 0);
    bindings_free(&index);
}
END_TEST

/* Putting in cannot fail: growing may, and then it is only slower. */
START_TEST(without_memory)
{
    struct notes notes;
    struct bindings_port port = { &notes, take_note, is_watched, listener_text };
    const uint8_t key[16] = { 0 };
    struct bindings *index;
    char text[32];

    for (unsigned n = 0; n < 3; n++) {
        mem_fail_after(n);
        must(!bindings_new(&port, key, NOW_MS));
    }
    mem_fail_never();
    index = index_new(&notes);
    for (int i = 0; i < 600; i++) {
        struct binding *b;
        struct aor *at;

        snprintf(text, sizeof text, "sip:%d@h", i);
        b = make(text, "sip:1@h", NOW_MS + 1);
        mem_fail_after(1); /* the AoR, but not the next segment */
        at = bindings_get(index, span_of(text));
        must(at);
        bindings_put(index, at, &b, NOW_MS);
        mem_fail_never();
    }
    must(bindings_count(index) == 600);
    must(bindings_find(index, SPAN("sip:599@h")));
    mem_fail_after(0);
    must(!bindings_get(index, SPAN("sip:600@h")));
    must(!binding_new(&(struct store_row){ .aor = SPAN("a") }, 0));
    bindings_free(&index);
}
END_TEST

/* A user with one phone at an address of its own costs at most 480 bytes with its texts, the heap's own 16 a block counted. */
START_TEST(size_of_a_binding)
{
    const char aor[] = "sip:+4930123456789@voice.example.com";
    const char texts[] = "sip:+4930123456789@192.168.100.23:5062;line=7a3f;transport=udp"
                         "3c26701ed2a4-8g3kz2a1xq7b@192-168-100-23"
                         "snom370/8.7.5.35 with some words";

    size_t source = sizeof(struct spread_node) + 4 + 16, buckets = 2 * 8;

    must(sizeof(struct binding) + 2 * sizeof aor + sizeof texts + sizeof(struct aor) + source +
             buckets + 3 * 16 <=
         480);
}
END_TEST

Suite *
suite_registrar_bindings(void)
{
    Suite *suite = suite_create("registrar_bindings");
    TCase *all = heap_case("all");

    tcase_add_test(all, texts_and_numbers);
    tcase_add_test(all, found_replaced_dropped);
    tcase_add_test(all, counted_by_source);
    tcase_add_test(all, restored_by_age);
    tcase_add_test(all, facts);
    tcase_add_test(all, nobody_watches);
    tcase_add_test(all, restored_ones_are_no_facts);
    tcase_add_test(all, expiry_by_the_second);
    tcase_add_test(all, a_sweep_is_bounded);
    tcase_add_test(all, one_aor_expires_at_once);
    tcase_add_test(all, as_a_plain_model);
    tcase_add_test(all, growing);
    tcase_add_test(all, without_memory);
    tcase_add_test(all, size_of_a_binding);
    suite_add_tcase(suite, all);
    return suite;
}
