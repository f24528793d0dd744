/*
 * Name servers that are dead, slow, or lie: calls to literal addresses keep their latency all the time.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "live/dns_rig.h"
#include "live/liar.h"
#include "live/nsd.h"

Suite *suite_dns_bad(void);

/* The longest that a literal address took, of so many calls. */
static uint64_t
literal_ms(unsigned calls)
{
    uint64_t longest = 0;

    for (unsigned i = 0; i < calls; i++) {
        struct dns_outcome o = dns_call("sip:a@127.0.0.1:%u", dns_places[0].port);

        ck_assert_str_eq(o.status, "200");
        longest = o.ms > longest ? o.ms : longest;
        proc_pause(5);
    }
    return longest;
}

/* Names are asked for whose answers never come; calls to addresses do not notice. */
static void
stay_quick(const char *const *names, size_t len)
{
    enum { ROUNDS = 10, QUICK = 3 }; /* one that blocks the loop does so each time */
    unsigned quick = 0, shortest = UINT32_MAX;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t ms;

        for (size_t i = 0; i < len; i++) {
            char uri[128];

            snprintf(uri, sizeof uri, "sip:a@%s.r%u.test", names[i], round);
            dns_ask(uri);
        }
        ms = literal_ms(10);
        shortest = ms < shortest ? (unsigned)ms : shortest;
        quick += ms < 400; /* T1: nothing was sent twice */
    }
    ck_assert_msg(quick >= QUICK, "%u of %u rounds were quick, the best took %u ms", quick,
                  (unsigned)ROUNDS, shortest);
}

struct lie {
    const char *name, *at, *status;
};

static void
start_with_liar(const char *patience)
{
    char dns[256];

    (void)dns_place(false, "127.0.0.1");
    dns_says[0] = "200 Yes";
    snprintf(dns, sizeof dns, "servers = [ \"127.0.0.1:%u\" ]; %s", liar_begin(), patience);
    dns_start(dns);
}

static void
must_end_so(const struct lie *lie)
{
    enum { LONG_MS = 9000 }; /* the slow answer comes later */
    struct dns_outcome o = dns_call("sip:a@%s.test:%u", lie->name, dns_places[0].port);

    ck_assert_msg(strcmp(o.places, lie->at) == 0 && strstr(lie->status, o.status) && o.status[0],
                  "%s: \"%s\" %s", lie->name, o.places, o.status);
    ck_assert_msg(o.ms < LONG_MS, "%s took %u ms", lie->name, (unsigned)o.ms);
}

/* What is of use in its answers is used. */
START_TEST(a_server_that_lies_at_times)
{
    static const struct lie lies[] = {
        { "good", "0", "200" }, { "bothids", "0", "200" }, { "tc", "0", "200" },
        { "half", "0", "200" }, { "nx", "", "404" },
    };

    start_with_liar("timeout_ms = 5000; tries = 2;");
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        must_end_so(&lies[i]);
    dns_stop();
    liar_end();
}
END_TEST

START_TEST(a_server_that_lies)
{
    static const struct lie lies[] = {
        { "otherid", "", "500" }, { "othername", "", "500" }, { "cut", "", "500" },
        { "empty", "", "500" },   { "loop", "", "404|500" },  { "fail", "", "500" },
        { "mute", "", "500" },    { "slow", "", "500" },      { "tcmute", "", "500" },
    };
    static const char *const bad[] = { "mute",   "slow", "otherid", "loop",
                                       "tcmute", "cut",  "fail",    "empty" };

    start_with_liar("timeout_ms = 100; tries = 2; give_up_ms = 1000;");
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        must_end_so(&lies[i]);
    stay_quick(bad, sizeof bad / sizeof *bad);
    dns_stop();
    liar_end();
}
END_TEST

/* What is known stays known, what is not known fails in time, and when the server is back all is well without a restart. */
START_TEST(a_server_that_dies)
{
    uint16_t udp = dns_place(false, "127.0.0.1");
    const char *const zones[][2] = { { "gone.test", "a IN A 127.0.0.1\nb IN A 127.0.0.1\n" },
                                     { NULL, NULL } };
    static const char *const names[] = { "a", "b", "c", "d" };
    const char *argv[] = { "/usr/sbin/nsd", "-d", "-c", NULL, NULL };
    char a[128], b[128], conf[300];

    dns_says[0] = "200 Yes";
    dns_start_with_nsd(zones, "timeout_ms = 100; tries = 2; give_up_ms = 1000; failed_s = 1;");
    snprintf(a, sizeof a, "sip:x@a.gone.test:%u", udp);
    snprintf(b, sizeof b, "sip:x@b.gone.test:%u", udp);
    dns_call_until(a, "200");
    proc_kill(&dns_nsd);
    while (nsd_answers(dns_nsd_port)) /* its children have yet to notice */
        proc_pause(20);
    dns_expect(a, "0", "200");
    dns_expect(b, "", "500");
    stay_quick(names, 4);
    snprintf(conf, sizeof conf, "%s/nsd.conf", proc_dir());
    argv[3] = conf;
    proc_start(&dns_nsd, "nsd-again", argv);
    dns_call_until(b, "200");
    dns_stop();
}
END_TEST

/* Other servers are taken by a reload; a wrong one is refused, and the old ones stay. */
START_TEST(servers_are_reloaded)
{
    uint16_t udp = dns_place(false, "127.0.0.1"), nobody = proc_port("127.0.0.1"), port;
    const char *const zones[][2] = { { "new.test", "h IN A 127.0.0.1\n" }, { NULL, NULL } };
    char dns[256], text[DNS_MESSAGE_BYTES], uri[128];
    struct proc out;
    FILE *file;
    size_t len;
    char *at;

    dns_says[0] = "200 Yes";
    port = dns_start_nsd(zones);
    snprintf(dns, sizeof dns,
             "servers = [ \"127.0.0.1:%05u\" ]; timeout_ms = 100; tries = 1; give_up_ms = 500; "
             "failed_s = 1;",
             nobody);
    dns_start(dns);
    snprintf(uri, sizeof uri, "sip:x@h.new.test:%u", udp);
    dns_expect(uri, "", "500");
    file = fopen(dns_server.conf, "r+");
    len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    at = strstr(text, "servers = [ \"127.0.0.1:");
    ck_assert_ptr_nonnull(at);
    at += strlen("servers = [ \"127.0.0.1:");
    memcpy(at, "x0000", 5);
    rewind(file);
    fwrite(text, 1, len, file);
    fflush(file);
    ck_assert_int_eq(server_ctl(&dns_server, &out, "reload", NULL), 1);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "is no address"));
    snprintf(dns, sizeof dns, "%05u", port);
    memcpy(at, dns, 5);
    rewind(file);
    fwrite(text, 1, len, file);
    fclose(file);
    ck_assert_int_eq(server_ctl(&dns_server, &out, "reload", NULL), 0);
    dns_call_until(uri, "200"); /* after failed_s */
    dns_stop();
}
END_TEST

Suite *
suite_dns_bad(void)
{
    Suite *suite = suite_create("dns_bad");
    TCase *tcase = tcase_create("dns_bad");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, NULL, dns_clean_up);
    tcase_add_test(tcase, a_server_that_lies_at_times);
    tcase_add_test(tcase, a_server_that_lies);
    tcase_add_test(tcase, a_server_that_dies);
    tcase_add_test(tcase, servers_are_reloaded);
    suite_add_tcase(suite, tcase);
    return suite;
}
