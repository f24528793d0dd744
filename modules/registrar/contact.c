/*
 * Contacts written: URI, q, expires, then all other parameters as they came, GRUUs excepted, which only we make.
 */
#include "contact.h"

#include <sipd/param.h>

struct span
contact_q_write(uint16_t q, char to[8])
{
    size_t len = q % 10 != 0 ? 5 : q % 100 != 0 ? 4 : 3;

    if (q == STORE_NO_Q)
        return SPAN("");
    if (q == 0 || q >= 1000)
        return q == 0 ? SPAN("0") : SPAN("1");
    to[0] = '0';
    to[1] = '.';
    to[2] = (char)('0' + q / 100);
    to[3] = (char)('0' + q / 10 % 10);
    to[4] = (char)('0' + q % 10);
    return (struct span){ to, len };
}

/* What we say ourselves: what the phone says of it is of no account (RFC 5627 §5.1). */
static bool
is_ours(struct span name)
{
    return span_ieq(name, SPAN("q")) || span_ieq(name, SPAN("expires")) ||
           span_ieq(name, SPAN("pub-gruu")) || span_ieq(name, SPAN("temp-gruu"));
}

static char *
put_params(char *to, struct span params)
{
    struct param param;

    while (param_next(&params, &param)) {
        if (is_ours(param.name))
            continue;
        to = span_write(span_write(to, SPAN(";")), param.name);
        if (param.has_value)
            to = span_write(span_write(to, SPAN("=")), param.value);
    }
    return to;
}

static char *
put_gruu(char *to, const struct binding *b)
{
    bool sips = span_ieq(span_head(binding_contact(b), 5), SPAN("sips:"));
    char gruu[GRUU_BYTES];

    to = span_write(to, SPAN(";pub-gruu=\""));
    to = span_write(to, gruu_write(binding_aor(b), sips, binding_instance(b), gruu));
    return span_write(to, SPAN("\""));
}

struct span
contact_write(const struct binding *b, uint64_t left_s, bool gruu, char to[CONTACT_BYTES])
{
    char text[8];
    struct span q = contact_q_write(b->q, text);
    char *end = span_write(span_write(span_write(to, SPAN("<")), binding_contact(b)), SPAN(">"));

    if (q.len > 0)
        end = span_write(span_write(end, SPAN(";q=")), q);
    end = span_write_u64(span_write(end, SPAN(";expires=")), left_s);
    if (b->params_len > 0)
        end = put_params(end, binding_params(b));
    if (gruu && b->instance_len > 0)
        end = put_gruu(end, b);
    return span_between(to, end);
}
