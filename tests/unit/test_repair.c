/*
 * Deviations accepted, mended and refused: what each rule makes of its message, byte for byte (RFC 4475, RFC 3261 §7).
 */
#include "sip/repair.h"

#include <stdio.h>

#include "base/def.h"
#include "sip/mend.h"
#include "unit/message.h"

#define LINE    "INVITE sip:b@x SIP/2.0\r\n"
#define VIA     "Via: SIP/2.0/UDP a;branch=z9hG4bKx\r\n"
#define FROM    "From: <sip:a@x>;tag=f1\r\n"
#define TO      "To: <sip:b@x>\r\n"
#define REST    "Call-ID: c1@a\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\n"
#define END     "Content-Length: 0\r\n\r\n"
#define BIT(id) (UINT64_C(1) << DEV_##id)

static struct arena work;

static void
begin(void)
{
    message_begin();
    arena_init(&work, 1 << 20);
}

static void
end(void)
{
    arena_fini(&work);
    message_end();
}

/* Every rule gets this verdict, or where it has no such choice the next stricter one. */
static struct repair_policy
all(enum repair_verdict verdict)
{
    struct repair_policy policy;

    for (int id = 0; id < DEVIATIONS; id++) {
        enum repair_verdict its = verdict;

        while (!repair_may((enum deviation)id, its))
            its++;
        policy.verdict[id] = (uint8_t)its;
    }
    return policy;
}

struct outcome {
    struct msg msg;
    struct gist gist;
    struct repair_done done;
};

static struct outcome
repair_text(const char *text, struct repair_policy policy)
{
    struct outcome o = { .msg = read_text(text) };

    gist_read(&o.msg, &o.gist);
    if (o.gist.fault == 0)
        ck_assert_int_eq(repair(&policy, NULL, NULL, &work, &arena, &o.msg, &o.gist, &o.done),
                         SIPD_OK);
    return o;
}

START_TEST(a_good_message_stays)
{
    for (int verdict = REPAIR_ACCEPT; verdict <= REPAIR_REJECT; verdict++) {
        struct outcome o =
            repair_text(LINE VIA FROM TO REST END, all((enum repair_verdict)verdict));

        must_be(msg_bytes(&o.msg), LINE VIA FROM TO REST END);
        ck_assert_uint_eq(
            o.done.accepted | o.done.fixed | o.done.rejected | o.gist.odd | o.gist.fault, 0);
    }
}
END_TEST

