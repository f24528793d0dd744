/*
 * Names to ids by tables that the compiler lays out: nothing is made at run time (RFC 3261 §7.1, §7.3.1, §7.3.3).
 */
#include "sip/names.h"

#include "base/def.h"
#include "names_gen.h"

static const struct span method_texts[METHODS] = {
    [METHOD_OTHER] = { NULL, 0 },
#define METHOD(id, text) [METHOD_##id] = { text, sizeof(text) - 1 },
#define HEADER(id, text, compact, flags, section)
#include "sip/names.def"
};

enum { NAME_ROOM = 32 }; /* what of a line may be looked at: whole words; the longest name has 29 bytes */

struct header_name {
    char text[NAME_ROOM - 2];
    uint8_t len;
    uint8_t flags; /* enum header_flags */
    char mask[NAME_ROOM]; /* bits of text that count: not the case of a letter, nor what is behind the name */
};

static const struct header_name header_names[HEADERS] = {
    [HDR_OTHER] = { "", 0, 0, "" },
#define METHOD(id, text)
#define HEADER(id, text, compact, flags, section) [HDR_##id] = { text, sizeof(text) - 1, flags, NAMES_MASK_##id },
#include "sip/names.def"
};

_Static_assert(HEADERS <= UINT8_MAX, "the generated tables hold ids in a byte");

enum method
names_method(struct span text)
{
    for (unsigned id = METHOD_OTHER + 1; id < METHODS; id++)
        if (span_eq(method_texts[id], text))
            return (enum method)id;
    return METHOD_OTHER;
}

struct span
names_method_text(enum method id)
{
    return (unsigned)id < METHODS ? method_texts[id] : method_texts[METHOD_OTHER];
}

/* Lower case of a letter; what it makes of other bytes does not matter to a hash. */
static unsigned
fold(char c)
{
    return (unsigned char)c | 0x20u;
}

static inline unsigned
slot_of(const char *text, size_t len)
{
    unsigned sum = NAMES_BY_LEN * (unsigned)len + NAMES_BY_FIRST * fold(text[0]);

    sum += NAMES_BY_MIDDLE * fold(text[len / 2]);
    sum += NAMES_BY_LAST * fold(text[len - 1]);
    return sum % countof(names_slots);
}

static inline uint64_t
word_at(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* Bits that count in which eight bytes of a text and of a name, from byte `at` on, differ. */
static inline uint64_t
differ(const char *text, const struct header_name *name, size_t at)
{
    const char *wanted = (const char *)name;

    return (word_at(text + at) ^ word_at(wanted + at)) & word_at(name->mask + at);
}

/* By whole words, and hardly a branch: which name comes next no processor can foretell. */
static inline bool
is_name(const char *text, size_t len, const struct header_name *name)
{
    uint64_t bits = differ(text, name, 0) | differ(text, name, 8) | (len ^ name->len);

    if (len > 16)
        bits |= differ(text, name, 16) | differ(text, name, 24);
    return bits == 0;
}

static enum header
compact(char letter)
{
    unsigned n = (unsigned)(unsigned char)span_lower(letter) - 'a';

    return n < countof(names_compact) ? (enum header)names_compact[n] : HDR_OTHER;
}

enum header
names_header_in(struct span line, size_t len)
{
    unsigned id;

    if (line.len < NAME_ROOM || len < 2)
        return names_header(span_head(line, len));
    id = names_slots[slot_of(line.at, len)];
    return is_name(line.at, len, &header_names[id]) ? (enum header)id : HDR_OTHER;
}

enum header
names_header(struct span text)
{
    unsigned id;

    if (text.len < 2)
        return text.len == 1 ? compact(text.at[0]) : HDR_OTHER;
    id = names_slots[slot_of(text.at, text.len)];
    return span_ieq(text, names_header_text((enum header)id)) ? (enum header)id : HDR_OTHER;
}

struct span
names_header_text(enum header id)
{
    const struct header_name *name = &header_names[(unsigned)id < HEADERS ? id : HDR_OTHER];

    return (struct span){ name->text, name->len };
}

unsigned
names_header_flags(enum header id)
{
    return (unsigned)id < HEADERS ? header_names[id].flags : 0;
}
