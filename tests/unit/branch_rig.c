/*
 * Bob at a contact, or at a name with three hops, who is called.
 */
#include "unit/branch_rig.h"

void
branch_call(const char *contact)
{
    rig.binds_len = 0;
    rig_bind(&rig, "bob", contact, NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
}

void
branch_call_name(void)
{
    branch_call("sip:bob@phone.example.net");
    rig_quiet(&rig);
    ck_assert_uint_eq(rig.asked_len, 1);
    rig_resolved(&rig, 0, SIPD_OK, ONE, TWO, THREE, NULL);
}
