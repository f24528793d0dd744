/*
 * Bindings as facts: what earlier versions noted, the way there and back, what no REGISTER could have made.
 */
#include "registrar/fact.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/heap.h"
#include "unit/text.h"

#define NOW_MS 5000000u

static char bytes[2 * BINDING_FACT_BYTES];

static struct span
read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    ck_assert_msg(file != NULL, "%s: tests run from the top of the tree", path);
    len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return (struct span){ bytes, len };
}

static void
must_be_bobs(const struct binding_fact *f)
{
    must(f->here && f->left_ms == 3599000);
    must_text(f->row.aor, "sip:bob@example.com");
    must_text(f->row.contact, "sip:bob@192.0.2.20:5060;transport=tcp");
    must_text(f->row.instance, "urn:uuid:00000000-0000-1000-8000-000a95a0e128");
    must_text(f->row.call_id, "reg-1@192.0.2.20");
    must_text(f->row.user_agent, "Phone 1.0");
    must_text(f->row.path, "<sip:edge.example.com;lr>, <sip:p2.example.com;lr>");
    must_text(f->row.listener, "tcp:192.0.2.1:5060");
    must(f->row.reg_id == 1 && f->row.granted_s == 3600 && f->row.cseq == 17 && f->row.q == 500);
    must(f->row.expires_s == 1800003600 && f->row.reach == HOP_TCP);
    must(f->row.source.transport == HOP_TCP && f->row.source.port == 40123);
    must(f->row.source.ip[15] == 20);
}

START_TEST(what_version_1_noted)
{
    struct span fact = read_file("tests/facts/v1-binding");
    struct binding_fact f;

    must(binding_fact_read(fact, &f) == SIPD_OK);
    must_be_bobs(&f);
    fact = read_file("tests/facts/v1-binding-gone");
    must(binding_fact_read(fact, &f) == SIPD_OK);
    must(!f.here && f.row.reg_id == 1);
    must_text(f.row.contact, "sip:bob@192.0.2.20:5060;transport=tcp");
}
END_TEST

/* What is written is what version 1 wrote, to the byte. */
START_TEST(there_and_back)
{
    struct span fact = read_file("tests/facts/v1-binding");
    char again[BINDING_FACT_BYTES];
    struct fact_out out = { .at = again, .room = sizeof again };
    struct binding_fact f;
    struct binding *b;

    must(binding_fact_read(fact, &f) == SIPD_OK);
    b = binding_new(&f.row, NOW_MS + f.left_ms);
    must(b);
    binding_fact_key(b, &out);
    binding_fact_here(b, f.row.listener, NOW_MS, &out);
    must(!out.full && span_eq((struct span){ again, out.len }, fact));
    binding_free(&b);
}
END_TEST

START_TEST(unknown_tags_are_skipped)
{
    struct span fact = read_file("tests/facts/v1-binding");
    struct fact_out out = { .at = bytes, .room = sizeof bytes, .len = fact.len };
    struct binding_fact f;

    sipd_fact_put(&out, 999, SPAN("of a later version"));
    sipd_fact_put_number(&out, 1000, UINT64_MAX);
    must(binding_fact_read((struct span){ bytes, out.len }, &f) == SIPD_OK);
    must_be_bobs(&f);
}
END_TEST

START_TEST(cut_short)
{
    struct span fact = read_file("tests/facts/v1-binding");
    struct binding_fact f;

    for (size_t len = 0; len < fact.len;
         len++) /* whole values may be missing: then it is another one, or none */
        if (binding_fact_read(span_head(fact, len), &f) == SIPD_OK)
            must(f.row.aor.len > 0 && f.row.contact.len > 0);
    must(binding_fact_read(span_head(fact, fact.len - 1), &f) == SIPD_ESYNTAX);
    must(binding_fact_read((struct span){ NULL, 0 }, &f) == SIPD_EINVAL);
}
END_TEST

/* Values that come behind, and hold. */
static const struct {
    uint16_t tag;
    const char *text; /* NULL: the number */
    uint64_t number;
} unsound[] = {
    { 1, "sip:bob", 0 },
    { 1, "sips:bob@example.com", 0 },
    { 1, "sip:bob@EXAMPLE.com", 0 },
    { 1, "sip:b\r\nVia: x@h", 0 },
    { 2, "192.0.2.20", 0 },
    { 3, "urn:uuid:another", 0 },
    { 4, NULL, 1ull << 32 },
    { 5, NULL, 2 },
    { 6, NULL, 3600001 }, /* more than was granted */
    { 10, NULL, 1002 },
    { 11, "a\nb", 0 },
    { 12, "Phone\r\nX: y", 0 },
    { 14, "<sip:edge", 0 },
    { 14, "<sip:edge.example.com;lr>\r\n", 0 },
    { 16, NULL, 200 },
    { 17, NULL, 200 },
    { 18, "too short", 0 },
    { 20, NULL, 65536 },
};

START_TEST(unsound_ones_are_refused)
{
    struct span fact = read_file("tests/facts/v1-binding");
    struct fact_out out = { .at = bytes, .room = sizeof bytes, .len = fact.len };
    struct binding_fact f;

    if (unsound[_i].text)
        sipd_fact_put(&out, unsound[_i].tag, span_of(unsound[_i].text));
    else
        sipd_fact_put_number(&out, unsound[_i].tag, unsound[_i].number);
    must(binding_fact_read((struct span){ bytes, out.len }, &f) == SIPD_EINVAL);
}
END_TEST

START_TEST(without_room)
{
    struct span fact = read_file("tests/facts/v1-binding");
    char little[64];
    struct fact_out out = { .at = little, .room = sizeof little };
    struct binding_fact f;
    struct binding *b;

    must(binding_fact_read(fact, &f) == SIPD_OK);
    b = binding_new(&f.row, NOW_MS);
    binding_fact_key(b, &out);
    must(out.full && out.len <= sizeof little);
    binding_free(&b);
}
END_TEST

Suite *suite_registrar_fact(void);

Suite *
suite_registrar_fact(void)
{
    Suite *s = suite_create("registrar_fact");
    TCase *c = heap_case("all");

    tcase_add_test(c, what_version_1_noted);
    tcase_add_test(c, there_and_back);
    tcase_add_test(c, unknown_tags_are_skipped);
    tcase_add_test(c, cut_short);
    tcase_add_loop_test(c, unsound_ones_are_refused, 0, countof(unsound));
    tcase_add_test(c, without_room);
    suite_add_tcase(s, c);
    return s;
}
