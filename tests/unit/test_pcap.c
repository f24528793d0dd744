/*
 * Captures that are made up: heads, sums, segments. Whether others can read them is asked in tests/live.
 */
#include "sipctl/pcap.h"

#include <stdio.h>

#include "unit/heap.h"
#include "unit/text.h"

enum { FILE_HEAD = 24, RECORD_HEAD = 16 };

struct rig {
    struct pcap pcap;
    struct buf file;
    size_t at; /* the next record that next() gives */
};

static struct rig *
rig_new(void)
{
    static struct rig rig;

    buf_init(&rig.file, 1 << 20);
    pcap_begin(&rig.pcap, &rig.file);
    ck_assert_uint_eq(rig.file.len, FILE_HEAD);
    rig.at = FILE_HEAD;
    return &rig;
}

static bool
say(struct rig *rig, bool stream, const char *from, const char *to, struct span bytes)
{
    struct pcap_message message = {
        .at_us = 1700000000123456,
        .stream = stream,
        .from = span_of(from),
        .to = span_of(to),
        .bytes = bytes,
    };

    return pcap_write(&rig->pcap, &message, &rig->file);
}

static uint32_t
own32(const char *at)
{
    uint32_t n;

    memcpy(&n, at, sizeof n);
    return n;
}

static uint32_t
get(struct span packet, size_t at, size_t bytes)
{
    uint32_t n = 0;

    must(at + bytes <= packet.len);
    while (bytes-- > 0)
        n = n << 8 | (unsigned char)packet.at[at++];
    return n;
}

static struct span
next(struct rig *rig)
{
    struct span packet;

    must(rig->at + RECORD_HEAD <= rig->file.len);
    must(own32(rig->file.bytes + rig->at) == 1700000000);
    must(own32(rig->file.bytes + rig->at + 4) == 123456);
    packet.len = own32(rig->file.bytes + rig->at + 8);
    must(packet.len == own32(rig->file.bytes + rig->at + 12));
    packet.at = rig->file.bytes + rig->at + RECORD_HEAD;
    rig->at += RECORD_HEAD + packet.len;
    must(rig->at <= rig->file.len);
    return packet;
}

/* The sum of words as a receiver makes it, over the pseudo-head too: 0xffff when all is well (RFC 1071, RFC 8200 §8.1). */
static uint32_t
sum(struct span packet, size_t from, uint32_t start)
{
    for (size_t i = from; i < packet.len; i++)
        start += get(packet, i, 1) << ((i - from) % 2 == 0 ? 8 : 0);
    while (start > 0xffff)
        start = (start >> 16) + (start & 0xffff);
    return start;
}

static void
must_add_up(struct span packet)
{
    bool six = get(packet, 0, 1) >> 4 == 6;
    size_t head = six ? 40 : 20;

    ck_assert_uint_eq(get(packet, six ? 4 : 2, 2), packet.len - (six ? head : 0));
    if (!six)
        ck_assert_uint_eq(sum(span_head(packet, head), 0, 0), 0xffff);
    ck_assert_uint_eq(
        sum(packet, six ? 8 : 12, get(packet, six ? 6 : 9, 1) + (uint32_t)(packet.len - head)),
        0xffff);
}

static void
end(struct rig *rig)
{
    ck_assert_uint_eq(rig->at, rig->file.len);
    buf_fini(&rig->file);
}

START_TEST(a_datagram_is_a_packet)
{
    struct rig *rig = rig_new();
    struct span packet;

    must(say(rig, false, "127.0.0.1:5070", "192.0.2.1:5060", SPAN("hello")));
    packet = next(rig);
    must_add_up(packet);
    ck_assert_uint_eq(get(packet, 9, 1), 17);
    ck_assert_uint_eq(get(packet, 12, 4), 0x7f000001);
    ck_assert_uint_eq(get(packet, 16, 4), 0xc0000201);
    ck_assert_uint_eq(get(packet, 20, 2), 5070);
    ck_assert_uint_eq(get(packet, 22, 2), 5060);
    ck_assert_uint_eq(get(packet, 24, 2), 13);
    must_text(span_skip(packet, 28), "hello");
    end(rig);
}
END_TEST

START_TEST(ipv6_too_and_the_scope_is_left_away)
{
    struct rig *rig = rig_new();
    struct span packet;

    must(say(rig, false, "[fe80::1%eth0]:5070", "[fe80::2]:5060", SPAN("hello")));
    packet = next(rig);
    must_add_up(packet);
    ck_assert_uint_eq(get(packet, 6, 1), 17);
    ck_assert_uint_eq(get(packet, 8, 4), 0xfe800000);
    ck_assert_uint_eq(get(packet, 36, 4), 2);
    must_text(span_skip(packet, 48), "hello");
    end(rig);
}
END_TEST

