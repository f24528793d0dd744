/*
 * What would happen and what did, as text.
 */
#include "sipctl/explain.h"

#include <stdlib.h>
#include <time.h>

#include "unit/heap.h"
#include "unit/text.h"

static void
must_explain(const char *answer, size_t width, const char *text)
{
    json_t *json = json_loads(answer, 0, NULL);
    struct screen screen = { .width = width };
    struct buf out;

    setenv("TZ", "UTC", 1);
    tzset();
    ck_assert_ptr_nonnull(json);
    must(explain_is(json));
    buf_init(&out, 1 << 16);
    explain_write(json, &screen, &out);
    must(out.err == SIPD_OK);
    if (!span_eq(buf_span(&out), span_of(text)))
        ck_abort_msg("wanted:\n%sgot:\n%.*s", text, SPAN_ARG(buf_span(&out)));
    buf_fini(&out);
    json_decref(json);
}

START_TEST(a_plan_is_a_line_a_step)
{
    must_explain(
        "{\"method\":\"INVITE\",\"uri\":\"sip:bob:builder@example.com\",\"outcome\":\"It is "
        "sent.\","
        "\"events\":[{\"step\":\"check\",\"words\":\"The request is well formed.\"},"
        "{\"step\":\"target\",\"words\":\"The registrar knows one place where bob is.\"},"
        "{\"step\":\"branch\",\"branch\":0,\"words\":\"To 127.0.0.1:5080 over udp\\u001b[2J.\"}]}",
        40,
        "INVITE sip:bob:***@example.com\n"
        "  check     The request is well formed.\n"
        "  target    The registrar knows one\n"
        "            place where bob is.\n"
        "  branch      branch 1: To\n"
        "              127.0.0.1:5080 over\n"
        "              udp?[2J.\n"
        "So: It is sent.\n");
}
END_TEST

START_TEST(a_call_is_a_ladder)
{
    must_explain(
        "{\"call_id\":\"a@b\",\"events\":["
        "{\"at_us\":1000,\"step\":\"heard\",\"peer\":\"127.0.0.1:5070\",\"transport\":\"udp\","
        "\"line\":\"INVITE sip:bob@example.com SIP/2.0\",\"cseq\":\"1 INVITE\"},"
        "{\"at_us\":2000,\"step\":\"sent\",\"peer\":\"127.0.0.1:5080\",\"transport\":\"tcp\","
        "\"line\":\"INVITE sip:bob@127.0.0.1 SIP/2.0\",\"cseq\":\"1 INVITE\"}]}",
        80,
        "              127.0.0.1:5070                sipd                127.0.0.1:5080\n"
        "                    udp                       |                       tcp\n"
        "00:00:00.001         |------ INVITE bob ----->|                        |\n"
        "00:00:00.002         |                        |------ INVITE bob ----->|\n");
}
END_TEST

START_TEST(other_answers_are_none_of_its)
{
    json_t *rows = json_pack("{s:[]}", "rows");

    must(!explain_is(rows) && !explain_is(NULL));
    json_decref(rows);
}
END_TEST

Suite *
suite_explain(void)
{
    Suite *suite = suite_create("explain");
    TCase *all = heap_case("all");

    tcase_add_test(all, a_plan_is_a_line_a_step);
    tcase_add_test(all, a_call_is_a_ladder);
    tcase_add_test(all, other_answers_are_none_of_its);
    suite_add_tcase(suite, all);
    return suite;
}
