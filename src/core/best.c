/*
 * Which of several final responses goes up (RFC 3261 §16.7 step 6). Pure.
 */
#include "core/best.h"

/* 6xx first, then the lowest class. */
static unsigned
class_rank(unsigned status)
{
    return status >= 600 ? 0 : status / 100;
}

/* Within a class: first what helps to ask again, then what only says that nobody was there, last what is said of the search (§8.2.2.2). */
static unsigned
inner_rank(unsigned status)
{
    switch (status) {
    case 401:
    case 407:
    case 415:
    case 420:
    case 484: return 0;
    case 408:
    case 430:
    case 487:
    case 503: return 2;
    case 440:
    case 482: return 3;
    default: return 1;
    }
}

bool
best_is_better(unsigned a, unsigned b)
{
    if (class_rank(a) != class_rank(b))
        return class_rank(a) < class_rank(b);
    return inner_rank(a) < inner_rank(b);
}

unsigned
best_goes_up_as(unsigned status, bool by_path)
{
    return status == 503 ? 500 : status == 430 && !by_path ? 480 : status;
}
