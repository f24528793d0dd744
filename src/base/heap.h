/*
 * How the heap grows: by large steps, which the system may fill with huge pages once there is much of it.
 *
 * A page costs a fault when it is touched first, and where the machine is a virtual one that can be more than a transaction
 * costs. But a huge page is taken whole when its first byte is. So the first 8 MiB come in small ones: what is at rest, or has
 * ten thousand connections and nothing to do, stays as small as it is, and what grows on can spare the rest of a last page.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>

struct heap {
    char *small_end; /* small pages up to here; NULL: nobody asked for more */
    char *told_end;  /* the system was told of what lies between; never before small_end */
};

/* From now on it grows so. For a process of one loop, once, when it has started. */
void heap_widen(struct heap *heap);
/* Tells the system of what has grown since. Called now and then; when nothing has it costs a comparison. */
void heap_follow(struct heap *heap);
/* A block that will be touched all over, and here and there: if it is large it comes in huge pages. */
void heap_scattered(void *block, size_t bytes);

#endif
