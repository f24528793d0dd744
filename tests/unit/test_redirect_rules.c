/*
 * Redirect's rules: which address has one, what Contacts come of it, and which rules are refused.
 */
#include "redirect/rules.h"

#include "base/def.h"
#include "unit/heap.h"
#include "unit/text.h"

/* One rule of up to three Contacts, ended by NULL. */
static struct redirect_rules *
rules_of(const char *from, const char *const *to, int wanted, char why[REDIRECT_WHY_BYTES])
{
    struct span texts[3];
    struct redirect_rule_conf conf = { .from = span_of(from), .to = { .at = texts }, .status = 2 };
    struct sipd_groups groups = { &conf, 1 };
    struct redirect_rules *rules;

    while (to[conf.to.len]) {
        texts[conf.to.len] = span_of(to[conf.to.len]);
        conf.to.len++;
    }
    must_for(span_of(to[0]), redirect_rules_new(&groups, &rules, why) == wanted);
    return rules;
}

static struct span star; /* of the last find */

static const struct redirect_rule *
find(const struct redirect_rules *rules, const char *text)
{
    static char aor[REDIRECT_AOR_BYTES];
    struct uri uri;

    must_for(span_of(text), uri_read(span_of(text), &uri) == SIPD_OK);
    return redirect_rules_find(rules, &uri, aor, &star);
}

START_TEST(an_address_has_its_rule)
{
    static const char *const same[] = {
        "sip:sales@example.com",      "SIP:sales@EXAMPLE.com",
        "sip:sales@example.com:5080", "sip:sales@example.com;user=phone",
        "sip:s%61les@example.com",    "sip:sales:pw@example.com?a=b",
    };
    static const char *const other[] = { "sip:Sales@example.com", "sips:sales@example.com",
                                         "sip:sale@example.com",  "sip:sales@example.org",
                                         "sip:example.com",       "tel:+1" };
    const char *const to[] = { "sip:alice@example.com", NULL };
    char why[REDIRECT_WHY_BYTES];
    struct redirect_rules *rules = rules_of("sip:sales@example.com", to, SIPD_OK, why);

    for (size_t i = 0; i < countof(same); i++)
        must_for(span_of(same[i]), find(rules, same[i]));
    for (size_t i = 0; i < countof(other); i++)
        must_for(span_of(other[i]), !find(rules, other[i]));
    redirect_rules_free(&rules);
    ck_assert_ptr_null(rules);
}
END_TEST

START_TEST(contacts_are_written_in_brackets)
{
    static const char *const pairs[][2] = {
        { "sip:alice@example.com;q=0.9", "<sip:alice@example.com>;q=0.9" },
        { "sip:alice@example.com", "<sip:alice@example.com>" },
        { " sip:alice@example.com ;q=1 ; expires=60", "<sip:alice@example.com>;q=1 ; expires=60" },
        { "\"Al, ice\" <sip:alice@example.com;transport=tcp>;q=0.25",
          "\"Al, ice\" <sip:alice@example.com;transport=tcp>;q=0.25" },
        { "<sips:alice@example.com?Subject=x>;+sip.x",
          "<sips:alice@example.com?Subject=x>;+sip.x" },
        { "tel:+4930123456", "<tel:+4930123456>" },
        { "mailto:sales@example.com;q=0.1", "<mailto:sales@example.com>;q=0.1" },
        { "<https://example.com/a,b;c>", "<https://example.com/a,b;c>" },
        { "sip:sales@example.com:5070", "<sip:sales@example.com:5070>" },
    };

    for (size_t i = 0; i < countof(pairs); i++) {
        const char *const to[] = { pairs[i][0], NULL };
        char why[REDIRECT_WHY_BYTES];
        struct redirect_rules *rules = rules_of("sip:sales@example.com", to, SIPD_OK, why);
        const struct redirect_rule *rule = find(rules, "sip:sales@example.com");

        must(rule->to_len == 1);
        must_text(redirect_text_span(&rule->to[0]), pairs[i][1]);
        redirect_rules_free(&rules);
    }
}
END_TEST

START_TEST(several_stay_in_order)
{
    const char *const to[] = {
        "sip:b@example.com;q=0.1",
        "sip:a@example.com;q=0.9",
        "tel:+1",
    };
    const char *const all[] = { to[0], to[1], to[2] };
    struct span texts[3];
    struct redirect_rule_conf confs[] = {
        { SPAN("tel:+1-234"), { texts, 1 }, 2, 0 },
        { SPAN("sip:zoe@example.com"), { texts, 3 }, 2, 0 },
        { SPAN("sip:amy@example.com"), { texts + 1, 1 }, 2, 0 },
    };
    struct sipd_groups groups = { confs, countof(confs) };
    struct redirect_rules *rules;
    char why[REDIRECT_WHY_BYTES];

    for (size_t i = 0; i < countof(texts); i++)
        texts[i] = span_of(all[i]);
    ck_assert_int_eq(redirect_rules_new(&groups, &rules, why), SIPD_OK);
    ck_assert_uint_eq(find(rules, "sip:zoe@example.com")->to_len, 3);
    must_text(redirect_text_span(&find(rules, "sip:zoe@example.com")->to[1]),
              "<sip:a@example.com>;q=0.9");
    must_text(redirect_text_span(&find(rules, "sip:amy@example.com")->to[0]),
              "<sip:a@example.com>;q=0.9");
    ck_assert_uint_eq(find(rules, "tel:+1234")->to_len, 1);
    redirect_rules_free(&rules);
}
END_TEST

