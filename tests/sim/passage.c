/*
 * What a sipd passes on leaves as it came.
 */
#include "sim/passage.h"

#include "base/mem.h"
#include "core/upstream.h"

/* A world of a thousand calls hears less: of one that is forgotten a repeat in other words would be taken for it. */
enum { MEMORY = 65536, TEXT_BYTES = 1 << 20, SHOWN_BYTES = 1500 };

struct kept { /* a message that was heard */
    struct table_node node;
    struct list link; /* the oldest first */
    const struct sim_sipd *sipd;
    size_t key_len, len;
    char text[]; /* what it is known by, and what of it passes */
};

struct passage {
    struct table kept;
    struct list by_age;
    uint64_t used, compared;
    bool forgot;
    struct buf text; /* of the message at hand */
};

struct passage *
passage_new(void)
{
    struct passage *p = mem_new(sizeof *p);

    BUG_ON(!p || table_init(&p->kept) != SIPD_OK);
    list_init(&p->by_age);
    buf_init(&p->text, TEXT_BYTES);
    return p;
}

static void
forget_oldest(struct passage *p)
{
    struct kept *kept = container_of(list_shift(&p->by_age), struct kept, link);

    table_remove(&p->kept, &kept->node);
    p->used--;
    mem_free(kept);
}

void
passage_free(struct passage **ref)
{
    struct passage *p = *ref;

    if (!p)
        return;
    while (p->used > 0)
        forget_oldest(p);
    table_fini(&p->kept);
    buf_fini(&p->text);
    mem_free(p);
    *ref = NULL;
}

/* ------------------------------------------------------------------ what passes */

/* Of a response its first line, the fields that no proxy may touch, in their order, and the body. */
static void
put_what_passes(struct buf *b, const struct msg *msg)
{
    unsigned hop = msg_is_request(msg) ? H_HOP_REQ : H_HOP_RES;

    buf_put(b, msg_is_request(msg) ? msg_span(msg, msg->version)
                                   : span_head(msg_bytes(msg), msg->reason.at + msg->reason.len));
    buf_put_char(b, '\n');
    for (uint32_t i = 0; i < msg->fields_len; i++) {
        const struct msg_field *f = &msg->fields[i];

        if (!(names_header_flags((enum header)f->id) & hop))
            buf_put(b, span_between(msg->bytes + f->at, msg->bytes + f->end));
    }
    buf_put_char(b, '\n');
    buf_put(b, msg_body(msg));
}

/* What the two have in common whatever a sipd does: the Via of who was there before, and the transaction. */
static void
put_key(struct buf *b, const struct msg *msg, const struct gist *gist, const struct via *beneath)
{
    buf_put(b, beneath->branch);
    buf_put_char(b, '\n');
    buf_put(b, beneath->sent_by);
    buf_put_char(b, '\n');
    buf_put(b, gist->cseq_method);
    buf_put_u64(b, gist->cseq);
    if (msg_is_request(msg)) {
        buf_put(b, gist->method_text);
    } else { /* its own answers have another tag than those that it heard */
        buf_put_u64(b, msg->status);
        buf_put(b, gist->to_tag);
    }
    buf_put_char(b, '\n');
}

/* The key and what passes, in p->text. Returns how long the key is. */
static size_t
write_text(struct passage *p, const struct msg *msg, const struct gist *gist,
           const struct via *beneath)
{
    size_t key_len;

    buf_clear(&p->text);
    put_key(&p->text, msg, gist, beneath);
    key_len = p->text.len;
    put_what_passes(&p->text, msg);
    BUG_ON(p->text.err != SIPD_OK);
    return key_len;
}

/* ------------------------------------------------------------------ kept and found */

