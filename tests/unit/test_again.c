/*
 * A request comes again over datagrams: the same answer goes the same way, byte by byte, until Timer J (RFC 3261 §17.2.2).
 */
#include <dirent.h>
#include <stdio.h>

#include "core/state.h"
#include "txn/answered.h"
#include "unit/core_rig.h"
#include "unit/must.h"

Suite *suite_again(void);

#define OPTIONS_US "OPTIONS sip:example.com SIP/2.0"
#define TO_BOB     "MESSAGE sip:bob@example.com SIP/2.0"
#define ELSEWHERE  "udp:192.0.2.200:4711"

enum { FILE_BYTES = 1 << 17 };

static const struct rig_sent *
last_sent(void)
{
    ck_assert_uint_gt(rig.sent_len, 0);
    return &rig.sent[rig.sent_len - 1];
}

/* The next message sent is this one once more. */
static void
must_be_said_again(const struct rig_sent *before)
{
    const struct rig_sent *after;

    ck_assert_uint_eq(rig.read + 1, rig.sent_len);
    after = last_sent();
    rig.read++;
    ck_assert_ptr_ne(after, before);
    ck_assert(hop_eq(&after->to, &before->to) && after->to.listener == before->to.listener);
    ck_assert_msg(span_eq(after->bytes, before->bytes), "%.*s\nwas\n%.*s", SPAN_ARG(after->bytes),
                  SPAN_ARG(before->bytes));
}

START_TEST(our_own_answer_is_said_again)
{
    const struct rig_sent *answer;

    rig_ask(&rig, ALICE, OPTIONS_US, NULL);
    answer = rig_expect(&rig, ALICE, "SIP/2.0 200");
    ck_assert(rig_has(answer, "Allow: INVITE") && rig_to_tag(answer)[0]);
    for (int i = 0; i < 3; i++) {
        rig_pass(&rig, 4000);
        rig_ask(&rig, ALICE, OPTIONS_US, NULL);
        must_be_said_again(answer);
    }
    ck_assert_uint_eq(rig_counter(&rig, "core_trips"), 1);
    rig_alive(&rig, 0, 0, 1);
    rig_settled(&rig);
}
END_TEST

START_TEST(a_passed_answer_is_said_again)
{
    const struct rig_sent *request, *answer;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", BOB, 1000);
    rig_ask(&rig, ALICE, TO_BOB, "", "hi", NULL);
    request = rig_expect(&rig, BOB, "MESSAGE sip:bob@192.0.2.9 SIP/2.0");
    rig_reply(&rig, request, 202, "his", "X-Thing: of his own", NULL);
    answer = rig_expect(&rig, ALICE, "SIP/2.0 202");
    ck_assert_str_eq(rig_value(answer, "X-Thing", 0), "of his own");
    rig_pass(&rig, 30000);
    rig_ask(&rig, ALICE, TO_BOB, "", "hi", NULL);
    must_be_said_again(answer);
    rig_settled(&rig);
}
END_TEST

START_TEST(until_its_time_is_over)
{
    rig_ask(&rig, ALICE, OPTIONS_US, NULL);
    rig_pass(&rig, 31999);
    rig_ask(&rig, ALICE, OPTIONS_US, NULL);
    ck_assert_uint_eq(rig_counter(&rig, "core_trips"), 1);
    rig_pass(&rig, 1);
    rig_ask(&rig, ALICE, OPTIONS_US, NULL);
    ck_assert_uint_eq(rig_counter(&rig, "core_trips"), 2);
}
END_TEST

/* Whoever knows a branch could have an answer sent to himself, or to anybody: it goes where it went. */
START_TEST(where_it_went_wherever_it_comes_from)
{
    static const char *const vias[] = {
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx",
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;rport",
        "Via: SIP/2.0/UDP host.example.org;rport;branch=z9hG4bKx",
        "Via: SIP/2.0/UDP host.example.org;received=192.0.2.77;branch=z9hG4bKx",
    };

    for (size_t i = 0; i < countof(vias); i++) {
        const struct rig_sent *answer;

        rig_end();
        rig_begin();
        rig_ask(&rig, ALICE, OPTIONS_US, vias[i], NULL);
        answer = rig_expect(&rig, ALICE, "SIP/2.0 200");
        rig_ask(&rig, ELSEWHERE, OPTIONS_US, vias[i], NULL);
        must_be_said_again(answer);
        rig_ask(&rig, "udp:192.0.2.1:6000", OPTIONS_US, vias[i], NULL);
        must_be_said_again(answer);
        ck_assert_uint_eq(rig_counter(&rig, "core_trips"), 1);
    }
}
END_TEST

