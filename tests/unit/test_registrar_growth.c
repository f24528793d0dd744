/*
 * What a REGISTER and a look-up cost does not grow with the number of users, whoever chose their names, and with the number
 * of a user's Contacts no faster than that.
 */
#include <stdio.h>
#include <time.h>

#include "base/def.h"
#include "registrar/rules.h"
#include "registrar/spread.h"
#include "sipd/module.h"
#include "unit/heap.h"
#include "unit/text.h"

/* ---------------------------------------------------------------- users */

enum { FEW = 1000, MANY = 1000000, COLLIDING = 1000 };

/* The hash of the n-th user's name, as the index makes it. */
static uint32_t
hash_of(const uint8_t key[16], unsigned user)
{
    char name[40];
    int len = snprintf(name, sizeof name, "sip:u%07u@example.com", user);

    return (uint32_t)sipd_hash(key, (struct span){ name, (size_t)len });
}

struct cost {
    double mean; /* nodes looked at for each that is found */
    size_t worst;
};

static struct cost
cost_of(const struct spread *spread, const struct spread_node *nodes, size_t len)
{
    struct cost cost = { 0, 0 };

    for (size_t i = 0; i < len; i++) {
        const struct spread_node *node = spread_at(spread, nodes[i].hash);
        size_t looked = 1;

        for (; node != &nodes[i]; node = node->next)
            looked++;
        cost.mean += (double)looked;
        cost.worst = looked > cost.worst ? looked : cost.worst;
    }
    cost.mean /= (double)len;
    return cost;
}

static struct spread_node nodes[MANY];

START_TEST(look_ups_cost_the_same_for_a_million)
{
    static const uint8_t key[16] = { 7, 1, 2 };
    struct spread spread;
    struct cost few, many;

    must(spread_init(&spread) == SIPD_OK);
    for (unsigned i = 0; i < FEW; i++) {
        nodes[i].hash = hash_of(key, i);
        spread_put(&spread, &nodes[i]);
    }
    few = cost_of(&spread, nodes, FEW);
    for (unsigned i = FEW; i < MANY; i++) {
        nodes[i].hash = hash_of(key, i);
        spread_put(&spread, &nodes[i]);
    }
    many = cost_of(&spread, nodes, MANY);
    must(few.mean < 2 && many.mean < 2);
    must(many.mean < 1.5 * few.mean && many.worst < 20);
    spread_fini(&spread);
}
END_TEST

/* Names that collide under a key that somebody knows; under ours they are like any others. */
START_TEST(chosen_names_collide_under_no_key_but_their_own)
{
    static const uint8_t known[16] = { 0 }, secret[16] = { 9, 8, 7 };
    static unsigned chosen[COLLIDING];
    struct spread theirs, ours;
    struct cost cost;
    size_t len = 0;

    for (unsigned user = 0; len < COLLIDING; user++)
        if ((hash_of(known, user) & 2047) == 5)
            chosen[len++] = user;
    must(spread_init(&theirs) == SIPD_OK && spread_init(&ours) == SIPD_OK);
    for (size_t i = 0; i < len; i++) {
        nodes[i].hash = hash_of(known, chosen[i]);
        spread_put(&theirs, &nodes[i]);
    }
    must(cost_of(&theirs, nodes, len).worst > COLLIDING / 2); /* the choice is a good one */
    for (size_t i = 0; i < len; i++) {
        nodes[i].hash = hash_of(secret, chosen[i]);
        spread_put(&ours, &nodes[i]);
    }
    cost = cost_of(&ours, nodes, len);
    must(cost.mean < 2 && cost.worst < 12);
    spread_fini(&theirs);
    spread_fini(&ours);
}
END_TEST

/* ---------------------------------------------------------------- Contacts of one user */

enum { CONTACTS = 1000, REPEATS = 3, TRIES = 15 };

static struct binding *bindings[CONTACTS];

/* Numbered from `from` on. */
static void
make_bindings_of(const char *before, size_t from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char contact[STORE_CONTACT_BYTES];
        struct store_row row = { .aor = SPAN("sip:bob@example.com"),
                                 .call_id = SPAN("call"),
                                 .granted_s = 60,
                                 .q = STORE_NO_Q };

        snprintf(contact, sizeof contact, "%s%zu", before, from + i);
        row.contact = span_of(contact);
        bindings[i] = binding_new(&row, 1);
        must(bindings[i]);
        if (i > 0)
            bindings[i - 1]->next = bindings[i];
    }
}

static void
make_bindings(size_t len)
{
    make_bindings_of("sip:bob@192.0.2.1:", 1000, len);
}

static void
free_bindings(size_t len)
{
    for (size_t i = 0; i < len; i++)
        binding_free(&bindings[i]);
}

/* CPU time to decide what becomes of the last of them, which is asked to be refreshed; the least of some tries. */
static clock_t
time_of(size_t len)
{
    static struct rules_step steps[RULES_BINDINGS_MAX + RULES_CONTACTS_MAX];
    struct rules_contact want = { .expires_s = 60, .q = STORE_NO_Q };
    struct rules_register reg = { .call_id = SPAN("call"), .cseq = 5, .contacts = &want, .len = 1 };
    clock_t least = 0;
    size_t steps_len;
    char contact[64];

    snprintf(contact, sizeof contact, "sip:bob@192.0.2.1:%zu;transport=udp", 999 + len);
    must(rules_contact_uri(&want, span_of(contact), NULL));
    make_bindings(len);
    for (int n = 0; n < TRIES; n++) {
        clock_t begun = clock(), took;

        for (int i = 0; i < REPEATS * CONTACTS; i++)
            must(rules_decide(&reg, bindings[0], CONTACTS, steps, &steps_len).status != 400);
        took = clock() - begun;
        least = n == 0 || took < least ? took : least;
    }
    free_bindings(len);
    return least;
}