static uint64_t
hash_of(struct span bytes)
{
    uint64_t hash = bytes.len;

    for (size_t i = 0; i + 8 <= bytes.len; i += 8) {
        uint64_t word;

        memcpy(&word, bytes.at + i, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return hash;
}

struct wanted {
    const struct sim_sipd *sipd;
    struct span text; /* begins with the key */
    size_t key_len;
};

static bool
is_same_key(const struct table_node *node, const void *arg)
{
    const struct kept *kept = container_of_const(node, struct kept, node);
    const struct wanted *wanted = arg;

    return kept->sipd == wanted->sipd && kept->key_len == wanted->key_len &&
           memcmp(kept->text, wanted->text.at, wanted->key_len) == 0;
}

static bool
is_same(const struct table_node *node, const void *arg)
{
    const struct kept *kept = container_of_const(node, struct kept, node);
    const struct wanted *wanted = arg;

    return kept->len == wanted->text.len && is_same_key(node, arg) &&
           memcmp(kept->text, wanted->text.at, wanted->text.len) == 0;
}

static void
keep(struct passage *p, const struct wanted *text, uint64_t hash)
{
    struct kept *kept = mem_new(sizeof *kept + text->text.len);

    BUG_ON(!kept);
    kept->sipd = text->sipd;
    kept->key_len = text->key_len;
    kept->len = text->text.len;
    memcpy(kept->text, text->text.at, text->text.len);
    list_init(&kept->link);
    list_push(&p->by_age, &kept->link);
    table_insert(&p->kept, &kept->node, hash);
    if (++p->used <= MEMORY)
        return;
    forget_oldest(p);
    p->forgot = true;
}

/* A 100 is each hop's own (RFC 3261 §16.7 step 5): that of a sipd has the marks of the one that it heard. */
static bool
is_hop_by_hop(const struct msg *msg)
{
    return msg->status == 100;
}

void
passage_heard(struct passage *p, const struct sim_sipd *s, const struct msg *msg,
              const struct gist *gist)
{
    struct wanted text = { .sipd = s };
    struct via beneath = gist->via;
    uint64_t hash;

    if (is_hop_by_hop(msg))
        return;
    if (!msg_is_request(msg) && !upstream_second_via(msg, gist, &beneath))
        return;
    text.key_len = write_text(p, msg, gist, &beneath);
    text.text = buf_span(&p->text);
    hash = hash_of(span_head(text.text, text.key_len));
    if (!table_find(&p->kept, hash, is_same, &text))
        keep(p, &text, hash);
}

/* ------------------------------------------------------------------ compared */

/* From the line in which they begin to differ. */
static void
tell_difference(const struct sim_sipd *s, struct span came, struct span left)
{
    size_t at = 0;

    while (at < came.len && at < left.len && came.at[at] == left.at[at])
        at++;
    while (at > 0 && came.at[at - 1] != '\n')
        at--;
    came = span_head(span_skip(came, at), SHOWN_BYTES);
    left = span_head(span_skip(left, at), SHOWN_BYTES);
    world_fail(s->world,
               "%.*s did not pass a message on as it came.\nIt came:\n%.*s\nIt left:\n%.*s",
               SPAN_ARG(s->name), SPAN_ARG(came), SPAN_ARG(left));
}

void
passage_sent(struct passage *p, const struct sim_sipd *s, const struct msg *msg,
             const struct gist *gist)
{
    struct wanted text = { .sipd = s };
    struct via beneath = gist->via;
    const struct table_node *came;
    uint64_t hash;

    if (is_hop_by_hop(msg))
        return;
    if (msg_is_request(msg) && !upstream_second_via(msg, gist, &beneath))
        return;
    text.key_len = write_text(p, msg, gist, &beneath);
    text.text = buf_span(&p->text);
    hash = hash_of(span_head(text.text, text.key_len));
    if (table_find(&p->kept, hash, is_same, &text)) {
        p->compared++;
        return;
    }
    came = table_find(&p->kept, hash, is_same_key, &text);
    if (came) {
        const struct kept *kept = container_of_const(came, struct kept, node);

        tell_difference(s, (struct span){ kept->text, kept->len }, text.text);
    } else if (msg_is_request(msg) && !p->forgot) {
        world_fail(s->world, "%.*s sent a request that is made of none:\n%.*s", SPAN_ARG(s->name),
                   SPAN_ARG(msg_bytes(msg)));
    }
}

uint64_t
passage_compared(const struct passage *p)
{
    return p->compared;
}
