/*
 * The same program anew, in the same process. A child of it checks the configuration (sipd -t), which our loop does not wait
 * for; then what only we can know is looked at: ports that others have, rights that were given up.
 */
#include "daemon/restart.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/ctl_cmds.h"
#include "daemon/listening.h"
#include "daemon/privs.h"
#include "daemon/sd_notify.h"

#define LISTENERS "SIPD_LISTENERS" /* in the environment: the sockets that are handed over */

enum { WORDS_MAX = 16, SAID_BYTES = 1 << 16, FDS_BYTES = 1 << 16, PATIENCE_S = 60 };

struct restart { /* a check under way */
    struct daemon *d;
    pid_t child;
    int fd; /* what it says */
    struct event readable;
    struct buf said;
    uint64_t answer_id;
};

void
restart_init(struct daemon *d, char **argv)
{
    ssize_t len = readlink("/proc/self/exe", d->program, sizeof d->program - 1);

    d->program[len > 0 ? len : 0] = '\0';
    d->argv = argv;
}

/* ---- the check, by a child */

static void
check_free(struct restart *r)
{
    if (r->child > 0) {
        kill(r->child, SIGKILL);
        waitpid(r->child, NULL, 0);
    }
    event_del(&r->readable);
    close(r->fd);
    buf_fini(&r->said);
    r->d->restart = NULL;
    mem_free(r);
}

void
restart_fini(struct daemon *d)
{
    if (d->restart)
        check_free(d->restart);
}

/* Our own options, and -t. False: there are too many. */
static bool
put_words(const struct daemon *d, char *words[WORDS_MAX])
{
    static char check[] = "-t";
    size_t len = 0;

    while (d->argv[len] && len < WORDS_MAX - 2) {
        words[len] = d->argv[len];
        len++;
    }
    words[len] = check;
    words[len + 1] = NULL;
    return d->argv[len] == NULL;
}

/* Starts it with its words going to `out`. 0, or an errno. */
static int
spawn(const struct daemon *d, int out, pid_t *child)
{
    char *words[WORDS_MAX];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t as;
    sigset_t none;
    int err;

    if (!put_words(d, words))
        return E2BIG;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
    posix_spawnattr_init(&as);
    posix_spawnattr_setsigmask(&as, &none);
    posix_spawnattr_setflags(&as, POSIX_SPAWN_SETSIGMASK);
    err = posix_spawn(child, d->program, &files, &as, words, environ);
    posix_spawnattr_destroy(&as);
    posix_spawn_file_actions_destroy(&files);
    return err;
}

/* ---- what a child cannot know */

/* Rights to become another user were given up, unless root stayed root. */
static int
check_user(const struct daemon *d, const struct config *next, struct buf *why)
{
    const struct config_text *was = &d->config->text, *is = &next->text;
    const char *key = !span_eq(was->user, is->user)     ? "user"
                      : !span_eq(was->group, is->group) ? "group"
                                                        : NULL;

    if (!key || geteuid() == 0)
        return SIPD_OK;
    config_complain(next, key, why,
                    "cannot change in this process; end sipd and start it, or put the old value "
                    "back");
    return SIPD_ERESTART;
}

/* Can it be had here? Sockets that are new are bound, and given up again. The answer tells where the new one will be. */
static int
look(struct daemon *d, struct sipd_answer *answer, struct buf *why)
{
    struct config *next = NULL;
    int err = config_load(&next, d->conf_file, d->module_dir, why);

    if (err == SIPD_OK)
        err = check_user(d, next, why);
    if (err == SIPD_OK)
        err = listening_prepare(d, next, why);
    if (err == SIPD_OK) {
        listening_roll_back(d);
        sipd_answer_row(answer);
        sipd_answer_number(answer, "pid", getpid());
        sipd_answer_field(answer, "socket", next->text.control.socket);
    }
    config_free(&next);
    return err;
}

static void
go(struct daemon *d)
{
    d->again = true;
    d->life = LIFE_ENDED;
    log_event(&d->log, LOG_LVL_INFO, "restarting", NULL);
    sd_notify_reloading();
    net_stop(d->net);
}

