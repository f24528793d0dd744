/*
 * sipctl trace and explain against a running sipd: a call that is challenged, forked and failed over, drawn as a ladder, kept
 * as a capture that tshark reads, streamed as JSON; without secrets but in the capture.
 */
#include <check.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/digest.h"
#include "base/poison.h"
#include "live/hand.h"
#include "live/nsd.h"
#include "live/picture.h"
#include "live/tracer.h"

Suite *suite_trace(void);

#define PASSWORD "wonderland"
#define COOKIE   "c00kie-of-alice"
#define KEY      "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"

static struct server server;
static struct proc nsd;
static struct hand alice, bob, carol;
static char response[DIGEST_HEX_BYTES + 1]; /* what alice proved her password with */
static unsigned calls;

/* ---------------------------------------------------------------- the call */

static void
start_with(const char *more)
{
    static char records[256], settings[1024];
    const char *const zones[][2] = { { "carol.test", records }, { NULL, NULL } };
    char words[256];
    struct proc out;
    unsigned dead = proc_port("127.0.0.1");

    hand_open(&alice, "alice");
    hand_open(&bob, "bob");
    hand_open(&carol, "carol");
    snprintf(records, sizeof records,
             "host IN A 127.0.0.1\n_sip._udp IN SRV 1 1 %u host\n_sip._udp IN SRV 2 1 %u host\n",
             dead, carol.port);
    snprintf(settings, sizeof settings,
             "modules = [ \"auth\", \"registrar\", \"dns\" ];\n"
             "registrar = { store = \"ram\"; };\nauth = { path = \"users.db\"; };\n"
             "dns = { servers = [ \"127.0.0.1:%u\" ]; };\n%s",
             nsd_start(&nsd, zones), more);
    server_make(&server, "trace", settings);
    server_start(&server);
    server_add_user(&server, "alice", PASSWORD);
    server_add_user(&server, "bob", "builder");
    snprintf(words, sizeof words, "add binding sip:bob@example.com 'sip:bob@127.0.0.1:%u'",
             bob.port);
    ck_assert_msg(server_ctl(&server, &out, words, NULL) == 0, "%s", proc_output(&out));
    ck_assert_msg(server_ctl(&server, &out, "add binding sip:bob@example.com 'sip:bob@carol.test'",
                             NULL) == 0,
                  "%s", proc_output(&out));
}

static void
start(void)
{
    start_with("");
}

static void
stop(void)
{
    hand_close(&alice);
    hand_close(&bob);
    hand_close(&carol);
    server_stop(&server);
    proc_stop(&nsd);
}

/* What stands between the quotes behind a parameter's name in the challenge that alice heard. */
static struct span
of_challenge(const char *name)
{
    static char line[1024];
    const char *at;

    snprintf(line, sizeof line, "%s", hand_line(alice.heard, "Proxy-Authenticate:"));
    at = strstr(line, name);
    ck_assert_msg(at != NULL, "no %s in:\n%.3000s", name, alice.heard);
    at += strlen(name);
    return (struct span){ at, strcspn(at, "\"") };
}

/* Credentials for the challenge, whose response is kept to look for it later (RFC 7616 §3.4). */
static void
prove(char *to, size_t room)
{
    uint8_t ha1[DIGEST_HASH_BYTES];
    char realm[64], nonce[256];
    struct digest_hasher hasher;
    struct digest c = { .uri = SPAN("sip:bob@example.com"),
                        .qop = SPAN("auth"),
                        .nc = SPAN("00000001"),
                        .cnonce = SPAN("0a4f113b") };

    snprintf(realm, sizeof realm, "%.*s", SPAN_ARG(of_challenge("realm=\"")));
    snprintf(nonce, sizeof nonce, "%.*s", SPAN_ARG(of_challenge("nonce=\"")));
    c.realm = span_of(realm);
    c.nonce = span_of(nonce);
    ck_assert_int_eq(digest_hasher_init(&hasher), 0);
    ck_assert_int_eq(digest_ha1(&hasher, DIGEST_MD5, SPAN("alice"), c.realm, SPAN(PASSWORD), ha1),
                     0);
    (void)digest_response(&hasher, DIGEST_MD5, ha1, SPAN("INVITE"), &c, response);
    response[32] = '\0';
    digest_hasher_fini(&hasher);
    snprintf(to, room,
             "Proxy-Authorization: Digest username=\"alice\", realm=\"%s\", nonce=\"%s\", "
             "uri=\"sip:bob@example.com\", algorithm=MD5, qop=auth, nc=00000001, "
             "cnonce=\"0a4f113b\", response=\"%s\"\n",
             realm, nonce, response);
}