/* A multicast group, or a rule that was changed in between: its answer would be stamped otherwise, and goes back once more. */
START_TEST(what_would_be_stamped_otherwise_is_new)
{
    static const char group[] =
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;maddr=224.0.1.75;rport",
                      plain[] = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKy";
    const struct rig_sent *answer;

    rig_ask(&rig, ALICE, OPTIONS_US, group, NULL);
    answer = rig_expect(&rig, "udp:224.0.1.75:5060", "SIP/2.0 200");
    rig_ask(&rig, ALICE, OPTIONS_US, group, NULL);
    must_be_said_again(answer);
    rig_ask(&rig, ALICE, OPTIONS_US, plain, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200");
    rig.rport = 2;
    rig_ask(&rig, ALICE, OPTIONS_US, plain, NULL);
    ck_assert(rig_has(rig_expect(&rig, ALICE, "SIP/2.0 200"), ";rport=5060"));
    ck_assert_uint_eq(rig_counter(&rig, "core_trips"), 3);
}
END_TEST

/* Some peers use one branch for all, and whoever knows one can make anything of the rest: that is another request, and asked anew. */
START_TEST(another_request_under_the_same_branch_is_new)
{
    static const char via[] = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKcydzigwkX",
                      below[] = "Via: SIP/2.0/UDP 192.0.2.50:5060;branch=z9hG4bK1";
    static const char *const others[] = {
        "Call-ID: two",
        "CSeq: 99 OPTIONS",
        "From: <sip:mallory@example.org>;tag=m",
        "To: <sip:mallory@example.org>;tag=m",
        "Via: SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bK2",
        "CSeq: 1 INVITE",
    };

    for (size_t i = 0; i < countof(others); i++) {
        const struct rig_sent *first, *answer;

        rig_end();
        rig_begin();
        rig_ask(&rig, ALICE, OPTIONS_US, via, below, NULL);
        first = rig_expect(&rig, ALICE, "SIP/2.0 200");
        if (i == 4)
            rig_ask(&rig, "tcp:192.0.2.66:4711/9", OPTIONS_US, via, others[i], NULL);
        else
            rig_ask(&rig, "tcp:192.0.2.66:4711/9", OPTIONS_US, via, below, others[i], NULL);
        ck_assert_uint_eq(rig_counter(&rig, "core_requests"), 2);
        answer = rig_expect(&rig, "tcp:192.0.2.66:4711/9", i == 5 ? "SIP/2.0 400" : "SIP/2.0 200");
        ck_assert(!span_eq(answer->bytes, first->bytes));
        rig_ask(&rig, ALICE, OPTIONS_US, via, below, NULL);
        rig_settled(&rig);
    }
}
END_TEST

START_TEST(over_IPv6_too)
{
    const struct rig_sent *answer;

    rig_ask(&rig, "udp:[2001:db8::9]:5060", OPTIONS_US, NULL);
    answer = rig_expect(&rig, "udp:[2001:db8::9]:5060", "SIP/2.0 200");
    rig_ask(&rig, "udp:[2001:db8::9]:5060", OPTIONS_US, NULL);
    must_be_said_again(answer);
}
END_TEST

/* With no more memory than the row has already. */
START_TEST(a_thousand_are_told_apart)
{
    enum { ALL = 300 };

    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < ALL; i++) {
            char via[100];

            snprintf(via, sizeof via, "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-%u", i);
            rig_ask(&rig, ALICE, OPTIONS_US, via, NULL);
            ck_assert_str_eq(rig_value(last_sent(), "Via", 0), via + 5);
        }
    ck_assert_uint_eq(rig_counter(&rig, "core_trips"), ALL);
    for (unsigned i = 0; i < ALL; i++)
        must(span_eq(rig.sent[i].bytes, rig.sent[ALL + i].bytes));
}
END_TEST

