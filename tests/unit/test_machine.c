/*
 * The four machines against the figures of RFC 3261 §17 and RFC 6026 §8, written down here once more from the RFCs' words.
 *
 * Every state × event of every machine stands either in `figures` or, with the reason, in `ignored`.
 */
#include "txn/machine.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "unit/must.h"

struct figure {
    const char *kind, *state, *event; /* names as the machines tell them */
    const char *next, *letter, *actions;
};

/* letter: "" leaves the state's timer alone, "off" stops it. */
/* clang-format off */
static const struct figure figures[] = {
    /* RFC 6026 figure 5: INVITE client */
    { "ICT", "NONE", "START", "CALLING", "B", "SEND START" },            /* INVITE from TU / INVITE sent */
    { "ICT", "CALLING", "REPEAT", "CALLING", "", "RESEND DOUBLE" },      /* Timer A fires / reset A, INVITE sent */
    { "ICT", "CALLING", "TIMEOUT", "GONE", "", "TELL" },                 /* Timer B fires / inform TU */
    { "ICT", "CALLING", "GONE", "GONE", "", "TELL" },                    /* transport error / inform TU */
    { "ICT", "CALLING", "RECV_1XX", "PROCEEDING", "off", "TELL STOP" },  /* 1xx / 1xx to TU; no more A, no B */
    { "ICT", "CALLING", "RECV_2XX", "ACCEPTED", "M", "TELL STOP" },      /* 2xx / 2xx to TU; M */
    { "ICT", "CALLING", "RECV_3XX", "COMPLETED", "D", "TELL STOP ACK" }, /* 300-699 / ACK sent, resp. to TU; D */
    { "ICT", "PROCEEDING", "RECV_1XX", "PROCEEDING", "", "TELL" },
    { "ICT", "PROCEEDING", "RECV_2XX", "ACCEPTED", "M", "TELL" },
    { "ICT", "PROCEEDING", "RECV_3XX", "COMPLETED", "D", "TELL ACK" },
    { "ICT", "COMPLETED", "RECV_3XX", "COMPLETED", "", "ACK" },          /* 300-699 / ACK sent, nothing to TU */
    { "ICT", "COMPLETED", "TIMEOUT", "GONE", "", "" },                   /* Timer D fires / - */
    { "ICT", "COMPLETED", "GONE", "GONE", "", "TELL" },                  /* transport error / inform TU */
    { "ICT", "ACCEPTED", "RECV_2XX", "ACCEPTED", "", "TELL" },           /* 2xx / 2xx to TU */
    { "ICT", "ACCEPTED", "TIMEOUT", "GONE", "", "" },                    /* Timer M fires / - */

    /* RFC 3261 figure 6: non-INVITE client */
    { "NICT", "NONE", "START", "TRYING", "F", "SEND START" },
    { "NICT", "TRYING", "REPEAT", "TRYING", "", "RESEND DOUBLE" },         /* Timer E / send request */
    { "NICT", "TRYING", "TIMEOUT", "GONE", "", "TELL" },                   /* Timer F / inform TU */
    { "NICT", "TRYING", "GONE", "GONE", "", "TELL" },                      /* transport error / inform TU */
    { "NICT", "TRYING", "RECV_1XX", "PROCEEDING", "", "TELL" },            /* F goes on */
    { "NICT", "TRYING", "RECV_2XX", "COMPLETED", "K", "TELL STOP" },
    { "NICT", "TRYING", "RECV_3XX", "COMPLETED", "K", "TELL STOP" },
    { "NICT", "PROCEEDING", "REPEAT", "PROCEEDING", "", "RESEND SLOW" },   /* Timer E / send request, E at T2 */
    { "NICT", "PROCEEDING", "TIMEOUT", "GONE", "", "TELL" },
    { "NICT", "PROCEEDING", "GONE", "GONE", "", "TELL" },
    { "NICT", "PROCEEDING", "RECV_1XX", "PROCEEDING", "", "TELL" },
    { "NICT", "PROCEEDING", "RECV_2XX", "COMPLETED", "K", "TELL STOP" },
    { "NICT", "PROCEEDING", "RECV_3XX", "COMPLETED", "K", "TELL STOP" },
    { "NICT", "COMPLETED", "TIMEOUT", "GONE", "", "" },                    /* Timer K */

    /* RFC 6026 figure 7: INVITE server */
    { "IST", "NONE", "START", "PROCEEDING", "", "" },                      /* INVITE / pass INV to TU */
    { "IST", "PROCEEDING", "REQUEST", "PROCEEDING", "", "RESEND" },        /* INVITE / send response */
    { "IST", "PROCEEDING", "SEND_1XX", "PROCEEDING", "", "SEND" },
    { "IST", "PROCEEDING", "SEND_2XX", "ACCEPTED", "L", "SEND" },
    { "IST", "PROCEEDING", "SEND_3XX", "COMPLETED", "H", "SEND START" },   /* G and H */
    { "IST", "COMPLETED", "REQUEST", "COMPLETED", "", "RESEND" },
    { "IST", "COMPLETED", "REPEAT", "COMPLETED", "", "RESEND DOUBLE" },    /* Timer G fires / send response */
    { "IST", "COMPLETED", "ACK", "CONFIRMED", "I", "STOP" },
    { "IST", "COMPLETED", "TIMEOUT", "GONE", "", "TELL" },                 /* §17.2.1: H MUST indicate to the TU … */
    { "IST", "CONFIRMED", "TIMEOUT", "GONE", "", "" },                     /* Timer I fires / - */
    { "IST", "ACCEPTED", "SEND_2XX", "ACCEPTED", "", "SEND" },
    { "IST", "ACCEPTED", "TIMEOUT", "GONE", "", "" },                      /* Timer L fires / - */

    /* RFC 3261 figure 8: non-INVITE server */
    { "NIST", "NONE", "START", "TRYING", "", "" },
    { "NIST", "TRYING", "SEND_1XX", "PROCEEDING", "", "SEND" },
    { "NIST", "TRYING", "SEND_2XX", "COMPLETED", "J", "SEND" },
    { "NIST", "TRYING", "SEND_3XX", "COMPLETED", "J", "SEND" },
    { "NIST", "PROCEEDING", "REQUEST", "PROCEEDING", "", "RESEND" },
    { "NIST", "PROCEEDING", "SEND_1XX", "PROCEEDING", "", "SEND" },
    { "NIST", "PROCEEDING", "SEND_2XX", "COMPLETED", "J", "SEND" },
    { "NIST", "PROCEEDING", "SEND_3XX", "COMPLETED", "J", "SEND" },
    { "NIST", "COMPLETED", "REQUEST", "COMPLETED", "", "RESEND" },
    { "NIST", "COMPLETED", "TIMEOUT", "GONE", "", "" },                    /* Timer J fires / - */
};
/* clang-format on */

