/*
 * sipctl: what is typed is the pattern that a module or the server declared. It knows two commands itself: trace, which asks
 * again and again, and explain, whose answer is told.
 */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "sipctl/client.h"
#include "sipctl/comeback.h"
#include "sipctl/explain.h"
#include "sipctl/options.h"
#include "sipctl/screen.h"
#include "sipctl/table.h"
#include "sipctl/text.h"
#include "sipctl/trace.h"

enum { PASSWORD_BYTES = 1024, TEXT_BYTES = 256 << 20, TEXT_WIDTH = 80, WORDS_MAX = 32 };

static enum exit_code
usage(FILE *to)
{
    fputs(
        "usage: sipctl [-s SOCKET] [--json] WORDS...\n"
        "       sipctl [-s SOCKET] [--json] [--pcap FILE] trace [all | USER | CALL-ID]\n"
        "  -s SOCKET    control socket (" SIPD_CONTROL_SOCKET ")\n"
        "  --json       the answer for programs; of trace an event a line\n"
        "  --pcap FILE  what trace saw, secrets too, for Wireshark; - for standard output\n"
        "  --version    prints the version and ends\n"
        "sipctl help lists what the running sipd understands, as: status, show bindings, reload\n",
        to);
    return EXIT_USAGE;
}

/* ---- options: they may stand anywhere among the words; -- ends them */

