/*
 * The door of sipctl: clients, their lines and their patience. Nobody waits for a client: what it does not read stays in a
 * buffer with a ceiling, and who neither reads nor asks for a while is shown out.
 */
#include "daemon/ctl.h"

#include <config.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "daemon/ctl_cmds.h"

enum {
    CLIENTS_MAX = 32,
    REQUEST_BYTES = 65536,
    ANSWERS_BYTES = 66 << 20,
    WORDS_MAX = 32,
    PATIENCE_S = 60,
    PAUSE_MS = 100, /* when there is no descriptor for a client */
};

struct client {
    struct list link;
    struct ctl *ctl;
    int fd;
    struct event readable, writable;
    struct buf in, out;
    uint64_t later; /* the answer it waits for; 0: none */
    char by[64];    /* "uid 0 pid 17" */
    bool leaving;   /* ends when all of out is gone */
};

struct ctl {
    struct daemon *d;
    int fd;
    int spare_fd; /* given up for a client when descriptors run out, for that is when one asks why; -1: none */
    struct event acceptable, paused;
    struct list clients;
    unsigned clients_len;
};

static const struct timeval patience = { .tv_sec = PATIENCE_S };
static const struct timeval a_pause = { .tv_usec = PAUSE_MS * 1000 };

static void
take_spare(struct ctl *ctl)
{
    if (ctl->spare_fd < 0)
        ctl->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
client_free(struct client *c)
{
    host_forget_answer(c->ctl->d->host, c->later);
    event_del(&c->readable);
    event_del(&c->writable);
    close(c->fd);
    if (c->in.bytes)
        explicit_bzero(c->in.bytes, c->in.cap);
    buf_fini(&c->in);
    buf_fini(&c->out);
    list_remove(&c->link);
    take_spare(c->ctl);
    c->ctl->clients_len--;
    mem_free(c);
}

/* ---- answers */

/* Sends what it takes now. False: the client is gone. */
static bool
flush(struct client *c)
{
    while (c->out.len > 0) {
        ssize_t sent = send(c->fd, c->out.bytes, c->out.len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return event_add(&c->writable, &patience) == 0;
        if (sent < 0)
            return false;
        buf_drop(&c->out, (size_t)sent);
    }
    return !c->leaving && c->out.err == SIPD_OK;
}

static void
say(struct client *c, const char *key, const char *words)
{
    json_t *line = json_pack("{s:s}", key, words);
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    void *(*unused)(size_t);
    void (*release)(void *);

    buf_put(&c->out, text ? span_of(text) : SPAN("{\"error\":\"out of memory\"}"));
    buf_put_char(&c->out, '\n');
    json_get_alloc_funcs(&unused, &release);
    if (text)
        release(text);
    json_decref(line);
}

static void
say_answer(struct client *c, const struct sipd_answer *answer)
{
    answer_write(answer, &c->out);
    buf_put_char(&c->out, '\n');
}

/* ---- requests */

/* What stands in {"words":[…],"input":"…"}, lent by the JSON. False if it is not that. */
static bool
read_ask(const json_t *line, struct span words[WORDS_MAX], struct host_ask *ask)
{
    const json_t *list = json_object_get(line, "words"), *input = json_object_get(line, "input");

    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > WORDS_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *word = json_array_get(list, i);

        if (!json_is_string(word))
            return false;
        words[i] = (struct span){ json_string_value(word), json_string_length(word) };
    }
    ask->words = words;
    ask->len = json_array_size(list);
    ask->input = (struct span){ json_string_value(input), json_string_length(input) };
    return true;
}

/* Names the commands that begin with the same words, as many as do. */
static void
say_unknown(struct client *c, const struct host_ask *ask)
{
    struct buf text;

    buf_init(&text, 4096);
    buf_put(&text, SPAN("there is no such command; "));
    if (!host_suggest(c->ctl->d->host, ask, &text))
        buf_put(&text, SPAN("see: sipctl help"));
    buf_put_char(&text, '\0');
    say(c, "usage",
        text.err == SIPD_OK ? text.bytes : "there is no such command; see: sipctl help");
    buf_fini(&text);
}

static void
run(struct client *c, const struct host_ask *ask)
{
    struct sipd_answer *answer;

    switch (host_run(c->ctl->d->host, ask, &answer, &c->later)) {
    case HOST_UNKNOWN: say_unknown(c, ask); break;
    case HOST_WANTS: say(c, "wants", "Password"); break;
    case HOST_ANSWERED:
        say_answer(c, answer);
        answer_free(&answer);
        break;
    case HOST_LATER: break;
    case HOST_BROKE: say(c, "error", "out of memory"); break;
    }
}

static void
take_line(struct client *c, struct span line)
{
    json_t *asked = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL);
    struct span words[WORDS_MAX];
    struct host_ask ask = { .by = span_of(c->by) };

    if (!asked || !read_ask(asked, words, &ask)) {
        say(c, "error", "this is no request; is sipctl of the same version?");
        c->leaving = true;
    } else {
        run(c, &ask);
    }
    json_decref(asked);
}