struct ignored {
    const char *kind, *state, *event; /* "*": every one */
    const char *reason;
};

/* clang-format off */
static const struct ignored ignored[] = {
    { "ICT", "TRYING", "*", "no state of this machine" },
    { "ICT", "CONFIRMED", "*", "no state of this machine" },
    { "NICT", "CALLING", "*", "no state of this machine" },
    { "NICT", "CONFIRMED", "*", "no state of this machine" },
    { "NICT", "ACCEPTED", "*", "no state of this machine" },
    { "IST", "CALLING", "*", "no state of this machine" },
    { "IST", "TRYING", "*", "no state of this machine" },
    { "NIST", "CALLING", "*", "no state of this machine" },
    { "NIST", "CONFIRMED", "*", "no state of this machine" },
    { "NIST", "ACCEPTED", "*", "no state of this machine" },
    { "*", "GONE", "*", "it was destroyed on entering" },
    { "*", "NONE", "REQUEST", "not begun" },
    { "*", "NONE", "ACK", "not begun" },
    { "*", "NONE", "SEND_1XX", "not begun" },
    { "*", "NONE", "SEND_2XX", "not begun" },
    { "*", "NONE", "SEND_3XX", "not begun" },
    { "*", "NONE", "RECV_1XX", "not begun" },
    { "*", "NONE", "RECV_2XX", "not begun" },
    { "*", "NONE", "RECV_3XX", "not begun" },
    { "*", "NONE", "REPEAT", "not begun" },
    { "*", "NONE", "TIMEOUT", "not begun" },
    { "*", "NONE", "GONE", "not begun" },
    { "*", "CALLING", "START", "it begins once" },
    { "*", "TRYING", "START", "it begins once" },
    { "*", "PROCEEDING", "START", "it begins once" },
    { "*", "COMPLETED", "START", "it begins once" },
    { "*", "CONFIRMED", "START", "it begins once" },
    { "*", "ACCEPTED", "START", "it begins once" },
    { "ICT", "*", "REQUEST", "clients get no requests" },
    { "ICT", "*", "ACK", "clients get no requests" },
    { "ICT", "*", "SEND_1XX", "clients send no responses" },
    { "ICT", "*", "SEND_2XX", "clients send no responses" },
    { "ICT", "*", "SEND_3XX", "clients send no responses" },
    { "NICT", "*", "REQUEST", "clients get no requests" },
    { "NICT", "*", "ACK", "clients get no requests" },
    { "NICT", "*", "SEND_1XX", "clients send no responses" },
    { "NICT", "*", "SEND_2XX", "clients send no responses" },
    { "NICT", "*", "SEND_3XX", "clients send no responses" },
    { "IST", "*", "RECV_1XX", "servers get no responses" },
    { "IST", "*", "RECV_2XX", "servers get no responses" },
    { "IST", "*", "RECV_3XX", "servers get no responses" },
    { "NIST", "*", "RECV_1XX", "servers get no responses" },
    { "NIST", "*", "RECV_2XX", "servers get no responses" },
    { "NIST", "*", "RECV_3XX", "servers get no responses" },
    { "NIST", "*", "ACK", "§17.2.3: an ACK belongs to an INVITE" },

    { "ICT", "PROCEEDING", "REPEAT", "the first 1xx stopped A (§17.1.1.2)" },
    { "ICT", "PROCEEDING", "TIMEOUT", "the first 1xx stopped B; how long it rings is for Timer C, the proxy's" },
    { "ICT", "PROCEEDING", "GONE", "figure 5 has no such arrow: nothing is on its way" },
    { "ICT", "COMPLETED", "REPEAT", "A was stopped" },
    { "ICT", "COMPLETED", "RECV_1XX", "overtaken by its own final response" },
    { "ICT", "COMPLETED", "RECV_2XX", "the search below ended with the failure" },
    { "ICT", "ACCEPTED", "REPEAT", "A was stopped" },
    { "ICT", "ACCEPTED", "RECV_1XX", "overtaken by its own final response" },
    { "ICT", "ACCEPTED", "RECV_3XX", "RFC 6026 §7.2: a 2xx stands" },
    { "ICT", "ACCEPTED", "GONE", "it sends nothing that could fail" },
    { "NICT", "COMPLETED", "REPEAT", "E was stopped" },
    { "NICT", "COMPLETED", "RECV_1XX", "overtaken by its own final response" },
    { "NICT", "COMPLETED", "RECV_2XX", "§17.1.2.2: absorbs repeats" },
    { "NICT", "COMPLETED", "RECV_3XX", "§17.1.2.2: absorbs repeats" },
    { "NICT", "COMPLETED", "GONE", "figure 6 has no such arrow: nothing is on its way" },

    { "IST", "PROCEEDING", "ACK", "nothing to acknowledge yet" },
    { "IST", "PROCEEDING", "REPEAT", "G is armed by a failure only" },
    { "IST", "PROCEEDING", "TIMEOUT", "nothing is armed: the proxy answers in the end" },
    { "IST", "PROCEEDING", "GONE", "RFC 6026 §8.8: stays in its state" },
    { "IST", "COMPLETED", "SEND_1XX", "the final response was given" },
    { "IST", "COMPLETED", "SEND_2XX", "the final response was given" },
    { "IST", "COMPLETED", "SEND_3XX", "the final response was given" },
    { "IST", "COMPLETED", "GONE", "RFC 6026 §8.8: stays in its state" },
    { "IST", "CONFIRMED", "REQUEST", "overtaken by its ACK" },
    { "IST", "CONFIRMED", "ACK", "§17.2.1: Confirmed absorbs further ACKs" },
    { "IST", "CONFIRMED", "SEND_1XX", "the final response was given" },
    { "IST", "CONFIRMED", "SEND_2XX", "the final response was given" },
    { "IST", "CONFIRMED", "SEND_3XX", "the final response was given" },
    { "IST", "CONFIRMED", "REPEAT", "§17.2.1: G is ignored in this state" },
    { "IST", "CONFIRMED", "GONE", "it sends nothing that could fail" },
    { "IST", "ACCEPTED", "REQUEST", "RFC 6026 §7.1: absorbed" },
    { "IST", "ACCEPTED", "ACK", "RFC 6026 §7.1: for the user, which asks for the state before it hands over an ACK" },
    { "IST", "ACCEPTED", "SEND_1XX", "a 2xx was given" },
    { "IST", "ACCEPTED", "SEND_3XX", "a 2xx was given" },
    { "IST", "ACCEPTED", "REPEAT", "RFC 6026 §7.1: it repeats no 2xx by itself" },
    { "IST", "ACCEPTED", "GONE", "RFC 6026 §8.8: stays in its state" },
    { "NIST", "TRYING", "REQUEST", "§17.2.2: discarded" },
    { "NIST", "TRYING", "REPEAT", "no such timer" },
    { "NIST", "TRYING", "TIMEOUT", "nothing is armed" },
    { "NIST", "TRYING", "GONE", "RFC 6026 §8.8: stays in its state" },
    { "NIST", "PROCEEDING", "REPEAT", "no such timer" },
    { "NIST", "PROCEEDING", "TIMEOUT", "nothing is armed" },
    { "NIST", "PROCEEDING", "GONE", "RFC 6026 §8.8: stays in its state" },
    { "NIST", "COMPLETED", "SEND_1XX", "the final response was given" },
    { "NIST", "COMPLETED", "SEND_2XX", "§17.2.2: discarded" },
    { "NIST", "COMPLETED", "SEND_3XX", "§17.2.2: discarded" },
    { "NIST", "COMPLETED", "REPEAT", "no such timer" },
    { "NIST", "COMPLETED", "GONE", "RFC 6026 §8.8: stays in its state" },
};
/* clang-format on */

