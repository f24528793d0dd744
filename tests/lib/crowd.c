/*
 * The collections, read message by message.
 */
#include "lib/crowd.h"

#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/def.h"
#include "unit/text.h"

enum { NAME_ROOM = 256, FOLDERS_OPEN = 16 };

/* So many bytes of a file, in a block of just that size. Owned by the caller. */
static struct span
block_read(FILE *file, size_t len)
{
    char *bytes = malloc(len > 0 ? len : 1);

    must(bytes);
    must(fread(bytes, 1, len, file) == len);
    return (struct span){ bytes, len };
}

static void
block_free(struct span block)
{
    free((char *)(uintptr_t)block.at);
}

unsigned
crowd_file(const char *path, crowd_fn *fn, void *self)
{
    FILE *file = fopen(path, "rb");
    char name[NAME_ROOM];
    unsigned count = 0;
    size_t len;

    must_for(span_of(path), file != NULL); /* run from the top folder */
    while (fscanf(file, "@ %255s %zu", name, &len) == 2) {
        struct span bytes;

        must(fgetc(file) == '\n');
        bytes = block_read(file, len);
        must(fgetc(file) == '\n');
        fn(path, name, bytes, self);
        block_free(bytes);
        count++;
    }
    must(feof(file));
    fclose(file);
    return count;
}

static void
one_file(const char *path, crowd_fn *fn, void *self)
{
    FILE *file = fopen(path, "rb");
    struct span bytes;
    long len;

    must_for(span_of(path), file != NULL);
    must(fseek(file, 0, SEEK_END) == 0);
    len = ftell(file);
    rewind(file);
    bytes = block_read(file, (size_t)len);
    fclose(file);
    fn(path, "", bytes, self);
    block_free(bytes);
}

unsigned
crowd_glob(const char *pattern, crowd_fn *fn, void *self)
{
    glob_t found;
    size_t count;

    must_for(span_of(pattern), glob(pattern, 0, NULL, &found) == 0);
    count = found.gl_pathc;
    for (size_t i = 0; i < count; i++)
        one_file(found.gl_pathv[i], fn, self);
    globfree(&found);
    return (unsigned)count;
}

/* nftw() has no place for whom it works. */
static struct {
    crowd_fn *fn;
    void *self;
    unsigned count;
} below;

static bool
is_message(struct span path)
{
    struct span end = path.len > 4 ? span_skip(path, path.len - 4) : path;

    return span_eq(end, SPAN(".sip")) || span_eq(end, SPAN(".dat"));
}

static int
visit(const char *path, const struct stat *what, int kind, struct FTW *where)
{
    (void)what;
    (void)where;
    if (kind != FTW_F || !is_message(span_of(path)))
        return 0;
    one_file(path, below.fn, below.self);
    below.count++;
    return 0;
}

unsigned
crowd_below(const char *folder, crowd_fn *fn, void *self)
{
    below.fn = fn;
    below.self = self;
    below.count = 0;
    if (folder && folder[0])
        (void)nftw(folder, visit, FOLDERS_OPEN, FTW_PHYS);
    return below.count;
}

unsigned
crowd_all(crowd_fn *fn, void *self)
{
    static const char *const patterns[] = { "tests/torture/rfc4475/*.dat",
                                            "tests/torture/wild/*.sip",
                                            "tests/torture/bodies/*.sip" };
    static const char *const files[] = { "tests/torture/flows/rfc3665.msgs",
                                         "tests/torture/flows/rfc3666.msgs",
                                         "tests/torture/captures/nist.msgs" };
    unsigned count = 0;

    for (size_t i = 0; i < countof(patterns); i++)
        count += crowd_glob(patterns[i], fn, self);
    for (size_t i = 0; i < countof(files); i++)
        count += crowd_file(files[i], fn, self);
    return count + crowd_below(getenv("SIPD_CORPORA"), fn, self);
}
