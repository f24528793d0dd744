/*
 * The directory that modules are mapped from: which there are.
 */
#ifndef HOST_MODULE_DIR_H
#define HOST_MODULE_DIR_H

#include "base/arena.h"
#include "base/span.h"

/* The names of its NAME.so, in order, at most so many; each has a NUL behind it and lies in the arena. How many: 0 if there is no such directory. */
size_t module_dir_list(const char *path, struct arena *arena, struct span *names, size_t most);

#endif
