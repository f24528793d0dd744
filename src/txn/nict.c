/*
 * The non-INVITE client transaction (RFC 3261 §17.1.2 and figure 6).
 */
#include "txn/machine.h"

const struct txn_rule txn_nict_rules[TXN_STATES][EV_COUNT] = {
    [TXN_NONE] = {
        [EV_START]    = { TXN_TRYING, T_F, A_SEND | A_START },
    },
    [TXN_TRYING] = {
        [EV_REPEAT]   = { TXN_TRYING, T_KEEP, A_RESEND | A_DOUBLE },                /* Timer E */
        [EV_TIMEOUT]  = { TXN_GONE, T_KEEP, A_TELL },                               /* Timer F */
        [EV_GONE]     = { TXN_GONE, T_KEEP, A_TELL },
        [EV_RECV_1XX] = { TXN_PROCEEDING, T_KEEP, A_TELL },
        [EV_RECV_2XX] = { TXN_COMPLETED, T_K, A_TELL | A_STOP },
        [EV_RECV_3XX] = { TXN_COMPLETED, T_K, A_TELL | A_STOP },
    },
    [TXN_PROCEEDING] = {
        [EV_REPEAT]   = { TXN_PROCEEDING, T_KEEP, A_RESEND | A_SLOW },              /* Timer E, now at T2 */
        [EV_TIMEOUT]  = { TXN_GONE, T_KEEP, A_TELL },                               /* Timer F */
        [EV_GONE]     = { TXN_GONE, T_KEEP, A_TELL },
        [EV_RECV_1XX] = { TXN_PROCEEDING, T_KEEP, A_TELL },
        [EV_RECV_2XX] = { TXN_COMPLETED, T_K, A_TELL | A_STOP },
        [EV_RECV_3XX] = { TXN_COMPLETED, T_K, A_TELL | A_STOP },
    },
    [TXN_COMPLETED] = {
        [EV_TIMEOUT]  = { TXN_GONE, T_KEEP, 0 },                                    /* Timer K */
    },
};
