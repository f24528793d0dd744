/*
 * What the core tells of its decisions, to whoever explains them; and that it tells nobody else.
 */
#include "core/explain.h"

#include "unit/core_rig.h"

static struct buf told;  /* a line each: "step 0: words" */
static struct buf steps; /* "heard check …" */

static void
hear(void *io, const struct explain_event *event)
{
    (void)io;
    buf_put(&steps, explain_step_name(event->step));
    buf_put_char(&steps, ' ');
    buf_put(&told, explain_step_name(event->step));
    if (event->nth > 0)
        buf_printf(&told, " %u", event->nth - 1);
    buf_put(&told, SPAN(": "));
    explain_words(event, &told);
    buf_put_char(&told, '\n');
}

static void
begin(void)
{
    rig_begin();
    buf_init(&told, 1 << 20);
    buf_init(&steps, 1 << 20);
    rig.ports.explain = hear;
    rig_restart(&rig);
    core_explain(rig.core, true);
}

static void
end(void)
{
    buf_fini(&told);
    buf_fini(&steps);
    rig_end();
}

#define must_tell(text) must_tell_at(text, __LINE__)

static void
must_tell_at(const char *text, int line)
{
    buf_put_char(&told, '\0');
    if (!strstr(told.bytes, text))
        ck_abort_msg("line %d: wanted <%s> in:\n%s", line, text, told.bytes);
    told.len--;
}

START_TEST(a_call_is_told_step_by_step)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 500);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9");
    rig_reply(&rig, invite, 200, "b", NULL);
    must_tell("heard: INVITE sip:bob@example.com SIP/2.0 came from udp:192.0.2.1:5060\n"
              "check: ");
    must_tell("route: asks for sip:bob@example.com, which is ours; Routes of ours taken off: 0\n");
    must_tell("names sip:bob@192.0.2.9 with q 0.5\n");
    must_tell("group: 1 tried together, the best with q 0.5\n"
              "branch 0: begins for sip:bob@192.0.2.9\n"
              "hop 0: goes to udp:192.0.2.9:5060, hop 1 of its list\n"
              "sent: INVITE sip:bob@192.0.2.9 SIP/2.0 left for udp:192.0.2.9:5060\n"
              "heard: SIP/2.0 200 Whatever came from udp:192.0.2.9:5060\n"
              "done 0: ends with 200: its answer\n"
              "up: 200 goes up: Whatever\n"
              "sent: SIP/2.0 200 Whatever left for udp:192.0.2.1:5060\n");
    rig_forget(&rig);
}
END_TEST

START_TEST(a_refusal_names_its_check)
{
    rig_ask(&rig, ALICE, INVITE_BOB, "Max-Forwards: 0", NULL);
    must_tell("refused: Max-Forwards: refused with 483 ");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    must_tell("nobody: there is no target: nobody knows the user\nup: 404 goes up: Not Found\n");
    rig_new_branch(&rig);
    rig.conf.path_required = true;
    rig_ask(&rig, ALICE, "REGISTER sip:example.net SIP/2.0", NULL);
    must_tell("refused: proxy.path_required: refused with 421 for want of \"Supported: path\"\n"
              "up: 421 goes up: Extension Required\n");
    rig_new_branch(&rig);
    rig.trust = false;
    rig_ask(&rig, ALICE, "INVITE sip:x@example.net SIP/2.0", NULL);
    must_tell("relay: it may not leave: another's domain, and its sender is not known\n");
    rig_forget(&rig);
}
END_TEST

START_TEST(the_best_of_two_and_why)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    must_tell("group: 2 tried together, the best with q 1\n");
    rig_reply(&rig, rig_last(&rig, "INVITE sip:bob@192.0.2.9"), 407, "b", NULL);
    rig_reply(&rig, rig_last(&rig, "INVITE sip:bob@192.0.2.8"), 486, "c", NULL);
    must_tell("best: of 2 branches' ends 407 is the best: as it came\n");
    rig_forget(&rig);
}
END_TEST

START_TEST(hops_that_fail)
{
    rig.resolves = true;
    rig_bind(&rig, "bob", "sip:bob@example.org", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_resolved(&rig, 0, SIPD_OK, "udp:192.0.2.11:5060", "udp:192.0.2.12:5060", NULL);
    rig_gone(&rig, rig_last(&rig, "INVITE"));
    must_tell("lookup 0: sip:bob@example.org is looked up\n");
    must_tell("found 0: hop 1 is udp:192.0.2.11:5060\nfound 0: hop 2 is udp:192.0.2.12:5060\n");
    must_tell("failed 0: udp:192.0.2.11:5060: cannot be reached\n"
              "hop 0: goes to udp:192.0.2.12:5060, hop 2 of its list\n");
    rig_forget(&rig);
}
END_TEST

START_TEST(nobody_listens)
{
    core_explain(rig.core, true); /* twice is once */
    core_explain(rig.core, false);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_forget(&rig);
    ck_assert_uint_eq(told.len, 0);
}
END_TEST

START_TEST(passwords_are_not_told)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        { "sip:bob:secret@example.com", "sip:bob:***@example.com" },
        { "sip:bob@example.com:5060", "sip:bob@example.com:5060" },
        { "INVITE sip:bob:s:e;c@example.com SIP/2.0", "INVITE sip:bob:***@example.com SIP/2.0" },
        { "<sip:a:x@b>, <sip:c:y@d>", "<sip:a:***@b>, <sip:c:***@d>" },
        { "sip:[2001:db8::1]:5060", "sip:[2001:db8::1]:5060" },
        { "sip:bo,b?x;y:sec,ret?@example.com", "sip:bo,b?x;y:***@example.com" },
        { "sip:a@b,sip:c:y@d", "sip:a@b,sip:c:***@d" },
        { "\"x:y:z\" <im:a:x@b>", "\"x:y:z\" <im:a:***@b>" },
        { "tel:+1", "tel:+1" },
        { "", "" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        buf_clear(&told);
        explain_text(span_of(cases[i].text), &told);
        ck_assert_msg(span_eq(buf_span(&told), span_of(cases[i].told)), "%s: %.*s", cases[i].text,
                      SPAN_ARG(buf_span(&told)));
    }
}
END_TEST

START_TEST(numbers_in_words)
{
    static const struct {
        uint32_t q;
        const char *text;
    } cases[] = { { 0, "0" }, { 1000, "1" }, { 500, "0.5" }, { 250, "0.25" }, { 1, "0.001" } };

    for (size_t i = 0; i < countof(cases); i++) {
        buf_clear(&told);
        explain_q(cases[i].q, &told);
        ck_assert(span_eq(buf_span(&told), span_of(cases[i].text)));
    }
}
END_TEST

Suite *suite_told(void);

Suite *
suite_told(void)
{
    Suite *s = suite_create("told");
    TCase *c = tcase_create("told");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, a_call_is_told_step_by_step);
    tcase_add_test(c, a_refusal_names_its_check);
    tcase_add_test(c, the_best_of_two_and_why);
    tcase_add_test(c, hops_that_fail);
    tcase_add_test(c, nobody_listens);
    tcase_add_test(c, passwords_are_not_told);
    tcase_add_test(c, numbers_in_words);
    suite_add_tcase(s, c);
    return s;
}
