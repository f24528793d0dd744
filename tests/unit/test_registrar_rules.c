/*
 * RFC 3261 §10.3 step 7 as pure logic: what changes, what is refused for what there is, and how a Contact is reached.
 */
#include "registrar/rules.h"

#include "base/def.h"
#include "unit/heap.h"
#include "unit/rules_rig.h"
#include "unit/text.h"

/* ---------------------------------------------------------------- deciding */

struct book {
    struct binding *first;
};

static void
book_add(struct book *book, const char *contact, const char *call_id, uint32_t cseq, uint16_t q)
{
    struct store_row row = {
        .aor = SPAN("sip:bob@example.com"),
        .contact = span_of(contact),
        .call_id = span_of(call_id),
        .cseq = cseq,
        .q = q,
    };
    struct binding *b = binding_new(&row, 1000000);

    must(b);
    b->next = book->first;
    book->first = b;
}

static void
book_free(struct book *book)
{
    while (book->first) {
        struct binding *b = book->first;

        book->first = b->next;
        binding_free(&b);
    }
}

static struct rules_answer
decide(const struct book *book, uint32_t cseq, const char *expires, const char *contacts,
       struct rules_step *steps, size_t *len)
{
    static struct rules_reader reader; /* the steps point into it */
    struct rules_register reg;

    must_for(span_of(contacts),
             rules_rig_read(&reader, &reg, expires, contacts, NULL).status == 200);
    reg.cseq = cseq;
    return rules_decide(&reg, book->first, rules_rig_limits.max_contacts, steps, len);
}

START_TEST(adding_refreshing_removing)
{
    struct rules_step steps[RULES_BINDINGS_MAX];
    struct book book = { NULL };
    size_t len;

    must(decide(&book, 1, NULL, "<sip:b@192.0.2.1>", steps, &len).status == 200);
    must(len == 1 && !steps[0].old && steps[0].want);
    must(decide(&book, 1, "0", "<sip:b@192.0.2.1>", steps, &len).status == 200);
    must(len == 0); /* there was none to remove */

    book_add(&book, "sip:b@192.0.2.1", "call", 5, STORE_NO_Q);
    must(decide(&book, 6, NULL, "<sip:b@192.0.2.1>", steps, &len).status == 200);
    must(len == 1 && steps[0].old == book.first && steps[0].want);
    must(decide(&book, 6, NULL, "<SIP:b@192.0.2.1>", steps, &len).status == 200);
    must(len == 1 && steps[0].old == book.first); /* §19.1.4: the same */
    must(decide(&book, 6, NULL, "<sip:b@192.0.2.1:5060>", steps, &len).status == 200);
    must(len == 1 && !steps[0].old); /* a port is not the default port */
    must(decide(&book, 6, NULL, "<sip:B@192.0.2.1>", steps, &len).status == 200);
    must(len == 1 && !steps[0].old); /* users have case */
    must(decide(&book, 6, "0", "<sip:b@192.0.2.1>", steps, &len).status == 200);
    must(len == 1 && steps[0].old == book.first && !steps[0].want);
    must(decide(&book, 6, "0", "*", steps, &len).status == 200);
    must(len == 1 && steps[0].old == book.first && !steps[0].want);
    book_free(&book);
}
END_TEST

/* RFC 5630 §5.2: a sips Contact comes in where all is sips; what only goes does not matter. */
START_TEST(sips_wants_sips_everywhere)
{
    static const struct {
        bool secure;
        const char *contacts;
        unsigned status;
    } wanted[] = {
        { true, "<sips:b@h>", 200 },
        { false, "<sips:b@h>", 400 },
        { false, "<SIPS:b@h>", 400 },
        { true, "<sips:b@h>, <sips:c@h>", 200 },
        { true, "<sips:b@h>, <sip:c@h>", 400 },
        { true, "<sip:c@h>, <sips:b@h>", 400 },
        { true, "<sips:b@h>, <mailto:b@h>", 400 },
        { true, "<sip:b@h>", 200 },
        { false, "<sips:b@h>;expires=0", 200 },
        { false, "<sips:b@h>;expires=0, <sip:c@h>", 200 },
        { true, "<sips:b@h>, <sip:b@h>;expires=0", 200 },
    };
    struct rules_reader reader;
    struct rules_register reg;

    for (size_t i = 0; i < countof(wanted); i++) {
        rules_rig_secure = wanted[i].secure;
        must_for(span_of(wanted[i].contacts),
                 rules_rig_read(&reader, &reg, NULL, wanted[i].contacts, NULL).status ==
                     wanted[i].status);
    }
    rules_rig_secure = false;
}
END_TEST