static const struct fix {
    uint64_t rule;
    const char *odd, *mended, *phrase;
} fixes[] = {
    { BIT(VERSION_CASE), "INVITE sip:b@x sip/2.0\r\n" VIA FROM TO REST END,
      LINE VIA FROM TO REST END, "Bad SIP-Version" },
    { BIT(REQUEST_LINE_BLANKS), "INVITE  sip:b@x \t SIP/2.0  \r\n" VIA FROM TO REST END,
      LINE VIA FROM TO REST END, "Bad Request-Line" },
    { BIT(REQUEST_LINE_BLANKS), "INVITE\tsip:b@x SIP/2.0\r\n" VIA FROM TO REST END,
      LINE VIA FROM TO REST END, "Bad Request-Line" },
    { BIT(URI_BLANKS), "INVITE sip:b@x; lr;\tx SIP/2.0\r\n" VIA FROM TO REST END,
      "INVITE sip:b@x;lr;x SIP/2.0\r\n" VIA FROM TO REST END, "Bad Request-URI" },
    { BIT(URI_BRACKETS), "INVITE <sip:b@x> SIP/2.0\r\n" VIA FROM TO REST END,
      LINE VIA FROM TO REST END, "Bad Request-URI" },
    { BIT(URI_EMPTY_USER), "INVITE sip:@x SIP/2.0\r\n" VIA FROM TO REST END,
      "INVITE sip:x SIP/2.0\r\n" VIA FROM TO REST END, "Bad Request-URI" },
    { BIT(URI_CHARACTERS), "INVITE sip:#31#{1}@x SIP/2.0\r\n" VIA FROM TO REST END,
      "INVITE sip:%2331%23%7B1%7D@x SIP/2.0\r\n" VIA FROM TO REST END, "Bad Request-URI" },
    { BIT(MIXED_LINE_ENDS),
      LINE VIA "From: <sip:a@x>\n ;tag=f1\r\nX: a\n" TO REST
               "c: a/b\r\nContent-Length: 3\r\n\n\nb\n",
      LINE VIA "From: <sip:a@x>\r\n ;tag=f1\r\nX: a\r\n" TO REST
               "c: a/b\r\nContent-Length: 3\r\n\r\n\nb\n",
      "Mixed Line Ends" },
    { BIT(BARE_CR),
      LINE VIA "From: <sip:a@x>;tag=f1\r\r\n" TO "Subject: a\rb\r\r\rc\r\r\r\n d\r\r\n" REST END,
      LINE VIA "From: <sip:a@x>;tag=f1 \r\n" TO "Subject: a b c \r\n d \r\n" REST END,
      "Bad Line Ends" },
    { BIT(BARE_CR), LINE VIA FROM TO REST "c: a/b\r\nContent-Length: 3\r\nX: \r\r\n\r\n\r\rb",
      LINE VIA FROM TO REST "c: a/b\r\nContent-Length: 3\r\nX:  \r\n\r\n\r\rb", "Bad Line Ends" },
    { BIT(CONTROL_BYTES),
      LINE VIA FROM TO "Subject: a\x01"
                       "b\\\x02"
                       "c\x1f\x0b\r\n \x7f\t\r\n" REST "c: a/b\r\nContent-Length: 1\r\n\r\n\x01",
      LINE VIA FROM TO "Subject: a b\\\x02"
                       "c  \r\n \x7f\t\r\n" REST "c: a/b\r\nContent-Length: 1\r\n\r\n\x01",
      "Control Byte In Head" },
    { BIT(NO_FIELD),
      LINE "junk\r\n more of it\r\n" VIA FROM TO "bad name: x\r\n" REST ": x\r\n" END,
      LINE VIA FROM TO REST END, "Bad Header Line" },
    { BIT(FIELD_NAME), LINE "X(y): z\r\n" VIA FROM TO REST END, LINE VIA FROM TO REST END,
      "Bad Header Line" },
    { BIT(NO_EMPTY_LINE), LINE VIA FROM TO REST "Content-Length: 0\r\n", LINE VIA FROM TO REST END,
      "Missing Empty Line" },
    { BIT(NO_EMPTY_LINE), LINE VIA FROM TO REST "Content-Length: 0", LINE VIA FROM TO REST END,
      "Missing Empty Line" },
    { BIT(REPEATED_FIELD), LINE VIA FROM TO "f: <sip:a@x>;tag=f1\r\n" REST "l:0\r\n" FROM REST END,
      LINE VIA FROM TO REST "l:0\r\n\r\n", "Repeated From" },
    { BIT(OPEN_QUOTE), LINE VIA FROM "To: \"Mr. B <sip:b@x>;a=b\r\n" REST END,
      LINE VIA FROM "To: <sip:b@x>;a=b\r\n" REST END, "Bad To" },
    { BIT(DISPLAY_NAME), LINE VIA "From: \"\"unknown\"\" <sip:a@x>;tag=f1\r\n" TO REST END,
      LINE VIA "From: \"unknown\" <sip:a@x>;tag=f1\r\n" TO REST END, "Bad From" },
    { BIT(DISPLAY_NAME), LINE VIA FROM "To: Bob, \"B\\b\" and co<sip:b@x>\r\n" REST END,
      LINE VIA FROM "To: \"Bob, \\\"B\\\\b\\\" and co\"<sip:b@x>\r\n" REST END, "Bad To" },
    { BIT(DISPLAY_NAME), LINE VIA FROM "To: b\xc3\xa4\r\n b <sip:b@x>\r\n" REST END,
      LINE VIA FROM "To: \"b\xc3\xa4   b\" <sip:b@x>\r\n" REST END, "Bad To" },
    { BIT(ADDRESS_BLANKS),
      LINE VIA "From: A <  sip:a@x\t>;tag=f1\r\n"
               "To: < sip:b@x>\r\n" REST END,
      LINE VIA "From: A <sip:a@x>;tag=f1\r\n" TO REST END, "Bad From" },
    { BIT(NO_BRACKETS), LINE VIA FROM "To: sip:b@x?a=b;c\r\n" REST END,
      LINE VIA FROM "To: <sip:b@x?a=b>;c\r\n" REST END, "Bad To" },
    { BIT(EMPTY_TAG), LINE VIA FROM "To: <sip:b@x> ; tag= ;a\r\n" REST END,
      LINE VIA FROM "To: <sip:b@x>  ;a\r\n" REST END, "Bad To" },
    { BIT(EMPTY_TAG), LINE VIA FROM "To: <sip:b@x>;a;tag\r\n" REST END,
      LINE VIA FROM "To: <sip:b@x>;a\r\n" REST END, "Bad To" },
    { BIT(MAX_FORWARDS),
      LINE VIA FROM TO "Call-ID: c1@a\r\nCSeq: 7 INVITE\r\nMax-Forwards: many\r\n" END,
      LINE VIA FROM TO REST END, "Bad Max-Forwards" },
    { BIT(URI_FOREIGN),
      "INVITE sip:b@x;method=REGISTER;lr;m%65thod=a?Route=%3Csip:c%3E&body=x SIP/2.0\r\n" VIA FROM
          TO REST END,
      "INVITE sip:b@x;lr SIP/2.0\r\n" VIA FROM TO REST END, "Bad Request-URI" },
    { BIT(URI_FOREIGN), "INVITE sip:b@x? SIP/2.0\r\n" VIA FROM TO REST END,
      LINE VIA FROM TO REST END, "Bad Request-URI" },
    { BIT(CONTACT_BRACKETS),
      "REGISTER sip:b@x SIP/2.0\r\n" VIA FROM TO "Call-ID: c1@a\r\nCSeq: 7 REGISTER\r\n"
      "Max-Forwards: 70\r\nContact: sip:a@x, sip:b@x?c=d;q=1\r\nm: sip:c@x?e\r\n" END,
      "REGISTER sip:b@x SIP/2.0\r\n" VIA FROM TO "Call-ID: c1@a\r\nCSeq: 7 REGISTER\r\n"
      "Max-Forwards: 70\r\nContact: sip:a@x, <sip:b@x?c=d>;q=1\r\nm: <sip:c@x?e>\r\n" END,
      "Bad Contact" },
    { BIT(STATUS_LINE), "SIP/2.0  200  OK\r\n" VIA FROM TO REST END,
      "SIP/2.0 200  OK\r\n" VIA FROM TO REST END, "Bad Status-Line" },
    { BIT(STATUS_LINE), "SIP/2.0 200\r\n" VIA FROM TO REST END,
      "SIP/2.0 200 \r\n" VIA FROM TO REST END, "Bad Status-Line" },
};

