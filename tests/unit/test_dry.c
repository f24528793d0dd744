/*
 * Requests run dry: what would happen is told, and nothing happens.
 */
#include "core/dry.h"

#include "core/note.h"
#include "unit/core_rig.h"

static struct buf told;
static unsigned facts;   /* that were noted, but for ends of turns */
static uint64_t waiting; /* the trip that a hook holds */

static void
hear(void *io, const struct explain_event *event)
{
    (void)io;
    ck_assert_uint_eq(event->dry, 7);
    buf_put(&told, explain_step_name(event->step));
    if (event->nth > 0)
        buf_printf(&told, " %u", event->nth - 1);
    buf_put(&told, SPAN(": "));
    explain_words(event, &told);
    buf_put_char(&told, '\n');
}

static uint64_t
note(void *io, const struct fact *fact)
{
    struct rig *r = io;

    facts += strcmp(fact->kind, FACT_TURN) != 0;
    return ++r->notes;
}

static void
begin(void)
{
    rig_begin();
    buf_init(&told, 1 << 20);
    facts = 0;
    rig.ports.note = note;
    rig.ports.explain = hear;
    rig_restart(&rig);
}

static void
end(void)
{
    buf_fini(&told);
    rig_end();
}

static int
run(const char *method, const char *uri)
{
    struct dry_ask ask = { .method = span_of(method),
                           .uri = span_of(uri),
                           .source = rig_hop(ALICE) };
    struct buf request;
    int err;

    buf_clear(&told);
    buf_init(&request, 1 << 16);
    ck_assert_int_eq(dry_write(&ask, 5, &request), SIPD_OK);
    err = dry_run(rig.core, &ask.source, buf_span(&request), 7);
    buf_fini(&request);
    return err;
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

/* Nothing was sent, kept, counted or noted, and nobody listens any more. */
static void
must_be_dry(void)
{
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
    ck_assert_uint_eq(facts, 0);
    ck_assert_uint_eq(rig_counter(&rig, "core_trips"), 0);
    ck_assert_uint_eq(rig_counter(&rig, "core_requests"), 0);
    ck_assert_uint_eq(core_next_ms(rig.core), UINT64_MAX);
}

START_TEST(all_groups_are_told)
{
    rig.conf.fork = CORE_FORK_Q;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 500);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    ck_assert_int_eq(run("INVITE", "sip:bob@example.com"), SIPD_OK);
    must_tell("group: 1 tried together, the best with q 1\n"
              "branch 0: begins for sip:bob@192.0.2.9\n"
              "hop 0: goes to udp:192.0.2.9:5060, hop 1 of its list\n"
              "group: 1 tried together, the best with q 0.5\n"
              "branch 1: begins for sip:bob@192.0.2.8\n"
              "hop 1: goes to udp:192.0.2.8:5060, hop 1 of its list\n"
              "outcome: it goes to 2 places\n");
    must_be_dry();
}
END_TEST

START_TEST(refusals_are_told)
{
    ck_assert_int_eq(run("INVITE", "sip:nobody@example.com"), SIPD_OK);
    must_tell("outcome: it is answered with 404 Not Found\n");
    rig.trust = false;
    ck_assert_int_eq(run("INVITE", "sip:x@example.net"), SIPD_OK);
    must_tell("outcome: it is answered with 403 Forbidden\n");
    ck_assert_int_eq(run("OPTIONS", "sip:example.com"), SIPD_OK);
    must_tell("server: it is for the server itself\n");
    must_tell("outcome: it is answered with 200 OK\n");
    ck_assert_int_eq(run("INVITE", "foo:bar"), SIPD_OK);
    must_tell(
        "refused: Request-URI's scheme: refused with 416 \noutcome: it is answered with 416 ");
    ck_assert_int_eq(run("ACK", "sip:bob@example.com"), SIPD_EINVAL);
    ck_assert_int_eq(run("CANCEL", "sip:bob@example.com"), SIPD_EINVAL);
    ck_assert_uint_eq(told.len, 0);
    must_be_dry();
}
END_TEST

START_TEST(hops_are_told_in_order)
{
    rig.resolves = true;
    rig_bind(&rig, "bob", "sip:bob@example.org", NULL, 1000);
    ck_assert_int_eq(run("INVITE", "sip:bob@example.com"), SIPD_OK);
    rig_alive(&rig, 1, 1, 0);
    rig_resolved(&rig, 0, SIPD_OK, "udp:192.0.2.11:5060", "udp:192.0.2.12:5060", NULL);
    must_tell("hop 0: goes to udp:192.0.2.11:5060, hop 1 of its list\n"
              "else 0: if that fails: udp:192.0.2.12:5060, hop 2 of its list\n"
              "outcome: it goes to 1 place\n");
    ck_assert_str_eq(rig.fared, "");
    ck_assert_int_eq(run("MESSAGE", "sip:bob@example.com"), SIPD_OK);
    rig_resolved(&rig, 1, SIPD_ENOENT, NULL);
    must_tell("lost 0: ");
    must_tell("outcome: it is answered with 404 Not Found\n");
    must_be_dry();
}
END_TEST

static enum sipd_verdict
wait_once(struct sipd_req *req, void *self)
{
    bool *ready = self;

    waiting = req->trip->id;
    return *ready ? SIPD_PASS : SIPD_WAIT;
}

START_TEST(a_hook_may_wait)
{
    bool ready = false;
    struct chain_hook hook = { .order = 1, .fn = wait_once, .self = &ready, .name = "slow" };

    ck_assert_int_eq(chain_add(core_chain(rig.core), SIPD_ON_REQUEST, &hook), SIPD_OK);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    ck_assert_int_eq(run("INVITE", "sip:bob@example.com"), SIPD_OK);
    must_tell("hook: slow at ON_REQUEST: lets it wait\n");
    rig_alive(&rig, 1, 0, 0);
    ready = true;
    rig_resume(&rig, waiting);
    must_tell("outcome: it goes to 1 place\n");
    must_be_dry();
}
END_TEST

START_TEST(nothing_is_forged_into_the_request)
{
    static const struct {
        const char *method, *uri, *from;
    } cases[] = {
        { "INVITE", "sip:a@b\r\nX: y", "" },
        { "IN VITE", "sip:a@b", "" },
        { "", "sip:a@b", "" },
        { "INVITE", "sip:a@b>", "" },
        { "INVITE", "", "" },
        { "INVITE", "sip:a@b", "sip:a@b\n" },
        { "INVITE", "sip:a@b", "a" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct dry_ask ask = { span_of(cases[i].method), span_of(cases[i].uri),
                               span_of(cases[i].from), rig_hop(ALICE) };
        struct buf b;

        buf_init(&b, 4096);
        ck_assert_msg(dry_write(&ask, 1, &b) == SIPD_EINVAL, "%zu", i);
        buf_fini(&b);
    }
}
END_TEST

Suite *suite_dry(void);

Suite *
suite_dry(void)
{
    Suite *s = suite_create("dry");
    TCase *c = tcase_create("dry");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, all_groups_are_told);
    tcase_add_test(c, refusals_are_told);
    tcase_add_test(c, hops_are_told_in_order);
    tcase_add_test(c, a_hook_may_wait);
    tcase_add_test(c, nothing_is_forged_into_the_request);
    suite_add_tcase(s, c);
    return s;
}
