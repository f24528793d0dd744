/*
 * The error enum and its words, as every floor sees them; modules see the same.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <sipd/err.h>

#endif
