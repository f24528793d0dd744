/*
 * A folder of a test's own in /tmp, or in memory, that does not outlive a test which is killed.
 */
#ifndef LIB_FOLDER_H
#define LIB_FOLDER_H

#include <stdbool.h>

#define FOLDER_BYTES  40
#define FOLDER_MEMORY "/dev/shm"

/* From now on they are made in memory: nobody who writes there waits for a disk. False: this machine has none for that. */
bool folder_in_memory(void);

/*
 * Makes a new one and writes its path to `to`, "" if it cannot be made (false). It is this process's until that ends: whose
 * process has ended without removing it, it is removed when somebody makes the next one, but for those made with SIPD_KEEP
 * in the environment. name: letters that tell whose it is.
 */
bool folder_make(const char *name, char to[FOLDER_BYTES]);
/* Removes it with all that is in it. */
void folder_remove(const char *path);

#endif