/* RFC 5630 §5.1.1.1: what comes under one of the two schemes replaces what came under the other. */
START_TEST(sip_and_sips_replace_each_other)
{
    static const char *const was[] = { "sip:b@192.0.2.1;x=1", "sips:b@192.0.2.1;x=1" };
    static const char *const comes[] = { "<sips:b@192.0.2.1;x=1>", "<sip:b@192.0.2.1;x=1>" };
    struct rules_step steps[RULES_BINDINGS_MAX];
    size_t len;

    rules_rig_secure = true;
    for (size_t i = 0; i < countof(was); i++) {
        struct book book = { NULL };

        book_add(&book, was[i], "call", 5, STORE_NO_Q);
        must(decide(&book, 6, NULL, comes[i], steps, &len).status == 200);
        must(len == 1 && steps[0].old == book.first && steps[0].want);
        must(decide(&book, 6, NULL, "<sips:b@192.0.2.1;x=2>", steps, &len).status == 200);
        must(len == 1 && !steps[0].old); /* but for the scheme, all counts */
        book_free(&book);
    }
    rules_rig_secure = false;
}
END_TEST

/* RFC 5626 §6: which reg-ids are taken, passed over or refused. */
START_TEST(flows_and_instances)
{
    static const struct {
        enum rules_flows flows;
        const char *contacts;
        unsigned status;
        uint32_t reg_id;
    } wanted[] = {
        { RULES_FLOWS_TAKEN, "<sip:b@h>;reg-id=1;+sip.instance=\"<urn:x:1>\"", 200, 1 },
        { RULES_FLOWS_IGNORED, "<sip:b@h>;reg-id=1;+sip.instance=\"<urn:x:1>\"", 200, 0 },
        { RULES_FLOWS_LACKING, "<sip:b@h>;reg-id=1;+sip.instance=\"<urn:x:1>\"", 439, 0 },
        { RULES_FLOWS_LACKING, "<sip:b@h>;+sip.instance=\"<urn:x:1>\"", 200, 0 },
        { RULES_FLOWS_TAKEN, "<sip:b@h>;reg-id=1", 200, 0 },
        { RULES_FLOWS_TAKEN, "<sip:b@h>;reg-id=1;+sip.instance=\"urn:x:1\"", 200, 0 },
        { RULES_FLOWS_TAKEN, "<sip:b@h>;reg-id=0;+sip.instance=\"<urn:x:1>\"", 400, 0 },
        { RULES_FLOWS_TAKEN, "<sip:b@h>;reg-id=x;+sip.instance=\"<urn:x:1>\"", 400, 0 },
        { RULES_FLOWS_TAKEN, "<sip:b@h>;reg-id=4294967295;+sip.instance=\"<urn:x:1>\"", 400, 0 },
        { RULES_FLOWS_TAKEN, "<sip:b@h>;reg-id=2;+sip.instance=\"<urn:x:1>\", <sip:c@h>", 400, 0 },
        { RULES_FLOWS_TAKEN, "<sip:b@h>;reg-id=2;+sip.instance=\"<urn:x:1>\", <sip:c@h>;expires=0",
          200, 2 },
    };
    struct rules_reader reader;
    struct rules_register reg;

    for (size_t i = 0; i < countof(wanted); i++) {
        struct span text = span_of(wanted[i].contacts);
        struct rules_answer answer;

        rules_rig_flows = wanted[i].flows;
        answer = rules_rig_read(&reader, &reg, NULL, wanted[i].contacts, NULL);
        must_for(text, answer.status == wanted[i].status);
        if (answer.status == 200)
            must_for(text, reg.contacts[0].reg_id == wanted[i].reg_id &&
                               reg.flows == (wanted[i].reg_id > 0));
    }
    rules_rig_flows = RULES_FLOWS_IGNORED;
}
END_TEST

static void
book_add_flow(struct book *book, const char *contact, const char *params, uint32_t reg_id)
{
    struct store_row row = { .aor = SPAN("sip:b@example.com"),
                             .contact = span_of(contact),
                             .params = span_of(params),
                             .call_id = SPAN("call"),
                             .reg_id = reg_id,
                             .q = STORE_NO_Q };
    struct binding *b = binding_new(&row, 1000);

    must(b);
    b->next = book->first;
    book->first = b;
}

