/*
 * sipctl: what is typed is the pattern that sipd or a module declared; sipd answers in rows.
 *
 * Exit codes: 0 done, 1 refused or not found, 2 usage, 3 no daemon.
 */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "sipctl/client.h"
#include "sipctl/table.h"

enum { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_DAEMON };
enum { WORDS_MAX = 32, INPUT_BYTES = 1024 };

struct options {
    const char *socket;
    bool json;
    bool stdin_input;            /* --password-stdin */
    const char *words[WORDS_MAX];
    size_t words_len;
};

static int
usage(const char *what)
{
    if (what)
        fprintf(stderr, "sipctl: %s\n", what);
    fprintf(stderr, "usage: sipctl [-s SOCKET] [--json] WORDS…\n"
                    "       sipctl help lists the commands; sipctl --version\n");
    return EXIT_USAGE;
}

/* EXIT_DONE: go on. Options may stand anywhere; "--" ends them. */
static int
read_options(int argc, char *argv[], struct options *o)
{
    bool ended = false;

    *o = (struct options){ .socket = SIPD_CONTROL_SOCKET };
    for (int i = 1; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0)
            ended = true;
        else if (!ended && strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (!ended && strcmp(argv[i], "-s") == 0 && i + 1 < argc)
            o->socket = argv[++i];
        else if (!ended && strcmp(argv[i], "-s") == 0)
            return usage("-s wants the path of a socket");
        else if (o->words_len == WORDS_MAX)
            return usage("too many words");
        else
            o->words[o->words_len++] = argv[i];
        o->stdin_input |= !ended && strcmp(argv[i], "--password-stdin") == 0;
    }
    return o->words_len > 0 ? EXIT_DONE : usage(NULL);
}

/* One line of standard input; false at its end. */
static bool
read_input(char to[INPUT_BYTES])
{
    if (!fgets(to, INPUT_BYTES, stdin))
        return false;
    to[strcspn(to, "\r\n")] = '\0';
    return true;
}

/* Asks on the terminal, without showing what is typed. */
static bool
prompt(const char *words, char to[INPUT_BYTES])
{
    struct termios shown, hidden;
    bool ok;

    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return false;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%s: ", words);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    ok = read_input(to);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return ok;
}

static int
show(const json_t *answer, bool json)
{
    const char *error = json_string_value(json_object_get(answer, "error"));
    const char *wrong = json_string_value(json_object_get(answer, "usage"));

    if (json) {
        json_dumpf(answer, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
        putchar('\n');
    } else if (error || wrong) {
        fprintf(stderr, "sipctl: %s\n", error ? error : wrong);
    } else {
        table_write(json_object_get(answer, "rows"), stdout);
    }
    return error ? EXIT_REFUSED : wrong ? EXIT_USAGE : EXIT_DONE;
}

/* Asks, and asks again with what it wants if it wants something. */
static json_t *
ask(struct client *c, const struct options *o, char input[INPUT_BYTES])
{
    json_t *answer = client_ask(c, o->words, o->words_len, o->stdin_input ? input : NULL);
    const char *wants = json_string_value(json_object_get(answer, "wants"));
    json_t *again;

    if (!wants)
        return answer;
    if (!prompt(wants, input)) {
        json_decref(answer);
        return json_pack("{s:s}", "usage", "it wants a password: type it, or send it along with --password-stdin");
    }
    again = client_ask(c, o->words, o->words_len, input);
    json_decref(answer);
    return again;
}

static int
run(const struct options *o)
{
    char input[INPUT_BYTES] = "";
    const char *why = "";
    struct client c;
    json_t *answer;
    int code = EXIT_NO_DAEMON;

    if (o->stdin_input && !read_input(input))
        return usage("--password-stdin: nothing came");
    if (!client_open(&c, o->socket, &why)) {
        fprintf(stderr, "sipctl: %s: %s\n", o->socket, why);
    } else {
        answer = ask(&c, o, input);
        if (answer)
            code = show(answer, o->json);
        else
            fprintf(stderr, "sipctl: %s: the connection ended before the answer came\n", o->socket);
        json_decref(answer);
    }
    explicit_bzero(input, sizeof input);
    client_close(&c);
    return code;
}

int
main(int argc, char *argv[])
{
    struct options o;
    int code;

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("sipctl %s\n", SIPD_VERSION);
        return EXIT_DONE;
    }
    json_set_alloc_funcs(mem_new, mem_free);
    code = read_options(argc, argv, &o);
    return code == EXIT_DONE ? run(&o) : code;
}
