/*
 * Settings read by their schema: a libconfig section into a struct, with every mistake told by file, line, key and remedy.
 *
 * The same tables print themselves as JSON (`sipd -S`), compare two structs (is there anything new?) and list what is in
 * force. What is read lies in the reader's arena, with copies of all texts: it outlives the libconfig tree.
 */
#ifndef HOST_CONF_ITEM_H
#define HOST_CONF_ITEM_H

#include <jansson.h>
#include <libconfig.h>

#include <sipd/conf.h>

#include "base/arena.h"
#include "base/buf.h"

struct conf_path { /* a file that a setting names, to be looked at as the user who will open it */
    struct conf_path *next;
    bool write;
    struct span path;  /* as written, with a NUL behind it */
    struct span where; /* "file:line: key" */
};

struct conf_reader {
    struct arena *arena; /* lent: what is read lies there */
    struct buf *why;     /* lent: complaints, a line each */
    const char *file;    /* for settings that have no file of their own; lent */
    /* keys at the top that are not in the schema and yet right: modules' sections; lent */
    const struct span *others;
    size_t others_len;
    unsigned wrong;          /* complaints so far */
    bool no_memory;          /* the reason may lie there, not in the file */
    struct conf_path *paths; /* files named, the last first */
};

/* A reader without complaints. Lent: all. */
void conf_reader_init(struct conf_reader *r, struct arena *arena, struct buf *why,
                      const char *file);

/*
 * Fills *into (zeroed by this call) from a group; NULL: all defaults. key: the group's name, empty at the top. All mistakes
 * are told, not only the first. SIPD_OK, SIPD_EINVAL, SIPD_ENOMEM. The arena owns what *into points to.
 */
int conf_read(struct conf_reader *r, const config_setting_t *group, struct span key,
              const struct sipd_conf_item *items, void *into, size_t into_bytes) MUST_USE;

/*
 * Adds a complaint "file:line: key: text" and counts it. at: the setting it is about; NULL: the file as a whole. text says
 * what is wrong, then after "; " what would be right.
 */
void conf_complain(struct conf_reader *r, const config_setting_t *at, struct span key,
                   const char *format, ...) PRINTF_LIKE(4, 5);

/* Of these words, which one was probably meant; empty if none is near. */
struct span conf_nearest(struct span word, const struct span *words, size_t words_len);

/* Must this key be written: it has no default, or none that its own bounds allow? */
bool conf_item_required(const struct sipd_conf_item *item);
/* Is this a schema that the reader can work with: bounds in order and below 2^31, choices there? The complaint, or NULL. */
const char *conf_items_wrong(const struct sipd_conf_item *items);
/* Do two structs of one schema say the same? */
bool conf_items_eq(const struct sipd_conf_item *items, const void *a, const void *b);
/* Calls fn with each key ("proxy.fork", "listen[0].port") and its value as written in a file. Lent: both, until return. */
void conf_items_each(const struct sipd_conf_item *items, struct span prefix, const void *from,
                     void (*fn)(void *arg, struct span key, struct span value), void *arg);
/* The schema as a JSON array of objects; NULL when memory is out. Owns: the caller. */
json_t *conf_items_json(const struct sipd_conf_item *items);

#endif
