/*
 * A folder that becomes read-only while programs hold files in it open for writing, as a file system does of itself when its disk
 * fails. No remount does that to a live program (EBUSY), so the kernel asks us about the calls that write (seccomp_unotify(2)).
 */
#ifndef LIVE_READONLY_H
#define LIVE_READONLY_H

#include <stdbool.h>

/* For the program that is started next, once in a test; folder is lent for ever. False: not allowed here. */
bool readonly_begin(const char *folder);
/* From now on what would change files beneath the folder fails with EROFS, or no more. */
void readonly_set(bool on);

#endif
