/*
 * The last things that were decided, on a tape of a fixed length.
 */
#include "daemon/tape.h"

#include "base/mem.h"
#include "sip/addr.h"
#include "sip/uri.h"

enum {
    TEXT_BYTES = 512,  /* of one text, but for a message's bytes */
    EVENT_BYTES = 256, /* of one event: less than most need, so that marks outlast the bytes */
    NAME_BYTES = 512,
};

/* A call's events follow each other: who its parties are is found out once. */
struct tape_last {
    uint32_t call, names[4];
    size_t lens[3];            /* of Call-ID, From and To … */
    char text[3 * TEXT_BYTES]; /* … which stand here, one behind the other */
};

static size_t
marks_of(size_t bytes)
{
    return bytes / EVENT_BYTES + 16;
}

size_t
tape_memory(size_t bytes)
{
    return bytes + marks_of(bytes) * sizeof(struct tape_mark);
}

int
tape_init(struct tape *tape, size_t bytes, const struct prf_key *key, uint64_t next)
{
    *tape = (struct tape){ .cap = bytes & ~(size_t)7, .marks_len = marks_of(bytes), .key = *key };
    tape->first = tape->next = next;
    buf_init(&tape->work, TAPE_WORK_BYTES);
    tape->bytes = mem_new(tape->cap);
    tape->marks = mem_new(tape->marks_len * sizeof *tape->marks);
    tape->last = mem_new(sizeof *tape->last);
    if (tape->bytes && tape->marks && tape->last)
        return SIPD_OK;
    tape_fini(tape);
    return SIPD_ENOMEM;
}

void
tape_fini(struct tape *tape)
{
    if (tape->bytes)
        explicit_bzero(tape->bytes, tape->cap);
    mem_free(tape->bytes);
    mem_free(tape->marks);
    mem_free(tape->last);
    buf_fini(&tape->work);
    tape->bytes = NULL;
    tape->last = NULL;
    tape->marks = NULL;
    tape->first = tape->next;
}

/* ------------------------------------------------------------------ whose it is */

static uint32_t
hash(const struct tape *tape, struct span text)
{
    uint32_t h = (uint32_t)prf_hash(&tape->key, text);

    return h ? h : 1;
}

uint32_t
tape_call_hash(const struct tape *tape, struct span call_id)
{
    return hash(tape, call_id);
}

/* The host in small letters; a port or parameters behind it do not count. */
static uint32_t
hash_name(const struct tape *tape, struct span user, struct span host)
{
    char text[NAME_BYTES];
    size_t len = user.len;

    if (user.len == 0)
        return 0;
    if (user.len + host.len + 1 > sizeof text)
        return 0;
    memcpy(text, user.at, user.len);
    if (host.len > 0)
        text[len++] = '@';
    for (size_t i = 0; i < host.len; i++)
        text[len++] = span_lower(host.at[i]);
    return hash(tape, (struct span){ text, len });
}

uint32_t
tape_name_hash(const struct tape *tape, struct span name)
{
    struct span none = { NULL, 0 }, host = name, user;
    struct uri uri;

    if (uri_read(name, &uri) == SIPD_OK && uri.user.len > 0)
        return hash_name(tape, uri.user, uri.scheme == URI_TEL ? none : uri.host);
    user = span_cut(&host, '@');
    return hash_name(tape, user, host);
}

static void
add_uri(const struct tape *tape, struct span text, uint32_t names[2])
{
    struct span none = { NULL, 0 };
    struct uri uri;

    if (uri_read(text, &uri) != SIPD_OK)
        return;
    names[0] = hash_name(tape, uri.user, none);
    names[1] = hash_name(tape, uri.user, uri.host);
}

static void
add_party(const struct tape *tape, struct span value, uint32_t names[2])
{
    struct addr addr;

    if (addr_read(value, &addr) == SIPD_OK)
        add_uri(tape, addr.uri, names);
}

/* Of a request's first line. */
static struct span
uri_of(struct span line)
{
    span_cut(&line, ' ');
    return span_cut(&line, ' ');
}

/* ------------------------------------------------------------------ flat */

/* Without passwords, and no longer than it may be. */
static struct span
masked(struct buf *to, struct span text)
{
    size_t before = to->len;

    explain_text_head(text, TEXT_BYTES, to);
    return (struct span){ to->bytes + before, to->len - before };
}

static struct span
short_of(struct span text)
{
    return span_head(text, TEXT_BYTES);
}

/* "1 INVITE" */
static struct span
cseq_of(const struct gist *gist, struct buf *to)
{
    size_t before = to->len;

    buf_put_u64(to, gist->cseq);
    buf_put_char(to, ' ');
    buf_put(to, short_of(gist->cseq_method));
    return (struct span){ to->bytes + before, to->len - before };
}

static bool
is_message(enum step step)
{
    return step == STEP_HEARD || step == STEP_SENT;
}

static bool
is_last(const struct tape_last *last, const struct span parts[3])
{
    const char *at = last->text;

    for (int i = 0; i < 3; i++) {
        if (last->lens[i] != parts[i].len ||
            (parts[i].len > 0 && memcmp(at, parts[i].at, parts[i].len) != 0))
            return false;
        at += parts[i].len;
    }
    return last->call != 0;
}

