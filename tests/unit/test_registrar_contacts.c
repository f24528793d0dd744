/*
 * RFC 3261 §10.3 step 6 as pure logic: what the fields of a REGISTER say, and which of them are refused.
 */
#include "registrar/rules.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/heap.h"
#include "unit/rules_rig.h"
#include "unit/text.h"

START_TEST(intervals)
{
    static const struct {
        const char *expires, *contact;
        unsigned status;
        uint32_t seconds;
    } wanted[] = {
        /* the parameter, then the field, then the default */
        { NULL, "<sip:a@192.0.2.1>;expires=100", 200, 100 },
        { "200", "<sip:a@192.0.2.1>;expires=100", 200, 100 },
        { "200", "<sip:a@192.0.2.1>", 200, 200 },
        { NULL, "<sip:a@192.0.2.1>", 200, 3600 },
        /* no more than our maximum, and not less than our minimum but for 0 */
        { NULL, "<sip:a@192.0.2.1>;expires=7201", 200, 7200 },
        { NULL, "<sip:a@192.0.2.1>;expires=60", 200, 60 },
        { NULL, "<sip:a@192.0.2.1>;expires=59", 423, 0 },
        { "1", "<sip:a@192.0.2.1>", 423, 0 },
        { "59", "<sip:a@192.0.2.1>;expires=60", 200, 60 },
        { "0", "<sip:a@192.0.2.1>", 200, 0 },
        { NULL, "<sip:a@192.0.2.1>;expires=0", 200, 0 },
        { NULL, "<sip:a@192.0.2.1>;expires=00", 200, 0 },
        /* §10.2: malformed is an hour, too much is 2^32-1 */
        { NULL, "<sip:a@192.0.2.1>;expires=soon", 200, 3600 },
        { NULL, "<sip:a@192.0.2.1>;expires", 200, 3600 },
        { NULL, "<sip:a@192.0.2.1>;expires=-1", 200, 3600 },
        { NULL, "<sip:a@192.0.2.1>;expires=1.5", 200, 3600 },
        { "never", "<sip:a@192.0.2.1>", 200, 3600 },
        { "", "<sip:a@192.0.2.1>", 200, 3600 },
        { NULL, "<sip:a@192.0.2.1>;expires=4294967296", 200, 7200 },
        { NULL, "<sip:a@192.0.2.1>;expires=99999999999999999999999999", 200, 7200 },
        { " 120 ", "<sip:a@192.0.2.1>", 200, 120 },
    };
    struct rules_reader reader;
    struct rules_register reg;

    for (size_t i = 0; i < countof(wanted); i++) {
        struct rules_answer answer =
            rules_rig_read(&reader, &reg, wanted[i].expires, wanted[i].contact, NULL);

        must_for(span_of(wanted[i].contact), answer.status == wanted[i].status);
        if (answer.status == 200)
            must_for(span_of(wanted[i].contact), reg.contacts[0].expires_s == wanted[i].seconds);
        else
            must_for(span_of(wanted[i].contact), answer.min_expires_s == 60);
    }
}
END_TEST

/* §10.3 step 7: an hour is never too brief, whatever the minimum. */
START_TEST(an_hour_is_long_enough)
{
    const struct rules_limits strict = { 7200, 86400, 7200, 3 };
    const char *const texts[] = { "<sip:a@h>;expires=3599", "<sip:a@h>;expires=3600" };
    const unsigned wanted[] = { 423, 200 };

    for (size_t i = 0; i < countof(texts); i++) {
        struct rules_reader reader;
        struct rules_register reg;

        rules_begin(&reader, &strict, NULL, NULL, &(struct rules_way){ .secure = false });
        must(rules_contact_field(&reader, span_of(texts[i])));
        must(rules_rig_end(&reader, &reg).status == wanted[i]);
    }
}
END_TEST

START_TEST(stars)
{
    static const struct {
        const char *expires, *first, *second;
        unsigned status;
    } wanted[] = {
        { "0", "*", NULL, 200 },
        { "00", " * ", NULL, 200 },
        { NULL, "*", NULL, 400 },
        { "1", "*", NULL, 400 },
        { "3600", "*", NULL, 400 },
        { "soon", "*", NULL, 400 },
        { "0", "*", "*", 400 },
        { "0", "*", "<sip:a@192.0.2.1>", 400 },
        { "0", "<sip:a@192.0.2.1>, *", NULL, 400 },
        { "0", "*, <sip:a@192.0.2.1>", NULL, 400 },
        { "0", "\"*\" <sip:a@192.0.2.1>", NULL, 200 }, /* only a name */
    };
    struct rules_reader reader;
    struct rules_register reg;

    for (size_t i = 0; i < countof(wanted); i++) {
        struct rules_answer answer =
            rules_rig_read(&reader, &reg, wanted[i].expires, wanted[i].first, wanted[i].second);

        must_for(span_of(wanted[i].first), answer.status == wanted[i].status);
        if (answer.status == 200)
            must_for(span_of(wanted[i].first), reg.star == (reg.len == 0));
    }
}
END_TEST