static void
alice_says(const char *method, unsigned cseq, const char *branch, const char *to, const char *lines,
           const char *body)
{
    hand_says(&alice, server.port,
              "%s sip:bob@example.com SIP/2.0\n"
              "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s%u-%d\nMax-Forwards: 70\n"
              "From: <sip:alice@example.com>;tag=a\nTo: <sip:bob@example.com>%s\n"
              "Call-ID: call-%u@alice\nCSeq: %u %s\nContact: <sip:alice@127.0.0.1:%u>\n"
              "Cookie: " COOKIE "\n%sContent-Length: %zu\n\n%s",
              method, alice.port, branch, calls, (int)getpid(), to, calls, cseq, method, alice.port,
              lines, strlen(body), body);
}

/* Challenged; forked to bob and to carol, whose first host is dead; carol takes it, and bob's phone stops ringing. */
static void
make_the_call(void)
{
    static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                              "t=0 0\r\nm=audio 9 RTP/SAVP 0\r\n"
                              "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n";
    static char invite[sizeof bob.heard];
    char credentials[1024], to[256], routes[2048], contact[128];

    calls++;
    alice_says("INVITE", 1, "one", "", "Content-Type: application/sdp\n", sdp);
    hand_hears(&alice, "SIP/2.0 407");
    snprintf(to, sizeof to, "%s",
             hand_line(alice.heard, "To:") + strlen("To: <sip:bob@example.com>"));
    to[strcspn(to, "\r\n")] = '\0';
    prove(credentials, sizeof credentials);
    alice_says("ACK", 1, "one", to, "", "");
    snprintf(routes, sizeof routes, "%sContent-Type: application/sdp\n", credentials);
    alice_says("INVITE", 2, "two", "", routes, sdp);
    hand_hears(&bob, "INVITE");
    memcpy(invite, bob.heard, sizeof invite);
    hand_answers(&bob, server.port, 180, "");
    hand_hears(&carol, "INVITE");
    hand_hears(&alice, "SIP/2.0 180");
    hand_answers(&carol, server.port, 200, "");
    hand_hears(&bob, "CANCEL");
    hand_answers(&bob, server.port, 200, "");
    memcpy(bob.heard, invite, sizeof invite);
    hand_answers(&bob, server.port, 487, "");
    hand_hears(&bob, "ACK");
    hand_hears(&alice, "SIP/2.0 200");
    snprintf(to, sizeof to, "%s", hand_line(alice.heard, "To:"));
    snprintf(contact, sizeof contact, "%s", hand_contact(alice.heard));
    hand_routes(alice.heard, true, routes, sizeof routes);
    hand_says(&alice, server.port,
              "ACK %s SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKack%u-%d\n%s"
              "Max-Forwards: 70\nFrom: <sip:alice@example.com>;tag=a\n%s"
              "Call-ID: call-%u@alice\nCSeq: 2 ACK\nContent-Length: 0\n\n",
              contact, alice.port, calls, (int)getpid(), routes, to, calls);
    hand_hears(&carol, "ACK");
}

static void
must_lack_secrets(const struct proc *p)
{
    const char *text = tracer_output(p);

    ck_assert_msg(!strstr(text, response), "the response to a challenge is shown:\n%.3000s", text);
    ck_assert_msg(!strstr(text, COOKIE), "a cookie is shown:\n%.3000s", text);
    ck_assert_msg(!strstr(text, KEY), "a key is shown:\n%.3000s", text);
}

