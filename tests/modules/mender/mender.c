/*
 * mender: looks after two header fields of an old exchange (sipd_offer_fixer).
 *
 * It writes a remark into X-Account, behind a #, and an Alert-Info that is no URI. The remark goes, the Alert-Info goes, and
 * an account that is a lie is refused.
 */
#include <sipd/module.h>

static enum sipd_fix
account(struct sipd_field *field, void *self)
{
    size_t remark = span_find(field->value, '#');

    (void)self;
    if (span_starts(field->value, SPAN("nobody")))
        return SIPD_FIX_REFUSE;
    if (remark == field->value.len)
        return SIPD_FIX_NONE;
    field->better = span_trim(span_head(field->value, remark));
    return SIPD_FIX_VALUE;
}

static enum sipd_fix
alert(struct sipd_field *field, void *self)
{
    (void)self;
    return span_find(field->value, '<') < field->value.len ? SIPD_FIX_NONE : SIPD_FIX_DROP;
}

static int
mender_load(struct sipd_host *host, const void *conf, void **self)
{
    int err = sipd_offer_fixer(host, SPAN("X-Account"), account, NULL);

    (void)conf;
    *self = NULL;
    if (err == SIPD_OK)
        err = sipd_offer_fixer(host, SPAN("Alert-Info"), alert, NULL);
    return err;
}

SIPD_MODULE(.name = "mender", .load = mender_load);