static bool
may_accept(uint64_t rule)
{
    for (int id = 0; id < DEVIATIONS; id++)
        if (rule == deviation_bit((enum deviation)id))
            return repair_may((enum deviation)id, REPAIR_ACCEPT);
    return false;
}

START_TEST(each_rule)
{
    const struct fix *f = &fixes[_i];
    struct outcome o = repair_text(f->odd, all(REPAIR_FIX));

    ck_assert_uint_eq(o.gist.fault, 0);
    ck_assert_uint_eq(o.done.fixed, f->rule);
    ck_assert_uint_eq(o.gist.odd, 0);
    must_be(msg_bytes(&o.msg), f->mended);
    o = repair_text(f->odd, all(REPAIR_REJECT));
    ck_assert_uint_eq(o.gist.fault, 400);
    ck_assert_str_eq(o.gist.fault_reason, f->phrase);
    ck_assert_uint_eq(o.done.rejected, f->rule);
    ck_assert_uint_eq(o.done.fixed, 0);
    must_be(msg_bytes(&o.msg), f->odd);
    o = repair_text(f->odd, all(REPAIR_ACCEPT));
    if (!may_accept(f->rule))
        return;
    ck_assert_uint_eq(o.gist.fault, 0);
    ck_assert_uint_eq(o.done.accepted, f->rule);
    must_be(msg_bytes(&o.msg), f->odd);
}
END_TEST