START_TEST(a_lower_ceiling_refuses_nobody)
{
    enum { BEFORE = 400, LOWER = 100 };
    struct core_conf conf = rig.conf;

    for (unsigned i = 0; i < BEFORE; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, OPTIONS_US, NULL);
    }
    conf.transactions = LOWER;
    core_set_conf(rig.core, &conf);
    rig.read = rig.sent_len;
    for (unsigned i = 0; i < BEFORE; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, OPTIONS_US, NULL);
        rig_expect(&rig, ALICE, "SIP/2.0 200");
    }
    rig_alive(&rig, 0, 0, LOWER);
}
END_TEST

/* More in each turn than are told in one: those tell themselves. */
START_TEST(a_watcher_is_told_of_all_though_many_join)
{
    unsigned turns = 0, asked = 0;

    rig.conf.transactions = 1000000;
    rig_restart(&rig);
    for (; asked < 500; asked++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, OPTIONS_US, NULL);
    }
    core_watch(rig.core, true);
    rig.notes = 0;
    for (; !core_is_told(rig.core); turns++) {
        must(turns < 10);
        for (unsigned i = 0; i < 220; i++, asked++) {
            rig_clear(&rig);
            rig_new_branch(&rig);
            rig_ask(&rig, ALICE, OPTIONS_US, NULL);
        }
        core_tick(rig.core);
    }
    ck_assert_uint_gt(rig.notes, asked);
}
END_TEST

/* ---------------------------------------------------------------- whatever was asked */

static struct span
file_bytes(const char *path, char *room)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    ck_assert_ptr_nonnull(file);
    len = fread(room, 1, FILE_BYTES, file);
    ck_assert_uint_lt(len, FILE_BYTES);
    fclose(file);
    return (struct span){ room, len };
}

/* True: it was answered by our transaction. */
static bool
asked_twice(struct span bytes)
{
    const struct rig_sent *answer;
    bool held;

    rig_end();
    rig_begin();
    (void)rig_bytes(&rig, ALICE, bytes, 0, NULL);
    held = rig.core->txns.answered.len == 1;
    if (!held)
        return false;
    answer = last_sent();
    rig.read = rig.sent_len;
    rig_pass(&rig, 500);
    (void)rig_bytes(&rig, ALICE, bytes, 0, NULL);
    must_be_said_again(answer);
    return true;
}

START_TEST(each_of_the_collection_gets_the_same_answer_again)
{
    static const char *const folders[] = { "tests/torture/rfc4475", "tests/torture/wild",
                                           "tests/torture/made" };
    static char room[FILE_BYTES];
    unsigned held = 0;

    for (size_t i = 0; i < countof(folders); i++) {
        DIR *folder = opendir(folders[i]);
        const struct dirent *entry;

        ck_assert_msg(folder != NULL, "%s (run from the top folder)", folders[i]);
        while ((entry = readdir(folder))) {
            char path[512];

            snprintf(path, sizeof path, "%s/%s", folders[i], entry->d_name);
            if (entry->d_name[0] != '.' && !strstr(entry->d_name, ".json"))
                held += asked_twice(file_bytes(path, room));
        }
        closedir(folder);
    }
    ck_assert_uint_gt(held, 20);
}
END_TEST

Suite *
suite_again(void)
{
    Suite *s = suite_create("again");
    TCase *c = rig_case("again");

    tcase_add_test(c, our_own_answer_is_said_again);
    tcase_add_test(c, a_passed_answer_is_said_again);
    tcase_add_test(c, until_its_time_is_over);
    tcase_add_test(c, where_it_went_wherever_it_comes_from);
    tcase_add_test(c, what_would_be_stamped_otherwise_is_new);
    tcase_add_test(c, another_request_under_the_same_branch_is_new);
    tcase_add_test(c, over_IPv6_too);
    tcase_add_test(c, a_lower_ceiling_refuses_nobody);
    tcase_add_test(c, a_watcher_is_told_of_all_though_many_join);
    tcase_add_test(c, a_thousand_are_told_apart);
    tcase_add_test(c, each_of_the_collection_gets_the_same_answer_again);
    suite_add_tcase(s, c);
    return s;
}