static const struct {
    const char *word;
    unsigned bit;
} actions[] = {
    { "SEND", A_SEND },   { "RESEND", A_RESEND }, { "ACK", A_ACK },   { "TELL", A_TELL },
    { "START", A_START }, { "DOUBLE", A_DOUBLE }, { "SLOW", A_SLOW }, { "STOP", A_STOP },
};

/* The bits of words between blanks. */
static unsigned
bits_of(const char *words)
{
    unsigned bits = 0;

    while (*words) {
        size_t len = strcspn(words, " ");
        unsigned bit = 0;

        for (size_t i = 0; i < countof(actions); i++)
            if (strlen(actions[i].word) == len && memcmp(actions[i].word, words, len) == 0)
                bit = actions[i].bit;
        must(bit != 0);
        bits |= bit;
        words += len + (words[len] == ' ');
    }
    return bits;
}

static bool
is_letter(const char *letter, uint8_t got)
{
    if (strcmp(letter, "") == 0)
        return got == T_KEEP;
    if (strcmp(letter, "off") == 0)
        return got == T_OFF;
    return strcmp(letter, txn_letter_name(got)) == 0;
}

/* Does a name fit, "*" all of them? */
static bool
fits(const char *want, const char *name)
{
    return strcmp(want, "*") == 0 || strcmp(want, name) == 0;
}

