/*
 * Each header field that has a name here, malformed in each way: one that nobody needs never hurts and leaves as it came, one
 * that is needed gets a 400 that names it, or has a meaning all the same (RFC 3261 §16.3 step 1, §20, RFC 4475).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/def.h"
#include "base/err.h"
#include "sip/frame.h"
#include "sip/repair.h"

Suite *suite_malformed(void);

enum { MESSAGE_BYTES = 32768 };

/* clang-format off */
static const char *const values[] = {
    "", "<", ">", "<>", "<<sip:a@b>>", "\"", "\"open", "\"\\", "\"\"\"", ",", ",,,,", ";", ";;;;", ";=;=", "=", "*", "**", "%", "%%", "%0",
    "(", ")", "(open", "((((", ":", "::", "//", "\x01", "\x7f", "\xff\xfe\xfd", "\xc3\x28", "a\001b", "-1", "+1", "0x10", "1.5", "1 2",
    "99999999999999999999", "4294967296", "18446744073709551616", "sip:", "sip:@", "<sip:", "<sip:a@b", "sip:a@b>", "a b c", "a <b> c",
    "<sip:a@b>;tag", "<sip:a@b>;tag=", "<sip:a@b>;tag=1;tag=2", "<sip:a@b>, <sip:c@d>", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0/UDP ;branch=1",
    "SIP/2.0/UDP a:b", "SIP/2.0/UDP a:99999", "SIP/2.0/UDP [::1", "SIP/2.0", "1", "1 ", "1INVITE", "INVITE 1", "INVITE", "1 INVITE 2", "1 invite",
    "Mon, 99 Foo 9999 99:99:99 XYZ", "a/b/c", "/", "a/", "application", "Digest", "Digest ,,,", "Digest realm=\"open", "Basic !!", "\t", " \t ",
    "a\r\n b", "a\r\n\t\r\n b", "@", "@@", "a@", "@b", "a@b@c", "'", "\\", "|", "{}", "http://[", "tel:", "urn:",
};
/* clang-format on */

static const enum header needed[] = { HDR_VIA,  HDR_FROM,           HDR_TO,          HDR_CALL_ID,
                                      HDR_CSEQ, HDR_CONTENT_LENGTH, HDR_MAX_FORWARDS };

static const char *const good[] = {
    [HDR_VIA] = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKmalformed",
    [HDR_FROM] = "<sip:a@example.com>;tag=1",
    [HDR_TO] = "<sip:b@example.com>",
    [HDR_CALL_ID] = "malformed@192.0.2.1",
    [HDR_CSEQ] = "1 INVITE",
    [HDR_CONTENT_LENGTH] = "0",
    [HDR_MAX_FORWARDS] = "70",
};

static struct arena arena, work;

static void
begin(void)
{
    arena_init(&arena, 64 << 20);
    arena_init(&work, 16 << 20);
}

static void
end(void)
{
    arena_fini(&arena);
    arena_fini(&work);
}

static bool
is_needed(enum header id)
{
    for (size_t i = 0; i < countof(needed); i++)
        if (needed[i] == id)
            return true;
    return false;
}

/* An INVITE with this field malformed: in place of the good one, or among those that stay. */
static size_t
write_message(char *to, enum header id, const char *value)
{
    struct span name = names_header_text(id);
    size_t len = (size_t)snprintf(to, MESSAGE_BYTES, "INVITE sip:b@example.com SIP/2.0\r\n");

    for (size_t i = 0; i < countof(needed); i++)
        if (needed[i] != id)
            len += (size_t)snprintf(to + len, MESSAGE_BYTES - len, "%.*s: %s\r\n",
                                    SPAN_ARG(names_header_text(needed[i])), good[needed[i]]);
    return len + (size_t)snprintf(to + len, MESSAGE_BYTES - len, "%.*s: %s\r\n\r\n", SPAN_ARG(name),
                                  value);
}

struct outcome {
    struct msg msg;
    struct gist gist;
    struct repair_done done;
};

static struct outcome
read_all(struct span bytes)
{
    struct repair_policy policy;
    struct outcome o = { .done = { 0 } };
    struct frame frame;

    frame_datagram(bytes, &frame);
    ck_assert_int_eq(frame.kind, FRAME_MESSAGE);
    ck_assert_int_eq(msg_read(span_head(span_skip(bytes, frame.skip), frame.len), &arena, &o.msg),
                     SIPD_OK);
    msg_trim(&o.msg);
    gist_read(&o.msg, &o.gist);
    repair_policy_default(&policy);
    if (frame.fault == 0 && o.gist.fault == 0 && o.gist.odd != 0)
        ck_assert_int_eq(repair(&policy, NULL, NULL, &work, &arena, &o.msg, &o.gist, &o.done),
                         SIPD_OK);
    return o;
}

