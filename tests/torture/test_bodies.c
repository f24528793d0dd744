/*
 * Every body of the collection, alone and as a part of a multipart, is split and put together again byte by byte,
 * added, replaced and taken out, and nothing beside it changes (RFC 2046, RFC 3204, RFC 5621; tests/torture/README).
 */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "sip/draft_body.h"

#define FOLDER "tests/torture/bodies"

static json_t *bodies;
static struct arena arena;

static void
begin(void)
{
    arena_init(&arena, 16 << 20);
}

static void
end(void)
{
    arena_fini(&arena);
}

static const char *
text_of(size_t n, const char *key)
{
    const char *text = json_string_value(json_object_get(json_array_get(bodies, n), key));

    ck_assert_ptr_nonnull(text);
    return text;
}

/* A file in a block without a byte to spare. */
static struct span
bytes_of(const char *name)
{
    char path[256];
    FILE *file;
    char *bytes;
    long len;

    snprintf(path, sizeof path, "%s/%s", FOLDER, name);
    file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s (run from the top folder)", path);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    len = ftell(file);
    rewind(file);
    bytes = arena_alloc(&arena, (size_t)len);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)len, file), (size_t)len);
    fclose(file);
    return (struct span){ bytes, (size_t)len };
}

static bool
is_message(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".sip") == 0;
}

static struct msg
read_message(struct span bytes)
{
    struct msg msg;

    ck_assert_int_eq(msg_read(bytes, &arena, &msg), SIPD_OK);
    ck_assert_uint_eq(msg.fault, 0);
    return msg;
}

/* A message that carries these bytes. */
static struct msg
message_with(const char *type, struct span body)
{
    struct buf text;
    struct span bytes;

    buf_init(&text, 1 << 20);
    buf_put(&text, SPAN("MESSAGE sip:bob@example.com SIP/2.0\r\nContent-Type: "));
    buf_put(&text, span_of(type));
    buf_put(&text, SPAN("\r\nContent-Length: "));
    buf_put_u64(&text, body.len);
    buf_put(&text, SPAN("\r\n\r\n"));
    buf_put(&text, body);
    bytes = arena_copy(&arena, buf_span(&text));
    ck_assert_ptr_nonnull(bytes.at);
    buf_fini(&text);
    return read_message(bytes);
}

/* What the n-th file makes of a message: the message that it is, or one that carries it. */
static struct msg
message_of(size_t n)
{
    const char *name = text_of(n, "file");

    return is_message(name) ? read_message(bytes_of(name))
                            : message_with(text_of(n, "type"), bytes_of(name));
}

/* The n-th part of a message's body, 0 the body. */
static void
go(struct mime_walk *w, const struct msg *msg, unsigned n)
{
    mime_walk_msg(w, msg);
    do
        ck_assert(mime_walk_next(w));
    while (n-- > 0);
}

static unsigned
count_parts(const struct msg *msg)
{
    struct mime_walk w;
    unsigned n = 0;

    mime_walk_msg(&w, msg);
    while (mime_walk_next(&w))
        n++;
    return n;
}

static struct msg
rendered(const struct draft *d)
{
    struct span out, length;
    struct msg msg;
    uint64_t said;

    ck_assert_int_eq(draft_render(d, &arena, &out), SIPD_OK);
    msg = read_message(out);
    ck_assert(msg_get(&msg, HDR_CONTENT_LENGTH, &length) && span_u64(length, UINT32_MAX, &said));
    ck_assert_uint_eq(said, msg.body_len);
    return msg;
}

static void
must_be_same(const struct msg *a, const struct msg *b)
{
    ck_assert(span_eq(msg_bytes(a), msg_bytes(b)));
}

/* ---------------------------------------------------------------- split and put together */

static void
put_part(struct buf *out, const struct mime_part *part)
{
    struct mime_multi m;
    struct mime_part inner;
    const char *at = part->content.at;

    buf_put(out, part->delimiter);
    buf_put(out, part->head);
    if (part->level > 0)
        buf_put(out, span_between(span_end(part->head), at));
    if (!mime_multi_open(&m, part)) {
        buf_put(out, part->content);
        return;
    }
    buf_put(out, span_between(at, m.ahead.len > 0   ? m.ahead.at
                                  : m.close.len > 0 ? m.close.at
                                                    : span_end(m.body)));
    while (mime_multi_next(&m, &inner))
        put_part(out, &inner);
    buf_put(out, m.close);
    if (m.close.len > 0)
        buf_put(out, span_between(span_end(m.close), span_end(m.body)));
}

START_TEST(split_and_put_together)
{
    struct msg msg = message_of((size_t)_i);
    struct mime_walk w;
    struct buf out;

    buf_init(&out, 1 << 20);
    go(&w, &msg, 0);
    put_part(&out, &w.part);
    ck_assert(span_eq(buf_span(&out), msg_body(&msg)));
    buf_fini(&out);
}
END_TEST