/* One at a time, in order: the next line waits until the answer is there. */
static void
take_lines(struct client *c)
{
    while (!c->later && !c->leaving) {
        struct span rest = buf_span(&c->in), line;
        size_t end = span_find(rest, '\n');

        if (end == rest.len) {
            if (rest.len >= REQUEST_BYTES) {
                say(c, "error", "the request is too long");
                c->leaving = true;
            }
            return;
        }
        line = span_head(rest, end);
        take_line(c, line);
        explicit_bzero(c->in.bytes, end); /* there may be a password in it */
        buf_drop(&c->in, end + 1);
    }
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;
    char bytes[4096];
    ssize_t len = 0;

    net_wake(c->ctl->d->net);
    if (what & EV_READ)
        len = recv(fd, bytes, sizeof bytes, 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if ((what & EV_TIMEOUT) && c->later)
        return; /* it is we who are slow */
    if (len <= 0) {
        client_free(c);
        return;
    }
    buf_put(&c->in, (struct span){ bytes, (size_t)len });
    explicit_bzero(bytes, (size_t)len);
    take_lines(c);
    if (!flush(c) || c->in.err != SIPD_OK)
        client_free(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;

    (void)fd;
    net_wake(c->ctl->d->net);
    if ((what & EV_TIMEOUT) || !flush(c))
        client_free(c);
}

void
ctl_answered(struct ctl *ctl, uint64_t answer_id, const struct sipd_answer *answer)
{
    list_each (node, after, &ctl->clients) {
        struct client *c = container_of(node, struct client, link);

        if (c->later != answer_id)
            continue;
        c->later = 0;
        say_answer(c, answer);
        take_lines(c);
        if (!flush(c))
            client_free(c);
        return;
    }
}

/* ---- clients */

static void
greet(struct client *c)
{
    struct ucred who = { 0 };
    socklen_t len = sizeof who;

    getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
    snprintf(c->by, sizeof c->by, "uid %lu pid %ld", (unsigned long)who.uid, (long)who.pid);
    buf_printf(&c->out, "sipd-ctl %d %s\n", CTL_VERSION, SIPD_VERSION);
}

/* The descriptor of the next client; -1: there is none now. */
static int
accept_one(struct ctl *ctl)
{
    int fd = accept4(ctl->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || ctl->spare_fd < 0)
        return fd;
    close(ctl->spare_fd);
    ctl->spare_fd = -1;
    return accept4(ctl->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* What cannot be accepted keeps the socket readable: without a pause the loop would spin. */
static void
pause_accepting(struct ctl *ctl)
{
    event_del(&ctl->acceptable);
    event_add(&ctl->paused, &a_pause);
}

static void
on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct ctl *ctl = arg;

    (void)fd;
    (void)what;
    net_wake(ctl->d->net);
    take_spare(ctl);
    if (event_add(&ctl->acceptable, NULL) != 0)
        event_add(&ctl->paused, &a_pause);
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    struct ctl *ctl = arg;
    int client_fd = accept_one(ctl);
    struct event_base *base = net_event_base(ctl->d->net);
    struct client *c = client_fd >= 0 && ctl->clients_len < CLIENTS_MAX ? mem_new(sizeof *c) : NULL;

    (void)fd;
    (void)what;
    net_wake(ctl->d->net);
    if (client_fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        pause_accepting(ctl);
    if (!c) {
        if (client_fd >= 0)
            close(client_fd);
        return;
    }
    c->ctl = ctl;
    c->fd = client_fd;
    buf_init(&c->in, REQUEST_BYTES + 4096);
    buf_init(&c->out, ANSWERS_BYTES);
    list_push(&ctl->clients, &c->link);
    ctl->clients_len++;
    event_assign(&c->readable, base, client_fd, EV_READ | EV_PERSIST, on_readable, c);
    event_assign(&c->writable, base, client_fd, EV_WRITE, on_writable, c);
    greet(c);
    if (event_add(&c->readable, &patience) != 0 || !flush(c))
        client_free(c);
}

/* ---- the socket */

static int
fail(const struct sockaddr_un *at, const char *what, struct buf *why)
{
    buf_printf(why, "%s: control.socket cannot be %s: %s\n", at->sun_path, what, strerror(errno));
    return SIPD_EIO;
}

/* A socket that nobody answers at was left by a dead process. */
static int
clear_stale(const struct sockaddr_un *at, struct buf *why)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), answer;
    struct stat is;

    if (fd < 0)
        return fail(at, "made", why);
    answer = connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 ? 0 : errno;
    close(fd);
    if (answer == ENOENT)
        return SIPD_OK;
    if (answer == 0 || answer == EAGAIN) { /* alive, though its queue be full */
        buf_printf(
            why,
            "%s: a running sipd answers at control.socket; end it first, or choose another path\n",
            at->sun_path);
        return SIPD_EEXIST;
    }
    errno = answer;
    if (answer != ECONNREFUSED || lstat(at->sun_path, &is) != 0 || !S_ISSOCK(is.st_mode))
        return fail(at, "replaced", why);
    return unlink(at->sun_path) == 0 ? SIPD_OK : fail(at, "replaced", why);
}

/* For the owner alone, or for a group as well. */
static int
admit(const struct ctl *ctl, const struct sockaddr_un *at, struct buf *why)
{
    struct span name = ctl->d->config->text.control.group;
    const struct group *group;

    if (name.len == 0)
        return chmod(at->sun_path, 0600) == 0 ? SIPD_OK : fail(at, "closed to others", why);
    group = getgrnam(name.at);
    if (!group) {
        config_complain(ctl->d->config, "control.group", why,
                        "there is no group \"%.*s\"; make it: groupadd --system %.*s",
                        SPAN_ARG(name), SPAN_ARG(name));
        return SIPD_EINVAL;
    }
    if (chown(at->sun_path, (uid_t)-1, group->gr_gid) == 0 && chmod(at->sun_path, 0660) == 0)
        return SIPD_OK;
    config_complain(ctl->d->config, "control.group", why,
                    "the socket cannot be given to it: %s; make sipd's user a member of %.*s",
                    strerror(errno), SPAN_ARG(name));
    return SIPD_EIO;
}

static int
listen_at(struct ctl *ctl, const struct sockaddr_un *at, struct buf *why)
{
    mode_t mask = umask(0177);
    bool bound = bind(ctl->fd, (const struct sockaddr *)at, sizeof *at) == 0;
    int err;

    umask(mask);
    if (!bound)
        return fail(at, "made", why);
    err = admit(ctl, at, why);
    if (err == SIPD_OK && listen(ctl->fd, CLIENTS_MAX) != 0)
        err = fail(at, "listened at", why);
    if (err != SIPD_OK)
        unlink(at->sun_path);
    return err;
}

static int
open_socket(struct ctl *ctl, struct buf *why)
{
    struct span path = ctl->d->config->text.control.socket;
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int err;

    memcpy(at.sun_path, path.at, path.len);
    err = clear_stale(&at, why);
    if (err != SIPD_OK)
        return err;
    ctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (ctl->fd < 0)
        return fail(&at, "made", why);
    err = listen_at(ctl, &at, why);
    if (err != SIPD_OK) {
        close(ctl->fd);
        ctl->fd = -1;
        return err;
    }
    event_assign(&ctl->acceptable, net_event_base(ctl->d->net), ctl->fd, EV_READ | EV_PERSIST,
                 on_acceptable, ctl);
    evtimer_assign(&ctl->paused, net_event_base(ctl->d->net), on_pause_over, ctl);
    take_spare(ctl);
    return event_add(&ctl->acceptable, NULL) == 0 ? SIPD_OK : SIPD_ENOMEM;
}

int
ctl_open(struct daemon *d, struct buf *why)
{
    struct ctl *ctl = mem_new(sizeof *ctl);
    int err;

    d->ctl = ctl;
    if (!ctl)
        return SIPD_ENOMEM;
    ctl->d = d;
    ctl->fd = ctl->spare_fd = -1;
    list_init(&ctl->clients);
    err = ctl_cmds_declare(d);
    return err == SIPD_OK ? open_socket(ctl, why) : err;
}

void
ctl_close(struct daemon *d)
{
    struct ctl *ctl = d->ctl;

    d->ctl = NULL;
    if (!ctl)
        return;
    while (!list_empty(&ctl->clients))
        client_free(container_of(ctl->clients.next, struct client, link));
    if (ctl->fd >= 0) {
        event_del(&ctl->acceptable);
        event_del(&ctl->paused);
        close(ctl->fd);
        unlink(d->config->text.control.socket.at);
    }
    if (ctl->spare_fd >= 0)
        close(ctl->spare_fd);
    mem_free(ctl);
}
