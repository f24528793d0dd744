/*
 * The target set: best first, each once, so many and no more (RFC 3261 §16.5, §16.6).
 */
#include "core/target.h"

#include "core/note.h"

#include <stdio.h>

#include "unit/core_rig.h"

#define FIRST  "udp:192.0.2.11:5060"
#define SECOND "udp:192.0.2.12:5060"

/* The trip of a request that waits; targets are added to it by hand. */
static struct trip *trip_at_hand;

static enum sipd_verdict
take_trip(struct sipd_req *req, void *self)
{
    (void)self;
    trip_at_hand = req->trip;
    return SIPD_WAIT;
}

static void
open_trip(void)
{
    struct chain_hook hook = { .order = 1, .fn = take_trip, .name = "test" };

    ck_assert_int_eq(chain_add(core_chain(rig.core), SIPD_ON_TARGETS, &hook), SIPD_OK);
    trip_at_hand = NULL;
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert_ptr_nonnull(trip_at_hand);
}

static int
add(const char *uri, const char *hop, uint32_t q)
{
    struct sipd_target target = { .uri = span_of(uri), .q = q };

    if (hop)
        target.hop = rig_hop(hop);
    return trip_add_target(trip_at_hand, &target);
}

/* "a b c": the user parts of the targets, in order. */
static const char *
order(void)
{
    static char text[512];
    size_t len = 0;

    text[0] = '\0';
    list_each (node, after, &trip_at_hand->targets) {
        const struct target *target = container_of(node, struct target, link);

        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", len ? " " : "",
                                SPAN_ARG(target->uri.user));
    }
    return text;
}

START_TEST(the_best_comes_first_and_equals_in_the_order_of_adding)
{
    open_trip();
    ck_assert_int_eq(add("sip:c@192.0.2.1", NULL, 500), SIPD_OK);
    ck_assert_int_eq(add("sip:a@192.0.2.1", NULL, 1000), SIPD_OK);
    ck_assert_int_eq(add("sip:e@192.0.2.1", NULL, 0), SIPD_OK);
    ck_assert_int_eq(add("sip:d@192.0.2.1", NULL, 500), SIPD_OK);
    ck_assert_int_eq(add("sip:b@192.0.2.1", NULL, 1000), SIPD_OK);
    ck_assert_str_eq(order(), "a b c d e");
}
END_TEST

/* §16.5: equal by the rules of the URI, §19.1.4; another way there makes another target. */
START_TEST(each_comes_once)
{
    open_trip();
    ck_assert_int_eq(add("sip:a@Phone.example.net", NULL, 1000), SIPD_OK);
    ck_assert_int_eq(add("sip:a@phone.EXAMPLE.net", NULL, 500), SIPD_OK);
    ck_assert_int_eq(add("sip:%61@phone.example.net;unknown=x", NULL, 500), SIPD_OK);
    ck_assert_str_eq(order(), "a");
    ck_assert_int_eq(add("sip:A@phone.example.net", NULL, 500), SIPD_OK);
    ck_assert_str_eq(order(), "a A");
    ck_assert_int_eq(add("sip:b@10.0.0.1", FIRST, 500), SIPD_OK);
    ck_assert_int_eq(add("sip:b@10.0.0.1", FIRST, 500), SIPD_OK);
    ck_assert_int_eq(add("sip:b@10.0.0.1", SECOND, 500), SIPD_OK);
    ck_assert_str_eq(order(), "a A b b");
    ck_assert_int_eq(add("sip:c@10.0.0.1", "tcp:192.0.2.11:5060/1", 500), SIPD_OK);
    ck_assert_int_eq(add("sip:c@10.0.0.1", "tcp:192.0.2.11:5060/2", 500), SIPD_OK);
    ck_assert_str_eq(order(), "a A b b c c");
    ck_assert_uint_eq(trip_at_hand->targets_len, 6);
}
END_TEST

