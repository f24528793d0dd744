/*
 * Counts what OpenSSL holds of a program's heap. Loaded with it (LD_PRELOAD), before OpenSSL has asked for anything; the bytes
 * stand, as a long, in the file that SIPD_COUNTED names.
 */
#include <fcntl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static long nowhere;
static long *held_bytes = &nowhere;

/* With the word before a block in which the C library says how long it is. */
static void
add(void *block, int sign)
{
    if (block)
        __atomic_add_fetch(held_bytes, sign * (long)(malloc_usable_size(block) + sizeof(size_t)),
                           __ATOMIC_RELAXED);
}

static void *
counted_malloc(size_t bytes, const char *file, int line)
{
    void *block = malloc(bytes);

    (void)file;
    (void)line;
    add(block, 1);
    return block;
}

static void
counted_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    add(block, -1);
    free(block);
}

static void *
counted_realloc(void *block, size_t bytes, const char *file, int line)
{
    void *grown;

    if (bytes == 0) {
        counted_free(block, file, line);
        return NULL;
    }
    add(block, -1);
    grown = realloc(block, bytes);
    add(grown ? grown : block, 1);
    return grown;
}

__attribute__((constructor)) static void
count(void)
{
    const char *name = getenv("SIPD_COUNTED");
    int fd = name ? open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    void *at = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, sizeof *held_bytes) == 0)
        at = mmap(NULL, sizeof *held_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (at == MAP_FAILED)
        return;
    if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) == 1)
        held_bytes = at;
}
