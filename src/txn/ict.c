/*
 * The INVITE client transaction (RFC 3261 §17.1.1 and figure 5, as changed by RFC 6026 §8.4 and figure 5 there).
 */
#include "txn/machine.h"

const struct txn_rule txn_ict_rules[TXN_STATES][EV_COUNT] = {
    [TXN_NONE] = {
        [EV_START]    = { TXN_CALLING, T_B, A_SEND | A_START },
    },
    [TXN_CALLING] = {
        [EV_REPEAT]   = { TXN_CALLING, T_KEEP, A_RESEND | A_DOUBLE },               /* Timer A */
        [EV_TIMEOUT]  = { TXN_GONE, T_KEEP, A_TELL },                               /* Timer B */
        [EV_GONE]     = { TXN_GONE, T_KEEP, A_TELL },
        [EV_RECV_1XX] = { TXN_PROCEEDING, T_OFF, A_TELL | A_STOP },
        [EV_RECV_2XX] = { TXN_ACCEPTED, T_M, A_TELL | A_STOP },
        [EV_RECV_3XX] = { TXN_COMPLETED, T_D, A_TELL | A_STOP | A_ACK },
    },
    [TXN_PROCEEDING] = {
        [EV_RECV_1XX] = { TXN_PROCEEDING, T_KEEP, A_TELL },
        [EV_RECV_2XX] = { TXN_ACCEPTED, T_M, A_TELL },
        [EV_RECV_3XX] = { TXN_COMPLETED, T_D, A_TELL | A_ACK },
    },
    [TXN_COMPLETED] = {
        [EV_RECV_3XX] = { TXN_COMPLETED, T_KEEP, A_ACK },
        [EV_TIMEOUT]  = { TXN_GONE, T_KEEP, 0 },                                    /* Timer D */
        [EV_GONE]     = { TXN_GONE, T_KEEP, A_TELL },
    },
    [TXN_ACCEPTED] = {
        [EV_RECV_2XX] = { TXN_ACCEPTED, T_KEEP, A_TELL },                           /* RFC 6026 §7.2 */
        [EV_TIMEOUT]  = { TXN_GONE, T_KEEP, 0 },                                    /* Timer M */
    },
};
