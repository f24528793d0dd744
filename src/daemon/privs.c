/*
 * Rights: dropped in the one order that works (groups, group, user), and looked at as the user who will need them.
 */
#include "daemon/privs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

int
privs_find(const struct config *config, struct privs *privs, struct buf *why)
{
    const struct passwd *user;
    const struct group *group;

    *privs = (struct privs){ .uid = geteuid(), .gid = getegid() };
    if (geteuid() != 0)
        return SIPD_OK;
    user = getpwnam(config->text.user.at);
    group = getgrnam(config->text.group.at);
    if (!user)
        config_complain(
            config, "user", why,
            "there is no user \"%.*s\"; make it: useradd --system %.*s; or name another",
            SPAN_ARG(config->text.user), SPAN_ARG(config->text.user));
    if (!group)
        config_complain(
            config, "group", why,
            "there is no group \"%.*s\"; make it: groupadd --system %.*s; or name another",
            SPAN_ARG(config->text.group), SPAN_ARG(config->text.group));
    if (!user || !group)
        return SIPD_EINVAL;
    *privs =
        (struct privs){ .uid = user->pw_uid, .gid = group->gr_gid, .becomes = user->pw_uid != 0 };
    return SIPD_OK;
}

static int
fail(struct buf *why, const char *what)
{
    buf_printf(why, "cannot %s: %s\n", what, strerror(errno));
    return SIPD_EIO;
}

int
privs_make_dir(const struct privs *privs, struct span dir, mode_t mode, struct buf *why)
{
    char path[PATH_BYTES];

    if (dir.len >= sizeof path)
        return SIPD_ETOOBIG;
    memcpy(path, dir.at, dir.len);
    path[dir.len] = '\0';
    if (mkdir(path, mode) == 0) {
        /* umask has its say in mkdir(). */
        if (chmod(path, mode) == 0 &&
            (!privs->becomes || lchown(path, privs->uid, privs->gid) == 0))
            return SIPD_OK;
    } else if (errno == EEXIST) {
        return SIPD_OK;
    }
    buf_printf(why, "%s: cannot be made: %s; make it, owned by the user that sipd runs as\n", path,
               strerror(errno));
    return SIPD_EIO;
}

/* ---- the one right that may stay */

/* Ports below this need it; the administrator may have moved the line. */
static unsigned
first_free_port(void)
{
    FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
    char text[16];
    uint32_t port = 1024;

    if (f) {
        struct span line = { text, fread(text, 1, sizeof text, f) };

        span_u32(span_trim(line), 65535, &port);
        fclose(f);
    }
    return port;
}

static bool
needs_low_ports(const struct config *config)
{
    unsigned first = first_free_port();

    for (size_t i = 0; i < config->listens_len; i++)
        if (config->listens[i].at.port > 0 && config->listens[i].at.port < first)
            return true;
    return false;
}

static bool
get_capabilities(struct __user_cap_header_struct *head, struct __user_cap_data_struct data[2])
{
    *head = (struct __user_cap_header_struct){ .version = _LINUX_CAPABILITY_VERSION_3 };
    return syscall(SYS_capget, head, data) == 0;
}

/* Leaves at most the right to bind low ports, and that only if it is wanted and had. */
static bool
keep_only_low_ports(bool wanted)
{
    struct __user_cap_header_struct head;
    struct __user_cap_data_struct data[2];
    uint32_t bit = 1u << CAP_NET_BIND_SERVICE, kept;

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (!get_capabilities(&head, data))
        return false;
    kept = wanted ? data[0].permitted & bit : 0;
    data[0] = (struct __user_cap_data_struct){ .effective = kept, .permitted = kept };
    data[1] = (struct __user_cap_data_struct){ 0 };
    return syscall(SYS_capset, &head, data) == 0;
}

void
privs_carry(void)
{
    struct __user_cap_header_struct head;
    struct __user_cap_data_struct data[2];
    uint32_t bit = 1u << CAP_NET_BIND_SERVICE;

    if (!get_capabilities(&head, data) || !(data[0].permitted & bit))
        return;
    data[0].inheritable |= bit;
    if (syscall(SYS_capset, &head, data) == 0)
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0);
}

