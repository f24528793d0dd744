/*
 * Branches and To-tags as keyed pure functions of the request and its target (RFC 3261 §8.1.1.7, §16.6 step 8, §16.11,
 * RFC 5393 §4.2.1).
 */
#include "core/mark.h"

#define HEAD SPAN("z9hG4bKaaa") /* the cookie (§8.1.1.7), then version, key-id and shard */

enum { N_AT = 10, N_LEN = 16, L_AT = N_AT + N_LEN, L_LEN = 7, T_AT = L_AT + L_LEN, T_LEN = 13 };

/* What tells one request of a client from the next: the same in an INVITE, its CANCEL and the ACK of its failure. */
static void
put_request(struct prf *p, const struct gist *gist)
{
    if (gist->via.has_cookie) {
        prf_put_field(p, gist->via.branch);
        prf_put_field(p, gist->via.sent_by);
    } else {
        prf_put_field(p, gist->via.whole);
    }
    prf_put_field(p, gist->call_id);
    prf_put_u64(p, gist->cseq);
}

/*
 * Contacts behind two NATs may be one URI: only the address tells them apart. A flow is known to this process only, and its
 * address says as much.
 */
static void
put_hop(struct prf *p, const struct hop *hop)
{
    prf_put_field(p, (struct span){ (const char *)hop->ip, sizeof hop->ip });
    prf_put_u64(p, (uint64_t)hop->port << 8 | hop->transport);
}

uint64_t
mark_loop(const struct core *core, const struct msg *msg, const struct gist *gist)
{
    const struct msg_field *route = NULL;
    struct prf p;

    prf_init(&p, &core->branch_key);
    prf_put_field(&p, msg_span(msg, msg->uri));
    while ((route = msg_find(msg, HDR_ROUTE, route)))
        prf_put_field(&p, msg_value(msg, route));
    prf_put_field(&p, gist->call_id);
    prf_put_u64(&p, gist->cseq);
    return prf_done(&p).lo & 0x7ffffffffu;
}

static void
write_proof(const struct core *core, struct span marked, struct span sent_by, char to[T_LEN])
{
    struct prf p;

    prf_init(&p, &core->proof_key);
    prf_put_field(&p, marked);
    prf_put_field(&p, sent_by);
    prf_write32((struct prf_out){ prf_done(&p).lo, 0 }, to, T_LEN);
}

struct span
mark_branch(const struct core *core, const struct mark_branch_of *of, char to[MARK_BRANCH_LEN])
{
    struct prf p;

    prf_init(&p, &core->branch_key);
    put_request(&p, of->gist);
    prf_put_field(&p, of->uri);
    prf_put_field(&p, of->routes);
    put_hop(&p, of->hop);
    prf_put_u64(&p, of->attempt);
    memcpy(to, HEAD.at, HEAD.len);
    prf_write32(prf_done(&p), to + N_AT, N_LEN);
    prf_write32((struct prf_out){ of->loop, 0 }, to + L_AT, L_LEN);
    write_proof(core, span_between(to, to + T_AT), of->sent_by, to + T_AT);
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
mark_branch_is_ours(const struct core *core, const struct via *via, uint64_t *loop)
{
    char proof[T_LEN];

    if (via->branch.len != MARK_BRANCH_LEN || !span_starts(via->branch, HEAD))
        return false;
    write_proof(core, span_head(via->branch, T_AT), via->sent_by, proof);
    if (memcmp(proof, via->branch.at + T_AT, T_LEN) != 0)
        return false;
    *loop = read32((struct span){ via->branch.at + L_AT, L_LEN });
    return true;
}

struct span
mark_tag(const struct core *core, const struct gist *gist, char to[MARK_TAG_LEN])
{
    struct prf p;

    prf_init(&p, &core->tag_key);
    put_request(&p, gist);
    prf_write32((struct prf_out){ prf_done(&p).lo, 0 }, to, MARK_TAG_LEN);
    return (struct span){ to, MARK_TAG_LEN };
}
