/*
 * Attributes and assertions that every file may use.
 */
#ifndef BASE_DEF_H
#define BASE_DEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define countof(array)           (sizeof(array) / sizeof((array)[0]))
#define MUST_USE                 __attribute__((warn_unused_result))
#define COLD                     __attribute__((cold)) /* seldom called: not in the way of what is */
#define APART                    __attribute__((noinline)) /* its locals are no burden to who calls it */
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* The struct that holds `member` at `pointer`; the member's type must be right. */
#define container_of(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
/* As container_of, for a pointer to const. */
#define container_of_const(pointer, type, member) \
    ((const type *)(const void *)((const char *)(pointer)-offsetof(type, member)))

/*
 * Our bug, and memory or state can no longer be trusted: says where, and aborts. The line goes to
 * standard error without allocation.
 */
#define BUG_ON(wrong)                              \
    do {                                           \
        if (__builtin_expect(!!(wrong), 0))        \
            bug_abort(#wrong, __FILE__, __LINE__); \
    } while (0)

/*
 * Our bug, but its reach is one request: true when `wrong` holds, after counting it. Fatal when
 * bug_doubt_fatal() was called, which tests do. Use: if (DOUBT(x)) return 500.
 */
#define DOUBT(wrong) (__builtin_expect(!!(wrong), 0) && bug_doubt(#wrong, __FILE__, __LINE__))

/* Prints the broken promise and aborts. */
_Noreturn void bug_abort(const char *what, const char *file, int line);
/* Counts a doubt, prints it; aborts if doubts are fatal. Returns true. */
bool bug_doubt(const char *what, const char *file, int line);
/* Makes every later DOUBT abort (for tests). */
void bug_doubt_fatal(void);
/* Doubts counted since the start of the process. */
uint64_t bug_doubts(void);

#endif
