/*
 * Which datagrams leave together (net/train).
 */
#include "net/train.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "base/rand.h"
#include "unit/must.h"

static struct outgoing in, out;
static struct leaving leaving;
static char room[2000];

static void
add(uint16_t port, size_t bytes)
{
    in.to[in.len].v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
    in.part[in.len] = (struct iovec){ room, bytes };
    in.token[in.len] = in.len;
    in.len++;
}

static void
expect_lens(const uint8_t *lens, unsigned count)
{
    leaving_in_trains(&in, &out, &leaving);
    ck_assert_uint_eq(leaving.count, count);
    for (unsigned i = 0; i < count; i++)
        ck_assert_uint_eq(leaving.len[i], lens[i]);
    ck_assert_uint_eq(leaving_datagrams(&leaving, 0, count), in.len);
    in.len = 0;
}
#define EXPECT_LENS(...) \
    expect_lens((const uint8_t[]){ __VA_ARGS__ }, countof(((const uint8_t[]){ __VA_ARGS__ })))

START_TEST(those_of_one_length_to_one_peer_are_a_train)
{
    for (int i = 0; i < 3; i++) {
        add(1, 400);
        add(2, 500);
    }
    EXPECT_LENS(3, 3);
    add(1, 400);
    EXPECT_LENS(1);
}
END_TEST

START_TEST(the_kernel_is_told_where_to_cut)
{
    struct train_message message;
    uint16_t bytes;

    add(1, 400);
    add(2, 500);
    add(2, 300);
    EXPECT_LENS(1, 2);
    train_write(&out, 1, 2, &message);
    memcpy(&bytes, CMSG_DATA(CMSG_FIRSTHDR(&message.head)), sizeof bytes);
    ck_assert_uint_eq(bytes, 500);
    ck_assert_uint_eq(message.head.msg_iovlen, 2);
    ck_assert_ptr_eq(message.head.msg_iov, &out.part[1]);
    ck_assert_ptr_eq(message.head.msg_name, &out.to[1]);
}
END_TEST

START_TEST(a_shorter_one_is_the_last_of_a_train)
{
    add(1, 400);
    add(1, 400);
    add(1, 300);
    add(1, 300);
    add(1, 400);
    EXPECT_LENS(3, 1, 1);
}
END_TEST

START_TEST(what_may_have_to_be_cut_is_in_no_train)
{
    add(1, 1300);
    add(1, 1300);
    add(1, 1232);
    add(1, 1232);
    EXPECT_LENS(1, 1, 2);
}
END_TEST

START_TEST(a_train_has_an_end)
{
    for (int i = 0; i < 100; i++)
        add(1, 100);
    EXPECT_LENS(64, 36);
    for (int i = 0; i < 60; i++)
        add(1, 1200);
    EXPECT_LENS(54, 6);
}
END_TEST

/* Whatever comes, everything leaves once, and to each peer in its order. */
START_TEST(to_each_peer_the_order_stays)
{
    struct rand r;

    rand_seed(&r, 7);
    for (int round = 0; round < 2000; round++) {
        uint64_t last[200] = { 0 }, seen = 0;
        unsigned peers = 1 + (unsigned)rand_below(&r, 200), n = (unsigned)rand_below(&r, 129);

        in.len = 0;
        while (in.len < n)
            add((uint16_t)(1 + rand_below(&r, peers)), 100 + rand_below(&r, 3));
        leaving_in_trains(&in, &out, &leaving);
        must(out.len == n && leaving_datagrams(&leaving, 0, leaving.count) == n);
        for (unsigned i = 0; i < n; i++) {
            unsigned peer = ntohs(out.to[i].v4.sin_port) - 1u;

            must(out.token[i] + 1 > last[peer]);
            last[peer] = out.token[i] + 1;
            seen += out.token[i];
        }
        must(seen == (uint64_t)n * (n - (n > 0)) / 2);
    }
}
END_TEST

START_TEST(each_may_leave_for_itself)
{
    add(1, 400);
    add(1, 400);
    add(2, 400);
    leaving_singly(&in, 1, &leaving);
    ck_assert_uint_eq(leaving.count, 2);
    ck_assert_uint_eq(leaving_datagrams(&leaving, 1, 1), 1);
    in.len = 0;
}
END_TEST

Suite *suite_train(void);

Suite *
suite_train(void)
{
    Suite *suite = suite_create("train");
    TCase *made = tcase_create("trains");

    suite_add_tcase(suite, made);
    tcase_add_test(made, those_of_one_length_to_one_peer_are_a_train);
    tcase_add_test(made, the_kernel_is_told_where_to_cut);
    tcase_add_test(made, a_shorter_one_is_the_last_of_a_train);
    tcase_add_test(made, what_may_have_to_be_cut_is_in_no_train);
    tcase_add_test(made, a_train_has_an_end);
    tcase_add_test(made, to_each_peer_the_order_stays);
    tcase_add_test(made, each_may_leave_for_itself);
    return suite;
}