START_TEST(one_that_was_tried_is_not_tried_again)
{
    rig.conf.fork = CORE_FORK_Q;
    open_trip();
    ck_assert_int_eq(add("sip:a@192.0.2.11", NULL, 1000), SIPD_OK);
    ck_assert_int_eq(add("sip:b@192.0.2.12", NULL, 500), SIPD_OK);
    target_start_group(trip_at_hand);
    ck_assert_str_eq(order(), "b");
    ck_assert_int_eq(add("sip:a@192.0.2.11", NULL, 1000), SIPD_OK);
    ck_assert_str_eq(order(), "b");
    note_trip(trip_at_hand);
    rig_pass(&rig, 0);
    rig_expect(&rig, FIRST, "INVITE ");
}
END_TEST

START_TEST(what_is_no_uri_is_no_target)
{
    open_trip();
    ck_assert_int_eq(add("", NULL, 1000), SIPD_ESYNTAX);
    ck_assert_int_eq(add("bob", NULL, 1000), SIPD_ESYNTAX);
    ck_assert_int_eq(add("sip:bob@exa mple", NULL, 1000), SIPD_ESYNTAX);
    ck_assert_str_eq(order(), "");
    ck_assert_uint_eq(trip_at_hand->targets_len, 0);
}
END_TEST

START_TEST(there_is_a_ceiling)
{
    char uri[64];

    rig.conf.max_targets = 5;
    open_trip();
    for (unsigned i = 0; i < 5; i++) {
        snprintf(uri, sizeof uri, "sip:u%u@192.0.2.1", i);
        ck_assert_int_eq(add(uri, NULL, 1000), SIPD_OK);
    }
    ck_assert_int_eq(add("sip:more@192.0.2.1", NULL, 1000), SIPD_EFULL);
    ck_assert_str_eq(order(), "u0 u1 u2 u3 u4");
}
END_TEST

/* "sip:bob@192.0.2.1" with twenty parameters; that which tells it from others comes last. */
static void
write_alike(char *uri, size_t room, unsigned n, unsigned port)
{
    int len = snprintf(uri, room, "sip:bob@192.0.2.1:%u", port);

    for (unsigned i = 0; i < 20; i++)
        len += snprintf(uri + len, room - (size_t)len, ";p%u=v", i);
    snprintf(uri + len, room - (size_t)len, ";x=%u", n);
}

enum { TARGETS = 1000 };

/* Equal ones are found, and many that are only alike, by their owner's choice, cost no more than so many comparisons. */
START_TEST(many_are_compared_up_to_a_ceiling)
{
    char uri[256];

    rig.conf.max_targets = TARGETS;
    rig.conf.trip_bytes = 4 << 20;
    open_trip();
    for (unsigned i = 0; i < TARGETS / 2; i++) {
        write_alike(uri, sizeof uri, 0, 1024 + i);
        ck_assert_int_eq(add(uri, NULL, 1000), SIPD_OK);
    }
    ck_assert_uint_eq(trip_at_hand->compared, 0); /* others have other ports */
    write_alike(uri, sizeof uri, 0, 1024);
    memcpy(uri, "SIP", 3);
    ck_assert_int_eq(add(uri, NULL, 1000), SIPD_OK);
    ck_assert_uint_eq(trip_at_hand->targets_len, TARGETS / 2);
    ck_assert_uint_lt(trip_at_hand->compared, 8);
    for (unsigned i = 1; i < TARGETS / 2; i++) {
        write_alike(uri, sizeof uri, i, 1024);
        ck_assert_int_eq(add(uri, NULL, 1000), SIPD_OK);
        ck_assert_int_eq(add(uri, NULL, 1000), SIPD_OK); /* at sight */
    }
    ck_assert_uint_eq(trip_at_hand->targets_len, TARGETS - 1);
    ck_assert_uint_ge(trip_at_hand->compared, TARGET_COMPARED_MAX);
    ck_assert_uint_lt(trip_at_hand->compared, TARGET_COMPARED_MAX + 8);
}
END_TEST

