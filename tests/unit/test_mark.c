/*
 * Branches and To-tags as pure functions: the same for each repeat, another for all else (RFC 3261 §8.1.1.7, §16.6 step 8,
 * RFC 5393 §4.2.1).
 */
#include "core/mark.h"

#include <stdio.h>

#include "sip/chars.h"
#include "unit/core_rig.h"

#define INVITE(via, extra, cseq)                                                    \
    "INVITE sip:bob@example.com SIP/2.0\r\nVia: " via "\r\n" extra                  \
    "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: " \
    "c1\r\nCSeq: " cseq "\r\n\r\n"
#define VIA_A "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa"

struct read {
    struct msg msg;
    struct gist gist;
    struct mark mark;
};

static struct read
read_text(const char *text)
{
    struct read read;

    ck_assert_int_eq(msg_read(span_of(text), &rig.turn, &read.msg), SIPD_OK);
    gist_read(&read.msg, &read.gist);
    ck_assert_uint_eq(read.gist.fault, 0);
    mark_begin(rig.core, &read.gist, &read.mark);
    return read;
}

/* What a branch is made of, in this test's usual case. */
static struct mark_branch_of
usual(const struct read *read, const struct hop *hop)
{
    return (struct mark_branch_of){
        .mark = &read->mark,
        .uri = SPAN("sip:bob@192.0.2.9"),
        .hop = hop,
        .attempt = 1,
        .loop = mark_loop(&read->mark, &read->msg),
        .sent_by = SPAN("198.51.100.1:5060"),
    };
}

/* The branch, as text. */
static const char *
branch(const struct mark_branch_of *of)
{
    static char texts[8][MARK_BRANCH_LEN + 1];
    static unsigned next;
    char *text = texts[next++ % countof(texts)];

    ck_assert_uint_eq(mark_branch(rig.core, of, text).len, MARK_BRANCH_LEN);
    return text;
}

/* The Via that we would write around a branch. */
static struct via
via_with(const char *branch_text, const char *sent_by)
{
    char text[256];
    struct span rest;
    struct via via;

    snprintf(text, sizeof text, "SIP/2.0/UDP %s;branch=%s", sent_by, branch_text);
    rest = arena_copy(&rig.turn, span_of(text));
    ck_assert_int_eq(via_next(&rest, &via), SIPD_OK);
    return via;
}

START_TEST(a_repeat_gets_the_same_branch)
{
    struct read one = read_text(INVITE(VIA_A, "", "1 INVITE")),
                two = read_text(INVITE(VIA_A, "", "1 INVITE"));
    struct hop hop = rig_hop(BOB);
    struct mark_branch_of a = usual(&one, &hop), b = usual(&two, &hop);

    ck_assert_str_eq(branch(&a), branch(&b));
    ck_assert(chars_is_token(span_of(branch(&a))));
    ck_assert_int_eq(strncmp(branch(&a), "z9hG4bK", 7), 0);
}
END_TEST

START_TEST(all_that_makes_another_attempt_makes_another_branch)
{
    struct read read = read_text(INVITE(VIA_A, "", "1 INVITE"));
    struct read other_branch = read_text(INVITE(VIA_A "b", "", "1 INVITE"));
    struct read other_host =
        read_text(INVITE("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa", "", "1 INVITE"));
    struct read other_cseq = read_text(INVITE(VIA_A, "", "2 INVITE"));
    struct read other_route =
        read_text(INVITE(VIA_A, "Route: <sip:p.example.com;lr>\r\n", "1 INVITE"));
    struct hop hop = rig_hop(BOB), port = rig_hop("udp:192.0.2.9:5062"),
               ip = rig_hop("udp:192.0.2.8:5060");
    struct hop tcp = rig_hop("tcp:192.0.2.9:5060");
    struct mark_branch_of plain = usual(&read, &hop);
    struct mark_branch_of others[] = {
        plain,
        plain,
        plain,
        usual(&read, &port),
        usual(&read, &ip),
        usual(&read, &tcp),
        usual(&other_branch, &hop),
        usual(&other_host, &hop),
        usual(&other_cseq, &hop),
        usual(&other_route, &hop),
    };
    char texts[countof(others) + 1][MARK_BRANCH_LEN];

    others[0].uri = SPAN("sip:bob@192.0.2.8");
    others[1].routes = SPAN("sip:proxy.example.net;lr");
    others[2].attempt = 2;
    mark_branch(rig.core, &plain, texts[countof(others)]);
    for (size_t i = 0; i < countof(others); i++) {
        mark_branch(rig.core, &others[i], texts[i]);
        for (size_t j = 0; j < i; j++)
            if (memcmp(texts[i], texts[j], MARK_BRANCH_LEN) == 0)
                ck_abort_msg("the branches %zu and %zu are the same", i, j);
        if (memcmp(texts[i], texts[countof(others)], MARK_BRANCH_LEN) == 0)
            ck_abort_msg("the branch %zu is the usual one", i);
    }
}
END_TEST

