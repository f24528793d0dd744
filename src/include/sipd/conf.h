/*
 * The schema of settings: one table makes the checker, the manual's key table, completion and `sipd -S`.
 *
 * An item says which member of the module's struct a key fills. Every key has its unit in its name, bounds, a default and
 * a line of doc. A struct filled by a schema is immutable and lives as long as the configuration it came from.
 */
#ifndef SIPD_CONF_H
#define SIPD_CONF_H

#include <stddef.h>
#include <stdint.h>

#include <sipd/span.h>

enum sipd_conf_kind {
    SIPD_CONF_END_KIND,
    SIPD_CONF_STR,    /* struct span */
    SIPD_CONF_UINT,   /* uint32_t */
    SIPD_CONF_BOOL,   /* bool */
    SIPD_CONF_CHOICE, /* uint32_t: index into choices */
    SIPD_CONF_STRS,   /* struct sipd_strs: [ "a", "b" ] */
    SIPD_CONF_GROUPS, /* struct sipd_groups: ( { … }, { … } ) by items */
    SIPD_CONF_GROUP,  /* an inner struct, filled by items: { … } */
    SIPD_CONF_READ,   /* struct span: a file that `user` must be able to read, or empty */
    SIPD_CONF_WRITE, /* struct span: a file that `user` must be able to write or make (relative: in state_dir) */
};

struct sipd_strs {
    const struct span *at;
    size_t len;
};

struct sipd_groups {
    const void *at; /* an array of the struct that items fill */
    size_t len;
};

struct sipd_conf_item {
    const char *key;
    enum sipd_conf_kind kind;
    bool required;    /* no default: must be written */
    size_t offset;    /* of the member */
    const char *text; /* default of STR, READ, WRITE; of STRS: words divided by blanks */
    /* default and bounds of UINT, BOOL, CHOICE; STRS, GROUPS: bounds on their count */
    int64_t number, min, max;
    const char *const *choices;         /* CHOICE: words, ended by NULL */
    const struct sipd_conf_item *items; /* GROUP, GROUPS */
    size_t item_bytes;                  /* GROUPS: size of one */
    const char *doc;                    /* one line */
};

#define SIPD_STR(type, field, default_text, docs)                                     \
    {                                                                                 \
        .key = #field, .kind = SIPD_CONF_STR, .offset = offsetof(struct type, field), \
        .text = (default_text), .doc = (docs)                                         \
    }
#define SIPD_STR_REQUIRED(type, field, docs)                    \
    {                                                           \
        .key = #field, .kind = SIPD_CONF_STR, .required = true, \
        .offset = offsetof(struct type, field), .doc = (docs)   \
    }
#define SIPD_UINT(type, field, default_number, low, high, docs)                        \
    {                                                                                  \
        .key = #field, .kind = SIPD_CONF_UINT, .offset = offsetof(struct type, field), \
        .number = (default_number), .min = (low), .max = (high), .doc = (docs)         \
    }
#define SIPD_BOOL(type, field, default_bool, docs)                                     \
    {                                                                                  \
        .key = #field, .kind = SIPD_CONF_BOOL, .offset = offsetof(struct type, field), \
        .number = (default_bool), .max = 1, .doc = (docs)                              \
    }
#define SIPD_CHOICE(type, field, words, default_index, docs)                             \
    {                                                                                    \
        .key = #field, .kind = SIPD_CONF_CHOICE, .offset = offsetof(struct type, field), \
        .number = (default_index), .choices = (words), .doc = (docs)                     \
    }
#define SIPD_STRS(type, field, default_words, low, high, docs)                         \
    {                                                                                  \
        .key = #field, .kind = SIPD_CONF_STRS, .offset = offsetof(struct type, field), \
        .text = (default_words), .min = (low), .max = (high), .doc = (docs)            \
    }
#define SIPD_GROUP(type, field, inner_items, docs)                                      \
    {                                                                                   \
        .key = #field, .kind = SIPD_CONF_GROUP, .offset = offsetof(struct type, field), \
        .items = (inner_items), .doc = (docs)                                           \
    }
#define SIPD_GROUPS(type, field, element, element_items, low, high, docs)                \
    {                                                                                    \
        .key = #field, .kind = SIPD_CONF_GROUPS, .offset = offsetof(struct type, field), \
        .items = (element_items), .item_bytes = sizeof(struct element), .min = (low),    \
        .max = (high), .doc = (docs)                                                     \
    }
#define SIPD_READ_PATH(type, field, default_text, docs)                                \
    {                                                                                  \
        .key = #field, .kind = SIPD_CONF_READ, .offset = offsetof(struct type, field), \
        .text = (default_text), .doc = (docs)                                          \
    }
#define SIPD_WRITE_PATH(type, field, default_text, docs)                                \
    {                                                                                   \
        .key = #field, .kind = SIPD_CONF_WRITE, .offset = offsetof(struct type, field), \
        .text = (default_text), .doc = (docs)                                           \
    }
#define SIPD_CONF_END              \
    {                              \
        .kind = SIPD_CONF_END_KIND \
    }

#endif