/* ---------------------------------------------------------------- the ladder */

static const char *const the_call[] = { "INVITE", "407", "ACK",    "INVITE", "INVITE",
                                        "180",    "200", "CANCEL", NULL };

START_TEST(a_ladder_has_the_call_and_its_decisions)
{
    struct proc trace;
    char peer[32];

    tracer_start(&trace, &server, "ladder", "trace all");
    make_the_call();
    tracer_says(&trace, "CANCEL");
    tracer_end(&trace);
    tracer_has(&trace, the_call);
    for (int i = 0; i < 3; i++) {
        snprintf(peer, sizeof peer, "127.0.0.1:%u",
                 i == 0   ? alice.port
                 : i == 1 ? bob.port
                          : carol.port);
        ck_assert_msg(strstr(tracer_output(&trace), peer), "no lane of %s:\n%.3000s", peer,
                      tracer_output(&trace));
    }
    ck_assert_ptr_nonnull(strstr(tracer_output(&trace), "messages, "));
    must_lack_secrets(&trace);
}
END_TEST

/* Without a port, a time or a wrapped line in which they might differ. */
START_TEST(the_picture_in_the_docs_is_what_is_drawn)
{
    char *page = picture_of_page("doc/trace.md"), *wanted = picture_sayings(page), *drawn;
    unsigned n = 0;
    struct proc trace;

    tracer_start(&trace, &server, "picture", "trace alice");
    make_the_call();
    tracer_says(&trace, "ACK carol");
    tracer_says(&trace, "our own word");
    tracer_end(&trace);
    drawn = picture_sayings(tracer_output(&trace));
    for (char *line = wanted, *next; *line; line = next + 1, n++) {
        next = strchr(line, '\n');
        *next = '\0';
        if (strncmp(line, "Call-ID ", 8) != 0)
            ck_assert_msg(strstr(drawn, line) != NULL,
                          "doc/trace.md has \"%s\", and that is not drawn any more "
                          "(scripts/gen-picture):\n%.3000s",
                          line, drawn);
    }
    ck_assert_uint_ge(n, 40);
    free(page);
    free(wanted);
    free(drawn);
}
END_TEST

/* ---------------------------------------------------------------- a terminal */

static struct proc seen; /* what the terminal shows */

/* Waits until the terminal shows these words. escapes: "-e", colours as well; or "-p" once more. */
static void
terminal_shows(const char *socket, const char *words, const char *escapes)
{
    const char *look[] = { "tmux", "-S", socket, "capture-pane", "-p", escapes, NULL };
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
    static unsigned serial;
    char name[32];

    for (;; proc_pause(50)) {
        snprintf(name, sizeof name, "seen-%u", ++serial);
        ck_assert(proc_run(&seen, name, PROC_PATIENCE_MS, look));
        if (strstr(tracer_output(&seen), words))
            return;
        ck_assert_msg(proc_now_ms() < until, "\"%s\" is not seen:\n%.3000s", words,
                      tracer_output(&seen));
    }
}

/* All of it, and what has left the screen. */
static void
keep_picture(const char *socket, const char *path)
{
    const char *look[] = { "tmux", "-S", socket, "capture-pane", "-p", "-S", "-200", NULL };
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert(proc_run(&seen, "picture", PROC_PATIENCE_MS, look));
    fputs(tracer_output(&seen), file);
    fclose(file);
}

