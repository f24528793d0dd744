/*
 * Branches and To-tags as keyed pure functions of the request and its target (RFC 3261 §8.1.1.7, §16.6 step 8, §16.11,
 * RFC 5393 §4.2.1).
 */
#include "core/mark.h"

#include "core/state.h"

#define HEAD SPAN("z9hG4bKaaa") /* the cookie (§8.1.1.7), then version, key-id and shard */

enum { N_AT = 10, N_LEN = 16, L_AT = N_AT + N_LEN, L_LEN = 7, T_AT = L_AT + L_LEN, T_LEN = 13 };

/* What a mark is for, in the top byte of the next word: no two uses of one key may hash the same. */
static const uint64_t for_branch = 1, for_loop = 2, for_tag = 3, for_seed = 4;

void
mark_begin(const struct core *core, const struct gist *gist, struct mark *mark)
{
    prf_init(&mark->dialog, &core->mark_key);
    prf_put_word_and(&mark->dialog, (uint64_t)gist->call_id.len << 32 | gist->cseq, gist->call_id);
    mark->request = mark->dialog;
    if (gist->via.has_cookie)
        prf_put_pair(&mark->request, gist->via.branch, gist->via.sent_by);
    else
        prf_put_pair(&mark->request, gist->via.whole, SPAN(""));
}

uint64_t
mark_loop(const struct mark *mark, const struct msg *msg)
{
    const struct msg_field *route = NULL;
    struct prf p = mark->dialog;

    prf_put_word_and(&p, for_loop << 56 | msg->uri.len, msg_span(msg, msg->uri));
    while ((route = msg_find(msg, HDR_ROUTE, route)))
        prf_put_field(&p, msg_value(msg, route));
    return prf_done_lo(&p);
}

bool
mark_is_loop(uint64_t l, uint64_t loop)
{
    return l == (loop & ((UINT64_C(1) << L_LEN * 5) - 1));
}

static void
write_proof(const struct core *core, struct span marked, struct span sent_by, char to[T_LEN])
{
    struct prf p;

    prf_init(&p, &core->proof_key);
    prf_put_pair(&p, marked, sent_by);
    prf_write32((struct prf_out){ prf_done_lo(&p), 0 }, to, T_LEN);
}

/*
 * Contacts behind two NATs may be one URI: only the address tells them apart. A flow is known to this process only, and its
 * address says as much.
 */
struct span
mark_branch(const struct core *core, const struct mark_branch_of *of, char to[MARK_BRANCH_LEN])
{
    struct prf p = of->mark->request;
    uint64_t where = (uint64_t)of->hop->port << 8 | of->hop->transport;

    prf_put_word_and(&p, for_branch << 56 | (uint64_t)of->attempt << 24 | where,
                     (struct span){ (const char *)of->hop->ip, sizeof of->hop->ip });
    prf_put_u64(&p, of->loop);
    prf_put_pair(&p, of->uri, of->routes);
    memcpy(to, HEAD.at, HEAD.len);
    prf_write32(prf_done(&p), to + N_AT, N_LEN);
    prf_write32((struct prf_out){ of->loop, 0 }, to + L_AT, L_LEN);
    write_proof(core, span_between(to + N_AT, to + T_AT), of->sent_by, to + T_AT);
    return (struct span){ to, MARK_BRANCH_LEN };
}

/* The value of the five-bit digits that prf_write32 wrote; its order is the most significant digit first. */
static uint64_t
read32(struct span digits)
{
    uint64_t value = 0;

    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.at[i];

        value = value << 5 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

bool
mark_branch_is_ours(const struct core *core, const struct via *via, uint64_t *l)
{
    char proof[T_LEN];

    if (via->branch.len != MARK_BRANCH_LEN || !span_starts(via->branch, HEAD))
        return false;
    write_proof(core, span_skip(span_head(via->branch, T_AT), N_AT), via->sent_by, proof);
    if (memcmp(proof, via->branch.at + T_AT, T_LEN) != 0)
        return false;
    *l = read32((struct span){ via->branch.at + L_AT, L_LEN });
    return true;
}

uint64_t
mark_seed(const struct mark *mark)
{
    struct prf p = mark->request;

    prf_put_u64(&p, for_seed << 56);
    return prf_done_lo(&p);
}

struct span
mark_tag(const struct mark *mark, char to[MARK_TAG_LEN])
{
    struct prf p = mark->request;

    prf_put_u64(&p, for_tag << 56);
    prf_write32((struct prf_out){ prf_done_lo(&p), 0 }, to, MARK_TAG_LEN);
    return (struct span){ to, MARK_TAG_LEN };
}
