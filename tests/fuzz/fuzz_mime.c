/*
 * Bodies, the Content-Type on the first line: parts tile what they stand in; replaced by itself nothing changes; what
 * was added can be taken out; an edit changes its own part and no other.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "fuzz/input.h"
#include "sip/draft_body.h"

enum { MOST = 64, ROUNDS = 2 };

int fuzz_mime(const uint8_t *data, size_t size);

/* All parts of a body, in the order of the walk. */
struct tree {
    struct mime_part parts[MOST];
    size_t len;
    bool broken; /* too many */
};

/* ---------------------------------------------------------------- reading */

static void
check_head(const struct mime_part *part)
{
    struct span rest = part->head;
    const char *at = part->head.at;
    struct mime_field field;

    while (mime_field_next(&rest, &field)) {
        BUG_ON(field.whole.at != at || field.name.len == 0);
        BUG_ON(!input_holds(field.whole, field.name) || !input_holds(field.whole, field.value));
        at = span_end(field.whole);
    }
    BUG_ON(at != span_end(part->head));
}

/* Head, an empty line or none, content. */
static void
check_part(const struct mime_part *part)
{
    struct span gap = span_between(span_end(part->head), part->content.at);

    BUG_ON(part->head.at != part->whole.at || span_end(part->content) != span_end(part->whole));
    BUG_ON(gap.len > 0 && !span_eq(gap, SPAN("\n")) && !span_eq(gap, SPAN("\r\n")));
    BUG_ON(part->disposition.type.len == 0);
    check_head(part);
}

/* Preamble, parts with their delimiters, the closing one, epilogue: without a gap. */
static void
check_tiles(const struct mime_part *part)
{
    struct mime_multi m;
    struct mime_part one;
    const char *at = NULL;

    if (!mime_multi_open(&m, part))
        return;
    BUG_ON(m.boundary.len == 0 || !span_eq(m.body, part->content));
    while (mime_multi_next(&m, &one)) {
        BUG_ON(one.level != part->level + 1 || (at && one.delimiter.at != at) ||
               !input_holds(m.body, one.delimiter));
        BUG_ON(span_end(one.delimiter) != one.whole.at || !input_holds(m.body, one.whole));
        BUG_ON(!mime_multi_delimits(&m, one.delimiter) || mime_multi_delimits(&m, one.whole));
        check_part(&one);
        at = span_end(one.whole);
    }
    if (m.close.len > 0)
        BUG_ON((at && m.close.at != at) || !input_holds(m.body, m.close) ||
               !mime_multi_delimits(&m, m.close));
    else
        BUG_ON(at && at != span_end(m.body));
}

static void
read_tree(const struct msg *msg, struct tree *out)
{
    struct mime_walk w;

    out->len = 0;
    out->broken = false;
    mime_walk_msg(&w, msg);
    while (mime_walk_next(&w)) {
        BUG_ON(w.depth != w.part.level || w.depth > w.levels_max);
        check_tiles(&w.part);
        if (out->len < MOST)
            out->parts[out->len++] = w.part;
        else
            out->broken = true;
    }
}

/* How many parts stand in the n-th one, itself included. */
static size_t
subtree(const struct tree *tree, size_t n)
{
    size_t end = n + 1;

    while (end < tree->len && tree->parts[end].level > tree->parts[n].level)
        end++;
    return end - n;
}

/* ---------------------------------------------------------------- editing */

static struct span
message_of(struct span type, struct span body, struct arena *arena)
{
    struct buf text;
    struct span kept;

    buf_init(&text, type.len + body.len + 256);
    buf_put(&text, SPAN("A sip:a SIP/2.0\r\nContent-Type: "));
    buf_put(&text, type);
    buf_put(&text, SPAN("\r\nContent-Length: "));
    buf_put_u64(&text, body.len);
    buf_put(&text, SPAN("\r\n\r\n"));
    buf_put(&text, body);
    kept = arena_copy(arena, buf_span(&text));
    BUG_ON(!kept.at);
    buf_fini(&text);
    return kept;
}

static void
go(struct mime_walk *w, const struct msg *msg, size_t n)
{
    mime_walk_msg(w, msg);
    do
        BUG_ON(!mime_walk_next(w));
    while (n-- > 0);
}

static void
render(const struct draft *d, struct arena *arena, struct msg *out)
{
    struct span bytes, length;
    uint64_t said;

    BUG_ON(draft_render(d, arena, &bytes) != SIPD_OK || msg_read(bytes, arena, out) != SIPD_OK);
    BUG_ON(out->body_len != draft_body_len(d));
    BUG_ON(!msg_get(out, HDR_CONTENT_LENGTH, &length) || !span_u64(length, UINT32_MAX, &said) ||
           said != out->body_len);
}

/* Is this part the edited one, or one that it stands in? Those change with it. */
static bool
changes_with(const struct mime_part *edited, const struct mime_part *part)
{
    return edited == part ||
           (edited->level > part->level && input_holds(part->whole, edited->delimiter));
}

static void
check_same(const struct tree *a, size_t i, const struct tree *b, size_t j,
           const struct mime_part *edited)
{
    BUG_ON(i >= a->len || j >= b->len || a->parts[i].level != b->parts[j].level);
    BUG_ON(!changes_with(edited, &a->parts[i]) && !span_eq(a->parts[i].whole, b->parts[j].whole));
}

/* From place n on `gone` parts of a are not in b any more, and `came` are there that were not. */
static void
check_trees(const struct tree *a, const struct tree *b, size_t n, size_t gone, size_t came,
            const struct mime_part *edited)
{
    BUG_ON(b->len != a->len - gone + came);
    for (size_t i = 0; i < n; i++)
        check_same(a, i, b, i, edited);
    for (size_t i = n + gone; i < a->len; i++)
        check_same(a, i, b, i - gone + came, edited);
}

