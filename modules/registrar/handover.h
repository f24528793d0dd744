/*
 * What the store's thread has for the loop besides answers: rows that it read, words for people, and what happened to the
 * file.
 *
 * Rows come in slices, two in turn: while the loop takes one, the thread fills the other. Who has which is told by two counts
 * without a lock. A mutex guards short words, and the loop takes it only when there are some.
 */
#ifndef REGISTRAR_HANDOVER_H
#define REGISTRAR_HANDOVER_H

#include "store.h"

#define HANDOVER_ROWS 128   /* of a slice, at most */
#define HANDOVER_TEXT 65536 /* bytes of its texts */

struct handover_slice {
    size_t len, text_len;
    struct store_row rows[HANDOVER_ROWS];
    char text[HANDOVER_TEXT];
};

struct handover;

/* SIPD_OK, or SIPD_ENOMEM. */
int handover_new(struct handover **handover);
void handover_free(struct handover **handover);

/* On the thread: an empty slice to fill, or NULL while the loop has both. Lent until handover_put(). */
struct handover_slice *handover_empty(struct handover *handover);
void handover_put(struct handover *handover, struct handover_slice *slice);
/* Copies a row to the slice. False: it is full. Lent: row, until return. */
bool handover_copy(struct handover_slice *slice, const struct store_row *row);
/* When the file was last written; told before its rows. Copied. */
void handover_written(struct handover *handover, const struct store_time *at);
/* No more rows come: told behind the last one. */
void handover_end(struct handover *handover);
/* The file is a new and empty one: told behind all rows, if there were any. */
void handover_lost(struct handover *handover);
/* Words: of two that were not told yet the first stays, for it is the cause. */
void handover_trouble(struct handover *handover, const char *words);
void handover_news(struct handover *handover, const char *words);

/*
 * On the loop: tells what there is, of rows at most one slice. id: of the read. *taken: a slice is the thread's again. True:
 * call once more, in another turn.
 */
bool handover_tell(struct handover *handover, const struct store_port *port, uint64_t id,
                   bool *taken);

#endif
