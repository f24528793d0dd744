/*
 * Memory runs out while a message is written: it leaves whole, as it would have with all the memory there is, or not at all.
 */
#include "unit/core_rig.h"

Suite *suite_short(void);

#define NOWHERE "tcp:192.0.2.77:5060"

struct step {
    const char *contact, *request_line, *lines[2];
    enum core_mode mode;
};

static const struct step steps[] = {
    { "sip:bob@192.0.2.9;transport=tcp",
      "MESSAGE sip:bob@example.com SIP/2.0",
      { "-Content-Length" },
      CORE_STATEFUL },
    { "sip:bob@192.0.2.9;transport=tcp",
      "MESSAGE sip:bob@example.com SIP/2.0",
      { "-Content-Length" },
      CORE_STATELESS },
    { "sip:bob@192.0.2.9;transport=tcp", INVITE_BOB, { "Max-Breadth: 7" }, CORE_STATEFUL },
    { "sip:bob@192.0.2.9", INVITE_BOB, { NULL }, CORE_STATELESS },
    { "sip:bob@192.0.2.9", "REGISTER sip:192.0.2.9 SIP/2.0", { "Supported: path" }, CORE_STATEFUL },
    { "sip:bob@192.0.2.9", "REGISTER sip:192.0.2.9 SIP/2.0", { NULL }, CORE_STATELESS },
    { "sip:bob@192.0.2.9",
      INVITE_BOB,
      { "Proxy-Require: one-that-is-much-longer-than-others-are, b" },
      CORE_STATEFUL },
};

/* All that a message goes through has memory of its own already, but for what it takes to write one. */
static void
begin(const struct step *step)
{
    rig_fini(&rig);
    rig_init(&rig);
    rig.conf.mode = step->mode;
    rig.conf.path = true;
    rig.conf.path_required = true;
    rig_restart(&rig);
    rig_block(&rig, NOWHERE, SIPD_ECLOSED);
    rig_bind(&rig, "bob", step->contact, NULL, 1000);
    rig_bind(&rig, "carol", "sip:carol@192.0.2.77;transport=tcp", NULL, 1000);
    rig_ask(&rig, ALICE, "MESSAGE sip:carol@example.com SIP/2.0", NULL);
    rig_clear(&rig);
    rig_new_branch(&rig);
}

static void
ask(const struct step *step)
{
    rig_ask(&rig, ALICE, step->request_line, step->lines[0], step->lines[1], NULL);
}

static struct {
    char text[RIG_MESSAGE];
    size_t len;
} whole;

/* The one message that is written with all the memory there is. */
static void
write_whole(const struct step *step)
{
    begin(step);
    ask(step);
    must(rig.sent_len == 1);
    must(rig.sent[0].bytes.len > 0 && rig.sent[0].bytes.len <= sizeof whole.text);
    whole.len = rig.sent[0].bytes.len;
    memcpy(whole.text, rig.sent[0].bytes.at, whole.len);
}

/* What leaves is that, or one with a failure that was written when there was memory again. */
static bool
is_sound(const struct rig_sent *sent)
{
    return span_eq(sent->bytes, (struct span){ whole.text, whole.len }) ||
           span_starts(sent->bytes, SPAN("SIP/2.0 500 ")) ||
           span_starts(sent->bytes, SPAN("SIP/2.0 503 "));
}

START_TEST(a_message_leaves_whole_or_not_at_all)
{
    bool failed = true;
    uint64_t n;

    write_whole(&steps[_i]);
    for (n = 0; failed; n++) {
        must(n < 1000);
        begin(&steps[_i]);
        mem_fail_after(n);
        ask(&steps[_i]);
        failed = mem_failed();
        mem_fail_never();
        for (unsigned i = 0; i < rig.sent_len; i++)
            ck_assert_msg(is_sound(&rig.sent[i]), "allocation %u failed:\n%.*s", (unsigned)n,
                          SPAN_ARG(rig.sent[i].bytes));
    }
}
END_TEST

Suite *
suite_short(void)
{
    Suite *suite = suite_create("short");
    TCase *tcase = rig_case("short");

    tcase_add_loop_test(tcase, a_message_leaves_whole_or_not_at_all, 0, countof(steps));
    suite_add_tcase(suite, tcase);
    return suite;
}
