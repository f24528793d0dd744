/*
 * Bob with several phones, each of which gets a request.
 */
#include "unit/fork_rig.h"

#include <stdio.h>

const char *const fork_phones[FORK_PHONES] = {
    "udp:192.0.2.11:5060",
    "udp:192.0.2.12:5060",
    "udp:192.0.2.13:5060",
    "udp:192.0.2.14:5060",
};

const char *const fork_contacts[FORK_PHONES] = {
    "sip:bob@192.0.2.11",
    "sip:bob@192.0.2.12",
    "sip:bob@192.0.2.13",
    "sip:bob@192.0.2.14",
};

const struct rig_sent *fork_got[FORK_PHONES];

void
fork_to(unsigned n, const char *request_line)
{
    char method[16];

    snprintf(method, sizeof method, "%.*s ", (int)strcspn(request_line, " "), request_line);
    rig.binds_len = 0;
    for (unsigned i = 0; i < n; i++)
        rig_bind(&rig, "bob", fork_contacts[i], NULL, 1000);
    rig_ask(&rig, ALICE, request_line, NULL);
    for (unsigned i = 0; i < n; i++)
        fork_got[i] = rig_expect(&rig, fork_phones[i], method);
    rig_quiet(&rig);
}

void
fork_fails(unsigned n, unsigned status)
{
    rig_reply(&rig, fork_got[n], status, "t", NULL);
    rig_expect(&rig, fork_phones[n], "ACK ");
}
