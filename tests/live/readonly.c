/*
 * A folder that becomes read-only: a thread that answers for the kernel.
 */
#include "live/readonly.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/def.h"
#include "live/proc.h"

/* Calls that change a file, with the file's place among their arguments. */
static const struct call {
    int nr;
    int fd, path; /* -1: has none */
    int flags;    /* of open; -1: changes in any case */
} calls[] = {
    { SYS_pwrite64, 0, -1, -1 }, { SYS_ftruncate, 0, -1, -1 }, { SYS_fallocate, 0, -1, -1 },
    { SYS_unlinkat, -1, 1, -1 }, { SYS_renameat2, -1, 1, -1 }, { SYS_openat, -1, 1, 2 },
#ifdef SYS_unlink /* newer machines have none of these */
    { SYS_unlink, -1, 0, -1 },   { SYS_rename, -1, 0, -1 },    { SYS_open, -1, 0, 1 },
#endif
};

static const char *folder;
static atomic_bool is_on;

/* What the program, before it is one, and we tell each other. */
static struct shared {
    atomic_int pid, listener; /* listener: its descriptor there */
    atomic_bool taken;        /* … and we have it */
} * shared;

/* ---------------------------------------------------------------- one call */

/* The file of a call; empty when it can't be told. */
static void
read_path(const struct call *call, const struct seccomp_notif *asked, char path[PATH_MAX])
{
    char link[64];
    struct iovec here = { path, PATH_MAX - 1 };
    ssize_t len;

    if (call->fd >= 0) {
        snprintf(link, sizeof link, "/proc/%u/fd/%d", asked->pid, (int)asked->data.args[call->fd]);
        len = readlink(link, path, PATH_MAX - 1);
    } else {
        /* what follows the path may be no memory: up to the end of its page there is some */
        struct iovec there = { (void *)(uintptr_t)asked->data.args[call->path], 0 };

        there.iov_len = 4096 - (asked->data.args[call->path] & 4095);
        len = process_vm_readv((pid_t)asked->pid, &here, 1, &there, 1, 0);
    }
    path[len > 0 ? len : 0] = '\0';
}

static bool
is_refused(const struct seccomp_notif *asked)
{
    char path[PATH_MAX];

    if (!atomic_load(&is_on))
        return false;
    for (size_t i = 0; i < countof(calls); i++)
        if (calls[i].nr == asked->data.nr) {
            uint64_t flags = calls[i].flags < 0 ? O_RDWR : asked->data.args[calls[i].flags];

            read_path(&calls[i], asked, path);
            return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0 &&
                   strncmp(path, folder, strlen(folder)) == 0;
        }
    return false;
}

static void
answer_one(int fd)
{
    struct seccomp_notif asked = { 0 };
    struct seccomp_notif_resp answer = { 0 };

    if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
        return; /* who asked is gone */
    answer.id = asked.id;
    if (is_refused(&asked))
        answer.error = -EROFS;
    else
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    (void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* Until the program has ended. */
static void *
answer_calls(void *arg)
{
    struct pollfd at = { .events = POLLIN };
    int process;

    (void)arg;
    while (atomic_load(&shared->pid) == 0)
        usleep(100);
    process = (int)syscall(SYS_pidfd_open, atomic_load(&shared->pid), 0);
    at.fd = (int)syscall(SYS_pidfd_getfd, process, atomic_load(&shared->listener), 0);
    if (at.fd < 0)
        return NULL; /* and it never begins, which fails the test */
    close(process);
    atomic_store(&shared->taken, true);
    while (poll(&at, 1, -1) == 1 && (at.revents & POLLIN) != 0)
        answer_one(at.fd);
    close(at.fd);
    return NULL;
}

/* ---------------------------------------------------------------- all calls */

static int
listen_to_calls(void)
{
    struct sock_filter filter[2 * countof(calls) + 2];
    struct sock_fprog program = { 0, filter };
    unsigned short n = 0;

    filter[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < countof(calls); i++) {
        filter[n++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].nr, 0, 1);
        filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    }
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program.len = n;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

/* In the program's process. Its end of this closes when it begins, so we must have ours before. */
static void
ask_before(void)
{
    int fd = listen_to_calls();

    if (fd < 0)
        _exit(1);
    atomic_store(&shared->listener, fd);
    atomic_store(&shared->pid, getpid());
    while (!atomic_load(&shared->taken))
        usleep(100);
}

/* A process tries it that has nothing else to do. */
static bool
is_allowed(void)
{
    int status = 1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(listen_to_calls() < 0);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* The test's own process asks nobody: a leak checker that has stopped our thread would wait for it. */
bool
readonly_begin(const char *of)
{
    pthread_t thread;

    if (!is_allowed())
        return false;
    folder = of;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(shared != MAP_FAILED);
    ck_assert_int_eq(pthread_create(&thread, NULL, answer_calls, NULL), 0);
    pthread_detach(thread);
    proc_in_next(ask_before);
    return true;
}

void
readonly_set(bool on)
{
    atomic_store(&is_on, on);
}