/* What is forwarded has the field, byte for byte. */
static void
must_pass_on(const struct outcome *o, const char *line)
{
    struct draft d;
    struct span out;
    char *text;

    draft_init(&d, &o->msg, &arena);
    draft_push_via(&d, &o->gist, SPAN("SIP/2.0/UDP proxy;branch=z9hG4bKnext"));
    draft_lower_max_forwards(&d, &o->gist);
    ck_assert_int_eq(draft_render(&d, &arena, &out), SIPD_OK);
    text = arena_copy(&arena, out).at ? (char *)(uintptr_t)arena_copy(&arena, out).at : NULL;
    ck_assert_ptr_nonnull(text);
    ck_assert_msg(strstr(text, line) != NULL, "%s is not in\n%s", line, text);
}

/* Fields that no reader of the core's looks at: of a request to another's domain not even Contact. */
START_TEST(not_needed)
{
    enum header id = (enum header)_i;
    static char text[MESSAGE_BYTES], line[MESSAGE_BYTES];

    if (id == HDR_OTHER || is_needed(id))
        return;
    for (size_t i = 0; i < countof(values); i++) {
        size_t len = write_message(text, id, values[i]);
        struct outcome o = read_all((struct span){ text, len });

        if (o.gist.fault)
            ck_abort_msg("%s\n%u %s", text, o.gist.fault, o.gist.fault_reason);
        ck_assert_uint_eq(o.done.fixed | o.done.rejected, 0);
        snprintf(line, sizeof line, "%.*s: %s\r\n", SPAN_ARG(names_header_text(id)), values[i]);
        must_pass_on(&o, line);
        arena_reset(&arena);
    }
}
END_TEST

/* Refused in its name, or read; and whoever has a Via and a CSeq can be told. */
START_TEST(is_needed_and_bad)
{
    enum header id = needed[_i];
    struct span name = names_header_text(id);
    unsigned refused = 0;
    static char text[MESSAGE_BYTES];

    for (size_t i = 0; i < countof(values); i++) {
        size_t len = write_message(text, id, values[i]);
        struct outcome o = read_all((struct span){ text, len });

        ck_assert(o.gist.answerable || id == HDR_VIA);
        if (!o.gist.fault)
            continue;
        refused++;
        ck_assert_uint_eq(o.gist.fault, 400);
        if (!strstr(o.gist.fault_reason, name.at))
            ck_abort_msg("%s: %s refused as %s", names_header_text(id).at, values[i],
                         o.gist.fault_reason);
        arena_reset(&arena);
    }
    /* Call-ID is compared and nothing else, so it may be nearly anything. */
    ck_assert_uint_gt(refused, id == HDR_CALL_ID ? 5 : countof(values) / 2);
}
END_TEST

/* It is not there at all, or twice with two meanings. */
START_TEST(is_needed_and_missing_or_doubled)
{
    enum header id = needed[_i];
    const struct {
        const char *name, *second;
    } doubled[] = {
        { "From", "<sip:c@example.com>;tag=2" },
        { "To", "<sip:c@example.com>" },
        { "Call-ID", "another" },
        { "CSeq", "2 INVITE" },
        { "Content-Length", "1" },
        { "Max-Forwards", "69" },
    };
    static char text[MESSAGE_BYTES], wanted[64];
    struct outcome o;
    size_t len = write_message(text, id, "");
    char *at;

    ck_assert_uint_gt(len, 0);
    at = strstr(text, names_header_text(id).at);
    ck_assert_ptr_nonnull(at);
    memcpy(at, "\r\n", 3);
    o = read_all(span_of(text));
    snprintf(wanted, sizeof wanted, "Missing %s", names_header_text(id).at);
    if (id == HDR_CONTENT_LENGTH || id == HDR_MAX_FORWARDS)
        ck_assert_uint_eq(o.gist.fault, 0);
    else
        ck_assert_str_eq(o.gist.fault_reason, wanted);
    for (size_t i = 0; i < countof(doubled); i++) {
        if (strcmp(doubled[i].name, names_header_text(id).at) != 0)
            continue;
        len = write_message(text, id, good[id]);
        snprintf(text + len - 2, sizeof text - len, "%s: %s\r\n\r\n", doubled[i].name,
                 doubled[i].second);
        o = read_all(span_of(text));
        snprintf(wanted, sizeof wanted, "Repeated %s", doubled[i].name);
        ck_assert_uint_eq(o.gist.fault, 400);
        ck_assert_str_eq(o.gist.fault_reason, wanted);
    }
}
END_TEST

Suite *
suite_malformed(void)
{
    Suite *s = suite_create("malformed");
    TCase *c = tcase_create("malformed");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_loop_test(c, not_needed, 0, HEADERS);
    tcase_add_loop_test(c, is_needed_and_bad, 0, (int)countof(needed));
    tcase_add_loop_test(c, is_needed_and_missing_or_doubled, 0, (int)countof(needed));
    suite_add_tcase(s, c);
    return s;
}
