/*
 * A registrar's store with a file in a folder of its own, in a test's hand.
 */
#ifndef UNIT_KEPT_H
#define UNIT_KEPT_H

#include "lib/store_rig.h"

enum { KEPT_LARGE = 15000 }; /* rows: more than SQLite keeps in memory, and than are read at once */

extern struct store_rig kept_rig; /* by SQLite; not open yet */
extern char kept_path[96];        /* of its file */
extern int kept_answered;         /* to the last write; above 0: nothing yet */

/* A fixture: the folder must be empty in the end but for what belongs to the file, and all memory is given back. */
void kept_begin(void);
void kept_end(void);

/* A binding with little in it but its key and this CSeq. Lent: the texts. */
struct store_change kept_change(enum store_verb verb, const char *aor, const char *contact,
                                uint32_t cseq);
/* Hears the answer to write 7. */
void kept_answer(void *arg, uint64_t id, int err);
/* Writes changes as one, waits, and returns the store's answer. */
int kept_write(const struct store_change *changes, size_t len);
void kept_reopen(void);
/* Does this to the file behind the store's back. */
void kept_sql(const char *sql);
/* The first column of the first row of what the file answers. */
int64_t kept_number(const char *sql);
/* Writes KEPT_LARGE bindings of as many users. */
void kept_fill(void);

#endif
