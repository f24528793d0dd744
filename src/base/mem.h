/*
 * The only door to the heap, with a switch that makes the n-th allocation fail.
 *
 * A ladder of n = 0, 1, 2 … walks a test through every place where memory may run out.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/def.h"
#include "base/span.h"

/* Zeroed memory, or NULL. Owns: the caller, ends it with mem_free(). Units: bytes, may be 0. */
void *mem_new(size_t bytes) MUST_USE;
/* As realloc(); new bytes are not zeroed. NULL leaves the old block alone. */
void *mem_grow(void *block, size_t bytes) MUST_USE;
/* A NUL-terminated copy of s on the heap, or NULL. Owns: the caller. */
char *mem_copy(struct span s) MUST_USE;
/* Ends a block; NULL is fine. */
void mem_free(void *block);

/*
 * After n more allocations that succeed every one fails, until mem_fail_never(). For tests; one
 * counter a process.
 */
void mem_fail_after(uint64_t n);
void mem_fail_never(void);
/*
 * While it is held the switch rests: allocations succeed and are not counted. For tests that
 * simulate what is around the code that shall run out of memory.
 */
void mem_fail_hold(bool on);
/* Did an allocation fail by the switch since mem_fail_after()? */
bool mem_failed(void);
/* Blocks alive now, counted from the first call on (tests compare before and after). */
uint64_t mem_live(void);

#endif
