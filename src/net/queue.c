/*
 * Messages that could not leave in their turn: copied, in order, up to a ceiling.
 *
 * One table for all queues finds a token's messages, so that a peer who does not read cannot make
 * us search.
 */
#include "net/queue.h"

#include "base/mem.h"
#include "net/state.h"

void
queue_init(struct queue *q)
{
    list_init(&q->waiting);
    q->bytes = 0;
}

static struct waiting *
waiting_of(struct list *link)
{
    return container_of(container_of(link, struct telling, link), struct waiting, told);
}

struct waiting *
queue_first(const struct queue *q)
{
    return queue_empty(q) ? NULL : waiting_of(q->waiting.next);
}

struct waiting *
queue_next(const struct queue *q, const struct waiting *w)
{
    return w->told.link.next == &q->waiting ? NULL : waiting_of(w->told.link.next);
}

struct repeat {
    const struct queue *queue;
    struct span bytes;
    uint64_t token;
};

static bool
is_repeat(const struct table_node *node, const void *key)
{
    const struct waiting *w = container_of_const(node, struct waiting, node);
    const struct repeat *repeat = key;

    return w->queue == repeat->queue && w->told.token == repeat->token &&
           span_eq((struct span){ w->bytes, w->len }, repeat->bytes);
}

static uint64_t
token_hash(const struct net *net, uint64_t token)
{
    return prf_hash(&net->key, (struct span){ (const char *)&token, sizeof token });
}

bool
queue_holds(const struct net *net, const struct queue *q, struct span bytes, uint64_t token)
{
    struct repeat repeat = { q, bytes, token };

    return token != 0 && !queue_empty(q) &&
           table_find(&net->repeats, token_hash(net, token), is_repeat, &repeat);
}

bool
queue_is_full(const struct net *net, size_t bytes)
{
    return net->conf.held_bytes && net->held_bytes + bytes > net->conf.held_bytes;
}

int
queue_put(struct net *net, struct queue *q, const union sock_addr *to, struct span bytes,
          size_t sent, uint64_t token)
{
    struct waiting *w;

    if (bytes.len > UINT32_MAX || (sent == 0 && (q->bytes + bytes.len > net->conf.queue_bytes ||
                                                 queue_is_full(net, bytes.len))))
        return SIPD_EFULL;
    w = mem_grow(NULL, sizeof *w + bytes.len);
    if (!w)
        return SIPD_ENOMEM;
    *w = (struct waiting){ .queue = q, .len = (uint32_t)bytes.len, .sent = (uint32_t)sent };
    w->told.token = token;
    if (to)
        w->to = *to;
    memcpy(w->bytes, bytes.at, bytes.len);
    list_push(&q->waiting, &w->told.link);
    q->bytes += bytes.len;
    net->held_bytes += bytes.len;
    if (token != 0)
        table_insert(&net->repeats, &w->node, token_hash(net, token));
    return SIPD_OK;
}

static void
take_off(struct net *net, struct queue *q, struct waiting *w)
{
    list_remove(&w->told.link);
    q->bytes -= w->len;
    net->held_bytes -= w->len;
    if (w->told.token != 0)
        table_remove(&net->repeats, &w->node);
}

void
queue_done(struct net *net, struct queue *q, struct waiting *w)
{
    take_off(net, q, w);
    mem_free(w);
}

void
queue_fail(struct net *net, struct queue *q, struct waiting *w, int err)
{
    take_off(net, q, w);
    tell_take(net, &w->told, err);
}

void
queue_fini(struct net *net, struct queue *q)
{
    while (!queue_empty(q))
        queue_done(net, q, queue_first(q));
}
