/*
 * The files that sipd.conf includes, looked at before libconfig opens them: @include "name" at the start of a line, looked
 * up beside the first file (libconfig 1.5).
 */
#include "daemon/includes.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/numbers.h"

enum { PATH_BYTES = 4096, LINE_BYTES = 8192, DEPTH_MOST = 10 };

struct place {
    const char *file;
    unsigned line;
};

/* What of a line stands behind the end of a comment that began before it; does another one begin in it? */
static const char *
uncommented(const char *line, bool *in_comment)
{
    const char *end;

    if (*in_comment) {
        end = strstr(line, "*/");
        if (!end)
            return "";
        line = end + 2;
    }
    for (const char *at = line; (at = strstr(at, "/*")); at = end + 2) {
        end = strstr(at + 2, "*/");
        *in_comment = !end;
        if (!end)
            return line;
    }
    *in_comment = false;
    return line;
}

/* What stands between the quotes behind @include; an empty span if the line is no such. */
static struct span
included(const char *line)
{
    struct span rest = span_trim(span_of(line));

    if (!span_starts(rest, SPAN("@include")))
        return (struct span){ NULL, 0 };
    rest = span_skip(rest, span_find(rest, '"') + 1);
    return span_head(rest, span_find(rest, '"'));
}

static int
complain(const struct place *at, const char *path, const char *what, struct buf *why)
{
    buf_printf(why, "%s:%u: @include: %s %s; name a file that can be read\n", at->file, at->line,
               path, what);
    return SIPD_EINVAL;
}

static int
check_kind(const struct place *at, const char *path, struct buf *why)
{
    struct stat is;

    if (stat(path, &is) != 0)
        return complain(at, path, errno == ENOENT ? "is not there" : strerror(errno), why);
    if (!S_ISREG(is.st_mode))
        return complain(at, path, "is no plain file", why);
    return access(path, R_OK) == 0 ? SIPD_OK : complain(at, path, "cannot be read", why);
}

static int check_file(const char *file, const char *dir, unsigned depth, struct buf *why);

static int
check_line(const struct place *at, const char *line, const char *dir, unsigned depth,
           struct buf *why)
{
    struct span name = included(line);
    char path[PATH_BYTES];
    bool whole = name.len > 0 && name.at[0] == '/';
    int err;

    if (name.len == 0)
        return SIPD_OK;
    if (snprintf(path, sizeof path, "%s%s%.*s", whole ? "" : dir, whole ? "" : "/",
                 SPAN_ARG(name)) >= PATH_BYTES)
        return complain(at, "its path", "is too long", why);
    if (depth == DEPTH_MOST)
        return complain(at, path, "is included too deep, or includes itself", why);
    err = check_kind(at, path, why);
    return err == SIPD_OK ? check_file(path, dir, depth + 1, why) : err;
}

static int
check_file(const char *file, const char *dir, unsigned depth, struct buf *why)
{
    struct place at = { .file = file };
    char line[LINE_BYTES];
    bool in_comment = false;
    int err = SIPD_OK;
    FILE *from = fopen(file, "r");

    if (!from)
        return SIPD_OK; /* whoever reads it next says why not */
    while (err == SIPD_OK && fgets(line, sizeof line, from)) {
        at.line++;
        err = check_line(&at, uncommented(line, &in_comment), dir, depth, why);
    }
    fclose(from);
    return err == SIPD_OK ? numbers_check(file, why) : err;
}

int
includes_check(const char *file, struct buf *why)
{
    char path[PATH_BYTES];
    struct stat is;

    if (stat(file, &is) == 0 && !S_ISREG(is.st_mode)) {
        buf_printf(why, "%s: is no plain file; name the file of the configuration\n", file);
        return SIPD_EINVAL;
    }
    if (snprintf(path, sizeof path, "%s", file) >= PATH_BYTES)
        return SIPD_OK;
    return check_file(file, dirname(path), 0, why);
}