/* Flows are numbered by each process; a connection that was opened anew is still the same way. */
START_TEST(a_flow_makes_no_other_branch)
{
    struct read read = read_text(INVITE(VIA_A, "", "1 INVITE"));
    struct hop one = rig_hop("tcp:192.0.2.9:5060/3"), other = rig_hop("tcp:192.0.2.9:5060/4");
    struct mark_branch_of a = usual(&read, &one), b = usual(&read, &other);

    other.listener++;
    ck_assert_str_eq(branch(&a), branch(&b));
}
END_TEST

START_TEST(our_branch_is_known_and_tells_its_loop)
{
    struct read read = read_text(INVITE(VIA_A, "", "1 INVITE"));
    struct hop hop = rig_hop(BOB);
    struct mark_branch_of of = usual(&read, &hop);
    struct via via = via_with(branch(&of), "198.51.100.1:5060");
    uint64_t loop = 0;

    ck_assert(mark_branch_is_ours(rig.core, &via, &loop));
    ck_assert(mark_is_loop(loop, of.loop));
    ck_assert_uint_ne(loop, 0);
    via = via_with(branch(&of), "198.51.100.2:5060");
    ck_assert(!mark_branch_is_ours(rig.core, &via, &loop));
}
END_TEST

START_TEST(nothing_near_it_is_ours)
{
    struct read read = read_text(INVITE(VIA_A, "", "1 INVITE"));
    struct hop hop = rig_hop(BOB);
    struct mark_branch_of of = usual(&read, &hop);
    char text[MARK_BRANCH_LEN + 2] = "";
    struct via via;
    uint64_t loop;

    for (size_t i = 0; i < MARK_BRANCH_LEN; i++) {
        memcpy(text, branch(&of), MARK_BRANCH_LEN);
        text[i] = text[i] == 'f' ? 'g' : 'f';
        via = via_with(text, "198.51.100.1:5060");
        must(!mark_branch_is_ours(rig.core, &via, &loop));
    }
    memcpy(text, branch(&of), MARK_BRANCH_LEN);
    text[MARK_BRANCH_LEN - 1] = '\0';
    via = via_with(text, "198.51.100.1:5060");
    ck_assert(!mark_branch_is_ours(rig.core, &via, &loop));
    memcpy(text, branch(&of), MARK_BRANCH_LEN);
    text[MARK_BRANCH_LEN] = '0';
    via = via_with(text, "198.51.100.1:5060");
    ck_assert(!mark_branch_is_ours(rig.core, &via, &loop));
    via = via_with("z9hG4bKx", "198.51.100.1:5060");
    ck_assert(!mark_branch_is_ours(rig.core, &via, &loop));
}
END_TEST

/* RFC 5393 §4.2.1: what the routing reads tells a spiral from a loop; method and Vias do not. */
START_TEST(a_loop_is_the_same_routing_input)
{
    struct read one = read_text(INVITE(VIA_A, "", "1 INVITE"));
    struct read again = read_text(INVITE("SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKb",
                                         "Via: " VIA_A "\r\nX: y\r\n", "1 INVITE"));
    struct read routed = read_text(INVITE(VIA_A, "Route: <sip:p.example.com;lr>\r\n", "1 INVITE"));
    struct read later = read_text(INVITE(VIA_A, "", "2 INVITE"));
    uint64_t loop = mark_loop(&one.mark, &one.msg);

    ck_assert_uint_eq(mark_loop(&again.mark, &again.msg), loop);
    ck_assert_uint_ne(mark_loop(&routed.mark, &routed.msg), loop);
    ck_assert_uint_ne(mark_loop(&later.mark, &later.msg), loop);
}
END_TEST

