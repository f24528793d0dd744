/*
 * Every message of tests/torture thrown at a running server, over UDP and over TCP, and held to its verdict in
 * expect.json (RFC 4475; tests/torture/README says what the words mean); then the same messages, damaged.
 *
 * The set-up that the verdicts assume: a registrar without authentication for example.com that relays everything
 * else.
 */
#include <check.h>
#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/def.h"
#include "lib/crowd.h"
#include "live/throw.h"

Suite *suite_thrown(void);

enum {
    SILENCE_MS = 200, /* for what must not, once a later one was answered */
    MESSAGE_BYTES = 65536,
    REPORT_BYTES = 3500,
    WORDS_BYTES = 256,
};

/* Messages that don't get what expect.json wants, and why that is right. One that begins to get it fails the test. */
static const struct {
    const char *file, *transport, *reason;
} exceptions[] = {
    { "bext01.dat", "udp tcp",
      "its check is for a UAS: a proxy names the options of Proxy-Require (RFC 3261 §16.3 step "
      "5)" },
    { "63-keepalive-zeros.sip", "tcp",
      "zeros keep a path of datagrams open; at the start of a message in a stream they are noise" },
};

static struct server server;

static void
start(void)
{
    /* nearly all of them say that they come from port 5060; some that are damaged wait long for a next hop */
    server_make_with(&server, "sipd", "rport = \"always\";",
                     "modules = [ \"registrar\" ];\nregistrar = { store = \"ram\"; };\nproxy = { "
                     "relay = \"any\"; };\n"
                     "drain_s = 1;");
    server_start(&server);
}

static void
stop(void)
{
    server_stop(&server);
}

/* ---------------------------------------------------------------- the collections */

struct message {
    const char *folder, *file;
    const json_t *verdict;
    char bytes[MESSAGE_BYTES];
    size_t len;
};

static json_t *
load(const char *folder)
{
    char path[256];
    json_error_t error;
    json_t *root;

    snprintf(path, sizeof path, "%s/expect.json", folder);
    root = json_load_file(path, 0, &error);
    ck_assert_msg(root != NULL, "%s:%d: %s (run from the top folder)", path, error.line,
                  error.text);
    return root;
}

static void
read_message(struct message *m, const char *folder, const json_t *verdict)
{
    char path[512];
    FILE *file;

    m->folder = folder;
    m->verdict = verdict;
    m->file = json_string_value(json_object_get(verdict, "file"));
    snprintf(path, sizeof path, "%s/%s", folder, m->file);
    file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "no %s", path);
    m->len = fread(m->bytes, 1, sizeof m->bytes - 1, file);
    m->bytes[m->len] = '\0';
    fclose(file);
}

/* Puts text behind the first thing that fits the pattern. */
static void
insert_behind(struct message *m, const char *pattern, const char *text)
{
    size_t len = strlen(text);
    regmatch_t at;
    regex_t regex;

    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_ICASE | REG_NEWLINE), 0);
    if (regexec(&regex, m->bytes, 1, &at, 0) == 0 && m->len + len < sizeof m->bytes) {
        memmove(m->bytes + at.rm_eo + len, m->bytes + at.rm_eo, m->len - (size_t)at.rm_eo + 1);
        memcpy(m->bytes + at.rm_eo, text, len);
        m->len += len;
    }
    regfree(&regex);
}

/* Some share a transaction with another: they would be taken for its retransmission. */
static void
make_unique(struct message *m, size_t serial)
{
    char text[24];

    if (!json_is_true(json_object_get(m->verdict, "uniq")))
        return;
    snprintf(text, sizeof text, "u%zu", serial);
    insert_behind(m, "^(call-id|i)[ \t]*:[^\r\n]*[^\r\n \t]", text);
    insert_behind(m, "branch[ \t]*=[ \t]*z9hG4bK[[:alnum:]_.-]+", text);
}

/* ---------------------------------------------------------------- verdicts */

static void
add_words(char *words, const json_t *list)
{
    const json_t *word;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, word)
    {
        size_t n = strlen(words);

        snprintf(words + n, WORDS_BYTES - n, "%s%s", n > 0 ? " " : "", json_string_value(word));
    }
}

static void
wanted_of(const struct message *m, bool tcp, char *words)
{
    words[0] = '\0';
    add_words(words, json_object_get(m->verdict, "best"));
    add_words(words, json_object_get(m->verdict, "ok"));
    if (!tcp)
        return;
    add_words(words, json_object_get(m->verdict, "ok_tcp"));
    if (!json_is_true(json_object_get(m->verdict, "valid")))
        strncat(words, " closed", WORDS_BYTES - strlen(words) - 1);
}

static bool
has(const char *text, const char *pattern)
{
    regex_t regex;
    bool found;

    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_ICASE | REG_NEWLINE | REG_NOSUB),
                     0);
    found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

