/*
 * sipctl trace: asks for what is new a few times a second, and draws, prints or keeps it. A sipd that goes away is waited for.
 */
#include "sipctl/trace.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mask.h"
#include "base/mem.h"
#include "sipctl/capture.h"
#include "sipctl/client.h"
#include "sipctl/event.h"
#include "sipctl/ladder.h"
#include "sipctl/text.h"

enum {
    PAUSE_MS = 100,    /* when nothing was new */
    HASTE_MS = 10,     /* when something was */
    FULL_EVENTS = 200, /* when there were so many, more wait */
    RETRY_MS = 500,    /* when nobody is there */
    FILE_WIDTH = 100,  /* what is no terminal is so wide */
    OUT_BYTES = 256 << 20,
    WORD_BYTES = 1 << 16,
};

/* One of the questions that a trace asks: a word alone may be a user or a Call-ID, so it is two. */
struct feed {
    const char *kind; /* "all", "user", "call" */
    const char *name; /* NULL: of all */
    uint64_t seq;     /* what comes from here on is new; 0: all that comes from now on */
    json_t *answer;   /* the last one; owned */
    size_t at;        /* the next event of it */
};

struct trace {
    const struct options *o;
    struct client client;
    bool connected, begun;
    struct feed feeds[2];
    size_t feeds_len;
    bool draws, streams; /* to standard output: a ladder, or JSON */
    struct ladder ladder;
    struct capture capture;
    uint64_t messages, decisions, lost;
    struct buf out;
};

static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* Calls that wait end with EINTR. A second signal ends sipctl at once: sipd may not answer. */
static void
catch_signals(void)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction catcher = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

    for (size_t i = 0; i < countof(ends); i++)
        sigaction(ends[i], &catcher, NULL);
}

static void
pause_ms(unsigned ms)
{
    struct timespec length = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    if (!stopped)
        nanosleep(&length, NULL);
}

/* ---- what is asked for */

bool
trace_is(char *const *words)
{
    return strcmp(words[0], "trace") == 0 && !(words[1] && strcmp(words[1], "since") == 0);
}

static bool
read_words(struct trace *t, char *const *words)
{
    const char *kind = words[1];
    bool is_kind = kind && (strcmp(kind, "user") == 0 || strcmp(kind, "call") == 0);

    t->feeds_len = 1;
    if (!kind || (strcmp(kind, "all") == 0 && !words[2])) {
        t->feeds[0].kind = "all";
        return true;
    }
    if (is_kind && words[2] && !words[3]) {
        t->feeds[0] = (struct feed){ .kind = kind, .name = words[2] };
        return true;
    }
    t->feeds_len = 2;
    t->feeds[0] = (struct feed){ .kind = "user", .name = kind };
    t->feeds[1] = (struct feed){ .kind = "call", .name = kind };
    return !words[2] && !is_kind;
}

/* ---- what comes out */

static bool
flush_out(struct trace *t)
{
    bool done = t->out.err == SIPD_OK &&
                (t->out.len == 0 || fwrite(t->out.bytes, 1, t->out.len, stdout) == t->out.len) &&
                fflush(stdout) == 0;

    if (!done)
        fprintf(stderr, "sipctl: cannot write: %s\n",
                t->out.err == SIPD_OK ? strerror(errno) : "out of memory");
    buf_clear(&t->out);
    return done;
}

static int
put(const char *bytes, size_t len, void *to)
{
    buf_put(to, (struct span){ bytes, len });
    return 0;
}

/* An object a line. In ASCII: what terminals take for commands is written as \u009b. */
static void
put_json(struct trace *t, const json_t *object)
{
    if (json_dump_callback(object, put, &t->out, JSON_COMPACT | JSON_ENSURE_ASCII) != 0)
        t->out.err = SIPD_ENOMEM;
    buf_put_char(&t->out, '\n');
}

/* Nothing secret: whole messages stay out, and texts are masked. */
static void
stream_event(struct trace *t, json_t *event)
{
    json_t *copy = json_copy(event), *value;
    const char *name;
    struct buf text;

    json_object_del(copy, "bytes");
    buf_init(&text, WORD_BYTES);
    json_object_foreach(event, name, value)
    {
        struct span is = { json_string_value(value), json_string_length(value) };

        buf_clear(&text);
        if (is.len > 0 && strcmp(name, "bytes") != 0)
            mask_put(&text, is);
        if (text.len > 0 && !span_eq(buf_span(&text), is))
            json_object_set_new(copy, name, json_stringn(text.bytes, text.len));
    }
    buf_fini(&text);
    put_json(t, copy);
    json_decref(copy);
}