static void
refuse(const struct daemon *d, struct sipd_answer *answer, struct span why)
{
    why = span_trim(why);
    if (why.len == 0)
        why = SPAN("the check of the configuration did not end well");
    sipd_answer_refuse(answer, "%.*s", SPAN_ARG(why));
    log_spans(&d->log, LOG_LVL_ERROR, "not-restarted", "why", &why, NULL);
}

/* The check has ended. Who asked may have gone: then nothing happens. */
static void
decide(struct daemon *d, uint64_t answer_id, bool fine, struct buf *said)
{
    struct sipd_answer *answer = host_find_answer(d->host, answer_id);
    bool goes = false;

    if (!answer)
        return;
    if (fine) {
        buf_clear(said);
        goes = d->life == LIFE_RUNNING && look(d, answer, said) == SIPD_OK;
    }
    if (!goes)
        refuse(d, answer, buf_span(said));
    sipd_answer_send(answer);
    if (goes)
        go(d);
}

static void
on_said(evutil_socket_t fd, short what, void *arg)
{
    struct restart *r = arg;
    struct daemon *d = r->d;
    char bytes[4096];
    ssize_t len = what & EV_READ ? read(fd, bytes, sizeof bytes) : 0;
    int status = -1;

    net_wake(d->net);
    if (len > 0)
        buf_put(&r->said, (struct span){ bytes, (size_t)len });
    if (len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    if (what & EV_TIMEOUT)
        kill(r->child, SIGKILL);
    if (waitpid(r->child, &status, 0) == r->child)
        r->child = 0;
    decide(d, r->answer_id, WIFEXITED(status) && WEXITSTATUS(status) == 0, &r->said);
    check_free(r);
}

/* ---- the command */

/* 0, or an errno. */
static int
begin(struct daemon *d, struct sipd_answer *answer)
{
    static const struct timeval patience = { .tv_sec = PATIENCE_S };
    struct restart *r = mem_new(sizeof *r);
    int ends[2], err;

    if (!r)
        return ENOMEM;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        mem_free(r);
        return errno;
    }
    *r = (struct restart){ .d = d, .fd = ends[0] };
    buf_init(&r->said, SAID_BYTES);
    event_assign(&r->readable, net_event_base(d->net), r->fd, EV_READ | EV_PERSIST, on_said, r);
    d->restart = r;
    err = spawn(d, ends[1], &r->child);
    close(ends[1]);
    if (err == 0 && event_add(&r->readable, &patience) != 0)
        err = ENOMEM;
    if (err == 0)
        r->answer_id = sipd_answer_later(answer);
    else
        check_free(r);
    return err;
}

static void
restart_now(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct daemon *d = self;
    int err;

    (void)ask;
    if (d->life != LIFE_RUNNING) {
        sipd_answer_refuse(answer, "sipd is about to end");
        return;
    }
    if (d->restart) {
        sipd_answer_refuse(answer, "a restart is under way");
        return;
    }
    err = begin(d, answer);
    if (err != 0)
        sipd_answer_refuse(answer, "%s: the configuration cannot be checked: %s", d->program,
                           strerror(err));
}

int
restart_declare(struct daemon *d)
{
    static const struct ctl_cmd commands[] = {
        { "restart", "checks the configuration, then begins anew without giving up a port", true,
          restart_now },
    };

    return ctl_cmds_put(d, commands, countof(commands));
}

/* ---- from one program to the next */

int
restart_inherit(struct daemon *d)
{
    int err = net_inherit(d->net, span_of(getenv(LISTENERS)));

    unsetenv(LISTENERS);
    return err;
}

void
restart_keep(struct daemon *d)
{
    struct buf fds;

    buf_init(&fds, FDS_BYTES);
    net_bequeath(d->net, &fds);
    buf_put_char(&fds, '\0');
    if (fds.err == SIPD_OK)
        setenv(LISTENERS, fds.bytes, 1);
    buf_fini(&fds);
    privs_carry();
}

void
restart_exec(const struct daemon *d)
{
    signal(SIGHUP, SIG_IGN); /* until the new one listens to it, it would end it */
    execv(d->program, d->argv);
}