/* RFC 5626 §6: a flow is the same by instance and reg-id, whatever its URI; others are the same by URI. */
START_TEST(flows_are_told_by_reg_id)
{
    struct rules_step steps[RULES_BINDINGS_MAX];
    struct book book = { NULL };
    size_t len;

    book_add_flow(&book, "sip:b@192.0.2.1", ";+sip.instance=\"<urn:x:1>\";reg-id=1", 1);
    rules_rig_flows = RULES_FLOWS_TAKEN;
    must(decide(&book, 1, NULL, "<sip:b@192.0.2.9>;+sip.instance=\"<urn:x:1>\";reg-id=1", steps,
                &len)
             .status == 200);
    must(len == 1 && steps[0].old == book.first && steps[0].want);
    must(decide(&book, 1, NULL, "<sip:b@192.0.2.1>;+sip.instance=\"<urn:x:1>\";reg-id=2", steps,
                &len)
             .status == 200);
    must(len == 1 && !steps[0].old);
    must(decide(&book, 1, NULL, "<sip:b@192.0.2.1>;+sip.instance=\"<urn:x:2>\";reg-id=1", steps,
                &len)
             .status == 200);
    must(len == 1 && !steps[0].old);
    must(decide(&book, 1, NULL, "<sip:b@192.0.2.1>", steps, &len).status == 200);
    must(len == 1 && !steps[0].old);
    must(decide(&book, 1, "0", "<sip:x@y>;+sip.instance=\"<urn:x:1>\";reg-id=1", steps, &len)
             .status == 200);
    must(len == 1 && steps[0].old == book.first && !steps[0].want);
    rules_rig_flows = RULES_FLOWS_IGNORED;
    book_free(&book);
}
END_TEST

START_TEST(order_within_a_call)
{
    struct rules_step steps[RULES_BINDINGS_MAX];
    struct book book = { NULL };
    size_t len;

    book_add(&book, "sip:b@192.0.2.1", "call", 5, 500);
    book_add(&book, "sip:b@192.0.2.2", "other", 9, STORE_NO_Q);

    /* older than what we have, or as old and not the same */
    must(decide(&book, 4, NULL, "<sip:b@192.0.2.1>;q=0.5", steps, &len).status == 500);
    must(decide(&book, 5, NULL, "<sip:b@192.0.2.1>;q=0.6", steps, &len).status == 500);
    must(decide(&book, 5, "0", "<sip:b@192.0.2.1>;q=0.5", steps, &len).status == 500);
    must(decide(&book, 5, NULL, "<sip:b@192.0.2.3>, <sip:b@192.0.2.1>;q=0.5", steps, &len).status ==
         500);
    must(decide(&book, 4, NULL, "<sip:b@192.0.2.3>, <sip:b@192.0.2.1>", steps, &len).status == 500);
    must(decide(&book, 5, "0", "*", steps, &len).status == 500);
    must(decide(&book, 4, "0", "*", steps, &len).status == 500);

    /* a retransmission is answered as before, and changes nothing */
    must(decide(&book, 5, NULL, "<sip:b@192.0.2.1>;q=0.5", steps, &len).status == 200);
    must(len == 0);

    /* newer, or of another call whatever its number */
    must(decide(&book, 6, NULL, "<sip:b@192.0.2.1>, <sip:b@192.0.2.2>", steps, &len).status == 200);
    must(len == 2);
    must(decide(&book, 6, "0", "*", steps, &len).status == 200);
    must(len == 2);
    must(decide(&book, 1, NULL, "<sip:b@192.0.2.2>", steps, &len).status == 200);
    must(len == 1 && steps[0].old);
    book_free(&book);
}
END_TEST

START_TEST(the_last_word_counts)
{
    struct rules_step steps[RULES_BINDINGS_MAX];
    struct book book = { NULL };
    size_t len;

    book_add(&book, "sip:b@192.0.2.1", "call", 5, STORE_NO_Q);
    must(
        decide(&book, 6, NULL, "<sip:b@h>;q=0.1, <sip:c@h>, <sip:b@H>;q=0.2", steps, &len).status ==
        200);
    must(len == 2 && steps[1].want->q == 200);
    must(decide(&book, 6, NULL, "<sip:b@192.0.2.1>;expires=0, <sip:b@192.0.2.1>", steps, &len)
             .status == 200);
    must(len == 1 && steps[0].old == book.first && steps[0].want);
    must(decide(&book, 6, NULL, "<sip:b@h>, <sip:b@h>;expires=0", steps, &len).status == 200);
    must(len == 0);
    book_free(&book);
}
END_TEST

