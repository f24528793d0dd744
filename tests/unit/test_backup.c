/*
 * A response over a stream finds another way when its own are gone (RFC 3263 §5).
 */
#include "core/backup.h"

#include "unit/core_rig.h"

#define CALLER "tcp:192.0.2.1:40000/7"
#define BRANCH ";branch=z9hG4bKbackup"

/* A call of somebody with this Via is refused; her connection and a new one are gone. The 404 that nobody took. */
static const struct rig_sent *
refused(const char *via, const char *anew)
{
    rig_ask(&rig, CALLER, "INVITE sip:nobody@example.com SIP/2.0", rig_line("Via", via), NULL);
    rig_gone(&rig, rig_expect(&rig, CALLER, "SIP/2.0 404 "));
    rig_gone(&rig, rig_expect(&rig, anew, "SIP/2.0 404 "));
    return rig_last(&rig, "SIP/2.0 404 ");
}

START_TEST(a_name_is_looked_up)
{
    refused("SIP/2.0/TCP proxy.example.net" BRANCH, "tcp:192.0.2.1:5060");
    rig_quiet(&rig);
    ck_assert_uint_eq(rig.asked_len, 1);
    ck_assert_str_eq(rig.asked[0].host, "proxy.example.net");
    ck_assert(rig.asked[0].for_answer);
    core_resolved_answer(
        rig.core, rig.asked[0].branch,
        (struct hop[]){ rig_hop("tcp:192.0.2.2:5060"), rig_hop("tcp:192.0.2.3:5060") }, 2);
    rig_pass(&rig, 0);
    rig_gone(&rig, rig_expect(&rig, "tcp:192.0.2.2:5060", "SIP/2.0 404 "));
    rig_expect(&rig, "tcp:192.0.2.3:5060", "SIP/2.0 404 ");
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

START_TEST(an_address_is_not)
{
    refused("SIP/2.0/TCP 192.0.2.77:5070" BRANCH, "tcp:192.0.2.1:5070");
    rig_gone(&rig, rig_expect(&rig, "tcp:192.0.2.77:5070", "SIP/2.0 404 "));
    rig_quiet(&rig);
    ck_assert_uint_eq(rig.asked_len, 0);
    rig_settled(&rig);
}
END_TEST

/* Where it was just tried it is not tried again. */
START_TEST(the_same_address_is_not_tried_twice)
{
    refused("SIP/2.0/TCP 192.0.2.1:5070" BRANCH, "tcp:192.0.2.1:5070");
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

START_TEST(nobody_knows_the_name)
{
    refused("SIP/2.0/TCP proxy.example.net:5070" BRANCH, "tcp:192.0.2.1:5070");
    core_resolved_answer(rig.core, rig.asked[0].branch, NULL, 0);
    rig_pass(&rig, 0);
    rig_quiet(&rig);
    rig.resolves = false;
    rig_new_branch(&rig);
    refused("SIP/2.0/TCP proxy.example.net" BRANCH "2", "tcp:192.0.2.1:5060");
    rig_quiet(&rig);
    core_resolved_answer(rig.core, 4711, NULL, 0); /* stale */
    rig_settled(&rig);
}
END_TEST

Suite *
suite_backup(void)
{
    Suite *s = suite_create("backup");
    TCase *c = rig_case("astray");

    tcase_add_test(c, a_name_is_looked_up);
    tcase_add_test(c, an_address_is_not);
    tcase_add_test(c, the_same_address_is_not_tried_twice);
    tcase_add_test(c, nobody_knows_the_name);
    suite_add_tcase(s, c);
    return s;
}
