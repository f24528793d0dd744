/*
 * A ladder taken apart: what its arrows and words say, whatever the times, the ports and the width.
 */
#ifndef LIVE_PICTURE_H
#define LIVE_PICTURE_H

#include <stddef.h>

/*
 * The sayings of a ladder, one a line, as a heap block to be freed: words that were wrapped are joined, lines and arrowheads are
 * gone, a port is N, and what was cut ends where it was.
 */
char *picture_sayings(const char *ladder);
/* The ladder in a page, between <!-- picture --> and <!-- end -->, as a heap block to be freed. */
char *picture_of_page(const char *path);

#endif