#define A "127.0.0.1:5070"
#define B "127.0.0.1:5060"

START_TEST(a_stream_goes_on_where_it_was)
{
    struct rig *rig = rig_new();
    struct span one, two, three, other;

    must(say(rig, true, A, B, SPAN("one")) && say(rig, true, B, A, SPAN("two!")));
    must(say(rig, true, "127.0.0.1:5071", B, SPAN("another")) &&
         say(rig, true, A, B, SPAN("three")));
    one = next(rig);
    two = next(rig);
    other = next(rig);
    three = next(rig);
    must_add_up(one);
    must_add_up(two);
    must_add_up(other);
    must_add_up(three);
    ck_assert_uint_eq(get(one, 9, 1), 6);
    must(get(two, 28, 4) == get(one, 24, 4) + 3);   /* acknowledged */
    must(get(three, 24, 4) == get(one, 24, 4) + 3); /* the next */
    must(get(three, 28, 4) == get(two, 24, 4) + 4);
    must_text(span_skip(three, 40), "three");
    end(rig);
}
END_TEST

START_TEST(more_than_64_kib_are_several_packets)
{
    static char bytes[200000];
    struct rig *rig = rig_new();
    struct span packet;
    size_t seen = 0;
    uint32_t seq = 0;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    must(say(rig, true, A, B, (struct span){ bytes, sizeof bytes }));
    while (seen < sizeof bytes) {
        packet = next(rig);
        must_add_up(packet);
        must(seen == 0 || get(packet, 24, 4) == seq);
        packet = (seq = get(packet, 24, 4), span_skip(packet, 40));
        must(span_eq(packet, (struct span){ bytes + seen, packet.len }));
        seen += packet.len;
        seq += (uint32_t)packet.len;
    }
    end(rig);
}
END_TEST

/* As many connections as fit, several times over. */
START_TEST(what_was_forgotten_never_goes_back)
{
    static uint32_t last[3 * PCAP_FLOWS];
    struct rig *rig = rig_new();
    char from[32];

    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < countof(last); i++) {
            uint32_t seq;

            buf_clear(&rig->file);
            rig->at = 0;
            snprintf(from, sizeof from, "10.0.%u.%u:5060", i / 250, i % 250 + 1);
            must(say(rig, true, from, B, SPAN("hello")));
            seq = get(next(rig), 24, 4);
            must(round == 0 || seq >= last[i] + 5);
            last[i] = seq;
        }
    end(rig);
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
    static const char *const wrong[] = { "",       "bob",         "127.0.0.1",   "127.0.0.1:65536",
                                         "[::1]:", "::g:1",       "300.0.0.1:1", "[::1]:1",
                                         ":5060",  "127.0.0.1:-1" };
    struct rig *rig = rig_new();

    for (size_t i = 0; i < countof(wrong); i++)
        must(!say(rig, false, wrong[i], B, SPAN("x")) && !say(rig, true, B, wrong[i], SPAN("x")));
    end(rig);
}
END_TEST

START_TEST(a_datagram_has_a_largest_size)
{
    static char bytes[65536];
    struct rig *rig = rig_new();

    must(say(rig, false, A, B, (struct span){ bytes, 65507 }));
    must_add_up(next(rig));
    must(say(rig, false, "[::1]:1", "[::2]:2", (struct span){ bytes, 65527 }));
    must_add_up(next(rig));
    must(!say(rig, false, A, B, (struct span){ bytes, 65508 }));
    must(!say(rig, false, "[::1]:1", "[::2]:2", (struct span){ bytes, 65528 }));
    end(rig);
}
END_TEST

Suite *
suite_pcap(void)
{
    Suite *suite = suite_create("pcap");
    TCase *all = heap_case("all");

    tcase_add_test(all, a_datagram_is_a_packet);
    tcase_add_test(all, ipv6_too_and_the_scope_is_left_away);
    tcase_add_test(all, a_stream_goes_on_where_it_was);
    tcase_add_test(all, more_than_64_kib_are_several_packets);
    tcase_add_test(all, what_was_forgotten_never_goes_back);
    tcase_add_test(all, what_is_no_address_is_refused);
    tcase_add_test(all, a_datagram_has_a_largest_size);
    suite_add_tcase(suite, all);
    return suite;
}
