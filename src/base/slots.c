/*
 * Items in chunks that never move; a generation in front of each tells the living from the ended.
 *
 * A generation is odd while its item lives and even while it is free, so no id can name a free
 * item, and none is 0.
 */
#include "base/slots.h"

#include <stdalign.h>

#include "base/mem.h"

enum { SLOT_ALIGN = alignof(uint64_t) };

void
slots_init(struct slots *s, size_t item_bytes, uint32_t limit)
{
    slots_init_head(s, item_bytes, item_bytes, limit);
}

void
slots_init_head(struct slots *s, size_t item_bytes, size_t head_bytes, uint32_t limit)
{
    size_t whole = sizeof(struct slot) + (item_bytes + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;

    BUG_ON(whole > UINT32_MAX / SLOTS_CHUNK);
    BUG_ON(head_bytes > item_bytes);
    *s = (struct slots){ .item_bytes = (uint32_t)whole,
                         .head_bytes = (uint32_t)head_bytes,
                         .limit = limit };
}

static size_t
body_bytes(const struct slots *s)
{
    return s->item_bytes - sizeof(struct slot);
}

static bool
slot_lives(const struct slot *slot)
{
    return slot->generation & 1;
}

static uint64_t
slot_id(const struct slot *slot, uint32_t index)
{
    return (uint64_t)slot->generation << 32 | index;
}

void
slots_fini(struct slots *s)
{
    for (uint32_t i = 0; i < s->chunks_len; i++) {
        unpoison(s->chunks[i], (size_t)SLOTS_CHUNK * s->item_bytes);
        mem_free(s->chunks[i]);
    }
    mem_free(s->chunks);
    *s = (struct slots){ .item_bytes = s->item_bytes,
                         .head_bytes = s->head_bytes,
                         .limit = s->limit };
}

static bool
add_chunk(struct slots *s)
{
    void **chunks = mem_grow(s->chunks, (s->chunks_len + (size_t)1) * sizeof *chunks);
    void *chunk;

    if (!chunks)
        return false;
    s->chunks = chunks;
    chunk = mem_grow(NULL, (size_t)SLOTS_CHUNK * s->item_bytes);
    if (!chunk)
        return false;
    chunks[s->chunks_len++] = chunk;
    return true;
}

/* Slots below this were used once, or could have been: what lies in a chunk behind them is anything. */
static void
make_below(struct slots *s, uint32_t index)
{
    while (s->made < index)
        slots_at(s, s->made++)->generation = 0;
}

bool
slots_make(struct slots *s)
{
    if (s->made / SLOTS_CHUNK == s->chunks_len && !add_chunk(s))
        return false;
    make_below(s, s->made + 1);
    slots_at(s, s->made - 1)->next_free = 0;
    s->free_head = s->made;
    return true;
}

void *
slots_put(struct slots *s, uint64_t id)
{
    uint32_t index = (uint32_t)id, generation = (uint32_t)(id >> 32);

    if (s->used >= s->limit || index >= s->limit || !(generation & 1))
        return NULL;
    while (index >= s->chunks_len * (uint64_t)SLOTS_CHUNK)
        if (!add_chunk(s))
            return NULL;
    make_below(s, index + 1);
    return slot_lives(slots_at(s, index)) ? NULL : slots_begin(s, slots_at(s, index), generation);
}

void
slots_settle(struct slots *s)
{
    s->free_head = 0;
    for (uint32_t index = s->made; index-- > 0;) {
        struct slot *slot = slots_at(s, index);

        if (slot_lives(slot))
            continue;
        slot->next_free = s->free_head;
        s->free_head = index + 1;
    }
}

void
slots_free(struct slots *s, uint64_t id)
{
    struct slot *slot = slots_slot(s, id);

    BUG_ON(!slot);
    slot->generation++;
    slot->next_free = s->free_head;
    s->free_head = (uint32_t)id + 1;
    s->used--;
    poison(slot->item, body_bytes(s));
}

void *
slots_holder(const struct slots *s, uint64_t id)
{
    uint32_t index = (uint32_t)id;
    struct slot *slot = index < s->made ? slots_at(s, index) : NULL;

    return slot && slot_lives(slot) ? slot->item : NULL;
}

/* A cursor that is no id of a living item still tells how far the walk is. */
static uint64_t
place(uint32_t index)
{
    return (uint64_t)1 << 32 | index;
}

void *
slots_next_within(const struct slots *s, uint64_t *cursor, uint32_t *places)
{
    for (uint32_t i = *cursor ? (uint32_t)*cursor + 1 : 0; i<s->made && * places> 0; i++) {
        struct slot *slot = slots_at(s, i);

        --*places;
        *cursor = slot_lives(slot) ? slot_id(slot, i) : place(i);
        if (slot_lives(slot))
            return slot->item;
    }
    return NULL;
}

void *
slots_next(const struct slots *s, uint64_t *cursor)
{
    uint64_t at = *cursor;
    uint32_t places = UINT32_MAX;
    void *item = slots_next_within(s, &at, &places);

    if (item)
        *cursor = at;
    return item;
}
