/*
 * sipd.conf: each class of mistake gets one line with file, line, key and remedy; and what a right file becomes.
 */
#include "daemon/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/folder.h"
#include "unit/heap.h"
#include "unit/text.h"

#define UDP "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; } );\n"

static char dir[FOLDER_BYTES], file[96];
static struct config *config;
static struct buf why;

static void
write_file(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void
begin(void)
{
    heap_watch();
    ck_assert(folder_make("config", dir));
    snprintf(file, sizeof file, "%s/sipd.conf", dir);
    buf_init(&why, 1 << 16);
    config = NULL;
}

static void
end(void)
{
    static const char *const names[] = { "sipd.conf", "more.conf", "auth.so" };
    char path[128];

    config_free(&config);
    buf_fini(&why);
    for (size_t i = 0; i < countof(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    ck_assert_int_eq(rmdir(dir), 0);
    heap_compare();
}

static int
load(const char *text)
{
    write_file("sipd.conf", text);
    config_free(&config);
    buf_clear(&why);
    return config_load(&config, file, dir, &why);
}

/* The complaints, with "DIR/" for the folder's name. */
static void
must_complain(const char *want)
{
    char text[4096];
    size_t len = 0;

    for (size_t i = 0; i < why.len && len < sizeof text - 1;) {
        if (span_starts(span_skip(buf_span(&why), i), span_of(dir))) {
            i += strlen(dir) + 1;
            continue;
        }
        text[len++] = why.bytes[i++];
    }
    text[len] = '\0';
    ck_assert_str_eq(text, want);
}

/* ---- right ones */

START_TEST(test_defaults)
{
    const struct net_listen *listen;

    ck_assert_int_eq(load(UDP), SIPD_OK);
    ck_assert_uint_eq(why.len, 0);
    ck_assert_uint_eq(config->listens_len, 1);
    listen = &config->listens[0];
    ck_assert_uint_eq(listen->at.transport, HOP_UDP);
    ck_assert_uint_eq(listen->at.port, 5060);
    ck_assert_uint_eq(listen->at.ip[12], 127);
    ck_assert_uint_eq(listen->rport, NET_RPORT_ASKED);
    ck_assert_uint_eq(config->text.domains.len, 0);
    ck_assert_uint_eq(config->text.drain_s, 10);
    ck_assert_uint_eq(config->text.log.level, LOG_LVL_INFO);
    must_text(config->text.user, "sipd");
    ck_assert(config->core.record_route);
    ck_assert(config->core.path);
    ck_assert(!config->core.path_required);
    ck_assert_int_eq(config->core.fork, CORE_FORK_PARALLEL);
    ck_assert_int_eq(config->core.relay, CORE_RELAY_OURS);
    ck_assert_uint_eq(config->core.no_answer_ms, 120000);
    ck_assert_uint_eq(config->core.timer_c_ms, 185000);
    ck_assert_uint_eq(config->core.transactions, 2000000);
    ck_assert_uint_eq(config->net.connections, 100000);
    ck_assert_uint_eq(config->net.message_bytes, 65535);
}
END_TEST

START_TEST(test_written)
{
    const struct net_listen *listens;

    ck_assert_int_eq(
        load("domains = [ \"example.com\", \"10.1.2.3\" ];\n"
             "listen = ( { transport = \"tcp\"; address = \"::\"; port = 5070; advertise = "
             "\"sip.example.com:5099\"; },\n"
             "           { transport = \"udp\"; address = \"2001:db8::1\"; rport = \"private\"; "
             "advertise = \"[2001:db8::2]\"; },\n"
             "           { transport = \"udp\"; address = \"0.0.0.0\"; port = 0; } );\n"
             "proxy = { mode = \"stateful\"; record_route = false; path = false; fork = \"q\"; "
             "no_answer_s = 0; "
             "relay = \"any\"; };\n"
             "limits = { transactions = 1000; targets = 3; };\n"
             "log = { level = \"debug\"; }; drain_s = 0; state_dir = \"/x\"; control = { socket = "
             "\"/y\"; };\n"),
        SIPD_OK);
    listens = config->listens;
    ck_assert_uint_eq(config->listens_len, 3);
    ck_assert_uint_eq(listens[0].at.transport, HOP_TCP);
    ck_assert_uint_eq(listens[0].at.port, 5070);
    must_text(listens[0].advertise, "sip.example.com:5099");
    ck_assert_uint_eq(listens[1].rport, NET_RPORT_PRIVATE);
    ck_assert_uint_eq(listens[2].at.port, 0);
    ck_assert(!config->core.record_route);
    ck_assert(!config->core.path);
    ck_assert_int_eq(config->core.fork, CORE_FORK_Q);
    ck_assert_int_eq(config->core.relay, CORE_RELAY_ANY);
    ck_assert_uint_eq(config->core.no_answer_ms, 0);
    ck_assert_uint_eq(config->core.transactions, 1000);
    ck_assert_uint_eq(config->core.max_targets, 3);
    ck_assert_int_eq(load(UDP "proxy = { path_required = true; };"), SIPD_OK);
    ck_assert(config->core.path);
    ck_assert(config->core.path_required);
    ck_assert_int_eq(load(UDP "proxy = { path = false; path_required = false; };"), SIPD_OK);
}
END_TEST

START_TEST(test_include)
{
    write_file("more.conf", "drain_s = 7;\n");
    ck_assert_int_eq(load(UDP "@include \"more.conf\"\n"), SIPD_OK);
    ck_assert_uint_eq(config->text.drain_s, 7);
    ck_assert_int_eq(load(UDP "/* a comment\n@include \"none.conf\"\n ends */\n"), SIPD_OK);
    write_file("more.conf", "\ndrain_s = 7000;\n");
    ck_assert_int_eq(load(UDP "@include \"more.conf\"\n"), SIPD_EINVAL);
    must_complain(
        "more.conf:2: drain_s: 7000 is out of bounds; write a whole number from 0 to 3600\n");
    write_file("more.conf", "\ndrain_s = 7;\nlog = { level = \"info\";\n  level = \"warn\"; };\n");
    ck_assert_int_eq(load(UDP "@include \"more.conf\"\n"), SIPD_EINVAL);
    must_complain("more.conf:4: log.level: stands twice, in line 3 before; take one of them out\n");
    write_file("more.conf", "\ndrain_s = 7;\n");
    ck_assert_int_eq(load("drain_s = 8;\n@include \"more.conf\"\n"), SIPD_EINVAL);
    must_complain("more.conf:2: drain_s: stands in another file, too; take one of them out\n");
}
END_TEST

START_TEST(test_module_section)
{
    ck_assert_int_eq(load(UDP "modules = [ \"auth\" ]; auth = { anything = 1; };"), SIPD_OK);
}
END_TEST

START_TEST(test_advertise)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } some[] = {
        { "a.example", "a.example", 0 },
        { "a.example:5061", "a.example", 5061 },
        { "[2001:db8::1]", "[2001:db8::1]", 0 },
        { "[2001:db8::1]:99", "[2001:db8::1]", 99 },
        { "", "", 0 },
        { "a.example:0", "a.example", 0 },
        { "a.example:70000", "a.example", 0 },
    };

    for (size_t i = 0; i < countof(some); i++) {
        struct span host;
        uint16_t port;

        config_split_advertise(span_of(some[i].text), &host, &port);
        must_text(host, some[i].host);
        ck_assert_uint_eq(port, some[i].port);
    }
}
END_TEST

START_TEST(test_listen_text)
{
    char text[HOP_TEXT_BYTES + 8];

    ck_assert_int_eq(load("listen = ( { transport = \"tcp\"; address = \"::1\"; port = 5070; } );"),
                     SIPD_OK);
    must_text(config_listen_text(&config->listens[0].at, text), "tcp:[::1]:5070");
}
END_TEST

/* ---- wrong ones */

static const struct {
    const char *text, *complaint;
} mistakes[] = {
    { "", "sipd.conf: listen: is missing; write the listeners, as ( { transport = \"udp\"; address "
          "= \"0.0.0.0\"; port = 5060; } )\n" },
    { "listen = ( );", "sipd.conf:1: listen: has 0 of them; write 1 to 256\n" },
    { UDP "domains = [ \"a.example\" , , ];",
      "sipd.conf:2: syntax error; look here and just above for a comma before a bracket, an open "
      "quote, a missing ; or brace\n" },
    { UDP "domains = [ \"a.example\", ];",
      "sipd.conf:2: syntax error; look here and just above for a comma before a bracket, an open "
      "quote, a missing ; or brace\n" },
    { UDP "drain_s = 1; drain_s = 2;",
      "sipd.conf:2: drain_s: stands twice, in line 2 before; take one of them out\n" },
    { UDP "proxy = { mode = \"stateful\"; };\n# proxy = 1;\nproxy = { };",
      "sipd.conf:4: proxy: stands twice, in line 2 before; take one of them out\n" },
    { UDP "log = { level = \"info\"; to = \"stderr\";\n  level = \"warn\"; };",
      "sipd.conf:3: log.level: stands twice, in line 2 before; take one of them out\n" },
    { UDP "limits = { idle_s = 31; };", /* RFC 3261 §18: 64*T1 at least */
      "sipd.conf:2: limits.idle_s: 31 is out of bounds; write a whole number from 32 to 86400\n" },
    { UDP "limits = { connections = 4294967297; };",
      "sipd.conf:2: limits.connections: 4294967297 is more than a number here can be; write one of "
      "at "
      "most 2147483647\n" },
    { UDP "/* 4294967297 */ # 4294967297\n// 4294967297 \"\ndrain_s = 2147483648;",
      "sipd.conf:4: drain_s: 2147483648 is more than a number here can be; write one of at most "
      "2147483647\n" },
    { UDP "log = { level = \"a 4294967297 \\\" 4294967297\"; };\ndrain_s = 0x80000000;",
      "sipd.conf:3: drain_s: 0x80000000 is more than a number here can be; write one of at most "
      "2147483647\n" },
    { UDP "drain_s = -99999999999999999999999;",
      "sipd.conf:2: drain_s: -99999999999999999999999 is more than a number here can be; write one "
      "of at most 2147483647\n" },
    { UDP "drain_s = 4294967296L;",
      "sipd.conf:2: drain_s: 4294967296 is out of bounds; write a whole number from 0 to 3600\n" },
    { UDP "domain = [ ];", "sipd.conf:2: domain: there is no such key; the nearest is domains\n" },
    { UDP "proxy = { no_answer = 5; };",
      "sipd.conf:2: proxy.no_answer: there is no such key; the nearest is no_answer_s\n" },
    { UDP "proxy = { timer_c_s = 180; };", "sipd.conf:2: proxy.timer_c_s: 180 is out of bounds; "
                                           "write a whole number from 181 to 3600\n" },
    { UDP "proxy = { mode = \"careless\"; };",
      "sipd.conf:2: proxy.mode: \"careless\" is not one of its words; write one of \"stateful\", "
      "\"stateless\"\n" },
    { UDP "proxy = { stray = \"keep\"; };", "sipd.conf:2: proxy.stray: \"keep\" is not one of its "
                                            "words; write one of \"drop\", \"verified\"\n" },
    { UDP "proxy = {\n path_required = true; path = false; };",
      "sipd.conf:3: proxy.path_required: nothing can require the Path that proxy.path = false "
      "keeps out; set that to true, or take this out\n" },
    { UDP "log = { to = \"syslog\"; };",
      "sipd.conf:2: log.to: \"syslog\" is not one of its words; write \"stderr\"\n" },
    { "listen = ( { transport = \"tls\"; address = \"127.0.0.1\"; } );",
      "sipd.conf:1: listen[0].transport: \"tls\" is brought by a module; add \"tls\" to modules, "
      "or "
      "take the listener out\n" },
    { "listen = ( { transport = \"sctp\"; address = \"127.0.0.1\"; } );",
      "sipd.conf:1: listen[0].transport: \"sctp\" is not one of its words; write one of \"udp\", "
      "\"tcp\", \"tls\"\n" },
    { "listen = ( { transport = \"udp\"; } );",
      "sipd.conf:1: listen[0].address: is missing; write the address to listen on; 0.0.0.0 or :: "
      "stands for every one of the "
      "machine's\n" },
    { "listen = (\n { address = \"localhost\"; } );",
      "sipd.conf:2: listen[0].address: \"localhost\" is not an IP address; write one, as "
      "\"192.0.2.1\", \"2001:db8::1\", "
      "\"0.0.0.0\" or \"::\"\n" },
    { "listen = ( { address = \"fe80::1%none0\"; } );",
      "sipd.conf:1: listen[0].address: \"fe80::1%none0\" names an interface that is not there; see "
      "them with: ip link\n" },
    { "listen = ( { address = \"127.0.0.1\"; advertise = \"sip:a.example\"; } );",
      "sipd.conf:1: listen[0].advertise: \"sip:a.example\" is not host or host:port; write it as "
      "\"sip.example.com\" or "
      "\"192.0.2.1:5060\"\n" },
    { "listen = ( { address = \"127.0.0.1\"; },\n { address = \"127.0.0.1\"; } );",
      "sipd.conf:2: listen[1]: wants udp:127.0.0.1:5060, which listen[0] has; give it another port "
      "or address, or take one "
      "out\n" },
    { "listen = ( { address = \"0.0.0.0\"; },\n { address = \"127.0.0.1\"; } );",
      "sipd.conf:2: listen[1]: wants udp:127.0.0.1:5060, which listen[0] has; give it another port "
      "or address, or take one "
      "out\n" },
    { UDP "domains = [ \"sip:a.example\" ];", "sipd.conf:2: domains[0]: \"sip:a.example\" is not a "
                                              "domain; write its bare name: \"example.com\"\n" },
    { UDP "domains = [ \"a.example\", \"A.example\" ];",
      "sipd.conf:2: domains[1]: \"A.example\" stands there twice; write it once\n" },
    { UDP "modules = [ \"auth\", \"auth\" ];",
      "sipd.conf:2: modules[1]: \"auth\" stands there twice; write it once\n" },
    { UDP "modules = \"auth\";",
      "sipd.conf:2: modules: is text; write texts in brackets: modules = [ \"…\", \"…\" ];\n" },
    { UDP "modules = [ \"registrar\" ]; regsitrar = { };",
      "sipd.conf:2: regsitrar: there is no such key; the nearest is registrar\n" },
    { UDP "auth = { };", "sipd.conf:2: auth: its module is not loaded; add \"auth\" to modules, or "
                         "take the section out\n" },
    { UDP "state_dir = \"lib\";",
      "sipd.conf:2: state_dir: is not an absolute path; write one, as \"/var/lib/sipd\"\n" },
    { UDP "control = { socket = \"sock\"; };", "sipd.conf:2: control.socket: is not an absolute "
                                               "path; write one, as \"/run/sipd/control.sock\"\n" },
    { UDP "control = { socket = "
          "\"/a23456789/b23456789/c23456789/d23456789/e23456789/f23456789/g23456789/h23456789/"
          "i23456789/"
          "j23456789/k2345678\"; };",
      "sipd.conf:2: control.socket: is longer than a socket's path may be; write one of at most "
      "107 bytes\n" },
    { UDP "@include \"none.conf\"",
      "sipd.conf:2: @include: none.conf is not there; name a file that can be read\n" },
    { UDP "@include \".\"",
      "sipd.conf:2: @include: . is no plain file; name a file that can be read\n" },
    { UDP "@include \"sipd.conf\"", "sipd.conf:2: @include: sipd.conf is included too deep, or "
                                    "includes itself; name a file that can be read\n" },
};

START_TEST(test_mistake)
{
    write_file("auth.so", "");
    ck_assert_int_eq(load(mistakes[_i].text), SIPD_EINVAL);
    ck_assert_ptr_null(config);
    must_complain(mistakes[_i].complaint);
}
END_TEST

START_TEST(test_no_file)
{
    ck_assert_int_eq(config_load(&config, file, dir, &why), SIPD_EINVAL);
    must_complain("sipd.conf: cannot be read; is the path right, and may this user read it?\n");
}
END_TEST

/* Others of a family, or of another transport or port, do not collide. */
START_TEST(test_no_collision)
{
    ck_assert_int_eq(
        load("listen = ( { address = \"0.0.0.0\"; }, { address = \"::\"; },\n"
             "  { transport = \"tcp\"; address = \"0.0.0.0\"; }, { address = \"127.0.0.1\"; port = "
             "5061; },\n"
             "  { address = \"127.0.0.1\"; port = 0; }, { address = \"127.0.0.1\"; port = 0; } );"),
        SIPD_OK);
}
END_TEST

START_TEST(test_addresses)
{
    ck_assert_int_eq(
        load("listen = ( { address = \"0.0.0.0\"; }, { address = \"127.3.2.1\"; port = 1; },\n"
             "{ address = \"203.0.113.77\"; port = 2; } );"),
        SIPD_OK);
    ck_assert_int_eq(config_check_addresses(config, &why), SIPD_EINVAL);
    must_complain("sipd.conf:2: listen[2].address: 203.0.113.77 is not an address of this machine; "
                  "see them with: ip address; of one that comes later say freebind = true\n");
    config_free(&config);
    why.len = 0;
    ck_assert_int_eq(
        load("listen = ( { address = \"203.0.113.77\"; port = 2; freebind = true; },\n"
             "{ transport = \"tls\"; address = \"127.0.0.1\"; } ); modules = [ \"tls\" ];"),
        SIPD_OK);
    ck_assert_int_eq(config_check_addresses(config, &why), SIPD_OK);
    ck_assert_uint_eq(config->listens[0].at.port, 2);
    ck_assert_uint_eq(config->listens[1].at.port, 5061);
}
END_TEST

static enum repair_verdict
verdict(const char *peer, size_t listener, enum deviation rule)
{
    const struct repair_policy *policy;
    enum repair_verdict its;
    struct hop from = { .port = 5060 };
    struct arena turn;

    arena_init(&turn, 1 << 16);
    ck_assert(hop_ip_read(span_of(peer), &from));
    policy = config_repair_find(config, &from, listener, &turn);
    ck_assert_ptr_nonnull(policy);
    its = (enum repair_verdict)policy->verdict[rule];
    arena_fini(&turn);
    return its;
}

/* The network before the listener, the listener before the server; what is not written is left to the next. */
START_TEST(test_repair)
{
    ck_assert_int_eq(load(UDP), SIPD_OK);
    for (int id = 0; id < DEVIATIONS; id++)
        ck_assert_int_eq(verdict("192.0.2.1", 0, (enum deviation)id),
                         deviation_info((enum deviation)id)->verdict);
    ck_assert_int_eq(
        load("listen = ( { address = \"127.0.0.1\"; port = 1; },\n"
             "  { address = \"127.0.0.1\"; port = 2; repair = { bare_lf = \"reject\"; empty_tag = "
             "\"fix\"; }; } );\n"
             "repair = { bare_lf = \"accept\"; tag_twice = \"accept\"; max_forwards = \"fix\";\n"
             "  networks = ( { from = [ \"10.0.0.0/8\", \"2001:db8::1\" ]; bare_lf = \"fix\"; },\n"
             "               { from = [ \"10.1.0.0/16\" ]; bare_lf = \"reject\"; empty_tag = "
             "\"inherit\";\n"
             "                 tag_twice = \"reject\"; } ); };"),
        SIPD_OK);
    ck_assert_int_eq(verdict("192.0.2.1", SIZE_MAX, DEV_BARE_LF), REPAIR_ACCEPT);
    ck_assert_int_eq(verdict("192.0.2.1", 0, DEV_BARE_LF), REPAIR_ACCEPT);
    ck_assert_int_eq(verdict("192.0.2.1", 1, DEV_BARE_LF), REPAIR_REJECT);
    ck_assert_int_eq(verdict("192.0.2.1", 1, DEV_EMPTY_TAG), REPAIR_FIX);
    ck_assert_int_eq(verdict("192.0.2.1", 0, DEV_EMPTY_TAG), REPAIR_REJECT);
    ck_assert_int_eq(verdict("10.1.2.3", 1, DEV_BARE_LF), REPAIR_FIX);
    ck_assert_int_eq(verdict("2001:db8::1", 0, DEV_BARE_LF), REPAIR_FIX);
    ck_assert_int_eq(verdict("10.1.2.3", 1, DEV_EMPTY_TAG), REPAIR_FIX);
    ck_assert_int_eq(verdict("10.1.2.3", 1, DEV_TAG_TWICE), REPAIR_ACCEPT);
    ck_assert_int_eq(verdict("10.1.2.3", SIZE_MAX, DEV_MAX_FORWARDS), REPAIR_FIX);
    ck_assert_int_eq(load(UDP "repair = { tag_twice = \"fix\"; };"), SIPD_EINVAL);
    must_complain("sipd.conf:2: repair.tag_twice: \"fix\" is not one of its words; write one of "
                  "\"accept\", \"reject\"\n");
    ck_assert_int_eq(load(UDP "repair = { networks = ( { from = [ \"10.0.0.1/8\" ]; } ); };"),
                     SIPD_EINVAL);
    must_complain("sipd.conf:2: repair.networks[0].from: \"10.0.0.1/8\" is an address with a "
                  "prefix length: write the "
                  "network, with zeros behind its prefix\n");
    ck_assert_int_eq(load(UDP "repair = { bare_fl = \"fix\"; };"), SIPD_EINVAL);
    must_complain("sipd.conf:2: repair.bare_fl: there is no such key; the nearest is bare_lf\n");
}
END_TEST

/* Memory goes out at each allocation in turn. */
START_TEST(test_memory)
{
    uint64_t n = 0;
    int err;

    write_file(
        "sipd.conf", UDP
        "domains = [ \"example.com\" ]; repair = { networks = ( { from = [ \"::/0\" ]; } ); };");
    do {
        config_free(&config);
        mem_fail_after(n++);
        err = config_load(&config, file, dir, &why);
        must(err == SIPD_OK || mem_failed());
        must((config != NULL) == (err == SIPD_OK));
        if (!mem_failed())
            break;
        mem_fail_never();
    } while (n < 100);
    mem_fail_never();
    ck_assert_int_eq(err, SIPD_OK);
}
END_TEST

Suite *
suite_config(void)
{
    Suite *suite = suite_create("config");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, test_defaults);
    tcase_add_test(all, test_written);
    tcase_add_test(all, test_include);
    tcase_add_test(all, test_module_section);
    tcase_add_test(all, test_advertise);
    tcase_add_test(all, test_listen_text);
    tcase_add_loop_test(all, test_mistake, 0, countof(mistakes));
    tcase_add_test(all, test_no_file);
    tcase_add_test(all, test_no_collision);
    tcase_add_test(all, test_addresses);
    tcase_add_test(all, test_repair);
    tcase_add_test(all, test_memory);
    suite_add_tcase(suite, all);
    return suite;
}