START_TEST(unreadable_contacts)
{
    static const char *const bad[] = {
        "<sip:a@192.0.2.1",
        "sip:",
        "<>",
        "<sip:a@192.0.2.1>, <sip:@>",
        "<sip:a@192.0.2.1>;q=2",
        "<sip:a@192.0.2.1>;q=",
        "<sip:a@192.0.2.1>;q=0.5555",
        "<sip:a@192.0.2.1>;expires=10, <sip:b@192.0.2.1>;q=high", /* not 423: all are read first */
        "alice",
        "<sip:a@192.0.2.1>;expires=100;expires=0",
        "<sip:a@192.0.2.1>;expires=100;Expires=100",
        "<sip:a@192.0.2.1>;q=0.5;x;q=0.1",
        "<sip:a@192.0.2.1>;reg-id=1;+sip.instance=\"<urn:a>\";reg-id=2",
        "sip:a@192.0.2.1?Route=%3Csip:b@192.0.2.2%3E",
        "<sip:a@192.0.2.1>;x=\x0bRoute: y",
        "<sip:a@192.0.2.1>;x=\"\x01\"",
    };
    struct rules_reader reader;
    struct rules_register reg;

    for (size_t i = 0; i < countof(bad); i++) {
        struct rules_answer answer = rules_rig_read(&reader, &reg, NULL, bad[i], NULL);

        must_for(span_of(bad[i]), answer.status == 400);
        must_for(span_of(bad[i]),
                 span_starts(span_skip(answer.phrase, answer.phrase.len - 7), SPAN("Contact")));
    }
    must(rules_rig_read(&reader, &reg, NULL, "<sip:a@192.0.2.1>;x=\"\\\x01\r\n \"", NULL).status ==
         200);
}
END_TEST

START_TEST(contacts_as_read)
{
    struct rules_reader reader;
    struct rules_register reg;
    struct rules_answer answer =
        rules_rig_read(&reader, &reg, "300",
                       "\"Al, ice\" <sip:a@192.0.2.1;transport=tcp>;q=0.7;expires=90, sip:b@h;q=1",
                       "<tel:+49301234>;x=\",\"");

    must(answer.status == 200);
    must(reg.len == 3 && !reg.star);
    must_text(reg.contacts[0].uri, "sip:a@192.0.2.1;transport=tcp");
    must(reg.contacts[0].q == 700 && reg.contacts[0].expires_s == 90);
    must_text(reg.contacts[1].uri, "sip:b@h");
    must(reg.contacts[1].q == 1000 && reg.contacts[1].expires_s == 300);
    must_text(reg.contacts[2].uri, "tel:+49301234");
    must(reg.contacts[2].q == STORE_NO_Q);
    must(rules_rig_read(&reader, &reg, "0", NULL, NULL).status == 200);
    must(reg.len == 0 && !reg.star);
}
END_TEST

/* A field read by one who knows bindings, and by one who does not, is the same. */
static void
must_read_alike(const struct binding *known, const char *field, const char *expires,
                const struct rules_way *way)
{
    struct rules_reader readers[2];
    struct rules_register regs[2];
    struct rules_answer answers[2];
    struct span value = span_of(expires), text = span_of(field);

    for (int i = 0; i < 2; i++) {
        rules_begin(&readers[i], &rules_rig_limits, i == 0 ? known : NULL, expires ? &value : NULL,
                    way);
        (void)rules_contact_field(&readers[i], text);
        answers[i] = rules_rig_end(&readers[i], &regs[i]);
    }
    must_for(text, answers[0].status == answers[1].status &&
                       span_eq(answers[0].phrase, answers[1].phrase));
    if (answers[0].status != 200)
        return;
    must_for(text, regs[0].star == regs[1].star && regs[0].flows == regs[1].flows);
    must_for(text, readers[0].len == readers[1].len && readers[0].stars == readers[1].stars &&
                       readers[0].brief == readers[1].brief);
    for (size_t i = 0; i < readers[0].len; i++) {
        const struct rules_contact *a = &readers[0].contacts[i], *b = &readers[1].contacts[i];

        must_for(text, a->uri.at == b->uri.at && a->uri.len == b->uri.len);
        must_for(text, span_eq(a->params, b->params) && span_eq(a->instance, b->instance));
        must_for(text, a->reg_id == b->reg_id && a->uri_hash == b->uri_hash && a->q == b->q &&
                           a->expires_s == b->expires_s && a->any_flow == b->any_flow &&
                           a->reach == b->reach);
    }
}