START_TEST(a_tag_is_the_same_for_invite_cancel_and_ack)
{
    struct read invite = read_text(INVITE(VIA_A, "", "1 INVITE"));
    struct read other = read_text(INVITE(VIA_A "b", "", "1 INVITE"));
    struct read cancel = read_text("CANCEL sip:bob@example.com SIP/2.0\r\nVia: " VIA_A
                                   "\r\nFrom: <sip:a@x>;tag=1\r\n"
                                   "To: <sip:b@x>\r\nCall-ID: c1\r\nCSeq: 1 CANCEL\r\n\r\n");
    struct read ack =
        read_text("ACK sip:bob@example.com SIP/2.0\r\nVia: " VIA_A "\r\nFrom: <sip:a@x>;tag=1\r\n"
                  "To: <sip:b@x>;tag=2\r\nCall-ID: c1\r\nCSeq: 1 ACK\r\n\r\n");
    char tag[MARK_TAG_LEN], same[MARK_TAG_LEN];
    struct span ours = mark_tag(&invite.mark, tag);

    ck_assert_uint_eq(ours.len, MARK_TAG_LEN);
    ck_assert(chars_is_token(ours));
    ck_assert(span_eq(ours, mark_tag(&cancel.mark, same)));
    ck_assert(span_eq(ours, mark_tag(&ack.mark, same)));
    ck_assert(!span_eq(ours, mark_tag(&other.mark, same)));
}
END_TEST

/* RFC 2543 peers have no branch; their whole Via tells. */
START_TEST(peers_without_a_branch_have_marks_too)
{
    struct read one = read_text(INVITE("SIP/2.0/UDP 192.0.2.1", "", "1 INVITE"));
    struct read two = read_text(INVITE("SIP/2.0/UDP 192.0.2.2", "", "1 INVITE"));
    char tag[MARK_TAG_LEN], other[MARK_TAG_LEN];

    ck_assert(!span_eq(mark_tag(&one.mark, tag), mark_tag(&two.mark, other)));
    ck_assert(span_eq(mark_tag(&one.mark, tag), mark_tag(&one.mark, other)));
}
END_TEST

START_TEST(nodes_that_share_the_key_agree)
{
    struct read read = read_text(INVITE(VIA_A, "", "1 INVITE"));
    struct hop hop = rig_hop(BOB);
    struct mark_branch_of of = usual(&read, &hop);
    char text[MARK_BRANCH_LEN];
    struct rand rand;
    const char *ours = branch(&of);
    struct mark mark;
    struct core *other;

    rand_seed(&rand, 99);
    rig.ports.rand = &rand;
    of.mark = &mark;
    ck_assert_int_eq(core_new(&other, &rig.ports, &rig.conf), SIPD_OK);
    mark_begin(other, &read.gist, &mark);
    ck_assert(span_eq(mark_branch(other, &of, text), span_of(ours)));
    core_free(&other);
    rig.ports.key.k1++;
    ck_assert_int_eq(core_new(&other, &rig.ports, &rig.conf), SIPD_OK);
    mark_begin(other, &read.gist, &mark);
    ck_assert(!span_eq(mark_branch(other, &of, text), span_of(ours)));
    core_free(&other);
}
END_TEST

Suite *
suite_mark(void)
{
    Suite *s = suite_create("mark");
    TCase *c = rig_case("marks");

    tcase_add_test(c, a_repeat_gets_the_same_branch);
    tcase_add_test(c, all_that_makes_another_attempt_makes_another_branch);
    tcase_add_test(c, a_flow_makes_no_other_branch);
    tcase_add_test(c, our_branch_is_known_and_tells_its_loop);
    tcase_add_test(c, nothing_near_it_is_ours);
    tcase_add_test(c, a_loop_is_the_same_routing_input);
    tcase_add_test(c, a_tag_is_the_same_for_invite_cancel_and_ack);
    tcase_add_test(c, peers_without_a_branch_have_marks_too);
    tcase_add_test(c, nodes_that_share_the_key_agree);
    suite_add_tcase(s, c);
    return s;
}