/* sipd's events have its time; when it is away there is nobody else to ask. */
static uint64_t
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Something about the trace itself: a line in a ladder, or an object of its own. */
static void
say(struct trace *t, const char *name, json_int_t number, const char *words)
{
    uint64_t at_us = now_us();
    json_t *object;

    if (t->draws) {
        ladder_say(&t->ladder, at_us, words, &t->out);
    } else if (t->streams) {
        object = json_pack("{s:s, s:I, s:I, s:s}", "trace", name, "at_us", (json_int_t)at_us,
                           "count", number, "words", words);
        if (object)
            put_json(t, object);
        json_decref(object);
    } else {
        fprintf(stderr, "sipctl: %s\n", words);
    }
}

static void
take_event(struct trace *t, json_t *json)
{
    struct event event;

    if (!event_read(json, &event))
        return;
    t->messages += event.is_message;
    t->decisions += !event.is_message;
    if (t->streams)
        stream_event(t, json);
    if (t->draws)
        ladder_write(&t->ladder, &event, &t->out);
    if (capture_is_on(&t->capture) && event.is_message)
        capture_keep(&t->capture, &event);
}

/* ---- asking */

static json_t *
ask(struct trace *t, const struct feed *feed)
{
    char since[] = "since", trace[] = "trace", bytes[] = "bytes", seq[24], kind[8];
    char name[WORD_BYTES];
    char *words[8] = { trace, since, seq, kind };
    size_t n = 4;

    snprintf(seq, sizeof seq, "%llu", (unsigned long long)feed->seq);
    snprintf(kind, sizeof kind, "%s", feed->kind);
    snprintf(name, sizeof name, "%s", feed->name ? feed->name : "");
    if (feed->name)
        words[n++] = name;
    if (capture_is_on(&t->capture))
        words[n++] = bytes;
    return client_ask(&t->client, words, NULL);
}

static json_t *
next_of(const struct feed *feed, uint64_t *seq)
{
    json_t *event = json_array_get(json_object_get(feed->answer, "events"), feed->at);

    *seq = (uint64_t)json_integer_value(json_object_get(event, "seq"));
    return event;
}

static void
expect_events(struct trace *t, const struct feed *feed)
{
    const json_t *events = json_object_get(feed->answer, "events");
    struct event event;

    for (size_t i = 0; i < json_array_size(events); i++)
        if (event_read(json_array_get(events, i), &event))
            ladder_expect(&t->ladder, &event);
}

/* The answers' events in the order in which they happened, each once. How many there were. */
static size_t
take_answers(struct trace *t)
{
    uint64_t last = 0;
    size_t taken = 0;

    for (size_t i = 0; t->draws && i < t->feeds_len; i++)
        expect_events(t, &t->feeds[i]);
    for (;;) {
        struct feed *first = NULL;
        uint64_t seq, least = 0;

        for (size_t i = 0; i < t->feeds_len; i++)
            if (next_of(&t->feeds[i], &seq) && (!first || seq < least)) {
                first = &t->feeds[i];
                least = seq;
            }
        if (!first)
            return taken;
        if (taken == 0 || least != last)
            take_event(t, next_of(first, &seq));
        last = least;
        first->at++;
        taken++;
    }
}

static void
tell_lost(struct trace *t, json_int_t lost)
{
    char words[128];

    t->lost += (uint64_t)lost;
    snprintf(words, sizeof words, "%lld events are lost here: more happened than sipd keeps",
             (long long)lost);
    say(t, "lost", lost, words);
}

/* False: it was refused; the complaint has been made. */
static bool
take_answer(struct trace *t, struct feed *feed, enum exit_code *code)
{
    const json_t *answer = feed->answer, *next = json_object_get(answer, "next");
    const char *error = json_string_value(json_object_get(answer, "error"));
    const char *misuse = json_string_value(json_object_get(answer, "usage"));
    json_int_t lost = json_integer_value(json_object_get(answer, "lost"));
    struct buf text;

    if (json_is_integer(next) && json_is_array(json_object_get(answer, "events"))) {
        feed->seq = (uint64_t)json_integer_value(next);
        feed->at = 0;
        if (lost > 0 && feed == &t->feeds[0])
            tell_lost(t, lost);
        return true;
    }
    *code = misuse ? EXIT_USAGE : EXIT_REFUSED;
    buf_init(&text, WORD_BYTES);
    text_put(&text, span_of(misuse  ? misuse
                            : error ? error
                                    : "sipd's answer cannot be understood"));
    fprintf(stderr, "sipctl: %.*s\n", SPAN_ARG(buf_span(&text)));
    buf_fini(&text);
    return false;
}

static void
forget_answers(struct trace *t)
{
    for (size_t i = 0; i < t->feeds_len; i++) {
        json_decref(t->feeds[i].answer);
        t->feeds[i].answer = NULL;
    }
}