START_TEST(known_contacts_are_read_alike)
{
    static const char params[] = ";q=0.5;expires=90;reg-id=2;+sip.instance=\"<urn:a,b>\"";
    static const char *const behind[] = {
        "",
        ";expires=3600",
        ";expires=5",
        ";expires=0",
        ";expires=99999999999",
        ";expires=soon",
        ";expires=",
        ";expires=60;expires=60",
        ";expires=60;x",
        ";expires=60, <sip:b@192.0.2.1>",
        " ;expires=60",
        ";q=0.3",
        ", <sip:a@192.0.2.1>",
        ", *",
        "x",
        params,
        ";q=0.5;expires=90;reg-id=2;+sip.instance=\"<urn:a>\"",
    };
    static const char *const heads[] = { "<sip:a@192.0.2.1>", "<sip:a@192.0.2.1;x>",
                                         "<sip:A@192.0.2.1>", "sip:a@192.0.2.1",
                                         "\"a\" <sip:a@192.0.2.1>" };
    static const struct hop udp = { .ip = { 1 }, .port = 5062, .transport = HOP_UDP },
                            tcp = { .ip = { 1 }, .port = 5062, .transport = HOP_TCP };
    static const struct hop *const sources[] = { NULL, &udp, &tcp };
    struct store_row row = { .aor = SPAN("sip:a@example.com"),
                             .source = udp,
                             .reach = HOP_UDP,
                             .contact = SPAN("sip:a@192.0.2.1"),
                             .params = SPAN(params),
                             .call_id = SPAN("1"),
                             .q = 500 };
    struct store_row other = { .aor = row.aor, .contact = SPAN("sip:a@192.0.2.1;x"), .q = 1 };
    struct binding *known = binding_new(&row, 0);
    char text[128];

    must(known);
    known->next = binding_new(&other, 0);
    must(known->next);
    for (size_t h = 0; h < countof(heads); h++)
        for (size_t i = 0; i < countof(behind); i++)
            for (unsigned n = 0; n < 3 * countof(sources); n++) {
                const struct rules_way way = { .flows = (enum rules_flows)(n % 3),
                                               .source = sources[n / 3] };

                snprintf(text, sizeof text, "%s%s", heads[h], behind[i]);
                must_read_alike(known, text, NULL, &way);
                must_read_alike(known, text, "70", &way);
            }
    binding_free(&known->next);
    binding_free(&known);
}
END_TEST

START_TEST(contacts_have_a_ceiling)
{
    const struct rules_way way = { .flows = RULES_FLOWS_IGNORED };
    struct rules_reader reader;
    struct rules_register reg;
    char text[STORE_CONTACT_BYTES + 64];

    rules_begin(&reader, &rules_rig_limits, NULL, NULL, &way);
    for (int i = 0; i < RULES_CONTACTS_MAX; i++)
        must(rules_contact_field(&reader, SPAN("<sip:a@192.0.2.1>")));
    must(!rules_contact_field(&reader, SPAN("<sip:a@192.0.2.1>")));
    must(rules_rig_end(&reader, &reg).status == 403);
    rules_begin(&reader, &rules_rig_limits, NULL, NULL, &way);
    snprintf(text, sizeof text, "<sip:%0*d@h>", STORE_CONTACT_BYTES - 6, 1);
    must(rules_contact_field(&reader, span_of(text)));
    snprintf(text, sizeof text, "<sip:%0*d@h>", STORE_CONTACT_BYTES - 5, 1);
    must(!rules_contact_field(&reader, span_of(text)));
    must(rules_rig_end(&reader, &reg).status == 400);
}
END_TEST

Suite *
suite_registrar_contacts(void)
{
    Suite *suite = suite_create("registrar_contacts");
    TCase *all = heap_case("all");

    tcase_add_test(all, intervals);
    tcase_add_test(all, an_hour_is_long_enough);
    tcase_add_test(all, stars);
    tcase_add_test(all, unreadable_contacts);
    tcase_add_test(all, contacts_as_read);
    tcase_add_test(all, known_contacts_are_read_alike);
    tcase_add_test(all, contacts_have_a_ceiling);
    suite_add_tcase(suite, all);
    return suite;
}
