/*
 * Parameters, as every floor sees them; modules see the same but for what they end with.
 */
#ifndef SIP_PARAM_H
#define SIP_PARAM_H

#include <sipd/param.h>

/*
 * Takes the parameter that *rest begins with, up to a semicolon, to `also`, or to the end, where *rest then begins; one of
 * blanks alone has neither name nor value. False, and *rest as it was: a quoted string does not end.
 */
bool param_take(struct span *rest, char also, struct param *out);

/* Was there nothing but blanks? */
static inline bool
param_is_blank(const struct param *param)
{
    return param->name.len == 0 && !param->has_value;
}

#endif