static const struct figure *
figure_of(enum txn_kind kind, enum txn_state state, enum txn_event event)
{
    const struct figure *found = NULL;

    for (size_t i = 0; i < countof(figures); i++) {
        const struct figure *f = &figures[i];

        if (strcmp(f->kind, txn_kind_name(kind)) != 0 ||
            strcmp(f->state, txn_state_name(state)) != 0 ||
            strcmp(f->event, txn_event_name(event)) != 0)
            continue;
        must(!found);
        found = f;
    }
    return found;
}

/* Is the cell on the list of ignored pairs? Each line that serves is marked. */
static bool
is_ignored(enum txn_kind kind, enum txn_state state, enum txn_event event,
           bool used[countof(ignored)])
{
    bool found = false;

    for (size_t i = 0; i < countof(ignored); i++)
        if (fits(ignored[i].kind, txn_kind_name(kind)) &&
            fits(ignored[i].state, txn_state_name(state)) &&
            fits(ignored[i].event, txn_event_name(event)))
            found = used[i] = true;
    return found;
}

static void
compare(const struct figure *f, const struct txn_rule *rule)
{
    if (strcmp(txn_state_name(rule->next), f->next) != 0 || !is_letter(f->letter, rule->letter) ||
        rule->actions != bits_of(f->actions))
        ck_abort_msg("%s %s %s: the RFC says %s [%s] %s, the table %s [%s] %#x", f->kind, f->state,
                     f->event, f->next, f->letter, f->actions, txn_state_name(rule->next),
                     txn_letter_name(rule->letter), rule->actions);
}

