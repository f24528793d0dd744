/*
 * Programs that a live test starts: each with its output in a file, waited for by what it says, ended with the test.
 */
#include "live/proc.h"
#include "lib/folder.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 10, STOP_MS = 10000, OUTPUT_BYTES = 4000, LOG_BYTES = 256 * 1024 };

/* Ours has a loopback that is down at first; without one it is of no use. */
static void
leave_network(void)
{
    int before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };

    if (before < 0 || unshare(CLONE_NEWNET) != 0)
        return;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) != 0)
        (void)setns(before, CLONE_NEWNET);
    if (fd >= 0)
        close(fd);
    close(before);
}

void
proc_begin(void)
{
    (void)umask(022);
    (void)unsetenv("NOTIFY_SOCKET");
    leave_network();
}

static char dir[FOLDER_BYTES], logs[FOLDER_BYTES];
static pid_t dir_owner;

uint64_t
proc_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void
proc_pause(unsigned ms)
{
    struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

    nanosleep(&t, NULL);
}

static void
remove_dir(void)
{
    if (!dir[0] || dir_owner != getpid() || getenv("SIPD_KEEP"))
        return;
    folder_remove(dir);
    if (strcmp(dir, logs) != 0)
        folder_remove(logs);
}

/*
 * Logs stand in memory where there is some: a server writes them in its turns, none of which may sleep, and a disk that is busy
 * with another's files puts its writer to sleep.
 */
static void
make_logs(void)
{
    struct statfs is;

    strncpy(logs, "/dev/shm/sipd-live-XXXXXX", sizeof logs - 1);
    if (statfs("/dev/shm", &is) == 0 && is.f_type == TMPFS_MAGIC && mkdtemp(logs))
        ck_assert_int_eq(chmod(logs, 0755), 0);
    else
        memcpy(logs, dir, sizeof logs);
}

const char *
proc_dir(void)
{
    if (dir[0] && dir_owner == getpid())
        return dir;
    ck_assert(folder_make("live", dir));
    ck_assert_int_eq(chmod(dir, 0755), 0);
    make_logs();
    dir_owner = getpid();
    atexit(remove_dir);
    return dir;
}

const char *
proc_log(const char *name)
{
    static char path[sizeof((struct proc *)0)->log];

    (void)proc_dir();
    snprintf(path, sizeof path, "%s/%s.log", logs, name);
    return path;
}

static void
make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
}

const char *
proc_file(const char *name, const char *format, ...)
{
    static char paths[8][256];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    va_list args;
    FILE *file;

    snprintf(path, sizeof paths[0], "%s/%s", proc_dir(), name);
    make_folders(path);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    fclose(file);
    return path;
}

static void (*in_next)(void);

void
proc_in_next(void (*hook)(void))
{
    in_next = hook;
}

