/*
 * Any bytes as sipd.conf: read, or complained of with a line; what was read prints itself and equals itself.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/config.h"

int fuzz_conf(const uint8_t *data, size_t size);

enum { CONF_BYTES = 8192 };

/* libconfig 1.5 forgets the text that it was collecting when a syntax error stops it. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

static void
look(void *arg, struct span key, struct span value)
{
    size_t *bytes = arg;

    BUG_ON(key.len == 0 || value.len == 0);
    *bytes += key.len + value.len;
}

/* A file of these bytes that has a path and no place on a disk. */
static int
file_of(const uint8_t *data, size_t size, char path[64])
{
    int fd = memfd_create("sipd.conf", MFD_CLOEXEC);

    BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

int
fuzz_conf(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    size_t bytes = 0;
    struct buf why;
    char path[64];
    int fd, err;

    /* Files of the machine are none of its business. */
    if (size > CONF_BYTES || memmem(data, size, "@include", 8))
        return 0;
    fd = file_of(data, size, path);
    buf_init(&why, 1 << 20);
    err = config_load(&config, path, "/nowhere", &why);
    BUG_ON((err == SIPD_OK) != (config != NULL));
    BUG_ON((err == SIPD_OK) != (why.len == 0));
    if (config) {
        conf_items_each(config_items, (struct span){ NULL, 0 }, &config->text, look, &bytes);
        BUG_ON(bytes == 0 || !conf_items_eq(config_items, &config->text, &config->text));
    }
    config_free(&config);
    buf_fini(&why);
    close(fd);
    return 0;
}
