/*
 * The commands about those who guess passwords: show offenders, unban.
 */
#include "auth.h"

static void
show_offenders(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    const struct auth *auth = self;
    uint64_t now_ms = auth_clock_ms(auth);
    const struct guard_offender *o;
    size_t place = 0;

    (void)ask;
    while ((o = guard_next(auth->guard, &auth->conf->guard, now_ms, &place))) {
        sipd_answer_row(answer);
        sipd_answer_field(answer, "kind", o->kind == GUARD_SOURCE ? SPAN("source") : SPAN("user"));
        sipd_answer_field(answer, "who", (struct span){ o->who, o->len });
        sipd_answer_number(answer, "failures", o->failures);
        sipd_answer_number(answer, "waits", o->waits);
        sipd_answer_number(answer, "wait_s",
                           o->until_ms > now_ms ? (int64_t)((o->until_ms - now_ms + 999) / 1000)
                                                : 0);
        sipd_answer_number(answer, "last_s", (int64_t)((now_ms - o->last_ms) / 1000));
    }
}

static void
unban(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct auth *auth = self;
    struct span who = ask->words[0];
    char text[HOP_TEXT_BYTES];
    struct hop hop;

    /* Any address of a /64 names it. */
    if (hop_ip_read(who, &hop))
        who = guard_source_write(&hop, text);
    if (!guard_pardon(auth->guard, who)) {
        sipd_answer_refuse(answer, "%.*s: no such offender", SPAN_ARG(who));
        return;
    }
    sipd_answer_row(answer);
    sipd_answer_field(answer, "who", who);
    sipd_answer_field(answer, "done", SPAN("forgotten"));
}

int
warden_register(struct auth *auth)
{
    int err = sipd_command(auth->host, "show offenders",
                           "sources and users with wrong passwords, and how long they must wait",
                           false, show_offenders, auth);

    return err == SIPD_OK
               ? sipd_command(auth->host, "unban <who>",
                              "forgets the wrong passwords of a source or of name@domain", true,
                              unban, auth)
               : err;
}
