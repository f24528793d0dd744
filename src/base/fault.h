/*
 * Pages of files that are mapped for others to share, and cannot be had any more: the file was cut short, made immutable, or its
 * disk is gone. The kernel says so by SIGBUS, which would end the process whoever touched the page.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/def.h"

/*
 * From now on such a page becomes one of zeros, of this process alone, and is counted. Threads must not block SIGBUS. What is no
 * mapping that others share, as a program's own pages, stays deadly.
 */
void fault_catch(void);
/* So many since then. Any thread may ask: who reads mapped memory believes nothing that it did while this rose. */
uint64_t fault_count(void);

#endif
