/*
 * Any messages to a core, whoever they come from and whatever is made of them: what it sends can be read, who asks again is told
 * the same, and in the end nothing is left. The input is messages divided by a byte that no head has; what happens between them
 * is chance, which depends on the input only.
 */
#include "core/note.h"
#include "fuzz/input.h"
#include "fuzz/node.h"
#include "sip/reply.h"
#include "txn/answered.h"

int fuzz_core(const uint8_t *data, size_t size);

enum { LIMIT = 64, MESSAGES = 8, SENT_BYTES = 1 << 17, DIVIDER = 0x1e };

struct sent { /* the last message of a kind, kept */
    struct hop to;
    size_t len;
    char bytes[SENT_BYTES];
};

static struct world {
    struct node node;
    struct rand rand;
    struct sent request, response;
    unsigned responses; /* in this turn */
} world;

/* ------------------------------------------------------------------ what it sends */

static void
keep(struct sent *sent, const struct hop *to, struct span bytes)
{
    BUG_ON(bytes.len > sizeof sent->bytes);
    sent->to = *to;
    sent->len = bytes.len;
    memcpy(sent->bytes, bytes.at, bytes.len);
}

static struct span
bytes_of(const struct sent *sent)
{
    return (struct span){ sent->bytes, sent->len };
}

/* Whatever came: ours has an index, and what is passed on has none of our faults beside its own. */
static void
hear(struct node *n, const struct hop *to, struct span bytes)
{
    struct msg msg;

    BUG_ON(msg_read(bytes, &n->turn, &msg) != SIPD_OK);
    if (msg_is_request(&msg)) {
        keep(&world.request, to, bytes);
    } else {
        keep(&world.response, to, bytes);
        world.responses++;
    }
}

/* ------------------------------------------------------------------ what comes */

static struct hop
somebody(void)
{
    static const char *const addresses[] = { "192.0.2.9", "198.51.100.7", "2001:db8::9" };
    struct hop hop = { .port = 5060, .transport = HOP_UDP, .listener = 1 };

    BUG_ON(!hop_ip_read(span_of(addresses[rand_below(&world.rand, countof(addresses))]), &hop));
    if (rand_below(&world.rand, 4) == 0) {
        hop.transport = HOP_TCP;
        hop.listener = 2;
        hop.flow = 1 + rand_below(&world.rand, 3);
    }
    return hop;
}

static void
bring(const struct hop *from, struct span bytes)
{
    world.responses = 0;
    (void)core_bytes(world.node.core, from, bytes, 0, NULL);
    core_tick(world.node.core);
    arena_reset(&world.node.turn);
}

/* What is left of one that was answered just now; NULL: nothing. */
static const struct answered *
newest(void)
{
    const struct row *row = &world.node.core->txns.answered;
    const struct answered *last = NULL;

    for (const struct answered *a = row_first(row); a; a = row_next(row, a))
        last = a;
    return last;
}

/* What was answered by datagram is answered the same way again, wherever the repeat comes from, unless it went to a group. */
static void
bring_again(const struct hop *from, struct span bytes, const struct answered *before)
{
    static struct sent first;
    struct hop other = somebody();
    bool elsewhere = rand_below(&world.rand, 2) && !hop_is_multicast(&world.response.to);

    if (world.responses != 1 || newest() == before)
        return;
    first = world.response;
    bring(elsewhere ? &other : from, bytes);
    BUG_ON(world.responses != 1 || !hop_eq(&first.to, &world.response.to));
    BUG_ON(!span_eq(bytes_of(&first), bytes_of(&world.response)));
}

/* The one who got the last request answers it. */
static void
answer(void)
{
    static const unsigned statuses[] = { 100, 180, 200, 202, 302, 404, 407, 486, 503, 603 };
    struct arena *turn = &world.node.turn;
    const struct reply_with with = { .lines = SPAN("Contact: <sip:c@198.51.100.7>\r\n") };
    unsigned status = statuses[rand_below(&world.rand, countof(statuses))];
    struct msg msg;
    struct gist gist;
    struct span bytes;

    if (world.request.len == 0 || msg_read(bytes_of(&world.request), turn, &msg) != SIPD_OK)
        return;
    gist_read(&msg, &gist);
    bytes =
        reply_write(turn, &(struct reply_to){ .request = &msg, .gist = &gist, .to_tag = SPAN("t") },
                    status, &with);
    BUG_ON(!bytes.at);
    bytes = input_copy(bytes.at, bytes.len);
    bring(&world.request.to, bytes);
    input_free(&bytes);
}

static void
step(struct span bytes)
{
    struct hop from = somebody();
    const struct answered *before = newest();

    bring(&from, bytes);
    if (from.transport == HOP_UDP)
        bring_again(&from, bytes, before);
    for (uint64_t n = rand_below(&world.rand, 4); n > 0; n--)
        answer();
    if (rand_below(&world.rand, 3) == 0)
        node_pass(&world.node, rand_below(&world.rand, 40000));
}

int
fuzz_core(const uint8_t *data, size_t size)
{
    struct span copy = input_copy(data, size), rest = copy;
    struct node *n = &world.node;

    world.rand = input_rand(data, size);
    world.request.len = world.response.len = 0;
    node_begin(n, LIMIT);
    n->sent = hear;
    n->conf.relay = rand_below(&world.rand, 4) ? CORE_RELAY_ANY : CORE_RELAY_OURS;
    n->conf.mode = rand_below(&world.rand, 8) ? CORE_STATEFUL : CORE_STATELESS;
    n->conf.stray = rand_below(&world.rand, 2) ? CORE_STRAY_VERIFIED : CORE_STRAY_DROP;
    n->conf.recurse = rand_below(&world.rand, 2);
    for (int i = 0; i < MESSAGES && rest.len > 0; i++)
        step(span_cut(&rest, DIVIDER));
    node_live(n);
    BUG_ON(n->core->trips.used != 0 || n->core->branches.used != 0);
    BUG_ON(txns_held(&n->core->txns) != 0 || n->core->pending != 0);
    node_end(n);
    input_free(&copy);
    return 0;
}
