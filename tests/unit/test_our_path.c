/*
 * Our Path in a REGISTER, and requests that come by it (RFC 3327 §5.2, RFC 5626 §5.1).
 */
#include "core/route.h"

#include "unit/route_rig.h"

Suite *suite_our_path(void);

/* ---------------------------------------------------------------- our Path (RFC 3327 §5.2, RFC 5626 §5) */

#define REGISTER_AWAY "REGISTER sip:203.0.113.5 SIP/2.0"

/* A REGISTER of alice that passes us; what left is returned. */
static const struct rig_sent *
register_away(const char *from, const char *line, const char *more)
{
    const struct rig_sent *sent;

    rig_ask(&rig, from, REGISTER_AWAY, line, more, NULL);
    sent = rig_expect(&rig, NEXT, "REGISTER ");
    rig_new_branch(&rig);
    return sent;
}

START_TEST(who_knows_of_path_gets_ours)
{
    static const struct {
        const char *from, *line, *more, *end; /* NULL: none */
    } cases[] = {
        { ALICE, "Supported: path", NULL, "@198.51.100.1:5060;lr>" },
        { ALICE, "Supported: gruu,\r\n PATH , outbound", NULL, "@198.51.100.1:5060;lr>" },
        { ALICE, "Require: path", NULL, "@198.51.100.1:5060;lr>" },
        { ALICE_TCP, "k: path", NULL, "@198.51.100.1:5060;lr;ob>" },
        { ALICE, "Supported: pathos", NULL, NULL },
        { ALICE_TCP, "Supported: outbound", NULL, NULL },
        /* not from the phone itself */
        { ALICE_TCP,
          "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKy\r\nVia: SIP/2.0/TCP 10.0.0.7;branch=z9hG4bKx",
          "Supported: path", "@198.51.100.1:5060;lr>" },
        { ALICE_TCP,
          "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKz, SIP/2.0/TCP 10.0.0.7;branch=z9hG4bKx",
          "Supported: path", "@198.51.100.1:5060;lr>" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        const struct rig_sent *sent = register_away(cases[i].from, cases[i].line, cases[i].more);
        const char *path = rig_value(sent, "Path", 0);

        ck_assert_msg((path != NULL) == (cases[i].end != NULL), "case %zu: %s", i, path);
        if (path)
            ck_assert_msg(strncmp(path, "<sip:", 5) == 0 &&
                              strcmp(strchr(path, '@'), cases[i].end) == 0,
                          "case %zu: %s", i, path);
    }
    rig.conf.path = false;
    ck_assert_uint_eq(rig_count(register_away(ALICE_TCP, "Supported: path", NULL), "Path"), 0);
}
END_TEST

/* RFC 5630 §5.2: the registrar would refuse another for a sips Contact. */
START_TEST(a_path_is_sips_where_both_sides_are_secure)
{
    static const struct {
        const char *from, *via, *line, *to, *start, *end;
    } cases[] = {
        { "tls:192.0.2.1:40000/7", "Via: SIP/2.0/TLS a;branch=z9hG4bKa",
          "REGISTER sips:203.0.113.5 SIP/2.0", "tls:203.0.113.5:5061",
          "<sips:", "@sip.example.com:5061;lr;ob>" },
        { ALICE, "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb", "REGISTER sips:203.0.113.5 SIP/2.0",
          "tls:203.0.113.5:5061", "<sip:", "@sip.example.com:5061;transport=tls;lr>" },
        { "tls:192.0.2.1:40000/7", "Via: SIP/2.0/TLS a;branch=z9hG4bKc", REGISTER_AWAY, NEXT,
          "<sip:", "@198.51.100.1:5060;lr;ob>" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        const char *path;

        rig_ask(&rig, cases[i].from, cases[i].line, cases[i].via, "Supported: path", NULL);
        path = rig_value(rig_expect(&rig, cases[i].to, "REGISTER "), "Path", 0);
        ck_assert_ptr_nonnull(path);
        ck_assert_msg(strncmp(path, cases[i].start, strlen(cases[i].start)) == 0 &&
                          strcmp(strchr(path, '@'), cases[i].end) == 0,
                      "case %zu: %s", i, path);
        rig_new_branch(&rig);
    }
}
END_TEST

START_TEST(ours_stands_above_other_paths)
{
    const struct rig_sent *sent =
        register_away(ALICE, "Supported: path", "Path: <sip:p1;lr>, <sip:p2;lr>");

    ck_assert_uint_eq(rig_count(sent, "Path"), 2);
    ck_assert_str_eq(rig_value(sent, "Path", 1), "<sip:p1;lr>, <sip:p2;lr>");
    rig_ask(&rig, ALICE, "MESSAGE sip:203.0.113.5 SIP/2.0", "Supported: path", NULL);
    ck_assert_uint_eq(rig_count(rig_expect(&rig, NEXT, "MESSAGE "), "Path"), 0);
}
END_TEST

/* proxy.path_required, RFC 3327 §5.2: the registrar must keep our Path. */
START_TEST(a_required_path_is_required_once)
{
    static const struct {
        const char *line, *more, *require[2]; /* what leaves, NULL: no such field */
    } cases[] = {
        { "Supported: path", NULL, { "path" } },
        { "Supported: path", "Require: gruu,outbound", { "gruu,outbound", "path" } },
        { "Supported: path", "Require: pathos", { "pathos", "path" } },
        { "Supported: path", "Require: gruu, Path", { "gruu, Path" } },
        { "Require: gruu", "Require: path", { "gruu", "path" } },
    };
    const struct rig_sent *sent;

    rig.conf.path_required = true;
    for (size_t i = 0; i < countof(cases); i++) {
        sent = register_away(ALICE, cases[i].line, cases[i].more);
        ck_assert_uint_eq(rig_count(sent, "Path"), 1);
        ck_assert_uint_eq(rig_count(sent, "Require"), cases[i].require[1] ? 2 : 1);
        for (unsigned n = 0; n < 2 && cases[i].require[n]; n++)
            ck_assert_str_eq(rig_value(sent, "Require", n), cases[i].require[n]);
    }
    rig.conf.path = false; /* none of ours, so none that we require */
    ck_assert_uint_eq(rig_count(register_away(ALICE, "Supported: path", NULL), "Require"), 0);
    ck_assert_uint_eq(rig_count(register_away(ALICE, "Supported: gruu", NULL), "Require"), 0);
    rig.conf.path = true;
    rig.conf.path_required = false;
    ck_assert_uint_eq(rig_count(register_away(ALICE, "Supported: path", NULL), "Require"), 0);
}
END_TEST

/* … and so the phone must know of it (RFC 3261 §21.4.15). */
START_TEST(who_does_not_know_of_a_required_path_is_421)
{
    static const char *const lines[] = { "Supported: pathos", "Supported: outbound, gruu",
                                         "Require: gruu", "Proxy-Authorization: path",
                                         "Path: <sip:p1;lr>" };
    static const enum core_mode modes[] = { CORE_STATEFUL, CORE_STATELESS };

    for (size_t i = 0; i < countof(lines) * countof(modes); i++) {
        const struct rig_sent *sent;

        rig.conf.mode = modes[i % countof(modes)];
        rig.conf.path_required = true;
        rig_ask(&rig, ALICE, REGISTER_AWAY, lines[i / countof(modes)], NULL);
        sent = rig_expect(&rig, ALICE, "SIP/2.0 421 Extension Required\r\n");
        ck_assert_str_eq(rig_value(sent, "Require", 0), "path");
        ck_assert_uint_eq(rig_count(sent, "Require"), 1);
        rig_quiet(&rig);
        rig_new_branch(&rig);
    }
    rig.trust = false; /* who may not send through us is not told how to */
    rig_ask(&rig, ALICE, REGISTER_AWAY, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 ");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "REGISTER sip:example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 405 "); /* no module registers, but it would be here */
    rig_quiet(&rig);
}
END_TEST

/* "Route: …" of the Path of a phone on a connection. */
static const char *
route_by_path(void)
{
    return rig_line("Route",
                    rig_value(register_away(ALICE_TCP, "Supported: path", NULL), "Path", 0));
}

/* Anybody may use it, in any request, and it leads to that flow: whatever Request-URI and further Routes say. */
START_TEST(a_path_leads_to_its_flow)
{
    const char *line = route_by_path();
    const struct rig_sent *sent;

    rig.trust = false;
    rig.call_id = "another@203.0.113.5";
    rig_ask(&rig, NEXT, "INVITE sip:alice@10.0.0.4;transport=tcp SIP/2.0", line, NULL);
    sent = rig_expect(&rig, ALICE_TCP, "INVITE sip:alice@10.0.0.4;transport=tcp SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(sent, "Route"), 0);
    ck_assert_uint_eq(rig_count(sent, "Record-Route"), 2);
    rig_new_branch(&rig);
    rig_ask(&rig, NEXT, "MESSAGE sip:alice@example.com;gr=1 SIP/2.0", line, NULL);
    rig_expect(&rig, ALICE_TCP, "MESSAGE sip:alice@example.com;gr=1 ");
    rig_new_branch(&rig);
    rig_ask(&rig, BOB, "MESSAGE sip:victim@203.0.113.99 SIP/2.0", line,
            "Route: <sip:203.0.113.98;lr>", NULL);
    rig_expect(&rig, ALICE_TCP, "MESSAGE sip:victim@203.0.113.99 ");
    rig_quiet(&rig);
}
END_TEST

/* RFC 5626 §5.3.1: the one who chose the flow hears that it is gone. */
START_TEST(a_path_whose_flow_is_gone_is_430)
{
    const char *line = route_by_path();

    rig_block(&rig, "tcp:192.0.2.1:40000", SIPD_ECLOSED);
    rig_ask(&rig, NEXT, "MESSAGE sip:alice@192.0.2.1 SIP/2.0", line, NULL);
    rig_expect(&rig, NEXT, "SIP/2.0 430 Flow Failed\r\n");
    rig_quiet(&rig);
}
END_TEST

/* As a Request-URI it is nobody: it is a Route only. */
START_TEST(a_path_is_no_request_uri)
{
    const char *path = rig_value(register_away(ALICE_TCP, "Supported: path", NULL), "Path", 0);

    rig_ask(&rig, BOB, route_request("MESSAGE", path), NULL);
    rig_expect(&rig, BOB, "SIP/2.0 404 ");
    rig_quiet(&rig);
}
END_TEST

Suite *
suite_our_path(void)
{
    Suite *s = suite_create("our_path");
    TCase *c = rig_case("paths");

    tcase_add_test(c, who_knows_of_path_gets_ours);
    tcase_add_test(c, a_path_is_sips_where_both_sides_are_secure);
    tcase_add_test(c, ours_stands_above_other_paths);
    tcase_add_test(c, a_required_path_is_required_once);
    tcase_add_test(c, who_does_not_know_of_a_required_path_is_421);
    tcase_add_test(c, a_path_leads_to_its_flow);
    tcase_add_test(c, a_path_whose_flow_is_gone_is_430);
    tcase_add_test(c, a_path_is_no_request_uri);
    suite_add_tcase(s, c);
    return s;
}