/* False: this is no way to call it. */
static bool
read_options(int argc, char **argv, struct options *o)
{
    bool ended = false;
    int words = 0;

    *o = (struct options){ .socket = SIPD_CONTROL_SOCKET, .words = argv };
    for (int i = 1; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (!ended && strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (!ended && strcmp(argv[i], "-s") == 0) {
            if (++i == argc)
                return false;
            o->socket = argv[i];
        } else if (!ended && strcmp(argv[i], "--pcap") == 0) {
            if (++i == argc)
                return false;
            o->pcap = argv[i];
        } else {
            o->password_stdin |= !ended && strcmp(argv[i], "--password-stdin") == 0;
            argv[words++] = argv[i];
        }
    }
    argv[words] = NULL;
    for (int i = 0; i < words; i++)
        if (!client_can_say(argv[i])) {
            fputs("sipctl: a word is not UTF-8\n", stderr);
            return false;
        }
    return words > 0 && words <= WORDS_MAX;
}

/* ---- passwords */

static bool
read_line(char password[PASSWORD_BYTES], FILE *from)
{
    size_t len;

    if (!fgets(password, PASSWORD_BYTES, from))
        return false;
    len = strcspn(password, "\r\n");
    if (password[len] == '\0' && !feof(from))
        return false; /* too long, or a NUL is in it: this is not the password */
    password[len] = '\0';
    return len > 0 && client_can_say(password);
}

/* Asks on the terminal, where what is typed is not shown. */
static bool
ask_hidden(const char *prompt, const char *what, char password[PASSWORD_BYTES])
{
    struct termios shown, hidden;
    FILE *tty = fopen("/dev/tty", "r+e");
    bool got;

    if (!tty || tcgetattr(fileno(tty), &shown) != 0) {
        if (tty)
            fclose(tty);
        return false;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(tty, "%s%s: ", prompt, what);
    fflush(tty);
    tcsetattr(fileno(tty), TCSAFLUSH, &hidden);
    got = read_line(password, tty);
    tcsetattr(fileno(tty), TCSAFLUSH, &shown);
    fputs("\n", tty);
    fclose(tty);
    return got;
}

/* False: there is none, and the complaint has been made. */
static bool
get_password(const struct options *o, const char *prompt, char password[PASSWORD_BYTES])
{
    char again[PASSWORD_BYTES];
    bool same;

    if (o->password_stdin) {
        if (read_line(password, stdin))
            return true;
        fputs("sipctl: no password on standard input, or one that cannot be typed\n", stderr);
        return false;
    }
    if (!isatty(STDIN_FILENO)) {
        fputs("sipctl: a password is wanted; give it with --password-stdin\n", stderr);
        return false;
    }
    same = ask_hidden(prompt, "", password) && ask_hidden(prompt, " again", again) &&
           strcmp(password, again) == 0;
    explicit_bzero(again, sizeof again);
    if (!same)
        fputs("sipctl: the two are not the same, or there is none\n", stderr);
    return same;
}

/* ---- answers */

static enum exit_code
written(bool done, enum exit_code code)
{
    if (done && fflush(stdout) == 0)
        return code;
    fprintf(stderr, "sipctl: cannot write the answer: %s\n", strerror(errno));
    return EXIT_REFUSED;
}

/* For programs: the answer as it came, {"rows": …} or {"error": …}; on a terminal nothing of it is a command. */
static enum exit_code
print_json(const json_t *answer, enum exit_code code)
{
    size_t ascii = screen_now(TEXT_WIDTH).terminal ? JSON_ENSURE_ASCII : 0;

    return written(json_dumpf(answer, stdout, JSON_INDENT(2) | ascii) == 0 && putchar('\n') != EOF,
                   code);
}

static enum exit_code
print_text(const json_t *answer)
{
    struct screen screen = screen_now(TEXT_WIDTH);
    struct buf text;
    bool done;

    buf_init(&text, TEXT_BYTES);
    if (explain_is(answer))
        explain_write(answer, &screen, &text);
    else
        table_write(json_object_get(answer, "rows"), screen.width, &text);
    done = text.err == SIPD_OK &&
           (text.len == 0 || fwrite(text.bytes, 1, text.len, stdout) == text.len);
    buf_fini(&text);
    return written(done, EXIT_DONE);
}

static void
complain(const char *words)
{
    struct buf text;

    buf_init(&text, TEXT_BYTES);
    text_put(&text, span_of(words));
    fprintf(stderr, "sipctl: %.*s\n", SPAN_ARG(buf_span(&text)));
    buf_fini(&text);
}

static enum exit_code
print_answer(const struct options *o, const json_t *answer)
{
    bool done = json_is_array(json_object_get(answer, "rows")) || explain_is(answer);
    const char *error = json_string_value(json_object_get(answer, "error"));
    const char *misuse = json_string_value(json_object_get(answer, "usage"));
    enum exit_code code = done ? EXIT_DONE : misuse ? EXIT_USAGE : EXIT_REFUSED;

    if (o->json)
        return print_json(answer, code);
    if (code == EXIT_DONE)
        return print_text(answer);
    complain(misuse ? misuse : error ? error : "sipd's answer cannot be understood");
    return code;
}

static json_t *
ask(const struct options *o, struct client *client, bool *refused)
{
    char password[PASSWORD_BYTES];
    json_t *answer = client_ask(client, o->words, NULL);
    const char *wants = json_string_value(json_object_get(answer, "wants"));
    json_t *second = NULL;

    if (!wants)
        return answer;
    *refused = !get_password(o, wants, password);
    if (!*refused)
        second = client_ask(client, o->words, password);
    explicit_bzero(password, sizeof password);
    json_decref(answer);
    return second;
}

/* False: what was told to begin anew has not come back; the complaint has been made. */
static bool
is_back(struct client *client, const json_t *answer)
{
    struct buf why;
    bool back;

    buf_init(&why, 1024);
    back = comeback_wait(client, answer, &why);
    if (!back)
        fprintf(stderr, "sipctl: the restart failed, see the log; %.*s", SPAN_ARG(buf_span(&why)));
    buf_fini(&why);
    return back;
}

static enum exit_code
run(const struct options *o)
{
    struct client client;
    bool refused = false;
    enum exit_code code;
    json_t *answer;
    struct buf why;

    buf_init(&why, 1024);
    if (!client_open(&client, o->socket, &why)) {
        fprintf(stderr, "sipctl: %.*s", SPAN_ARG(buf_span(&why)));
        buf_fini(&why);
        return EXIT_NOBODY;
    }
    buf_fini(&why);
    answer = ask(o, &client, &refused);
    if (comeback_is(o->words) && json_object_get(answer, "rows") && !is_back(&client, answer))
        code = EXIT_NOBODY;
    else if (answer)
        code = print_answer(o, answer);
    else
        code = refused ? EXIT_USAGE : EXIT_NOBODY;
    if (!answer && !refused)
        fputs("sipctl: sipd went away before it answered\n", stderr);
    json_decref(answer);
    client_close(&client);
    return code;
}

/* explain CALL-ID is short for explain call CALL-ID. There is room: of three arguments argv has four. */
static void
lengthen(char **words)
{
    static char call[] = "call";

    if (strcmp(words[0], "explain") != 0 || !words[1] || words[2])
        return;
    words[2] = words[1];
    words[1] = call;
    words[3] = NULL;
}

int
main(int argc, char **argv)
{
    struct options o;

    if (!read_options(argc, argv, &o))
        return (int)usage(stderr);
    if (strcmp(o.words[0], "--help") == 0 || strcmp(o.words[0], "-h") == 0) {
        usage(stdout);
        return (int)EXIT_DONE;
    }
    if (strcmp(o.words[0], "--version") == 0) {
        puts("sipctl " SIPD_VERSION);
        return (int)EXIT_DONE;
    }
    lengthen(o.words);
    return (int)(trace_is(o.words) ? trace_run(&o) : run(&o));
}
