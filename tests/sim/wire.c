/*
 * A simulated network: datagrams and connections between addresses, late, lost, doubled or out of order as a seed says.
 */
#include "sim/wire.h"

#include "base/mem.h"

void
wire_init(struct wire *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->conf.delay_ms = 1;
    rand_seed(&w->rand, seed);
    list_init(&w->packets);
}

void
wire_fini(struct wire *w)
{
    struct list *node;

    while ((node = list_shift(&w->packets)))
        wire_packet_free(container_of(node, struct wire_packet, link));
}

static void
link_by_time(struct wire *w, struct wire_packet *packet)
{
    struct list *before = &w->packets;

    while (before->prev != &w->packets && container_of(before->prev, struct wire_packet, link)->due_ms > packet->due_ms)
        before = before->prev;
    list_push(before, &packet->link);
}

static void
put(struct wire *w, uint64_t due_ms, const struct hop *from, const struct hop *to, struct span bytes)
{
    struct wire_packet *packet = mem_new(sizeof *packet);

    if (!packet)
        return;
    list_init(&packet->link);
    packet->bytes = mem_copy(bytes);
    if (!packet->bytes) {
        mem_free(packet);
        return;
    }
    packet->len = bytes.len;
    packet->due_ms = due_ms;
    packet->order = w->order++;
    packet->from = *from;
    packet->to = *to;
    link_by_time(w, packet);
}

static uint64_t
delay(struct wire *w, bool reliable)
{
    uint64_t ms = w->conf.delay_ms;

    return w->conf.jitter_ms > 0 && !reliable ? ms + rand_below(&w->rand, w->conf.jitter_ms + 1) : ms;
}

static bool
happens(struct wire *w, uint32_t of_1000)
{
    return of_1000 > 0 && rand_below(&w->rand, 1000) < of_1000;
}

void
wire_send(struct wire *w, uint64_t now_ms, const struct hop *from, const struct hop *to, struct span bytes)
{
    bool reliable = hop_is_reliable(to->transport);

    w->sent++;
    if (!reliable && happens(w, w->conf.loss))
        return;
    put(w, now_ms + delay(w, reliable), from, to, bytes);
    if (!reliable && happens(w, w->conf.doubled))
        put(w, now_ms + delay(w, reliable), from, to, bytes);
}

struct wire_packet *
wire_due(struct wire *w, uint64_t now_ms)
{
    if (wire_next_ms(w) > now_ms)
        return NULL;
    return container_of(list_shift(&w->packets), struct wire_packet, link);
}

void
wire_packet_free(struct wire_packet *packet)
{
    mem_free(packet->bytes);
    mem_free(packet);
}

uint64_t
wire_next_ms(const struct wire *w)
{
    return list_empty(&w->packets) ? UINT64_MAX : container_of(w->packets.next, struct wire_packet, link)->due_ms;
}
