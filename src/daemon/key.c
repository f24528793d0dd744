/*
 * sipd.key: 64 hex digits in a file that nobody but its owner may read, made at the first start.
 */
#include "daemon/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

enum { PATH_BYTES = 4096, KEY_BYTES = 32, HEX_BYTES = 2 * KEY_BYTES };

static int
fail(const char *path, const char *what, struct buf *why)
{
    buf_printf(why, "%s: cannot be %s: %s\n", path, what, strerror(errno));
    return SIPD_EIO;
}

static bool
hex_digit(char c, uint8_t *out)
{
    size_t at = span_find(SPAN("0123456789abcdef"), span_lower(c));

    *out = (uint8_t)at;
    return at < 16;
}

static bool
read_hex(struct span text, uint8_t key[KEY_BYTES])
{
    if (text.len != HEX_BYTES)
        return false;
    for (size_t i = 0; i < KEY_BYTES; i++) {
        uint8_t high, low;

        if (!hex_digit(text.at[2 * i], &high) || !hex_digit(text.at[2 * i + 1], &low))
            return false;
        key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* All 32 bytes count: the second half is hashed under the first. */
static void
fold(const uint8_t bytes[KEY_BYTES], struct prf_key *key)
{
    struct prf_key first = { 0, 0 };
    struct prf_out out;

    for (size_t i = 8; i-- > 0;) {
        first.k0 = first.k0 << 8 | bytes[i];
        first.k1 = first.k1 << 8 | bytes[8 + i];
    }
    out = prf_wide(&first, (struct span){ (const char *)bytes + 16, 16 });
    *key = (struct prf_key){ out.lo, out.hi };
}

static int
read_open(int fd, const char *path, struct prf_key *key, struct buf *why)
{
    char text[HEX_BYTES + 8];
    uint8_t bytes[KEY_BYTES];
    struct stat is;
    ssize_t len;

    if (fstat(fd, &is) != 0)
        return fail(path, "looked at", why);
    if (!S_ISREG(is.st_mode) || (is.st_mode & 077) != 0) {
        buf_printf(why, "%s: others may read it; chmod 600 %s\n", path, path);
        return SIPD_EINVAL;
    }
    len = read(fd, text, sizeof text);
    if (len < 0)
        return fail(path, "read", why);
    if (!read_hex(span_trim((struct span){ text, (size_t)len }), bytes)) {
        buf_printf(why,
                   "%s: is not a key of 64 hex digits; copy it again from where it was made, or "
                   "remove it\n",
                   path);
        return SIPD_EINVAL;
    }
    fold(bytes, key);
    explicit_bzero(text, sizeof text);
    explicit_bzero(bytes, sizeof bytes);
    return SIPD_OK;
}

static bool
write_new(int fd)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[KEY_BYTES];
    char text[HEX_BYTES + 1];
    bool done;

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    for (size_t i = 0; i < KEY_BYTES; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[HEX_BYTES] = '\n';
    done = write(fd, text, sizeof text) == (ssize_t)sizeof text && fsync(fd) == 0;
    explicit_bzero(text, sizeof text);
    explicit_bzero(bytes, sizeof bytes);
    return done;
}

/* Whole or not at all: written beside, and linked to its name only then, which never replaces one that is there. */
static int
make_new(const char *path, struct buf *why)
{
    char beside[PATH_BYTES + 8];
    bool done;
    int fd;

    snprintf(beside, sizeof beside, "%s.new", path);
    unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(path, "made", why);
    done = write_new(fd) && (link(beside, path) == 0 || errno == EEXIST);
    if (!done)
        fail(path, "made", why);
    close(fd);
    unlink(beside);
    return done ? SIPD_OK : SIPD_EIO;
}

int
key_load(struct span dir, bool make, struct prf_key *key, struct buf *why)
{
    char path[PATH_BYTES];
    int fd, err;

    *key = (struct prf_key){ 0, 0 };
    if (snprintf(path, sizeof path, "%.*s/sipd.key", SPAN_ARG(dir)) >= (int)sizeof path)
        return SIPD_ETOOBIG;
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT) {
        err = make ? make_new(path, why) : SIPD_OK;
        if (err != SIPD_OK || !make)
            return err;
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
    }
    if (fd < 0)
        return fail(path, "opened", why);
    err = read_open(fd, path, key, why);
    close(fd);
    return err;
}
