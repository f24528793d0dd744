/*
 * A disk that can lose its power: an SQLite VFS in memory that knows of each file what was synced, and what was written since.
 *
 * What was not synced when the power went may be there afterwards, or not, or in part, each write for itself. One disk a process.
 */
#ifndef LIVE_POWER_H
#define LIVE_POWER_H

#include <stdbool.h>
#include <stdint.h>

/* Makes the disk, empty and on, and has SQLite use it for all files. Its chances come from seed. */
void power_start(uint64_t seed);
/* Takes it away again with all its files. */
void power_stop(void);

/* The power goes with the n-th write, sync, truncation or deletion from now on; 0: not. */
void power_cut_after(uint64_t n);
/* One of those fails once, with the power on: the n-th from now on; 0: none. */
void power_fail_after(uint64_t n);
/* From now on the disk is read-only, or no more: nothing is written, cut or deleted, and files are opened for reading alone. */
void power_protect(bool on);
/* From now on syncs say that they were done, and save nothing. */
void power_lie(void);
/* Is it off? Another thread may ask. */
bool power_is_off(void);
/* The power comes back: every file is what survived. */
void power_on(void);

#endif