START_TEST(memory_has_a_ceiling_too)
{
    char uri[4096] = "sip:";
    int err = SIPD_OK;

    rig.conf.trip_bytes = 64 << 10;
    open_trip();
    memset(uri + 4, 'u', 3000);
    memcpy(uri + 3004, "@192.0.2.1", sizeof "@192.0.2.1");
    for (unsigned i = 0; i < 100 && err == SIPD_OK; i++) {
        uri[4] = (char)('0' + i / 10 % 10);
        uri[5] = (char)('0' + i % 10);
        err = add(uri, NULL, 1000);
    }
    ck_assert_int_eq(err, SIPD_ENOMEM);
}
END_TEST

START_TEST(parallel_takes_all_and_q_takes_the_best)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.11", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.12", NULL, 100);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, FIRST, "INVITE ");
    rig_expect(&rig, SECOND, "INVITE ");
    rig_new_branch(&rig);
    rig.conf.fork = CORE_FORK_Q;
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, FIRST, "INVITE ");
    rig_quiet(&rig);
}
END_TEST

/* The branches of a fork share what none of them changes. */
START_TEST(a_body_is_kept_once)
{
    char body[4001];
    uint64_t cursor = 0;
    const struct txn *txn;
    unsigned clients = 0;

    memset(body, 'v', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    rig_bind(&rig, "bob", "sip:bob@192.0.2.11;transport=udp", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.12;transport=udp", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "", body, NULL);
    while ((txn = slots_next(&rig.core->txns.slots, &cursor)))
        if (txn->kind == TXN_ICT) {
            clients++;
            ck_assert_uint_lt(txn->bytes_len, 1000);
            ck_assert_uint_ge(txn->tail.len, sizeof body - 1);
        }
    ck_assert_uint_eq(clients, 2);
    rig_pass(&rig, 500);
    ck_assert_uint_eq(rig.sent_len, 5); /* the 100 between them */
    for (unsigned i = 0; i < rig.sent_len; i++)
        ck_assert(i == 2 ||
                  memmem(rig.sent[i].bytes.at, rig.sent[i].bytes.len, body, sizeof body - 1));
}
END_TEST

/* RFC 5630 §5.3: there is no last hop in the open, and the caller shall know why. */
START_TEST(a_sips_request_has_sips_targets_only)
{
    const struct rig_sent *sent;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.11;transport=tls", NULL, 1000);
    rig_ask(&rig, ALICE, "INVITE sips:bob@example.com SIP/2.0", NULL);
    sent = rig_expect(&rig, ALICE, "SIP/2.0 480 Temporarily Unavailable\r\n");
    ck_assert_str_eq(rig_value(sent, "Warning", 0), "380 sipd \"SIPS Not Allowed\"");
    rig_quiet(&rig);
    rig_bind(&rig, "bob", "sips:bob@192.0.2.12", NULL, 100);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sips:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, "tls:192.0.2.12:5061", "INVITE sips:bob@192.0.2.12 ");
    rig_quiet(&rig);
}
END_TEST

Suite *
suite_target(void)
{
    Suite *s = suite_create("target");
    TCase *c = rig_case("set");

    tcase_add_test(c, the_best_comes_first_and_equals_in_the_order_of_adding);
    tcase_add_test(c, each_comes_once);
    tcase_add_test(c, one_that_was_tried_is_not_tried_again);
    tcase_add_test(c, what_is_no_uri_is_no_target);
    tcase_add_test(c, there_is_a_ceiling);
    tcase_add_test(c, many_are_compared_up_to_a_ceiling);
    tcase_add_test(c, memory_has_a_ceiling_too);
    tcase_add_test(c, parallel_takes_all_and_q_takes_the_best);
    tcase_add_test(c, a_body_is_kept_once);
    tcase_add_test(c, a_sips_request_has_sips_targets_only);
    suite_add_tcase(s, c);
    return s;
}