START_TEST(every_cell_is_the_rfcs_or_has_a_reason_to_be_empty)
{
    bool used[countof(ignored)] = { false };
    size_t rules = 0;

    for (enum txn_kind kind = 0; kind < TXN_KINDS; kind++)
        for (enum txn_state state = 0; state < TXN_STATES; state++)
            for (enum txn_event event = 0; event < EV_COUNT; event++) {
                const struct txn_rule *rule = txn_rule(kind, state, event);
                const struct figure *f = figure_of(kind, state, event);
                bool no = is_ignored(kind, state, event, used);

                if (!f == !no)
                    ck_abort_msg("%s %s %s stands in both lists or in none", txn_kind_name(kind),
                                 txn_state_name(state), txn_event_name(event));
                if (f)
                    compare(f, rule);
                else
                    must(rule->next == TXN_NONE && rule->letter == T_KEEP && rule->actions == 0);
                rules += f != NULL;
            }
    ck_assert_uint_eq(rules, countof(figures));
    for (size_t i = 0; i < countof(ignored); i++)
        if (!used[i] || strlen(ignored[i].reason) == 0)
            ck_abort_msg("%s %s %s is on the list for nothing", ignored[i].kind, ignored[i].state,
                         ignored[i].event);
}
END_TEST

/* ---- properties that no single cell shows */

struct walk {
    bool seen[TXN_STATES][2][2]; /* state, repeat armed, timeout armed */
    bool ends;                   /* TXN_GONE was reached */
};

static bool
repeats_after(const struct txn_rule *rule, bool before)
{
    if (rule->actions & (A_START | A_DOUBLE | A_SLOW))
        return true;
    return before && !(rule->actions & A_STOP);
}

static bool
times_after(const struct txn_rule *rule, bool before)
{
    if (rule->letter == T_KEEP)
        return before;
    return rule->letter != T_OFF;
}

