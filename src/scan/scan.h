/*
 * The few questions that a reader of messages asks of raw bytes, and which answers them on this machine (RFC 3261 §7).
 *
 * scan_plain is the specification: whatever else may answer gives the same, and reads no byte outside of what it is given.
 * Each question is about many bytes at once, so that wide registers pay.
 */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include "base/def.h"
#include "base/span.h"

struct scan_line {
    uint32_t end;   /* one past its LF: where the next line begins */
    uint32_t colon; /* its first colon; its LF if it has none */
};

/* A set of ASCII bytes: c is in it if bit c / 16 of rows[c % 16] is set; no other byte is. */
struct scan_set {
    uint8_t rows[16];
};

struct scan_ops {
    const char *name;
    /*
     * Finds the lines that begin at `from`, in order: each ends with LF, a CR before it is the line's own affair. Stops
     * after an empty line (LF or CRLF alone), after the last LF there is, or when `room` lines were found. Returns how
     * many. *odd becomes true if one of them ends with LF alone or has another control byte than HTAB and the CRLF at its
     * end, and else is left alone.
     * Units: bytes.len at most UINT32_MAX.
     */
    size_t (*lines)(struct span bytes, uint32_t from, struct scan_line *out, size_t room,
                    bool *odd);
    /* One past the first empty line that stands behind another line, looking for line ends from `from` on; 0: none. */
    size_t (*head_end)(struct span bytes, size_t from);
    /* Position of the first byte that is a, b or c; bytes.len if none is. */
    size_t (*find)(struct span bytes, char a, char b, char c);
    /* How many bytes from the first on are in the set. */
    size_t (*run)(struct span bytes, const struct scan_set *set);
};

extern const struct scan_ops scan_plain;
#ifdef __x86_64__
#define SCAN_AVX2
extern const struct scan_ops scan_avx2; /* on a machine that has AVX2, BMI1 and BMI2 only */
#endif

/* Who answers: scan_plain until scan_choose() says otherwise. */
extern const struct scan_ops *scan_chosen;

/* Picks by name, or the best of this machine for an empty one; called once, at start. False: no such, nothing changed. */
bool scan_choose(struct span name);

/* See scan_ops. */
static inline size_t
scan_lines(struct span bytes, uint32_t from, struct scan_line *out, size_t room, bool *odd)
{
    return scan_chosen->lines(bytes, from, out, room, odd);
}

/* See scan_ops. */
static inline size_t
scan_head_end(struct span bytes, size_t from)
{
    return scan_chosen->head_end(bytes, from);
}

/* See scan_ops. */
static inline size_t
scan_find(struct span bytes, char a, char b, char c)
{
    return scan_chosen->find(bytes, a, b, c);
}

/* See scan_ops. */
static inline size_t
scan_run(struct span bytes, const struct scan_set *set)
{
    return scan_chosen->run(bytes, set);
}

#endif
