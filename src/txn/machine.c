/*
 * Rules by cell and names by number, for whoever walks or draws the tables of the four machines.
 */
#include "txn/machine.h"

const struct txn_rule *
txn_rule(enum txn_kind kind, enum txn_state state, enum txn_event event)
{
    switch (kind) {
    case TXN_ICT: return &txn_ict_rules[state][event];
    case TXN_NICT: return &txn_nict_rules[state][event];
    case TXN_IST: return &txn_ist_rules[state][event];
    case TXN_NIST: return &txn_nist_rules[state][event];
    case TXN_KINDS: break;
    }
    bug_abort("a transaction of no kind", __FILE__, __LINE__);
}

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