/* sipctl in a terminal that has room for all. SIPD_PICTURE: a file that gets what is seen at the end of the call. */
START_TEST(a_terminal_shows_it)
{
    const char *picture = getenv("SIPD_PICTURE"), *build = getenv("SIPD_BUILD");
    const char *rows = picture ? "40" : "150";
    char socket[300], command[1024];
    const char *start_it[] = { "tmux", "-S",  socket, "-f", "/dev/null", "new-session", "-d",
                               "-x",   "100", "-y",   rows, command,     NULL };
    const char *press[] = { "tmux", "-S", socket, "send-keys", "C-c", NULL };
    const char *end_it[] = { "tmux", "-S", socket, "kill-server", NULL };
    struct proc run;

    if (!proc_run(&run, "tmux-V", PROC_PATIENCE_MS, (const char *[]){ "tmux", "-V", NULL })) {
        proc_skip("a ladder in a terminal", "no tmux here");
        return;
    }
    snprintf(socket, sizeof socket, "%s/tmux", proc_dir());
    snprintf(command, sizeof command,
             "LC_ALL=C.UTF-8 TZ=UTC %s/sipctl -s %s trace alice; echo ended $?; sleep 100",
             build ? build : "build", server.socket);
    ck_assert_msg(proc_run(&run, "tmux", PROC_PATIENCE_MS, start_it), "%s", proc_output(&run));
    terminal_shows(socket, "from now on", "-p");
    make_the_call();
    terminal_shows(socket, "487", "-p");
    terminal_shows(socket, "ACK bob", "-p");
    must_lack_secrets(&seen);
    if (picture)
        keep_picture(socket, picture);
    terminal_shows(socket, "──", "-p");
    terminal_shows(socket, "\033[36m", "-e");
    ck_assert(proc_run(&run, "tmux", PROC_PATIENCE_MS, press));
    terminal_shows(socket, "ended 0", "-p");
    ck_assert(proc_run(&run, "tmux", PROC_PATIENCE_MS, end_it));
}
END_TEST

START_TEST(a_call_is_explained_afterwards)
{
    struct proc trace, out;
    char words[64];

    tracer_start(&trace, &server, "recorder", "trace all");
    make_the_call();
    tracer_says(&trace, "CANCEL");
    tracer_end(&trace);
    snprintf(words, sizeof words, "explain call-%u@alice", calls);
    ck_assert_int_eq(server_ctl(&server, &out, words, NULL), 0);
    tracer_has(&out, the_call);
    must_lack_secrets(&out);
    ck_assert_int_eq(server_ctl(&server, &out, "explain no-such-call", NULL), 1);
}
END_TEST

START_TEST(what_would_happen_is_told_and_nothing_is_sent)
{
    struct proc out;

    ck_assert_int_eq(
        server_ctl(&server, &out, "explain INVITE sip:bob@example.com from 127.0.0.1:5070", NULL),
        0);
    ck_assert_msg(strstr(tracer_output(&out), "INVITE sip:bob@example.com\n  ") != NULL, "%s",
                  tracer_output(&out));
    ck_assert_ptr_nonnull(strstr(tracer_output(&out), "So: "));
    ck_assert(!hand_takes(&bob, 200) && !hand_takes(&carol, 1));
}
END_TEST

/* ---------------------------------------------------------------- programs */

START_TEST(an_event_is_a_line_of_json)
{
    struct proc trace;
    unsigned heard = 0, sent = 0, decisions = 0;
    char *text, *line, *rest;

    tracer_start(&trace, &server, "json", "--json trace all");
    make_the_call();
    tracer_says(&trace, "487");
    tracer_end(&trace);
    must_lack_secrets(&trace);
    text = rest = strdup(tracer_output(&trace));
    while ((line = strsep(&rest, "\n")) && *line) {
        json_t *event = json_loads(line, 0, NULL);
        const char *step = json_string_value(json_object_get(event, "step"));

        ck_assert_msg(event != NULL, "no JSON: %s", line);
        if (json_object_get(event, "trace")) {
            json_decref(event);
            continue;
        }
        ck_assert_msg(step != NULL, "no event: %s", line);
        ck_assert(json_is_integer(json_object_get(event, "seq")));
        ck_assert(json_is_integer(json_object_get(event, "at_us")));
        ck_assert(!json_object_get(event, "bytes"));
        heard += strcmp(step, "heard") == 0 && json_object_get(event, "line");
        sent += strcmp(step, "sent") == 0;
        decisions += json_string_length(json_object_get(event, "words")) > 0 &&
                     !json_object_get(event, "line");
        json_decref(event);
    }
    free(text);
    ck_assert_msg(heard >= 7 && sent >= 9 && decisions >= 5,
                  "%u heard, %u sent, %u decisions:\n%.3000s", heard, sent, decisions,
                  tracer_output(&trace));
}
END_TEST

