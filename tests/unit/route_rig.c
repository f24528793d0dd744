/*
 * A dialog between alice and bob, and the Routes of its requests.
 */
#include "unit/route_rig.h"

#include <stdio.h>

const struct rig_sent *
route_call(const char *from, const char *contact, const char *to)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", contact, NULL, 1000);
    rig_ask(&rig, from, INVITE_BOB, NULL);
    invite = rig_expect(&rig, to, "INVITE ");
    rig_reply(&rig, invite, 200, "b1", NULL);
    rig_forget(&rig);
    rig_new_branch(&rig);
    rig.to_tag = "b1";
    rig.cseq++;
    return invite;
}

const char *
route_line(const struct rig_sent *invite, unsigned n)
{
    ck_assert_ptr_nonnull(rig_value(invite, "Record-Route", n));
    return rig_line("Route", rig_value(invite, "Record-Route", n));
}

const char *
route_request(const char *method, const char *record_route)
{
    static char line[1024];

    ck_assert_int_eq(record_route[0], '<');
    snprintf(line, sizeof line, "%s %.*s SIP/2.0", method, (int)strcspn(record_route + 1, ">"),
             record_route + 1);
    return line;
}