/* What was added at place n goes again: then all is as it was. */
static void
check_taken_out(const struct msg *before, const struct msg *after, size_t n, struct arena *arena)
{
    struct mime_walk w;
    struct draft d;
    struct msg again;

    go(&w, after, n);
    draft_init(&d, after, arena);
    draft_drop_part(&d, &w);
    render(&d, arena, &again);
    BUG_ON(!span_eq(msg_bytes(&again), msg_bytes(before)));
}

static void
check_itself(const struct msg *msg, const struct tree *tree, size_t n, struct arena *arena)
{
    struct mime_walk w;
    struct draft d;

    go(&w, msg, n);
    BUG_ON(!span_eq(w.part.whole, tree->parts[n].whole));
    draft_init(&d, msg, arena);
    draft_set_content(&d, &w, w.part.content);
    if (n > 0)
        draft_set_part(&d, &w, w.part.whole);
    BUG_ON(d.len > 0 || d.err != SIPD_OK);
}

static void
check_set(const struct msg *msg, const struct tree *tree, size_t n, struct span content,
          struct arena *arena)
{
    struct mime_walk w;
    struct tree now_tree;
    struct draft d;
    struct msg now;

    go(&w, msg, n);
    draft_init(&d, msg, arena);
    draft_set_content(&d, &w, content);
    BUG_ON(d.err != SIPD_OK && d.err != SIPD_EINVAL);
    if (d.err != SIPD_OK)
        return;
    render(&d, arena, &now);
    read_tree(&now, &now_tree);
    BUG_ON(!span_eq(now_tree.parts[n].content, content));
    if (!tree->broken && !now_tree.broken)
        check_trees(tree, &now_tree, n + 1, subtree(tree, n) - 1, subtree(&now_tree, n) - 1,
                    &tree->parts[n]);
}

static void
check_added(const struct msg *msg, const struct tree *tree, size_t n, bool behind,
            struct arena *arena)
{
    struct span part = SPAN("X: y\r\n\r\n\r\n-\0-");
    struct mime_walk w;
    struct tree now_tree;
    struct draft d;
    struct msg now;

    go(&w, msg, n);
    draft_init(&d, msg, arena);
    if (behind)
        draft_append_part(&d, &w, part);
    else
        draft_insert_part(&d, &w, part);
    BUG_ON(d.err != SIPD_OK && d.err != SIPD_EINVAL && d.err != SIPD_ENOENT);
    if (d.err != SIPD_OK || (behind && w.part.level == MIME_LEVELS))
        return;
    render(&d, arena, &now);
    read_tree(&now, &now_tree);
    if (tree->broken || now_tree.broken)
        return;
    if (behind)
        n += subtree(tree, n);
    BUG_ON(!span_eq(now_tree.parts[n].whole, part));
    check_trees(tree, &now_tree, n, 0, 1,
                &(struct mime_part){ .level = behind ? w.part.level + 1 : w.part.level,
                                     .delimiter = w.part.content });
    check_taken_out(msg, &now, n, arena);
}

static void
check_dropped(const struct msg *msg, const struct tree *tree, size_t n, struct arena *arena)
{
    struct mime_walk w;
    struct tree now_tree;
    struct draft d;
    struct msg now;

    go(&w, msg, n);
    draft_init(&d, msg, arena);
    draft_drop_part(&d, &w);
    render(&d, arena, &now);
    read_tree(&now, &now_tree);
    if (n == 0)
        BUG_ON(now.body_len > 0 || now_tree.parts[0].type.type.len > 0);
    else if (!tree->broken)
        check_trees(tree, &now_tree, n, subtree(tree, n), 0, &tree->parts[n]);
}

static void
check_wrapped(const struct msg *msg, struct arena *arena)
{
    struct mime_walk w;
    struct draft d;
    struct msg now;

    draft_init(&d, msg, arena);
    draft_wrap_body(&d, SPAN("\r\nnew"));
    if (msg->body_len == 0) {
        BUG_ON(d.err != SIPD_ENOENT);
        return;
    }
    render(&d, arena, &now);
    go(&w, &now, 1);
    BUG_ON(!span_eq(w.part.content, msg_body(msg)));
}

static void
check_edits(const struct msg *msg, const struct tree *tree, struct rand *rand, struct arena *arena)
{
    size_t n = rand_u64(rand) % tree->len;
    struct span body = msg_body(msg);
    struct span content =
        span_head(span_skip(body, rand_u64(rand) % (body.len + 1)), rand_u64(rand) % 32);

    check_itself(msg, tree, n, arena);
    check_set(msg, tree, n, content, arena);
    check_added(msg, tree, n, false, arena);
    check_added(msg, tree, n, true, arena);
    check_dropped(msg, tree, n, arena);
}

int
fuzz_mime(const uint8_t *data, size_t size)
{
    struct span body = { (const char *)data, size }, type = span_cut(&body, '\n'), text;
    struct rand rand = input_rand(data, size);
    struct span guarded;
    struct tree tree;
    struct arena arena;
    struct msg msg;

    arena_init(&arena, 256 << 20);
    text = message_of(type, body, &arena);
    guarded = input_copy(text.at, text.len);
    BUG_ON(msg_read(guarded, &arena, &msg) != SIPD_OK);
    if (!msg.fault && span_eq(msg_body(&msg), body)) {
        read_tree(&msg, &tree);
        BUG_ON(!span_eq(tree.parts[0].content, body));
        for (unsigned i = 0; i < ROUNDS; i++)
            check_edits(&msg, &tree, &rand, &arena);
        check_wrapped(&msg, &arena);
    }
    input_free(&guarded);
    arena_fini(&arena);
    return 0;
}
