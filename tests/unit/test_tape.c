/*
 * What was decided, kept on a tape of a fixed length; and what must not be on it.
 */
#include "daemon/tape.h"

#include <stdio.h>

#include "base/mask.h"
#include "base/rand.h"
#include "unit/message.h"

enum { TAPE_BYTES_HERE = 8192 };

#define SECRETS                                                                        \
    "INVITE sip:bob:builder@example.com SIP/2.0\r\n"                                   \
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nCall-ID: a@b\r\nCSeq: 1 INVITE\r\n" \
    "From: <sip:alice:wonder@Example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\n"      \
    "Authorization: Digest username=\"alice\", response=\"0123456789abcdef\"\r\n"      \
    "Proxy-Authorization: Digest response=\"fedcba98\"\r\nCookie: crumbs\r\n"          \
    "Content-Type: application/sdp\r\n\r\nv=0\r\na=crypto:1 AES inline:keykeykey\r\n"

static struct tape tape;
static struct msg msg;

static void
begin(void)
{
    static const struct prf_key key = { 1, 2 };

    message_begin();
    msg = read_text(SECRETS);
    ck_assert_int_eq(tape_init(&tape, TAPE_BYTES_HERE, &key, 1), SIPD_OK);
}

static void
end(void)
{
    tape_fini(&tape);
    message_end();
}

static void
put(struct span line, bool with_bytes)
{
    struct gist gist;
    struct hop hop = { .transport = HOP_UDP, .port = 5060 };
    struct explain_event event = { .step = STEP_HEARD, .hop = &hop, .line = line };

    gist = gist_of(&msg);
    event.gist = &gist;
    event.bytes = msg_bytes(&msg);
    tape_put(&tape, &event, 77, &hop, with_bytes);
}

static bool
tape_has(const char *text)
{
    return memmem(tape.bytes, tape.cap, text, strlen(text)) != NULL;
}

START_TEST(secrets_never_reach_it)
{
    static const char *const secrets[] = { "builder",  "wonder", "0123456789abcdef",
                                           "fedcba98", "crumbs", "keykeykey" };

    put(SPAN("INVITE sip:bob:builder@example.com SIP/2.0"), false);
    for (size_t i = 0; i < countof(secrets); i++)
        ck_assert_msg(!tape_has(secrets[i]), "%s", secrets[i]);
    must(tape_has("INVITE sip:bob:***@example.com SIP/2.0"));
    put(SPAN("INVITE sip:bob@example.com SIP/2.0"), true); /* for a capture, which has them all */
    must(tape_has("keykeykey"));
}
END_TEST

static size_t
put_any(struct rand *rand, char *to, size_t most)
{
    static const char marks[] = "abcXYZ0189-_.!~*'()%41&=+$,;?/";
    size_t len = rand_below(rand, most);

    for (size_t i = 0; i < len; i++)
        to[i] = marks[rand_below(rand, sizeof marks - 1)];
    return len;
}

/* Whatever user and password are of that RFC 3261 §25.1 has, however long, in whichever text; on the tape, in words, in sipctl. */
START_TEST(no_password_is_ever_shown)
{
    static const char secret[] = "S3kr1t";
    static const char *const before[] = { "INVITE ", "",      "<",          "\"A: b\" <",
                                          "it was ", "a@b, ", "sip:x:5060 " };
    static const char *const behind[] = { "@example.com SIP/2.0", "@[2001:db8::1]:5061>", "@h",
                                          "@h;p=v?Subject=a:b:c" };
    struct rand rand;
    struct buf out;

    buf_init(&out, 1 << 16);
    rand_seed(&rand, 5);
    for (unsigned round = 0; round < 3000; round++) {
        char text[4096];
        struct span it = { text, 0 };
        struct explain_event event = { .step = (enum step)rand_below(&rand, STEPS) };

        it.len +=
            (size_t)snprintf(text, sizeof text, "%s%s", before[rand_below(&rand, countof(before))],
                             rand_below(&rand, 2) ? "sip:u" : "SIPS:u");
        it.len += put_any(&rand, text + it.len, round % 3 ? 20 : 600);
        text[it.len++] = ':';
        it.len += put_any(&rand, text + it.len, round % 5 ? 10 : 600);
        memcpy(text + it.len, secret, sizeof secret - 1);
        it.len += sizeof secret - 1;
        it.len += put_any(&rand, text + it.len, 10);
        it.len += (size_t)snprintf(text + it.len, sizeof text - it.len, "%s",
                                   behind[rand_below(&rand, countof(behind))]);
        event.uri = event.why = event.line = it;
        tape_put(&tape, &event, 1, NULL, false);
        ck_assert_msg(!tape_has(secret), "%.*s", SPAN_ARG(it));
        buf_clear(&out);
        explain_words(&event, &out);
        mask_put(&out, it);
        ck_assert_msg(!memmem(out.bytes, out.len, secret, sizeof secret - 1), "%.*s", SPAN_ARG(it));
    }
    buf_fini(&out);
}
END_TEST