static void
keep_last(struct tape_last *last, const struct tape_record *r, const struct span parts[3])
{
    char *to = last->text;

    last->call = 0;
    for (int i = 0; i < 3; i++) {
        if (parts[i].len > TEXT_BYTES)
            return;
        last->lens[i] = parts[i].len;
        to = span_write(to, parts[i]);
    }
    last->call = r->call;
    memcpy(last->names, r->names, sizeof last->names);
}

/* Whose call it is. */
static void
find_names(struct tape *tape, const struct gist *gist, struct span call_id, struct tape_record *r)
{
    const struct span parts[3] = { call_id, gist->from, gist->to };

    if (tape->last && is_last(tape->last, parts)) {
        r->call = tape->last->call;
        memcpy(r->names, tape->last->names, sizeof tape->last->names);
        return;
    }
    r->call = tape_call_hash(tape, call_id);
    add_party(tape, gist->from, &r->names[0]);
    add_party(tape, gist->to, &r->names[2]);
    if (tape->last)
        keep_last(tape->last, r, parts);
}

void
tape_flatten(struct tape *tape, const struct explain_event *event, struct buf *work,
             struct tape_record *r, struct span texts[TAPE_TEXTS])
{
    const struct gist *gist = event->gist;

    memset(texts, 0, TAPE_TEXTS * sizeof *texts);
    *r = (struct tape_record){ .trip = event->trip,
                               .dry = event->dry,
                               .step = event->step,
                               .nth = event->nth,
                               .count = event->count,
                               .q = event->q,
                               .status = event->status,
                               .has_q = event->has_q,
                               .has_hop = event->hop != NULL };
    if (event->hop)
        r->hop = *event->hop;
    buf_clear(work);
    if (!buf_reserve(work, TAPE_WORK_BYTES)) /* so that it stays where it is */
        return;
    texts[TAPE_URI] = masked(work, event->uri);
    texts[TAPE_WHY] = masked(work, event->why);
    texts[TAPE_LINE] = masked(work, event->line);
    texts[TAPE_WHO] = short_of(event->who);
    if (gist) {
        texts[TAPE_CALL_ID] = short_of(gist->call_id);
        if (is_message(event->step))
            texts[TAPE_CSEQ] = cseq_of(gist, work);
        find_names(tape, gist, texts[TAPE_CALL_ID], r);
    }
    if (is_message(event->step) && !span_starts(event->line, SPAN("SIP/")))
        add_uri(tape, uri_of(event->line), &r->names[4]);
    texts[TAPE_BYTES] = event->bytes;
    for (int i = 0; i < TAPE_TEXTS; i++)
        r->lens[i] = (uint32_t)texts[i].len;
}

/* ------------------------------------------------------------------ the tape */

static size_t
flat_bytes(const struct tape_record *r)
{
    size_t len = sizeof *r;

    for (int i = 0; i < TAPE_TEXTS; i++)
        len += r->lens[i];
    return (len + 7) & ~(size_t)7;
}

/* What is written over is gone. */
static void
forget_before(struct tape *tape, uint64_t end)
{
    while (tape->first < tape->next &&
           (tape->marks[tape->first % tape->marks_len].at + tape->cap < end ||
            tape->next - tape->first >= tape->marks_len))
        tape->first++;
}

void
tape_put(struct tape *tape, const struct explain_event *event, uint64_t at_us,
         const struct hop *local, bool with_bytes)
{
    struct span texts[TAPE_TEXTS];
    struct tape_record r;
    size_t len, place;

    if (!tape->bytes)
        return;
    tape_flatten(tape, event, &tape->work, &r, texts);
    if (!with_bytes || texts[TAPE_BYTES].len > tape->cap / 4)
        r.lens[TAPE_BYTES] = 0;
    r.seq = tape->next;
    r.at_us = at_us;
    r.has_local = local != NULL;
    if (local)
        r.local = *local;
    len = flat_bytes(&r);
    if (tape->end % tape->cap + len > tape->cap)
        tape->end += tape->cap - tape->end % tape->cap; /* in one piece */
    forget_before(tape, tape->end + len);
    place = tape->end % tape->cap;
    tape->marks[r.seq % tape->marks_len] = (struct tape_mark){ .at = tape->end, .call = r.call };
    memcpy(tape->bytes + place, &r, sizeof r);
    place += sizeof r;
    for (int i = 0; i < TAPE_TEXTS; i++) {
        if (r.lens[i] > 0)
            memcpy(tape->bytes + place, texts[i].at, r.lens[i]);
        place += r.lens[i];
    }
    tape->end += len;
    tape->next++;
}

bool
tape_get(const struct tape *tape, uint64_t seq, struct tape_record *r,
         struct span texts[TAPE_TEXTS])
{
    const char *at;

    if (!tape->bytes || seq < tape->first || seq >= tape->next)
        return false;
    at = tape->bytes + tape->marks[seq % tape->marks_len].at % tape->cap;
    memcpy(r, at, sizeof *r);
    at += sizeof *r;
    for (int i = 0; i < TAPE_TEXTS; i++) {
        texts[i] = (struct span){ at, r->lens[i] };
        at += r->lens[i];
    }
    return true;
}

bool
tape_may_be(const struct tape *tape, uint64_t seq, uint32_t call)
{
    return tape->bytes && seq >= tape->first && seq < tape->next &&
           tape->marks[seq % tape->marks_len].call == call;
}
