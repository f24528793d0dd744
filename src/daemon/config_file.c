/*
 * sipd.conf as a file: read by libconfig, and what is wrong with its syntax told.
 */
#include "daemon/config_file.h"

#include <libgen.h>
#include <stdio.h>

#include "base/err.h"
#include "daemon/includes.h"
#include "daemon/keys.h"

enum { PATH_BYTES = 4096 };

/* The file that libconfig names, as seen from here: included ones lie beside the first. */
static const char *
path_of(const char *named, const char *file, char to[PATH_BYTES])
{
    char beside[PATH_BYTES];
    bool whole = named[0] == '/' || strcmp(named, file) == 0;

    snprintf(beside, sizeof beside, "%s", file);
    return !whole && snprintf(to, PATH_BYTES, "%s/%s", dirname(beside), named) < PATH_BYTES ? to
                                                                                            : named;
}

/* named: the file as libconfig names it. */
static void
complain_twice(const char *named, unsigned found, const char *file, struct buf *why)
{
    char path[PATH_BYTES], key[KEYS_NAME_BYTES];
    unsigned line, first;

    if (keys_find_twice(path_of(named, file, path), key, &line, &first))
        buf_printf(why, "%s:%u: %s: stands twice, in line %u before; take one of them out\n", named,
                   line, key, first);
    else if (keys_find_line(path_of(named, file, path), found, key))
        buf_printf(why, "%s:%u: %s: stands in another file, too; take one of them out\n", named,
                   found, key);
    else
        buf_printf(why, "%s:%u: a key stands twice in one section; take one of them out\n", named,
                   found);
}

/* libconfig says "syntax error" of them all; these are what people do. */
static void
complain_syntax(const config_t *tree, const char *file, struct buf *why)
{
    const char *at = config_error_file(tree), *text = config_error_text(tree);
    unsigned line = config_error_line(tree) > 0 ? (unsigned)config_error_line(tree) : 0;

    at = at ? at : file;
    if (config_error_type(tree) == CONFIG_ERR_FILE_IO)
        buf_printf(why, "%s: cannot be read; is the path right, and may this user read it?\n", at);
    else if (text && strstr(text, "duplicate"))
        complain_twice(at, line, file, why);
    else
        buf_printf(why,
                   "%s:%u: %s; look here and just above for a comma before a bracket, an open "
                   "quote, a missing ; or brace\n",
                   at, line, text ? text : "syntax error");
}

/* Included files are looked up beside the file itself. */
static void
set_include_dir(config_t *tree, const char *file)
{
    char path[PATH_BYTES];

    if (snprintf(path, sizeof path, "%s", file) < (int)sizeof path)
        config_set_include_dir(tree, dirname(path));
}

int
config_file_read(config_t *tree, const char *file, struct buf *why)
{
    if (includes_check(file, why) != SIPD_OK)
        return SIPD_EINVAL;
    set_include_dir(tree, file);
    if (config_read_file(tree, file) == CONFIG_TRUE)
        return SIPD_OK;
    complain_syntax(tree, file, why);
    return SIPD_EINVAL;
}