START_TEST(wrong_rules_are_named)
{
    static const char *const wrong[][3] = {
        { "sales@example.com", "sip:a@example.com", "rules[0].from: \"sales@example.com\" is no" },
        { "", "sip:a@example.com", "from" },
        { "sip:*@exa mple.com", "sip:a@example.com", "is no URI" },
        { "sip:sales@example.com", "alice@example.com",
          "rules[0].to[1]: \"alice@example.com\" is no URI" },
        { "sip:sales@example.com", "", "is no URI" },
        { "sip:sales@example.com", "*", "is no URI" },
        { "sip:sales@example.com", "<sip:>", "is no URI" },
        { "sip:sales@example.com", "sip:a@example.com, sip:b@example.com", "is no URI" },
        { "sip:sales@example.com", "<sip:a@example.com>;x=\r\nVia: y", "is no URI" },
        { "sip:sales@example.com", "sip:a@example.com;q=1.5", "q that is not" },
        { "sip:sales@example.com", "<sip:a@example.com>;q=high", "q that is not" },
        { "sip:sales@example.com", "sip:a@example.com;expires=soon", "expires that is no" },
        { "sip:sales@example.com", "sip:a@example.com;transport=tcp", "<uri>" },
        { "sip:sales@example.com", "sip:sales@EXAMPLE.com;q=0.5", "leads back" },
        { "sip:sales@example.com", "<sip:sales@example.com>", "leads back" },
    };

    for (size_t i = 0; i < countof(wrong); i++) {
        const char *const to[] = { "sip:fine@example.com", wrong[i][1], NULL };
        char why[REDIRECT_WHY_BYTES];
        struct redirect_rules *rules = rules_of(wrong[i][0], to, SIPD_EINVAL, why);

        must(!rules);
        if (!strstr(why, wrong[i][2]))
            ck_abort_msg("want \"%s\" in \"%s\"", wrong[i][2], why);
    }
}
END_TEST

START_TEST(two_rules_for_one_address)
{
    struct span to = SPAN("sip:a@example.com");
    struct redirect_rule_conf confs[] = {
        { SPAN("sip:sales@example.com"), { &to, 1 }, 2, 0 },
        { SPAN("sip:other@example.com"), { &to, 1 }, 2, 0 },
        { SPAN("SIP:s%61les@EXAMPLE.com:5060"), { &to, 1 }, 2, 0 },
    };
    struct sipd_groups groups = { confs, countof(confs) };
    struct redirect_rules *rules;
    char why[REDIRECT_WHY_BYTES];

    ck_assert_int_eq(redirect_rules_new(&groups, &rules, why), SIPD_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "two rules are for sip:sales@example.com"));
}
END_TEST

START_TEST(patterns)
{
    static const struct {
        const char *pattern, *text, *star; /* star NULL: it does not match */
    } cases[] = {
        { "sip:*@example.com", "sip:bob@example.com", "bob" },
        { "sip:*@example.com", "sip:bob@example.org", NULL },
        { "sip:+49*@*", "sip:+4930@example.com", "30" },
        { "sip:+49*@*", "sip:+4930@", "30" },
        { "tel:+49*", "tel:+49", "" },
        { "*", "", "" },
        { "*a*b", "xaxbxaxb", "x" },
        { "a*b*c", "abbbc", "" },
        { "a*bc", "abcbc", "bc" },
        { "a*a", "a", NULL },
        { "abc", "abc", "" },
        { "abc", "abcd", NULL },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        bool fits = pattern_matches(span_of(cases[i].pattern), span_of(cases[i].text), &star);

        must_for(span_of(cases[i].pattern), fits == (cases[i].star != NULL));
        if (fits)
            must_text(star, cases[i].star);
    }
}
END_TEST