static _Noreturn void
become(const struct proc *p, pid_t parent, const char *const argv[])
{
    int log = open(p->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    int null = open("/dev/null", O_RDONLY);
    char *copy[64];
    int n = 0;

    for (; argv[n] && n < 63; n++)
        copy[n] = strdup(argv[n]);
    copy[n] = NULL;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* memory is measured in pages */
    if (getppid() != parent)
        _exit(127);
    (void)signal(SIGPIPE, SIG_DFL);
    dup2(null, 0);
    dup2(log, 1);
    dup2(log, 2);
    (void)close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    if (in_next)
        in_next();
    execvp(copy[0], copy);
    dprintf(2, "cannot start %s: %s\n", copy[0], strerror(errno));
    _exit(127);
}

void
proc_start(struct proc *p, const char *name, const char *const argv[])
{
    pid_t parent = getpid();

    memset(p, 0, sizeof *p);
    snprintf(p->log, sizeof p->log, "%s", proc_log(name));
    p->pid = fork();
    /* before Check's next word: it goes to a file whose place parent and child share */
    if (p->pid == 0)
        become(p, parent, argv);
    in_next = NULL;
    ck_assert_int_ge(p->pid, 0);
}

/* All of it, in a buffer that grows with the longest. */
static const char *
read_log(const struct proc *p)
{
    static char *text;
    static size_t room;
    int fd = open(p->log, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n;

    do {
        if (room - len < 4096)
            text = realloc(text, room += LOG_BYTES);
        ck_assert_ptr_nonnull(text);
        n = fd >= 0 ? read(fd, text + len, room - len - 1) : 0;
        len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    text[len] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

/* Check's messages have an end of their own: the newest is what one wants to read. */
const char *
proc_output(const struct proc *p)
{
    const char *text = read_log(p);
    size_t len = strlen(text);

    return len > OUTPUT_BYTES ? text + len - OUTPUT_BYTES : text;
}

unsigned
proc_said(const struct proc *p, const char *text)
{
    unsigned n = 0;

    for (const char *at = strstr(read_log(p), text); at; at = strstr(at + 1, text))
        n++;
    return n;
}

static bool
has_ended(struct proc *p)
{
    if (p->pid != 0 && waitpid(p->pid, &p->status, WNOHANG) == p->pid)
        p->pid = 0;
    return p->pid == 0;
}

bool
proc_says(struct proc *p, const char *text, unsigned timeout_ms)
{
    uint64_t until = proc_now_ms() + timeout_ms;
    bool ended;

    do {
        ended = has_ended(p);
        if (proc_said(p, text) > 0)
            return true;
        proc_pause(STEP_MS);
    } while (!ended && proc_now_ms() < until);
    return false;
}

bool
proc_ends(struct proc *p, unsigned timeout_ms)
{
    uint64_t until = proc_now_ms() + timeout_ms;

    while (!has_ended(p) && proc_now_ms() < until)
        proc_pause(STEP_MS);
    return p->pid == 0;
}

void
proc_kill(struct proc *p)
{
    if (has_ended(p))
        return;
    kill(p->pid, SIGKILL);
    waitpid(p->pid, &p->status, 0);
    p->pid = 0;
}

void
proc_stop(struct proc *p)
{
    if (has_ended(p))
        return;
    kill(p->pid, SIGTERM);
    if (!proc_ends(p, STOP_MS))
        proc_kill(p);
}

bool
proc_run(struct proc *p, const char *name, unsigned timeout_ms, const char *const argv[])
{
    proc_start(p, name, argv);
    if (!proc_ends(p, timeout_ms))
        proc_kill(p);
    return WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0;
}

static bool
address_of(const char *ip, uint16_t port, struct sockaddr_storage *to, socklen_t *len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

    memset(to, 0, sizeof *to);
    if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *len = sizeof *v4;
        return true;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    *len = sizeof *v6;
    return inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1;
}

/*
 * Binds and lets go; 0 when it is taken. Connections that have ended there are no hindrance, to nobody who listens.
 */
static uint16_t
try_port(const char *ip, int type, uint16_t port)
{
    struct sockaddr_storage at;
    socklen_t len;
    uint16_t got = 0;
    int fd, one = 1;

    ck_assert(address_of(ip, port, &at, &len));
    fd = socket(at.ss_family, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, len) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &len) == 0)
        got = ntohs(((struct sockaddr_in *)&at)->sin_port);
    close(fd);
    return got;
}

static bool
is_free(const char *ip, uint16_t port)
{
    return try_port(ip, SOCK_DGRAM, port) == port && try_port(ip, SOCK_STREAM, port) == port;
}

bool
proc_has_ip(const char *ip)
{
    return try_port(ip, SOCK_DGRAM, 0) != 0;
}

/*
 * Kernels give away ports from 32768 up, and what they do not give away nobody takes between our look and the use of
 * it. sipp helps itself from 6000 and from 8888 up unless told, baresip from 16384 up.
 */
enum {
    SERVER_PORTS = 7000,
    BLOCK = 1 + PROC_PEER_PORTS,
    BLOCKS = 56,
    PHONE_PORTS = 10000,
    PAIRS = 3000,
};

/*
 * Keeps a port from all other tests of this machine, by an abstract UNIX socket that goes when we do; false: one of
 * them has it.
 */
static bool
reserve(uint16_t port)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int len = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "sipd-live-port-%u", port);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&at,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0)
        return true;
    close(fd);
    return false;
}

