/*
 * Names to ids by tables that the compiler lays out: nothing is made at run time (RFC 3261 §7.1, §7.3.1, §7.3.3).
 */
#include "sip/names.h"

#include "base/def.h"
#include "sip/name_find.h"

static const struct span method_texts[METHODS] = {
    [METHOD_OTHER] = { NULL, 0 },
#define METHOD(id, text) [METHOD_##id] = { text, sizeof(text) - 1 },
#define HEADER(id, text, compact, flags, section)
#include "sip/names.def"
};

static const struct {
    struct span text;
    unsigned flags; /* enum header_flags */
} headers[HEADERS] = {
    [HDR_OTHER] = { { "", 0 }, 0 },
#define METHOD(id, text)
#define HEADER(id, text, compact, flags, section) \
    [HDR_##id] = { { text, sizeof(text) - 1 }, flags },
#include "sip/names.def"
};

const struct names_table names_table = {
    .fields = {
    [HDR_OTHER] = { ":", "\377" },
#define METHOD(id, text)
#define HEADER(id, text, compact, flags, section) [HDR_##id] = { text ":", NAMES_MASK_##id "\377" },
#include "sip/names.def"
    },
    .slots = { NAMES_SLOTS },
};

_Static_assert(HEADERS <= UINT8_MAX, "the tables hold ids in a byte");

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

static enum header
compact(char letter)
{
    unsigned n = (unsigned)(unsigned char)span_lower(letter) - 'a';

    return n < countof(names_compact) ? (enum header)names_compact[n] : HDR_OTHER;
}

enum header
names_header(struct span text)
{
    unsigned id;

    if (text.len < 2)
        return text.len == 1 ? compact(text.at[0]) : HDR_OTHER;
    id = names_candidate(text.at, text.len);
    return span_ieq(text, names_header_text((enum header)id)) ? (enum header)id : HDR_OTHER;
}

static bool
is_letter(char c)
{
    c = span_lower(c);
    return c >= 'a' && c <= 'z';
}

/* Takes all but letters off the front. */
static struct span
at_letter(struct span text)
{
    while (text.len > 0 && !is_letter(text.at[0]))
        text = span_skip(text, 1);
    return text;
}

bool
names_resemble(struct span text, enum header id)
{
    struct span name = at_letter(names_header_text(id));

    text = at_letter(text);
    if (text.len > 0 && at_letter(span_skip(text, 1)).len == 0)
        return compact(text.at[0]) == id;
    while (text.len > 0 && name.len > 0 && span_lower(text.at[0]) == span_lower(name.at[0])) {
        text = at_letter(span_skip(text, 1));
        name = at_letter(span_skip(name, 1));
    }
    return text.len == 0 && name.len == 0;
}

struct span
names_header_text(enum header id)
{
    return headers[(unsigned)id < HEADERS ? id : HDR_OTHER].text;
}

unsigned
names_header_flags(enum header id)
{
    return (unsigned)id < HEADERS ? headers[id].flags : 0;
}
