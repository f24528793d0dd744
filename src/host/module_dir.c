/*
 * The directory that modules are mapped from: which there are.
 */
#include "host/module_dir.h"

#include <dirent.h>
#include <stdlib.h>

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct span *)a)->at, ((const struct span *)b)->at);
}

size_t
module_dir_list(const char *path, struct arena *arena, struct span *names, size_t most)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    size_t len = 0;

    while (dir && len < most && (entry = readdir(dir))) {
        struct span file = span_of(entry->d_name);

        if (file.len <= 3 || !span_eq(span_skip(file, file.len - 3), SPAN(".so")))
            continue;
        names[len] = arena_copy(arena, span_head(file, file.len - 3));
        len += names[len].at != NULL;
    }
    if (dir)
        closedir(dir);
    qsort(names, len, sizeof *names, by_name);
    return len;
}