/* Has the answer what such an answer must have, and lacks it what it must lack? */
static bool
content_fits(const struct message *m, const struct throw *t)
{
    const json_t *rule, *pattern;
    const char *status;
    size_t i;

    json_object_foreach(json_object_get(m->verdict, "checks"), status, rule)
    {
        if (!throw_fits(status, t->outcome))
            continue;
        json_array_foreach(json_object_get(rule, "has"), i,
                           pattern) if (!has(t->bytes, json_string_value(pattern))) return false;
        json_array_foreach(json_object_get(rule, "lacks"), i,
                           pattern) if (has(t->bytes, json_string_value(pattern))) return false;
    }
    return true;
}

/* A refusal says what is wrong in its first line; on a stream framing may have spoken first, in other words, on the same field. */
static bool
phrase_fits(const struct message *m, const struct throw *t)
{
    const char *phrase = json_string_value(json_object_get(m->verdict, "phrase"));
    const char *words = t->tcp && phrase && strrchr(phrase, ' ') ? strrchr(phrase, ' ') : phrase;
    char line[128];

    if (!phrase || !throw_fits("4xx 5xx", t->outcome))
        return true;
    snprintf(line, sizeof line, "^SIP/2.0 %s %s%s\r$", t->outcome, t->tcp ? "[^\r\n]*" : "", words);
    return has(t->bytes, line);
}

static const char *
exception_of(const struct message *m, bool tcp)
{
    for (size_t i = 0; i < countof(exceptions); i++)
        if (strcmp(exceptions[i].file, m->file) == 0 &&
            strstr(exceptions[i].transport, tcp ? "tcp" : "udp"))
            return exceptions[i].reason;
    return NULL;
}

/* ---------------------------------------------------------------- throwing */

/* What the server noticed, its probe's request among it. */
static uint64_t
noticed(void)
{
    return throw_count(&server, "core_trips core_refused core_dropped core_stray net_dropped "
                                "conns_bad conns_cut conns_slow");
}

/*
 * A port that is let go may be the next message's, and hear an answer that was for this one: so some are kept a
 * while.
 */
static void close_later(struct throw *t)
{
    static int kept[100];
    static unsigned turn;
    int *oldest = &kept[turn++ % countof(kept)];

    if (*oldest > 0)
        close(*oldest);
    *oldest = t->fd;
    t->fd = -1;
}

static void
throw_one(struct throw *t, const struct message *m, bool tcp, const char *wanted)
{
    bool may_be_silent = throw_fits(wanted, "none") || throw_fits(wanted, "closed");

    throw_open(t, &server, tcp);
    if (throw_bytes(t, m->bytes, m->len))
        throw_arrived(t);
    if (!may_be_silent)
        throw_settled(t, PROC_PATIENCE_MS);
    throw_probe(&server);
    if (may_be_silent)
        throw_settled(t, SILENCE_MS);
    if (tcp)
        throw_close(t);
    else
        close_later(t);
}

/* Appends what was wrong with the outcome; notices nothing but the probe: 1. */
static void
judge(const struct message *m, const struct throw *t, bool tcp, const char *wanted,
      uint64_t noticed_more, char *report)
{
    bool fine = throw_fits(wanted, t->outcome) && content_fits(m, t) && phrase_fits(m, t);
    const char *exception = exception_of(m, tcp);
    size_t n = strlen(report);

    if (noticed_more < 2)
        n += (size_t)snprintf(report + n, REPORT_BYTES - n, "%s: got %s and was not counted\n",
                              m->file, t->outcome);
    if (n < REPORT_BYTES && !fine && !exception)
        snprintf(report + n, REPORT_BYTES - n, "%s: got %s, wanted %s: %.80s\n%.300s\n", m->file,
                 t->outcome, wanted, json_string_value(json_object_get(m->verdict, "reason")),
                 t->bytes);
    if (n < REPORT_BYTES && fine && exception)
        snprintf(report + n, REPORT_BYTES - n, "%s: got %s, which is right: take it off the list\n",
                 m->file, t->outcome);
}

static void
throw_all(const char *folder, bool tcp, char *report)
{
    static struct message m;
    static struct throw t;
    json_t *root = load(folder), *messages = json_object_get(root, "messages");
    uint64_t before = noticed(), after;
    char wanted[WORDS_BYTES];

    ck_assert_uint_gt(json_array_size(messages), 0);
    for (size_t i = 0; i < json_array_size(messages); i++, before = after) {
        read_message(&m, folder, json_array_get(messages, i));
        make_unique(&m, i);
        wanted_of(&m, tcp, wanted);
        throw_one(&t, &m, tcp, wanted);
        after = noticed();
        judge(&m, &t, tcp, wanted, after - before, report);
    }
    json_decref(root);
}

