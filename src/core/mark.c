/*
 * Branches and To-tags as keyed pure functions of the request and its target (RFC 3261 §8.1.1.7, §16.6 step 8, §16.11,
 * RFC 5393 §4.2.1).
 */
#include "core/mark.h"

#include "base/digits.h"
#include "core/state.h"

#define HEAD SPAN("z9hG4bKbaa") /* the cookie (§8.1.1.7), then version, key-id and shard */

enum { N_AT = 10, L_AT = N_AT + DIGITS_64, T_AT = L_AT + 8 };

/* What a mark is for, in the top byte of the next word: no two uses of one key may hash the same. */
static const uint64_t for_branch = 1, for_loop = 2, for_tag = 3, for_seed = 4;

static inline void
put(struct siphash *p, uint64_t word)
{
    siphash_put(p, word, 1);
}

/* A text, filled up to a word; a word before it tells how long it is. */
static inline void
put_text(struct siphash *p, struct span s)
{
    siphash_put_whole(p, s, 1);
    if (s.len % 8 > 0)
        put(p, siphash_rest(s));
}

static inline void
put_pair(struct siphash *p, struct span a, struct span b)
{
    put(p, (uint64_t)a.len << 32 ^ b.len);
    put_text(p, a);
    put_text(p, b);
}

static inline uint64_t
ended(struct siphash *p)
{
    return siphash_end(p, 0xff, 3);
}

void
mark_begin(const struct core *core, const struct gist *gist, struct mark *mark)
{
    struct siphash p = siphash_begin(&core->mark_key);

    put(&p, (uint64_t)gist->call_id.len << 32 | gist->cseq);
    put_text(&p, gist->call_id);
    mark->dialog = p;
    if (gist->via.has_cookie)
        put_pair(&p, gist->via.branch, gist->via.sent_by);
    else
        put_pair(&p, gist->via.whole, SPAN(""));
    mark->request = p;
}

uint64_t
mark_loop(const struct mark *mark, const struct msg *msg)
{
    const struct msg_field *route = NULL;
    struct siphash p = mark->dialog;

    put(&p, for_loop << 56 | msg->uri.len);
    put_text(&p, msg_span(msg, msg->uri));
    while ((route = msg_find(msg, HDR_ROUTE, route))) {
        put(&p, route->value_len);
        put_text(&p, msg_value(msg, route));
    }
    return ended(&p);
}

bool
mark_is_loop(uint64_t l, uint64_t loop)
{
    return l == digits_of(loop);
}

/* T, of N and L as they are written in a branch, and our sent-by. */
static uint64_t
proof_of(const struct core *core, const char *branch, struct span sent_by)
{
    return prf_mac(&core->proof_key, span_between(branch + N_AT, branch + T_AT), sent_by);
}

/*
 * Contacts behind two NATs may be one URI: only the address tells them apart. A flow is known to this process only, and its
 * address says as much.
 */
struct span
mark_branch(const struct core *core, const struct mark_branch_of *of, char to[MARK_BRANCH_LEN])
{
    struct siphash p = of->mark->request;
    const struct hop *hop = of->hop;
    uint64_t where = (uint64_t)hop->port << 8 | hop->transport;

    put(&p, for_branch << 56 | (uint64_t)of->attempt << 24 | where);
    put(&p, word_read(hop->ip));
    put(&p, word_read(hop->ip + 8));
    put(&p, of->loop);
    put_pair(&p, of->uri, of->routes);
    memcpy(to, HEAD.at, HEAD.len);
    digits_write(ended(&p), to + N_AT);
    word_write(digits_of(of->loop), to + L_AT);
    digits_write(proof_of(core, to, of->sent_by), to + T_AT);
    return (struct span){ to, MARK_BRANCH_LEN };
}

bool
mark_branch_is_ours(const struct core *core, const struct via *via, uint64_t *l)
{
    const char *branch = via->branch.at;

    if (via->branch.len != MARK_BRANCH_LEN || !span_starts(via->branch, HEAD) ||
        !digits_are(branch + T_AT, proof_of(core, branch, via->sent_by)))
        return false;
    *l = word_read(branch + L_AT);
    return true;
}

uint64_t
mark_seed(const struct mark *mark)
{
    struct siphash p = mark->request;

    put(&p, for_seed << 56);
    return ended(&p);
}

struct span
mark_tag(const struct mark *mark, char to[MARK_TAG_LEN])
{
    struct siphash p = mark->request;

    put(&p, for_tag << 56);
    digits_write(ended(&p), to);
    return (struct span){ to, MARK_TAG_LEN };
}