/* ---------------------------------------------------------------- edits */

/* Before and behind the n-th part's content there is what there was, but for Content-Length. */
static void
check_set(const struct msg *msg, unsigned n, struct span content)
{
    struct mime_walk w, now_w;
    struct draft d;
    struct msg now;
    size_t before, behind;

    go(&w, msg, n);
    draft_init(&d, msg, &arena);
    draft_set_content(&d, &w, content);
    now = rendered(&d);
    go(&now_w, &now, n);
    ck_assert(span_eq(now_w.part.content, content));
    before = (size_t)(w.part.content.at - msg_body(msg).at);
    behind = msg->body_len - before - w.part.content.len;
    ck_assert_uint_eq(now.body_len, before + content.len + behind);
    ck_assert(span_eq(span_head(msg_body(&now), before), span_head(msg_body(msg), before)));
    ck_assert(span_eq(span_skip(msg_body(&now), before + content.len),
                      span_skip(msg_body(msg), msg->body_len - behind)));
    draft_init(&d, &now, &arena);
    draft_set_content(&d, &now_w, w.part.content);
    now = rendered(&d);
    must_be_same(&now, msg);
}

static void
check_itself(const struct msg *msg, unsigned n)
{
    struct mime_walk w;
    struct draft d;

    go(&w, msg, n);
    draft_init(&d, msg, &arena);
    draft_set_content(&d, &w, w.part.content);
    if (n > 0)
        draft_set_part(&d, &w, w.part.whole);
    ck_assert_uint_eq(d.len, 0);
    ck_assert_int_eq(d.err, SIPD_OK);
}

START_TEST(every_part_is_set)
{
    struct msg msg = message_of((size_t)_i);

    for (unsigned n = 0; n < count_parts(&msg); n++) {
        check_itself(&msg, n);
        check_set(&msg, n, SPAN("\0\r\n--\r\n"));
        check_set(&msg, n, SPAN(""));
    }
}
END_TEST

/* Each file goes into this message as another part, before and behind those that are there, and comes out again. */
START_TEST(added_and_taken_out)
{
    const char *type = text_of((size_t)_i, "type");
    struct span content = bytes_of(text_of((size_t)_i, "file"));
    struct msg msg = read_message(bytes_of("sip-t-invite-isup-tricky.sip"));

    for (unsigned n = 0; n <= 2; n++) {
        struct mime_walk w;
        struct draft d;
        struct msg now;

        go(&w, &msg, n);
        draft_init(&d, &msg, &arena);
        if (n == 0)
            draft_append_part(
                &d, &w, draft_part(&d, span_of(type), SPAN("render;handling=optional"), content));
        else
            draft_insert_part(
                &d, &w, draft_part(&d, span_of(type), SPAN("render;handling=optional"), content));
        if (is_message(text_of((size_t)_i, "file")) && d.err == SIPD_EINVAL)
            continue; /* it holds this multipart's own delimiters */
        now = rendered(&d);
        go(&w, &now, n == 0 ? 3 : n);
        ck_assert(span_eq(w.part.content, content));
        ck_assert(w.part.disposition.optional);
        ck_assert_uint_eq(count_parts(&now), 4);
        draft_init(&d, &now, &arena);
        draft_drop_part(&d, &w);
        now = rendered(&d);
        must_be_same(&now, &msg);
    }
}
END_TEST

/* Each file as the body of a message gets company, and is still what it was. */
START_TEST(wrapped)
{
    struct msg msg = message_of((size_t)_i), now;
    struct mime_walk w;
    struct draft d;

    draft_init(&d, &msg, &arena);
    draft_wrap_body(
        &d, draft_part(&d, SPAN("application/ISUP"), SPAN(""), bytes_of("isup-iam-rfc3204.bin")));
    now = rendered(&d);
    go(&w, &now, 1);
    ck_assert(span_eq(w.part.content, msg_body(&msg)));
    go(&w, &now, count_parts(&now) - 1);
    ck_assert(span_eq(w.part.content, bytes_of("isup-iam-rfc3204.bin")));
    ck_assert_uint_eq(count_parts(&now), count_parts(&msg) + 2);
}
END_TEST

/* ---------------------------------------------------------------- however deep */

enum { DEEP = 20 };

/* Twenty multiparts, each the only part of the one around it but for a line of text, and text within the last. */
static struct msg
deep_message(void)
{
    struct msg msg;
    struct buf body;

    buf_init(&body, 1 << 20);
    for (int i = 0; i < DEEP; i++)
        buf_printf(
            &body,
            "--b%d\r\n\r\nlevel %d\r\n--b%d\r\nContent-Type: multipart/mixed;boundary=b%d\r\n\r\n",
            i, i, i, i + 1);
    buf_printf(&body, "--b%d\r\n\r\nthe last\r\n--b%d--", DEEP, DEEP);
    for (int i = DEEP - 1; i >= 0; i--)
        buf_printf(&body, "\r\n--b%d--", i);
    msg = message_with("multipart/mixed;boundary=b0", buf_span(&body));
    buf_fini(&body);
    return msg;
}