/* All lines alike: LF alone, as some devices have it. */
START_TEST(bare_line_feeds)
{
    const char *odd = "INVITE sip:b@x SIP/2.0\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\nFrom: "
                      "<sip:a@x>\n ;tag=f1\nTo: <sip:b@x>\n"
                      "Call-ID: c1@a\nCSeq: 7 INVITE\nMax-Forwards: 70\nContent-Type: "
                      "a/b\nContent-Length: 4\n\na\nb\n";
    struct outcome o = repair_text(odd, all(REPAIR_FIX));

    ck_assert_uint_eq(o.done.fixed, BIT(BARE_LF));
    must_be(msg_bytes(&o.msg), LINE VIA "From: <sip:a@x>\r\n ;tag=f1\r\n" TO REST
                                        "Content-Type: a/b\r\nContent-Length: 4\r\n\r\na\nb\n");
    must_be(o.gist.from_tag, "f1");
}
END_TEST

/* One after the other, each on what the one before it has left. */
START_TEST(many_at_once)
{
    const char *odd = "INVITE   <sip:@x; lr>  sip/2.0 \njunk\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\n"
                      "From: \"\"a\"\" < sip:a@x >;tag=f1\nf: \"\"a\"\" < sip:a@x >;tag=f1\nTo: "
                      "\"b <sip:b@x>;tag=\n"
                      "Call-ID: c1@a\nCSeq: 7 INVITE\nMax-Forwards: -1";
    struct outcome o = repair_text(odd, all(REPAIR_FIX));

    ck_assert_uint_eq(o.gist.fault, 0);
    must_be(msg_bytes(&o.msg),
            "INVITE sip:x;lr SIP/2.0\r\n" VIA "From: \"a\" <sip:a@x>;tag=f1\r\n" TO REST "\r\n");
}
END_TEST

/* A blank there would make it part of the field before it. */
START_TEST(a_return_before_a_name)
{
    struct outcome o = repair_text(LINE VIA "\rX: a\r\n" FROM TO REST END, all(REPAIR_FIX));

    ck_assert_uint_eq(o.gist.fault, 0);
    must_be(msg_bytes(&o.msg), LINE VIA FROM TO REST END);
}
END_TEST