static const struct {
    const char *folder;
    bool tcp;
} throws[] = {
    { "tests/torture/rfc4475", false }, { "tests/torture/rfc4475", true },
    { "tests/torture/wild", false },    { "tests/torture/wild", true },
    { "tests/torture/rfc5118", false }, { "tests/torture/rfc5118", true },
    { "tests/torture/made", false },    { "tests/torture/made", true },
};

START_TEST(each_gets_what_it_should)
{
    char report[REPORT_BYTES] = "";

    throw_all(throws[_i].folder, throws[_i].tcp, report);
    ck_assert_msg(report[0] == '\0', "%s", report);
}
END_TEST

/* A list that names what is not there would hide nothing and mean nothing. */
START_TEST(exceptions_exist)
{
    char path[512];

    for (size_t i = 0; i < countof(exceptions); i++) {
        FILE *file = NULL;

        for (size_t k = 0; k < countof(throws) && !file; k++) {
            snprintf(path, sizeof path, "%s/%s", throws[k].folder, exceptions[i].file);
            file = fopen(path, "rb");
        }
        ck_assert_msg(file != NULL, "%s", exceptions[i].file);
        fclose(file);
    }
}
END_TEST

/* ---------------------------------------------------------------- damaged */

static void
cut_out(struct message *m, size_t at, size_t len)
{
    len = len < m->len - at ? len : m->len - at;
    memmove(m->bytes + at, m->bytes + at + len, m->len - at - len);
    m->len -= len;
}

static void
double_part(struct message *m, size_t at, size_t len)
{
    len = len < m->len - at ? len : m->len - at;
    if (m->len + len >= sizeof m->bytes)
        return;
    memmove(m->bytes + at + len, m->bytes + at, m->len - at);
    m->len += len;
}

static void
damage(struct message *m)
{
    static const char likely[] = { '\0', '\r', '\n', ' ', ',',  ';', ':',    '"',
                                   '<',  '>',  '@',  '%', '\\', '(', '\x80', '\xff' };

    for (long n = 1 + random() % 6; n > 0 && m->len > 0; n--) {
        size_t at = (size_t)random() % m->len, len = 1 + (size_t)random() % 40;

        switch (random() % 5) {
        case 0: m->bytes[at] = (char)random(); break;
        case 1: m->bytes[at] = likely[(size_t)random() % sizeof likely]; break;
        case 2: cut_out(m, at, len); break;
        case 3: double_part(m, at, len); break;
        default: m->len = random() % 4 == 0 ? at : m->len; break;
        }
    }
}

/* Whatever comes back, the server answers others, and ends as it should. */
static void
throw_damaged(bool tcp, unsigned times)
{
    enum { PROBE_EVERY = 25 };
    static struct message m;
    static struct throw t;

    for (size_t k = 0; k < countof(throws); k += 2) {
        json_t *root = load(throws[k].folder), *messages = json_object_get(root, "messages");

        for (unsigned i = 0; i < times; i++) {
            read_message(&m, throws[k].folder,
                         json_array_get(messages, (size_t)random() % json_array_size(messages)));
            damage(&m);
            throw_open(&t, &server, tcp);
            (void)throw_bytes(&t, m.bytes, m.len);
            if (random() % 2)
                throw_close(&t);
            else
                throw_reset(&t);
            if (i % PROBE_EVERY == 0)
                throw_probe(&server);
        }
        json_decref(root);
    }
    throw_probe(&server);
}

START_TEST(damaged_ones_harm_nobody)
{
    srandom(4475);
    throw_damaged(_i == 1, 1500);
    ck_assert_uint_gt(throw_count(&server, "core_refused"), 100);
}
END_TEST

/* ---------------------------------------------------------------- all there are */

static void
throw_and_go(const char *set, const char *name, struct span bytes, void *self)
{
    static struct throw t;
    bool tcp = *(bool *)self;

    (void)set;
    (void)name;
    throw_open(&t, &server, tcp);
    if (throw_bytes(&t, bytes.at, bytes.len))
        throw_arrived(&t);
    throw_probe(&server);
    throw_close(&t);
}

/* Flows, captures and what else there is, on which there is no verdict: behind each the server answers another. */
START_TEST(all_there_are_harm_nobody)
{
    bool tcp = _i == 1;

    ck_assert_uint_gt(crowd_all(throw_and_go, &tcp), 600);
}
END_TEST

Suite *
suite_thrown(void)
{
    Suite *suite = suite_create("thrown");
    TCase *tcase = tcase_create("thrown");

    tcase_set_timeout(tcase, 90);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_test(tcase, exceptions_exist);
    tcase_add_loop_test(tcase, each_gets_what_it_should, 0, (int)countof(throws));
    tcase_add_loop_test(tcase, damaged_ones_harm_nobody, 0, 2);
    tcase_add_loop_test(tcase, all_there_are_harm_nobody, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