START_TEST(a_refresh_grows_with_the_contacts_and_no_faster)
{
    clock_t few = time_of(CONTACTS / 10), many = time_of(CONTACTS);

    must(few > 0);
    ck_assert_msg(many < 40 * few, "%ld and %ld", (long)few, (long)many); /* 100: quadratic */
}
END_TEST

/* A user's own choice: another x= each, and so one hash for all and yet no two that are equal (§19.1.4). */
START_TEST(contacts_alike_are_compared_up_to_a_ceiling)
{
    static struct rules_step steps[RULES_BINDINGS_MAX + RULES_CONTACTS_MAX];
    static char texts[RULES_CONTACTS_MAX][64];
    static struct rules_contact wants[RULES_CONTACTS_MAX];
    struct rules_register reg = { .call_id = SPAN("call"), .cseq = 5, .contacts = wants };
    struct rules_answer answer;
    size_t steps_len;

    make_bindings_of("sip:bob@192.0.2.1;x=", 0, CONTACTS);
    for (size_t i = 0; i < RULES_CONTACTS_MAX; i++) {
        snprintf(texts[i], sizeof texts[i], "sip:bob@192.0.2.1;x=new%zu", i);
        wants[i] = (struct rules_contact){ .expires_s = 60, .q = STORE_NO_Q };
        must(rules_contact_uri(&wants[i], span_of(texts[i]), NULL));
        must(wants[i].uri_hash == bindings[0]->uri_hash);
    }
    reg.len = 1;
    answer = rules_decide(&reg, bindings[0], 2 * CONTACTS, steps, &steps_len);
    must(answer.status == 200 && answer.compared == CONTACTS && steps_len == 1);
    reg.len = RULES_CONTACTS_MAX;
    answer = rules_decide(&reg, bindings[0], 2 * CONTACTS, steps, &steps_len);
    must(answer.status == 403); /* and not 100,000 URIs read and compared in one turn */
    free_bindings(CONTACTS);
}
END_TEST

/* To compare two takes the longer the more parameters there are to be put in order: bytes are counted, not URIs. */
START_TEST(the_longer_they_are_the_fewer_are_compared)
{
    enum { LEN = 900, SOME = RULES_ALIKE_BYTES / STORE_CONTACT_BYTES };
    static struct rules_step steps[RULES_BINDINGS_MAX + RULES_CONTACTS_MAX];
    struct rules_contact want = { .expires_s = 60, .q = STORE_NO_Q };
    struct rules_register reg = { .call_id = SPAN("call"), .cseq = 5, .contacts = &want, .len = 1 };
    char before[LEN + 8] = "sip:bob@192.0.2.1", contact[LEN + 16];
    struct rules_answer answer;
    size_t steps_len;

    while (strlen(before) < LEN)
        strcat(before, ";a");
    strcat(before, ";x=");
    snprintf(contact, sizeof contact, "%snew", before);
    must(rules_contact_uri(&want, span_of(contact), NULL));
    make_bindings_of(before, 0, SOME);
    answer = rules_decide(&reg, bindings[0], CONTACTS, steps, &steps_len);
    must(answer.status == 200 && answer.compared == SOME && steps_len == 1);
    free_bindings(SOME);
    make_bindings_of(before, 0, CONTACTS);
    answer = rules_decide(&reg, bindings[0], 2 * CONTACTS, steps, &steps_len);
    must(answer.status == 403 && answer.compared <= RULES_ALIKE_BYTES / LEN + 1);
    free_bindings(CONTACTS);
}
END_TEST

/* Of many with other ports only the one is read that has the same. */
START_TEST(others_are_not_compared)
{
    static struct rules_step steps[RULES_BINDINGS_MAX + RULES_CONTACTS_MAX];
    struct rules_contact want = { .expires_s = 60, .q = STORE_NO_Q };
    struct rules_register reg = { .call_id = SPAN("call"), .cseq = 5, .contacts = &want, .len = 1 };
    struct rules_answer answer;
    size_t steps_len;

    must(rules_contact_uri(&want, SPAN("sip:%62ob@192.0.2.1:1999"), NULL));
    make_bindings(CONTACTS);
    answer = rules_decide(&reg, bindings[0], CONTACTS, steps, &steps_len);
    must(answer.status == 200 && steps_len == 1 && steps[0].old == bindings[CONTACTS - 1]);
    must(answer.compared == 1);
    free_bindings(CONTACTS);
}
END_TEST

Suite *
suite_registrar_growth(void)
{
    Suite *suite = suite_create("registrar_growth");
    TCase *all = heap_case("all");

    tcase_add_test(all, look_ups_cost_the_same_for_a_million);
    tcase_add_test(all, chosen_names_collide_under_no_key_but_their_own);
    tcase_add_test(all, a_refresh_grows_with_the_contacts_and_no_faster);
    tcase_add_test(all, others_are_not_compared);
    tcase_add_test(all, contacts_alike_are_compared_up_to_a_ceiling);
    tcase_add_test(all, the_longer_they_are_the_fewer_are_compared);
    suite_add_tcase(suite, all);
    return suite;
}