/* What cannot be mended, and what a fix brings to light. */
START_TEST(refused_for_good)
{
    static const struct {
        const char *text, *phrase;
    } cases[] = {
        { LINE VIA FROM "To: <sip:b@x>;tag=1;tag=2\r\n" REST END, "Bad To" },
        { LINE VIA "From: \"a <sip:a@x>;tag=1;tag=2\r\n" TO REST END, "Bad From" },
        { LINE "Via: SIP/2.0/UDP a;branch=z9hG4bKx;branch=z9hG4bKy\r\n" FROM TO REST END,
          "Bad Via" },
        { LINE VIA FROM TO "X: a\rl: 5\r\n" REST END, "Bad Content-Length" },
        { LINE VIA "From: <sip:a@x>;tag=a b\r\n" TO REST END, "Bad From" },
        { LINE VIA "From: <sip:a@x>;tag=\"1\"\r\n" TO REST END, "Bad From" },
        { LINE VIA FROM "To: <hello>\r\n" REST END, "Bad To" },
        { LINE VIA FROM "To: <sip:b#@x>\r\n" REST END, "Bad To" },
        { LINE "Via: SIP/2.0/UDP a;branch=z9hG4bKx y\r\n" FROM TO REST END, "Bad Via" },
        { LINE "Via: SIP/2.0/UDP a;branch=z9hG4bKx;rport=99999\r\n" FROM TO REST END, "Bad Via" },
        { LINE "Via: SIP/2.0/UDP a;branch=z9hG4bKx\ry\r\n" FROM TO REST END, "Bad Via" },
        { LINE "Via: SIP/2.0/UDP a;x=\"\x01\";branch=z9hG4bKx\r\n" FROM TO REST END, "Bad Via" },
        { LINE VIA FROM TO "c: a/b\r\nc: a/c\r\n" REST END, "Repeated Header Field" },
        { LINE VIA FROM TO "X: a\x0bv: SIP/2.0/UDP b\r\n" REST END, "Bad Via" },
        { LINE VIA FROM TO "Call-ID: a b\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\n" END,
          "Bad Call-ID" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct outcome o = repair_text(cases[i].text, all(REPAIR_FIX));

        ck_assert_uint_eq(o.gist.fault, 400);
        ck_assert_str_eq(o.gist.fault_reason, cases[i].phrase);
        must_be(msg_bytes(&o.msg), cases[i].text);
    }
}
END_TEST

/* The verdicts that nobody has to write down. */
START_TEST(by_default)
{
    struct repair_policy policy;
    struct outcome o;

    repair_policy_default(&policy);
    for (int id = 0; id < DEVIATIONS; id++)
        ck_assert(repair_may((enum deviation)id, (enum repair_verdict)policy.verdict[id]));
    o = repair_text(LINE VIA "From: <sip:a@x>\r\nTo: \"\"b\"\" <sip:b@x>\r\nX(y): z\r\n"
                             "Call-ID: c1@a\r\nCSeq: 7 INVITE\r\n" END,
                    policy);
    ck_assert_uint_eq(o.gist.fault, 0);
    ck_assert_uint_eq(o.done.accepted, BIT(NO_FROM_TAG) | BIT(NO_MAX_FORWARDS) | BIT(FIELD_NAME));
    ck_assert_uint_eq(o.done.fixed, BIT(DISPLAY_NAME));
    must_be(msg_bytes(&o.msg), LINE VIA "From: <sip:a@x>\r\nTo: \"b\" <sip:b@x>\r\nX(y): z\r\n"
                                        "Call-ID: c1@a\r\nCSeq: 7 INVITE\r\n" END);
    must_be(o.gist.to, "\"b\" <sip:b@x>");
}
END_TEST

static void
shout(struct draft *d, const struct gist *gist, void *self)
{
    const struct msg_field *field = msg_find_name(d->msg, SPAN("X"), 0);

    (void)gist;
    ++*(int *)self;
    if (field && span_eq(msg_value(d->msg, field), SPAN("never")))
        d->err = SIPD_ENOENT;
    else if (field && !span_eq(msg_value(d->msg, field), SPAN("LOUD")))
        draft_set_value(d, field, SPAN("LOUD"));
}

/* Another's fix comes last; what the readers did not note is not forgotten by reading anew. */
START_TEST(another_may_mend)
{
    struct repair_policy policy = all(REPAIR_FIX);
    const char *odd = "INVITE  sip:b@x SIP/2.0\r\n" VIA FROM TO "X: low\r\n" REST END;
    struct outcome o = { .msg = read_text(odd) };
    int asked = 0;

    gist_read(&o.msg, &o.gist);
    o.gist.odd |= BIT(FIXER) | BIT(NO_LENGTH);
    policy.verdict[DEV_NO_LENGTH] = REPAIR_ACCEPT;
    ck_assert_int_eq(repair(&policy, shout, &asked, &work, &arena, &o.msg, &o.gist, &o.done),
                     SIPD_OK);
    ck_assert_int_eq(asked, 1);
    ck_assert_uint_eq(o.done.fixed, BIT(FIXER) | BIT(REQUEST_LINE_BLANKS));
    ck_assert_uint_eq(o.done.accepted, BIT(NO_LENGTH));
    must_be(msg_bytes(&o.msg), LINE VIA FROM TO "X: LOUD\r\n" REST END);

    o.msg = read_text(LINE VIA FROM TO "X: never\r\n" REST END);
    gist_read(&o.msg, &o.gist);
    o.gist.odd |= BIT(FIXER);
    ck_assert_int_eq(repair(&policy, shout, &asked, &work, &arena, &o.msg, &o.gist, &o.done),
                     SIPD_OK);
    ck_assert_uint_eq(o.gist.fault, 400);
    ck_assert_uint_eq(o.done.rejected, BIT(FIXER));
}
END_TEST

/* What it found wrong another rule has mended before it: nothing is left to do, and nothing to refuse. */
START_TEST(another_comes_too_late)
{
    struct repair_policy policy = all(REPAIR_FIX);
    struct outcome o = { .msg = read_text(LINE VIA FROM TO "X\x01: low\r\nX: LOUD\r\n" REST END) };
    int asked = 0;

    gist_read(&o.msg, &o.gist);
    o.gist.odd |= BIT(FIXER);
    ck_assert_int_eq(repair(&policy, shout, &asked, &work, &arena, &o.msg, &o.gist, &o.done),
                     SIPD_OK);
    ck_assert_int_eq(asked, 1);
    ck_assert_uint_eq(o.gist.fault, 0);
    ck_assert_uint_eq(o.done.rejected, 0);
    ck_assert_uint_eq(o.done.fixed, BIT(NO_FIELD));
    must_be(msg_bytes(&o.msg), LINE VIA FROM TO "X: LOUD\r\n" REST END);

    ck_assert_int_eq(repair(&policy, NULL, NULL, &work, &arena, &o.msg, &o.gist, &o.done), SIPD_OK);
    o.gist.odd |= BIT(FIXER); /* nobody is there who would know */
    ck_assert_int_eq(repair(&policy, NULL, NULL, &work, &arena, &o.msg, &o.gist, &o.done), SIPD_OK);
    ck_assert_uint_eq(o.done.rejected, BIT(FIXER));
}
END_TEST

/* One cut each, however many they are: a splice for every byte of a message would cost the square of its length. */
START_TEST(blanks_go_at_once)
{
    enum { BLANKS = 1000 };
    char text[4 * BLANKS];
    struct outcome o;
    struct draft d;
    struct msg m;
    struct gist g;

    snprintf(text, sizeof text,
             LINE VIA "To: <%*ssip:b@x%*s>\r\nFrom: <%*ssip:a@x>;tag=f1\r\n" REST END, BLANKS, "",
             BLANKS, "", BLANKS, "");
    m = read_text(text);
    gist_read(&m, &g);
    draft_init(&d, &m, &arena);
    mend(DEV_ADDRESS_BLANKS, &d, &g);
    ck_assert_int_eq(d.err, SIPD_OK);
    ck_assert_uint_eq(d.len, 3);
    o = repair_text(text, all(REPAIR_FIX));
    must_be(msg_bytes(&o.msg), LINE VIA "To: <sip:b@x>\r\nFrom: <sip:a@x>;tag=f1\r\n" REST END);
}
END_TEST

/* Then all is as it was. */
START_TEST(memory_runs_out)
{
    struct repair_policy policy = all(REPAIR_FIX);
    struct outcome o = { .msg = read_text(fixes[1].odd) };
    struct arena small;
    struct gist before;

    gist_read(&o.msg, &o.gist);
    before = o.gist;
    for (size_t room = 0; room < 2; room++) {
        arena_init(&small, room * 64);
        ck_assert_int_eq(repair(&policy, NULL, NULL, &small, &arena, &o.msg, &o.gist, &o.done),
                         SIPD_ENOMEM);
        ck_assert_int_eq(repair(&policy, NULL, NULL, &work, &small, &o.msg, &o.gist, &o.done),
                         SIPD_ENOMEM);
        arena_fini(&small);
    }
    must_be(msg_bytes(&o.msg), fixes[1].odd);
    ck_assert_uint_eq(o.gist.odd, before.odd);
    ck_assert_uint_eq(o.gist.fault, 0);
}
END_TEST

/* The table in deviation.def holds together. */
START_TEST(the_list)
{
    for (int id = 0; id < DEVIATIONS; id++) {
        const struct deviation_info *info = deviation_info((enum deviation)id);

        ck_assert(info->name && info->name[0] && info->phrase[0]);
        ck_assert(repair_may((enum deviation)id, REPAIR_REJECT));
        for (int other = 0; other < id; other++)
            ck_assert_str_ne(info->name, deviation_info((enum deviation)other)->name);
    }
    ck_assert_str_eq(repair_verdict_name(REPAIR_ACCEPT), "accept");
    ck_assert_str_eq(repair_verdict_name(REPAIR_FIX), "fix");
    ck_assert_str_eq(repair_verdict_name(REPAIR_REJECT), "reject");
}
END_TEST

Suite *
suite_repair(void)
{
    Suite *s = suite_create("repair");
    TCase *c = tcase_create("repair");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, a_good_message_stays);
    tcase_add_loop_test(c, each_rule, 0, (int)countof(fixes));
    tcase_add_test(c, bare_line_feeds);
    tcase_add_test(c, many_at_once);
    tcase_add_test(c, a_return_before_a_name);
    tcase_add_test(c, refused_for_good);
    tcase_add_test(c, by_default);
    tcase_add_test(c, another_may_mend);
    tcase_add_test(c, another_comes_too_late);
    tcase_add_test(c, blanks_go_at_once);
    tcase_add_test(c, memory_runs_out);
    tcase_add_test(c, the_list);
    suite_add_tcase(s, c);
    return s;
}
