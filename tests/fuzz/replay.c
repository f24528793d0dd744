/*
 * Feeds the corpus to the fuzz targets without a fuzzer: each file of CORPUS/NAME/ to fuzz_NAME. What was found stays found.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/def.h"

#define FUZZ_TARGET(name) int fuzz_##name(const uint8_t *data, size_t size);
#include "fuzz_list.h"
#undef FUZZ_TARGET

static const struct target {
    const char *name;
    int (*run)(const uint8_t *data, size_t size);
} targets[] = {
#define FUZZ_TARGET(name) { #name, fuzz_##name },
#include "fuzz_list.h"
};

static const char *here; /* the input at hand */

/* A target breaks by aborting: then say on what. */
static void
say_where(int number)
{
    if (here && write(STDERR_FILENO, here, strlen(here)) > 0)
        (void)!write(STDERR_FILENO, "\n", 1);
    signal(number, SIG_DFL);
    raise(number);
}

/* Gives one file to a target, in a block without a byte to spare. False if it cannot be read. */
static bool
replay_file(const struct target *target, const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long len = -1;
    bool done = false;

    if (file && fseek(file, 0, SEEK_END) == 0)
        len = ftell(file);
    if (len >= 0)
        data = malloc((size_t)len);
    if (data || len == 0) {
        rewind(file);
        done = fread(data, 1, (size_t)len, file) == (size_t)len;
    }
    if (done)
        target->run(data, (size_t)len);
    free(data);
    if (file)
        fclose(file);
    return done;
}

/* How many files the target was given; -1 if one could not be read. A target may have no corpus yet. */
static int
replay(const struct target *target, const char *corpus)
{
    char path[4096];
    struct dirent *entry;
    DIR *folder;
    int n = 0;

    snprintf(path, sizeof path, "%s/%s", corpus, target->name);
    folder = opendir(path);
    while (folder && n >= 0 && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s/%s", corpus, target->name, entry->d_name);
        here = path;
        n = replay_file(target, path) ? n + 1 : -1;
    }
    here = NULL;
    if (folder)
        closedir(folder);
    return n;
}

int
main(int argc, char **argv)
{
    int all = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    signal(SIGABRT, say_where);
    signal(SIGSEGV, say_where);
    for (size_t i = 0; i < countof(targets); i++) {
        int n = replay(&targets[i], argv[1]);

        if (n < 0) {
            fprintf(stderr, "\nfuzz_%s: cannot read its corpus\n", targets[i].name);
            return 1;
        }
        all += n;
    }
    printf("%d inputs, %zu targets: nothing broke\n", all, countof(targets));
    return all > 0 ? 0 : 1;
}