/* ---------------------------------------------------------------- captures */

START_TEST(a_capture_is_read_by_tshark)
{
    char words[512], file[300];
    struct proc trace, out;
    struct stat is;

    snprintf(file, sizeof file, "%s/call.pcap", proc_dir());
    snprintf(words, sizeof words, "trace all --pcap %s", file);
    tracer_start(&trace, &server, "pcap", words);
    make_the_call();
    tracer_says(&trace, "CANCEL");
    tracer_end(&trace);
    ck_assert_ptr_nonnull(strstr(tracer_output(&trace), "holds secrets"));
    ck_assert_int_eq(stat(file, &is), 0);
    ck_assert_uint_eq(is.st_mode & 0777, 0600);
    tracer_judge_all(file);
    tracer_judge(file, "sip", &out);
    ck_assert_uint_ge(tracer_count(tracer_output(&out), "INVITE sip:bob@"), 5);
    ck_assert_uint_ge(tracer_count(tracer_output(&out), "SIP/2.0 200"), 2);
    snprintf(words, sizeof words, "sip.auth.digest.response contains \"%s\"", response);
    tracer_judge(file, words, &out);
    ck_assert_msg(tracer_count(tracer_output(&out), "INVITE") > 0,
                  "the bytes are not as they were");
}
END_TEST

START_TEST(a_file_that_is_there_is_left_alone)
{
    const char *file = proc_file("mine.txt", "mine");
    char words[512];
    struct proc out;

    snprintf(words, sizeof words, "trace all --pcap %s", file);
    ck_assert_int_eq(server_ctl(&server, &out, words, NULL), 1);
    ck_assert_ptr_nonnull(strstr(tracer_output(&out), "File exists"));
}
END_TEST

/* ---------------------------------------------------------------- several, and for long */

START_TEST(traces_do_not_disturb_each_other)
{
    struct proc all, one, other, user;
    char words[64];

    snprintf(words, sizeof words, "trace call-%u@alice", calls + 2);
    tracer_start(&all, &server, "all", "trace all");
    tracer_start(&one, &server, "one", words);
    tracer_start(&other, &server, "other", "trace call call-0@alice");
    tracer_start(&user, &server, "user", "trace user alice");
    make_the_call();
    make_the_call();
    tracer_says(&all, "Call-ID call-2@alice");
    tracer_says(&user, "Call-ID call-2@alice");
    tracer_says(&one, "CANCEL");
    tracer_says(&user, "CANCEL");
    tracer_end(&all);
    tracer_end(&one);
    tracer_end(&other);
    tracer_end(&user);
    tracer_has(&one, the_call);
    tracer_has(&user, the_call);
    ck_assert_uint_eq(tracer_count(tracer_output(&all), "Call-ID call-"), 2);
    ck_assert_uint_eq(tracer_count(tracer_output(&user), "Call-ID call-"), 2);
    ck_assert_uint_eq(tracer_count(tracer_output(&user), "OPTIONS"), 0);
    ck_assert_uint_eq(tracer_count(tracer_output(&one), "407 goes up"), 1);
    ck_assert_uint_eq(tracer_count(tracer_output(&other), "INVITE"), 0);
}
END_TEST

START_TEST(a_restart_is_survived)
{
    struct proc trace;

    tracer_start(&trace, &server, "restart", "trace all");
    server_stop(&server);
    tracer_says(&trace, "went away");
    server_start(&server);
    tracer_says(&trace, "there again");
    while (!strstr(strstr(tracer_output(&trace), "there again"), "OPTIONS"))
        tracer_knock(&server); /* until it has asked for the first time */
    tracer_end(&trace);
}
END_TEST