/* Priority first, then an address before a pattern, then the longer pattern, then the first. */
START_TEST(the_rule_that_fits_best)
{
    struct span to = SPAN("sip:a@example.com");
    const struct redirect_rule_conf confs[] = {
        { SPAN("sip:*@example.com"), { &to, 1 }, 0, 0 },
        { SPAN("SIP:*a@EXAMPLE.com"), { &to, 1 }, 1, 0 },
        { SPAN("sip:anna@example.com"), { &to, 1 }, 2, 0 },
        { SPAN("sip:b*@example.com"), { &to, 1 }, 3, 0 },
        { SPAN("sip:*b@example.com"), { &to, 1 }, 4, 0 },
        { SPAN("sip:c*"), { &to, 1 }, 4, 5 },
        { SPAN("sip:carl@example.com"), { &to, 1 }, 2, 4 },
        { SPAN("mailto:*@example.com"), { &to, 1 }, 3, 0 },
        { SPAN("MAILTO:dora@example.com"), { &to, 1 }, 4, 0 },
    };
    const struct sipd_groups groups = { confs, countof(confs) };
    char why[REDIRECT_WHY_BYTES];
    struct redirect_rules *rules;

    must(redirect_rules_new(&groups, &rules, why) == SIPD_OK);
    must(find(rules, "sip:zoe@example.com")->status == 300);
    must_text(star, "zoe");
    must(find(rules, "sip:eva@example.com:5070;user=phone")->status == 301);
    must(find(rules, "sip:anna@example.com")->status == 302);
    must(find(rules, "sip:bb@example.com")->status == 305);
    must(find(rules, "sip:carl@example.com")->status == 380);
    must(find(rules, "mailto:dora@example.com")->status == 380);
    must(find(rules, "MAILTO:emil@example.com")->status == 305);
    must(!find(rules, "sip:zoe@example.org"));
    must_text(redirect_rules_scheme(rules, 0), "mailto");
    must(redirect_rules_scheme(rules, 1).len == 0);
    redirect_rules_free(&rules);
}
END_TEST

START_TEST(what_a_star_stood_for)
{
    const char *const to[] = { "<sip:*@new.example;x=*>;q=0.5", "tel:+1", NULL };
    char why[REDIRECT_WHY_BYTES];
    struct redirect_rules *rules = rules_of("sip:*@example.com", to, SIPD_OK, why);
    const struct redirect_rule *rule = find(rules, "sip:bob@example.com");
    struct redirect_text contact = redirect_rule_contact(rule, 0, star);

    must_text(redirect_text_span(&contact), "<sip:bob@new.example;x=bob>;q=0.5");
    redirect_text_free(&contact);
    contact = redirect_rule_contact(rule, 1, star);
    must_text(redirect_text_span(&contact), "<tel:+1>");
    redirect_text_free(&contact);
    redirect_rules_free(&rules);
}
END_TEST

START_TEST(no_rules_and_no_memory)
{
    const char *const to[] = { "sip:a@example.com", "<sip:b@example.com>;q=0.5", NULL };
    struct sipd_groups none = { NULL, 0 };
    char why[REDIRECT_WHY_BYTES];
    struct redirect_rules *rules;

    ck_assert_int_eq(redirect_rules_new(&none, &rules, why), SIPD_OK);
    ck_assert_ptr_null(find(rules, "sip:sales@example.com"));
    redirect_rules_free(&rules);
    for (uint64_t n = 0; n < 6; n++) {
        mem_fail_after(n);
        must(!rules_of("sip:sales@example.com", to, SIPD_ENOMEM, why));
        must(mem_failed());
    }
    mem_fail_after(6);
    rules = rules_of("sip:sales@example.com", to, SIPD_OK, why);
    redirect_rules_free(&rules);
}
END_TEST

START_TEST(targets_as_contacts)
{
    static const struct {
        uint32_t q, expires_s;
        const char *text;
    } wanted[] = {
        { 1000, 0, "<sip:a@192.0.2.1:5062;ob>;q=1" },
        { 0, 0, "<sip:a@192.0.2.1:5062;ob>;q=0" },
        { 500, 60, "<sip:a@192.0.2.1:5062;ob>;q=0.5;expires=60" },
        { 50, 0, "<sip:a@192.0.2.1:5062;ob>;q=0.05" },
        { 7, 0, "<sip:a@192.0.2.1:5062;ob>;q=0.007" },
        { 123, UINT32_MAX, "<sip:a@192.0.2.1:5062;ob>;q=0.123;expires=4294967295" },
        { 990, 1, "<sip:a@192.0.2.1:5062;ob>;q=0.99;expires=1" },
    };
    struct sipd_target target = { .uri = SPAN("sip:a@192.0.2.1:5062;ob") };
    struct redirect_text text;

    for (size_t i = 0; i < countof(wanted); i++) {
        target.q = wanted[i].q;
        target.expires_s = wanted[i].expires_s;
        text = redirect_contact(&target);
        must_text(redirect_text_span(&text), wanted[i].text);
        redirect_text_free(&text);
    }
    mem_fail_after(0);
    text = redirect_contact(&target);
    ck_assert_ptr_null(text.at);
}
END_TEST

Suite *
suite_redirect_rules(void)
{
    Suite *suite = suite_create("redirect_rules");
    TCase *all = heap_case("all");

    tcase_add_test(all, an_address_has_its_rule);
    tcase_add_test(all, contacts_are_written_in_brackets);
    tcase_add_test(all, several_stay_in_order);
    tcase_add_test(all, wrong_rules_are_named);
    tcase_add_test(all, two_rules_for_one_address);
    tcase_add_test(all, patterns);
    tcase_add_test(all, the_rule_that_fits_best);
    tcase_add_test(all, what_a_star_stood_for);
    tcase_add_test(all, no_rules_and_no_memory);
    tcase_add_test(all, targets_as_contacts);
    suite_add_tcase(suite, all);
    return suite;
}