START_TEST(contacts_of_a_user_have_a_ceiling)
{
    struct rules_step steps[RULES_BINDINGS_MAX];
    struct book book = { NULL };
    size_t len;

    must(decide(&book, 6, NULL, "<sip:1@h>, <sip:2@h>, <sip:3@h>", steps, &len).status == 200);
    must(decide(&book, 6, NULL, "<sip:1@h>, <sip:2@h>, <sip:3@h>, <sip:4@h>", steps, &len).status ==
         403);
    book_add(&book, "sip:1@h", "call", 5, STORE_NO_Q);
    book_add(&book, "sip:2@h", "call", 5, STORE_NO_Q);
    book_add(&book, "sip:3@h", "call", 5, STORE_NO_Q);
    must(decide(&book, 6, NULL, "<sip:4@h>", steps, &len).status == 403);
    must(decide(&book, 6, NULL, "<sip:2@h>", steps, &len).status == 200);
    must(decide(&book, 6, NULL, "<sip:1@h>;expires=0, <sip:4@h>", steps, &len).status == 200);
    must(len == 2);
    book_add(&book, "sip:4@h", "call", 5, STORE_NO_Q); /* the limit was lowered since */
    must(decide(&book, 6, NULL, "<sip:2@h>", steps, &len).status == 200);
    must(decide(&book, 6, "0", "*", steps, &len).status == 200);
    must(len == 4);
    book_free(&book);
}
END_TEST

/* ---------------------------------------------------------------- the way back */

START_TEST(ways_back)
{
    static const struct {
        uint8_t source;
        const char *contact;
        uint8_t reach;
    } wanted[] = {
        /* over a connection: back over it */
        { HOP_TCP, "sip:b@192.0.2.9:5060", HOP_TCP },
        { HOP_TCP, "sip:b@10.0.0.1;transport=udp", HOP_TCP },
        { HOP_TLS, "sip:b@192.0.2.9:5061", HOP_TLS },
        { HOP_TLS, "sips:b@192.0.2.9", HOP_TLS },
        /* from the very address */
        { HOP_UDP, "sip:b@192.0.2.9", HOP_UDP },
        { HOP_UDP, "sip:b@192.0.2.9:5060", HOP_UDP },
        { HOP_UDP, "sip:b@192.0.2.9;transport=udp", HOP_UDP },
        { HOP_UDP, "sip:b@192.0.2.9;transport=TCP", HOP_TCP },
        { HOP_UDP, "sip:b@192.0.2.9:5060;transport=tls", HOP_TLS },
        /* from behind a NAT, or named */
        { HOP_UDP, "sip:b@192.0.2.9:5070", HOP_UDP },
        { HOP_UDP, "sip:b@10.0.0.1", HOP_UDP },
        { HOP_UDP, "sip:b@10.0.0.1;transport=tcp", HOP_UDP },
        { HOP_UDP, "sip:b@192.0.2.9;transport=tls", HOP_UDP }, /* its port is 5061 */
        { HOP_UDP, "sip:b@phone.example.com", HOP_UDP },
        { HOP_UDP, "sip:b@[2001:db8::1]", HOP_UDP },
        /* as the URI says */
        { HOP_UDP, "sips:b@192.0.2.9", HOP_NONE },
        { HOP_TCP, "sips:b@192.0.2.9", HOP_NONE },
        { HOP_UDP, "tel:+49301234", HOP_NONE },
        { HOP_TCP, "mailto:b@example.com", HOP_NONE },
        { HOP_UDP, "sip:b@192.0.2.9:5060;transport=sctp", HOP_NONE },
        { HOP_NONE, "sip:b@192.0.2.9", HOP_NONE },
    };

    for (size_t i = 0; i < countof(wanted); i++) {
        struct hop source = { .transport = wanted[i].source, .port = 5060, .listener = 2 };
        struct hop hop;
        struct uri uri;

        source.flow = hop_is_reliable(source.transport) ? 77 : 0;
        must(hop_ip_read(SPAN("192.0.2.9"), &source));
        must_for(span_of(wanted[i].contact), uri_read(span_of(wanted[i].contact), &uri) == SIPD_OK);
        must_for(span_of(wanted[i].contact), rules_reach(&uri, &source) == wanted[i].reach);
        hop = rules_hop(wanted[i].reach, &source);
        must(hop.transport == wanted[i].reach);
        if (hop.transport == source.transport && hop.transport != HOP_NONE)
            must(hop_eq(&hop, &source) && hop.flow == source.flow && hop.listener == 2);
        else
            must(hop.flow == 0 && hop.listener == 0);
    }
}
END_TEST

Suite *
suite_registrar_rules(void)
{
    Suite *suite = suite_create("registrar_rules");
    TCase *all = heap_case("all");

    tcase_add_test(all, adding_refreshing_removing);
    tcase_add_test(all, order_within_a_call);
    tcase_add_test(all, sips_wants_sips_everywhere);
    tcase_add_test(all, sip_and_sips_replace_each_other);
    tcase_add_test(all, flows_and_instances);
    tcase_add_test(all, flows_are_told_by_reg_id);
    tcase_add_test(all, the_last_word_counts);
    tcase_add_test(all, contacts_of_a_user_have_a_ceiling);
    tcase_add_test(all, ways_back);
    suite_add_tcase(suite, all);
    return suite;
}