static void
ask_often(const struct server *s, int fd, unsigned from, unsigned many)
{
    char reply[4096];

    for (unsigned i = from; i < from + many; i++) {
        server_send(fd,
                    "OPTIONS sip:127.0.0.1:%u SIP/2.0\n"
                    "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKall%u-%d;rport\nMax-Forwards: 70\n"
                    "From: <sip:all%u@127.0.0.1>;tag=1\nTo: <sip:127.0.0.1>\nCall-ID: all-%u\n"
                    "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
                    s->port, i, (int)getpid(), i, i);
        ck_assert_uint_gt(server_receive(fd, reply, sizeof reply, PROC_PATIENCE_MS), 0);
    }
}

START_TEST(who_sleeps_is_told_what_is_lost)
{
    enum { MANY = 40000 };
    struct proc trace;
    int fd = server_socket(&server, "127.0.0.1");

    tracer_start(&trace, &server, "lost", "trace all");
    kill(trace.pid, SIGSTOP);
    ask_often(&server, fd, 0, MANY);
    kill(trace.pid, SIGCONT);
    tracer_says(&trace, "are lost here");
    tracer_end(&trace);
    close(fd);
}
END_TEST

/* ---------------------------------------------------------------- all of everything */

static long
resident_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file))
        (void)sscanf(line, "VmRSS: %ld", &kib);
    fclose(file);
    return kib;
}

/* The tape is full after a few thousand events, and stays as long as it is: what is new is known, what is old is not. */
START_TEST(all_of_everything_takes_no_more_memory)
{
    enum { FIRST = 4000, MANY = 20000, MOST_KIB = 2048 };
    struct server small;
    struct proc out;
    char words[64];
    long before, grown;
    int fd;

    server_make(&small, "small",
                "explain = { always = true; memory_mib = 1; };\n"
                "limits = { transactions = 1000; };\n");
    server_start(&small);
    fd = server_socket(&small, "127.0.0.1");
    ask_often(&small, fd, 0, FIRST);
    before = resident_kib(small.proc.pid);
    ask_often(&small, fd, FIRST, MANY);
    grown = resident_kib(small.proc.pid) - before;
    /* ASan keeps for a while what was freed */
    ck_assert_msg(POISON_WORKS || grown < MOST_KIB, "grown by %ld KiB", grown);
    snprintf(words, sizeof words, "explain call all-%u", FIRST + MANY - 1);
    ck_assert_int_eq(server_ctl(&small, &out, words, NULL), 0);
    ck_assert_int_eq(server_ctl(&small, &out, "explain call all-1", NULL), 1);
    close(fd);
    server_stop(&small);
}
END_TEST

Suite *
suite_trace(void)
{
    Suite *suite = suite_create("trace");
    TCase *tcase = tcase_create("calls"), *terminal = tcase_create("terminal");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_test(tcase, a_ladder_has_the_call_and_its_decisions);
    tcase_add_test(tcase, the_picture_in_the_docs_is_what_is_drawn);
    tcase_add_test(tcase, a_call_is_explained_afterwards);
    tcase_add_test(tcase, what_would_happen_is_told_and_nothing_is_sent);
    tcase_add_test(tcase, an_event_is_a_line_of_json);
    tcase_add_test(tcase, a_capture_is_read_by_tshark);
    tcase_add_test(tcase, a_file_that_is_there_is_left_alone);
    tcase_add_test(tcase, traces_do_not_disturb_each_other);
    tcase_add_test(tcase, a_restart_is_survived);
    tcase_add_test(tcase, who_sleeps_is_told_what_is_lost);
    tcase_add_test(tcase, all_of_everything_takes_no_more_memory);
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(terminal, 60);
    tcase_add_checked_fixture(terminal, start, stop);
    tcase_add_test(terminal, a_terminal_shows_it);
    suite_add_tcase(suite, terminal);
    return suite;
}
