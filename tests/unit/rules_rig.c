/*
 * The fields of a REGISTER, read by the registrar's rules.
 */
#include "unit/rules_rig.h"

#include "base/def.h"
#include "unit/text.h"

const struct rules_limits rules_rig_limits = { 60, 7200, 3600, 3 };
enum rules_flows rules_rig_flows;
bool rules_rig_secure;

struct rules_answer
rules_rig_read(struct rules_reader *reader, struct rules_register *reg, const char *expires,
               const char *first, const char *second)
{
    struct span header = span_of(expires);
    const char *const contacts[] = { first, second };
    const struct rules_way way = { .flows = rules_rig_flows, .secure = rules_rig_secure };

    rules_begin(reader, &rules_rig_limits, NULL, expires ? &header : NULL, &way);
    for (size_t i = 0; i < countof(contacts); i++)
        if (contacts[i] && !rules_contact_field(reader, span_of(contacts[i])))
            break;
    *reg = (struct rules_register){ .call_id = SPAN("call"), .cseq = 7 };
    return rules_rig_end(reader, reg);
}

struct rules_answer
rules_rig_end(struct rules_reader *reader, struct rules_register *reg)
{
    return rules_end(reader, reg) ? (struct rules_answer){ .status = 200 } : reader->refusal;
}
