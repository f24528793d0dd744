/*
 * A list of networks in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3).
 */
#include "nets.h"

#include <sipd/module.h>

int
nets_read(const struct sipd_strs *texts, struct nets *out, struct span *bad, const char **why)
{
    *out = (struct nets){ .at = texts->len ? sipd_alloc(texts->len * sizeof *out->at) : NULL };
    if (texts->len > 0 && !out->at)
        return SIPD_ENOMEM;
    for (size_t i = 0; i < texts->len; i++)
        if (!hop_net_read(texts->at[i], &out->at[out->len++], why)) {
            *bad = texts->at[i];
            nets_fini(out);
            return SIPD_EINVAL;
        }
    return SIPD_OK;
}

void
nets_fini(struct nets *nets)
{
    sipd_free(nets->at);
    *nets = (struct nets){ 0 };
}

bool
nets_have(const struct nets *nets, const struct hop *hop)
{
    for (size_t i = 0; i < nets->len; i++)
        if (hop_net_has(&nets->at[i], hop))
            return true;
    return false;
}