/* The way to what stands deepest. */
static void
go_deep(struct mime_walk *w, const struct msg *msg, struct mime_multi levels[DEEP + 1])
{
    mime_walk_msg(w, msg);
    mime_walk_deeper(w, levels, DEEP + 1);
    do
        ck_assert(mime_walk_next(w));
    while (!span_eq(w->part.content, SPAN("the last")));
    ck_assert_uint_eq(w->part.level, DEEP + 1);
}

/* Whoever gives room for all levels finds what stands deepest; another word for it there, and all else is as it was. */
START_TEST(split_however_deep)
{
    struct mime_multi levels[DEEP + 1];
    struct msg msg = deep_message(), now;
    struct mime_walk w;
    struct draft d;
    struct buf out;

    go_deep(&w, &msg, levels);
    draft_init(&d, &msg, &arena);
    draft_set_content(&d, &w, SPAN("another"));
    now = rendered(&d);
    ck_assert_uint_eq(now.body_len, msg.body_len - 1);
    ck_assert_uint_lt(count_parts(&msg), 2 * DEEP + 2);
    buf_init(&out, 1 << 20);
    go(&w, &msg, 0);
    put_part(&out, &w.part);
    ck_assert(span_eq(buf_span(&out), msg_body(&msg)));
    buf_fini(&out);
}
END_TEST

/* Who only passes it on sees no part of it. */
START_TEST(passes_however_deep)
{
    struct msg msg = deep_message();
    struct draft d;
    struct msg now;

    draft_init(&d, &msg, &arena);
    draft_set_uri(&d, SPAN("sip:bob@192.0.2.20"));
    draft_add_header(&d, SPAN("Via"), SPAN("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKdeep"));
    now = rendered(&d);
    ck_assert(span_eq(msg_body(&now), msg_body(&msg)));
}
END_TEST

/* ---------------------------------------------------------------- what is in them */

/* The .sip files: SDP first, then what a gateway would want. */
START_TEST(signalling_beside_sdp)
{
    static const struct {
        const char *file, *type, *disposition;
        bool optional;
        const char *content; /* the same as this file holds; NULL: it is its own */
    } cases[] = {
        { "sip-t-invite-isup.sip", "application/isup", "signal", true, "isup-iam-rfc3204.bin" },
        { "sip-t-invite-isup-tricky.sip", "application/ISUP", "signal", true, NULL },
        { "sip-i-invite-isup-required.sip", "application/ISUP", "signal", false,
          "isup-iam-rfc3204.bin" },
        { "invite-qsig.sip", "application/QSIG", "signal", false, "qsig-setup-rfc3204.bin" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct msg msg = read_message(bytes_of(cases[i].file));
        struct mime_walk w;

        ck_assert_uint_eq(count_parts(&msg), 3);
        go(&w, &msg, 1);
        ck_assert(mime_type_is(&w.part.type, SPAN("application/sdp")));
        ck_assert(span_eq(w.part.disposition.type, SPAN("session")));
        go(&w, &msg, 2);
        ck_assert(mime_type_is(&w.part.type, span_of(cases[i].type)));
        ck_assert(span_eq(w.part.disposition.type, span_of(cases[i].disposition)));
        ck_assert(w.part.disposition.optional == cases[i].optional);
        if (cases[i].content)
            ck_assert(span_eq(w.part.content, bytes_of(cases[i].content)));
    }
}
END_TEST

START_TEST(all_are_there)
{
    ck_assert_uint_ge(json_array_size(bodies), 100);
}
END_TEST

static void
drop_bodies(void)
{
    json_decref(bodies);
}

Suite *
suite_bodies(void)
{
    Suite *s = suite_create("bodies");
    TCase *c = tcase_create("bodies");
    int n;

    bodies = json_load_file(FOLDER "/index.json", 0, NULL);
    n = (int)json_array_size(bodies);
    tcase_add_unchecked_fixture(c, NULL, drop_bodies);
    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, all_are_there);
    tcase_add_test(c, signalling_beside_sdp);
    tcase_add_test(c, split_however_deep);
    tcase_add_test(c, passes_however_deep);
    tcase_add_loop_test(c, split_and_put_together, 0, n);
    tcase_add_loop_test(c, every_part_is_set, 0, n);
    tcase_add_loop_test(c, added_and_taken_out, 0, n);
    tcase_add_loop_test(c, wrapped, 0, n);
    suite_add_tcase(s, c);
    return s;
}
