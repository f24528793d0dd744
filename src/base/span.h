/*
 * The span and its questions, as every floor sees them; modules see the same.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <sipd/span.h>

#endif
