/*
 * The four machines and names by number, for whoever walks or draws the tables of the four machines.
 */
#include "txn/machine.h"

const struct txn_rule (*const txn_machines[TXN_KINDS])[EV_COUNT] = {
    [TXN_ICT] = txn_ict_rules,
    [TXN_NICT] = txn_nict_rules,
    [TXN_IST] = txn_ist_rules,
    [TXN_NIST] = txn_nist_rules,
};

const char *
txn_kind_name(enum txn_kind kind)
{
    static const char *const names[TXN_KINDS] = { "ICT", "NICT", "IST", "NIST" };

    return names[kind];
}

const char *
txn_state_name(enum txn_state state)
{
    static const char *const names[TXN_STATES] = {
        "NONE", "CALLING", "TRYING", "PROCEEDING", "COMPLETED", "CONFIRMED", "ACCEPTED", "GONE",
    };

    return names[state];
}

const char *
txn_event_name(enum txn_event event)
{
    static const char *const names[EV_COUNT] = {
        "START",    "REQUEST",  "ACK",      "SEND_1XX", "SEND_2XX", "SEND_3XX",
        "RECV_1XX", "RECV_2XX", "RECV_3XX", "REPEAT",   "TIMEOUT",  "GONE",
    };

    return names[event];
}

const char *
txn_letter_name(enum txn_letter letter)
{
    static const char *const names[] = { "", "B", "D", "F", "H", "I", "J", "K", "L", "M", "" };

    return names[letter];
}
