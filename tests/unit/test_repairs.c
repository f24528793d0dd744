/*
 * What was wrong on record: counted by peer, rule and verdict, told in the log, under a ceiling.
 */
#include "core/repairs.h"

#include <stdio.h>

#include "base/err.h"
#include "unit/message.h"

static struct clock now;
static struct log lines;
static struct counters counters;
static struct repairs repairs;
static unsigned written;
static char last_line[2048];

static void
sink(void *self, enum log_level level, struct span line)
{
    (void)self;
    (void)level;
    written++;
    snprintf(last_line, sizeof last_line, "%.*s", SPAN_ARG(line));
}

static void
begin(void)
{
    const struct prf_key key = { 1, 2 };

    message_begin();
    counters_init(&counters);
    now.now_ms = 1000;
    written = 0;
    lines = (struct log){ .level = LOG_LVL_INFO, .sink = sink };
    ck_assert_int_eq(repairs_init(&repairs, &now, &lines, &counters, key, 4), SIPD_OK);
}

static void
end(void)
{
    repairs_fini(&repairs);
    counters_fini(&counters);
    message_end();
}

static void
add(const char *peer, uint64_t accepted, uint64_t fixed, uint64_t rejected)
{
    const struct repair_done done = { accepted, fixed, rejected };
    struct gist gist = { .call_id = SPAN("c1@a") };
    struct hop from = { .port = 5060 };

    ck_assert(hop_ip_read(span_of(peer), &from));
    repairs_add(&repairs, &from, &gist, &done);
}

static char listed[4096];

static void
list_one(void *arg, const struct repairs_row *row)
{
    char text[HOP_TEXT_BYTES], *to = arg;
    struct span peer = row->peer ? hop_ip_write(row->peer, text) : SPAN("others");
    size_t len = strlen(to);

    snprintf(to + len, sizeof listed - len, "%.*s %s %s %u %u\n", SPAN_ARG(peer),
             deviation_info(row->rule)->name, repair_verdict_name(row->verdict),
             (unsigned)row->count, (unsigned)row->last_ms);
}

static const char *
list(void)
{
    listed[0] = '\0';
    repairs_each(&repairs, list_one, listed);
    return listed;
}

#define BIT(id) deviation_bit(DEV_##id)

START_TEST(counted_by_peer_rule_and_verdict)
{
    ck_assert_str_eq(list(), "");
    add("192.0.2.1", BIT(NO_COOKIE), BIT(BARE_LF), 0);
    add("192.0.2.2", 0, BIT(BARE_LF), 0);
    now.now_ms = 2000;
    add("192.0.2.1", 0, BIT(BARE_LF), 0);
    add("192.0.2.1", 0, 0, BIT(BARE_LF));
    ck_assert_str_eq(list(), "192.0.2.1 bare_lf reject 1 2000\n"
                             "192.0.2.1 bare_lf fix 2 2000\n"
                             "192.0.2.2 bare_lf fix 1 1000\n"
                             "192.0.2.1 no_branch_cookie accept 1 1000\n");
    ck_assert_uint_eq(*counters_get(&counters, "repair_bare_lf"), 4);
    ck_assert_uint_eq(*counters_get(&counters, "repair_no_branch_cookie"), 1);
}
END_TEST

START_TEST(who_was_silent_longest_goes)
{
    char peer[32];

    add("192.0.2.1", 0, BIT(BARE_LF), 0);
    for (int i = 2; i < 7; i++) {
        snprintf(peer, sizeof peer, "192.0.2.%d", i);
        add(peer, 0, BIT(BARE_LF), 0);
        add("192.0.2.1", 0, BIT(BARE_LF), 0);
    }
    ck_assert_str_eq(list(), "192.0.2.1 bare_lf fix 6 1000\n"
                             "192.0.2.6 bare_lf fix 1 1000\n"
                             "192.0.2.5 bare_lf fix 1 1000\n"
                             "192.0.2.4 bare_lf fix 1 1000\n"
                             "others bare_lf fix 2 0\n");
    repairs.slots.limit = 2;
    add("192.0.2.9", 0, BIT(BARE_LF), 0);
    ck_assert_str_eq(list(), "192.0.2.9 bare_lf fix 1 1000\n"
                             "192.0.2.1 bare_lf fix 6 1000\n"
                             "others bare_lf fix 5 0\n");
}
END_TEST

START_TEST(told_when_the_count_doubles)
{
    for (int i = 0; i < 9; i++)
        add("192.0.2.1", 0, BIT(BARE_LF), 0);
    ck_assert_uint_eq(written, 4);
    ck_assert_str_eq(last_line, "mended call_id=c1@a rule=bare_lf peer=192.0.2.1 count=8");
    add("192.0.2.1", 0, 0, BIT(NO_FIELD));
    ck_assert_str_eq(last_line,
                     "refused-as-odd call_id=c1@a rule=line_without_name peer=192.0.2.1 count=1");
    add("192.0.2.1", BIT(NO_COOKIE), 0, 0);
    ck_assert_uint_eq(written, 5);
    lines.level = LOG_LVL_DEBUG;
    add("192.0.2.2", BIT(NO_COOKIE), 0, 0);
    ck_assert_str_eq(last_line, "odd call_id=c1@a rule=no_branch_cookie peer=192.0.2.2 count=1");
}
END_TEST

START_TEST(not_too_many_lines)
{
    char peer[32];

    for (int i = 0; i < 100; i++) {
        snprintf(peer, sizeof peer, "192.0.2.%d", i);
        add(peer, 0, BIT(BARE_LF), 0);
    }
    ck_assert_uint_eq(written, 20);
    ck_assert_uint_eq(*counters_get(&counters, "repair_unlogged"), 80);
    now.now_ms += 1000;
    add("198.51.100.1", 0, BIT(BARE_LF), 0);
    ck_assert_uint_eq(written, 21);
}
END_TEST

Suite *
suite_repairs(void)
{
    Suite *s = suite_create("repairs");
    TCase *c = tcase_create("repairs");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, counted_by_peer_rule_and_verdict);
    tcase_add_test(c, who_was_silent_longest_goes);
    tcase_add_test(c, told_when_the_count_doubles);
    tcase_add_test(c, not_too_many_lines);
    suite_add_tcase(s, c);
    return s;
}