START_TEST(an_event_comes_back_as_it_went)
{
    struct span texts[TAPE_TEXTS];
    struct tape_record r;

    put(SPAN("INVITE sip:bob@example.com SIP/2.0"), true);
    must(tape_get(&tape, 1, &r, texts));
    ck_assert_uint_eq(r.seq, 1);
    ck_assert_uint_eq(r.at_us, 77);
    ck_assert_uint_eq(r.step, STEP_HEARD);
    must(r.has_local && r.has_hop);
    must_be(texts[TAPE_CALL_ID], "a@b");
    must_be(texts[TAPE_CSEQ], "1 INVITE");
    must_be(texts[TAPE_BYTES], SECRETS);
    must(tape_may_be(&tape, 1, tape_call_hash(&tape, SPAN("a@b"))));
    must(!tape_may_be(&tape, 1, tape_call_hash(&tape, SPAN("a@c"))));
    must(!tape_get(&tape, 0, &r, texts) && !tape_get(&tape, 2, &r, texts));
}
END_TEST

START_TEST(whose_it_is)
{
    static const char *const his[] = { "alice", "alice@example.com", "sip:alice@EXAMPLE.com",
                                       "bob" };
    struct span texts[TAPE_TEXTS];
    struct tape_record r;

    put(SPAN("INVITE sip:bob@example.com SIP/2.0"), false);
    must(tape_get(&tape, 1, &r, texts));
    for (size_t i = 0; i < countof(his); i++) {
        uint32_t name = tape_name_hash(&tape, span_of(his[i]));
        bool found = false;

        for (int k = 0; k < TAPE_NAMES; k++)
            found |= r.names[k] == name;
        ck_assert_msg(found, "%s", his[i]);
    }
    for (int k = 0; k < TAPE_NAMES; k++)
        ck_assert_uint_ne(r.names[k], tape_name_hash(&tape, SPAN("carol")));
}
END_TEST

/* Whatever is written, it takes no more than it took at first, and what is there is whole. */
START_TEST(the_oldest_go_first)
{
    struct span texts[TAPE_TEXTS];
    struct tape_record r;
    uint64_t live;

    put(SPAN("INVITE sip:a@example.com SIP/2.0"), true);
    live = mem_live();
    for (int i = 0; i < 5000; i++)
        put(SPAN("INVITE sip:a@example.com SIP/2.0"), i % 3 == 0);
    ck_assert_uint_eq(mem_live(), live);
    ck_assert_uint_eq(tape.next, 5002);
    ck_assert_uint_gt(tape.first, 4900);
    ck_assert_uint_lt(tape.first, 5000);
    must(!tape_get(&tape, tape.first - 1, &r, texts));
    for (uint64_t seq = tape.first; seq < tape.next; seq++) {
        must(tape_get(&tape, seq, &r, texts));
        ck_assert_uint_eq(r.seq, seq);
        must_be(texts[TAPE_CALL_ID], "a@b");
    }
}
END_TEST

START_TEST(what_is_too_large_for_it_goes_without_its_bytes)
{
    static char large[TAPE_BYTES_HERE];
    struct explain_event event = { .step = STEP_SENT, .bytes = { large, sizeof large } };
    struct span texts[TAPE_TEXTS];
    struct tape_record r;

    tape_put(&tape, &event, 1, NULL, true);
    must(tape_get(&tape, 1, &r, texts));
    ck_assert_uint_eq(texts[TAPE_BYTES].len, 0);
}
END_TEST

START_TEST(without_memory_there_is_none)
{
    static const struct prf_key key = { 1, 2 };
    struct tape other;

    for (unsigned n = 0; n < 2; n++) {
        mem_fail_after(n);
        ck_assert_int_eq(tape_init(&other, 4096, &key, 1), SIPD_ENOMEM);
        mem_fail_never();
    }
}
END_TEST

Suite *suite_tape(void);

Suite *
suite_tape(void)
{
    Suite *s = suite_create("tape");
    TCase *c = tcase_create("tape");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, secrets_never_reach_it);
    tcase_add_test(c, no_password_is_ever_shown);
    tcase_add_test(c, an_event_comes_back_as_it_went);
    tcase_add_test(c, whose_it_is);
    tcase_add_test(c, the_oldest_go_first);
    tcase_add_test(c, what_is_too_large_for_it_goes_without_its_bytes);
    tcase_add_test(c, without_memory_there_is_none);
    suite_add_tcase(s, c);
    return s;
}
