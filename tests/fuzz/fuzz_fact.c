/*
 * Any bytes as the facts of another node: what was taken is written and taken again as the same, and a core that wakes with
 * it comes to an end. The input is records of a kind, an id, a version and the fact's bytes.
 */
#include "core/note.h"
#include "fuzz/input.h"
#include "fuzz/node.h"
#include "lib/told.h"

enum { RECORD_BYTES = 16 << 20, LIMIT = 64, FACTS = 200 };

int fuzz_fact(const uint8_t *data, size_t size);

/* ------------------------------------------------------------------ from one to the next */

static void
pass_on(struct node *to, const char *kind, uint64_t id, uint32_t version, const struct buf *b)
{
    struct fact fact = { .kind = kind, .id = id, .version = version, .bytes = buf_span(b) };

    BUG_ON(b->err != SIPD_OK || core_restore(to->core, &fact) != SIPD_OK);
}

/* What one node took is what the next one takes of it. */
static void
pass_all_on(struct node *from, struct node *to)
{
    uint64_t now_ms = from->clock.now_ms, cursor = 0;
    const struct trip *trip;
    const struct txn *txn;
    struct buf b;

    buf_init(&b, RECORD_BYTES);
    while ((txn = slots_next(&from->core->txns.slots, &cursor))) {
        buf_clear(&b);
        txn_fact_write(&from->core->txns, txn, &b);
        pass_on(to, TXN_FACT, txn->id, txn->version, &b);
    }
    for (const struct answered *a = answered_first(&from->core->txns); a;
         a = row_next(&from->core->txns.answered, a)) {
        buf_clear(&b);
        answered_fact_write(&from->core->txns, a, &b);
        pass_on(to, ANSWERED_FACT, 0, 1, &b);
    }
    for (cursor = 0; (trip = slots_next(&from->core->trips, &cursor));) {
        buf_clear(&b);
        trip_fact_write(trip, now_ms, &b);
        pass_on(to, TRIP_FACT, trip->id, trip->version, &b);
        for (const struct list *node = trip->branches.next; node != &trip->branches;
             node = node->next) {
            const struct branch *branch = container_of_const(node, struct branch, link);

            buf_clear(&b);
            branch_fact_write(branch, now_ms, &b);
            pass_on(to, BRANCH_FACT, branch->id, branch->version, &b);
        }
    }
    buf_fini(&b);
}

static void
compare(const struct node *a, const struct node *b)
{
    BUG_ON(a->core->txns.slots.used != b->core->txns.slots.used);
    BUG_ON(a->core->txns.answered.len != b->core->txns.answered.len);
    BUG_ON(a->core->trips.used != b->core->trips.used);
    BUG_ON(a->core->branches.used != b->core->branches.used);
}

/* Each goes on by itself. */
static void
live(struct node *n)
{
    core_wake(n->core, 0);
    node_live(n);
}

int
fuzz_fact(const uint8_t *data, size_t size)
{
    struct span copy = input_copy(data, size), rest = copy;
    struct node first, second;
    struct tlv tlv;

    node_begin(&first, LIMIT);
    node_begin(&second, LIMIT);
    for (int facts = 0; facts < FACTS && tlv_next(&rest, &tlv) == SIPD_OK; facts++) {
        struct fact fact;

        if (told_read(tlv.value, &fact))
            (void)!core_restore(first.core, &fact);
    }
    pass_all_on(&first, &second);
    compare(&first, &second);
    live(&first);
    live(&second);
    node_end(&first);
    node_end(&second);
    input_free(&copy);
    return 0;
}
