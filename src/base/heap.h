/*
 * How the heap grows: by large steps, which the system may fill with huge pages.
 *
 * A page costs a fault when it is touched first, and where the machine is a virtual one that can be more than a transaction
 * costs. A server at rest stays as small as it is: what the heap has already keeps its small pages.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

/* From now on it grows so. For a process of one loop, once, when it has started. */
void heap_widen(void);
/* Tells the system of what has grown since. Called now and then; when nothing has it costs a comparison. */
void heap_follow(void);

#endif
