/*
 * Framing: a stream gives the same frames however it is cut, and parser and framer see the same Content-Length.
 */
#include "sip/frame.h"

#include "base/arena.h"
#include "base/err.h"
#include "fuzz/input.h"
#include "sip/gist.h"
#include "sip/num.h"

enum { FRAMES = 256 };

struct frames {
    struct frame list[FRAMES];
    size_t len;
    size_t taken; /* bytes */
};

/* A frame's message, read: if nothing is wrong with it, its body is as long as it says. */
static void
check_message(struct span bytes, bool is_stream)
{
    struct arena arena;
    struct msg msg;
    struct gist gist;
    struct span value;
    uint32_t length = 0;

    arena_init(&arena, 16 << 20);
    if (msg_read(bytes, &arena, &msg) == SIPD_OK) {
        if (!is_stream)
            msg_trim(&msg);
        gist_read(&msg, &gist);
        if (!gist.fault && msg_get(&msg, HDR_CONTENT_LENGTH, &value)) {
            BUG_ON(!num_length(value, &length));
            BUG_ON(msg.body_len != length);
        } else if (!gist.fault && is_stream) {
            BUG_ON(msg.body_len != 0);
        }
    }
    arena_fini(&arena);
}

/* Takes what frames there are. False when no further ones can come. */
static bool
take_frames(struct span bytes, size_t limit, size_t *seen, struct frames *out)
{
    while (out->len < FRAMES) {
        struct span rest = span_skip(bytes, out->taken), view = input_copy(rest.at, rest.len);
        struct frame frame;

        frame_stream(view, limit, seen, &frame);
        BUG_ON(frame.len > rest.len || frame.len > limit + 4 || frame.head_len > rest.len);
        if (frame.kind == FRAME_MESSAGE)
            check_message(span_head(view, frame.len), true);
        input_free(&view);
        if (frame.kind == FRAME_MORE)
            return true;
        out->list[out->len++] = frame;
        if (frame.kind == FRAME_BAD)
            return false;
        BUG_ON(frame.len == 0 || frame.skip != 0);
        out->taken += frame.len;
        *seen = 0;
    }
    return false;
}

static void
read_in_cuts(struct span bytes, size_t limit, struct rand *rand, size_t largest, struct frames *out)
{
    size_t seen = 0, here = 0;

    *out = (struct frames){ .len = 0 };
    while (here < bytes.len) {
        here += 1 + rand_below(rand, largest);
        here = here < bytes.len ? here : bytes.len;
        if (!take_frames(span_head(bytes, here), limit, &seen, out))
            return;
    }
}

static void
check_same(const struct frames *a, const struct frames *b)
{
    BUG_ON(a->len != b->len || a->taken != b->taken);
    for (size_t i = 0; i < a->len; i++) {
        BUG_ON(a->list[i].kind != b->list[i].kind || a->list[i].len != b->list[i].len);
        BUG_ON(a->list[i].fault != b->list[i].fault || a->list[i].head_len != b->list[i].head_len);
    }
}

static void
check_datagram(struct span bytes)
{
    struct frame frame;

    frame_datagram(bytes, &frame);
    BUG_ON(frame.kind == FRAME_MORE || frame.skip + frame.len > bytes.len);
    if (frame.kind == FRAME_MESSAGE)
        check_message(span_head(span_skip(bytes, frame.skip), frame.len), false);
}

int
fuzz_frame(const uint8_t *data, size_t size)
{
    static struct frames whole, cut;
    struct rand rand = input_rand(data, size);
    struct span bytes;

    if (size > 4096)
        return 0;
    bytes = input_copy(data, size);
    check_datagram(bytes);
    for (unsigned round = 0; round < 2; round++) {
        size_t limit = round % 2 ? 65535 : 1 + rand_below(&rand, size + 16);

        read_in_cuts(bytes, limit, &rand, SIZE_MAX - size, &whole);
        read_in_cuts(bytes, limit, &rand, 1 + size / 8, &cut);
        check_same(&whole, &cut);
        if (size < 512)
            read_in_cuts(bytes, limit, &rand, 1, &cut);
        check_same(&whole, &cut);
    }
    input_free(&bytes);
    return 0;
}