/* Walks all that can happen over an unreliable transport; a timer that is not armed cannot fire. */
static void
walk(struct walk *w, enum txn_kind kind, enum txn_state state, bool repeat, bool timeout)
{
    if (w->seen[state][repeat][timeout])
        return;
    w->seen[state][repeat][timeout] = true;
    w->ends = w->ends || state == TXN_GONE;
    for (enum txn_event event = 0; state != TXN_GONE && event < EV_COUNT; event++) {
        const struct txn_rule *rule = txn_rule(kind, state, event);
        bool fires = event == EV_REPEAT || event == EV_TIMEOUT;

        if ((event == EV_REPEAT && !repeat) || (event == EV_TIMEOUT && !timeout))
            continue;
        if (rule->next == TXN_NONE) {
            if (fires)
                ck_abort_msg("%s %s: a timer is armed that has no rule", txn_kind_name(kind),
                             txn_state_name(state));
            continue;
        }
        walk(w, kind, rule->next, repeats_after(rule, repeat && event != EV_REPEAT),
             times_after(rule, timeout && event != EV_TIMEOUT));
    }
}

/* States that may last for ever without a timer: the transaction's user has to act. */
static bool
is_for_the_user(enum txn_kind kind, enum txn_state state)
{
    return state == TXN_NONE || state == TXN_GONE ||
           (state == TXN_PROCEEDING && kind != TXN_NICT) ||
           (state == TXN_TRYING && kind == TXN_NIST);
}

START_TEST(what_is_armed_has_a_rule_and_what_waits_has_a_timer)
{
    for (enum txn_kind kind = 0; kind < TXN_KINDS; kind++) {
        struct walk w = { .ends = false };

        walk(&w, kind, TXN_NONE, false, false);
        ck_assert(w.ends);
        for (enum txn_state state = 0; state < TXN_STATES; state++) {
            bool waits = w.seen[state][0][0] || w.seen[state][1][0];

            if (waits && !is_for_the_user(kind, state))
                ck_abort_msg("%s %s can last for ever", txn_kind_name(kind), txn_state_name(state));
        }
    }
}
END_TEST

/* No state is left, by any event, with the resending timer running into one that does not resend. */
START_TEST(nothing_resends_where_it_must_not)
{
    static const enum txn_state quiet[] = { TXN_CONFIRMED, TXN_ACCEPTED, TXN_GONE };

    for (enum txn_kind kind = 0; kind < TXN_KINDS; kind++) {
        struct walk w = { .ends = false };

        walk(&w, kind, TXN_NONE, false, false);
        for (size_t i = 0; i < countof(quiet); i++)
            must(!w.seen[quiet[i]][1][1] || quiet[i] == TXN_GONE);
    }
}
END_TEST

START_TEST(names_are_told)
{
    static const char *const letters[] = { "", "B", "D", "F", "H", "I", "J", "K", "L", "M", "" };

    ck_assert_str_eq(txn_kind_name(TXN_ICT), "ICT");
    ck_assert_str_eq(txn_kind_name(TXN_NIST), "NIST");
    ck_assert_str_eq(txn_state_name(TXN_NONE), "NONE");
    ck_assert_str_eq(txn_state_name(TXN_ACCEPTED), "ACCEPTED");
    ck_assert_str_eq(txn_event_name(EV_START), "START");
    ck_assert_str_eq(txn_event_name(EV_GONE), "GONE");
    for (enum txn_letter letter = 0; letter <= T_OFF; letter++)
        ck_assert_str_eq(txn_letter_name(letter), letters[letter]);
}
END_TEST

Suite *
suite_machine(void)
{
    Suite *s = suite_create("machine");
    TCase *c = tcase_create("tables");

    tcase_add_test(c, every_cell_is_the_rfcs_or_has_a_reason_to_be_empty);
    tcase_add_test(c, what_is_armed_has_a_rule_and_what_waits_has_a_timer);
    tcase_add_test(c, nothing_resends_where_it_must_not);
    tcase_add_test(c, names_are_told);
    suite_add_tcase(s, c);
    return s;
}
