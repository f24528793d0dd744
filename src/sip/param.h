/*
 * Parameters, as every floor sees them; modules see the same but for what takes one alone.
 */
#ifndef SIP_PARAM_H
#define SIP_PARAM_H

#include <sipd/param.h>

/* Reads one parameter, cut out between its semicolons; blanks around it are allowed. False if there is nothing else. */
bool param_read(struct span text, struct param *out);

#endif
