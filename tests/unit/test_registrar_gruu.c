/*
 * GRUUs written and recognized, and bindings as they stand in a 200.
 */
#include "registrar/gruu.h"

#include "base/def.h"
#include "registrar/contact.h"
#include "unit/heap.h"
#include "unit/text.h"

START_TEST(written)
{
    char to[GRUU_BYTES];

    must_text(gruu_write(SPAN("sip:bob@example.com"), false, SPAN("urn:uuid:f81d4fae"), to),
              "sip:bob@example.com;gr=urn:uuid:f81d4fae");
    must_text(gruu_write(SPAN("sip:bob@example.com"), true, SPAN("a;b=c d\"%"), to),
              "sips:bob@example.com;gr=a%3Bb%3Dc%20d%22%25");
}
END_TEST

START_TEST(recognized)
{
    static const struct {
        const char *gr, *instance;
        bool same;
    } pairs[] = {
        { "urn:uuid:F81D", "urn:uuid:f81d", true },
        { "urn%3auuid:f81d", "urn:uuid:f81d", true },
        { "urn:uuid:f81", "urn:uuid:f81d", false },
        { "urn:uuid:f81dd", "urn:uuid:f81d", false },
        { "", "", true },
        { "", "x", false },
        { "x%", "x%", true },
        { "x%2", "x%2", true },
    };
    struct uri uri;
    struct span gr;

    for (size_t i = 0; i < countof(pairs); i++)
        must_for(span_of(pairs[i].gr),
                 gruu_is(span_of(pairs[i].gr), span_of(pairs[i].instance)) == pairs[i].same);
    must(uri_read(SPAN("sip:bob@h;gr=urn:x"), &uri) == SIPD_OK && gruu_read(&uri, &gr));
    must_text(gr, "urn:x");
    must(uri_read(SPAN("sip:bob@h;grid=1"), &uri) == SIPD_OK && !gruu_read(&uri, &gr));
    must(uri_read(SPAN("tel:+1;gr=2"), &uri) == SIPD_OK && !gruu_read(&uri, &gr));
}
END_TEST

/* What is written is read as the same device again, whatever bytes it has. */
START_TEST(there_and_back)
{
    char instance[4] = "abc", to[GRUU_BYTES];

    for (int c = 1; c < 256; c++) {
        struct uri uri;
        struct span gr;

        instance[1] = (char)c;
        must(uri_read(gruu_write(SPAN("sip:bob@h"), false, span_of(instance), to), &uri) ==
             SIPD_OK);
        must(gruu_read(&uri, &gr) && gruu_is(gr, span_of(instance)));
    }
}
END_TEST

static struct span
contact(const char *uri, const char *params, uint16_t q, bool gruu)
{
    static char to[CONTACT_BYTES];
    struct store_row row = { .aor = SPAN("sip:bob@example.com"),
                             .contact = span_of(uri),
                             .params = span_of(params),
                             .q = q };
    struct binding *b = binding_new(&row, 1000);
    struct span text;

    must(b);
    text = contact_write(b, 60, gruu, to);
    binding_free(&b);
    return text;
}

START_TEST(contacts)
{
    must_text(contact("sip:b@h", "", STORE_NO_Q, true), "<sip:b@h>;expires=60");
    must_text(contact("sip:b@h", "", 500, true), "<sip:b@h>;q=0.5;expires=60");
    must_text(contact("sip:b@h", "", 1000, true), "<sip:b@h>;q=1;expires=60");
    must_text(contact("sip:b@h", "", 10, true), "<sip:b@h>;q=0.01;expires=60");
    /* what came stays, but for what is ours to say */
    must_text(contact("sip:b@h", ";expires=5;audio; methods=\"A,B\";Q=1;+sip.instance=\"<u:1>\"", 0,
                      false),
              "<sip:b@h>;q=0;expires=60;audio;methods=\"A,B\";+sip.instance=\"<u:1>\"");
    must_text(contact("sips:b@h", ";pub-gruu=\"sip:evil\";temp-gruu=\"x\";+sip.instance=\"<u:1>\"",
                      STORE_NO_Q, true),
              "<sips:b@h>;expires=60;+sip.instance=\"<u:1>\""
              ";pub-gruu=\"sips:bob@example.com;gr=u:1\"");
}
END_TEST

Suite *suite_registrar_gruu(void);
Suite *
suite_registrar_gruu(void)
{
    Suite *suite = suite_create("registrar_gruu");
    TCase *all = heap_case("all");

    tcase_add_test(all, written);
    tcase_add_test(all, recognized);
    tcase_add_test(all, there_and_back);
    tcase_add_test(all, contacts);
    suite_add_tcase(suite, all);
    return suite;
}