/* What one round of questions brought. */
enum round { ROUND_QUIET, ROUND_BUSY, ROUND_FULL, ROUND_GONE, ROUND_REFUSED };

static enum round
ask_all(struct trace *t, enum exit_code *code)
{
    enum round round = ROUND_QUIET;
    size_t taken;

    for (size_t i = 0; round == ROUND_QUIET && i < t->feeds_len; i++) {
        t->feeds[i].answer = ask(t, &t->feeds[i]);
        if (!t->feeds[i].answer)
            round = ROUND_GONE;
        else if (!take_answer(t, &t->feeds[i], code))
            round = ROUND_REFUSED;
    }
    if (round == ROUND_QUIET && !t->begun)
        say(t, "begin", 0, "traced from now on; Ctrl-C ends it");
    t->begun |= round == ROUND_QUIET;
    if (round == ROUND_QUIET && (taken = take_answers(t)) > 0)
        round = taken >= FULL_EVENTS ? ROUND_FULL : ROUND_BUSY;
    forget_answers(t);
    return round;
}

/* ---- a life */

/* False: nobody is there. */
static bool
connect_to(struct trace *t, bool aloud)
{
    struct buf why;

    buf_init(&why, 1024);
    t->connected = client_open(&t->client, t->o->socket, &why);
    if (!t->connected && aloud)
        fprintf(stderr, "sipctl: %.*s", SPAN_ARG(buf_span(&why)));
    buf_fini(&why);
    for (size_t i = 0; i < t->feeds_len; i++)
        t->feeds[i].seq = 0;
    return t->connected;
}

static void
lose_sipd(struct trace *t)
{
    client_close(&t->client);
    t->connected = false;
    if (!stopped)
        say(t, "gone", 0, "sipd went away; waiting for it");
}

static void
find_sipd(struct trace *t)
{
    if (connect_to(t, false))
        say(t, "back", 0, "sipd is there again");
    else
        pause_ms(RETRY_MS);
}

static enum exit_code
follow(struct trace *t)
{
    enum exit_code code = EXIT_DONE;

    while (!stopped) {
        enum round round = ROUND_QUIET;

        if (t->draws) {
            struct screen screen = screen_now(FILE_WIDTH);

            ladder_fit(&t->ladder, &screen);
        }
        if (t->connected)
            round = ask_all(t, &code);
        if (round == ROUND_GONE)
            lose_sipd(t);
        if (round == ROUND_REFUSED)
            return code;
        if (!t->connected && !stopped)
            find_sipd(t);
        if (!flush_out(t) || !capture_flush(&t->capture))
            return EXIT_REFUSED;
        if (round != ROUND_FULL)
            pause_ms(round == ROUND_BUSY ? HASTE_MS : PAUSE_MS);
    }
    return code;
}

/* Who ends it by Ctrl-C stands behind a "^C". */
static void
say_end(struct trace *t)
{
    char words[160];

    snprintf(words, sizeof words, "%llu messages, %llu decisions, %llu lost",
             (unsigned long long)t->messages, (unsigned long long)t->decisions,
             (unsigned long long)t->lost);
    if (t->draws && t->ladder.screen.terminal)
        buf_put_char(&t->out, '\r');
    if (!t->streams)
        say(t, "end", 0, words);
    flush_out(t);
    if (t->capture.unwritten > 0)
        fprintf(stderr, "sipctl: %s: %llu messages are not in it, for they could not be written\n",
                t->o->pcap, (unsigned long long)t->capture.unwritten);
}

enum exit_code
trace_run(const struct options *o)
{
    struct trace *t = mem_new(sizeof *t);
    struct screen screen = screen_now(FILE_WIDTH);
    enum exit_code code = EXIT_REFUSED;

    if (!t)
        return EXIT_REFUSED;
    t->o = o;
    capture_init(&t->capture);
    t->client.fd = -1;
    t->streams = o->json;
    t->draws = !o->json && !(o->pcap && strcmp(o->pcap, "-") == 0);
    buf_init(&t->out, OUT_BYTES);
    if (!read_words(t, o->words)) {
        fputs("usage: sipctl trace [all | USER | CALL-ID | user USER | call CALL-ID]"
              " [--pcap FILE] [--json]\n",
              stderr);
        code = EXIT_USAGE;
    } else if (!connect_to(t, true)) {
        code = EXIT_NOBODY;
    } else if (capture_open(&t->capture, o->pcap)) {
        ladder_init(&t->ladder, &screen, strcmp(t->feeds[0].kind, "call") != 0);
        catch_signals();
        code = follow(t);
        if (code == EXIT_DONE)
            say_end(t);
    }
    client_close(&t->client);
    capture_close(&t->capture);
    buf_fini(&t->out);
    mem_free(t);
    return code;
}
