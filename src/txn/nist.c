/*
 * The non-INVITE server transaction (RFC 3261 §17.2.2 and figure 8).
 */
#include "txn/machine.h"

const struct txn_rule txn_nist_rules[TXN_STATES][EV_COUNT] = {
    [TXN_NONE] = {
        [EV_START]    = { TXN_TRYING, T_KEEP, 0 },
    },
    [TXN_TRYING] = {
        [EV_SEND_1XX] = { TXN_PROCEEDING, T_KEEP, A_SEND },
        [EV_SEND_2XX] = { TXN_COMPLETED, T_J, A_SEND },
        [EV_SEND_3XX] = { TXN_COMPLETED, T_J, A_SEND },
    },
    [TXN_PROCEEDING] = {
        [EV_REQUEST]  = { TXN_PROCEEDING, T_KEEP, A_RESEND },
        [EV_SEND_1XX] = { TXN_PROCEEDING, T_KEEP, A_SEND },
        [EV_SEND_2XX] = { TXN_COMPLETED, T_J, A_SEND },
        [EV_SEND_3XX] = { TXN_COMPLETED, T_J, A_SEND },
    },
    [TXN_COMPLETED] = {
        [EV_REQUEST]  = { TXN_COMPLETED, T_KEEP, A_RESEND },
        [EV_TIMEOUT]  = { TXN_GONE, T_KEEP, 0 },                                    /* Timer J */
    },
};