/* Tests that run at the same time begin to look at different places. */
static unsigned
first_look(void)
{
    static unsigned turn;
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned)getpid() * 131 + (unsigned)t.tv_nsec / 1000 + turn++ * 17;
}

uint16_t
proc_port(const char *ip)
{
    unsigned first = first_look();

    for (unsigned i = 0; i < PAIRS; i++) {
        uint16_t port = (uint16_t)(PHONE_PORTS + (first + i) % PAIRS * 2);

        if (is_free(ip, port) && is_free(ip, (uint16_t)(port + 1)) && reserve(port))
            return port;
    }
    ck_abort_msg("no free port on %s", ip);
    return 0;
}

uint16_t
proc_server_port(void)
{
    bool v6 = proc_has_ip("::1");
    unsigned first = first_look();

    for (unsigned i = 0; i < BLOCKS; i++) {
        uint16_t port = (uint16_t)(SERVER_PORTS + (first + i) % BLOCKS * BLOCK);

        if (is_free("127.0.0.1", port) && (!v6 || is_free("::1", port)) && reserve(port))
            return port;
    }
    ck_abort_msg("no free port for a server");
    return 0;
}

/* Below this ports need a right: the kernel's setting. */
static unsigned
first_free_to_all(void)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
    unsigned first = 1024;

    if (file) {
        (void)!fscanf(file, "%u", &first);
        fclose(file);
    }
    return first;
}

uint16_t
proc_low_port(void)
{
    enum { LOWEST = 600 }; /* what has names is mostly below */
    unsigned end = first_free_to_all(), first = first_look(), pairs;

    end = end < 1024 ? end : 1024;
    pairs = end > LOWEST ? (end - LOWEST) / 2 : 0;
    for (unsigned i = 0; i < pairs; i++) {
        uint16_t port = (uint16_t)(LOWEST + 1 + (first + i) % pairs * 2);

        if (is_free("127.0.0.1", port) && is_free("127.0.0.1", (uint16_t)(port - 1)) &&
            reserve(port))
            return port;
    }
    return 0;
}

uint16_t
proc_peer_port(const char *ip, uint16_t server_port)
{
    static unsigned turn;

    for (unsigned i = 0; i < PROC_PEER_PORTS; i++) {
        uint16_t port = (uint16_t)(server_port + 1 + turn++ % PROC_PEER_PORTS);

        if (is_free(ip, port))
            return port;
    }
    ck_abort_msg("no free port for a peer on %s", ip);
    return 0;
}

/* How /proc/net writes an address: each word of it a number of this machine's byte order. */
static void
proc_net_name(const char *ip, uint16_t port, char *to, size_t room)
{
    uint32_t words[4];
    bool v6 = strchr(ip, ':') != NULL;
    int n = 0;

    ck_assert_int_eq(inet_pton(v6 ? AF_INET6 : AF_INET, ip, words), 1);
    for (int i = 0; i < (v6 ? 4 : 1); i++)
        n += snprintf(to + n, room - (size_t)n, "%08X", words[i]);
    snprintf(to + n, room - (size_t)n, ":%04X", port);
}

bool
proc_listens(const char *ip, bool tcp, uint16_t port)
{
    enum { TCP_LISTENS = 0x0A };
    bool v6 = strchr(ip, ':') != NULL, found = false;
    char wanted[64], line[512], local[128], peer[128];
    unsigned state;
    FILE *file = fopen(tcp ? (v6 ? "/proc/net/tcp6" : "/proc/net/tcp")
                           : (v6 ? "/proc/net/udp6" : "/proc/net/udp"),
                       "r");

    ck_assert_ptr_nonnull(file);
    proc_net_name(ip, port, wanted, sizeof wanted);
    while (!found && fgets(line, sizeof line, file))
        if (sscanf(line, "%*s %127s %127s %x", local, peer, &state) == 3)
            found = strcmp(local, wanted) == 0 && (!tcp || state == TCP_LISTENS);
    fclose(file);
    return found;
}

void
proc_skip(const char *what, const char *why)
{
    fprintf(stderr, "SKIPPED: %s: %s\n", what, why);
}
