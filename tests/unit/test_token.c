/*
 * The token in our Record-Route: comes back as it went, and nobody else can make one (RFC 3261 §16.6 step 4).
 */
#include "core/token.h"

#include "sip/chars.h"
#include "unit/core_rig.h"

#define CALL SPAN("call1@192.0.2.1")

/* What token_read says of a text. */
struct reading {
    bool ok;
    struct token is;
};

static struct reading
read_token(struct span call_id, struct span text)
{
    struct reading got = { .ok = false };

    got.ok = token_read(rig.core, call_id, text, &got.is);
    return got;
}

static struct span
write_token(struct span call_id, uint16_t listener, const struct hop *flow, char to[TOKEN_BYTES])
{
    struct token token = { .listener = listener,
                           .has_flow = flow != NULL,
                           .by_flow = flow != NULL };

    if (flow)
        token.flow = *flow;
    return token_write(rig.core, call_id, &token, to);
}

START_TEST(a_plain_token_names_its_listener)
{
    char text[TOKEN_BYTES];
    struct reading got = read_token(CALL, write_token(CALL, 513, NULL, text));

    ck_assert(got.ok);
    ck_assert(!got.is.has_flow);
    ck_assert_uint_eq(got.is.flow.listener, 513);
    ck_assert_uint_eq(got.is.flow.transport, HOP_NONE);
}
END_TEST

START_TEST(a_flow_comes_back_whole)
{
    static const char *const hops[] = {
        "udp:192.0.2.1:5060",   "tcp:203.0.113.7:65535/18446744073709551615",
        "udp:[2001:db8::7]:1",  "tls:[2001:db8::7]:5061/9",
        "tls:192.0.2.8:5061/1",
    };
    static const size_t lens[] = { 32, 48, 56, 72, 48 };
    char text[TOKEN_BYTES];

    for (size_t i = 0; i < countof(hops); i++) {
        struct hop flow = rig_hop(hops[i]);
        struct span token = write_token(CALL, 7, &flow, text);
        struct reading got = read_token(CALL, token);

        ck_assert_uint_eq(token.len, lens[i]);
        ck_assert_uint_eq(token_len(token), token.len);
        ck_assert(got.ok);
        ck_assert(got.is.has_flow);
        ck_assert(hop_eq(&got.is.flow, &flow));
        ck_assert_uint_eq(got.is.flow.flow, flow.flow);
        ck_assert_uint_eq(got.is.flow.listener, 7);
    }
}
END_TEST

START_TEST(one_that_is_bound_says_so)
{
    struct token token = {
        .listener = 3, .has_flow = true, .bound = true, .flow = rig_hop("udp:192.0.2.1:5060")
    };
    char text[TOKEN_BYTES];
    struct reading got = read_token(CALL, token_write(rig.core, CALL, &token, text));

    ck_assert(got.ok);
    ck_assert(got.is.bound);
    ck_assert(got.is.has_flow);
    ck_assert(!got.is.ours);
    ck_assert(!got.is.by_flow);
    token.ours = token.by_flow = true;
    got = read_token(CALL, token_write(rig.core, CALL, &token, text));
    ck_assert(got.is.ours);
    ck_assert(got.is.by_flow);
    token.bound = false;
    ck_assert(!read_token(CALL, token_write(rig.core, CALL, &token, text)).is.bound);
}
END_TEST

START_TEST(it_may_stand_in_a_user_part)
{
    struct hop flow = rig_hop("tcp:203.0.113.7:65535/77");
    char text[TOKEN_BYTES];
    struct span token = write_token(CALL, 7, &flow, text);

    ck_assert(chars_all(token, CHARS_UNRESERVED));
    token = write_token(CALL, 7, NULL, text);
    ck_assert(chars_all(token, CHARS_UNRESERVED));
}
END_TEST

START_TEST(it_is_for_one_call)
{
    char text[TOKEN_BYTES];
    struct span token = write_token(CALL, 1, NULL, text);

    ck_assert(!read_token(SPAN("call2@192.0.2.1"), token).ok);
    ck_assert(!read_token(SPAN(""), token).ok);
}
END_TEST

/* Each character changed, each one left out, one more at the end. */
START_TEST(nothing_near_it_is_a_token)
{
    struct hop flow = rig_hop("tcp:203.0.113.7:5060/77");
    char text[TOKEN_BYTES + 1], bad[TOKEN_BYTES + 1];

    for (int with_flow = 0; with_flow < 2; with_flow++) {
        struct span token = write_token(CALL, 1, with_flow ? &flow : NULL, text);

        for (size_t i = 0; i < token.len; i++) {
            memcpy(bad, token.at, token.len);
            bad[i] = bad[i] == 'a' ? 'b' : 'a';
            must(!read_token(CALL, (struct span){ bad, token.len }).ok);
            bad[i] = 'A';
            must(!read_token(CALL, (struct span){ bad, token.len }).ok);
            bad[i] = '\0';
            must(!read_token(CALL, (struct span){ bad, token.len }).ok);
            must(!read_token(CALL, span_head(token, i)).ok);
        }
        memcpy(bad, token.at, token.len);
        bad[token.len] = '0';
        must(!read_token(CALL, (struct span){ bad, token.len + 1 }).ok);
    }
}
END_TEST

START_TEST(other_texts_are_no_tokens)
{
    static const char long_text[] =
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

    ck_assert(!read_token(CALL, SPAN("")).ok);
    ck_assert(!read_token(CALL, SPAN("alice")).ok);
    ck_assert(!read_token(CALL, SPAN("0")).ok);
    for (size_t len = 0; len < sizeof long_text; len++)
        must(!read_token(CALL, (struct span){ long_text, len }).ok);
}
END_TEST

START_TEST(another_key_makes_another_token)
{
    char text[TOKEN_BYTES];
    struct span token = write_token(CALL, 1, NULL, text);
    struct core *other;

    rig.ports.key.k0++;
    ck_assert_int_eq(core_new(&other, &rig.ports, &rig.conf), SIPD_OK);
    ck_assert(read_token(CALL, token).ok);
    ck_assert(!token_read(other, CALL, token, &(struct token){ .listener = 0 }));
    core_free(&other);
}
END_TEST

Suite *
suite_token(void)
{
    Suite *s = suite_create("token");
    TCase *c = rig_case("tokens");

    tcase_add_test(c, a_plain_token_names_its_listener);
    tcase_add_test(c, a_flow_comes_back_whole);
    tcase_add_test(c, one_that_is_bound_says_so);
    tcase_add_test(c, it_may_stand_in_a_user_part);
    tcase_add_test(c, it_is_for_one_call);
    tcase_add_test(c, nothing_near_it_is_a_token);
    tcase_add_test(c, other_texts_are_no_tokens);
    tcase_add_test(c, another_key_makes_another_token);
    suite_add_tcase(s, c);
    return s;
}