int
privs_drop(const struct config *config, const struct privs *privs, struct buf *why)
{
    bool low_ports = needs_low_ports(config);

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(why, "forgo new privileges");
    if (geteuid() == 0 && !privs->becomes)
        return SIPD_OK; /* user = "root", in so many words */
    if (privs->becomes) {
        prctl(PR_SET_KEEPCAPS, low_ports, 0, 0, 0);
        if (initgroups(config->text.user.at, privs->gid) != 0 ||
            setresgid(privs->gid, privs->gid, privs->gid) != 0 ||
            setresuid(privs->uid, privs->uid, privs->uid) != 0)
            return fail(why, "become the user of the configuration");
        if (setuid(0) == 0)
            return fail(why, "give up root for good");
    }
    if (!keep_only_low_ports(low_ports))
        return fail(why, "drop capabilities");
    return SIPD_OK;
}

/* ---- files and directories, as the user who will open them */

static const char *
user_name(void)
{
    const struct passwd *user = getpwuid(geteuid());

    return user ? user->pw_name : "of this process";
}

static const char *
group_name(void)
{
    const struct group *group = getgrgid(getegid());

    return group ? group->gr_name : "GROUP";
}

static bool
can(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* What is wrong with a directory that cannot be written in, and what would be right. */
static void
put_dir_words(const char *path, struct buf *words)
{
    struct stat is;

    if (!can(path, F_OK))
        buf_printf(words,
                   "the directory %s is not there; make it: install -d -m 750 -o %s -g %s %s", path,
                   user_name(), group_name(), path);
    else if (stat(path, &is) == 0 && !S_ISDIR(is.st_mode))
        buf_printf(words, "%s is no directory; name one", path);
    else
        buf_printf(words,
                   "user %s cannot write the directory %s; name one of its own, or: chown %s %s",
                   user_name(), path, user_name(), path);
}

static int
check_readable(const char *path, struct span where, struct buf *why)
{
    if (can(path, R_OK))
        return SIPD_OK;
    if (errno == EACCES)
        buf_printf(why, "%.*s: user %s cannot read %s; chgrp %s %s && chmod g+r %s\n",
                   SPAN_ARG(where), user_name(), path, group_name(), path, path);
    else
        buf_printf(why, "%.*s: %s cannot be read: %s; make it, or correct the path\n",
                   SPAN_ARG(where), path, strerror(errno));
    return SIPD_EINVAL;
}

static int
check_writable(const char *path, struct span where, struct buf *why)
{
    const char *what;

    if (can(path, R_OK | W_OK))
        return SIPD_OK;
    what = strerror(errno); /* user_name() looks up, and says so in errno */
    buf_printf(why, "%.*s: user %s cannot write %s: %s; chown %s %s\n", SPAN_ARG(where),
               user_name(), path, what, user_name(), path);
    return SIPD_EINVAL;
}

static const char *
dir_of(const char *path, char to[PATH_BYTES])
{
    return snprintf(to, PATH_BYTES, "%s", path) < PATH_BYTES ? dirname(to) : "/";
}

int
privs_check_dir(const char *path, struct buf *words)
{
    char parent[PATH_BYTES];
    struct stat is;

    if (can(path, W_OK | X_OK) && stat(path, &is) == 0 && S_ISDIR(is.st_mode))
        return SIPD_OK;
    if (!can(path, F_OK) && can(dir_of(path, parent), W_OK | X_OK))
        return SIPD_OK;
    put_dir_words(path, words);
    return SIPD_EINVAL;
}

int
privs_check_file(const char *path, bool write, struct span where, struct buf *why)
{
    char dir[PATH_BYTES];

    if (!write)
        return check_readable(path, where, why);
    if (can(path, F_OK))
        return check_writable(path, where, why);
    if (can(dir_of(path, dir), W_OK | X_OK))
        return SIPD_OK;
    buf_printf(why, "%.*s: ", SPAN_ARG(where));
    put_dir_words(dir, why);
    buf_put_char(why, '\n');
    return SIPD_EINVAL;
}
