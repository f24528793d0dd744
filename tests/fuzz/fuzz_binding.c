/*
 * Any bytes as facts of bindings: what is taken is written and read again as the same, and an index holds what it was told.
 * The input is records of a version and the fact's bytes.
 */
#include <sipd/err.h>

#include "base/record.h"
#include "fuzz/input.h"
#include "registrar/mirror.h"

enum { NOW_MS = 1000000, FACTS = 200, WAITING = 50 };

struct told { /* one record of the input */
    uint32_t version;
    struct span bytes;
};

static const struct record_field fields[] = {
    RECORD_NUMBER(1, struct told, version),
    RECORD_SPAN(2, struct told, bytes),
    RECORD_END,
};

int fuzz_binding(const uint8_t *data, size_t size);

static int
store_write(void *store, struct store_write *write)
{
    (void)store;
    return write->changes->row.aor.len % 2 ? STORE_LATER : STORE_NOW;
}

static const struct store_ops ops = { .write = store_write };

static void
note(void *self, const struct fact *fact)
{
    struct binding_fact f;

    BUG_ON(binding_fact_read(fact->bytes, &f) != SIPD_OK);
    ++*(size_t *)self;
}

static bool
is_watched(void *self)
{
    (void)self;
    return true;
}

static struct span
listener_text(void *self, uint16_t listener)
{
    (void)self;
    (void)listener;
    return SPAN("udp:192.0.2.1:5060");
}

static void
put_there_and_back(const struct binding_fact *f)
{
    char bytes[BINDING_FACT_BYTES];
    struct fact_out out = { .at = bytes, .room = sizeof bytes };
    struct binding *b = binding_new(&f->row, NOW_MS + f->left_ms);
    struct binding_fact again;

    BUG_ON(!b);
    binding_fact_key(b, &out);
    binding_fact_here(b, f->row.listener, NOW_MS, &out);
    BUG_ON(out.full || binding_fact_read((struct span){ bytes, out.len }, &again) != SIPD_OK);
    BUG_ON(!again.here || again.left_ms != f->left_ms || again.row.q != f->row.q);
    BUG_ON(!span_eq(again.row.path, f->row.path) || !span_eq(again.row.params, f->row.params));
    BUG_ON(!span_eq(again.row.aor, f->row.aor) || !span_eq(again.row.contact, f->row.contact));
    BUG_ON(!span_eq(again.row.instance, f->row.instance) || again.row.reg_id != f->row.reg_id);
    binding_free(&b);
}

/* Everybody who is in it is told once. */
static void
tell_all(const struct bindings *index, const size_t *noted)
{
    const struct aor *aor;
    size_t place = 0;

    while (bindings_walk(index, &place, &aor))
        for (; aor; aor = bindings_after(aor))
            bindings_tell(index, aor, NOW_MS);
    BUG_ON(*noted != bindings_count(index));
}

int
fuzz_binding(const uint8_t *data, size_t size)
{
    struct span copy = input_copy(data, size), rest = copy;
    size_t noted = 0;
    struct bindings_port port = { &noted, note, is_watched, listener_text };
    const uint8_t key[16] = { 1 };
    struct mirror mirror;
    struct tlv tlv;

    mirror_init(&mirror);
    mirror.index = bindings_new(&port, key, NOW_MS);
    mirror.ops = &ops;
    mirror.max_waiting = WAITING;
    for (int facts = 0; facts < FACTS && tlv_next(&rest, &tlv) == SIPD_OK; facts++) {
        struct binding_fact f;
        struct told told;

        if (record_read(tlv.value, fields, &told) != SIPD_OK ||
            binding_fact_read(told.bytes, &f) != SIPD_OK)
            continue;
        if (f.here)
            put_there_and_back(&f);
        (void)!mirror_take(&mirror, &f, &f.row.source, told.version, NOW_MS);
        mirror_written(&mirror, told.version, told.version % 3 == 0 ? SIPD_EIO : SIPD_OK);
        if (told.version % 5 == 0)
            mirror_again(&mirror);
        if (told.version % 7 == 0)
            bindings_begin_epoch(mirror.index);
    }
    tell_all(mirror.index, &noted);
    mirror_fini(&mirror);
    bindings_free(&mirror.index);
    input_free(&copy);
    return 0;
}
