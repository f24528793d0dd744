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

/* Found by one address, its bytes beside its length: looking a name up is what reading a field mostly is. */
struct header_name {
    char text[30]; /* the longest has 29 bytes */
    uint8_t len;
    uint8_t flags; /* enum header_flags */
};

static const struct header_name header_names[HEADERS] = {
    [HDR_OTHER] = { "", 0, 0 },
#define METHOD(id, text)
#define HEADER(id, text, compact, flags, section) [HDR_##id] = { text, sizeof(text) - 1, flags },
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
slot_of(struct span text)
{
    unsigned sum = NAMES_BY_LEN * (unsigned)text.len + NAMES_BY_FIRST * fold(text.at[0]);

    sum += NAMES_BY_MIDDLE * fold(text.at[text.len / 2]);
    sum += NAMES_BY_LAST * fold(text.at[text.len - 1]);
    return sum % countof(names_slots);
}

/*
 * Bits in which bytes of a text differ from a name's, case aside. Names have letters, digits and '-' only: in ASCII
 * their letters are the bytes with bit 6 set, and there alone bit 5, the case, may differ.
 */
static inline uint64_t
differ(uint64_t text, uint64_t name)
{
    const uint64_t bit_6 = 0x4040404040404040u;

    return (text ^ name) & ~((name & bit_6) >> 1);
}

static inline uint64_t
differ_8(const char *text, const char *name)
{
    uint64_t a, b;

    memcpy(&a, text, 8);
    memcpy(&b, name, 8);
    return differ(a, b);
}

static inline uint64_t
differ_4(const char *text, const char *name)
{
    uint32_t a, b;

    memcpy(&a, text, 4);
    memcpy(&b, name, 4);
    return differ(a, b);
}

/* By words as wide as the length allows; the last one overlaps the one before it. */
static inline bool
is_name(struct span text, const struct header_name *name)
{
    size_t len = text.len;
    uint64_t bits = 0;

    if (len != name->len)
        return false;
    if (len >= 8) {
        for (size_t i = 0; i < len - 8; i += 8)
            bits |= differ_8(text.at + i, name->text + i);
        bits |= differ_8(text.at + len - 8, name->text + len - 8);
    } else if (len >= 4) {
        bits = differ_4(text.at, name->text) | differ_4(text.at + len - 4, name->text + len - 4);
    } else {
        for (size_t i = 0; i < len; i++)
            bits |= differ((unsigned char)text.at[i], (unsigned char)name->text[i]);
    }
    return bits == 0;
}

enum header
names_header(struct span text)
{
    unsigned id;

    if (text.len == 0)
        return HDR_OTHER;
    if (text.len == 1) {
        unsigned letter = (unsigned)(unsigned char)span_lower(text.at[0]) - 'a';

        return letter < countof(names_compact) ? (enum header)names_compact[letter] : HDR_OTHER;
    }
    id = names_slots[slot_of(text)];
    return is_name(text, &header_names[id]) ? (enum header)id : HDR_OTHER;
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
